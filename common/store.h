/* Where readings, nodes and the log are kept for good. The engine is chosen by URL ("sqlite:///var/lib/foyer/foyer.db"); nobody outside
 * common/store*.c knows its language. One writer (the collector), any number of readers (webd).
 *
 * Errors, the same everywhere: -ENOSPC full, -EROFS read-only, -ENOENT missing, -EUCLEAN damaged, -EPROTO of a newer schema version,
 * -EBUSY locked by another writer, -EIO anything else, -ENOMEM. store_error() tells a person which and what to do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "reading.h"

struct store;

enum store_mode {
	STORE_WRITE, /* makes the file, migrates its schema, holds the only write lock */
	STORE_READ,  /* never writes; -ENOENT while the collector has not made it yet */
};

/* Opens by URL. A plain path is taken as sqlite. On failure an explanation stands in `error` (STORE_ERROR_MAX bytes).
 * Closing rolls back what was not committed; NULL is fine. */
enum { STORE_ERROR_MAX = 256 };
int store_open(const char *url, enum store_mode mode, struct store **ret_store, char *error);
void store_close(struct store *store);

/* What the last failing call met, for people, with what to do: "/var/lib/foyer/foyer.db: disk full". Never NULL. */
const char *store_error(const struct store *store);

/* Whether a URL has a form this build can open; 0 or -EINVAL with `error` saying what is allowed. Touches no file. */
int store_check_url(const char *url, char *error);

/* ---- writing (store_write.c). The first change begins a transaction; store_commit ends it, durable when it returns. ------------ */

/* Takes a reading that has its own time. Makes the quantity's table, the series' and the node's row when they are new.
 * Returns 1 stored, 0 known already (same value at that instant), -EEXIST when another value stands there (the first stays). */
int store_append(struct store *store, const struct reading *reading);

/* Takes a reading at reading->time_ms or, where the series already has that instant, as few whole milliseconds later as needed.
 * The time it got is written back. Returns 1 or an error. */
int store_append_moved(struct store *store, struct reading *reading);

/* Keeps what could not be taken, newest 1000. The payload is cut at 1 KiB. topic NUL-terminated, payload not. */
int store_reject(struct store *store, int64_t time_ms, const char *topic, const void *payload, size_t len, const char *reason);

/* A node's word on itself. A change of status is also an event. Returns 1 when something changed, 0 when it was known. */
int store_node_status(struct store *store, const char *node, bool online, int64_t time_ms);
/* info: the node's $info, valid JSON; label: its "label" or "". */
int store_node_info(struct store *store, const char *node, const char *label, const char *info, int64_t time_ms);

/* The log of commands: a command seen at the broker, and what became of it (matched by series and id; a result whose command was never
 * seen makes a row of its own; a repeated result changes nothing). */
int store_log_command(struct store *store, const struct command *command, int64_t time_ms);
int store_log_result(struct store *store, const struct command_result *result, int64_t time_ms);

/* Small named blobs that are committed with the batch (the packet ids of bare readings). NULL data deletes. */
int store_save_state(struct store *store, const char *name, const void *data, size_t len);
/* Returns the length (0 when there is none), -ENOSPC when size is too small. */
int store_load_state(struct store *store, const char *name, void *ret_data, size_t size);

/* Whether something waits for store_commit. */
bool store_dirty(const struct store *store);
/* Durable when it returns 0. On failure everything since the last commit is undone. */
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* How long rows stay; 0 is for ever. Five-minute rollups stay at least as long as the raw rows that they are made of; longer ones for ever. */
struct store_keep {
	char quantity[QUANTITY_NAME_MAX + 1]; /* "" is every quantity without its own entry */
	int64_t raw_ms, five_min_ms;
};
/* Sets the keep times used by store_maintain (copied; at most 64 entries; without a call rows stay for ever). -ENOSPC. */
int store_set_keep(struct store *store, const struct store_keep *keeps, size_t count);

/* Does the housekeeping that is due at now_ms (rollups of closed spans, redone ones, old rows, pages given back), each slice at most about
 * budget_ms long, in the writer's own transactions: call it only when !store_dirty(). Returns 1 when more is due, 0 when done. */
int store_maintain(struct store *store, int64_t now_ms, int budget_ms);

/* ---- reading (store_read.c) --------------------------------------------------------------------------------------------------- */

struct store_node {
	const char *name, *label; /* valid only inside the callback, as all strings here */
	bool online;
	int64_t status_ms, seen_ms; /* when the status changed; newest $status or $info; TIME_NONE: never */
	const char *info;           /* JSON; "" when the node never said */
};
/* Calls fn for each node in order of name; a non-zero return ends and comes back. */
int store_each_node(struct store *store, int (*fn)(void *context, const struct store_node *node), void *context);

/* The newest reading of every series (one that has none is left out), in order of node, device, quantity. */
int store_each_latest(struct store *store, int (*fn)(void *context, const struct reading *reading), void *context);

/* The newest reading of one series. Returns 1, 0 when it has none or is unknown. */
int store_read_latest(struct store *store, const struct series *series, struct reading *ret_reading);

/* Why there is nothing: the node was away at some time of the hole (its $status told so), or it was there and the sensor said nothing. */
enum point_gap { POINT_GAP_SILENT, POINT_GAP_OFFLINE };

struct point {
	int64_t time_ms;       /* of the reading; of a down-sampled point the start of its bucket */
	double mean, min, max; /* raw: all the same; binary: mean is the share of time on; a gap: mean is NAN */
	unsigned count;        /* readings in it; 0 is a gap */
	enum point_gap gap;    /* of a gap: why */
};

/* The newest `n` readings of a number or binary series before `before_ms` (INT64_MAX: all), oldest first. Returns how many;
 * -ENOENT for a series the store has never seen. */
int store_read_last(struct store *store, const struct series *series, int64_t before_ms, size_t n, struct point *ret_points);

struct store_span {
	int64_t from_ms, to_ms; /* UTC; from is included, to is not */
	size_t max;             /* points wanted at most, 2 to 10000 */
	int64_t interval_ms;    /* the series' expected interval, for gaps; 0: told from the rows */
	int64_t bucket_ms;      /* buckets at least this long, so that several series get the same; 0: the series' own choice */
};

/* Points of a span, oldest first: every raw row when they fit into `max`, otherwise buckets from the level (raw, 5 minutes, hour, 8 hours) that
 * reads no more than about ten rows per point. Buckets are 1, 2, 5, 10, 15 or 30 s or min, 1, 2, 3, 6 or 12 h, or whole days; days begin at
 * midnight of the process's own zone (TZ), so one has 23 or 25 hours when the clocks change. Binary series: raw points are changes (and the state at from_ms), buckets shares of time on.
 * A hole longer than 2.5 steps (of interval or bucket) is one gap point at its beginning.
 * ret_points         span->max + span->max / 2 + 2 places, for gap points
 * ret_resolution_ms  0 for raw, else the bucket's length
 * Returns the number of points, -ENOENT unknown series, -EINVAL span. */
int store_read_span(struct store *store, const struct series *series, const struct store_span *span, struct point *ret_points,
		    int64_t *ret_resolution_ms);

/* The length of the buckets that store_read_span would give for these spans of some series, the longest of them; 0: raw rows fit for all.
 * Given back as bucket_ms it makes their points comparable. Texts and series that are unknown don't count. Returns 0 or an error. */
int store_choose_bucket(struct store *store, const struct series *series, size_t count, const struct store_span *span,
			int64_t *ret_bucket_ms);

/* Puts gap points into readings of a number series (from store_read_last) as store_read_span does: behind `count` points are `count` / 2 + 2 free
 * places. interval_ms as above. Returns how many there are now. */
int store_mark_gaps(struct store *store, const struct series *series, int64_t interval_ms, struct point *points, size_t count);

/* Readings of any kind (texts too) one by one, oldest first, from included, to not; for exports and text histories. newest_first turns
 * the order; limit 0: no limit. fn may ask the store for others meanwhile. */
struct store_scan {
	int64_t from_ms, to_ms;
	size_t limit;
	bool newest_first;
};
int store_each_reading(struct store *store, const struct series *series, const struct store_scan *scan,
		       int (*fn)(void *context, const struct reading *reading), void *context);

enum store_event_kind { STORE_EVENT_COMMAND, STORE_EVENT_NODE, STORE_EVENT_BADGE };

struct store_event {
	enum store_event_kind kind;
	int64_t time_ms;
	int64_t id;                  /* with kind and time: its place; ties of one time are ordered by it */
	struct series series;        /* NODE: only node */
	struct value value;          /* COMMAND: the wish; BADGE: what was read; NODE: 1 online, 0 offline */
	const char *by, *command_id; /* COMMAND */
	enum { STORE_RESULT_NONE, STORE_RESULT_OK, STORE_RESULT_REFUSED } result;
	bool has_result_value;
	struct value result_value;
	const char *error;
	int64_t latency_ms; /* from command to result; -1 unknown */
};
struct store_event_query {
	int64_t before_ms;         /* only older ones; INT64_MAX: from the newest */
	const char *node, *device; /* NULL: all */
	unsigned kinds;            /* bits 1 << enum store_event_kind; 0: all */
	size_t limit;
};
/* Newest first. */
int store_each_event(struct store *store, const struct store_event_query *query,
		     int (*fn)(void *context, const struct store_event *event), void *context);

struct store_rejected {
	int64_t time_ms;
	const char *topic, *payload, *reason; /* payload: NUL-terminated, control characters kept */
};
/* Newest first. */
int store_each_rejected(struct store *store, size_t limit, int (*fn)(void *context, const struct store_rejected *row),
			void *context);

/* A number that changes with each commit of the writer, for readers that keep what they read. Negative: an error. */
int64_t store_revision(struct store *store);

struct store_stats {
	int64_t file_bytes, wal_bytes;
	int64_t series, nodes;
	int64_t schema_version;
	int64_t rejected_total; /* ever, not only those kept */
};
int store_read_stats(struct store *store, struct store_stats *ret_stats);
