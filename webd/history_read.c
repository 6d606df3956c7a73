#include "history_read.h"

#include <errno.h>
#include <stdlib.h>

enum { LOOKED_AT_MAX = 50000 }; /* readings looked through for the last changes of a switch */

/* ---- the last changes of a binary series ------------------------------------------------------------------------------------- */

struct changes {
	struct point *list; /* newest first */
	size_t count, max;
};

/* Going back in time, the earliest reading of a run of equal ones is the change. */
static int take_back(void *context, const struct reading *reading)
{
	struct changes *changes = context;
	struct point *newer = changes->count ? &changes->list[changes->count - 1] : NULL;
	double value = reading->value.number;

	if (newer && !(newer->mean < value) && !(newer->mean > value)) {
		newer->time_ms = reading->time_ms;
		return 0;
	}
	if (changes->count == changes->max)
		return 1;
	changes->list[changes->count++] =
		(struct point){ .time_ms = reading->time_ms, .mean = value, .min = value, .max = value, .count = 1 };
	return 0;
}

static void reverse(struct point *list, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct point point = list[i];

		list[i] = list[count - 1 - i];
		list[count - 1 - i] = point;
	}
}

static int read_changes(struct store *store, const struct series *series, size_t n, struct point *list)
{
	const struct store_scan scan = { INT64_MIN, INT64_MAX, LOOKED_AT_MAX, true };
	struct changes changes = { .list = list, .max = n };
	int r = store_each_reading(store, series, &scan, take_back, &changes);

	if (r < 0)
		return r;
	reverse(list, changes.count);
	return (int)changes.count;
}

/* ---- points ------------------------------------------------------------------------------------------------------------------ */

static int read_last(struct store *store, const struct series *series, size_t n, int64_t interval_ms, struct point *list)
{
	int count = store_read_last(store, series, INT64_MAX, n, list);

	return count < 0 ? count : store_mark_gaps(store, series, interval_ms, list, (size_t)count);
}

static int read_into(struct store *store, const struct history_query *query, const struct series *series,
		     const struct history_hint *hint, struct history_points *points)
{
	bool binary = quantity_info_of(series->quantity)->kind == QUANTITY_KIND_BINARY;
	const struct store_span span = {
		.from_ms = query->from_ms,
		.to_ms = query->to_ms,
		.max = query->points,
		.interval_ms = hint->interval_ms,
		.bucket_ms = binary ? 0 : hint->resolution_ms,
	};

	if (!query->last)
		return store_read_span(store, series, &span, points->list, &points->resolution_ms);
	if (binary)
		return read_changes(store, series, query->last, points->list);
	return read_last(store, series, query->last, hint->interval_ms, points->list);
}

int history_read_resolution(struct store *store, const struct history_query *query, int64_t *ret_resolution_ms)
{
	const struct store_span span = { .from_ms = query->from_ms, .to_ms = query->to_ms, .max = query->points };

	*ret_resolution_ms = 0;
	if (query->last || query->count < 2)
		return 0;
	return store_choose_bucket(store, query->series, query->count, &span, ret_resolution_ms);
}

int history_read_points_with(struct store *store, const struct history_query *query, const struct series *series,
			     const struct history_hint *hint, struct history_points *ret_points)
{
	static const struct history_hint none = { 0 };
	size_t most = query->last ? query->last : query->points;
	struct history_points points = { .list = malloc((most + most / 2 + 2) * sizeof(*points.list)) };
	int r = points.list ? read_into(store, query, series, hint ? hint : &none, &points) : -ENOMEM;

	if (r < 0) {
		free(points.list);
		return r;
	}
	points.count = (size_t)r;
	*ret_points = points;
	return 0;
}

int history_read_points(struct store *store, const struct history_query *query, const struct series *series,
			struct history_points *ret_points)
{
	return history_read_points_with(store, query, series, NULL, ret_points);
}

/* ---- texts ------------------------------------------------------------------------------------------------------------------- */

static int take_time(void *context, const struct reading *reading)
{
	*(int64_t *)context = reading->time_ms;
	return 0;
}

/* Looks first how far back the newest n reach, so that texts need not be kept to turn their order. */
int history_read_texts(struct store *store, const struct history_query *query, const struct series *series,
		       int (*fn)(void *context, const struct reading *reading), void *context)
{
	struct store_scan scan = {
		.from_ms = query->last ? INT64_MIN : query->from_ms,
		.to_ms = query->last ? INT64_MAX : query->to_ms,
		.limit = query->last ? query->last : query->points,
		.newest_first = true,
	};
	int64_t oldest_ms = INT64_MAX;
	int r = store_each_reading(store, series, &scan, take_time, &oldest_ms);

	if (r < 0 || oldest_ms == INT64_MAX)
		return r;
	scan.from_ms = oldest_ms;
	scan.newest_first = false;
	return store_each_reading(store, series, &scan, fn, context);
}
