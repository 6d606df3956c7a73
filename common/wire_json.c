#include "wire_json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 64 }; /* a longer literal is no sensor's */

size_t wire_skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
		at++;
	return at;
}

static bool digit(const char *text, size_t len, size_t at)
{
	return at < len && text[at] >= '0' && text[at] <= '9';
}

/* Up to 15 digits and up to 22 decimals both are exact doubles, so one division rounds correctly (Clinger 1990, the fast path). */
static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

size_t wire_scan_number(const char *text, size_t len, double *ret_number)
{
	char copy[NUMBER_MAX + 1];
	uint64_t mantissa = 0;
	size_t at = 0, digits = 0, decimals = 0;
	bool negative, plain = true;

	negative = len > 0 && text[0] == '-';
	if (len > 0 && (text[0] == '-' || text[0] == '+'))
		at++;
	for (; digit(text, len, at); at++, digits++)
		mantissa = mantissa * 10 + (uint64_t)(text[at] - '0');
	if (at < len && text[at] == '.')
		for (at++; digit(text, len, at); at++, digits++, decimals++)
			mantissa = mantissa * 10 + (uint64_t)(text[at] - '0');
	if (digits == 0 || at > NUMBER_MAX)
		return 0;
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		size_t exponent = at + 1;

		if (exponent < len && (text[exponent] == '-' || text[exponent] == '+'))
			exponent++;
		if (!digit(text, len, exponent))
			return 0;
		while (digit(text, len, exponent))
			exponent++;
		at = exponent;
		plain = false;
	}
	if (plain && digits <= 15) {
		double number = (double)mantissa / powers[decimals];

		*ret_number = negative ? -number : number;
		return at;
	}
	if (at > NUMBER_MAX)
		return 0;
	memcpy(copy, text, at);
	copy[at] = '\0';
	*ret_number = strtod(copy, NULL); /* the daemons never leave the "C" locale */
	return isfinite(*ret_number) ? at : 0;
}

/* A whole number without sign; 0 when it is none. */
static size_t scan_whole(const char *text, size_t len, int64_t *ret_number)
{
	int64_t number = 0;
	size_t at = 0;

	for (; digit(text, len, at) && at < 16; at++)
		number = number * 10 + (text[at] - '0');
	if (at == 0 || (at > 1 && text[0] == '0') || number > (int64_t)1 << 53 || digit(text, len, at) ||
	    (at < len && strchr(".eE", text[at])))
		return 0;
	*ret_number = number;
	return at;
}

static size_t scan_unit(const char *text, size_t len, char *ret_unit)
{
	size_t at = 1;

	if (len < 2 || text[0] != '"')
		return 0;
	for (; at < len && text[at] != '"'; at++)
		if (text[at] == '\\' || (unsigned char)text[at] < 0x20 || at > UNIT_MAX)
			return 0;
	if (at == len)
		return 0;
	memcpy(ret_unit, text + 1, at - 1);
	ret_unit[at - 1] = '\0';
	return at + 1;
}

enum { KEY_VALUE = 1, KEY_TIME = 2, KEY_UNIT = 4, KEY_SEQ = 8 };

static bool key_is(const char *text, size_t len, const char *key)
{
	size_t n = strlen(key);

	return len >= n && memcmp(text, key, n) == 0;
}

/* One key and its content at `text`; which is 0 when it is none of ours. Returns the bytes read. */
static size_t scan_pair(const char *text, size_t len, struct wire_flat *flat, unsigned *ret_which)
{
	size_t at, n = 0;

	*ret_which = key_is(text, len, "\"value\"")  ? KEY_VALUE
		     : key_is(text, len, "\"time\"") ? KEY_TIME
		     : key_is(text, len, "\"unit\"") ? KEY_UNIT
		     : key_is(text, len, "\"seq\"")  ? KEY_SEQ
						     : 0;
	if (!*ret_which)
		return 0;
	at = wire_skip_space(text, len, *ret_which == KEY_VALUE ? 7 : *ret_which == KEY_SEQ ? 5 : 6);
	if (at == len || text[at] != ':')
		return 0;
	at = wire_skip_space(text, len, at + 1);
	switch (*ret_which) {
	case KEY_VALUE:
		/* "+1" and ".5" are for people at a shell, JSON does not have them. */
		if (at < len && (text[at] == '-' || digit(text, len, at)))
			n = wire_scan_number(text + at, len - at, &flat->value);
		break;
	case KEY_TIME:
		n = scan_whole(text + at, len - at, &flat->time_ms);
		flat->has_time = true;
		break;
	case KEY_UNIT:
		n = scan_unit(text + at, len - at, flat->unit);
		break;
	case KEY_SEQ:
		n = scan_whole(text + at, len - at, &flat->seq);
		if (flat->seq < 1)
			n = 0;
		break;
	}
	return n ? at + n : 0;
}

bool wire_scan_flat(const char *text, size_t len, struct wire_flat *ret_flat)
{
	size_t at = wire_skip_space(text, len, 0);
	unsigned seen = 0;

	*ret_flat = (struct wire_flat){ 0 };
	if (at == len || text[at] != '{')
		return false;
	do {
		unsigned which;
		size_t n;

		at = wire_skip_space(text, len, at + 1);
		n = scan_pair(text + at, len - at, ret_flat, &which);
		if (n == 0 || (seen & which))
			return false;
		seen |= which;
		at = wire_skip_space(text, len, at + n);
	} while (at < len && text[at] == ',');
	if (at == len || text[at] != '}' || !(seen & KEY_VALUE))
		return false;
	return wire_skip_space(text, len, at + 1) == len;
}

size_t wire_put(char *buf, size_t size, size_t len, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(len < size ? buf + len : NULL, len < size ? size - len : 0, format, arguments);
	va_end(arguments);
	return len + (n > 0 ? (size_t)n : 0);
}

size_t wire_put_string(char *buf, size_t size, size_t len, const char *text)
{
	len = wire_put(buf, size, len, "\"");
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			len = wire_put(buf, size, len, "\\%c", *p);
		else if (*p < 0x20)
			len = wire_put(buf, size, len, "\\u%04x", *p);
		else
			len = wire_put(buf, size, len, "%c", *p);
	}
	return wire_put(buf, size, len, "\"");
}
