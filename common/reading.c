#include "reading.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

static const int64_t year_2000_ms = 946684800000;
static const int64_t day_ms = 86400000;

static int check_number(const struct quantity_info *info, double number, char *reason)
{
	char shown[32], limit[32];
	const char *space = info->unit[0] ? " " : "";

	if (!isfinite(number)) {
		snprintf(reason, READING_REASON_MAX, "not a finite number");
		return -EINVAL;
	}
	if (number >= info->min && number <= info->max) {
		if (info->kind != QUANTITY_KIND_BINARY || !(number > 0 && number < 1))
			return 0;
		snprintf(reason, READING_REASON_MAX, "%s is 0 or 1", info->name);
		return -EINVAL;
	}
	value_format_number(number, shown);
	if (info->kind == QUANTITY_KIND_BINARY) {
		snprintf(reason, READING_REASON_MAX, "%s is neither 0 nor 1", shown);
		return -EINVAL;
	}
	value_format_number(number > info->max ? info->max : info->min, limit);
	snprintf(reason, READING_REASON_MAX, "%s is %s %s%s%s", shown, number > info->max ? "over" : "under", limit, space,
		 info->unit);
	return -EINVAL;
}

int reading_check(const struct reading *reading, int64_t now_ms, char *reason)
{
	const struct quantity_info *info = quantity_info_of(reading->series.quantity);
	bool text = info->kind == QUANTITY_KIND_TEXT;

	if (text != (reading->value.kind == VALUE_TEXT)) {
		snprintf(reason, READING_REASON_MAX, text ? "%s is a text" : "%s is a number, not a text",
			 reading->series.quantity);
		return -EINVAL;
	}
	if (!text && check_number(info, reading->value.number, reason) < 0)
		return -EINVAL;
	if (reading->time_ms == TIME_NONE)
		return 0;
	if (reading->time_ms < year_2000_ms) {
		snprintf(reason, READING_REASON_MAX, "time %lld is before the year 2000 (milliseconds since 1970?)",
			 (long long)reading->time_ms);
		return -EINVAL;
	}
	if (reading->time_ms > now_ms && reading->time_ms - now_ms > day_ms) {
		snprintf(reason, READING_REASON_MAX, "time %lld is more than a day ahead", (long long)reading->time_ms);
		return -EINVAL;
	}
	return 0;
}
