/* Of a binary quantity the mean is the share of time on, carried over spans without a row: who switches a lamp on says it once. */
#include <errno.h>

#include "store_sqlite.h"

struct share {
	int64_t id;       /* of the series; 0: none yet */
	int64_t since_ms; /* of the state */
	double state;     /* -1: unknown */
	double on_ms, known_ms;
};

/* Each level is made of the one below it, the lowest of readings. */
static const struct level {
	int64_t length_ms, part_ms;
	enum table_statement before, states, set;
} levels[] = {
	{ FIVE_MIN_MS, 0, TABLE_STATE_BEFORE, TABLE_SPAN_STATES, TABLE_SHARE_FIVE_MIN },
	{ HOUR_MS, FIVE_MIN_MS, TABLE_STATE_BEFORE, TABLE_HOUR_STATES, TABLE_SHARE_HOUR },
	{ BLOCK_MS, HOUR_MS, TABLE_HOUR_BEFORE, TABLE_BLOCK_STATES, TABLE_SHARE_BLOCK },
};

static int state_before(struct store *store, struct table *table, enum table_statement which, int64_t series, int64_t time_ms,
			double *ret_state)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, which, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, series);
	sqlite3_bind_int64(statement, 2, time_ms);
	r = sqlite3_step(statement);
	*ret_state = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_double(statement, 0) : -1;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

int store_state_before(struct store *store, struct table *table, int64_t series, int64_t time_ms, double *ret_state)
{
	return state_before(store, table, TABLE_STATE_BEFORE, series, time_ms, ret_state);
}

static void add(struct share *share, double length_ms, double part)
{
	share->known_ms += length_ms;
	share->on_ms += length_ms * part;
}

static void pass(struct share *share, int64_t to_ms)
{
	if (share->state >= 0)
		add(share, (double)(to_ms - share->since_ms), share->state);
	share->since_ms = to_ms;
}

static int finish(struct store *store, struct table *table, int64_t from_ms, const struct level *level, struct share *share)
{
	sqlite3_stmt *statement;
	int r;

	if (share->id == 0)
		return 0;
	pass(share, from_ms + level->length_ms);
	r = store_table_statement(store, table, level->set, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, share->id);
	sqlite3_bind_int64(statement, 2, from_ms);
	sqlite3_bind_double(statement, 3, share->known_ms > 0 ? share->on_ms / share->known_ms : share->state);
	return store_run(store, statement);
}

/* A row is a reading; or, when it has a share, a rollup of the level below that ended with `value`. */
static void take_row(struct share *share, int64_t part_ms, sqlite3_stmt *row)
{
	int64_t time_ms = sqlite3_column_int64(row, 1);

	pass(share, time_ms);
	if (sqlite3_column_type(row, 3) != SQLITE_NULL) {
		add(share, (double)part_ms, sqlite3_column_double(row, 3));
		share->since_ms = time_ms + part_ms;
	}
	share->state = sqlite3_column_double(row, 2) > 0;
}

int store_make_shares(struct store *store, struct table *table, int64_t from_ms, int64_t length_ms)
{
	const struct level *level = levels;
	struct share share = { 0 };
	sqlite3_stmt *rows;
	int step = SQLITE_DONE, r;

	while (level->length_ms < length_ms)
		level++;
	r = store_table_statement(store, table, level->states, &rows);
	if (r < 0)
		return r;
	sqlite3_bind_int64(rows, 1, from_ms);
	sqlite3_bind_int64(rows, 2, from_ms + length_ms);
	if (level->part_ms > 0)
		sqlite3_bind_text(rows, 3, table->name, -1, SQLITE_STATIC);
	while (r == 0 && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(rows, 0);

		if (id != share.id) {
			r = finish(store, table, from_ms, level, &share);
			share = (struct share){ .id = id, .since_ms = from_ms };
			if (r == 0)
				r = state_before(store, table, level->before, id, from_ms, &share.state);
		}
		take_row(&share, level->part_ms, rows);
	}
	if (r == 0)
		r = store_fail(store, step);
	sqlite3_reset(rows);
	return r < 0 ? r : finish(store, table, from_ms, level, &share);
}
