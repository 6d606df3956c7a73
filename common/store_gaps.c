/* Holes in a series: where they begin, and why there is nothing. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "store_sqlite.h"

enum { SAMPLES = 255 }; /* of distances, for the usual one */

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The usual distance between neighbours: their median. */
static int64_t usual_distance(const struct point *points, size_t count)
{
	int64_t distances[SAMPLES];
	size_t samples = 0, step = count / SAMPLES + 1;

	for (size_t i = 1; i < count && samples < SAMPLES; i += step)
		distances[samples++] = points[i].time_ms - points[i - 1].time_ms;
	if (samples == 0)
		return 0;
	qsort(distances, samples, sizeof(*distances), by_size);
	return distances[samples / 2];
}

static bool is_hole(const struct point *left, const struct point *right, int64_t step_ms)
{
	return (right->time_ms - left->time_ms) * 2 > step_ms * 5;
}

/* Whether the node said offline (or its last will did) in a hole, or before it and not since. */
static int was_away(struct store *store, const char *node, int64_t from_ms, int64_t to_ms, bool *ret_away)
{
	sqlite3_stmt *statement;
	int step, r = store_prepare(store, SQL_STATUS_AT, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, node, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, from_ms);
	step = sqlite3_step(statement);
	*ret_away = step == SQLITE_ROW && sqlite3_column_int(statement, 0) == 0;
	sqlite3_reset(statement);
	r = store_fail(store, step);
	if (r < 0 || *ret_away)
		return r;
	r = store_prepare(store, SQL_WENT_AWAY, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, node, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, from_ms);
	sqlite3_bind_int64(statement, 3, to_ms);
	step = sqlite3_step(statement);
	*ret_away = step == SQLITE_ROW;
	sqlite3_reset(statement);
	return store_fail(store, step);
}

int store_add_gaps(struct store *store, const struct known_series *series, int64_t interval_ms, int64_t bucket_ms,
		   struct point *points, size_t count, size_t most)
{
	int64_t step_ms = interval_ms ? interval_ms : usual_distance(points, count);
	size_t gaps = 0, left, added;

	if (step_ms < bucket_ms)
		step_ms = bucket_ms;
	if (step_ms == 0 || count < 2)
		return 0;
	for (size_t i = 1; i < count && gaps < most; i++)
		gaps += is_hole(&points[i - 1], &points[i], step_ms);
	added = left = gaps;
	for (size_t i = count + gaps - 1; left > 0 && i > 0; i--) { /* from the end, each point moves once */
		struct point before = points[i - left - 1];
		int64_t end_ms = points[i - left].time_ms;
		bool away = false;
		int r;

		points[i] = points[i - left];
		if (!is_hole(&before, &points[i], step_ms))
			continue;
		r = was_away(store, series->name.node, before.time_ms, end_ms, &away);
		if (r < 0)
			return r;
		left--;
		points[--i] =
			(struct point){ before.time_ms + step_ms, NAN, NAN, NAN, 0, away ? POINT_GAP_OFFLINE : POINT_GAP_SILENT };
	}
	return (int)added;
}

int store_mark_gaps(struct store *store, const struct series *name, int64_t interval_ms, struct point *points, size_t count)
{
	struct known_series *series;
	int r;

	store_hold(store);
	r = store_find_series(store, name, false, &series);
	if (r == 0)
		r = store_add_gaps(store, series, interval_ms, 0, points, count, count / 2 + 2);
	store_release(store);
	return r < 0 ? r : (int)count + r;
}
