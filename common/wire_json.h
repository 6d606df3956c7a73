/* What the rooms of the wire share: scanning the usual payloads without a JSON tree, and writing JSON into fixed buffers. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quantity.h"
#include "series.h"
#include "value.h"

/* The offset of the first byte at or after `at` that is no JSON white space; len when there is none. */
size_t wire_skip_space(const char *text, size_t len, size_t at);

/* Reads a JSON number (RFC 8259: no hexadecimal, no infinity, no leading '+' or zero) from the beginning of `text`; a leading '+', leading
 * zeros and ".5" are understood too, as people type them. Returns the bytes read, 0 when it is none or not finite. */
size_t wire_scan_number(const char *text, size_t len, double *ret_number);

struct wire_flat {
	double value;
	bool has_time;
	int64_t time_ms;
	int64_t seq;             /* 0 without */
	char unit[UNIT_MAX + 1]; /* "" without */
};

/* Reads an object of only these keys, each once, value and seq and time as plain numbers, unit without escapes. False for everything else,
 * right or wrong: that is for the JSON parser to decide. */
bool wire_scan_flat(const char *text, size_t len, struct wire_flat *ret_flat);

/* Appends to buf at `len`, like snprintf: returns the length it would have; at or over `size` it did not fit. */
size_t wire_put(char *buf, size_t size, size_t len, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Appends a JSON string with its quotes. */
size_t wire_put_string(char *buf, size_t size, size_t len, const char *text);

/* The value of a command, by the rules of readings (wire.c). reason: READING_REASON_MAX bytes. */
int wire_bare_value(const struct series *series, const char *text, size_t len, struct value *ret_value, char *reason);
int wire_json_value(const struct series *series, const cJSON *json, struct value *ret_value, char *reason);
