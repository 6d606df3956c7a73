/* Numbers, ages and dates as people of a language write them. The page's script writes them the same way (web/static/ui.js). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../common/quantity.h"
#include "../common/value.h"
#include "strings.h"

enum { WORDING_MAX = 96 }; /* bytes that each of these buffers needs: of a text value more, see wording_value */

/* How many decimals a quantity is shown with; negative: at most so many, none where there are none (an unknown quantity). */
int wording_decimals(const struct quantity_info *quantity);

/* 1013.25 with 1 decimal is "1 013,3" in French (narrow no-break space), "1,013.3" in English. Ties go away from zero; no "-0". */
const char *wording_number(enum language language, double number, int decimals, char *buf);

/* "Ouvert", "21,4" (without its unit), the text itself. buf of VALUE_TEXT_MAX + 1 bytes. */
const char *wording_value(enum language language, const struct quantity_info *quantity, const struct value *value, char *buf);
const char *wording_quantity(enum language language, const struct quantity_info *quantity);

/* "8 s", "43 min", "2 h", "3 j". */
const char *wording_span(const struct strings *strings, enum language language, int64_t span_ms, char *buf);
/* "à l'instant", "il y a 8 s". */
const char *wording_age(const struct strings *strings, enum language language, int64_t age_ms, char *buf);

/* The server's time zone is the household's. "mardi 24 novembre"; "24 nov."; "24 nov. 14:05"; "24 nov. 2026 14:05:09". */
const char *wording_day(const struct strings *strings, enum language language, int64_t time_ms, char *buf);
const char *wording_date(const struct strings *strings, enum language language, int64_t time_ms, char *buf);
const char *wording_moment(const struct strings *strings, enum language language, int64_t time_ms, char *buf);
const char *wording_full(const struct strings *strings, enum language language, int64_t time_ms, char *buf);

/* What an <input type=datetime-local> holds: "2026-11-24T14:05". */
const char *wording_local(int64_t time_ms, char *buf);
/* Reads it, or integer milliseconds UTC. Returns 0 or -EINVAL. */
int wording_parse_local(const char *text, int64_t *ret_ms);
