/* How long the buckets of a chart are, and where they begin: as on a ruler that people know. */
#include <time.h>

#include "store_sqlite.h"

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	MONDAY = 4, /* 1970-01-05: weeks begin on it */
};

int64_t store_floor(int64_t time_ms, int64_t step_ms)
{
	return time_ms - ((time_ms % step_ms) + step_ms) % step_ms;
}

int64_t store_bucket_length(int64_t least_ms)
{
	static const int64_t lengths[] = {
		1 * SECOND_MS, 2 * SECOND_MS, 5 * SECOND_MS, 10 * SECOND_MS, 15 * SECOND_MS, 30 * SECOND_MS,
		1 * MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS,
		1 * HOUR_MS,   2 * HOUR_MS,   3 * HOUR_MS,   6 * HOUR_MS,    12 * HOUR_MS,
	};
	static const int64_t days[] = { 1, 2, 4, 7, 14, 28, 56 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		if (lengths[i] >= least_ms)
			return lengths[i];
	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++)
		if (days[i] * DAY_MS >= least_ms)
			return days[i] * DAY_MS;
	return (least_ms + DAY_MS - 1) / DAY_MS * DAY_MS;
}

/* The number of a civil day since 1970 (Howard Hinnant, chrono-compatible low-level date algorithms). */
static int64_t day_number(const struct tm *tm)
{
	int64_t year = tm->tm_year + 1900 - (tm->tm_mon < 2), era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400, month = (tm->tm_mon + 10) % 12;
	int64_t of_year = (153 * month + 2) / 5 + tm->tm_mday - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The first moment of the local day that is `days` from that of `time_ms`. Where a change of the clocks skips midnight, mktime tells what comes
 * instead. */
static int64_t midnight(int64_t time_ms, int days)
{
	time_t seconds = (time_t)(store_floor(time_ms, SECOND_MS) / SECOND_MS);
	struct tm tm;

	localtime_r(&seconds, &tm);
	tm.tm_mday += days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * SECOND_MS;
}

int64_t store_bucket_of(int64_t time_ms, int64_t bucket_ms)
{
	time_t seconds = (time_t)(store_floor(time_ms, SECOND_MS) / SECOND_MS);
	int64_t days = bucket_ms / DAY_MS;
	struct tm tm;

	if (days == 0)
		return store_floor(time_ms, bucket_ms);
	localtime_r(&seconds, &tm);
	return midnight(time_ms, (int)(store_floor(day_number(&tm) - MONDAY, days) + MONDAY - day_number(&tm)));
}

int64_t store_bucket_after(int64_t start_ms, int64_t bucket_ms)
{
	return bucket_ms < DAY_MS ? start_ms + bucket_ms : midnight(start_ms, (int)(bucket_ms / DAY_MS));
}
