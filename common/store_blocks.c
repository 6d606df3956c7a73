/* Rollups of 8 hours, for charts of years: made of hours, once, when all eight are closed. They begin at each 8th hour of UTC and not at midnight, for
 * midnight is the household's: a local day is two whole blocks and the eight hours of a third, whatever the zone is and whether the day has 23,
 * 24 or 25 hours, so no zone is stored and nothing is made again when it changes.
 *
 * What stands before table->blocks_ms is what the hours say; a reader takes hours from there on. A file of an older version has none at first:
 * the housekeeping makes them block by block, the oldest first. */
#include <errno.h>

#include "store_sqlite.h"

static int run_block(struct store *store, struct table *table, enum table_statement which, int64_t block_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, which, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, block_ms);
	sqlite3_bind_int64(statement, 2, block_ms + BLOCK_MS);
	sqlite3_bind_text(statement, 3, table->name, -1, SQLITE_STATIC);
	return store_run(store, statement);
}

static int make_block(struct store *store, struct table *table, int64_t block_ms)
{
	int r = run_block(store, table, TABLE_MAKE_BLOCK, block_ms);

	return r == 0 && table->info->kind == QUANTITY_KIND_BINARY ? store_make_shares(store, table, block_ms, BLOCK_MS) : r;
}

/* ---- the next one ------------------------------------------------------------------------------------------------------------------ */

/* The moment that a query tells; INT64_MAX: none. after_ms: bound where the query asks for it. */
static int next_time(struct store *store, struct table *table, enum table_statement which, int64_t from_ms, int64_t after_ms,
		     int64_t *ret_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, which, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, from_ms);
	sqlite3_bind_text(statement, 2, table->name, -1, SQLITE_STATIC);
	if (which == TABLE_NEXT_BLOCK)
		sqlite3_bind_int64(statement, 3, after_ms);
	r = sqlite3_step(statement);
	*ret_ms = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0)
										      : INT64_MAX;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

int store_close_block(struct store *store, struct table *table)
{
	int64_t last_ms, hour_ms, block_ms;
	int r;

	if (table->closed_ms == TIME_NONE)
		return 0;
	last_ms = store_floor(table->closed_ms, BLOCK_MS);
	if (table->blocks_ms >= last_ms)
		return 0;
	r = next_time(store, table, TABLE_NEXT_HOUR, table->blocks_ms, 0, &hour_ms);
	if (r == 0)
		r = store_begin(store);
	if (r < 0)
		return r;
	block_ms = hour_ms < last_ms ? store_floor(hour_ms, BLOCK_MS) : last_ms; /* blocks without a row are passed over */
	if (block_ms < last_ms) {
		r = make_block(store, table, block_ms);
		block_ms += BLOCK_MS;
	}
	if (r == 0) {
		table->blocks_ms = block_ms;
		r = store_save_rollup(store, table);
	}
	return r < 0 ? r : 1;
}

/* ---- late ones --------------------------------------------------------------------------------------------------------------------- */

static int is_awaited(struct store *store, struct table *table, int64_t block_ms)
{
	sqlite3_stmt *statement;
	int step, r = store_prepare(store, SQL_LATE_WITHIN, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, block_ms);
	sqlite3_bind_int64(statement, 3, block_ms + BLOCK_MS);
	step = sqlite3_step(statement);
	sqlite3_reset(statement);
	return step == SQLITE_ROW ? 1 : store_fail(store, step);
}

static int make_again(struct store *store, struct table *table, int64_t block_ms)
{
	int r = run_block(store, table, TABLE_CLEAR_BLOCK, block_ms);

	return r < 0 ? r : make_block(store, table, block_ms);
}

/* The state that a block of a binary quantity ends with is what the next one of its series begins with. */
static int redo_following(struct store *store, struct table *table, int64_t block_ms)
{
	int64_t next_ms = block_ms;
	int r;

	while ((r = next_time(store, table, TABLE_NEXT_BLOCK, block_ms, next_ms, &next_ms)) == 0 && next_ms < INT64_MAX) {
		r = make_again(store, table, next_ms);
		if (r < 0)
			return r;
	}
	return r;
}

int store_redo_block(struct store *store, struct table *table, int64_t span_ms)
{
	int64_t block_ms = store_floor(span_ms, BLOCK_MS);
	int r;

	if (block_ms >= table->blocks_ms)
		return 0;
	r = is_awaited(store, table, block_ms);
	if (r != 0)
		return r < 0 ? r : 0;
	r = make_again(store, table, block_ms);
	/* Where the rows are there, the span that follows is done again by itself. */
	if (r == 0 && table->info->kind == QUANTITY_KIND_BINARY && span_ms < table->raw_from_ms)
		r = redo_following(store, table, block_ms);
	return r;
}
