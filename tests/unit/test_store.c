/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* What is written, and how a person with sqlite3 finds it: DESIGN 4. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../fakes/clock.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"

static void the_same_reading_twice_is_stored_once(void **state)
{
	(void)state;
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK, 21.4));
	assert_int_equal(0, house_append(AIR, TEN_OCLOCK, 21.4));
	house_commit();
	assert_int_equal(0, house_append(AIR, TEN_OCLOCK, 21.4));
	house_commit();
	assert_string_equal("1", house_query("SELECT count(*) FROM temperature"));
}

static void another_value_at_an_instant_is_refused_and_the_first_stays(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 21.4);
	assert_int_equal(-EEXIST, house_append(AIR, TEN_OCLOCK, 21.5));
	house_append_text("porte/rfid/badge", TEN_OCLOCK, "04:A2");
	assert_int_equal(-EEXIST, house_append_text("porte/rfid/badge", TEN_OCLOCK, "04:a2"));
	house_commit();
	assert_string_equal("21.4", house_query("SELECT value FROM temperature"));
}

static void two_series_may_have_the_same_instant(void **state)
{
	(void)state;
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK, 21));
	assert_int_equal(1, house_append("salon/floor/temperature", TEN_OCLOCK, 19));
	assert_int_equal(1, house_append("cuisine/air/temperature", TEN_OCLOCK, 23));
	house_commit();
	assert_string_equal("3", house_query("SELECT count(*) FROM temperature"));
}

static void a_reading_without_a_time_of_its_own_is_moved_on_to_a_free_millisecond(void **state)
{
	struct reading reading = { .series = house_series(AIR), .value = value_of_number(20) };

	(void)state;
	house_append(AIR, TEN_OCLOCK + 1, 19);
	for (int i = 0; i < 4; i++) {
		reading.time_ms = TEN_OCLOCK;
		assert_int_equal(1, store_append_moved(house, &reading));
		assert_int_equal(TEN_OCLOCK + (i == 0 ? 0 : i + 1), reading.time_ms);
	}
	house_commit();
	assert_string_equal("5", house_query("SELECT count(*) FROM temperature"));
}

static void a_reading_moved_long_ago_does_not_move_those_of_a_clock_set_back(void **state)
{
	struct reading reading = { .series = house_series(AIR), .time_ms = TEN_OCLOCK + 3 * HOUR, .value = value_of_number(20) };

	(void)state;
	store_append_moved(house, &reading);
	reading.time_ms = TEN_OCLOCK;
	store_append_moved(house, &reading);
	assert_int_equal(TEN_OCLOCK, reading.time_ms);
}

static void a_quantity_gets_its_table_with_its_first_reading(void **state)
{
	(void)state;
	assert_string_equal("0", house_query("SELECT count(*) FROM sqlite_master WHERE name LIKE '%humidity%'"));
	house_append("salon/air/humidity", TEN_OCLOCK, 48);
	house_commit();
	assert_string_equal("humidity,humidity_5min,humidity_8hour,humidity_hour,humidity_view",
			    house_query("SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE name LIKE"
					" 'humidity%' ORDER BY name)"));
	assert_string_equal("time,series,value", house_query("SELECT group_concat(name) FROM pragma_table_info('humidity')"));
	assert_string_equal("%", house_query("SELECT unit FROM series"));
	assert_string_equal("salon", house_query("SELECT name FROM node"));
}

static void a_view_spells_out_node_device_and_local_time(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK + 250, 21.5);
	house_commit();
	setenv("TZ", "Europe/Paris", 1); /* an hour ahead in January */
	tzset();
	assert_string_equal("salon|air|2026-01-01 11:00:00.250|21.5|°C",
			    house_query("SELECT node || '|' || device || '|' || local_time || '|' || value || '|' || unit"
					" FROM temperature_view"));
	unsetenv("TZ");
	tzset();
}

/* Words of SQL, of SQLite's own tables, of our statements and indexes. */
static void whatever_word_a_quantity_is_the_store_takes_it(void **state)
{
	static const char *const words[] = {
		"select",
		"table",
		"value",
		"time",
		"count",
		"mean",
		"last",
		"rowid",
		"excluded",
		"id",
		"node_id",
		"event_time",
		"command_time",
		"command_command_id",
		"pragma_user_version",
		"pragma_table_info",
		"json_each",
		"a",
		"f",
		"l",
		"o",
		"q",
		"r",
		"s",
		"v",
		"abcdefghijklmnopqrstuvwxyz_01234",
	};
	struct store_stats stats;
	char text[SERIES_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(text, sizeof(text), "salon/thing/%s", words[i]);
		if (house_append(text, TEN_OCLOCK, 1) != 1 || house_append(text, TEN_OCLOCK + MINUTE, 2) != 1)
			fail_msg("%s: %s", words[i], store_error(house));
	}
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	house_append("salon/thing/select", TEN_OCLOCK + 2 * MINUTE, 3);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("3", house_query("SELECT count FROM select_hour"));
	assert_int_equal(0, store_read_stats(house, &stats));
	assert_int_equal(sizeof(words) / sizeof(*words), stats.series);
	assert_int_equal(3, stats.schema_version);
	house_reopen();
	assert_int_equal(1, house_append("salon/thing/value", TEN_OCLOCK + HOUR, 1));
}

static void texts_are_stored_as_they_are(void **state)
{
	(void)state;
	house_append_text("salon/screen/text", TEN_OCLOCK, "it's \"déjà vu\"; DROP TABLE node; --");
	house_append_text("salon/screen/text", TEN_OCLOCK + 1, "12");
	house_commit();
	assert_string_equal("it's \"déjà vu\"; DROP TABLE node; --", house_query("SELECT value FROM text ORDER BY time"));
	assert_string_equal("text", house_query("SELECT typeof(value) FROM text ORDER BY time DESC"));
}

static void numbers_come_back_as_they_were(void **state)
{
	static const double numbers[] = { 0, -0.5, 1.0 / 3, 1e-300, 123456789.123, 9007199254740992.0, -9007199254740993.0, 1e300 };
	struct reading reading;
	struct series series = house_series("salon/thing/thing");

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		house_append("salon/thing/thing", TEN_OCLOCK + (int64_t)i, numbers[i]);
		assert_int_equal(1, store_read_latest(house, &series, &reading));
		assert_memory_equal(&numbers[i], &reading.value.number, sizeof(double));
	}
}

/* ---- transactions ---------------------------------------------------------------------------------------------------------------- */

static void nothing_counts_before_its_commit(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	assert_true(store_dirty(house));
	assert_string_equal("0", house_query("SELECT count(*) FROM series"));
	house_commit();
	assert_false(store_dirty(house));
	assert_string_equal("1", house_query("SELECT count(*) FROM temperature"));
	house_append(AIR, TEN_OCLOCK + 1, 2);
	house_reopen();
	assert_string_equal("1", house_query("SELECT count(*) FROM temperature"));
}

static void what_was_rolled_back_can_be_made_again(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	store_rollback(house);
	assert_string_equal("0", house_query("SELECT count(*) FROM sqlite_master WHERE name = 'temperature'"));
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK, 2));
	house_commit();
	assert_string_equal("2", house_query("SELECT value FROM temperature"));
}

static void a_reader_sees_what_is_committed_and_writes_nothing(void **state)
{
	struct reading reading = { .series = house_series(AIR), .time_ms = TEN_OCLOCK + 1, .value = value_of_number(2) };
	struct store *reader;
	char error[STORE_ERROR_MAX];

	(void)state;
	assert_int_equal(0, store_open(house_path(), STORE_READ, &reader, error));
	assert_int_equal(0, store_read_latest(reader, &reading.series, &reading));
	house_append(AIR, TEN_OCLOCK, 1);
	assert_int_equal(0, store_read_latest(reader, &reading.series, &reading));
	house_commit();
	assert_int_equal(1, store_read_latest(reader, &reading.series, &reading));
	reading.time_ms++;
	assert_true(store_append(reader, &reading) < 0);
	store_close(reader);
}

/* ---- what else is kept ----------------------------------------------------------------------------------------------------------- */

struct seen {
	int count;
	struct store_rejected first;
	char topic[64], payload[2048], reason[64];
};

static int see_rejected(void *context, const struct store_rejected *row)
{
	struct seen *seen = context;

	if (seen->count++ == 0) {
		seen->first = *row;
		snprintf(seen->topic, sizeof(seen->topic), "%s", row->topic);
		snprintf(seen->payload, sizeof(seen->payload), "%s", row->payload);
		snprintf(seen->reason, sizeof(seen->reason), "%s", row->reason);
	}
	return 0;
}

static void the_newest_thousand_refusals_are_kept_and_all_are_counted(void **state)
{
	struct store_stats stats;
	struct seen seen = { 0 };

	(void)state;
	for (int i = 0; i < 1005; i++)
		assert_int_equal(0, store_reject(house, TEN_OCLOCK + i, "foyer/a/b/temperature", "x", 1, "no number"));
	assert_int_equal(0, store_each_rejected(house, 2000, see_rejected, &seen));
	assert_int_equal(1000, seen.count);
	assert_int_equal(TEN_OCLOCK + 1004, seen.first.time_ms);
	assert_string_equal("foyer/a/b/temperature", seen.topic);
	assert_string_equal("no number", seen.reason);
	store_read_stats(house, &stats);
	assert_int_equal(1005, stats.rejected_total);
}

static void a_refused_payload_is_cut_at_1_kib(void **state)
{
	char payload[5000];
	struct seen seen = { 0 };

	(void)state;
	memset(payload, 'x', sizeof(payload));
	store_reject(house, TEN_OCLOCK, "t", payload, sizeof(payload), "r");
	store_each_rejected(house, 1, see_rejected, &seen);
	assert_int_equal(1024, strlen(seen.payload));
	assert_int_equal(0, store_reject(house, TEN_OCLOCK, "t", NULL, 0, "r"));
}

static void blobs_are_committed_with_the_batch(void **state)
{
	char data[8] = "";

	(void)state;
	assert_int_equal(0, store_load_state(house, "bare", data, sizeof(data)));
	assert_int_equal(0, store_save_state(house, "bare", "abc", 3));
	store_rollback(house);
	assert_int_equal(0, store_load_state(house, "bare", data, sizeof(data)));
	store_save_state(house, "bare", "abc", 3);
	store_save_state(house, "bare", "de\0f", 4);
	house_commit();
	house_reopen();
	assert_int_equal(4, store_load_state(house, "bare", data, sizeof(data)));
	assert_memory_equal("de\0f", data, 4);
	assert_int_equal(-ENOSPC, store_load_state(house, "bare", data, 3));
	store_save_state(house, "bare", NULL, 0);
	assert_int_equal(0, store_load_state(house, "bare", data, sizeof(data)));
}

static void urls_are_checked_before_a_file_is_touched(void **state)
{
	char error[STORE_ERROR_MAX];

	(void)state;
	assert_int_equal(0, store_check_url("sqlite:///var/lib/foyer/foyer.db", error));
	assert_int_equal(0, store_check_url("foyer.db", error));
	assert_int_equal(-EINVAL, store_check_url("postgresql://localhost/foyer", error));
	assert_non_null(strstr(error, "sqlite:///"));
	assert_int_equal(-EINVAL, store_check_url("sqlite://relative.db", error));
	assert_int_equal(-EINVAL, store_check_url("", error));
	assert_int_equal(-EINVAL, store_check_url(NULL, error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_open, house_close)
	const struct CMUnitTest tests[] = {
		TEST(the_same_reading_twice_is_stored_once),
		TEST(another_value_at_an_instant_is_refused_and_the_first_stays),
		TEST(two_series_may_have_the_same_instant),
		TEST(a_reading_without_a_time_of_its_own_is_moved_on_to_a_free_millisecond),
		TEST(a_reading_moved_long_ago_does_not_move_those_of_a_clock_set_back),
		TEST(a_quantity_gets_its_table_with_its_first_reading),
		TEST(a_view_spells_out_node_device_and_local_time),
		TEST(whatever_word_a_quantity_is_the_store_takes_it),
		TEST(texts_are_stored_as_they_are),
		TEST(numbers_come_back_as_they_were),
		TEST(nothing_counts_before_its_commit),
		TEST(what_was_rolled_back_can_be_made_again),
		TEST(a_reader_sees_what_is_committed_and_writes_nothing),
		TEST(the_newest_thousand_refusals_are_kept_and_all_are_counted),
		TEST(a_refused_payload_is_cut_at_1_kib),
		TEST(blobs_are_committed_with_the_batch),
		TEST(urls_are_checked_before_a_file_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
