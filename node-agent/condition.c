#include "condition.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JUMPS_BELIEVED = 3 };

void condition_init(struct condition *condition)
{
	*condition = (struct condition){ .scale = 1, .min = NAN, .max = NAN, .decimals = -1 };
}

void condition_reset(struct condition *condition)
{
	condition->kept_count = condition->kept_next = 0;
	condition->has_before = condition->was_told = false;
	condition->jumps = 0;
}

/* ---- keys ------------------------------------------------------------------------------------------------------------------------ */

int condition_parse_filter(const char *text, struct condition *condition, char *words)
{
	char word[8] = "";
	int window = 0, end = 0;

	if (strcmp(text, "none") == 0) {
		condition->filter = FILTER_NONE;
		return 0;
	}
	if (sscanf(text, "%7s %d%n", word, &window, &end) == 2 && !text[end] && window >= 2 && window <= CONDITION_WINDOW_MAX &&
	    (strcmp(word, "median") == 0 || strcmp(word, "mean") == 0)) {
		condition->filter = strcmp(word, "mean") == 0 ? FILTER_MEAN : FILTER_MEDIAN;
		condition->window = window;
		return 0;
	}
	snprintf(words, CONDITION_WORDS_MAX, "allowed is median N or mean N, with N from 2 to %d, or none", CONDITION_WINDOW_MAX);
	return -EINVAL;
}

/* A positive number; returns what follows it and spaces, NULL when it is none. */
static const char *take_number(const char *text, double *ret_number)
{
	char *end;

	*ret_number = strtod(text, &end);
	if (end == text || !isfinite(*ret_number) || *ret_number < 0)
		return NULL;
	return end + strspn(end, " ");
}

int condition_parse_report(const char *text, struct condition *condition, char *words)
{
	const char *rest = text;
	double delta = 0;
	int64_t max_age_ms = 0;

	if (strcmp(text, "each") == 0) {
		condition->report = REPORT_EACH;
		return 0;
	}
	if (strncmp(text, "change", 6) == 0 && (!text[6] || text[6] == ' ')) {
		rest = text + 6 + strspn(text + 6, " ");
		if (*rest && strncmp(rest, "max", 3) != 0)
			rest = take_number(rest, &delta);
		if (rest && strncmp(rest, "max ", 4) == 0 &&
		    conf_parse_duration(rest + 4 + strspn(rest + 4, " "), &max_age_ms) == 0 && max_age_ms > 0)
			rest = "";
		if (rest && !*rest) {
			condition->report = REPORT_CHANGE;
			condition->delta = delta;
			condition->max_age_ms = max_age_ms;
			return 0;
		}
	}
	snprintf(words, CONDITION_WORDS_MAX, "allowed is each, change, change 0.2, change 0.2 max 10m");
	return -EINVAL;
}

int condition_parse_slew(const char *text, struct condition *condition, char *words)
{
	static const struct {
		const char *word;
		double seconds;
	} spans[] = { { "/s", 1 }, { "/m", 60 }, { "/min", 60 }, { "/h", 3600 } };
	double number;
	const char *rest = take_number(text, &number);

	for (size_t i = 0; rest && number > 0 && i < sizeof(spans) / sizeof(*spans); i++)
		if (strcmp(rest, spans[i].word) == 0) {
			condition->slew = number / spans[i].seconds;
			return 0;
		}
	snprintf(words, CONDITION_WORDS_MAX, "allowed is a number over 0 a second, minute or hour: 0.5/s, 5/m, 20/h");
	return -EINVAL;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------------- */

/* As curve_at, but beyond its ends along the piece next to them. */
static double calibrate(const struct curve *curve, double number)
{
	size_t last = curve->count - 1, i;

	if (curve->count == 0)
		return number;
	if (number >= curve->from[0] && number <= curve->from[last])
		return curve_at(curve, number);
	i = number < curve->from[0] ? 1 : last;
	return curve->to[i] + (curve->to[i] - curve->to[i - 1]) * (number - curve->from[i]) / (curve->from[i] - curve->from[i - 1]);
}

static int check_limits(const struct condition *condition, double number, char *words)
{
	char shown[32], limit[32];
	bool over = number > condition->max; /* false when it is NAN */

	if (!over && !(number < condition->min))
		return 0;
	value_format_number(number, shown);
	value_format_number(over ? condition->max : condition->min, limit);
	snprintf(words, CONDITION_WORDS_MAX, "%s is %s %s, the limit set for it", shown, over ? "over" : "under", limit);
	return -ERANGE;
}

/* One spike is none of the world's doing; the same again and again is a change. */
static int check_slew(struct condition *condition, double number, int64_t now_ms, char *words)
{
	double span_s = (double)(now_ms - condition->before_ms) / 1000;
	double most = condition->slew * (span_s > 0.001 ? span_s : 0.001);
	char shown[32], from[32];

	if (!(condition->slew > 0) || !condition->has_before || fabs(number - condition->before) <= most) {
		condition->jumps = 0;
		condition->before = number;
		condition->before_ms = now_ms;
		condition->has_before = true;
		return 0;
	}
	condition->jumps = condition->jumps > 0 && fabs(number - condition->jumped) <= most ? condition->jumps + 1 : 1;
	condition->jumped = number;
	if (condition->jumps >= JUMPS_BELIEVED) {
		condition->kept_count = condition->kept_next = 0; /* the filter's memory is of another time */
		condition->has_before = false;
		return check_slew(condition, number, now_ms, words);
	}
	value_format_number(condition->before, from);
	value_format_number(number, shown);
	snprintf(words, CONDITION_WORDS_MAX, "jumps from %.16s to %.16s, more than the slew set for it", from, shown);
	return -ERANGE;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double filtered(struct condition *condition, double number)
{
	double sorted[CONDITION_WINDOW_MAX], sum = 0;
	size_t window = (size_t)condition->window, count;

	if (condition->filter == FILTER_NONE)
		return number;
	condition->kept[condition->kept_next] = number;
	condition->kept_next = (condition->kept_next + 1) % window;
	if (condition->kept_count < window)
		condition->kept_count++;
	count = condition->kept_count;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = condition->kept[i];
		sum += condition->kept[i];
	}
	if (condition->filter == FILTER_MEAN)
		return sum / (double)count;
	qsort(sorted, count, sizeof(*sorted), by_size);
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

int condition_take(struct condition *condition, double *number, int64_t now_ms, char *words)
{
	double calibrated = calibrate(&condition->curve, *number) * condition->scale + condition->offset;
	int r = check_limits(condition, calibrated, words);

	if (r == 0)
		r = check_slew(condition, calibrated, now_ms, words);
	if (r < 0)
		return r;
	calibrated = filtered(condition, calibrated);
	if (condition->decimals >= 0) {
		double scale = pow(10, condition->decimals);

		calibrated = nearbyint(calibrated * scale) / scale;
	}
	*number = calibrated;
	return 0;
}

/* The least bits of a double are no change: 0.3 - 0.1 is a hair below 0.2. */
static bool has_changed(const struct condition *condition, const struct value *value)
{
	double change = fabs(value->number - condition->told.number);

	if (value->kind == VALUE_TEXT || condition->told.kind == VALUE_TEXT || !(condition->delta > 0))
		return !value_equal(value, &condition->told);
	return change >= condition->delta * (1 - 1e-9);
}

bool condition_is_due(struct condition *condition, const struct value *value, int64_t now_ms, int64_t next_ms)
{
	bool due = condition->report == REPORT_EACH || !condition->was_told || has_changed(condition, value);

	/* Were it not told now, the next one would come too late. */
	if (!due && condition->max_age_ms > 0)
		due = now_ms + next_ms - condition->told_ms > condition->max_age_ms;
	if (due)
		condition_was_told(condition, value, now_ms);
	return due;
}

void condition_was_told(struct condition *condition, const struct value *value, int64_t now_ms)
{
	condition->was_told = true;
	condition->told = *value;
	condition->told_ms = now_ms;
}

int64_t condition_too_old_ms(const struct condition *condition)
{
	return condition->was_told && condition->max_age_ms > 0 ? condition->told_ms + condition->max_age_ms : 0;
}
