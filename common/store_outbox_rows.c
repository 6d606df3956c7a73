/* The readings in a node's outbox file: kept, forgotten, given up, put in their place in time, read back. */
#include <stdio.h>

#include "store_outbox_sqlite.h"

/* ---- changes --------------------------------------------------------------------------------------------------------------------- */

/* Once in a transaction is enough to name the boot; its newest moment is that of the last reading. */
static int note_boot(struct store_outbox *outbox, const char *boot, int64_t newest_ms)
{
	sqlite3_stmt *statement;
	int r = store_outbox_prepare(outbox, SQL_ADD_BOOT, &statement);

	if (r < 0)
		return r;
	outbox->sqlite.bind_text(statement, 1, boot, -1, SQLITE_STATIC);
	outbox->sqlite.bind_int64(statement, 2, newest_ms);
	return store_outbox_run(outbox, statement, NULL);
}

static int add_series(struct store_outbox *outbox, const struct series *series)
{
	sqlite3_stmt *statement;
	int r = store_outbox_prepare(outbox, SQL_ADD_SERIES, &statement);

	if (r < 0)
		return r;
	outbox->sqlite.bind_text(statement, 1, series->device, -1, SQLITE_STATIC);
	outbox->sqlite.bind_text(statement, 2, series->quantity, -1, SQLITE_STATIC);
	return store_outbox_run(outbox, statement, NULL);
}

static int insert(struct store_outbox *outbox, const struct reading *reading, const char *boot)
{
	sqlite3_stmt *statement;
	int r = store_outbox_prepare(outbox, SQL_ADD, &statement);

	if (r < 0)
		return r;
	outbox->sqlite.bind_int64(statement, 1, reading->seq);
	outbox->sqlite.bind_text(statement, 2, reading->series.device, -1, SQLITE_STATIC);
	outbox->sqlite.bind_text(statement, 3, reading->series.quantity, -1, SQLITE_STATIC);
	outbox->sqlite.bind_text(statement, 4, boot, -1, SQLITE_STATIC);
	outbox->sqlite.bind_int64(statement, 5, reading->time_ms);
	if (reading->value.kind == VALUE_TEXT)
		outbox->sqlite.bind_text(statement, 6, reading->value.text, -1, SQLITE_STATIC);
	else
		outbox->sqlite.bind_double(statement, 6, reading->value.number);
	r = store_outbox_run(outbox, statement, NULL);
	outbox->sqlite.clear_bindings(statement);
	return r < 0 ? r : (int)outbox->sqlite.changes(outbox->db);
}

int store_outbox_add(struct store_outbox *outbox, const struct reading *reading, const char *boot)
{
	int r = store_outbox_begin(outbox);

	if (r >= 0 && boot)
		r = note_boot(outbox, boot, reading->time_ms);
	if (r >= 0)
		r = insert(outbox, reading, boot);
	if (r == 0) { /* the first of its series */
		r = add_series(outbox, &reading->series);
		if (r >= 0)
			r = insert(outbox, reading, boot);
	}
	if (r < 0)
		return r;
	outbox->count++;
	return 0;
}

int store_outbox_mark(struct store_outbox *outbox, int64_t now_ms)
{
	int r = store_outbox_begin(outbox);

	return r < 0 ? r : store_outbox_run_with(outbox, SQL_MARK, now_ms, 0, NULL);
}

int store_outbox_forget(struct store_outbox *outbox, int64_t first, int64_t last)
{
	int r = store_outbox_begin(outbox);

	if (r >= 0)
		r = store_outbox_run_with(outbox, SQL_FORGET, first, last, NULL);
	if (r < 0)
		return r;
	outbox->count -= outbox->sqlite.changes(outbox->db);
	return 0;
}

static int give_up(struct store_outbox *outbox, int64_t last, int64_t *given_up)
{
	int64_t before = outbox->count;
	int r = store_outbox_forget(outbox, 0, last);

	*given_up += before - outbox->count;
	return r;
}

static int used_bytes(struct store_outbox *outbox, int64_t *ret_bytes)
{
	int64_t size = 0, pages = 0, free_pages = 0;
	int r = store_outbox_run_with(outbox, SQL_PAGE_SIZE, 0, 0, &size);

	if (r >= 0)
		r = store_outbox_run_with(outbox, SQL_PAGES, 0, 0, &pages);
	if (r >= 0)
		r = store_outbox_run_with(outbox, SQL_FREE_PAGES, 0, 0, &free_pages);
	*ret_bytes = (pages - free_pages) * size;
	return r < 0 ? r : 0;
}

int store_outbox_shrink(struct store_outbox *outbox, int64_t bytes, int64_t *ret_given_up)
{
	int64_t used = 0, given_up = 0, last;
	int r = used_bytes(outbox, &used);

	while (r == 0 && used > bytes && outbox->count > 0) {
		r = store_outbox_run_with(outbox, SQL_OLDEST_OF, outbox->count / 20 + 1, 0, &last);
		if (r > 0)
			r = give_up(outbox, last, &given_up);
		if (r == 0)
			r = used_bytes(outbox, &used);
	}
	*ret_given_up = r < 0 ? 0 : given_up;
	return r < 0 ? r : 0;
}

int store_outbox_expire(struct store_outbox *outbox, int64_t before_ms, int64_t *ret_given_up)
{
	int64_t last = 0, given_up = 0;
	int r = store_outbox_run_with(outbox, SQL_MARKED_BEFORE, before_ms, 0, &last);

	if (r > 0)
		r = give_up(outbox, last, &given_up);
	*ret_given_up = r < 0 ? 0 : given_up;
	return r < 0 ? r : 0;
}

/* What an earlier boot's beginning is put at. Returns 1 when it was an estimate. */
static int place_boot(struct store_outbox *outbox, sqlite3_stmt *boots, int64_t *next_ms, int64_t *estimated)
{
	int64_t id = outbox->sqlite.column_int64(boots, 0), count = 0;
	int r;

	if (outbox->sqlite.column_type(boots, 2) != SQLITE_NULL) {
		*next_ms = outbox->sqlite.column_int64(boots, 2);
		return 0;
	}
	*next_ms -= outbox->sqlite.column_int64(boots, 1);
	r = store_outbox_run_with(outbox, SQL_COUNT_BOOT, id, 0, &count);
	if (r >= 0)
		r = store_outbox_run_with(outbox, SQL_SET_BOOT, id, *next_ms, NULL);
	*estimated += count;
	return r;
}

int store_outbox_mend(struct store_outbox *outbox, const char *boot, int64_t begin_ms, int64_t *ret_estimated)
{
	sqlite3_stmt *statement;
	int64_t next_ms = begin_ms, estimated = 0;
	int code = SQLITE_DONE, r = store_outbox_begin(outbox);

	if (r >= 0)
		r = store_outbox_prepare(outbox, SQL_KNOW_BOOT, &statement);
	if (r >= 0) {
		outbox->sqlite.bind_text(statement, 1, boot, -1, SQLITE_STATIC);
		outbox->sqlite.bind_int64(statement, 2, begin_ms);
		r = store_outbox_run(outbox, statement, NULL);
	}
	if (r >= 0)
		r = store_outbox_prepare(outbox, SQL_OLD_BOOTS, &statement);
	if (r < 0)
		return r;
	outbox->sqlite.bind_text(statement, 1, boot, -1, SQLITE_STATIC);
	while (r >= 0 && (code = outbox->sqlite.step(statement)) == SQLITE_ROW)
		r = place_boot(outbox, statement, &next_ms, &estimated);
	if (r >= 0)
		r = store_outbox_describe(outbox, code);
	outbox->sqlite.reset(statement);
	if (r < 0) {
		store_outbox_undo(outbox);
		return r;
	}
	*ret_estimated = estimated;
	return 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------------- */

static void take_text(const struct store_outbox *outbox, sqlite3_stmt *statement, int column, char *buf, size_t size)
{
	const unsigned char *text = outbox->sqlite.column_text(statement, column);

	snprintf(buf, size, "%s", text ? (const char *)text : "");
}

/* Returns 1, or 0 when its time is not known. */
static int take_row(const struct store_outbox *outbox, sqlite3_stmt *statement, struct reading *ret_reading)
{
	struct reading reading = { .seq = outbox->sqlite.column_int64(statement, 0),
				   .time_ms = outbox->sqlite.column_int64(statement, 3) };

	if (outbox->sqlite.column_int64(statement, 5) != 0) {
		if (outbox->sqlite.column_type(statement, 6) == SQLITE_NULL)
			return 0;
		reading.time_ms += outbox->sqlite.column_int64(statement, 6);
	}
	take_text(outbox, statement, 1, reading.series.device, sizeof(reading.series.device));
	take_text(outbox, statement, 2, reading.series.quantity, sizeof(reading.series.quantity));
	if (outbox->sqlite.column_type(statement, 4) == SQLITE_TEXT) {
		reading.value.kind = VALUE_TEXT;
		take_text(outbox, statement, 4, reading.value.text, sizeof(reading.value.text));
	} else {
		reading.value = value_of_number(outbox->sqlite.column_double(statement, 4));
	}
	*ret_reading = reading;
	return 1;
}

int store_outbox_read(struct store_outbox *outbox, int64_t after, size_t limit,
		      int (*fn)(void *context, const struct reading *reading), void *context)
{
	sqlite3_stmt *statement;
	struct reading reading;
	int r = store_outbox_prepare(outbox, SQL_READ, &statement), code = SQLITE_DONE, count = 0;

	if (r < 0)
		return r;
	outbox->sqlite.bind_int64(statement, 1, after);
	outbox->sqlite.bind_int64(statement, 2, (int64_t)limit);
	while (r >= 0 && (code = outbox->sqlite.step(statement)) == SQLITE_ROW && take_row(outbox, statement, &reading)) {
		r = fn(context, &reading);
		count += r >= 0;
	}
	if (r >= 0)
		r = store_outbox_describe(outbox, code);
	outbox->sqlite.reset(statement);
	return r < 0 ? r : count;
}

int64_t store_outbox_count(const struct store_outbox *outbox)
{
	return outbox->count;
}

int64_t store_outbox_oldest(struct store_outbox *outbox, int64_t *ret_time_ms)
{
	sqlite3_stmt *statement;
	int64_t seq = 0, time_ms = TIME_NONE;

	if (store_outbox_prepare(outbox, SQL_OLDEST, &statement) == 0 && outbox->sqlite.step(statement) == SQLITE_ROW) {
		seq = outbox->sqlite.column_int64(statement, 0);
		if (outbox->sqlite.column_int64(statement, 2) == 0)
			time_ms = outbox->sqlite.column_int64(statement, 1);
		else if (outbox->sqlite.column_type(statement, 3) != SQLITE_NULL)
			time_ms = outbox->sqlite.column_int64(statement, 1) + outbox->sqlite.column_int64(statement, 3);
		outbox->sqlite.reset(statement);
	}
	if (ret_time_ms)
		*ret_time_ms = time_ms;
	return seq;
}

int64_t store_outbox_newest(struct store_outbox *outbox)
{
	int64_t seq = 0;

	return store_outbox_run_with(outbox, SQL_NEWEST, 0, 0, &seq) > 0 ? seq : 0;
}
