/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* Housekeeping of the store. All figures are counted by hand. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/clock.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"
#define LAMP "salon/lamp/switch"

/* "count|mean|min|max|last" of a rollup of the series `id`. */
static const char *rollup(const char *table, int id, int64_t time_ms)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT printf('%%d|%%g|%%g|%%g|%%g', count, mean, min, max, last) FROM %s"
		 " WHERE series = %d AND time = %lld",
		 table, id, (long long)time_ms);
	return house_query(sql);
}

static void a_span_that_is_over_has_count_mean_min_max_and_last(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_append(AIR, TEN_OCLOCK + 2 * MINUTE, 26);
	house_append(AIR, TEN_OCLOCK + 5 * MINUTE - 1, 23);
	house_append(AIR, TEN_OCLOCK + 5 * MINUTE, 99);
	house_append(AIR, TEN_OCLOCK + HOUR, 50);
	house_maintain(TEN_OCLOCK + HOUR + 6 * MINUTE);
	assert_string_equal("3|23|20|26|23", rollup("temperature_5min", 1, TEN_OCLOCK));
	assert_string_equal("1|99|99|99|99", rollup("temperature_5min", 1, TEN_OCLOCK + 5 * MINUTE));
	assert_string_equal("", rollup("temperature_5min", 1, TEN_OCLOCK + HOUR)); /* its hour is not over yet */
}

static void an_hour_is_left_open_for_half_a_minute_of_grace(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_maintain(TEN_OCLOCK + HOUR + 29 * SECOND);
	assert_string_equal("", rollup("temperature_5min", 1, TEN_OCLOCK));
	house_maintain(TEN_OCLOCK + HOUR + 30 * SECOND);
	assert_string_equal("1|20|20|20|20", rollup("temperature_5min", 1, TEN_OCLOCK));
}

static void many_rows_do_not_wait_for_the_end_of_their_hour(void **state)
{
	(void)state;
	for (int i = 0; i < 6000; i++)
		house_append(AIR, TEN_OCLOCK + i * 100, i % 10);
	house_maintain(TEN_OCLOCK + 10 * MINUTE + 30 * SECOND);
	assert_string_equal("3000|4.5|0|9|9", rollup("temperature_5min", 1, TEN_OCLOCK));
	assert_string_equal("3000|4.5|0|9|9", rollup("temperature_hour", 1, TEN_OCLOCK));
	assert_string_equal("", rollup("temperature_5min", 1, TEN_OCLOCK + 5 * MINUTE)); /* 3000 are few enough */
}

static void series_are_kept_apart(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_append("cuisine/air/temperature", TEN_OCLOCK, 30);
	house_append("cuisine/air/temperature", TEN_OCLOCK + MINUTE, 32);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("1|20|20|20|20", rollup("temperature_5min", 1, TEN_OCLOCK));
	assert_string_equal("2|31|30|32|32", rollup("temperature_5min", 2, TEN_OCLOCK));
	assert_string_equal("2|31|30|32|32", rollup("temperature_hour", 2, TEN_OCLOCK));
}

static void an_hour_is_made_of_its_spans_weighted_by_their_readings(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 10);
	house_append(AIR, TEN_OCLOCK + MINUTE, 12);
	house_append(AIR, TEN_OCLOCK + 2 * MINUTE, 14);  /* three of mean 12 */
	house_append(AIR, TEN_OCLOCK + 59 * MINUTE, 20); /* and one of 20: (3 * 12 + 20) / 4 = 14 */
	house_append(AIR, TEN_OCLOCK + HOUR, 50);        /* the next hour's */
	house_maintain(TEN_OCLOCK + 2 * HOUR + MINUTE);
	assert_string_equal("4|14|10|20|20", rollup("temperature_hour", 1, TEN_OCLOCK));
	assert_string_equal("1|50|50|50|50", rollup("temperature_hour", 1, TEN_OCLOCK + HOUR));
}

static void a_late_reading_mends_its_span_and_its_hour(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK + MINUTE, 10);
	house_append("cuisine/air/temperature", TEN_OCLOCK + MINUTE, 5);
	house_append(AIR, TEN_OCLOCK + 30 * MINUTE, 20);
	house_append(AIR, TEN_OCLOCK + HOUR, 99); /* the next hour's */
	house_maintain(TEN_OCLOCK + 2 * HOUR + MINUTE);
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + 2 * MINUTE, 30));
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + 3 * MINUTE, 35));
	house_maintain(TEN_OCLOCK + 2 * HOUR + MINUTE);
	assert_string_equal("3|25|10|35|35", rollup("temperature_5min", 1, TEN_OCLOCK));
	assert_string_equal("4|23.75|10|35|20", rollup("temperature_hour", 1, TEN_OCLOCK));
	assert_string_equal("1|5|5|5|5", rollup("temperature_5min", 2, TEN_OCLOCK));
	assert_string_equal("0", house_query("SELECT count(*) FROM meta_late"));
}

static void readings_from_before_the_first_one_are_rolled_up_too(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	house_append(AIR, TEN_OCLOCK - 24 * HOUR, 7);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("1|7|7|7|7", rollup("temperature_5min", 1, TEN_OCLOCK - 24 * HOUR));
	assert_string_equal("1|7|7|7|7", rollup("temperature_hour", 1, TEN_OCLOCK - 24 * HOUR));
}

static void late_readings_are_remembered_across_a_restart(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 10);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	house_append(AIR, TEN_OCLOCK + MINUTE, 20);
	house_commit();
	house_reopen();
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("2|15|10|20|20", rollup("temperature_5min", 1, TEN_OCLOCK));
}

static void a_mark_that_was_rolled_back_is_made_again(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 10);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	house_append(AIR, TEN_OCLOCK + MINUTE, 20);
	store_rollback(house);
	house_append(AIR, TEN_OCLOCK + MINUTE, 20);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("2|15|10|20|20", rollup("temperature_5min", 1, TEN_OCLOCK));
}

static void texts_are_counted_and_have_no_mean(void **state)
{
	(void)state;
	house_append_text("porte/rfid/badge", TEN_OCLOCK, "04:A2");
	house_append_text("porte/rfid/badge", TEN_OCLOCK + MINUTE, "17:FF");
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("2||||17:FF", house_query("SELECT count || '|' || ifnull(mean, '') || '|' || ifnull(min, '') || '|' ||"
						      " ifnull(max, '') || '|' || last FROM badge_5min"));
	assert_string_equal("2||17:FF", house_query("SELECT count || '|' || ifnull(mean, '') || '|' || last FROM badge_hour"));
}

/* ---- binary ---------------------------------------------------------------------------------------------------------------------- */

static void a_binary_span_holds_the_share_of_time_on(void **state)
{
	(void)state;
	house_append(LAMP, TEN_OCLOCK, 0);
	house_append(LAMP, TEN_OCLOCK + MINUTE, 1);
	house_append(LAMP, TEN_OCLOCK + 2 * MINUTE, 1); /* told again: no change */
	house_append(LAMP, TEN_OCLOCK + 4 * MINUTE, 0);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("4|0.6|0|1|0", rollup("switch_5min", 1, TEN_OCLOCK));  /* 3 of 5 minutes */
	assert_string_equal("4|0.05|0|1|0", rollup("switch_hour", 1, TEN_OCLOCK)); /* 3 of 60 */
}

static void the_state_goes_on_through_spans_without_a_reading(void **state)
{
	(void)state;
	house_append(LAMP, TEN_OCLOCK, 0);
	house_append(LAMP, TEN_OCLOCK + 40 * MINUTE, 1); /* on for 20 minutes of this hour, and on */
	house_append(LAMP, TEN_OCLOCK + 2 * HOUR + 33 * MINUTE, 0);
	house_maintain(TEN_OCLOCK + 4 * HOUR + MINUTE);
	assert_string_equal("2|0.333333|0|1|1", rollup("switch_hour", 1, TEN_OCLOCK));
	assert_string_equal("1|0.55|0|0|0", rollup("switch_hour", 1, TEN_OCLOCK + 2 * HOUR)); /* 33 of 60 */
}

static void many_readings_in_one_span_weigh_no_more_than_its_time(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) /* on 15 s, off 15 s ... for 5 minutes, then off */
		house_append(LAMP, TEN_OCLOCK + i * 15 * SECOND, i % 2 == 0);
	house_append(LAMP, TEN_OCLOCK + 30 * MINUTE, 0);
	house_maintain(TEN_OCLOCK + 2 * HOUR + MINUTE);
	assert_string_equal("0.0416667", house_query("SELECT printf('%g', mean) FROM switch_hour")); /* 2.5 of 60 minutes */
}

static void a_late_change_mends_what_follows_it(void **state)
{
	(void)state;
	house_append(LAMP, TEN_OCLOCK, 1);
	house_append(LAMP, TEN_OCLOCK + 2 * HOUR + 30 * MINUTE, 1);
	house_append(LAMP, TEN_OCLOCK + 2 * HOUR + 45 * MINUTE, 0);
	house_maintain(TEN_OCLOCK + 4 * HOUR + MINUTE);
	assert_string_equal("2|0.75|0|1|0", rollup("switch_hour", 1, TEN_OCLOCK + 2 * HOUR));
	house_append(LAMP, TEN_OCLOCK + 2 * MINUTE, 0); /* it was off in between */
	house_maintain(TEN_OCLOCK + 4 * HOUR + MINUTE);
	assert_string_equal("2|0.0333333|0|1|0", rollup("switch_hour", 1, TEN_OCLOCK));
	assert_string_equal("2|0.25|0|1|0", rollup("switch_hour", 1, TEN_OCLOCK + 2 * HOUR));
	assert_string_equal("0", house_query("SELECT count(*) FROM meta_late"));
}

/* ---- keep times ------------------------------------------------------------------------------------------------------------------ */

static void fill_three_days(void)
{
	for (int i = 0; i < 3 * 24 * 12; i++)
		house_append(AIR, TEN_OCLOCK + i * 5 * MINUTE, i % 12);
}

static void old_rows_go_and_their_rollups_stay(void **state)
{
	const struct store_keep keep = { "", 24 * HOUR, 48 * HOUR };
	int64_t now_ms = TEN_OCLOCK + 72 * HOUR;

	(void)state;
	assert_int_equal(0, store_set_keep(house, &keep, 1));
	fill_three_days();
	house_maintain(now_ms);
	house_append(AIR, now_ms, 1);
	house_maintain(now_ms + HOUR + MINUTE); /* an hour is over: 5-minute rows are looked at */
	assert_string_equal("1767438000000", house_query("SELECT min(time) FROM temperature"));      /* 49 hours after ten */
	assert_string_equal("1767351600000", house_query("SELECT min(time) FROM temperature_5min")); /* 25 hours */
	assert_string_equal("1767261600000", house_query("SELECT min(time) FROM temperature_hour"));
	assert_string_equal("12|5.5|0|11|11", rollup("temperature_hour", 1, TEN_OCLOCK));
}

static void without_keep_times_all_rows_stay(void **state)
{
	(void)state;
	fill_three_days();
	house_maintain(TEN_OCLOCK + 10000 * HOUR + MINUTE);
	assert_string_equal("864", house_query("SELECT count(*) FROM temperature"));
}

static void a_quantity_may_have_its_own_keep_time(void **state)
{
	const struct store_keep keeps[] = { { "", 0, 0 }, { "temperature", 24 * HOUR, 0 } };

	(void)state;
	store_set_keep(house, keeps, 2);
	house_append(AIR, TEN_OCLOCK, 1);
	house_append("salon/air/humidity", TEN_OCLOCK, 50);
	house_maintain(TEN_OCLOCK + 72 * HOUR + MINUTE);
	assert_string_equal("0", house_query("SELECT count(*) FROM temperature"));
	assert_string_equal("1", house_query("SELECT count(*) FROM humidity"));
}

static void a_chart_of_a_time_whose_rows_are_gone_is_drawn_from_rollups(void **state)
{
	const struct store_keep keep = { "", 24 * HOUR, 48 * HOUR };
	const struct store_span five_min = {
		.from_ms = TEN_OCLOCK + 30 * HOUR, .to_ms = TEN_OCLOCK + 32 * HOUR, .max = 100, .interval_ms = 0
	};
	const struct store_span hours = { .from_ms = TEN_OCLOCK, .to_ms = TEN_OCLOCK + 4 * HOUR, .max = 100, .interval_ms = 0 };
	struct series series = house_series(AIR);
	struct point points[152];
	int64_t resolution_ms;

	(void)state;
	store_set_keep(house, &keep, 1);
	fill_three_days();
	house_maintain(TEN_OCLOCK + 72 * HOUR + MINUTE);
	house_append(AIR, TEN_OCLOCK + 72 * HOUR, 1);
	house_maintain(TEN_OCLOCK + 73 * HOUR + MINUTE);
	assert_int_equal(24, store_read_span(house, &series, &five_min, points, &resolution_ms));
	assert_int_equal(5 * MINUTE, resolution_ms);
	assert_int_equal(4, store_read_span(house, &series, &hours, points, &resolution_ms));
	assert_int_equal(HOUR, resolution_ms);
	assert_float_equal(5.5, points[0].mean, 0);
}

static void a_reading_that_comes_after_its_rows_are_gone_is_added_to_the_rollups(void **state)
{
	const struct store_keep keep = { "", 24 * HOUR, 0 };
	int64_t now_ms = TEN_OCLOCK + 72 * HOUR;

	(void)state;
	store_set_keep(house, &keep, 1);
	house_append(AIR, TEN_OCLOCK, 10);
	house_append(AIR, TEN_OCLOCK + MINUTE, 20);
	house_append("cuisine/air/temperature", TEN_OCLOCK, 3);
	house_maintain(now_ms);
	assert_string_equal("0", house_query("SELECT count(*) FROM temperature"));
	for (int i = 2; i < 4; i++) { /* one after the other: neither counts twice */
		house_append(AIR, TEN_OCLOCK + i * MINUTE, 30);
		house_maintain(now_ms);
	}
	assert_string_equal("4|22.5|10|30|20", rollup("temperature_5min", 1, TEN_OCLOCK));
	assert_string_equal("4|22.5|10|30|20", rollup("temperature_hour", 1, TEN_OCLOCK));
	assert_string_equal("1|3|3|3|3", rollup("temperature_5min", 2, TEN_OCLOCK));
	house_append("cuisine/air/temperature", TEN_OCLOCK + MINUTE, 5);
	house_append("cuisine/air/temperature", TEN_OCLOCK + 2 * MINUTE, 7); /* both at once */
	house_maintain(now_ms);
	assert_string_equal("3|5|3|7|3", rollup("temperature_5min", 2, TEN_OCLOCK));
	assert_string_equal("0", house_query("SELECT count(*) FROM temperature"));
}

static void the_past_of_a_node_that_was_away_longer_than_rows_are_kept_is_told_in_rollups(void **state)
{
	const struct store_keep keep = { "", 24 * HOUR, 0 };
	int64_t now_ms = TEN_OCLOCK + 72 * HOUR;

	(void)state;
	store_set_keep(house, &keep, 1);
	house_append(AIR, TEN_OCLOCK, 10);
	house_maintain(now_ms);
	house_append("grenier/air/temperature", TEN_OCLOCK - HOUR, 4);
	house_maintain(now_ms);
	house_append("grenier/air/temperature", TEN_OCLOCK - HOUR + MINUTE, 6);
	house_maintain(now_ms);
	assert_string_equal("2|5|4|6|4", rollup("temperature_5min", 2, TEN_OCLOCK - HOUR));
	assert_string_equal("2|5|4|6|4", rollup("temperature_hour", 2, TEN_OCLOCK - HOUR));
}

static void a_little_time_does_a_little_of_the_work_and_says_that_more_is_due(void **state)
{
	(void)state;
	fill_three_days();
	house_commit();
	assert_int_equal(1, store_maintain(house, TEN_OCLOCK + 80 * HOUR, 1));
	assert_false(store_dirty(house));
	house_maintain(TEN_OCLOCK + 80 * HOUR + MINUTE);
	assert_int_equal(0, store_maintain(house, TEN_OCLOCK + 80 * HOUR, 1000));
	assert_string_equal("864", house_query("SELECT sum(count) FROM temperature_hour"));
}

static void a_reading_from_tomorrow_does_not_keep_todays_from_being_rolled_up(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK + 20 * HOUR, 1); /* a clock that was wrong */
	house_append(AIR, TEN_OCLOCK, 2);
	house_append(AIR, TEN_OCLOCK + MINUTE, 4);
	house_maintain(TEN_OCLOCK + HOUR + MINUTE);
	assert_string_equal("2|3|2|4|4", rollup("temperature_5min", 1, TEN_OCLOCK));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_open, house_close)
	const struct CMUnitTest tests[] = {
		TEST(a_span_that_is_over_has_count_mean_min_max_and_last),
		TEST(an_hour_is_left_open_for_half_a_minute_of_grace),
		TEST(many_rows_do_not_wait_for_the_end_of_their_hour),
		TEST(series_are_kept_apart),
		TEST(an_hour_is_made_of_its_spans_weighted_by_their_readings),
		TEST(a_late_reading_mends_its_span_and_its_hour),
		TEST(readings_from_before_the_first_one_are_rolled_up_too),
		TEST(late_readings_are_remembered_across_a_restart),
		TEST(a_mark_that_was_rolled_back_is_made_again),
		TEST(texts_are_counted_and_have_no_mean),
		TEST(a_binary_span_holds_the_share_of_time_on),
		TEST(the_state_goes_on_through_spans_without_a_reading),
		TEST(many_readings_in_one_span_weigh_no_more_than_its_time),
		TEST(a_late_change_mends_what_follows_it),
		TEST(old_rows_go_and_their_rollups_stay),
		TEST(without_keep_times_all_rows_stay),
		TEST(a_quantity_may_have_its_own_keep_time),
		TEST(a_chart_of_a_time_whose_rows_are_gone_is_drawn_from_rollups),
		TEST(a_reading_that_comes_after_its_rows_are_gone_is_added_to_the_rollups),
		TEST(the_past_of_a_node_that_was_away_longer_than_rows_are_kept_is_told_in_rollups),
		TEST(a_little_time_does_a_little_of_the_work_and_says_that_more_is_due),
		TEST(a_reading_from_tomorrow_does_not_keep_todays_from_being_rolled_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
