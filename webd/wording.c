#include "wording.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int wording_decimals(const struct quantity_info *quantity)
{
	return quantity->name[0] ? quantity->decimals : -quantity->decimals;
}

/* printf rounds an exact tie to even; people and Intl.NumberFormat round it away from zero. */
static double away_from_zero(double number, int decimals)
{
	double scale = pow(10, decimals), scaled = number * scale;

	if (fma(number, scale, -scaled) != 0 || fabs(scaled - trunc(scaled)) != 0.5)
		return number;
	return (scaled + copysign(0.5, scaled)) / scale;
}

/* Puts the thousands apart and the language's own decimal sign. */
static void punctuate(enum language language, const char *plain, char *buf)
{
	static const char *const apart[] = { "\xe2\x80\xaf", "," }; /* U+202F narrow no-break space */
	size_t whole = strspn(plain, "-0123456789"), len = 0;

	for (size_t i = 0; plain[i]; i++) {
		size_t left = i < whole ? whole - i : 0;

		if (i > 0 && isdigit((unsigned char)plain[i - 1]) && left > 0 && left % 3 == 0)
			len += (size_t)sprintf(buf + len, "%s", apart[language]);
		buf[len++] = plain[i] == '.' && language == LANGUAGE_FR ? ',' : plain[i];
	}
	buf[len] = '\0';
}

const char *wording_number(enum language language, double number, int decimals, char *buf)
{
	char plain[64];
	size_t len;

	if (fabs(number) >= 1e15) { /* no sensor means this; still short and true */
		snprintf(buf, WORDING_MAX, "%g", number);
		return buf;
	}
	len = (size_t)snprintf(plain, sizeof(plain), "%.*f", abs(decimals), away_from_zero(number, abs(decimals)));
	if (decimals < 0) {
		while (plain[len - 1] == '0')
			plain[--len] = '\0';
		if (plain[len - 1] == '.')
			plain[--len] = '\0';
	}
	if (plain[0] == '-' && strspn(plain, "-0.") == len)
		memmove(plain, plain + 1, len);
	punctuate(language, plain, buf);
	return buf;
}

const char *wording_value(enum language language, const struct quantity_info *quantity, const struct value *value, char *buf)
{
	const char *on = language == LANGUAGE_FR ? quantity->on_fr : quantity->on_en;
	const char *off = language == LANGUAGE_FR ? quantity->off_fr : quantity->off_en;

	if (value->kind == VALUE_TEXT)
		return strcpy(buf, value->text);
	if (quantity->kind == QUANTITY_KIND_BINARY && on && off)
		return strcpy(buf, value->number != 0 ? on : off);
	return wording_number(language, value->number, wording_decimals(quantity), buf);
}

const char *wording_quantity(enum language language, const struct quantity_info *quantity)
{
	return language == LANGUAGE_FR ? quantity->label_fr : quantity->label_en;
}

const char *wording_span(const struct strings *strings, enum language language, int64_t span_ms, char *buf)
{
	static const struct {
		const char *key;
		int64_t unit_ms, below_ms;
	} units[] = { { "ui_s", 1000, 60000 },
		      { "ui_min", 60000, 3600000 },
		      { "ui_h", 3600000, 172800000 },
		      { "ui_d", 86400000, INT64_MAX } };
	size_t i = 0;
	char n[24];

	if (span_ms < 0)
		span_ms = 0;
	while (span_ms >= units[i].below_ms && units[i].below_ms < INT64_MAX)
		i++;
	snprintf(n, sizeof(n), "%" PRId64, span_ms / units[i].unit_ms);
	return strings_fill(strings_get(strings, language, units[i].key), (struct strings_word[]){ { "n", n }, { 0 } }, buf,
			    WORDING_MAX);
}

const char *wording_age(const struct strings *strings, enum language language, int64_t age_ms, char *buf)
{
	char span[WORDING_MAX];

	if (age_ms < 5000)
		return strcpy(buf, strings_get(strings, language, "ui_now"));
	wording_span(strings, language, age_ms, span);
	return strings_fill(strings_get(strings, language, "ui_ago"), (struct strings_word[]){ { "span", span }, { 0 } }, buf,
			    WORDING_MAX);
}

static struct tm local(int64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	return tm;
}

static const char *named(const struct strings *strings, enum language language, const char *prefix, int n)
{
	char key[24];

	snprintf(key, sizeof(key), "%s_%d", prefix, n);
	return strings_get(strings, language, key);
}

const char *wording_day(const struct strings *strings, enum language language, int64_t time_ms, char *buf)
{
	struct tm tm = local(time_ms);

	snprintf(buf, WORDING_MAX, "%.24s %d %.24s", named(strings, language, "day", tm.tm_wday), tm.tm_mday,
		 named(strings, language, "month", tm.tm_mon + 1));
	return buf;
}

const char *wording_date(const struct strings *strings, enum language language, int64_t time_ms, char *buf)
{
	struct tm tm = local(time_ms);

	snprintf(buf, WORDING_MAX, "%d %.24s", tm.tm_mday, named(strings, language, "mon", tm.tm_mon + 1));
	return buf;
}

const char *wording_moment(const struct strings *strings, enum language language, int64_t time_ms, char *buf)
{
	struct tm tm = local(time_ms);

	snprintf(buf, WORDING_MAX, "%d %.24s %02d:%02d", tm.tm_mday, named(strings, language, "mon", tm.tm_mon + 1), tm.tm_hour,
		 tm.tm_min);
	return buf;
}

const char *wording_full(const struct strings *strings, enum language language, int64_t time_ms, char *buf)
{
	struct tm tm = local(time_ms);

	snprintf(buf, WORDING_MAX, "%d %.24s %d %02d:%02d:%02d", tm.tm_mday, named(strings, language, "mon", tm.tm_mon + 1),
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return buf;
}

const char *wording_local(int64_t time_ms, char *buf)
{
	struct tm tm = local(time_ms);

	strftime(buf, WORDING_MAX, "%Y-%m-%dT%H:%M", &tm);
	return buf;
}

int wording_parse_local(const char *text, int64_t *ret_ms)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *end;
	time_t seconds;

	if (*text && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 15) {
		*ret_ms = strtoll(text, NULL, 10);
		return 0;
	}
	end = strptime(text, "%Y-%m-%dT%H:%M", &tm);
	if (end && *end == ':')
		end = strptime(end, ":%S", &tm);
	if (!end || *end)
		return -EINVAL;
	seconds = mktime(&tm);
	if (seconds < 0)
		return -EINVAL;
	*ret_ms = (int64_t)seconds * 1000;
	return 0;
}
