/* What a series holds at a moment: a number or a short text. Binary quantities hold 1 or 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { VALUE_TEXT_MAX = 256 }; /* bytes of UTF-8, without the closing NUL */

enum value_kind { VALUE_NUMBER, VALUE_TEXT };

struct value {
	enum value_kind kind;
	double number;                 /* when VALUE_NUMBER: finite */
	char text[VALUE_TEXT_MAX + 1]; /* when VALUE_TEXT: valid UTF-8, no control characters */
};

/* A number as a value. */
struct value value_of_number(double number);

/* A text as a value. Returns 0, or -EINVAL when `len` bytes are too long, not UTF-8 or hold control characters
 * (`*ret_value` is then untouched). */
int value_of_text(const char *text, size_t len, struct value *ret_value);

/* For messages: copies as many whole characters of `len` bytes as fit into `size` with their NUL, with '?' for each byte that is no text
 * (control characters, broken UTF-8). Returns buf. */
const char *value_show(const char *text, size_t len, char *buf, size_t size);

/* The same kind and the same content. */
bool value_equal(const struct value *a, const struct value *b);

/* Writes the shortest decimal text that reads back as the same double: "21.4", "-0.5", "1e+300". No locale.
 * buf   at least 32 bytes. Returns the length. */
size_t value_format_number(double number, char *buf);
