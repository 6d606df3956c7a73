/* The schema, its versions, and the text of every statement. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_sqlite.h"

/* Each string leads from the version before it to its own: the first makes version 1 of an empty file. */
static const char *const migrations[] = {
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE node(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, label TEXT NOT NULL DEFAULT '',"
	"  online INTEGER, status_time INTEGER, seen_time INTEGER, info TEXT);"
	"CREATE TABLE series(id INTEGER PRIMARY KEY, node TEXT NOT NULL, device TEXT NOT NULL, quantity TEXT NOT NULL,"
	"  unit TEXT NOT NULL, UNIQUE(node, device, quantity));"
	"CREATE TABLE event(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, node TEXT NOT NULL, online INTEGER NOT NULL);"
	"CREATE INDEX _event_time ON event(time);" /* no quantity begins with _: a table could not have an index's name */
	"CREATE TABLE command(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, node TEXT NOT NULL, device TEXT NOT NULL,"
	"  quantity TEXT NOT NULL, value, command_id TEXT NOT NULL, by TEXT NOT NULL,"
	"  result_time INTEGER, ok INTEGER, result_value, error TEXT);"
	"CREATE INDEX _command_time ON command(time);"
	"CREATE INDEX _command_command_id ON command(command_id);"
	"CREATE TABLE rejected(id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, topic TEXT NOT NULL,"
	"  payload BLOB, reason TEXT NOT NULL);"
	/* Up to where each quantity is rolled up, from where its rows are kept, and the five-minute spans to be done again. */
	"CREATE TABLE meta_rollup(quantity TEXT PRIMARY KEY, closed INTEGER NOT NULL, raw_from INTEGER NOT NULL,"
	"  five_min_from INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE meta_late(quantity TEXT, span INTEGER, PRIMARY KEY(quantity, span)) WITHOUT ROWID;",
};

enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(*migrations) };

static const char *const texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SNAPSHOT] = "BEGIN",
	[SQL_ADD_NODE] = "INSERT INTO node(name) VALUES(?1) ON CONFLICT DO NOTHING",
	[SQL_ADD_SERIES] = "INSERT INTO series(node, device, quantity, unit) VALUES(?1, ?2, ?3, ?4)",
	[SQL_FIND_TABLE] = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
	[SQL_FIND_SERIES] = "SELECT id FROM series WHERE node = ?1 AND device = ?2 AND quantity = ?3",
	[SQL_SET_STATUS] = "UPDATE node SET online = ?2, status_time = ?3, seen_time = ?3 WHERE name = ?1",
	[SQL_GET_STATUS] = "SELECT online FROM node WHERE name = ?1",
	[SQL_SET_INFO] = "UPDATE node SET label = ?2, info = ?3, seen_time = ?4 WHERE name = ?1",
	[SQL_GET_INFO] = "SELECT info FROM node WHERE name = ?1",
	[SQL_ADD_EVENT] = "INSERT INTO event(time, node, online) VALUES(?1, ?2, ?3)",
	[SQL_REJECT] = "INSERT INTO rejected(time, topic, payload, reason) VALUES(?1, ?2, ?3, ?4)",
	[SQL_TRIM_REJECTED] = "DELETE FROM rejected WHERE id <= (SELECT max(id) FROM rejected) - 1000",
	[SQL_ADD_COMMAND] = "INSERT INTO command(time, node, device, quantity, value, command_id, by)"
			    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_FIND_COMMAND] = "SELECT id, ok FROM command WHERE command_id = ?1 AND node = ?2 AND device = ?3"
			     " AND quantity = ?4 ORDER BY id DESC LIMIT 1",
	[SQL_SET_RESULT] = "UPDATE command SET result_time = ?2, ok = ?3, result_value = ?4, error = ?5 WHERE id = ?1",
	[SQL_ADD_RESULT] = "INSERT INTO command(time, node, device, quantity, command_id, by, result_time, ok, result_value, error)"
			   " VALUES(?1, ?2, ?3, ?4, ?5, '', ?1, ?6, ?7, ?8)",
	[SQL_SAVE_STATE] = "INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2",
	[SQL_DELETE_STATE] = "DELETE FROM meta WHERE name = ?1",
	[SQL_LOAD_STATE] = "SELECT value FROM meta WHERE name = ?1",
	[SQL_SET_ROLLUP] = "INSERT INTO meta_rollup(quantity, closed, raw_from, five_min_from) VALUES(?1, ?2, ?3, ?4)"
			   " ON CONFLICT(quantity) DO UPDATE SET closed = ?2, raw_from = ?3, five_min_from = ?4",
	[SQL_GET_ROLLUP] = "SELECT closed, raw_from, five_min_from FROM meta_rollup WHERE quantity = ?1",
	[SQL_MARK_LATE] = "INSERT INTO meta_late(quantity, span) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
	[SQL_NEXT_LATE] = "SELECT span FROM meta_late WHERE quantity = ?1 ORDER BY span LIMIT 1",
	[SQL_CLEAR_LATE] = "DELETE FROM meta_late WHERE quantity = ?1 AND span = ?2",
	[SQL_LATE_BEFORE] = "SELECT span FROM meta_late WHERE quantity = ?1 AND span < ?2 ORDER BY span DESC",
};

#define MERGE(level)                                                                                                               \
	"INSERT INTO \"%w_" level "\"(series, time, count, mean, min, max, last)"                                                  \
	" SELECT a.series, ?3, a.n, a.mean, a.low, a.high,"                                                                        \
	"  (SELECT value FROM \"%w\" AS l WHERE l.time = a.latest AND l.series = a.series)"                                        \
	" FROM (SELECT series, count(*) AS n, iif(?4, avg(value), NULL) AS mean, iif(?4, min(value), NULL) AS low,"                \
	"   iif(?4, max(value), NULL) AS high, max(time) AS latest"                                                                \
	"  FROM \"%w\" WHERE time >= ?1 AND time < ?2 GROUP BY series) AS a WHERE true"                                            \
	" ON CONFLICT(series, time) DO UPDATE SET mean = iif(?5, (mean * count + excluded.mean * excluded.count)"                  \
	"   / (count + excluded.count), mean), count = count + excluded.count, min = min(min, excluded.min),"                      \
	"  max = max(max, excluded.max)"

/* %w is the quantity's name, checked by quantity_name_valid and quoted all the same. Numbers of a rollup: mean of a binary quantity is the share
 * of time on; last is the value at the span's end. */
static const char *const table_texts[TABLE_STATEMENTS] = {
	[TABLE_INSERT] = "INSERT INTO \"%w\"(time, series, value) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
	[TABLE_VALUE_AT] = "SELECT value FROM \"%w\" WHERE time = ?1 AND series = ?2",
	[TABLE_ROWS] = "SELECT time, value FROM \"%w\" WHERE time >= ?1 AND time < ?2 AND series = ?3"
		       " ORDER BY time LIMIT ?4",
	[TABLE_ROWS_DOWN] = "SELECT time, value FROM \"%w\" WHERE time >= ?1 AND time < ?2 AND series = ?3"
			    " ORDER BY time DESC LIMIT ?4",
	[TABLE_COUNT_ROWS] = "SELECT count(*) FROM (SELECT 1 FROM \"%w\" WHERE time >= ?1 AND time < ?2 LIMIT ?3)",
	[TABLE_NEXT_TIME] = "SELECT min(time) FROM \"%w\" WHERE time >= ?1",
	[TABLE_SPANS_DOWN] = "SELECT time FROM \"%w_5min\" WHERE series = ?1 AND time < ?2 ORDER BY time DESC",
	[TABLE_FIVE_MIN] = "SELECT time, count, mean, min, max, last FROM \"%w_5min\""
			   " WHERE series = ?1 AND time >= ?2 AND time < ?3 ORDER BY time",
	[TABLE_HOUR] = "SELECT time, count, mean, min, max, last FROM \"%w_hour\""
		       " WHERE series = ?1 AND time >= ?2 AND time < ?3 ORDER BY time",
	[TABLE_MAKE_FIVE_MIN] =
		"INSERT INTO \"%w_5min\"(series, time, count, mean, min, max, last)"
		" SELECT a.series, ?1, a.n, a.mean, a.low, a.high,"
		"  (SELECT value FROM \"%w\" AS l WHERE l.time = a.latest AND l.series = a.series)"
		" FROM (SELECT series, count(*) AS n, iif(?3, avg(value), NULL) AS mean, iif(?3, min(value), NULL) AS low,"
		"   iif(?3, max(value), NULL) AS high, max(time) AS latest"
		"  FROM \"%w\" WHERE time >= ?1 AND time < ?2 GROUP BY series) AS a",
	[TABLE_MAKE_HOUR] =
		"INSERT INTO \"%w_hour\"(series, time, count, mean, min, max, last)"
		" SELECT a.series, ?1, a.n, a.mean, a.low, a.high,"
		"  (SELECT last FROM \"%w_5min\" AS l WHERE l.series = a.series AND l.time = a.latest)"
		" FROM (SELECT s.id AS series, sum(r.count) AS n, sum(r.mean * r.count) / sum(r.count) AS mean, min(r.min) AS low,"
		"   max(r.max) AS high, max(r.time) AS latest"
		"  FROM series AS s JOIN \"%w_5min\" AS r ON r.series = s.id AND r.time >= ?1 AND r.time < ?2"
		"  WHERE s.quantity = ?3 GROUP BY s.id) AS a WHERE true"
		" ON CONFLICT(series, time) DO UPDATE SET count = excluded.count, mean = excluded.mean, min = excluded.min,"
		"  max = excluded.max, last = excluded.last",
	[TABLE_CLEAR_FIVE_MIN] = "DELETE FROM \"%w_5min\" WHERE time = ?1 AND series IN"
				 " (SELECT id FROM series WHERE quantity = ?2)",
	/* Readings that came when the rows of their span were gone: the rollups stand for those, and take these in. ?1 to ?2 the raw rows,
	 * ?3 where the rollup begins, ?4 no text, ?5 a number: the share of time that a binary was on stays as it is. */
	[TABLE_MERGE_FIVE_MIN] = MERGE("5min"),
	[TABLE_MERGE_HOUR] = MERGE("hour"),
	[TABLE_STATE_BEFORE] =
		"SELECT coalesce((SELECT last FROM \"%w_5min\" WHERE series = ?1 AND time < ?2 ORDER BY time DESC LIMIT 1),"
		" (SELECT last FROM \"%w_hour\" WHERE series = ?1 AND time <= ?2 - 3600000 ORDER BY time DESC LIMIT 1))",
	[TABLE_SPAN_STATES] = "SELECT series, time, value, NULL FROM \"%w\" WHERE time >= ?1 AND time < ?2 ORDER BY series, time",
	[TABLE_HOUR_STATES] = "SELECT r.series, r.time, r.last, r.mean FROM series AS s JOIN \"%w_5min\" AS r ON r.series = s.id"
			      " AND r.time >= ?1 AND r.time < ?2 WHERE s.quantity = ?3 ORDER BY r.series, r.time",
	[TABLE_SHARE_FIVE_MIN] = "UPDATE \"%w_5min\" SET mean = ?3 WHERE series = ?1 AND time = ?2",
	[TABLE_SHARE_HOUR] = "UPDATE \"%w_hour\" SET mean = ?3 WHERE series = ?1 AND time = ?2",
	/* Where a late reading changes what a span ends with, the next one that has rows began with another state than was believed. */
	[TABLE_MARK_NEXT] =
		"INSERT INTO meta_late(quantity, span) SELECT DISTINCT ?3, next FROM (SELECT"
		"  (SELECT min(time) FROM \"%w_5min\" AS f WHERE f.series = s.id AND f.time > ?1) AS next,"
		"  (SELECT value FROM \"%w\" AS v WHERE v.time >= ?1 AND v.time < ?2 AND v.series = s.id ORDER BY v.time DESC "
		"LIMIT 1) AS now,"
		"  (SELECT last FROM \"%w_5min\" AS o WHERE o.series = s.id AND o.time = ?1) AS old"
		"  FROM series AS s WHERE s.quantity = ?3) WHERE next IS NOT NULL AND now IS NOT old ON CONFLICT DO NOTHING",
	[TABLE_DELETE_SPAN] = "DELETE FROM \"%w\" WHERE time >= ?1 AND time < ?2",
	[TABLE_DELETE_RAW] = "DELETE FROM \"%w\" WHERE time < ?1",
	[TABLE_DELETE_FIVE_MIN] = "DELETE FROM \"%w_5min\" WHERE series IN (SELECT id FROM series WHERE quantity = ?2)"
				  " AND time < ?1",
};

int store_read_version(struct store *store, int *ret_version)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		*ret_version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return r == SQLITE_ROW ? 0 : store_fail(store, r);
}

int store_migrate(struct store *store)
{
	char set_version[48];
	int version = 0, r = store_read_version(store, &version);

	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION) {
		snprintf(store->error, sizeof(store->error),
			 "%s: schema version %d is newer than the %d of this program: install the newer Foyer", store->path,
			 version, SCHEMA_VERSION);
		return -EPROTO;
	}
	if (version == SCHEMA_VERSION)
		return 0;
	if (store->mode == STORE_READ) {
		snprintf(store->error, sizeof(store->error), "%s: not ready yet: the collector brings it up to date", store->path);
		return -ENOENT;
	}
	r = store_begin(store);
	for (int i = version; r == 0 && i < SCHEMA_VERSION; i++)
		r = store_fail(store, sqlite3_exec(store->db, migrations[i], NULL, NULL, NULL));
	snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", SCHEMA_VERSION);
	if (r == 0)
		r = store_fail(store, sqlite3_exec(store->db, set_version, NULL, NULL, NULL));
	if (r == 0)
		return store_commit(store);
	store_rollback(store);
	return r;
}

static int prepare(struct store *store, const char *text, sqlite3_stmt **slot, sqlite3_stmt **ret_statement)
{
	int r = SQLITE_OK;

	if (!*slot)
		r = sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
	if (r != SQLITE_OK)
		return store_fail(store, r);
	*ret_statement = *slot;
	return 0;
}

int store_prepare(struct store *store, enum statement which, sqlite3_stmt **ret_statement)
{
	return prepare(store, texts[which], &store->statements[which], ret_statement);
}

int store_table_statement(struct store *store, struct table *table, enum table_statement which, sqlite3_stmt **ret_statement)
{
	char *text;
	int r;

	if (table->statements[which]) {
		*ret_statement = table->statements[which];
		return 0;
	}
	/* No text names the quantity more than three times. */
	text = sqlite3_mprintf(table_texts[which], table->name, table->name, table->name);
	if (!text)
		return -ENOMEM;
	r = prepare(store, text, &table->statements[which], ret_statement);
	sqlite3_free(text);
	return r;
}

int store_make_table(struct store *store, const char *quantity)
{
	char *text = sqlite3_mprintf(
		"CREATE TABLE IF NOT EXISTS \"%w\"(time INTEGER, series INTEGER, value, PRIMARY KEY(time, series)) WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS \"%w_5min\"(series INTEGER, time INTEGER, count INTEGER, mean, min, max, last,"
		"  PRIMARY KEY(series, time)) WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS \"%w_hour\"(series INTEGER, time INTEGER, count INTEGER, mean, min, max, last,"
		"  PRIMARY KEY(series, time)) WITHOUT ROWID;"
		"CREATE VIEW IF NOT EXISTS \"%w_view\" AS SELECT s.node AS node, s.device AS device,"
		"  strftime('%%Y-%%m-%%d %%H:%%M:%%f', q.time / 1000.0, 'unixepoch', 'localtime') AS local_time,"
		"  q.value AS value, s.unit AS unit, q.time AS time FROM \"%w\" AS q JOIN series AS s ON s.id = q.series;",
		quantity, quantity, quantity, quantity, quantity);
	int r = text ? store_fail(store, sqlite3_exec(store->db, text, NULL, NULL, NULL)) : -ENOMEM;

	sqlite3_free(text);
	return r;
}
