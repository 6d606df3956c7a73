/* The newest rows of all quantities, gathered in one table until it pays to move them to their own: see store_sqlite.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_sqlite.h"

/* ---- memory --------------------------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct recent *recent, const struct known_series *series, int64_t time_ms)
{
	uint64_t hash = ((uint64_t)time_ms ^ (uint64_t)series->id << 44) * 0x9e3779b97f4a7c15U;

	return (size_t)(hash >> 32) & (recent->place_count - 1);
}

static void put_in_place(struct recent *recent, size_t index)
{
	size_t place = place_of(recent, recent->rows[index].series, recent->rows[index].time_ms);

	while (recent->places[place])
		place = (place + 1) & (recent->place_count - 1);
	recent->places[place] = (uint32_t)index + 1;
}

static int grow(struct recent *recent)
{
	size_t room = recent->room ? recent->room * 2 : 256;
	struct recent_row *rows = reallocarray(recent->rows, room, sizeof(*rows));
	uint32_t *places;

	if (!rows)
		return -ENOMEM;
	recent->rows = rows;
	places = calloc(room * 2, sizeof(*places));
	if (!places)
		return -ENOMEM;
	free(recent->places);
	recent->places = places;
	recent->place_count = room * 2;
	recent->room = room;
	for (size_t i = 0; i < recent->count; i++)
		put_in_place(recent, i);
	return 0;
}

static int add(struct recent *recent, struct known_series *series, int64_t time_ms, double number)
{
	int r = recent->count == recent->room ? grow(recent) : 0;

	if (r < 0)
		return r;
	recent->rows[recent->count] = (struct recent_row){ series, time_ms, number };
	put_in_place(recent, recent->count++);
	return 0;
}

static void empty(struct recent *recent)
{
	recent->count = recent->written = 0;
	recent->slot = 0;
	if (recent->places)
		memset(recent->places, 0, recent->place_count * sizeof(*recent->places));
}

void store_forget_recent(struct store *store)
{
	struct recent *recent = &store->recent;

	free(recent->rows);
	free(recent->places);
	*recent = (struct recent){ 0 };
}

/* ---- what a file of before holds ------------------------------------------------------------------------------------------------ */

static int read_turn(struct store *store, int64_t *ret_turn)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_GET_TURN, &statement);

	if (r < 0)
		return r;
	r = sqlite3_step(statement);
	*ret_turn = r == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 1;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

static int load_row(struct store *store, sqlite3_stmt *statement)
{
	struct known_series *series;
	struct series name;
	double number = sqlite3_column_double(statement, 2);
	int r;

	store_column_text(statement, 3, name.node, sizeof(name.node));
	store_column_text(statement, 4, name.device, sizeof(name.device));
	store_column_text(statement, 5, name.quantity, sizeof(name.quantity));
	r = store_find_series(store, &name, false, &series);
	if (r < 0)
		return r;
	if (sqlite3_column_type(statement, 2) == SQLITE_INTEGER)
		number /= series->table->scale;
	store->recent.slot = sqlite3_column_int64(statement, 0) + 1;
	return add(&store->recent, series, sqlite3_column_int64(statement, 1), number);
}

static int load(struct store *store)
{
	struct recent *recent = &store->recent;
	sqlite3_stmt *statement;
	int step = SQLITE_DONE, r;

	if (recent->loaded)
		return 0;
	empty(recent);
	r = read_turn(store, &recent->turn);
	if (r == 0)
		r = store_prepare(store, SQL_LOAD_RECENT, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, recent->turn);
	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
		r = load_row(store, statement);
	if (r == 0)
		r = store_fail(store, step);
	sqlite3_reset(statement);
	if (r < 0)
		return r;
	recent->written = recent->count;
	recent->loaded = true;
	return 0;
}

/* ---- use ------------------------------------------------------------------------------------------------------------------------ */

int store_find_recent(struct store *store, const struct known_series *series, int64_t time_ms, const struct recent_row **ret_row)
{
	struct recent *recent = &store->recent;
	int r = load(store);

	if (r < 0)
		return r;
	*ret_row = NULL;
	if (recent->count == 0)
		return 0;
	for (size_t place = place_of(recent, series, time_ms); recent->places[place];
	     place = (place + 1) & (recent->place_count - 1)) {
		const struct recent_row *row = &recent->rows[recent->places[place] - 1];

		if (row->series == series && row->time_ms == time_ms) {
			*ret_row = row;
			return 0;
		}
	}
	return 0;
}

int store_add_recent(struct store *store, struct known_series *series, int64_t time_ms, double number)
{
	int r = load(store);

	return r < 0 ? r : add(&store->recent, series, time_ms, number);
}

int store_insert_raw(struct store *store, struct known_series *series, int64_t time_ms, const struct value *value)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, series->table, TABLE_INSERT, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, time_ms);
	sqlite3_bind_int64(statement, 2, series->id);
	if (value->kind == VALUE_TEXT)
		store_bind_value(statement, 3, value);
	else
		store_bind_number(statement, 3, value->number, series->table->scale);
	r = store_run(store, statement);
	if (r < 0)
		return r;
	r = sqlite3_changes(store->db);
	if (time_ms > series->newest_ms)
		series->newest_ms = time_ms;
	if (time_ms > series->table->newest_ms)
		series->table->newest_ms = time_ms;
	return r;
}

/* ---- to their tables ------------------------------------------------------------------------------------------------------------ */

static int settle_written(struct store *store, struct table *table)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(store, table, TABLE_SETTLE, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, store->recent.turn);
	sqlite3_bind_text(statement, 2, table->name, -1, SQLITE_STATIC);
	return store_run(store, statement);
}

/* Those that stand in the file are moved by their file, since a person may have deleted one meanwhile. */
static int settle_all_written(struct store *store)
{
	struct recent *recent = &store->recent;
	int r = 0;

	for (size_t i = 0; i < recent->written; i++) {
		struct recent_row *row = &recent->rows[i];

		row->series->table->unsettled = true;
		if (row->time_ms > row->series->newest_ms)
			row->series->newest_ms = row->time_ms;
		if (row->time_ms > row->series->table->newest_ms)
			row->series->table->newest_ms = row->time_ms;
	}
	for (struct table *table = store->tables; r == 0 && table; table = table->next)
		if (table->unsettled) {
			r = settle_written(store, table);
			table->unsettled = false;
		}
	return r;
}

static int by_place(const void *a, const void *b)
{
	const struct recent_row *x = a, *y = b;

	if (x->series->table != y->series->table)
		return (x->series->table > y->series->table) - (x->series->table < y->series->table);
	if (x->time_ms != y->time_ms)
		return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
	return (x->series->id > y->series->id) - (x->series->id < y->series->id);
}

static int next_turn(struct store *store)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_SET_TURN, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, store->recent.turn + 1);
	r = store_run(store, statement);
	if (r == 0)
		store->recent.turn++;
	return r;
}

int store_settle(struct store *store)
{
	struct recent *recent = &store->recent;
	int r = load(store);

	if (r < 0 || recent->count == 0)
		return r;
	r = store_begin(store);
	if (r == 0 && recent->written > 0) {
		r = settle_all_written(store);
		if (r == 0)
			r = next_turn(store);
	}
	if (r < 0)
		return r;
	qsort(recent->rows + recent->written, recent->count - recent->written, sizeof(*recent->rows), by_place);
	for (size_t i = recent->written; i < recent->count && r >= 0; i++) {
		const struct recent_row *row = &recent->rows[i];
		const struct value value = { .kind = VALUE_NUMBER, .number = row->number };

		r = store_insert_raw(store, row->series, row->time_ms, &value);
	}
	if (r < 0)
		return r;
	empty(recent);
	return 0;
}

static int write_row(struct store *store, sqlite3_stmt *statement, const struct recent_row *row)
{
	sqlite3_bind_int64(statement, 1, store->recent.slot);
	sqlite3_bind_int64(statement, 2, store->recent.turn);
	sqlite3_bind_int64(statement, 3, row->time_ms);
	sqlite3_bind_int64(statement, 4, row->series->id);
	store_bind_number(statement, 5, row->number, row->series->table->scale);
	return store_run(store, statement);
}

int store_write_recent(struct store *store)
{
	struct recent *recent = &store->recent;
	sqlite3_stmt *statement;
	int r;

	if (recent->written == recent->count)
		return 0;
	if (recent->count > RECENT_MAX)
		return store_settle(store);
	r = store_prepare(store, SQL_PUT_RECENT, &statement);
	for (; r == 0 && recent->written < recent->count; recent->written++, recent->slot++)
		r = write_row(store, statement, &recent->rows[recent->written]);
	return r;
}
