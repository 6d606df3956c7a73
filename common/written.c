#include "written.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AVERAGE_DAYS = 7 };

static const int64_t hour_ms = 3600000, day_ms = 86400000;

void written_add(struct written *written, int64_t now_ms, int64_t bytes, int64_t ms)
{
	int64_t day = now_ms / day_ms;
	struct written_day *last = written->count ? &written->days[written->count - 1] : NULL;

	if (bytes < 0 || ms < 0)
		return;
	if (!last || last->day < day) { /* a clock set back goes on with the newest day */
		if (written->count == WRITTEN_DAYS)
			memmove(written->days, written->days + 1, --written->count * sizeof(*written->days));
		last = &written->days[written->count++];
		*last = (struct written_day){ .day = day };
	}
	last->bytes += bytes;
	last->ms += ms;
}

int64_t written_a_day(const struct written *written)
{
	size_t first = written->count > AVERAGE_DAYS ? written->count - AVERAGE_DAYS : 0;
	int64_t bytes = 0, ms = 0;

	for (size_t i = first; i < written->count; i++) {
		bytes += written->days[i].bytes;
		ms += written->days[i].ms;
	}
	return ms < hour_ms ? -1 : (int64_t)((double)bytes / (double)ms * (double)day_ms);
}

size_t written_format(const struct written *written, char *buf)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < written->count; i++) {
		const struct written_day *day = &written->days[i];

		len += (size_t)snprintf(buf + len, WRITTEN_TEXT_MAX - len, "%" PRId64 " %" PRId64 " %" PRId64 "\n", day->day,
					day->bytes, day->ms);
	}
	return len;
}

void written_parse(struct written *ret_written, const char *text, size_t len)
{
	char copy[WRITTEN_TEXT_MAX + 1];
	char *next = copy, *line;

	*ret_written = (struct written){ 0 };
	if (len > WRITTEN_TEXT_MAX)
		return;
	memcpy(copy, text, len);
	copy[len] = '\0';
	while ((line = strsep(&next, "\n"))) {
		struct written_day day;

		if (sscanf(line, "%" SCNd64 " %" SCNd64 " %" SCNd64, &day.day, &day.bytes, &day.ms) != 3 || day.bytes < 0 ||
		    day.ms < 0 || ret_written->count == WRITTEN_DAYS)
			continue;
		if (ret_written->count && ret_written->days[ret_written->count - 1].day >= day.day)
			continue;
		ret_written->days[ret_written->count++] = day;
	}
}
