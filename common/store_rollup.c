/* Housekeeping: rollups of spans that are over, late ones again, old rows away. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "store_sqlite.h"

enum {
	GRACE_MS = 30000,       /* readings that come in their time have come by then (commit_interval and the way here) */
	SLICE_MS = FIVE_MIN_MS, /* of old rows deleted at once */
	SLICE_FIVE_MIN_MS = 6 * HOUR_MS,
	FREE_PAGES = 1024, /* kept for rows to come: giving pages back and taking them again are writes */
	FREE_SHARE = 16,   /* likewise, of all pages */
	VACUUM_PAGES = 64, /* given back at once */
	TAIL_ROWS =
		5000, /* of a quantity, that need not wait for the end of their hour: each question for the newest looks through them */
};

static int64_t floor_to(int64_t time_ms, int64_t step_ms)
{
	return time_ms - ((time_ms % step_ms) + step_ms) % step_ms;
}

static int make_five_min(struct store *store, struct table *table, int64_t span_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_CLEAR_FIVE_MIN, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, span_ms);
	sqlite3_bind_text(statement, 2, table->name, -1, SQLITE_STATIC);
	r = store_run(store, statement);
	if (r == 0)
		r = store_table_statement(store, table, TABLE_MAKE_FIVE_MIN, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, span_ms);
	sqlite3_bind_int64(statement, 2, span_ms + FIVE_MIN_MS);
	sqlite3_bind_int(statement, 3, table->info->kind != QUANTITY_KIND_TEXT);
	return store_run(store, statement);
}

static int run_hour(struct store *store, struct table *table, enum table_statement which, int64_t hour_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, which, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, hour_ms);
	sqlite3_bind_int64(statement, 2, hour_ms + HOUR_MS);
	sqlite3_bind_text(statement, 3, table->name, -1, SQLITE_STATIC);
	return store_run(store, statement);
}

/* The hour grows with each of its spans: it is right whenever one looks. */
static int roll_up(struct store *store, struct table *table, int64_t span_ms)
{
	bool binary = table->info->kind == QUANTITY_KIND_BINARY;
	int64_t hour_ms = floor_to(span_ms, HOUR_MS);
	int r = make_five_min(store, table, span_ms);

	if (r == 0 && binary)
		r = store_make_shares(store, table, span_ms, FIVE_MIN_MS);
	if (r == 0)
		r = run_hour(store, table, TABLE_MAKE_HOUR, hour_ms);
	if (r == 0 && binary)
		r = store_make_shares(store, table, hour_ms, HOUR_MS);
	return r;
}

/* ---- what is due ------------------------------------------------------------------------------------------------------------------ */

static int next_time(struct store *store, struct table *table, int64_t from_ms, int64_t *ret_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_NEXT_TIME, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, from_ms);
	r = sqlite3_step(statement);
	*ret_ms = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0)
										      : INT64_MAX;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

static int set_closed(struct store *store, struct table *table, int64_t closed_ms)
{
	table->closed_ms = closed_ms;
	table->late_ms = TIME_NONE;
	return store_save_rollup(store, table);
}

static int has_long_tail(struct store *store, struct table *table, bool *ret_long)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_COUNT_ROWS, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, table->closed_ms);
	sqlite3_bind_int64(statement, 2, INT64_MAX);
	sqlite3_bind_int64(statement, 3, TAIL_ROWS);
	r = sqlite3_step(statement);
	*ret_long = r == SQLITE_ROW && sqlite3_column_int64(statement, 0) == TAIL_ROWS;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

/* Up to where spans are closed. All of an hour are closed together: a page that each series has of its own is then written once an hour and
 * not twelve times. */
static int closing_time(struct store *store, struct table *table, int64_t now_ms, int64_t *ret_ms)
{
	bool is_long;
	int r;

	*ret_ms = floor_to(now_ms - GRACE_MS, HOUR_MS);
	if (table->closed_ms < *ret_ms || table->closed_ms + FIVE_MIN_MS > now_ms - GRACE_MS)
		return 0;
	r = has_long_tail(store, table, &is_long);
	if (r == 0 && is_long)
		*ret_ms = floor_to(now_ms - GRACE_MS, FIVE_MIN_MS);
	return r;
}

/* Closes the next span that is over. 1 done one, 0 none is over. */
static int close_next(struct store *store, struct table *table, int64_t now_ms)
{
	int64_t span_ms = table->closed_ms, last_ms, time_ms;
	int r;

	if (span_ms == TIME_NONE)
		return 0;
	r = closing_time(store, table, now_ms, &last_ms);
	if (r < 0 || span_ms + FIVE_MIN_MS > last_ms)
		return r;
	r = store_settle(store);
	if (r == 0)
		r = next_time(store, table, span_ms, &time_ms);
	if (r == 0)
		r = store_begin(store);
	if (r < 0)
		return r;
	if (time_ms >= span_ms + FIVE_MIN_MS) { /* nothing in it: on to where there is something, or to now */
		r = set_closed(store, table, time_ms < last_ms ? floor_to(time_ms, FIVE_MIN_MS) : last_ms);
		return r < 0 ? r : 1;
	}
	r = roll_up(store, table, span_ms);
	if (r == 0)
		r = set_closed(store, table, span_ms + FIVE_MIN_MS);
	return r < 0 ? r : 1;
}

static int run_span(struct store *store, struct table *table, enum table_statement which, int64_t span_ms, int64_t at_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, which, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, span_ms);
	sqlite3_bind_int64(statement, 2, span_ms + FIVE_MIN_MS);
	if (which == TABLE_MARK_NEXT)
		sqlite3_bind_text(statement, 3, table->name, -1, SQLITE_STATIC);
	if (which == TABLE_MERGE_FIVE_MIN || which == TABLE_MERGE_HOUR) {
		sqlite3_bind_int64(statement, 3, at_ms);
		sqlite3_bind_int(statement, 4, table->info->kind != QUANTITY_KIND_TEXT);
		sqlite3_bind_int(statement, 5, table->info->kind == QUANTITY_KIND_NUMBER);
	}
	return store_run(store, statement);
}

/* Its other rows are gone, so the rollups can't be made anew: the late ones are added to them, and go as well. */
static int merge_late(struct store *store, struct table *table, int64_t span_ms)
{
	int r = 0;

	if (span_ms >= table->five_min_from_ms)
		r = run_span(store, table, TABLE_MERGE_FIVE_MIN, span_ms, span_ms);
	if (r == 0)
		r = run_span(store, table, TABLE_MERGE_HOUR, span_ms, floor_to(span_ms, HOUR_MS));
	return r < 0 ? r : run_span(store, table, TABLE_DELETE_SPAN, span_ms, 0);
}

static int remake_late(struct store *store, struct table *table, int64_t span_ms)
{
	int r = 0;

	if (table->info->kind == QUANTITY_KIND_BINARY)
		r = run_span(store, table, TABLE_MARK_NEXT, span_ms, 0);
	if (r == 0) /* of a series whose last reading in it was taken out nothing stays */
		r = run_hour(store, table, TABLE_CLEAR_HOUR, floor_to(span_ms, HOUR_MS));
	return r < 0 ? r : roll_up(store, table, span_ms);
}

static int redo_late(struct store *store, struct table *table)
{
	sqlite3_stmt *statement;
	int64_t span_ms;
	int r = store_prepare(store, SQL_NEXT_LATE, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	span_ms = r == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	if (r != SQLITE_ROW)
		return store_fail(store, r);
	r = store_begin(store);
	if (r == 0)
		r = store_settle(store);
	if (r == 0)
		r = span_ms < table->raw_from_ms ? merge_late(store, table, span_ms) : remake_late(store, table, span_ms);
	if (r == 0)
		r = store_prepare(store, SQL_CLEAR_LATE, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, span_ms);
	r = store_run(store, statement);
	table->late_ms = TIME_NONE;
	if (r == 0)
		r = store_redo_block(store, table, span_ms);
	return r < 0 ? r : 1;
}

static const struct store_keep *keep_of(const struct store *store, const struct table *table)
{
	const struct store_keep *general = NULL;

	for (size_t i = 0; i < store->keep_count; i++) {
		if (strcmp(store->keeps[i].quantity, table->name) == 0)
			return &store->keeps[i];
		if (!store->keeps[i].quantity[0])
			general = &store->keeps[i];
	}
	return general;
}

/* A slice of rows older than their keep time. 1: some went. */
static int delete_old(struct store *store, struct table *table, int64_t now_ms)
{
	const struct store_keep *keep = keep_of(store, table);
	sqlite3_stmt *statement;
	int64_t limit_ms, oldest_ms;
	int r;

	if (!keep || keep->raw_ms == 0 || table->closed_ms == TIME_NONE)
		return 0;
	limit_ms = floor_to(now_ms - keep->raw_ms, HOUR_MS);
	if (limit_ms > table->closed_ms)
		limit_ms = table->closed_ms;
	r = next_time(store, table, 0, &oldest_ms);
	if (r < 0 || oldest_ms >= limit_ms)
		return r;
	if (floor_to(oldest_ms, SLICE_MS) + SLICE_MS < limit_ms) /* whole spans: one is there or gone */
		limit_ms = floor_to(oldest_ms, SLICE_MS) + SLICE_MS;
	r = store_begin(store);
	if (r == 0)
		r = store_table_statement(store, table, TABLE_DELETE_RAW, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, limit_ms);
	r = store_run(store, statement);
	if (r == 0 && limit_ms > table->raw_from_ms) {
		table->raw_from_ms = limit_ms;
		r = store_save_rollup(store, table);
	}
	return r < 0 ? r : 1;
}

static int oldest_five_min(struct store *store, struct table *table, int64_t *ret_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_OLDEST_FIVE_MIN, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	*ret_ms = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0)
										      : INT64_MAX;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

/* A slice of the five-minute rows that are too old, looked for once an hour. They stay at least as long as the raw rows that they are made of. */
static int delete_old_five_min(struct store *store, struct table *table, int64_t now_ms)
{
	const struct store_keep *keep = keep_of(store, table);
	int64_t hour_ms = floor_to(now_ms, HOUR_MS), limit_ms, oldest_ms;
	sqlite3_stmt *statement;
	int r;

	if (!keep || keep->five_min_ms == 0 || keep->raw_ms == 0 || table->looked_ms == hour_ms)
		return 0;
	limit_ms = floor_to(now_ms - (keep->five_min_ms > keep->raw_ms ? keep->five_min_ms : keep->raw_ms), HOUR_MS);
	r = oldest_five_min(store, table, &oldest_ms);
	if (r < 0 || oldest_ms >= limit_ms) {
		table->looked_ms = hour_ms;
		return r;
	}
	if (floor_to(oldest_ms, HOUR_MS) + SLICE_FIVE_MIN_MS < limit_ms)
		limit_ms = floor_to(oldest_ms, HOUR_MS) + SLICE_FIVE_MIN_MS;
	r = store_begin(store);
	if (r == 0)
		r = store_table_statement(store, table, TABLE_DELETE_FIVE_MIN, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, limit_ms);
	sqlite3_bind_text(statement, 2, table->name, -1, SQLITE_STATIC);
	r = store_run(store, statement);
	if (r == 0 && limit_ms > table->five_min_from_ms) {
		table->five_min_from_ms = limit_ms;
		r = store_save_rollup(store, table);
	}
	return r < 0 ? r : 1;
}

static int read_pragma(struct store *store, const char *text, int64_t *ret_number)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return store_fail(store, r);
}

/* Gives pages back to the file system, some at once. 1: some went. */
static int give_back(struct store *store)
{
	char text[48];
	int64_t free_pages = 0, pages = 0;
	int r = read_pragma(store, "PRAGMA freelist_count", &free_pages);

	if (r == 0)
		r = read_pragma(store, "PRAGMA page_count", &pages);
	if (r < 0 || free_pages < FREE_PAGES || free_pages < pages / FREE_SHARE)
		return r;
	r = store_begin(store);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
	r = store_fail(store, sqlite3_exec(store->db, text, NULL, NULL, NULL));
	return r < 0 ? r : 1;
}

/* Knows all tables, those of an earlier run too. */
static int find_tables(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(store->db, "SELECT quantity FROM meta_rollup", -1, &statement, NULL);

	if (r != SQLITE_OK)
		return store_fail(store, r);
	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		struct table *table;
		int found = store_find_table(store, (const char *)sqlite3_column_text(statement, 0), false, &table);

		if (found < 0 && found != -ENOENT) {
			sqlite3_finalize(statement);
			return found;
		}
	}
	sqlite3_finalize(statement);
	return store_fail(store, r);
}

/* One step of work on a table. 1: there was some. */
static int step_table(struct store *store, struct table *table, int64_t now_ms)
{
	int r = close_next(store, table, now_ms);

	if (r == 0)
		r = redo_late(store, table);
	if (r == 0)
		r = store_close_block(store, table);
	if (r == 0)
		r = delete_old(store, table, now_ms);
	if (r == 0)
		r = delete_old_five_min(store, table, now_ms);
	return r;
}

/* One step on each table, as long as there is time. Where it ends the next call begins, so that each has its turn however short the time is. */
static int step_tables(struct store *store, int64_t now_ms, int64_t end_ms)
{
	struct table *first = store->next_table ? store->next_table : store->tables, *table = first;
	bool more = false;

	if (!first)
		return 0;
	do {
		int r = step_table(store, table, now_ms);

		if (r < 0)
			return r;
		more |= r > 0;
		table = table->next ? table->next : store->tables;
		store->next_table = table;
		if (r > 0 && clock_boot_ms() >= end_ms)
			return 1;
	} while (table != first);
	return more;
}

int store_maintain(struct store *store, int64_t now_ms, int budget_ms)
{
	int64_t end_ms = clock_boot_ms() + budget_ms;
	int r = find_tables(store), more;

	do
		more = r < 0 ? r : step_tables(store, now_ms, end_ms);
	while (more > 0 && clock_boot_ms() < end_ms);
	if (more == 0)
		more = give_back(store);
	r = more < 0 ? more : store_commit(store);
	if (r < 0)
		store_rollback(store);
	return r < 0 ? r : more;
}
