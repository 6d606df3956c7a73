/* A curve through measured points: what a probe's volts mean, as a person found out with a known weight, a wet and a dry pot. */
#pragma once

#include <stddef.h>

enum { CURVE_POINTS_MAX = 16, CURVE_REASON_MAX = 96 };

struct curve {
	size_t count;                                        /* 0: none */
	double from[CURVE_POINTS_MAX], to[CURVE_POINTS_MAX]; /* from: rising */
};

/* Reads "FROM:TO FROM:TO ..." such as "0.9:100 2.6:0": 2 to CURVE_POINTS_MAX points in any order, each FROM once.
 * reason   CURVE_REASON_MAX bytes, filled when refused
 * Returns 0 or -EINVAL. */
int curve_parse(const char *text, struct curve *ret_curve, char *reason);

/* On the straight line between the two points next to it; beyond the ends, the end's. Without points, the number itself. */
double curve_at(const struct curve *curve, double from);
