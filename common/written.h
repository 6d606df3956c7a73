/* How many bytes a daemon has the kernel write to disk, day by day: what wears out an SD card. Kept as a small text in the store
 * (store_save_state), so that the one who shows it need not be the one who counts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WRITTEN_STATE "written"

enum { WRITTEN_DAYS = 32, WRITTEN_TEXT_MAX = WRITTEN_DAYS * 64 };

struct written_day {
	int64_t day;       /* since 1970, UTC */
	int64_t bytes, ms; /* written, and how long was counted */
};

struct written {
	struct written_day days[WRITTEN_DAYS]; /* newest last */
	size_t count;
};

/* Adds what was written in the `ms` before now. The oldest day goes when there are too many. */
void written_add(struct written *written, int64_t now_ms, int64_t bytes, int64_t ms);

/* Bytes a day, from the newest 7 days in which anything was counted; -1 when that is less than an hour in all. */
int64_t written_a_day(const struct written *written);

/* One line a day: "DAY BYTES MS". buf: WRITTEN_TEXT_MAX bytes. Returns the length. */
size_t written_format(const struct written *written, char *buf);
/* Lines that are none are passed over: a damaged text is an empty one. */
void written_parse(struct written *ret_written, const char *text, size_t len);
