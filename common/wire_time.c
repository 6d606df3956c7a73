/* RFC 3339 times. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wire.h"

/* Exactly `count` digits. */
static const char *digits(const char *p, int count, int *ret_number)
{
	int number = 0;

	for (int i = 0; p && i < count; i++) {
		if (p[i] < '0' || p[i] > '9')
			return NULL;
		number = number * 10 + (p[i] - '0');
	}
	*ret_number = number;
	return p ? p + count : NULL;
}

static const char *one_of(const char *p, const char *allowed)
{
	return p && *p && strchr(allowed, *p) ? p + 1 : NULL;
}

/* ".25" as milliseconds; further digits are cut off. */
static const char *fraction(const char *p, int *ret_ms)
{
	int scale = 100;

	*ret_ms = 0;
	if (!p || *p != '.')
		return p;
	if (p[1] < '0' || p[1] > '9')
		return NULL;
	for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
		*ret_ms += (*p - '0') * scale;
	return p;
}

static const char *zone(const char *p, int *ret_minutes)
{
	int hours, minutes, sign;

	*ret_minutes = 0;
	if (!p)
		return NULL;
	if (*p == 'Z' || *p == 'z')
		return p + 1;
	if (*p != '+' && *p != '-')
		return NULL;
	sign = *p == '-' ? -1 : 1;
	p = digits(p + 1, 2, &hours);
	p = digits(one_of(p, ":"), 2, &minutes);
	if (!p || hours > 23 || minutes > 59)
		return NULL;
	*ret_minutes = sign * (hours * 60 + minutes);
	return p;
}

static bool day_exists(int year, int month, int day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

int wire_parse_time(const char *text, int64_t *ret_ms)
{
	int year, month, day, hour, minute, second, ms, offset;
	struct tm tm = { 0 };
	const char *p = digits(text, 4, &year);

	p = digits(one_of(p, "-"), 2, &month);
	p = digits(one_of(p, "-"), 2, &day);
	p = digits(one_of(p, "Tt "), 2, &hour);
	p = digits(one_of(p, ":"), 2, &minute);
	p = digits(one_of(p, ":"), 2, &second);
	p = zone(fraction(p, &ms), &offset);
	if (!p || *p || !day_exists(year, month, day) || hour > 23 || minute > 59 || second > 60)
		return -EINVAL;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	*ret_ms = ((int64_t)timegm(&tm) - offset * 60) * 1000 + ms;
	return 0;
}

const char *wire_format_time(int64_t time_ms, char *buf)
{
	int64_t ms = time_ms % 1000;
	time_t seconds = (time_t)(time_ms / 1000);
	size_t len;
	struct tm tm;

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	len = gmtime_r(&seconds, &tm) ? strftime(buf, 32, "%Y-%m-%dT%H:%M:%S", &tm) : 0;
	if (len == 0 || len > 26)
		return strcpy(buf, "-");
	snprintf(buf + len, 32 - len, ".%03dZ", (int)ms % 1000);
	return buf;
}
