/* One value of one series at one time. */
#pragma once

#include <stdint.h>

#include "series.h"
#include "value.h"

#define TIME_NONE INT64_MIN /* a reading that carries no time of its own (a bare value) */

struct reading {
	struct series series;
	int64_t time_ms;    /* UTC, or TIME_NONE */
	struct value value; /* in the quantity's own unit */
	int64_t seq;        /* the node's serial number, > 0; 0 when it asks for no receipt */
};

enum { READING_REASON_MAX = 160 };

/* Whether a store may take it: value of the quantity's kind, finite, inside the quantity's range (binary: 0 or 1), time not
 * before 2000-01-01 nor more than a day after `now_ms` (TIME_NONE passes).
 * reason   gets an English sentence without a full stop when refused: "120 is over 100 %"; READING_REASON_MAX bytes
 * Returns 0 or -EINVAL. */
int reading_check(const struct reading *reading, int64_t now_ms, char *reason);
