/* Nodes, commands, what was refused, and the log that is read from them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store_sqlite.h"

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

static int add_node(struct store *store, const char *node)
{
	sqlite3_stmt *statement;
	int r = store_begin(store);

	if (r == 0)
		r = store_prepare(store, SQL_ADD_NODE, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, node, -1, SQLITE_STATIC);
	return store_run(store, statement);
}

/* -1 never told, 0 offline, 1 online. */
static int known_status(struct store *store, const char *node, int *ret_status)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_GET_STATUS, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, node, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	*ret_status = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int(statement, 0) : -1;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

int store_node_status(struct store *store, const char *node, bool online, int64_t time_ms)
{
	sqlite3_stmt *statement;
	int known, r = known_status(store, node, &known);

	if (r < 0 || known == (int)online)
		return r;
	r = add_node(store, node);
	if (r == 0)
		r = store_prepare(store, SQL_SET_STATUS, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, node, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 2, online);
	sqlite3_bind_int64(statement, 3, time_ms);
	r = store_run(store, statement);
	if (r == 0)
		r = store_prepare(store, SQL_ADD_EVENT, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, time_ms);
	sqlite3_bind_text(statement, 2, node, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 3, online);
	r = store_run(store, statement);
	return r < 0 ? r : 1;
}

int store_node_info(struct store *store, const char *node, const char *label, const char *info, int64_t time_ms)
{
	sqlite3_stmt *statement;
	bool known;
	int r = store_prepare(store, SQL_GET_INFO, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, node, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	known = r == SQLITE_ROW && sqlite3_column_text(statement, 0) &&
		strcmp((const char *)sqlite3_column_text(statement, 0), info) == 0;
	sqlite3_reset(statement);
	if (r != SQLITE_ROW && r != SQLITE_DONE)
		return store_fail(store, r);
	if (known)
		return 0;
	r = add_node(store, node);
	if (r == 0)
		r = store_prepare(store, SQL_SET_INFO, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, node, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, label, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, info, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, time_ms);
	r = store_run(store, statement);
	return r < 0 ? r : 1;
}

static void bind_series(sqlite3_stmt *statement, int first, const struct series *series)
{
	sqlite3_bind_text(statement, first, series->node, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, first + 1, series->device, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, first + 2, series->quantity, -1, SQLITE_STATIC);
}

int store_log_command(struct store *store, const struct command *command, int64_t time_ms)
{
	sqlite3_stmt *statement;
	int r = store_begin(store);

	if (r == 0)
		r = store_prepare(store, SQL_ADD_COMMAND, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, time_ms);
	bind_series(statement, 2, &command->series);
	store_bind_value(statement, 5, &command->value);
	sqlite3_bind_text(statement, 6, command->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 7, command->by, -1, SQLITE_STATIC);
	return store_run(store, statement);
}

/* The newest command of that series and id. ret_id 0: there is none; ret_done: it has its result. */
static int find_command(struct store *store, const struct command_result *result, int64_t *ret_id, bool *ret_done)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, SQL_FIND_COMMAND, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, result->id, -1, SQLITE_STATIC);
	bind_series(statement, 2, &result->series);
	r = sqlite3_step(statement);
	*ret_id = r == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	*ret_done = r == SQLITE_ROW && sqlite3_column_type(statement, 1) != SQLITE_NULL;
	sqlite3_reset(statement);
	return store_fail(store, r);
}

static void bind_outcome(sqlite3_stmt *statement, int first, const struct command_result *result)
{
	sqlite3_bind_int(statement, first, result->ok);
	if (result->has_value)
		store_bind_value(statement, first + 1, &result->value);
	else
		sqlite3_bind_null(statement, first + 1);
	sqlite3_bind_text(statement, first + 2, result->error, -1, SQLITE_STATIC);
}

int store_log_result(struct store *store, const struct command_result *result, int64_t time_ms)
{
	sqlite3_stmt *statement;
	int64_t id = 0;
	bool done = false;
	int r = store_begin(store);

	if (r == 0)
		r = find_command(store, result, &id, &done);
	if (r < 0 || (done && result->id[0]))
		return r; /* delivered again */
	if (done)
		id = 0; /* commands without an id cannot be told apart */
	r = store_prepare(store, id ? SQL_SET_RESULT : SQL_ADD_RESULT, &statement);
	if (r < 0)
		return r;
	if (id) {
		sqlite3_bind_int64(statement, 1, id);
		sqlite3_bind_int64(statement, 2, time_ms);
		bind_outcome(statement, 3, result);
	} else {
		sqlite3_bind_int64(statement, 1, time_ms);
		bind_series(statement, 2, &result->series);
		sqlite3_bind_text(statement, 5, result->id, -1, SQLITE_STATIC);
		bind_outcome(statement, 6, result);
	}
	return store_run(store, statement);
}

/* ---- reading -------------------------------------------------------------------------------------------------------------------- */

static int64_t column_time(sqlite3_stmt *statement, int index)
{
	return sqlite3_column_type(statement, index) == SQLITE_NULL ? TIME_NONE : sqlite3_column_int64(statement, index);
}

static const char *column_string(sqlite3_stmt *statement, int index)
{
	const char *text = (const char *)sqlite3_column_text(statement, index);

	return text ? text : "";
}

int store_each_node(struct store *store, int (*fn)(void *context, const struct store_node *node), void *context)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(store->db, "SELECT name, label, online, status_time, seen_time, info FROM node ORDER BY name",
				   -1, &statement, NULL);
	int stop = 0;

	if (r != SQLITE_OK)
		return store_fail(store, r);
	while (!stop && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		struct store_node node = {
			.name = column_string(statement, 0),
			.label = column_string(statement, 1),
			.online = sqlite3_column_int(statement, 2) == 1,
			.status_ms = column_time(statement, 3),
			.seen_ms = column_time(statement, 4),
			.info = column_string(statement, 5),
		};

		stop = fn(context, &node);
	}
	sqlite3_finalize(statement);
	return stop ? stop : store_fail(store, r);
}

int store_each_rejected(struct store *store, size_t limit, int (*fn)(void *context, const struct store_rejected *row),
			void *context)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(store->db, "SELECT time, topic, payload, reason FROM rejected ORDER BY id DESC LIMIT ?1", -1,
				   &statement, NULL);
	int stop = 0;

	if (r != SQLITE_OK)
		return store_fail(store, r);
	sqlite3_bind_int64(statement, 1, (int64_t)limit);
	while (!stop && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		struct store_rejected row = {
			.time_ms = sqlite3_column_int64(statement, 0),
			.topic = column_string(statement, 1),
			.payload = column_string(statement, 2),
			.reason = column_string(statement, 3),
		};

		stop = fn(context, &row);
	}
	sqlite3_finalize(statement);
	return stop ? stop : store_fail(store, r);
}

/* ---- events: three tables as one log -------------------------------------------------------------------------------------------- */

enum { SOURCES = 3 };

static const char *const event_texts[SOURCES] = {
	[STORE_EVENT_COMMAND] =
		"SELECT id, time, node, device, quantity, value, by, command_id, ok, result_value, error, result_time"
		" FROM command WHERE time < ?1 AND (?2 IS NULL OR node = ?2) AND (?3 IS NULL OR device = ?3)"
		" ORDER BY time DESC, id DESC",
	[STORE_EVENT_NODE] = "SELECT id, time, node, '', '', online FROM event WHERE time < ?1 AND (?2 IS NULL OR node = ?2)"
			     " AND ?3 IS NULL ORDER BY time DESC, id DESC",
	[STORE_EVENT_BADGE] = "SELECT s.id, b.time, s.node, s.device, s.quantity, b.value FROM _raw_badge AS b JOIN series AS s ON "
			      "s.id = b.series"
			      " WHERE b.time < ?1 AND (?2 IS NULL OR s.node = ?2) AND (?3 IS NULL OR s.device = ?3)"
			      " ORDER BY b.time DESC, b.series DESC",
};

static int open_source(struct store *store, int kind, const struct store_event_query *query, sqlite3_stmt **ret_statement)
{
	struct table *table;
	int r;

	*ret_statement = NULL;
	if (query->kinds && !(query->kinds & 1U << kind))
		return 0;
	if (kind == STORE_EVENT_BADGE && store_find_table(store, "badge", false, &table) < 0)
		return 0; /* nobody has shown a badge yet */
	r = sqlite3_prepare_v2(store->db, event_texts[kind], -1, ret_statement, NULL);
	if (r != SQLITE_OK)
		return store_fail(store, r);
	sqlite3_bind_int64(*ret_statement, 1, query->before_ms);
	sqlite3_bind_text(*ret_statement, 2, query->node, -1, SQLITE_STATIC);
	sqlite3_bind_text(*ret_statement, 3, query->device, -1, SQLITE_STATIC);
	return 0;
}

static void read_event(sqlite3_stmt *statement, int kind, struct store_event *event)
{
	const struct quantity_info *info;

	*event = (struct store_event){
		.kind = (enum store_event_kind)kind,
		.id = sqlite3_column_int64(statement, 0),
		.time_ms = sqlite3_column_int64(statement, 1),
		.by = "",
		.command_id = "",
		.error = "",
		.latency_ms = -1,
	};
	store_column_text(statement, 2, event->series.node, sizeof(event->series.node));
	store_column_text(statement, 3, event->series.device, sizeof(event->series.device));
	store_column_text(statement, 4, event->series.quantity, sizeof(event->series.quantity));
	info = quantity_info_of(event->series.quantity);
	store_column_value(statement, 5, info, &event->value);
	if (kind != STORE_EVENT_COMMAND)
		return;
	event->by = column_string(statement, 6);
	event->command_id = column_string(statement, 7);
	if (sqlite3_column_type(statement, 8) == SQLITE_NULL)
		return;
	event->result = sqlite3_column_int(statement, 8) ? STORE_RESULT_OK : STORE_RESULT_REFUSED;
	event->has_result_value = sqlite3_column_type(statement, 9) != SQLITE_NULL;
	if (event->has_result_value)
		store_column_value(statement, 9, info, &event->result_value);
	event->error = column_string(statement, 10);
	event->latency_ms = sqlite3_column_int64(statement, 11) - event->time_ms;
}

int store_each_event(struct store *store, const struct store_event_query *query,
		     int (*fn)(void *context, const struct store_event *event), void *context)
{
	sqlite3_stmt *sources[SOURCES] = { NULL };
	bool row[SOURCES] = { false };
	int r = 0, stop = 0;

	for (int i = 0; r == 0 && i < SOURCES; i++) {
		r = open_source(store, i, query, &sources[i]);
		if (r == 0 && sources[i]) {
			int step = sqlite3_step(sources[i]);

			row[i] = step == SQLITE_ROW;
			r = store_fail(store, step);
		}
	}
	for (size_t count = 0; r == 0 && !stop && count < query->limit; count++) {
		struct store_event event;
		int newest = -1, step;

		for (int i = 0; i < SOURCES; i++)
			if (row[i] &&
			    (newest < 0 || sqlite3_column_int64(sources[i], 1) > sqlite3_column_int64(sources[newest], 1)))
				newest = i;
		if (newest < 0)
			break;
		read_event(sources[newest], newest, &event);
		stop = fn(context, &event);
		step = sqlite3_step(sources[newest]);
		row[newest] = step == SQLITE_ROW;
		r = store_fail(store, step);
	}
	for (int i = 0; i < SOURCES; i++)
		sqlite3_finalize(sources[i]);
	return stop ? stop : r;
}
