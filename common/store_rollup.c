/* Housekeeping: rollups of spans that are over, late ones again, old rows away. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "store_sqlite.h"

enum {
	GRACE_MS = 30000,	/* readings that come in their time have come by then (commit_interval and the way here) */
	SLICE_MS = HOUR_MS,	/* of old rows deleted at once */
};

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

static int make_hour(struct store *store, struct table *table, int64_t hour_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_MAKE_HOUR, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, hour_ms);
	sqlite3_bind_int64(statement, 2, hour_ms + HOUR_MS);
	sqlite3_bind_text(statement, 3, table->name, -1, SQLITE_STATIC);
	return store_run(store, statement);
}

/* ---- binary quantities: the share of time on ------------------------------------------------------------------------------------- */

struct share {
	int64_t id;		/* of the series */
	int64_t since_ms;	/* of the state */
	double state;
	double on_ms, known_ms;
};

/* The state that a series brings into a span: what the rollup before it ended with. -1: unknown. */
static int state_before(struct store *store, struct table *table, int64_t series, int64_t span_ms, double *ret_state)
{
	sqlite3_stmt *statement = NULL;
	char *text = sqlite3_mprintf("SELECT last FROM \"%w_5min\" WHERE series = ?1 AND time < ?2 ORDER BY time DESC LIMIT 1",
				     table->name);
	int r = text ? sqlite3_prepare_v2(store->db, text, -1, &statement, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	if (r == SQLITE_OK) {
		sqlite3_bind_int64(statement, 1, series);
		sqlite3_bind_int64(statement, 2, span_ms);
		r = sqlite3_step(statement);
	}
	*ret_state = r == SQLITE_ROW ? sqlite3_column_double(statement, 0) : -1;
	sqlite3_finalize(statement);
	return store_fail(store, r);
}

static void pass(struct share *share, int64_t to_ms)
{
	if (share->state >= 0) {
		share->known_ms += (double)(to_ms - share->since_ms);
		share->on_ms += share->state > 0 ? (double)(to_ms - share->since_ms) : 0;
	}
	share->since_ms = to_ms;
}

static int write_share(struct store *store, struct table *table, int64_t span_ms, const struct share *share)
{
	sqlite3_stmt *statement = NULL;
	char *text = sqlite3_mprintf("UPDATE \"%w_5min\" SET mean = ?3 WHERE series = ?1 AND time = ?2", table->name);
	int r = text ? sqlite3_prepare_v2(store->db, text, -1, &statement, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	if (r == SQLITE_OK) {
		sqlite3_bind_int64(statement, 1, share->id);
		sqlite3_bind_int64(statement, 2, span_ms);
		sqlite3_bind_double(statement, 3, share->known_ms > 0 ? share->on_ms / share->known_ms : share->state);
		r = sqlite3_step(statement);
	}
	sqlite3_finalize(statement);
	return store_fail(store, r);
}

static int finish_share(struct store *store, struct table *table, int64_t span_ms, struct share *share)
{
	if (share->id == 0)
		return 0;
	pass(share, span_ms + FIVE_MIN_MS);
	return write_share(store, table, span_ms, share);
}

static int make_shares(struct store *store, struct table *table, int64_t span_ms)
{
	sqlite3_stmt *statement = NULL;
	struct share share = { 0 };
	char *text = sqlite3_mprintf("SELECT series, time, value FROM \"%w\" WHERE time >= ?1 AND time < ?2 ORDER BY series, time",
				     table->name);
	int r = text ? sqlite3_prepare_v2(store->db, text, -1, &statement, NULL) : SQLITE_NOMEM;
	int failed = store_fail(store, r);

	sqlite3_free(text);
	if (failed < 0)
		return failed;
	sqlite3_bind_int64(statement, 1, span_ms);
	sqlite3_bind_int64(statement, 2, span_ms + FIVE_MIN_MS);
	while (failed == 0 && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(statement, 0);

		if (id != share.id) {
			failed = finish_share(store, table, span_ms, &share);
			share = (struct share){ .id = id, .since_ms = span_ms };
			if (failed == 0)
				failed = state_before(store, table, id, span_ms, &share.state);
		}
		pass(&share, sqlite3_column_int64(statement, 1));
		share.state = sqlite3_column_double(statement, 2) > 0;
	}
	sqlite3_finalize(statement);
	if (failed == 0)
		failed = store_fail(store, r);
	return failed < 0 ? failed : finish_share(store, table, span_ms, &share);
}

static int roll_up(struct store *store, struct table *table, int64_t span_ms)
{
	int r = make_five_min(store, table, span_ms);

	if (r == 0 && table->info->kind == QUANTITY_KIND_BINARY)
		r = make_shares(store, table, span_ms);
	return r;
}

/* ---- what is due ------------------------------------------------------------------------------------------------------------------ */

static int64_t floor_to(int64_t time_ms, int64_t step_ms)
{
	return time_ms - ((time_ms % step_ms) + step_ms) % step_ms;
}

static int next_time(struct store *store, struct table *table, int64_t from_ms, int64_t *ret_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_NEXT_TIME, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, from_ms);
	r = sqlite3_step(statement);
	*ret_ms = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0) :
											 INT64_MAX;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

static int set_closed(struct store *store, struct table *table, int64_t closed_ms)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_SET_CLOSED, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, closed_ms);
	r = store_run(store, statement);
	if (r == 0) {
		table->closed_ms = closed_ms;
		table->late_ms = TIME_NONE;
		store->changed_names = true;
	}
	return r;
}

/* Closes the next span that is over. 1 done one, 0 none is over. */
static int close_next(struct store *store, struct table *table, int64_t now_ms)
{
	int64_t span_ms = table->closed_ms, time_ms;
	int r;

	if (span_ms == TIME_NONE || span_ms + FIVE_MIN_MS + GRACE_MS > now_ms)
		return 0;
	r = next_time(store, table, span_ms, &time_ms);
	if (r < 0)
		return r;
	if (time_ms >= span_ms + FIVE_MIN_MS) {	/* nothing in it: on to where there is something, or to now */
		int64_t last_ms = floor_to(now_ms - GRACE_MS, FIVE_MIN_MS);
		int64_t next_ms = time_ms < last_ms ? floor_to(time_ms, FIVE_MIN_MS) : last_ms;

		r = store_begin(store);
		return r < 0 ? r : (r = set_closed(store, table, next_ms)) < 0 ? r : 1;
	}
	r = store_begin(store);
	if (r == 0)
		r = roll_up(store, table, span_ms);
	if (r == 0)	/* the hour grows with each of its spans: it is right whenever one looks */
		r = make_hour(store, table, floor_to(span_ms, HOUR_MS));
	if (r == 0)
		r = set_closed(store, table, span_ms + FIVE_MIN_MS);
	return r < 0 ? r : 1;
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
		r = roll_up(store, table, span_ms);
	if (r == 0)
		r = make_hour(store, table, floor_to(span_ms, HOUR_MS));
	if (r == 0)
		r = store_prepare(store, SQL_CLEAR_LATE, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, span_ms);
	r = store_run(store, statement);
	table->late_ms = TIME_NONE;
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
	int r = 0, gone = 0;

	if (!keep || table->closed_ms == TIME_NONE)
		return 0;
	limit_ms = floor_to(now_ms - keep->raw_ms, HOUR_MS);
	if (limit_ms > table->closed_ms)
		limit_ms = table->closed_ms;
	if (keep->raw_ms > 0) {
		r = next_time(store, table, 0, &oldest_ms);
		if (r == 0 && oldest_ms < limit_ms) {
			r = store_begin(store);
			if (r == 0)
				r = store_table_statement(store, table, TABLE_DELETE_RAW, &statement);
			if (r < 0)
				return r;
			sqlite3_bind_int64(statement, 1, oldest_ms + SLICE_MS < limit_ms ? oldest_ms + SLICE_MS : limit_ms);
			r = store_run(store, statement);
			gone = 1;
		}
	}
	return r < 0 ? r : gone;
}

static int delete_old_five_min(struct store *store, struct table *table, int64_t now_ms)
{
	const struct store_keep *keep = keep_of(store, table);
	sqlite3_stmt *statement;
	int r;

	if (!keep || keep->five_min_ms == 0)
		return 0;
	r = store_begin(store);
	if (r == 0)
		r = store_table_statement(store, table, TABLE_DELETE_FIVE_MIN, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, floor_to(now_ms - keep->five_min_ms, HOUR_MS));
	sqlite3_bind_text(statement, 2, table->name, -1, SQLITE_STATIC);
	return store_run(store, statement);
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
	int64_t closed_ms = table->closed_ms;
	int r = close_next(store, table, now_ms);

	if (r == 1 && floor_to(closed_ms, HOUR_MS) != floor_to(table->closed_ms, HOUR_MS)) {
		int deleted = delete_old_five_min(store, table, now_ms);

		if (deleted < 0)
			return deleted;
	}
	if (r == 0)
		r = redo_late(store, table);
	if (r == 0)
		r = delete_old(store, table, now_ms);
	return r;
}

int store_maintain(struct store *store, int64_t now_ms, int budget_ms)
{
	int64_t end_ms = clock_boot_ms() + budget_ms;
	bool more = true;
	int r = find_tables(store);

	while (r == 0 && more && clock_boot_ms() < end_ms) {
		more = false;
		for (struct table *table = store->tables; r >= 0 && table; table = table->next) {
			r = step_table(store, table, now_ms);
			more |= r > 0;
			if (clock_boot_ms() >= end_ms && r >= 0) {
				more |= table->next != NULL;
				break;
			}
		}
		r = r > 0 ? 0 : r;
	}
	if (r == 0 && store->open_transaction)
		r = store_fail(store, sqlite3_exec(store->db, "PRAGMA incremental_vacuum(64)", NULL, NULL, NULL));
	if (r == 0)
		r = store_commit(store);
	if (r < 0)
		store_rollback(store);
	return r < 0 ? r : more;
}
