/* The schema, its versions, and the text of every statement that names no quantity. */
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
	/* Version 2: tables of quantities become views, see store_sqlite.h; store_move_tables does the rest. */
	"ALTER TABLE meta_rollup ADD COLUMN scale INTEGER NOT NULL DEFAULT 1;"
	"CREATE TABLE _recent(slot INTEGER PRIMARY KEY, turn INTEGER, time INTEGER, series INTEGER, value);"
	"INSERT INTO meta(name, value) VALUES('_turn', 1);",
	/* Version 3: blocks of 8 hours, see store_blocks.c. store_add_block_tables makes their tables, the housekeeping fills them. */
	"ALTER TABLE meta_rollup ADD COLUMN blocks INTEGER;",
};

enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(*migrations) };

static const char *const texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SNAPSHOT] = "BEGIN",
	[SQL_ADD_NODE] = "INSERT INTO node(name) VALUES(?1) ON CONFLICT DO NOTHING",
	[SQL_ADD_SERIES] = "INSERT INTO series(node, device, quantity, unit) VALUES(?1, ?2, ?3, ?4)",
	[SQL_FIND_TABLE] = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_raw_' || ?1",
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
	[SQL_SET_ROLLUP] =
		"INSERT INTO meta_rollup(quantity, closed, raw_from, five_min_from, scale, blocks) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
		" ON CONFLICT(quantity) DO UPDATE SET closed = ?2, raw_from = ?3, five_min_from = ?4, blocks = ?6",
	[SQL_GET_ROLLUP] = "SELECT closed, raw_from, five_min_from, scale, blocks FROM meta_rollup WHERE quantity = ?1",
	[SQL_MARK_LATE] = "INSERT INTO meta_late(quantity, span) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
	[SQL_NEXT_LATE] = "SELECT span FROM meta_late WHERE quantity = ?1 ORDER BY span LIMIT 1",
	[SQL_CLEAR_LATE] = "DELETE FROM meta_late WHERE quantity = ?1 AND span = ?2",
	[SQL_LATE_BEFORE] = "SELECT span FROM meta_late WHERE quantity = ?1 AND span < ?2 ORDER BY span DESC",
	[SQL_LATE_WITHIN] = "SELECT 1 FROM meta_late WHERE quantity = ?1 AND span >= ?2 AND span < ?3 LIMIT 1",
	[SQL_STATUS_AT] = "SELECT online FROM event WHERE node = ?1 AND time <= ?2 ORDER BY time DESC, id DESC LIMIT 1",
	[SQL_WENT_AWAY] = "SELECT 1 FROM event WHERE node = ?1 AND time > ?2 AND time < ?3 AND online = 0 LIMIT 1",
	[SQL_PUT_RECENT] = "REPLACE INTO _recent(slot, turn, time, series, value) VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_LOAD_RECENT] = "SELECT r.slot, r.time, r.value, s.node, s.device, s.quantity FROM _recent AS r"
			    " JOIN series AS s ON s.id = r.series WHERE r.turn = ?1 ORDER BY r.slot",
	[SQL_GET_TURN] = "SELECT value FROM meta WHERE name = '_turn'",
	[SQL_SET_TURN] = "UPDATE meta SET value = ?1 WHERE name = '_turn'",
	[SQL_DATA_VERSION] = "PRAGMA data_version", /* changes with each commit of another connection */
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

static int migrate_from(struct store *store, int version)
{
	int r = store_fail(store, sqlite3_exec(store->db, migrations[version], NULL, NULL, NULL));

	if (r == 0 && version == 1)
		r = store_move_tables(store);
	if (r == 0 && version == 2)
		r = store_add_block_tables(store);
	return r;
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
		r = migrate_from(store, i);
	snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", SCHEMA_VERSION);
	if (r == 0)
		r = store_fail(store, sqlite3_exec(store->db, set_version, NULL, NULL, NULL));
	if (r == 0)
		return store_commit(store);
	store_rollback(store);
	return r;
}

int store_prepare_text(struct store *store, const char *text, sqlite3_stmt **slot, sqlite3_stmt **ret_statement)
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
	return store_prepare_text(store, texts[which], &store->statements[which], ret_statement);
}
