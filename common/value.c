#include "value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct value value_of_number(double number)
{
	return (struct value){ .kind = VALUE_NUMBER, .number = number };
}

/* Length of the UTF-8 sequence at p (RFC 3629: shortest form, no surrogates, up to U+10FFFF); 0 when there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t len)
{
	unsigned char second_min = 0x80, second_max = 0xbf;
	size_t need;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		need = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		need = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		second_min = 0xa0;
	else if (p[0] == 0xed)
		second_max = 0x9f;
	else if (p[0] == 0xf0)
		second_min = 0x90;
	else if (p[0] == 0xf4)
		second_max = 0x8f;
	if (len < need || p[1] < second_min || p[1] > second_max)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

/* The same, and 0 for control characters. */
static size_t character(const unsigned char *p, size_t len)
{
	size_t n = utf8_sequence(p, len);
	bool c1 = n == 2 && p[0] == 0xc2 && p[1] < 0xa0; /* U+0080 to U+009F */

	return p[0] < 0x20 || p[0] == 0x7f || c1 ? 0 : n;
}

static bool clean_text(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = character((const unsigned char *)text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

const char *value_show(const char *text, size_t len, char *buf, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < len;) {
		size_t n = character((const unsigned char *)text + i, len - i);

		if (at + (n ? n : 1) >= size)
			break;
		if (n > 0)
			memcpy(buf + at, text + i, n);
		else
			buf[at] = '?';
		n += n == 0;
		at += n;
		i += n;
	}
	buf[at] = '\0';
	return buf;
}

int value_of_text(const char *text, size_t len, struct value *ret_value)
{
	if (len > VALUE_TEXT_MAX || !clean_text(text, len))
		return -EINVAL;
	ret_value->kind = VALUE_TEXT;
	ret_value->number = 0;
	memcpy(ret_value->text, text, len);
	ret_value->text[len] = '\0';
	return 0;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == VALUE_NUMBER ? !(a->number < b->number || a->number > b->number) : strcmp(a->text, b->text) == 0;
}

/* Most readings are whole numbers or have few decimals: those need no search. Writes number * 10^decimals with a point; exact below
 * 2^53. */
static size_t format_scaled(long long scaled, int decimals, char *buf)
{
	char digits[24];
	size_t count = 0, len = 0;
	unsigned long long rest = scaled < 0 ? 0ULL - (unsigned long long)scaled : (unsigned long long)scaled;

	while (rest > 0 || count <= (size_t)decimals) {
		digits[count++] = (char)('0' + rest % 10);
		rest /= 10;
	}
	if (scaled < 0)
		buf[len++] = '-';
	while (count > 0) {
		if (count == (size_t)decimals && decimals > 0)
			buf[len++] = '.';
		buf[len++] = digits[--count];
	}
	buf[len] = '\0';
	return len;
}

size_t value_format_number(double number, char *buf)
{
	static const double powers[] = { 1, 10, 100, 1000, 10000 };

	if (fabs(number) < 1e9)
		for (int decimals = 0; decimals < 5; decimals++) {
			double scaled = nearbyint(number * powers[decimals]);

			/* The quotient of two exact doubles is the double nearest to the decimal: the text reads back. */
			if (!(scaled / powers[decimals] < number || scaled / powers[decimals] > number))
				return format_scaled((long long)scaled, decimals, buf);
		}
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(buf, 32, "%.*g", precision, number);
		if (precision == 17 || !(strtod(buf, NULL) < number || strtod(buf, NULL) > number))
			break;
	}
	return strlen(buf);
}
