#include "curve.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One "FROM:TO"; returns what follows it, NULL when it is none. */
static const char *parse_point(const char *text, double *ret_from, double *ret_to)
{
	char *end;

	*ret_from = strtod(text, &end);
	if (end == text || *end != ':')
		return NULL;
	text = end + 1;
	*ret_to = strtod(text, &end);
	if (end == text || (*end && !strchr(" \t,", *end)) || !isfinite(*ret_from) || !isfinite(*ret_to))
		return NULL;
	return end;
}

/* Keeps the points rising; false when there is one at that place. */
static int insert(struct curve *curve, double from, double to)
{
	size_t at = curve->count;

	while (at > 0 && curve->from[at - 1] > from) {
		curve->from[at] = curve->from[at - 1];
		curve->to[at] = curve->to[at - 1];
		at--;
	}
	curve->from[at] = from;
	curve->to[at] = to;
	curve->count++;
	return at == 0 || curve->from[at - 1] < from;
}

int curve_parse(const char *text, struct curve *ret_curve, char *reason)
{
	struct curve curve = { 0 };
	double from, to;

	while (*(text += strspn(text, " \t,"))) {
		const char *end = parse_point(text, &from, &to);

		if (!end) {
			snprintf(reason, CURVE_REASON_MAX, "\"%.24s\": a curve is FROM:TO FROM:TO ..., such as 0.9:100 2.6:0",
				 text);
			return -EINVAL;
		}
		if (curve.count == CURVE_POINTS_MAX) {
			snprintf(reason, CURVE_REASON_MAX, "a curve has at most %d points", CURVE_POINTS_MAX);
			return -EINVAL;
		}
		if (!insert(&curve, from, to)) {
			snprintf(reason, CURVE_REASON_MAX, "%g has two values", from);
			return -EINVAL;
		}
		text = end;
	}
	if (curve.count < 2) {
		snprintf(reason, CURVE_REASON_MAX, "a curve needs two points or more, such as 0.9:100 2.6:0");
		return -EINVAL;
	}
	*ret_curve = curve;
	return 0;
}

double curve_at(const struct curve *curve, double from)
{
	size_t i = 1;

	if (curve->count == 0)
		return from;
	if (from <= curve->from[0])
		return curve->to[0];
	while (i < curve->count && from > curve->from[i])
		i++;
	if (i == curve->count)
		return curve->to[i - 1];
	return curve->to[i - 1] +
	       (curve->to[i] - curve->to[i - 1]) * (from - curve->from[i - 1]) / (curve->from[i] - curve->from[i - 1]);
}
