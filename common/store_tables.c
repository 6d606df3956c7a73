/* Tables, views and statements of a quantity. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_sqlite.h"

#define THIS_TURN "turn = (SELECT value FROM meta WHERE name = '_turn')"
#define ROWS_BETWEEN " WHERE time >= ?1 AND time < ?2 AND series = ?3"
#define ALL_ROWS                                                                                                                   \
	"SELECT time, $v FROM \"_raw_$q\"" ROWS_BETWEEN " UNION ALL SELECT time, $v FROM _recent" ROWS_BETWEEN " AND " THIS_TURN

#define MERGE(level)                                                                                                               \
	"INSERT INTO \"$q_" level "\"(series, time, count, mean, min, max, last)"                                                  \
	" SELECT a.series, ?3, a.n, a.mean, a.low, a.high,"                                                                        \
	"  (SELECT $v FROM \"_raw_$q\" AS l WHERE l.time = a.latest AND l.series = a.series)"                                      \
	" FROM (SELECT series, count(*) AS n, iif(?4, avg($v), NULL) AS mean, iif(?4, min($v), NULL) AS low,"                      \
	"   iif(?4, max($v), NULL) AS high, max(time) AS latest"                                                                   \
	"  FROM \"_raw_$q\" WHERE time >= ?1 AND time < ?2 GROUP BY series) AS a WHERE true"                                       \
	" ON CONFLICT(series, time) DO UPDATE SET mean = iif(?5, (mean * count + excluded.mean * excluded.count)"                  \
	"   / (count + excluded.count), mean), count = count + excluded.count, min = min(min, excluded.min),"                      \
	"  max = max(max, excluded.max)"

/* A rollup of all series from the level below it. ?1 to ?2 its span, ?3 the quantity. */
#define MAKE_FROM(level, below)                                                                                                    \
	"INSERT INTO \"$q_" level "\"(series, time, count, mean, min, max, last)"                                                  \
	" SELECT a.series, ?1, a.n, a.mean, a.low, a.high,"                                                                        \
	"  (SELECT last FROM \"$q_" below "\" AS l WHERE l.series = a.series AND l.time = a.latest)"                               \
	" FROM (SELECT s.id AS series, sum(r.count) AS n, sum(r.mean * r.count) / sum(r.count) AS mean, min(r.min) AS low,"        \
	"   max(r.max) AS high, max(r.time) AS latest"                                                                             \
	"  FROM series AS s JOIN \"$q_" below "\" AS r ON r.series = s.id AND r.time >= ?1 AND r.time < ?2"                        \
	"  WHERE s.quantity = ?3 GROUP BY s.id) AS a WHERE true"                                                                   \
	" ON CONFLICT(series, time) DO UPDATE SET count = excluded.count, mean = excluded.mean, min = excluded.min,"               \
	"  max = excluded.max, last = excluded.last"

#define STATES(level)                                                                                                              \
	"SELECT r.series, r.time, r.last, r.mean FROM series AS s JOIN \"$q_" level "\" AS r ON r.series = s.id"                   \
	" AND r.time >= ?1 AND r.time < ?2 WHERE s.quantity = ?3 ORDER BY r.series, r.time"

/* Of each series of the quantity ?2 the first row from, or after, ?1. */
#define FIRST_OF_EACH(level, is)                                                                                                   \
	"WITH firsts AS (SELECT (SELECT min(r.time) FROM \"$q_" level "\" AS r WHERE r.series = s.id AND r.time " is               \
	" ?1) AS time"                                                                                                             \
	"  FROM series AS s WHERE s.quantity = ?2) "

/* $q is the quantity's name, checked by quantity_name_valid and quoted all the same; $v what the column "value" means. Numbers of a rollup:
 * mean of a binary quantity is the share of time on; last is the value at the span's end. */
static const char *const table_texts[TABLE_STATEMENTS] = {
	[TABLE_INSERT] = "INSERT INTO \"_raw_$q\"(time, series, value) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
	[TABLE_VALUE_AT] = "SELECT $v FROM \"_raw_$q\" WHERE time = ?1 AND series = ?2",
	[TABLE_SETTLE] = "INSERT INTO \"_raw_$q\"(time, series, value) SELECT time, series, value FROM _recent WHERE turn = ?1"
			 " AND series IN (SELECT id FROM series WHERE quantity = ?2) ORDER BY time, series ON CONFLICT DO NOTHING",
	[TABLE_ROWS] = ALL_ROWS " ORDER BY time LIMIT ?4",
	[TABLE_ROWS_DOWN] = ALL_ROWS " ORDER BY time DESC LIMIT ?4",
	[TABLE_SPAN_DOWN] = "SELECT time, $v FROM \"_raw_$q\"" ROWS_BETWEEN " ORDER BY time DESC LIMIT ?4",
	[TABLE_COUNT_ROWS] = "SELECT count(*) FROM (SELECT 1 FROM \"_raw_$q\" WHERE time >= ?1 AND time < ?2 LIMIT ?3)",
	[TABLE_NEXT_TIME] = "SELECT min(time) FROM \"_raw_$q\" WHERE time >= ?1",
	[TABLE_NEWEST] = "SELECT max(time) FROM \"_raw_$q\"",
	[TABLE_SPANS_DOWN] = "SELECT time FROM \"$q_5min\" WHERE series = ?1 AND time < ?2 ORDER BY time DESC",
	[TABLE_FIVE_MIN] = "SELECT time, count, mean, min, max, last FROM \"$q_5min\""
			   " WHERE series = ?1 AND time >= ?2 AND time < ?3 ORDER BY time",
	[TABLE_HOUR] = "SELECT time, count, mean, min, max, last FROM \"$q_hour\""
		       " WHERE series = ?1 AND time >= ?2 AND time < ?3 ORDER BY time",
	[TABLE_BLOCK] = "SELECT time, count, mean, min, max, last FROM \"$q_8hour\""
			" WHERE series = ?1 AND time >= ?2 AND time < ?3 ORDER BY time",
	[TABLE_MAKE_FIVE_MIN] =
		"INSERT INTO \"$q_5min\"(series, time, count, mean, min, max, last)"
		" SELECT a.series, ?1, a.n, a.mean, a.low, a.high,"
		"  (SELECT $v FROM \"_raw_$q\" AS l WHERE l.time = a.latest AND l.series = a.series)"
		" FROM (SELECT series, count(*) AS n, iif(?3, avg($v), NULL) AS mean, iif(?3, min($v), NULL) AS low,"
		"   iif(?3, max($v), NULL) AS high, max(time) AS latest"
		"  FROM \"_raw_$q\" WHERE time >= ?1 AND time < ?2 GROUP BY series) AS a",
	[TABLE_MAKE_HOUR] = MAKE_FROM("hour", "5min"),
	[TABLE_MAKE_BLOCK] = MAKE_FROM("8hour", "hour"),
	[TABLE_CLEAR_FIVE_MIN] = "DELETE FROM \"$q_5min\" WHERE time = ?1 AND series IN"
				 " (SELECT id FROM series WHERE quantity = ?2)",
	/* Readings that came when the rows of their span were gone: the rollups stand for those, and take these in. ?1 to ?2 the raw rows,
	 * ?3 where the rollup begins, ?4 no text, ?5 a number: the share of time that a binary was on stays as it is. */
	[TABLE_MERGE_FIVE_MIN] = MERGE("5min"),
	[TABLE_MERGE_HOUR] = MERGE("hour"),
	[TABLE_STATE_BEFORE] =
		"SELECT coalesce((SELECT last FROM \"$q_5min\" WHERE series = ?1 AND time < ?2 ORDER BY time DESC LIMIT 1),"
		" (SELECT last FROM \"$q_hour\" WHERE series = ?1 AND time <= ?2 - 3600000 ORDER BY time DESC LIMIT 1))",
	[TABLE_HOUR_BEFORE] = "SELECT last FROM \"$q_hour\" WHERE series = ?1 AND time < ?2 ORDER BY time DESC LIMIT 1",
	[TABLE_SPAN_STATES] = "SELECT series, time, $v, NULL FROM \"_raw_$q\" WHERE time >= ?1 AND time < ?2 ORDER BY series, time",
	[TABLE_HOUR_STATES] = STATES("5min"),
	[TABLE_BLOCK_STATES] = STATES("hour"),
	[TABLE_SHARE_FIVE_MIN] = "UPDATE \"$q_5min\" SET mean = ?3 WHERE series = ?1 AND time = ?2",
	[TABLE_SHARE_HOUR] = "UPDATE \"$q_hour\" SET mean = ?3 WHERE series = ?1 AND time = ?2",
	[TABLE_SHARE_BLOCK] = "UPDATE \"$q_8hour\" SET mean = ?3 WHERE series = ?1 AND time = ?2",
	[TABLE_CLEAR_HOUR] = "DELETE FROM \"$q_hour\" WHERE time >= ?1 AND time < ?2 AND series IN"
			     " (SELECT id FROM series WHERE quantity = ?3)",
	[TABLE_CLEAR_BLOCK] = "DELETE FROM \"$q_8hour\" WHERE time >= ?1 AND time < ?2 AND series IN"
			      " (SELECT id FROM series WHERE quantity = ?3)",
	[TABLE_NEXT_HOUR] = FIRST_OF_EACH("hour", ">=") "SELECT min(time) FROM firsts",
	[TABLE_NEXT_BLOCK] = FIRST_OF_EACH("8hour", ">") "SELECT min(time) FROM firsts WHERE time > ?3",
	/* Where a late reading changes what a span ends with, the next one that has rows began with another state than was believed. */
	[TABLE_MARK_NEXT] =
		"INSERT INTO meta_late(quantity, span) SELECT DISTINCT ?3, next FROM (SELECT"
		"  (SELECT min(time) FROM \"$q_5min\" AS f WHERE f.series = s.id AND f.time > ?1) AS next,"
		"  (SELECT $v FROM \"_raw_$q\" AS v WHERE v.time >= ?1 AND v.time < ?2 AND v.series = s.id ORDER BY v.time DESC "
		"LIMIT 1) AS now,"
		"  (SELECT last FROM \"$q_5min\" AS o WHERE o.series = s.id AND o.time = ?1) AS old"
		"  FROM series AS s WHERE s.quantity = ?3) WHERE next IS NOT NULL AND now IS NOT old ON CONFLICT DO NOTHING",
	[TABLE_DELETE_SPAN] = "DELETE FROM \"_raw_$q\" WHERE time >= ?1 AND time < ?2",
	[TABLE_DELETE_RAW] = "DELETE FROM \"_raw_$q\" WHERE time < ?1",
	[TABLE_OLDEST_FIVE_MIN] =
		"SELECT min(oldest) FROM (SELECT (SELECT min(time) FROM \"$q_5min\" AS r WHERE r.series = s.id) AS oldest"
		" FROM series AS s WHERE s.quantity = ?1)",
	[TABLE_DELETE_FIVE_MIN] = "DELETE FROM \"$q_5min\" WHERE series IN (SELECT id FROM series WHERE quantity = ?2)"
				  " AND time < ?1",
};

/* ---- statements of a quantity ----------------------------------------------------------------------------------------------------- */

int store_scale_of(const struct quantity_info *info)
{
	if (info->kind != QUANTITY_KIND_NUMBER)
		return 1;
	return info->decimals < 2 ? 100 : 1000;
}

/* What a column "value" means, as SQL. A whole number stays one: 21, not 21.0. */
static void add_value(sqlite3_str *out, int scale)
{
	if (scale == 1)
		sqlite3_str_appendall(out, "value");
	else
		sqlite3_str_appendf(out, "iif(typeof(value) = 'integer', iif(value %% %d, value / %d.0, value / %d), value)", scale,
				    scale, scale);
}

/* The other way: how a new number is kept. */
static void add_kept(sqlite3_str *out, int scale)
{
	if (scale == 1)
		sqlite3_str_appendall(out, "NEW.value");
	else
		sqlite3_str_appendf(out,
				    "CASE WHEN typeof(NEW.value) = 'text' THEN NEW.value"
				    " WHEN abs(NEW.value) < 1e12 AND CAST(round(NEW.value * %d) AS INTEGER) / %d.0 = NEW.value"
				    " THEN CAST(round(NEW.value * %d) AS INTEGER) ELSE CAST(NEW.value AS REAL) END",
				    scale, scale, scale);
}

/* Puts in the quantity for $q, what "value" means for $v, how a new one is kept for $n. To be freed by sqlite3_free; NULL without memory. */
static char *expand(const char *text, const char *quantity, int scale)
{
	sqlite3_str *out = sqlite3_str_new(NULL);
	const char *p = text;

	for (size_t len; (len = strcspn(p, "$")), p[len]; p += len + 2) {
		sqlite3_str_append(out, p, (int)len);
		if (p[len + 1] == 'q')
			sqlite3_str_appendall(out, quantity);
		else if (p[len + 1] == 'v')
			add_value(out, scale);
		else
			add_kept(out, scale);
	}
	sqlite3_str_appendall(out, p);
	return sqlite3_str_finish(out);
}

int store_table_statement(struct store *store, struct table *table, enum table_statement which, sqlite3_stmt **ret_statement)
{
	char *text;
	int r;

	if (table->statements[which]) {
		*ret_statement = table->statements[which];
		return 0;
	}
	text = expand(table_texts[which], table->name, table->scale);
	if (!text)
		return -ENOMEM;
	r = store_prepare_text(store, text, &table->statements[which], ret_statement);
	sqlite3_free(text);
	return r;
}

int store_table_query(struct store *store, struct table *table, enum table_statement which, sqlite3_stmt **ret_statement)
{
	sqlite3_stmt *own = NULL;
	char *text;
	int r = store_write_recent(store);

	if (r == 0)
		r = store_table_statement(store, table, which, ret_statement);
	if (r < 0 || !sqlite3_stmt_busy(*ret_statement))
		return r;
	text = expand(table_texts[which], table->name, table->scale);
	if (!text)
		return -ENOMEM;
	r = store_prepare_text(store, text, &own, ret_statement);
	sqlite3_free(text);
	return r;
}

void store_table_done(struct table *table, enum table_statement which, sqlite3_stmt *statement)
{
	if (statement == table->statements[which])
		sqlite3_reset(statement);
	else
		sqlite3_finalize(statement);
}

/* ---- tables and views ------------------------------------------------------------------------------------------------------------- */

#define BLOCK_TABLE                                                                                                                \
	"CREATE TABLE \"$q_8hour\"(series INTEGER, time INTEGER, count INTEGER, mean, min, max, last,"                             \
	"  PRIMARY KEY(series, time)) WITHOUT ROWID;"

static const char tables_text[] =
	"CREATE TABLE \"_raw_$q\"(time INTEGER, series INTEGER, value, PRIMARY KEY(time, series)) WITHOUT ROWID;"
	"CREATE TABLE \"$q_5min\"(series INTEGER, time INTEGER, count INTEGER, mean, min, max, last,"
	"  PRIMARY KEY(series, time)) WITHOUT ROWID;"
	"CREATE TABLE \"$q_hour\"(series INTEGER, time INTEGER, count INTEGER, mean, min, max, last,"
	"  PRIMARY KEY(series, time)) WITHOUT ROWID;" BLOCK_TABLE;

/* Rows that a person puts in or takes out by hand are rolled up anew. */
#define LATE(row)                                                                                                                  \
	"INSERT INTO meta_late(quantity, span) SELECT '$q', " row ".time - " row ".time % 300000 FROM meta_rollup"                 \
	" WHERE quantity = '$q' AND closed > " row ".time ON CONFLICT DO NOTHING;"

static const char views_text[] =
	"CREATE VIEW \"$q\"(time, series, value) AS SELECT time, series, $v FROM \"_raw_$q\""
	" UNION ALL SELECT time, series, $v FROM _recent WHERE " THIS_TURN
	" AND series IN (SELECT id FROM series WHERE quantity = '$q');"
	"CREATE TRIGGER \"_insert_$q\" INSTEAD OF INSERT ON \"$q\" BEGIN"
	" INSERT INTO \"_raw_$q\"(time, series, value) VALUES(NEW.time, NEW.series, $n);" LATE(
		"NEW") " END;"
		       "CREATE TRIGGER \"_delete_$q\" INSTEAD OF DELETE ON \"$q\" BEGIN"
		       " DELETE FROM \"_raw_$q\" WHERE time = OLD.time AND series = OLD.series;"
		       " DELETE FROM _recent WHERE " THIS_TURN " AND time = OLD.time AND series = OLD.series;" LATE(
			       "OLD") " END;"
				      "CREATE VIEW \"$q_view\" AS SELECT s.node AS node, s.device AS device,"
				      "  strftime('%Y-%m-%d %H:%M:%f', q.time / 1000.0, 'unixepoch', 'localtime') AS local_time,"
				      "  q.value AS value, s.unit AS unit, q.time AS time FROM \"$q\" AS q JOIN series AS s ON "
				      "s.id = q.series;";

static int execute(struct store *store, const char *text, const char *quantity, int scale)
{
	char *sql = expand(text, quantity, scale);
	int r = sql ? store_fail(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL)) : -ENOMEM;

	sqlite3_free(sql);
	return r;
}

int store_make_table(struct store *store, const char *quantity, int scale)
{
	int r = execute(store, tables_text, quantity, scale);

	return r < 0 ? r : execute(store, views_text, quantity, scale);
}

/* ---- from older versions ------------------------------------------------------------------------------------------------------------- */

/* The names that a query finds, all of them before fn gets the first: it changes the schema. */
static int each_name(struct store *store, const char *query, int (*fn)(struct store *store, const char *quantity))
{
	sqlite3_stmt *statement = NULL;
	int step = sqlite3_prepare_v2(store->db, query, -1, &statement, NULL);
	char(*names)[QUANTITY_NAME_MAX + 1] = NULL;
	size_t count = 0;
	int r = step == SQLITE_OK ? 0 : store_fail(store, step);

	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		char(*more)[sizeof(*names)] = reallocarray(names, count + 1, sizeof(*names));

		if (!more) {
			r = -ENOMEM;
			break;
		}
		names = more;
		store_column_text(statement, 0, names[count++], sizeof(*names));
	}
	if (r == 0)
		r = store_fail(store, step);
	sqlite3_finalize(statement);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = fn(store, names[i]);
	free(names);
	return r;
}

static int move_table(struct store *store, const char *quantity)
{
	static const char text[] = "DROP VIEW \"$q_view\"; ALTER TABLE \"$q\" RENAME TO \"_raw_$q\";";
	int r = execute(store, text, quantity, 1);

	return r < 0 ? r : execute(store, views_text, quantity, 1);
}

/* From version 1 to 2. Rows stay where and as they are: their numbers are in units of 1. */
int store_move_tables(struct store *store)
{
	return each_name(store,
			 "SELECT name FROM sqlite_master WHERE type = 'table' AND name || '_5min' IN"
			 " (SELECT name FROM sqlite_master)",
			 move_table);
}

static int add_block_table(struct store *store, const char *quantity)
{
	return execute(store, BLOCK_TABLE, quantity, 1);
}

/* From version 2 to 3. */
int store_add_block_tables(struct store *store)
{
	return each_name(store, "SELECT substr(name, 6) FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 5) = '_raw_'",
			 add_block_table);
}
