/* From what a chip says to what is worth telling: calibration, plausibility, filter, and how often. One for each channel that has such keys. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/conf.h"
#include "../common/value.h"
#include "curve.h"

enum { CONDITION_WINDOW_MAX = 15, CONDITION_WORDS_MAX = 96 };

enum filter { FILTER_NONE, FILTER_MEDIAN, FILTER_MEAN };
enum report { REPORT_EACH, REPORT_CHANGE };

struct condition {
	/* The keys. Steps happen in this order. */
	struct curve curve; /* beyond its ends along its last pieces: a calibration holds a little further, too */
	double scale, offset;
	double min, max; /* NAN: none; what is outside is rubbish */
	double slew;     /* most change a second; 0: any. A jump that three values in a row agree on is believed */
	enum filter filter;
	int window;
	int decimals; /* rounded to so many; negative: not */
	enum report report;
	double delta;       /* least change that is told; 0: any */
	int64_t max_age_ms; /* told at least so often; 0: only changes */

	/* The state; a device that was away begins anew (condition_reset). */
	double kept[CONDITION_WINDOW_MAX];
	size_t kept_count, kept_next;
	double before, jumped;
	int64_t before_ms;
	int jumps;
	bool has_before, was_told;
	struct value told;
	int64_t told_ms;
};

/* Nothing done to any value. */
void condition_init(struct condition *condition);
void condition_reset(struct condition *condition);

/* Reads "median 5", "mean 4", "none". Returns 0, or -EINVAL with what is allowed in `words` (CONDITION_WORDS_MAX bytes), as the next two do. */
int condition_parse_filter(const char *text, struct condition *condition, char *words);
/* Reads "each", "change", "change 0.2", "change 0.2 max 10m", "change max 10m". */
int condition_parse_report(const char *text, struct condition *condition, char *words);
/* Reads "5/m": so much a second, minute or hour. */
int condition_parse_slew(const char *text, struct condition *condition, char *words);

/* A number of the chip, at now_ms (clock_boot_ms()). Returns 0 with what it comes to in *number, or -ERANGE with what is wrong in `words`
 * (CONDITION_WORDS_MAX bytes). */
int condition_take(struct condition *condition, double *number, int64_t now_ms, char *words);

/* Whether a value at now_ms is to be told, and if so remembers that it was. next_ms: how long until the one after it comes; 0 when unknown. */
bool condition_is_due(struct condition *condition, const struct value *value, int64_t now_ms, int64_t next_ms);
/* Remembers that a value was told by somebody else: what an output was set to. */
void condition_was_told(struct condition *condition, const struct value *value, int64_t now_ms);
/* When the value that was told has the age that none may pass; 0: never. */
int64_t condition_too_old_ms(const struct condition *condition);
