/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* Rollups of 8 hours: when they are written, that charts say the same with them as without, how few rows a chart reads, and how a file of before
 * gets them. Figures are counted by hand. */
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "../../common/store_tools.h"
#include "../fakes/clock.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"
#define CELLAR "cave/air/temperature"
#define LAMP "salon/lamp/switch"
#define DAY (24 * HOUR)
#define MIDNIGHT (TEN_OCLOCK - 10 * HOUR) /* 2026-01-01T00:00:00Z */

enum { POINTS = 4000, PLACES = POINTS + POINTS / 2 + 2 };

/* ---- rows that are read ------------------------------------------------------------------------------------------------------------ */

static long rows_read;

/* In place of SQLite's, which it calls. */
int sqlite3_step(sqlite3_stmt *statement)
{
	static int (*real)(sqlite3_stmt * statement);
	int r;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sqlite3_step");
	r = real(statement);
	rows_read += r == SQLITE_ROW;
	return r;
}

static int open_late(void **state)
{
	fake_wall_ms = MIDNIGHT + 20 * 366 * DAY; /* a span ends at the latest now */
	return house_open(state);
}

/* "count|mean|min|max|last" of a block of the series `id`. */
static const char *block(const char *quantity, int id, int64_t time_ms)
{
	char sql[256];

	snprintf(
		sql, sizeof(sql),
		"SELECT printf('%%d|%%g|%%g|%%g|%%g', count, mean, min, max, last) FROM %s_8hour WHERE series = %d AND time = %lld",
		quantity, id, (long long)time_ms);
	return house_query(sql);
}

/* ---- written when it is over ------------------------------------------------------------------------------------------------------- */

static void a_block_is_made_of_its_hours_when_all_eight_are_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		house_append(AIR, MIDNIGHT + 8 * HOUR + i * MINUTE, 10); /* three of 10 in its first hour */
	house_append(AIR, MIDNIGHT + 15 * HOUR + 59 * MINUTE, 20);       /* one of 20 in its last: (3 * 10 + 20) / 4 = 12.5 */
	house_append(CELLAR, MIDNIGHT + 12 * HOUR, 7);
	house_append(AIR, MIDNIGHT + 16 * HOUR, 99); /* the next one's */
	house_maintain(MIDNIGHT + 16 * HOUR + 29 * SECOND);
	assert_string_equal("0", house_query("SELECT count(*) FROM temperature_8hour"));
	house_maintain(MIDNIGHT + 16 * HOUR + 30 * SECOND); /* with the grace of an hour */
	assert_string_equal("4|12.5|10|20|20", block("temperature", 1, MIDNIGHT + 8 * HOUR));
	assert_string_equal("1|7|7|7|7", block("temperature", 2, MIDNIGHT + 8 * HOUR));
	assert_string_equal("2", house_query("SELECT count(*) FROM temperature_8hour"));
	house_maintain(MIDNIGHT + 24 * HOUR + MINUTE);
	assert_string_equal("1|99|99|99|99", block("temperature", 1, MIDNIGHT + 16 * HOUR));
}

static void times_without_a_reading_have_no_block(void **state)
{
	(void)state;
	house_append(AIR, MIDNIGHT, 10);
	house_append(AIR, MIDNIGHT + 100 * DAY, 20);
	house_maintain(MIDNIGHT + 101 * DAY);
	assert_string_equal("2", house_query("SELECT count(*) FROM temperature_8hour"));
	assert_string_equal("1|20|20|20|20", block("temperature", 1, MIDNIGHT + 100 * DAY));
}

static void a_text_has_its_count_and_its_last_value(void **state)
{
	(void)state;
	house_append_text("porte/rfid/badge", MIDNIGHT + HOUR, "04:A2");
	house_append_text("porte/rfid/badge", MIDNIGHT + 5 * HOUR, "17:FF");
	house_maintain(MIDNIGHT + 9 * HOUR);
	assert_string_equal("2|17:FF", house_query("SELECT count || '|' || ifnull(mean, '') || last FROM badge_8hour"));
}

static void a_lamp_has_its_share_of_time_on(void **state)
{
	(void)state;
	house_append(LAMP, MIDNIGHT, 0);
	house_append(LAMP, MIDNIGHT + 6 * HOUR, 1); /* on for 2 of 8 hours, and on */
	house_append(LAMP, MIDNIGHT + 18 * HOUR, 0);
	house_maintain(MIDNIGHT + 25 * HOUR);
	assert_string_equal("2|0.25|0|1|1", block("switch", 1, MIDNIGHT));
	assert_string_equal("", block("switch", 1, MIDNIGHT + 8 * HOUR)); /* nothing was said in it */
	assert_string_equal("1|0.25|0|0|0", block("switch", 1, MIDNIGHT + 16 * HOUR));
}

/* ---- late ones --------------------------------------------------------------------------------------------------------------------- */

static void a_late_reading_mends_its_block(void **state)
{
	(void)state;
	house_append(AIR, MIDNIGHT + HOUR, 10);
	house_append(AIR, MIDNIGHT + 30 * HOUR, 10);
	house_maintain(MIDNIGHT + 41 * HOUR);
	house_append(AIR, MIDNIGHT + 2 * HOUR, 20);
	house_append(AIR, MIDNIGHT + 3 * HOUR, 60); /* of the same one */
	house_append(AIR, MIDNIGHT + 20 * HOUR, 5); /* of one that was not there */
	house_append(AIR, MIDNIGHT - 20 * HOUR, 4); /* before all others */
	house_maintain(MIDNIGHT + 41 * HOUR);
	assert_string_equal("3|30|10|60|60", block("temperature", 1, MIDNIGHT));
	assert_string_equal("1|5|5|5|5", block("temperature", 1, MIDNIGHT + 16 * HOUR));
	assert_string_equal("1|4|4|4|4", block("temperature", 1, MIDNIGHT - DAY));
}

static void a_late_change_of_a_lamp_mends_the_blocks_that_follow(void **state)
{
	(void)state;
	house_append(LAMP, MIDNIGHT, 1);
	house_append(LAMP, MIDNIGHT + 20 * HOUR, 0); /* on for 4 of its 8 hours */
	house_maintain(MIDNIGHT + 25 * HOUR);
	assert_string_equal("1|0.5|0|0|0", block("switch", 1, MIDNIGHT + 16 * HOUR));
	house_append(LAMP, MIDNIGHT + 4 * HOUR, 0); /* it was off in between */
	house_maintain(MIDNIGHT + 25 * HOUR);
	assert_string_equal("2|0.5|0|1|0", block("switch", 1, MIDNIGHT));
	assert_string_equal("1|0|0|0|0", block("switch", 1, MIDNIGHT + 16 * HOUR));
}

static void readings_that_are_taken_out_by_hand_leave_no_block(void **state)
{
	(void)state;
	house_append(AIR, MIDNIGHT + HOUR, 10);
	house_append(AIR, MIDNIGHT + 2 * HOUR, 30);
	house_append(AIR, MIDNIGHT + 9 * HOUR, 20);
	house_maintain(MIDNIGHT + 17 * HOUR);
	house_execute("DELETE FROM temperature WHERE value = 30");
	house_execute("DELETE FROM temperature WHERE value = 20");
	house_maintain(MIDNIGHT + 17 * HOUR);
	assert_string_equal("1|10|10|10|10", block("temperature", 1, MIDNIGHT));
	assert_string_equal("1", house_query("SELECT count(*) FROM temperature_hour"));
	assert_string_equal("1", house_query("SELECT count(*) FROM temperature_8hour"));
}

static void old_rows_go_and_their_blocks_stay(void **state)
{
	const struct store_keep keep = { "", DAY, 2 * DAY };

	(void)state;
	store_set_keep(house, &keep, 1);
	house_append(AIR, MIDNIGHT, 10);
	house_append(AIR, MIDNIGHT + 10 * DAY, 10);
	house_maintain(MIDNIGHT + 10 * DAY + 9 * HOUR);
	assert_string_equal("1", house_query("SELECT count(*) FROM temperature"));
	assert_string_equal("1|10|10|10|10", block("temperature", 1, MIDNIGHT));
	house_append(AIR, MIDNIGHT + 4 * HOUR, 30); /* after its neighbours are gone */
	house_maintain(MIDNIGHT + 10 * DAY + 9 * HOUR);
	assert_string_equal("2|20|10|30|30", block("temperature", 1, MIDNIGHT));
}

/* ---- charts say the same --------------------------------------------------------------------------------------------------------- */

static uint32_t chance = 1;

static uint32_t below(uint32_t end)
{
	chance = chance * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)chance * end >> 32);
}

static int read_chart(struct store *store, const char *text, const struct store_span *span, struct point *points)
{
	struct series series = house_series(text);
	int64_t resolution_ms;
	int n;

	rows_read = 0;
	n = store_read_span(store, &series, span, points, &resolution_ms);
	if (n < 0)
		fail_msg("%s", store_error(store));
	return n;
}

static bool same(double a, double b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9;
}

static void assert_same_points(const char *series, const struct point *a, const struct point *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i].time_ms != b[i].time_ms || a[i].count != b[i].count || a[i].gap != b[i].gap ||
		    !same(a[i].mean, b[i].mean) || !same(a[i].min, b[i].min) || !same(a[i].max, b[i].max))
			fail_msg("%s, point %d of %d: %lld|%u|%.12g|%g|%g is not %lld|%u|%.12g|%g|%g", series, i, n,
				 (long long)a[i].time_ms, a[i].count, a[i].mean, a[i].min, a[i].max, (long long)b[i].time_ms,
				 b[i].count, b[i].mean, b[i].min, b[i].max);
}

static void set_zone(const char *zone)
{
	if (zone)
		setenv("TZ", zone, 1);
	else
		unsetenv("TZ");
	tzset();
}

static struct store *open_reader(void)
{
	char error[STORE_ERROR_MAX];
	struct store *reader;

	if (store_open(house_path(), STORE_READ, &reader, error) < 0)
		fail_msg("%s", error);
	return reader;
}

/* Charts of any span and bucket, from blocks and then, as if none were made, from hours. Returns how many rows the blocks spared. */
static long compare_charts(const char *zone, int64_t from_ms, int days)
{
	static const char *const series[] = { AIR, CELLAR, LAMP, "cave/lamp/switch" };
	static struct point with[PLACES], without[PLACES];
	struct store *reader = open_reader();
	char restore[2048];
	long spared = 0;

	snprintf(restore, sizeof(restore), "%s",
		 house_query("SELECT group_concat('UPDATE meta_rollup SET blocks = ' || blocks || ' WHERE quantity = ''' ||"
			     " quantity || ''';', '') FROM meta_rollup"));
	set_zone(zone);
	for (int i = 0; i < 40; i++) {
		struct store_span span = { .from_ms = from_ms + below((uint32_t)days) * DAY / 2 + below((uint32_t)DAY),
					   .max = 500 };
		const char *name = series[i % 4];
		int n;

		span.to_ms = span.from_ms + HOUR + below((uint32_t)days) * DAY;
		span.bucket_ms = (int64_t[]){ 12 * HOUR, DAY, DAY, 2 * DAY, 7 * DAY }[below(5)];
		n = read_chart(reader, name, &span, with);
		spared -= rows_read;
		house_execute("UPDATE meta_rollup SET blocks = NULL");
		assert_int_equal(n, read_chart(reader, name, &span, without));
		spared += rows_read;
		house_execute(restore);
		assert_same_points(name, without, with, n);
	}
	set_zone(NULL);
	store_close(reader);
	return spared;
}

/* Readings of any kind at any time, with holes; each 20th comes up to four days late. */
static void live(int64_t from_ms, int days)
{
	int64_t late_ms[64];
	size_t late = 0;
	int64_t silent_ms = 0, now_ms = from_ms;

	for (; now_ms < from_ms + days * DAY; now_ms += MINUTE + below(12 * MINUTE)) {
		if (below(400) == 0)
			silent_ms = now_ms + below(4 * DAY);
		if (below(20) == 0 && late < 64)
			late_ms[late++] = now_ms + 7;
		else if (now_ms >= silent_ms)
			house_append(AIR, now_ms, below(4000) / 10.0 - 40);
		if (below(9) == 0)
			house_append(CELLAR, now_ms, below(100));
		house_append("grenier/air/temperature", now_ms, 1);
		if (below(60) == 0)
			house_append(LAMP, now_ms, below(2));
		house_append("cave/lamp/switch", now_ms, below(4) == 0);
		if (below(100) == 0 || late == 64)
			house_maintain(now_ms);
		if (late > 0 && below(500) == 0)
			while (late > 0) {
				house_append(AIR, late_ms[--late], below(300));
				house_append(LAMP, late_ms[late], below(2));
			}
	}
	house_maintain(now_ms);
}

/* Paris goes forward on 2026-03-29 and back on 10-25, Lord Howe by half an hour back on 04-05 and forward on 10-04. */
static void charts_say_the_same_with_blocks_and_without(void **state)
{
	static const int64_t begins[] = { INT64_C(1774051200000),
					  INT64_C(1790294400000) }; /* 2026-03-21, 2026-09-25, at midnight UTC */
	static const char *const zones[] = { "Europe/Paris", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		live(begins[i], 36);
		for (size_t k = 0; k < sizeof(zones) / sizeof(*zones); k++)
			assert_true(compare_charts(zones[k], begins[i], 36) > 0);
	}
}

static void charts_say_the_same_where_rows_are_gone(void **state)
{
	const struct store_keep keep = { "", 2 * DAY, 3 * DAY };

	(void)state;
	store_set_keep(house, &keep, 1);
	live(MIDNIGHT, 40);
	assert_true(compare_charts("Europe/Paris", MIDNIGHT, 40) > 0);
	assert_true(compare_charts("Australia/Lord_Howe", MIDNIGHT, 40) > 0);
}

/* ---- few rows are read --------------------------------------------------------------------------------------------------------------- */

/* Ten years of hours, as if their rows had been rolled up and gone. */
static void ten_years(void)
{
	char sql[1024];

	house_append(AIR, MIDNIGHT, 1);
	house_maintain(MIDNIGHT + 2 * HOUR);
	snprintf(sql, sizeof(sql),
		 "DELETE FROM temperature_hour; DELETE FROM temperature_5min; DELETE FROM _raw_temperature;"
		 "WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < 10 * 365 * 24 - 1)"
		 " INSERT INTO temperature_hour SELECT 1, %lld + i * 3600000, 60, 20, 19, 21, 20 FROM n;"
		 "UPDATE meta_rollup SET closed = %lld, raw_from = %lld, five_min_from = %lld, blocks = NULL",
		 (long long)MIDNIGHT, (long long)(MIDNIGHT + 3650 * DAY), (long long)(MIDNIGHT + 3650 * DAY),
		 (long long)(MIDNIGHT + 3650 * DAY));
	house_execute(sql);
	house_reopen();
	house_maintain(MIDNIGHT + 3650 * DAY);
	assert_string_equal("10950", house_query("SELECT count(*) FROM temperature_8hour"));
}

/* Rows by point of a chart of the newest `days`. */
static double rows_by_point(const char *zone, int days, size_t max, int64_t bucket_ms)
{
	static struct point points[PLACES];
	const struct store_span span = {
		.from_ms = MIDNIGHT + (3650 - days) * DAY, .to_ms = MIDNIGHT + 3650 * DAY, .max = max, .bucket_ms = bucket_ms
	};
	unsigned count = 0;
	int n;

	set_zone(zone);
	n = read_chart(house, AIR, &span, points);
	set_zone(NULL);
	for (int i = 0; i < n; i++)
		count += points[i].count;
	assert_int_equal(days * 24 * 60, count);
	return (double)rows_read / n;
}

static void a_chart_of_years_reads_about_ten_rows_a_point(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu" };

	(void)state;
	ten_years();
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		assert_true(rows_by_point(zones[i], 365, 1000, 0) < 6);     /* buckets of 12 hours */
		assert_true(rows_by_point(zones[i], 3650, 4000, DAY) < 12); /* days */
	}
	assert_true(rows_by_point("UTC", 3650, 1000, 0) < 12.5);          /* of 4 days: 12 blocks */
	assert_true(rows_by_point("Europe/Paris", 3650, 1000, 0) < 20.5); /* and the hours around midnight */
}

/* ---- a file of version 2 ------------------------------------------------------------------------------------------------------------- */

/* What version 3 added is taken out again. */
static void make_version_2(void)
{
	store_close(house);
	house = NULL;
	house_execute("DROP TABLE temperature_8hour; DROP TABLE switch_8hour;"
		      "CREATE TABLE kept AS SELECT quantity, closed, raw_from, five_min_from, scale FROM meta_rollup;"
		      "DROP TABLE meta_rollup;"
		      "CREATE TABLE meta_rollup(quantity TEXT PRIMARY KEY, closed INTEGER NOT NULL, raw_from INTEGER NOT NULL,"
		      " five_min_from INTEGER NOT NULL, scale INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID;"
		      "INSERT INTO meta_rollup SELECT * FROM kept; DROP TABLE kept; PRAGMA user_version = 2;");
}

static void a_file_of_version_2_is_brought_forward_and_filled_bit_by_bit(void **state)
{
	char made[2048], made_switch[2048];
	const char *all = "SELECT count(*) || ' ' || sum(count) || ' ' || sum(mean) || ' ' || max(time) FROM temperature_8hour";
	const char *all_switch = "SELECT count(*) || ' ' || sum(count) || ' ' || round(sum(mean), 6) FROM switch_8hour";
	int slices = 0;

	(void)state;
	live(MIDNIGHT, 30);
	strcpy(made, house_query(all));
	strcpy(made_switch, house_query(all_switch));
	make_version_2();
	house_reopen();
	assert_string_equal("3", house_query("PRAGMA user_version"));
	assert_string_equal("0", house_query("SELECT count(*) FROM temperature_8hour"));
	house_append(AIR, MIDNIGHT + 3 * DAY + 1, 5); /* late, before there are any */
	house_commit();
	house_execute("DELETE FROM temperature WHERE time = 1767484800001");
	while (store_maintain(house, MIDNIGHT + 30 * DAY, 0) > 0) {
		assert_string_equal("0", house_query("SELECT count(*) FROM temperature_8hour WHERE time >="
						     " (SELECT blocks FROM meta_rollup WHERE quantity = 'temperature')"));
		if (slices++ % 40 == 20)
			compare_charts("Europe/Paris", MIDNIGHT, 30);
	}
	assert_true(slices > 90); /* three blocks a day, one at a time */
	assert_string_equal(made, house_query(all));
	assert_string_equal(made_switch, house_query(all_switch));
	assert_string_equal("ok", house_query("PRAGMA integrity_check"));
}

/* ---- checks -------------------------------------------------------------------------------------------------------------------------- */

static void ignore(void *context, const char *text)
{
	(void)context;
	(void)text;
}

static struct store_findings look(bool mend)
{
	const struct store_check check = { true, mend };
	struct store_findings findings;

	if (store_check(house, &check, NULL, ignore, NULL, &findings) < 0)
		fail_msg("%s", store_error(house));
	return findings;
}

static void a_block_that_differs_is_found_and_mended(void **state)
{
	static const char *const damages[] = {
		"UPDATE temperature_8hour SET max = 99 WHERE time = (SELECT min(time) FROM temperature_8hour)",
		"UPDATE temperature_8hour SET mean = mean + 0.01 WHERE time = (SELECT max(time) FROM temperature_8hour)",
		"DELETE FROM switch_8hour WHERE time = (SELECT max(time) FROM switch_8hour)",
		"INSERT INTO temperature_8hour VALUES(1, 1766966400000, 1, 1, 1, 1, 1), (1, 1767312000000, 1, 1, 1, 1, 1)"
		" ON CONFLICT DO UPDATE SET count = 77",
	};
	const struct store_keep keep = { "", 2 * DAY, 3 * DAY };

	(void)state;
	store_set_keep(house, &keep, 1); /* where the rows are gone, too */
	live(MIDNIGHT, 6);
	assert_int_equal(0, look(false).differing);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		house_execute(damages[i]);
		if (look(false).differing < 1)
			fail_msg("not found: %s", damages[i]);
		assert_true(look(true).marked > 0);
		house_maintain(MIDNIGHT + 6 * DAY);
		assert_int_equal(0, look(false).differing);
	}
}

static void words_of_the_check_are_quantities_too(void **state)
{
	static const char *const words[] = { "raw", "rolled", "parts", "whole", "firsts" };
	char text[SERIES_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(text, sizeof(text), "salon/thing/%s", words[i]);
		house_append(text, MIDNIGHT, 1);
		house_append(text, MIDNIGHT + 9 * HOUR, 2);
	}
	house_maintain(MIDNIGHT + 17 * HOUR);
	assert_int_equal(0, look(false).differing);
	assert_string_equal("2", house_query("SELECT count(*) FROM firsts_8hour"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_late, house_close)
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_made_of_its_hours_when_all_eight_are_closed),
		TEST(times_without_a_reading_have_no_block),
		TEST(a_text_has_its_count_and_its_last_value),
		TEST(a_lamp_has_its_share_of_time_on),
		TEST(a_late_reading_mends_its_block),
		TEST(a_late_change_of_a_lamp_mends_the_blocks_that_follow),
		TEST(readings_that_are_taken_out_by_hand_leave_no_block),
		TEST(old_rows_go_and_their_blocks_stay),
		TEST(charts_say_the_same_with_blocks_and_without),
		TEST(charts_say_the_same_where_rows_are_gone),
		TEST(a_chart_of_years_reads_about_ten_rows_a_point),
		TEST(a_file_of_version_2_is_brought_forward_and_filled_bit_by_bit),
		TEST(a_block_that_differs_is_found_and_mended),
		TEST(words_of_the_check_are_quantities_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
