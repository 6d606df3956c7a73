/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* How rows lie in the file, and that nobody who asks by SQL needs to know: the views, what came before them, and the way back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"
#define ALL "SELECT group_concat((time - 1767261600000) || '=' || value, ' ') FROM (SELECT * FROM temperature ORDER BY time)"

static int open_late(void **state)
{
	fake_wall_ms = TEN_OCLOCK + 1000 * HOUR;
	return house_open(state);
}

/* ---- what a person with sqlite3 sees ----------------------------------------------------------------------------------------------- */

static void committed_readings_are_seen_wherever_they_lie(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 20.5);
	house_commit();
	house_maintain(TEN_OCLOCK + 2 * HOUR); /* now in their table */
	assert_string_equal("1", house_query("SELECT count(*) FROM _raw_temperature"));
	house_append(AIR, TEN_OCLOCK + 1, 21);
	house_append("salon/air/humidity", TEN_OCLOCK + 1, 48);
	house_commit();
	assert_string_equal("1", house_query("SELECT count(*) FROM _raw_temperature"));
	assert_string_equal("0=20.5 1=21", house_query(ALL));
	assert_string_equal("21", house_query("SELECT value FROM temperature ORDER BY time DESC LIMIT 5"));
	assert_string_equal("48", house_query("SELECT value FROM humidity"));
	assert_string_equal("2", house_query("SELECT count(*) FROM temperature_view WHERE device = 'air'"));
}

static void numbers_are_what_they_were_in_sql_too(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, -0.07);
	house_append(AIR, TEN_OCLOCK + 1, 21);
	house_append(AIR, TEN_OCLOCK + 2, 21.123);
	house_append(AIR, TEN_OCLOCK + 3, 1.0 / 3);
	house_commit();
	assert_string_equal("0=-0.07 1=21 2=21.123 3=0.333333333333333", house_query(ALL));
	house_maintain(TEN_OCLOCK + 2 * HOUR);
	assert_string_equal("0=-0.07 1=21 2=21.123 3=0.333333333333333", house_query(ALL));
	assert_string_equal("-7", house_query("SELECT value FROM _raw_temperature")); /* a byte instead of eight */
	assert_string_equal("21.123", house_query("SELECT max(max) FROM temperature_5min"));
}

static void the_newest_are_found_without_looking_through_all(void **state)
{
	sqlite3_stmt *statement;
	sqlite3 *db;

	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_commit();
	assert_int_equal(SQLITE_OK, sqlite3_open(house_path(), &db));
	assert_int_equal(SQLITE_OK,
			 sqlite3_prepare_v2(db, "SELECT * FROM temperature ORDER BY time DESC LIMIT 5", -1, &statement, NULL));
	for (int i = 0; i < 3000; i++)
		house_append(AIR, TEN_OCLOCK + 1 + i, i);
	house_maintain(TEN_OCLOCK + 2 * HOUR);
	for (int i = 0; i < 5; i++)
		assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
	assert_true(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) <
		    1100); /* at most those of the newest commits */
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void a_person_may_put_in_and_take_out_readings_by_hand(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_append(AIR, TEN_OCLOCK + MINUTE, 99);
	house_maintain(TEN_OCLOCK + 2 * HOUR);
	house_append(AIR, TEN_OCLOCK + 2 * HOUR, 98);
	house_append(AIR, TEN_OCLOCK + 2 * HOUR + 1, 22);
	house_commit();
	house_execute("DELETE FROM temperature WHERE value > 90"); /* one in the table, one among the newest */
	house_execute("INSERT INTO temperature(time, series, value) VALUES(1767261602000, 1, 20.5)");
	house_execute("INSERT INTO temperature VALUES(1767261603000, 1, 0.1)");
	assert_string_equal("0=20 2000=20.5 3000=0.1 7200001=22", house_query(ALL));
	house_maintain(TEN_OCLOCK + 4 * HOUR);
	assert_string_equal("0=20 2000=20.5 3000=0.1 7200001=22", house_query(ALL));
	assert_string_equal("3", house_query("SELECT count FROM temperature_hour"));
	assert_string_equal("20.5", house_query("SELECT max FROM temperature_hour"));
}

/* ---- the newest ones --------------------------------------------------------------------------------------------------------------- */

static void the_newest_readings_are_known_after_a_restart(void **state)
{
	struct point points[10];
	struct series series = house_series(AIR);

	(void)state;
	house_append(AIR, TEN_OCLOCK, 20.5);
	house_append("salon/air/humidity", TEN_OCLOCK, 48);
	house_commit();
	house_reopen();
	assert_int_equal(0, house_append(AIR, TEN_OCLOCK, 20.5));
	assert_int_equal(-EEXIST, house_append("salon/air/humidity", TEN_OCLOCK, 49));
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + 1, 21));
	house_commit();
	assert_int_equal(2, store_read_last(house, &series, INT64_MAX, 10, points));
	assert_float_equal(20.5, points[0].mean, 0);
	assert_string_equal("3", house_query("SELECT count(*) FROM _recent"));
	assert_string_equal("0=20.5 1=21", house_query(ALL));
}

static void what_was_rolled_back_leaves_the_newest_as_they_were(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_commit();
	for (int i = 1; i < 3000; i++) /* more than are gathered */
		house_append(AIR, TEN_OCLOCK + i, i);
	house_append("salon/air/humidity", TEN_OCLOCK, 48);
	store_rollback(house);
	assert_int_equal(0, house_append(AIR, TEN_OCLOCK, 20));
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + 1, 5));
	house_commit();
	assert_string_equal("0=20 1=5", house_query(ALL));
}

static void places_are_used_again_and_what_stood_there_does_not_count(void **state)
{
	(void)state;
	for (int hour = 0; hour < 3; hour++) {
		for (int i = 0; i < 500 - hour * 100; i++)
			house_append(AIR, TEN_OCLOCK + hour * HOUR + i, i);
		house_maintain(TEN_OCLOCK + (hour + 1) * HOUR + MINUTE);
	}
	house_append(AIR, TEN_OCLOCK + 4 * HOUR, 1);
	house_commit();
	assert_string_equal("500", house_query("SELECT count(*) FROM _recent"));
	assert_string_equal("1201", house_query("SELECT count(*) FROM temperature"));
	assert_string_equal("1200", house_query("SELECT sum(count) FROM temperature_hour"));
}

static void a_full_batch_goes_to_its_tables_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++)
		house_append(i % 2 ? AIR : "cave/air/humidity", TEN_OCLOCK + i, i % 50);
	house_commit();
	assert_string_equal("2500", house_query("SELECT count(*) FROM _raw_temperature"));
	assert_string_equal("0", house_query("SELECT count(*) FROM _recent"));
	assert_int_equal(0, house_append(AIR, TEN_OCLOCK + 1, 1));
	assert_int_equal(-EEXIST, house_append(AIR, TEN_OCLOCK + 1, 2));
}

static void late_readings_among_the_newest_are_found_at_their_time(void **state)
{
	struct point points[10];
	struct series series = house_series(AIR);

	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	house_append(AIR, TEN_OCLOCK + 2, 3);
	house_maintain(TEN_OCLOCK + 2 * HOUR);
	house_append(AIR, TEN_OCLOCK + 1, 2);
	house_append(AIR, TEN_OCLOCK - HOUR, 0);
	house_commit();
	assert_int_equal(4, store_read_last(house, &series, INT64_MAX, 10, points));
	for (int i = 0; i < 4; i++)
		assert_float_equal(i, points[i].mean, 0);
	assert_int_equal(2, store_read_last(house, &series, TEN_OCLOCK + 1, 10, points));
}

static int read_again(void *context, const struct reading *reading)
{
	const struct store_scan scan = { INT64_MIN, INT64_MAX, 0, true };
	int *depth = context;

	if (*depth < 2) {
		(*depth)++;
		assert_int_equal(0, store_each_reading(house, &reading->series, &scan, read_again, depth));
		(*depth)--;
	}
	depth[1]++;
	return 0;
}

static void who_is_given_readings_may_ask_for_others_meanwhile(void **state)
{
	const struct store_scan scan = { INT64_MIN, INT64_MAX, 0, false };
	struct series series = house_series(AIR);
	int depth[2] = { 0, 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		house_append(AIR, TEN_OCLOCK + i * 20 * MINUTE, i);
	house_maintain(TEN_OCLOCK + 2 * HOUR);
	house_append(AIR, TEN_OCLOCK + 2 * HOUR, 3);
	house_commit();
	assert_int_equal(0, store_each_reading(house, &series, &scan, read_again, depth));
	assert_int_equal(4 + 4 * 4 + 4 * 4 * 4, depth[1]);
}

/* ---- a file of version 1 ----------------------------------------------------------------------------------------------------------- */

#define QUANTITY_1(q)                                                                                                              \
	"CREATE TABLE " q "(time INTEGER, series INTEGER, value, PRIMARY KEY(time, series)) WITHOUT ROWID;"                        \
	"CREATE TABLE " q "_5min(series INTEGER, time INTEGER, count INTEGER, mean, min, max, last, PRIMARY KEY(series, time))"    \
	" WITHOUT ROWID;"                                                                                                          \
	"CREATE TABLE " q "_hour(series INTEGER, time INTEGER, count INTEGER, mean, min, max, last, PRIMARY KEY(series, time))"    \
	" WITHOUT ROWID;"                                                                                                          \
	"CREATE VIEW " q "_view AS SELECT s.node AS node, s.device AS device, strftime('%Y-%m-%d %H:%M:%f', q.time / 1000.0,"      \
	" 'unixepoch', 'localtime') AS local_time, q.value AS value, s.unit AS unit, q.time AS time"                               \
	" FROM " q " AS q JOIN series AS s ON s.id = q.series;"

static const char version_1[] =
	"PRAGMA page_size = 1024; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE node(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, label TEXT NOT NULL DEFAULT '', online INTEGER,"
	" status_time INTEGER, seen_time INTEGER, info TEXT);"
	"CREATE TABLE series(id INTEGER PRIMARY KEY, node TEXT NOT NULL, device TEXT NOT NULL, quantity TEXT NOT NULL,"
	" unit TEXT NOT NULL, UNIQUE(node, device, quantity));"
	"CREATE TABLE event(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, node TEXT NOT NULL, online INTEGER NOT NULL);"
	"CREATE INDEX _event_time ON event(time);"
	"CREATE TABLE command(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, node TEXT NOT NULL, device TEXT NOT NULL,"
	" quantity TEXT NOT NULL, value, command_id TEXT NOT NULL, by TEXT NOT NULL, result_time INTEGER, ok INTEGER, result_value,"
	" error TEXT);"
	"CREATE INDEX _command_time ON command(time);"
	"CREATE INDEX _command_command_id ON command(command_id);"
	"CREATE TABLE rejected(id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB,"
	" reason TEXT NOT NULL);"
	"CREATE TABLE meta_rollup(quantity TEXT PRIMARY KEY, closed INTEGER NOT NULL, raw_from INTEGER NOT NULL,"
	" five_min_from INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE meta_late(quantity TEXT, span INTEGER, PRIMARY KEY(quantity, span)) WITHOUT ROWID;" QUANTITY_1("temperature")
		QUANTITY_1("badge") "INSERT INTO node(id, name) VALUES(1, 'salon');"
				    "INSERT INTO series VALUES(1, 'salon', 'air', 'temperature', '°C'), (2, 'salon', 'rfid', "
				    "'badge', '');"
				    "INSERT INTO temperature VALUES(1767261600000, 1, 21), (1767261660000, 1, 20.5), "
				    "(1767265200000, 1, 7);"
				    "INSERT INTO badge VALUES(1767261600000, 2, '04:A2');"
				    "INSERT INTO temperature_5min VALUES(1, 1767261600000, 2, 20.75, 20.5, 21, 20.5);"
				    "INSERT INTO temperature_hour VALUES(1, 1767261600000, 2, 20.75, 20.5, 21, 20.5);"
				    "INSERT INTO meta VALUES('bare', x'010203');"
				    "INSERT INTO meta_rollup VALUES('temperature', 1767265200000, 0, 0), ('badge', 1767261600000, "
				    "0, 0);"
				    "INSERT INTO event VALUES(1, 1767261600000, 'salon', 1);"
				    "PRAGMA user_version = 1;";

static int make_version_1(void **state)
{
	(void)state;
	fake_wall_ms = TEN_OCLOCK + 1000 * HOUR;
	folder_make();
	house_execute(version_1);
	return 0;
}

static void open_version_1(void)
{
	char error[STORE_ERROR_MAX] = "";

	if (store_open(house_path(), STORE_WRITE, &house, error) < 0)
		fail_msg("%s", error);
}

static int count_event(void *context, const struct store_event *event)
{
	(void)event;
	++*(int *)context;
	return 0;
}

static void a_file_of_version_1_is_brought_forward(void **state)
{
	const struct store_event_query query = { .before_ms = INT64_MAX, .limit = 10 };
	struct series series = house_series(AIR);
	struct point points[10];
	char data[8];
	int events = 0;

	(void)state;
	open_version_1();
	assert_string_equal("3", house_query("PRAGMA user_version"));
	assert_string_equal("0=21 60000=20.5 3600000=7", house_query(ALL));
	assert_int_equal(3, store_read_last(house, &series, INT64_MAX, 10, points));
	assert_float_equal(21, points[0].mean, 0);
	assert_int_equal(3, store_load_state(house, "bare", data, sizeof(data)));
	assert_int_equal(0, store_each_event(house, &query, count_event, &events));
	assert_int_equal(2, events);
	assert_int_equal(0, house_append(AIR, TEN_OCLOCK, 21)); /* known of old */
	assert_int_equal(-EEXIST, house_append(AIR, TEN_OCLOCK + MINUTE, 20));
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + HOUR + MINUTE, 8.25));
	assert_int_equal(1, house_append_text("salon/rfid/badge", TEN_OCLOCK + HOUR, "17:FF"));
	house_maintain(TEN_OCLOCK + 3 * HOUR);
	assert_string_equal("0=21 60000=20.5 3600000=7 3660000=8.25", house_query(ALL));
	assert_string_equal("7.625", house_query("SELECT mean FROM temperature_hour ORDER BY time DESC"));
	assert_string_equal("17:FF", house_query("SELECT value FROM badge_view ORDER BY time DESC"));
	house_append("salon/air/humidity", TEN_OCLOCK, 48.5);
	house_commit();
	assert_string_equal("48.5", house_query("SELECT value FROM humidity_view"));
	assert_string_equal("ok", house_query("PRAGMA integrity_check"));
}

static void a_reader_waits_until_it_is_brought_forward(void **state)
{
	char error[STORE_ERROR_MAX] = "";
	struct store *reader;

	(void)state;
	assert_int_equal(-ENOENT, store_open(house_path(), STORE_READ, &reader, error));
	assert_non_null(strstr(error, "up to date"));
	open_version_1();
	assert_int_equal(0, store_open(house_path(), STORE_READ, &reader, error));
	store_close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_late, house_close)
#define OLD(name) cmocka_unit_test_setup_teardown(name, make_version_1, house_close)
	const struct CMUnitTest tests[] = {
		TEST(committed_readings_are_seen_wherever_they_lie),
		TEST(numbers_are_what_they_were_in_sql_too),
		TEST(the_newest_are_found_without_looking_through_all),
		TEST(a_person_may_put_in_and_take_out_readings_by_hand),
		TEST(the_newest_readings_are_known_after_a_restart),
		TEST(what_was_rolled_back_leaves_the_newest_as_they_were),
		TEST(places_are_used_again_and_what_stood_there_does_not_count),
		TEST(a_full_batch_goes_to_its_tables_at_once),
		TEST(late_readings_among_the_newest_are_found_at_their_time),
		TEST(who_is_given_readings_may_ask_for_others_meanwhile),
		OLD(a_file_of_version_1_is_brought_forward),
		OLD(a_reader_waits_until_it_is_brought_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
