/* The node's small file of readings that wait for their receipt: what did not fit into memory, or waits for long. A second, small kind of store:
 * one process, one connection, few transactions. Readings lie in the order of their serial numbers, which is the order in which they were made.
 *
 * A reading's time is UTC, or, where the wall clock was not believed yet, on the boot clock of a named boot; store_outbox_mend tells where that
 * boot lies in time, and from then on its readings are given in UTC.
 *
 * Errors: -ENOSPC full, -EROFS read-only or not allowed, -ENOENT its folder is missing, -EUCLEAN damaged (or no such file at all), -EPROTO of a
 * newer version, -EBUSY in use by another program, -ENOMEM, -EIO anything else. What was changed since the last commit is then undone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "reading.h"

struct store_outbox;

/* Opens the file, or makes it. On failure `error` (STORE_OUTBOX_ERROR_MAX bytes) says why, for people. */
enum { STORE_OUTBOX_ERROR_MAX = 256 };
int store_outbox_open(const char *path, struct store_outbox **ret_outbox, char *error);
/* What is not committed is undone. NULL is fine. */
void store_outbox_close(struct store_outbox *outbox);
/* Closes it and deletes the file: nothing is left in it. */
void store_outbox_remove(struct store_outbox *outbox);
/* Renames a file that can't be used, and what belongs to it, to PATH.damaged-1 (or the first number that is free).
 * ret_path   where it is now; size bytes. Returns 0 or a negative errno. */
int store_outbox_set_aside(const char *path, char *ret_path, size_t size);

/* What the last failing call met. */
const char *store_outbox_error(const struct store_outbox *outbox);

/* ---- changes: the first begins a transaction, store_outbox_commit ends it ------------------------------------------------------- */

/* Keeps a reading. Its node's name is not kept: it is that of whoever reads the file.
 * boot   the boot on whose clock reading->time_ms is; NULL: it is UTC */
int store_outbox_add(struct store_outbox *outbox, const struct reading *reading, const char *boot);
/* Notes the moment at which what was added until now is kept (UTC), for store_outbox_expire. */
int store_outbox_mark(struct store_outbox *outbox, int64_t now_ms);
/* Forgets the readings first to last, both included. */
int store_outbox_forget(struct store_outbox *outbox, int64_t first, int64_t last);
/* Gives up the oldest until at most `bytes` are in use. */
int store_outbox_shrink(struct store_outbox *outbox, int64_t bytes, int64_t *ret_given_up);
/* Gives up what was marked before a moment. */
int store_outbox_expire(struct store_outbox *outbox, int64_t before_ms, int64_t *ret_given_up);
/* The wall clock is believed: the boot `boot` began at begin_ms. Other boots of which it was never known are put before it, as late as can be:
 * each ended when the next began.
 * ret_estimated   readings whose time is such an estimate from now on */
int store_outbox_mend(struct store_outbox *outbox, const char *boot, int64_t begin_ms, int64_t *ret_estimated);
/* Durable when it returns 0. Nothing to do without a change. */
int store_outbox_commit(struct store_outbox *outbox);

/* ---- reading ---------------------------------------------------------------------------------------------------------------------- */

/* Calls fn for at most `limit` readings after the number `after`, the oldest first; series.node is empty. Ends before the first whose time is not
 * known. A negative return of fn ends and comes back. Returns how many, or an error. */
int store_outbox_read(struct store_outbox *outbox, int64_t after, size_t limit,
		      int (*fn)(void *context, const struct reading *reading), void *context);
/* How many readings are kept. */
int64_t store_outbox_count(const struct store_outbox *outbox);
/* The number of the oldest; 0: none. ret_time_ms: its time, TIME_NONE when it is not known. May be NULL. */
int64_t store_outbox_oldest(struct store_outbox *outbox, int64_t *ret_time_ms);
/* The number of the newest; 0: none. */
int64_t store_outbox_newest(struct store_outbox *outbox);
