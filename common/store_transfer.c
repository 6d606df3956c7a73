/* Everything at once: each reading of each series in the order of the file, and figures of the series. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_files.h"

enum { ROWS_PER_LOOK = 8192 }; /* between two looks at the watcher */

/* All series, by their id: ids are given in order, without holes. */
struct names {
	struct entry {
		struct series series;
		bool there, wanted;
		int64_t tail, last_day, tail_oldest_ms; /* of figures */
	} * entries;
	size_t size;
};

static int add_name(struct names *names, int64_t id, const struct series *series, bool wanted)
{
	size_t at = (size_t)id;

	if (id < 0 || id > INT32_MAX)
		return -EUCLEAN;
	if (at >= names->size) {
		size_t size = at + at / 2 + 64;
		struct entry *entries = reallocarray(names->entries, size, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		memset(entries + names->size, 0, (size - names->size) * sizeof(*entries));
		names->entries = entries;
		names->size = size;
	}
	names->entries[at] = (struct entry){ .series = *series, .there = true, .wanted = wanted, .tail_oldest_ms = TIME_NONE };
	return 0;
}

static struct entry *entry_of(const struct names *names, int64_t id)
{
	return id >= 0 && (size_t)id < names->size && names->entries[id].there ? &names->entries[id] : NULL;
}

static int read_names(struct store *store, const struct store_filter *filter, struct names *names)
{
	sqlite3_stmt *statement = NULL;
	int step = sqlite3_prepare_v2(store->db, "SELECT id, node, device, quantity FROM series", -1, &statement, NULL), r = 0;

	if (step != SQLITE_OK)
		return store_fail(store, step);
	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct series series;

		store_column_text(statement, 1, series.node, sizeof(series.node));
		store_column_text(statement, 2, series.device, sizeof(series.device));
		store_column_text(statement, 3, series.quantity, sizeof(series.quantity));
		r = add_name(names, sqlite3_column_int64(statement, 0), &series,
			     !filter || !filter->wanted || filter->wanted(filter->context, &series));
	}
	sqlite3_finalize(statement);
	return r < 0 ? r : store_fail(store, step);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The quantities of wanted series, each once, in order. Returns how many; the caller frees. */
static int list_quantities(const struct names *names, char (**ret_list)[QUANTITY_NAME_MAX + 1])
{
	char(*list)[QUANTITY_NAME_MAX + 1] = calloc(names->size + 1, sizeof(*list));
	size_t count = 0, kept = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < names->size; i++)
		if (names->entries[i].there && names->entries[i].wanted)
			strcpy(list[count++], names->entries[i].series.quantity);
	qsort(list, count, sizeof(*list), by_name);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(list[kept - 1], list[i]) != 0)
			memmove(list[kept++], list[i], sizeof(*list));
	*ret_list = list;
	return (int)kept;
}

/* ---- all readings --------------------------------------------------------------------------------------------------------------- */

struct pass {
	struct store *store;
	const struct store_filter *filter;
	const struct store_watch *watch;
	int (*fn)(void *context, const struct reading *reading);
	void *context;
	struct names names;
	double done, part; /* of the quantities, for the bar */
};

static int64_t edge_of(struct pass *pass, const char *quantity, const char *which)
{
	char *text = sqlite3_mprintf("SELECT %s(time) FROM (SELECT %s(time) AS time FROM \"_raw_%w\""
				     " UNION ALL SELECT %s(time) FROM _recent)", /* near enough for a bar */
				     which, which, quantity, which);
	sqlite3_stmt *statement = NULL;
	int64_t edge_ms = 0;

	if (text && sqlite3_prepare_v2(pass->store->db, text, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		edge_ms = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_free(text);
	return edge_ms;
}

static int give_rows(struct pass *pass, const struct quantity_info *info, sqlite3_stmt *rows, int64_t begin_ms, int64_t end_ms)
{
	struct reading reading = { .seq = 0 };
	int64_t known = -1, count = 0;
	struct entry *entry = NULL;
	int step, stop = 0;

	while (!stop && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(rows, 1);

		if (count++ % ROWS_PER_LOOK == 0 && pass->watch) {
			double share = (double)(sqlite3_column_int64(rows, 0) - begin_ms) / (double)(end_ms - begin_ms + 1);

			if (!pass->watch->go_on(pass->watch->context, pass->done + pass->part * share))
				return -EINTR;
		}
		if (id != known) {
			known = id;
			entry = entry_of(&pass->names, id);
			if (entry)
				reading.series = entry->series;
		}
		if (!entry || !entry->wanted)
			continue;
		reading.time_ms = sqlite3_column_int64(rows, 0);
		store_column_value(rows, 2, info, &reading.value);
		stop = pass->fn(pass->context, &reading);
	}
	return stop ? stop : store_fail(pass->store, step);
}

static int pass_quantity(struct pass *pass, const char *quantity)
{
	int64_t begin_ms = edge_of(pass, quantity, "min"), end_ms = edge_of(pass, quantity, "max");
	char *text = sqlite3_mprintf("SELECT time, series, value FROM \"%w\" WHERE time >= ?1 AND time < ?2 ORDER BY time, series",
				     quantity);
	sqlite3_stmt *rows = NULL;
	int r = text ? store_fail(pass->store, sqlite3_prepare_v2(pass->store->db, text, -1, &rows, NULL)) : -ENOMEM;

	sqlite3_free(text);
	if (r < 0)
		return r;
	sqlite3_bind_int64(rows, 1, pass->filter->from_ms);
	sqlite3_bind_int64(rows, 2, pass->filter->to_ms);
	if (begin_ms < pass->filter->from_ms)
		begin_ms = pass->filter->from_ms;
	if (end_ms > pass->filter->to_ms)
		end_ms = pass->filter->to_ms;
	r = give_rows(pass, quantity_info_of(quantity), rows, begin_ms, end_ms);
	sqlite3_finalize(rows);
	return r;
}

int store_each_row(struct store *store, const struct store_filter *filter, const struct store_watch *watch,
		   int (*fn)(void *context, const struct reading *reading), void *context)
{
	struct pass pass = { .store = store, .filter = filter, .watch = watch, .fn = fn, .context = context };
	char(*quantities)[QUANTITY_NAME_MAX + 1] = NULL;
	int count = 0, r;

	store_hold(store);
	r = read_names(store, filter, &pass.names);
	if (r == 0)
		r = count = list_quantities(&pass.names, &quantities);
	for (int i = 0; r >= 0 && i < count; i++) {
		struct table *table;

		pass.part = 1.0 / count;
		pass.done = i * pass.part;
		r = store_find_table(store, quantities[i], false, &table);
		if (r == 0)
			r = pass_quantity(&pass, quantities[i]);
		else if (r == -ENOENT)
			r = 0;
		if (r > 0)
			break;
	}
	store_release(store);
	free(quantities);
	free(pass.names.entries);
	return count > 0 || r < 0 ? r : 0;
}

/* ---- figures -------------------------------------------------------------------------------------------------------------------- */

/* What no rollup counts yet: the rows since `closed_ms`; and those of the last 24 hours. */
static int count_rows(struct store *store, struct table *table, struct names *names, int64_t from_ms, int64_t to_ms, bool last_day)
{
	char *text = sqlite3_mprintf(
		"SELECT series, count(*), min(time) FROM \"%w\" WHERE time >= ?1 AND time < ?2 GROUP BY series", table->name);
	sqlite3_stmt *rows = NULL;
	int step = text ? sqlite3_prepare_v2(store->db, text, -1, &rows, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	if (step != SQLITE_OK)
		return store_fail(store, step);
	sqlite3_bind_int64(rows, 1, from_ms);
	sqlite3_bind_int64(rows, 2, to_ms);
	while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
		struct entry *entry = entry_of(names, sqlite3_column_int64(rows, 0));

		if (!entry)
			continue;
		if (last_day) {
			entry->last_day = sqlite3_column_int64(rows, 1);
		} else {
			entry->tail = sqlite3_column_int64(rows, 1);
			entry->tail_oldest_ms = sqlite3_column_int64(rows, 2);
		}
	}
	sqlite3_finalize(rows);
	return store_fail(store, step);
}

static int count_quantities(struct store *store, struct names *names, int64_t now_ms)
{
	static const int64_t day_ms = 86400000;
	char(*quantities)[QUANTITY_NAME_MAX + 1] = NULL;
	int count = list_quantities(names, &quantities), r = count < 0 ? count : 0;

	for (int i = 0; r == 0 && i < count; i++) {
		struct table *table;

		r = store_find_table(store, quantities[i], false, &table);
		if (r == 0)
			r = count_rows(store, table, names, table->closed_ms == TIME_NONE ? INT64_MIN : table->closed_ms, INT64_MAX,
				       false);
		if (r == 0)
			r = count_rows(store, table, names, now_ms - day_ms, now_ms, true);
		if (r == -ENOENT)
			r = 0;
	}
	free(quantities);
	return r;
}

/* Adds up a level of rollups. ret_oldest_ms: of the first one, untouched when there is none. */
static int sum_level(struct store *store, struct known_series *series, const char *level, int64_t from_ms, int64_t to_ms,
		     int64_t *readings, int64_t *ret_oldest_ms)
{
	char *text = sqlite3_mprintf("SELECT sum(count), min(time) FROM \"%w_%s\" WHERE series = ?1 AND time >= ?2 AND time < ?3",
				     series->table->name, level);
	sqlite3_stmt *sum = NULL;
	int r = text ? sqlite3_prepare_v2(store->db, text, -1, &sum, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	if (r == SQLITE_OK) {
		sqlite3_bind_int64(sum, 1, series->id);
		sqlite3_bind_int64(sum, 2, from_ms);
		sqlite3_bind_int64(sum, 3, to_ms);
		r = sqlite3_step(sum);
	}
	if (r == SQLITE_ROW && sqlite3_column_type(sum, 0) != SQLITE_NULL) {
		*readings += sqlite3_column_int64(sum, 0);
		if (*ret_oldest_ms == TIME_NONE)
			*ret_oldest_ms = sqlite3_column_int64(sum, 1);
	}
	sqlite3_finalize(sum);
	return store_fail(store, r);
}

/* The first row of the hour that its rollup names, where it is still there. */
static int64_t first_row(struct store *store, struct known_series *series, int64_t from_ms)
{
	sqlite3_stmt *rows;
	int64_t first_ms = from_ms;

	if (store_table_statement(store, series->table, TABLE_ROWS, &rows) < 0)
		return from_ms;
	sqlite3_bind_int64(rows, 1, from_ms);
	sqlite3_bind_int64(rows, 2, from_ms + HOUR_MS);
	sqlite3_bind_int64(rows, 3, series->id);
	sqlite3_bind_int64(rows, 4, 1);
	if (sqlite3_step(rows) == SQLITE_ROW)
		first_ms = sqlite3_column_int64(rows, 0);
	sqlite3_reset(rows);
	return first_ms;
}

static int figure(struct store *store, const struct entry *entry, struct store_series_figures *figures)
{
	int64_t oldest_ms = TIME_NONE, closed_ms, hour_ms;
	struct known_series *series;
	struct reading latest;
	int r = store_find_series(store, &entry->series, false, &series);

	*figures = (struct store_series_figures){ .series = entry->series,
						  .readings = entry->tail,
						  .last_day = entry->last_day,
						  .oldest_ms = TIME_NONE,
						  .newest_ms = TIME_NONE };
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	closed_ms = series->table->closed_ms;
	if (closed_ms != TIME_NONE) {
		hour_ms = closed_ms / HOUR_MS * HOUR_MS;
		r = sum_level(store, series, "hour", INT64_MIN, hour_ms, &figures->readings, &oldest_ms);
		if (r == 0)
			r = sum_level(store, series, "5min", hour_ms, closed_ms, &figures->readings, &oldest_ms);
	}
	if (r < 0)
		return r;
	figures->oldest_ms = oldest_ms == TIME_NONE ? entry->tail_oldest_ms : first_row(store, series, oldest_ms);
	r = store_read_latest(store, &entry->series, &latest);
	if (r > 0)
		figures->newest_ms = latest.time_ms;
	return r < 0 ? r : 0;
}

static int by_series(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->series.node, y->series.node);

	if (order == 0)
		order = strcmp(x->series.device, y->series.device);
	return order ? order : strcmp(x->series.quantity, y->series.quantity);
}

int store_each_series(struct store *store, int64_t now_ms, int (*fn)(void *context, const struct store_series_figures *figures),
		      void *context)
{
	struct names names = { 0 };
	int r;

	store_hold(store);
	r = read_names(store, NULL, &names);
	if (r == 0)
		r = count_quantities(store, &names, now_ms);
	if (r == 0 && names.size > 0)
		qsort(names.entries, names.size, sizeof(*names.entries), by_series);
	for (size_t i = 0; r == 0 && i < names.size; i++) {
		struct store_series_figures figures;

		if (!names.entries[i].there)
			continue;
		r = figure(store, &names.entries[i], &figures);
		if (r == 0)
			r = fn(context, &figures);
	}
	store_release(store);
	free(names.entries);
	return r;
}
