/* The newest rows: latest, last N, one by one; and figures about the file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store_sqlite.h"

/* ---- rows, newest first, looking only where rows are -------------------------------------------------------------------------------- */

typedef int (*row_fn)(void *context, int64_t time_ms, sqlite3_stmt *row);

struct walk {
	struct store *store;
	struct known_series *series;
	size_t left;
	row_fn fn;
	void *context;
};

/* which: TABLE_ROWS_DOWN, or TABLE_SPAN_DOWN where no row is recent. */
static int walk_span(struct walk *walk, enum table_statement which, int64_t from_ms, int64_t to_ms)
{
	struct table *table = walk->series->table;
	sqlite3_stmt *statement;
	int r = store_table_query(walk->store, table, which, &statement);
	int stop = 0;

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, from_ms);
	sqlite3_bind_int64(statement, 2, to_ms);
	sqlite3_bind_int64(statement, 3, walk->series->id);
	sqlite3_bind_int64(statement, 4, (int64_t)walk->left); /* SIZE_MAX is -1 there, or more than any house has: no limit */
	while (!stop && walk->left > 0 && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		walk->left--;
		stop = walk->fn(walk->context, sqlite3_column_int64(statement, 0), statement);
	}
	r = stop ? stop : store_fail(walk->store, r);
	store_table_done(table, which, statement);
	return r;
}

/* The next five-minute span before `before_ms` that may hold rows of the series: one that is rolled up, or one that waits to be; only the latter
 * can have rows that are recent. Nothing is held open, for the function that gets the rows may ask for others. */
static int span_before(struct walk *walk, int64_t before_ms, int64_t *ret_span_ms, enum table_statement *ret_which)
{
	struct table *table = walk->series->table;
	int64_t spans[2] = { INT64_MIN, INT64_MIN };
	sqlite3_stmt *statements[2];
	int r = store_table_statement(walk->store, table, TABLE_SPANS_DOWN, &statements[0]);

	if (r == 0)
		r = store_prepare(walk->store, SQL_LATE_BEFORE, &statements[1]);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statements[0], 1, walk->series->id);
	sqlite3_bind_text(statements[1], 1, table->name, -1, SQLITE_STATIC);
	for (int i = 0; i < 2 && r == 0; i++) {
		int step;

		sqlite3_bind_int64(statements[i], 2, before_ms);
		step = sqlite3_step(statements[i]);
		if (step == SQLITE_ROW)
			spans[i] = sqlite3_column_int64(statements[i], 0);
		r = store_fail(walk->store, step);
		sqlite3_reset(statements[i]);
	}
	*ret_which = spans[0] > spans[1] ? TABLE_SPAN_DOWN : TABLE_ROWS_DOWN;
	*ret_span_ms = spans[0] > spans[1] ? spans[0] : spans[1];
	return r;
}

static int walk_rolled(struct walk *walk, int64_t before_ms)
{
	int r = 0;

	while (r == 0 && walk->left > 0) {
		enum table_statement which;
		int64_t span_ms, end_ms;

		r = span_before(walk, before_ms, &span_ms, &which);
		end_ms = span_ms + FIVE_MIN_MS;
		if (r < 0 || span_ms == INT64_MIN || end_ms <= walk->series->table->raw_from_ms)
			break; /* further back only rollups are left */
		r = walk_span(walk, which, span_ms, end_ms < before_ms ? end_ms : before_ms);
		before_ms = span_ms;
	}
	return r;
}

/* Gives the rows of a series before `before_ms`, newest first. */
static int walk_down(struct store *store, struct known_series *series, int64_t before_ms, size_t limit, row_fn fn, void *context)
{
	struct walk walk = { store, series, limit, fn, context };
	int64_t closed_ms = series->table->closed_ms;
	int r = 0;

	if (closed_ms == TIME_NONE)
		return walk_span(&walk, TABLE_ROWS_DOWN, INT64_MIN, before_ms);
	if (before_ms > closed_ms)
		r = walk_span(&walk, TABLE_ROWS_DOWN, closed_ms, before_ms);
	if (r == 0 && walk.left > 0)
		r = walk_rolled(&walk, before_ms < closed_ms ? before_ms : closed_ms);
	return r;
}

/* ---- latest and last -------------------------------------------------------------------------------------------------------------- */

struct latest {
	struct known_series *series;
	struct reading *reading;
	bool found;
};

static int take_latest(void *context, int64_t time_ms, sqlite3_stmt *row)
{
	struct latest *latest = context;

	latest->reading->series = latest->series->name;
	latest->reading->time_ms = time_ms;
	latest->reading->seq = 0;
	store_column_value(row, 1, latest->series->table->info, &latest->reading->value);
	latest->found = true;
	return 0;
}

int store_read_latest(struct store *store, const struct series *name, struct reading *ret_reading)
{
	struct reading reading;
	struct latest latest = { .reading = &reading };
	int r = store_find_series(store, name, false, &latest.series);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = walk_down(store, latest.series, INT64_MAX, 1, take_latest, &latest);
	if (r < 0 || !latest.found)
		return r;
	*ret_reading = reading;
	return 1;
}

static int each_latest(struct store *store, int (*fn)(void *context, const struct reading *reading), void *context)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(store->db, "SELECT node, device, quantity FROM series ORDER BY node, device, quantity", -1,
				   &statement, NULL);
	int stop = 0;

	if (r != SQLITE_OK)
		return store_fail(store, r);
	while (!stop && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		struct reading reading;
		struct series name;

		store_column_text(statement, 0, name.node, sizeof(name.node));
		store_column_text(statement, 1, name.device, sizeof(name.device));
		store_column_text(statement, 2, name.quantity, sizeof(name.quantity));
		stop = store_read_latest(store, &name, &reading);
		if (stop == 1)
			stop = fn(context, &reading);
	}
	sqlite3_finalize(statement);
	return stop ? stop : store_fail(store, r);
}

int store_each_latest(struct store *store, int (*fn)(void *context, const struct reading *reading), void *context)
{
	int r;

	store_hold(store);
	r = each_latest(store, fn, context);
	store_release(store);
	return r;
}

struct last {
	struct point *points;
	size_t count;
};

static int take_point(void *context, int64_t time_ms, sqlite3_stmt *row)
{
	struct last *last = context;
	double value = sqlite3_column_double(row, 1);

	last->points[last->count++] = (struct point){ .time_ms = time_ms, .mean = value, .min = value, .max = value, .count = 1 };
	return 0;
}

int store_read_last(struct store *store, const struct series *name, int64_t before_ms, size_t n, struct point *ret_points)
{
	struct last last = { .points = ret_points };
	struct known_series *series;
	int r;

	store_hold(store);
	r = store_find_series(store, name, false, &series);
	if (r == 0)
		r = walk_down(store, series, before_ms, n, take_point, &last);
	store_release(store);
	if (r < 0)
		return r;
	for (size_t i = 0; i < last.count / 2; i++) {
		struct point point = ret_points[i];

		ret_points[i] = ret_points[last.count - 1 - i];
		ret_points[last.count - 1 - i] = point;
	}
	return (int)last.count;
}

/* ---- one by one ------------------------------------------------------------------------------------------------------------------- */

struct each {
	struct known_series *series;
	int (*fn)(void *context, const struct reading *reading);
	void *context;
	int64_t from_ms;
	bool over;
};

static int give_row(void *context, int64_t time_ms, sqlite3_stmt *row)
{
	struct each *each = context;
	struct reading reading = { .series = each->series->name, .time_ms = time_ms };

	if (time_ms < each->from_ms) {
		each->over = true;
		return 1;
	}
	store_column_value(row, 1, each->series->table->info, &reading.value);
	return each->fn(each->context, &reading);
}

int store_each_reading(struct store *store, const struct series *name, const struct store_scan *scan,
		       int (*fn)(void *context, const struct reading *reading), void *context)
{
	struct each each = { .fn = fn, .context = context, .from_ms = scan->from_ms };
	sqlite3_stmt *statement;
	int stop = 0, r = store_find_series(store, name, false, &each.series);

	if (r < 0)
		return r;
	if (scan->newest_first) {
		r = walk_down(store, each.series, scan->to_ms, scan->limit ? scan->limit : SIZE_MAX, give_row, &each);
		return each.over ? 0 : r;
	}
	r = store_table_query(store, each.series->table, TABLE_ROWS, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, scan->from_ms);
	sqlite3_bind_int64(statement, 2, scan->to_ms);
	sqlite3_bind_int64(statement, 3, each.series->id);
	sqlite3_bind_int64(statement, 4, scan->limit ? (int64_t)scan->limit : -1);
	while (!stop && (r = sqlite3_step(statement)) == SQLITE_ROW)
		stop = give_row(&each, sqlite3_column_int64(statement, 0), statement);
	r = stop ? stop : store_fail(store, r);
	store_table_done(each.series->table, TABLE_ROWS, statement);
	return r;
}

/* ---- figures ---------------------------------------------------------------------------------------------------------------------- */

static int64_t size_of(const char *path, const char *suffix)
{
	struct stat st;
	char *name;
	int64_t size = 0;

	if (asprintf(&name, "%s%s", path, suffix) < 0)
		return 0;
	if (stat(name, &st) == 0)
		size = st.st_size;
	free(name);
	return size;
}

int store_read_stats(struct store *store, struct store_stats *ret_stats)
{
	sqlite3_stmt *statement = NULL;
	int version = 0, failed = store_read_version(store, &version), r;

	if (failed < 0)
		return failed;
	r = sqlite3_prepare_v2(store->db,
			       "SELECT (SELECT count(*) FROM series), (SELECT count(*) FROM node),"
			       " (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rejected')",
			       -1, &statement, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		*ret_stats = (struct store_stats){
			.file_bytes = size_of(store->path, ""),
			.wal_bytes = size_of(store->path, "-wal"),
			.series = sqlite3_column_int64(statement, 0),
			.nodes = sqlite3_column_int64(statement, 1),
			.schema_version = version,
			.rejected_total = sqlite3_column_int64(statement, 2),
		};
	sqlite3_finalize(statement);
	return store_fail(store, r);
}

int64_t store_revision(struct store *store)
{
	sqlite3_stmt *statement;
	int64_t revision = 0;
	int code, r = store_prepare(store, SQL_DATA_VERSION, &statement);

	if (r < 0)
		return r;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		revision = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	r = store_fail(store, code);
	return r < 0 ? r : revision;
}
