/* The points of one series as a query wants them. */
#pragma once

#include "../common/store.h"
#include "history.h"

struct history_points {
	struct point *list; /* malloc'ed */
	size_t count;
	int64_t resolution_ms; /* 0: single readings */
};

/* What is known beyond the query. */
struct history_hint {
	int64_t interval_ms;   /* at which the series is read, for gaps; 0: told from its readings */
	int64_t resolution_ms; /* of the other series of the same question; 0: its own */
};

/* The resolution that all number series of a query share: 0 when the readings of each fit as they are. Returns 0 or the store's error. */
int history_read_resolution(struct store *store, const struct history_query *query, int64_t *ret_resolution_ms);

/* A number or binary series (a binary one keeps its changes where they fit). hint may be NULL. Returns 0 or the store's error; on success the
 * caller frees list. */
int history_read_points_with(struct store *store, const struct history_query *query, const struct series *series,
			     const struct history_hint *hint, struct history_points *ret_points);
/* Without a hint. */
int history_read_points(struct store *store, const struct history_query *query, const struct series *series,
			struct history_points *ret_points);

/* A text series, oldest first: fn for each reading; its non-zero return ends and comes back. */
int history_read_texts(struct store *store, const struct history_query *query, const struct series *series,
		       int (*fn)(void *context, const struct reading *reading), void *context);
