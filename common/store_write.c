/* Readings to rows, what could not be taken, and small blobs. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_sqlite.h"

enum { PAYLOAD_KEPT = 1024 };

int store_bind_value(sqlite3_stmt *statement, int index, const struct value *value)
{
	if (value->kind == VALUE_TEXT)
		return sqlite3_bind_text(statement, index, value->text, -1, SQLITE_STATIC);
	/* Whole numbers take a byte or two instead of eight. */
	if (fabs(value->number) < 9007199254740992.0 && !(trunc(value->number) < value->number) &&
	    !(trunc(value->number) > value->number))
		return sqlite3_bind_int64(statement, index, (int64_t)value->number);
	return sqlite3_bind_double(statement, index, value->number);
}

int store_bind_number(sqlite3_stmt *statement, int index, double number, int scale)
{
	double whole = nearbyint(number * scale);

	if (fabs(whole) < 9007199254740992.0 && !(whole / scale < number) && !(whole / scale > number))
		return sqlite3_bind_int64(statement, index, (int64_t)whole);
	return sqlite3_bind_double(statement, index, number);
}

void store_column_text(sqlite3_stmt *statement, int index, char *buf, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, index);

	buf[0] = '\0';
	if (text)
		strncat(buf, text, size - 1);
}

void store_column_value(sqlite3_stmt *statement, int index, const struct quantity_info *info, struct value *ret_value)
{
	if (info->kind == QUANTITY_KIND_TEXT || sqlite3_column_type(statement, index) == SQLITE_TEXT) {
		ret_value->kind = VALUE_TEXT;
		ret_value->number = 0;
		store_column_text(statement, index, ret_value->text, sizeof(ret_value->text));
		return;
	}
	*ret_value = value_of_number(sqlite3_column_double(statement, index));
}

static int64_t span_of(int64_t time_ms)
{
	return time_ms - ((time_ms % FIVE_MIN_MS) + FIVE_MIN_MS) % FIVE_MIN_MS;
}

int store_save_rollup(struct store *store, struct table *table)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_SET_ROLLUP, &statement);

	store->changed_names = true; /* a rollback must forget it */
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, table->closed_ms);
	sqlite3_bind_int64(statement, 3, table->raw_from_ms);
	sqlite3_bind_int64(statement, 4, table->five_min_from_ms);
	sqlite3_bind_int(statement, 5, table->scale);
	if (table->blocks_ms == TIME_NONE)
		sqlite3_bind_null(statement, 6);
	else
		sqlite3_bind_int64(statement, 6, table->blocks_ms);
	return store_run(store, statement);
}

/* A reading before the closed spans marks its own to be done again. */
static int note_time(struct store *store, struct table *table, int64_t time_ms)
{
	int64_t span_ms = span_of(time_ms);
	sqlite3_stmt *statement;
	int r;

	if (table->closed_ms == TIME_NONE) {
		table->closed_ms = span_ms;
		return store_save_rollup(store, table);
	}
	if (time_ms >= table->closed_ms || span_ms == table->late_ms)
		return 0;
	r = store_prepare(store, SQL_MARK_LATE, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, span_ms);
	r = store_run(store, statement);
	if (r == 0) {
		table->late_ms = span_ms;
		store->changed_names = true;
	}
	return r;
}

/* What stands at an instant of a series. 1 something, 0 nothing. */
static int value_at(struct store *store, const struct known_series *series, int64_t time_ms, struct value *ret_value)
{
	const struct recent_row *row;
	sqlite3_stmt *statement;
	int r = store_find_recent(store, series, time_ms, &row);

	if (r < 0)
		return r;
	if (row) {
		*ret_value = value_of_number(row->number);
		return 1;
	}
	if (time_ms > series->newest_ms) /* as nearly always */
		return 0;
	r = store_table_statement(store, series->table, TABLE_VALUE_AT, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, time_ms);
	sqlite3_bind_int64(statement, 2, series->id);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		store_column_value(statement, 0, series->table->info, ret_value);
	sqlite3_reset(statement);
	return r == SQLITE_ROW ? 1 : store_fail(store, r);
}

/* Texts are rare: they go to their table at once. */
static int add(struct store *store, struct known_series *series, int64_t time_ms, const struct value *value)
{
	int r = value->kind == VALUE_NUMBER ? store_add_recent(store, series, time_ms, value->number)
					    : store_insert_raw(store, series, time_ms, value);

	if (r >= 0)
		r = note_time(store, series->table, time_ms);
	return r < 0 ? r : 1;
}

int store_append(struct store *store, const struct reading *reading)
{
	struct known_series *series;
	struct value there = { 0 };
	int r = store_begin(store);

	if (r == 0)
		r = store_find_series(store, &reading->series, true, &series);
	if (r == 0)
		r = value_at(store, series, reading->time_ms, &there);
	if (r > 0)
		return value_equal(&there, &reading->value) ? 0 : -EEXIST;
	return r < 0 ? r : add(store, series, reading->time_ms, &reading->value);
}

int store_append_moved(struct store *store, struct reading *reading)
{
	struct known_series *series;
	struct value there = { 0 };
	int64_t time_ms = reading->time_ms;
	int r = store_begin(store);

	if (r == 0)
		r = store_find_series(store, &reading->series, true, &series);
	if (r < 0)
		return r;
	/* Within a burst the instants up to the last one given are taken: no need to try each. */
	if (series->moved_ms != TIME_NONE && time_ms <= series->moved_ms && series->moved_ms - time_ms < HOUR_MS)
		time_ms = series->moved_ms + 1;
	while ((r = value_at(store, series, time_ms, &there)) > 0)
		time_ms++;
	if (r == 0)
		r = add(store, series, time_ms, &reading->value);
	if (r < 0)
		return r;
	series->moved_ms = time_ms;
	reading->time_ms = time_ms;
	return 1;
}

int store_reject(struct store *store, int64_t time_ms, const char *topic, const void *payload, size_t len, const char *reason)
{
	sqlite3_stmt *statement;
	int r = store_begin(store);

	if (r == 0)
		r = store_prepare(store, SQL_REJECT, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, time_ms);
	sqlite3_bind_text(statement, 2, topic, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, payload ? payload : "", (int)(len > PAYLOAD_KEPT ? PAYLOAD_KEPT : len), SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, reason, -1, SQLITE_STATIC);
	r = store_run(store, statement);
	if (r == 0)
		r = store_prepare(store, SQL_TRIM_REJECTED, &statement);
	return r < 0 ? r : store_run(store, statement);
}

int store_save_state(struct store *store, const char *name, const void *data, size_t len)
{
	sqlite3_stmt *statement;
	int r = store_begin(store);

	if (r == 0)
		r = store_prepare(store, data ? SQL_SAVE_STATE : SQL_DELETE_STATE, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	if (data)
		sqlite3_bind_blob(statement, 2, data, (int)len, SQLITE_STATIC);
	return store_run(store, statement);
}

int store_load_state(struct store *store, const char *name, void *ret_data, size_t size)
{
	sqlite3_stmt *statement;
	int len = 0, r = store_prepare(store, SQL_LOAD_STATE, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW) {
		len = sqlite3_column_bytes(statement, 0);
		if ((size_t)len > size)
			len = -ENOSPC;
		else if (len > 0)
			memcpy(ret_data, sqlite3_column_blob(statement, 0), (size_t)len);
	}
	sqlite3_reset(statement);
	return r == SQLITE_ROW || r == SQLITE_DONE ? len : store_fail(store, r);
}

int store_set_keep(struct store *store, const struct store_keep *keeps, size_t count)
{
	struct store_keep *copy;

	if (count > 64)
		return -ENOSPC;
	copy = calloc(count ? count : 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, keeps, count * sizeof(*copy));
	free(store->keeps);
	store->keeps = copy;
	store->keep_count = count;
	return 0;
}
