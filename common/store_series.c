/* Names to rows: which quantities have tables, and the ids of series. Kept in memory, for this is asked at each reading. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_sqlite.h"

void store_forget_names(struct store *store)
{
	store_forget_recent(store); /* it points to them */
	for (int i = 0; i < SERIES_BUCKETS; i++)
		while (store->series[i]) {
			struct known_series *series = store->series[i];

			store->series[i] = series->next;
			free(series);
		}
	store->next_table = NULL;
	while (store->tables) {
		struct table *table = store->tables;

		store->tables = table->next;
		for (int i = 0; i < TABLE_STATEMENTS; i++)
			sqlite3_finalize(table->statements[i]);
		free(table);
	}
}

/* 1 there, 0 not. By a statement, since the schema that a reader has in memory does not know what the writer has made meanwhile. */
static int table_exists(struct store *store, const char *quantity)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_FIND_TABLE, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, quantity, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	sqlite3_reset(statement);
	return r == SQLITE_ROW ? 1 : store_fail(store, r);
}

static int read_rollup(struct store *store, struct table *table)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_GET_ROLLUP, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	table->closed_ms = r == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : TIME_NONE;
	table->raw_from_ms = r == SQLITE_ROW ? sqlite3_column_int64(statement, 1) : 0;
	table->five_min_from_ms = r == SQLITE_ROW ? sqlite3_column_int64(statement, 2) : 0;
	table->scale = r == SQLITE_ROW ? sqlite3_column_int(statement, 3) : store_scale_of(table->info);
	table->blocks_ms = r == SQLITE_ROW && sqlite3_column_type(statement, 4) != SQLITE_NULL ? sqlite3_column_int64(statement, 4)
											       : TIME_NONE;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

static int read_newest(struct store *store, struct table *table)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_NEWEST, &statement);

	if (r < 0)
		return r;
	r = sqlite3_step(statement);
	table->newest_ms = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0)
											       : TIME_NONE;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

static int make_table(struct store *store, const char *quantity, bool create)
{
	int r = table_exists(store, quantity);

	if (r != 0)
		return r;
	if (!create)
		return -ENOENT;
	r = store_begin(store);
	if (r == 0)
		r = store_make_table(store, quantity, store_scale_of(quantity_info_of(quantity)));
	store->changed_names = true;
	return r;
}

static int add_table(struct store *store, const char *quantity, struct table **ret_table)
{
	struct table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return -ENOMEM;
	strncpy(table->name, quantity, QUANTITY_NAME_MAX);
	table->info = quantity_info_of(quantity);
	table->late_ms = table->newest_ms = TIME_NONE;
	r = read_rollup(store, table);
	if (r == 0 && store->mode == STORE_WRITE)
		r = read_newest(store, table);
	if (r < 0) {
		for (int i = 0; i < TABLE_STATEMENTS; i++)
			sqlite3_finalize(table->statements[i]);
		free(table);
		return r;
	}
	table->next = store->tables;
	store->tables = table;
	*ret_table = table;
	return 0;
}

int store_find_table(struct store *store, const char *quantity, bool create, struct table **ret_table)
{
	struct table *table = store->tables;
	int r;

	while (table && strcmp(table->name, quantity) != 0)
		table = table->next;
	if (!table) {
		r = make_table(store, quantity, create);
		return r < 0 ? r : add_table(store, quantity, ret_table);
	}
	if (store->mode == STORE_READ) { /* the writer moves it on */
		r = read_rollup(store, table);
		if (r < 0)
			return r;
	}
	*ret_table = table;
	return 0;
}

static int find_id(struct store *store, const struct series *name, int64_t *ret_id)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_FIND_SERIES, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name->node, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, name->device, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, name->quantity, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		*ret_id = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return r == SQLITE_ROW ? 0 : r == SQLITE_DONE ? -ENOENT : store_fail(store, r);
}

static int add_series(struct store *store, const struct series *name, int64_t *ret_id)
{
	sqlite3_stmt *statement;
	int r = store_begin(store);

	if (r == 0)
		r = store_prepare(store, SQL_ADD_NODE, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name->node, -1, SQLITE_STATIC);
	r = store_run(store, statement);
	if (r == 0)
		r = store_prepare(store, SQL_ADD_SERIES, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name->node, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, name->device, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, name->quantity, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, quantity_info_of(name->quantity)->unit, -1, SQLITE_STATIC);
	r = store_run(store, statement);
	if (r < 0)
		return r;
	store->changed_names = true;
	*ret_id = sqlite3_last_insert_rowid(store->db);
	return 0;
}

int store_find_series(struct store *store, const struct series *name, bool create, struct known_series **ret_series)
{
	struct known_series **bucket = &store->series[series_hash(name) % SERIES_BUCKETS];
	struct known_series *series;
	struct table *table;
	int64_t id = 0;
	bool is_new = false;
	int r;

	for (series = *bucket; series; series = series->next)
		if (series_equal(&series->name, name)) {
			*ret_series = series;
			return store->mode == STORE_READ ? store_find_table(store, name->quantity, false, &table) : 0;
		}
	r = store_find_table(store, name->quantity, create, &table);
	if (r == 0)
		r = find_id(store, name, &id);
	if (r == -ENOENT && create) {
		is_new = true;
		r = add_series(store, name, &id);
	}
	if (r < 0)
		return r;
	series = calloc(1, sizeof(*series));
	if (!series)
		return -ENOMEM;
	series->name = *name;
	series->id = id;
	series->table = table;
	series->moved_ms = TIME_NONE;
	series->newest_ms = is_new ? TIME_NONE : table->newest_ms;
	series->next = *bucket;
	*bucket = series;
	*ret_series = series;
	return 0;
}
