/* The points of one series as a query wants them. */
#pragma once

#include "../common/store.h"
#include "history.h"

struct history_points {
	struct point *list; /* malloc'ed */
	size_t count;
	int64_t resolution_ms; /* 0: single readings */
};

/* A number or binary series. Returns 0 or the store's error; on success the caller frees list. */
int history_read_points(struct store *store, const struct history_query *query, const struct series *series,
			struct history_points *ret_points);

/* A text series, oldest first: fn for each reading; its non-zero return ends and comes back. */
int history_read_texts(struct store *store, const struct history_query *query, const struct series *series,
		       int (*fn)(void *context, const struct reading *reading), void *context);
