/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* Checks of the store, everything at once, figures of the series. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/store_tools.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"
#define DOOR "salon/door/contact"

static const int64_t day_ms = 86400000;

static void a_week(void)
{
	for (int i = 0; i < 7 * 24 * 12; i++) {
		house_append(AIR, TEN_OCLOCK + i * 5 * MINUTE, 20 + 0.1 * (i % 100));
		house_append(AIR, TEN_OCLOCK + i * 5 * MINUTE + 1000, 21.3);
		if (i % 7 == 0)
			house_append(DOOR, TEN_OCLOCK + i * 5 * MINUTE, i % 2);
		if (i % 50 == 0)
			house_append_text("salon/screen/text", TEN_OCLOCK + i * 5 * MINUTE, "bonjour");
	}
	house_maintain(TEN_OCLOCK + 7 * day_ms);
}

/* ---- check ---------------------------------------------------------------------------------------------------------------------- */

static void ignore(void *context, const char *text)
{
	(void)context;
	(void)text;
}

static struct store_findings look(bool full, bool mend)
{
	struct store_check check = { full, mend };
	struct store_findings findings;

	if (store_check(house, &check, NULL, ignore, NULL, &findings) < 0)
		fail_msg("%s", store_error(house));
	return findings;
}

static void means_are_what_their_readings_say(void **state)
{
	struct store_findings findings;

	(void)state;
	a_week();
	findings = look(true, false);
	assert_int_equal(0, findings.faults);
	assert_int_equal(0, findings.differing);
	assert_true(findings.spans >= 3 * 7 * 24 * 12);
	house_append(AIR, TEN_OCLOCK + 7, 3); /* late: known, and waits */
	house_commit();
	findings = look(true, false);
	assert_int_equal(0, findings.differing);
	assert_int_equal(1, findings.waiting);
}

static void assert_found_and_mended(const char *damage)
{
	struct store_findings findings;

	a_week();
	house_execute(damage);
	findings = look(true, false);
	if (findings.differing < 1)
		fail_msg("not found: %s", damage);
	assert_int_equal(0, findings.marked);
	findings = look(true, true);
	assert_true(findings.marked > 0);
	house_maintain(TEN_OCLOCK + 7 * day_ms);
	assert_int_equal(0, look(true, false).differing);
}

static void a_count_that_differs_is_found_and_mended(void **state)
{
	(void)state;
	assert_found_and_mended("UPDATE temperature_5min SET count = 7 WHERE time = (SELECT min(time) FROM temperature_5min)");
}

static void a_mean_that_differs_is_found_and_mended(void **state)
{
	(void)state;
	assert_found_and_mended(
		"UPDATE temperature_5min SET mean = mean + 0.01 WHERE time = (SELECT max(time) FROM temperature_5min)");
}

static void a_rollup_that_is_missing_is_found_and_mended(void **state)
{
	(void)state;
	assert_found_and_mended("DELETE FROM contact_5min WHERE time = (SELECT min(time) FROM contact_5min)");
}

static void a_rollup_without_rows_is_found_and_mended(void **state)
{
	(void)state;
	assert_found_and_mended("DELETE FROM _raw_temperature WHERE time < (SELECT min(time) FROM temperature) + 300000");
}

static void an_hour_that_differs_is_found_and_mended(void **state)
{
	(void)state;
	assert_found_and_mended("UPDATE temperature_hour SET max = 99 WHERE time = (SELECT min(time) FROM temperature_hour)");
}

static void a_quick_check_looks_at_the_newest_week_alone(void **state)
{
	(void)state;
	a_week();
	for (int i = 0; i < 300; i++)
		house_append(AIR, TEN_OCLOCK + 9 * day_ms + i * MINUTE, 20);
	house_maintain(TEN_OCLOCK + 10 * day_ms);
	house_execute("UPDATE temperature_5min SET count = 7 WHERE time = (SELECT min(time) FROM temperature_5min)");
	assert_int_equal(0, look(false, false).differing);
	assert_true(look(true, false).differing > 0);
}

static bool never(void *context, double share)
{
	(void)context;
	(void)share;
	return false;
}

static void a_check_can_be_given_up(void **state)
{
	struct store_watch watch = { never, NULL };
	struct store_check check = { .full = true };
	struct store_findings findings;

	(void)state;
	a_week();
	assert_int_equal(-EINTR, store_check(house, &check, &watch, ignore, NULL, &findings));
}

/* ---- everything at once --------------------------------------------------------------------------------------------------------- */

struct seen {
	struct reading list[64];
	size_t count;
	int stop_after;
};

static int see(void *context, const struct reading *reading)
{
	struct seen *seen = context;

	if (seen->count < 64)
		seen->list[seen->count] = *reading;
	seen->count++;
	return seen->stop_after && (int)seen->count == seen->stop_after ? 7 : 0;
}

static bool is_wanted(void *context, const struct series *series)
{
	return strcmp(series->node, context) == 0;
}

static void readings_come_by_quantity_then_time(void **state)
{
	struct store_filter filter = { .from_ms = INT64_MIN, .to_ms = INT64_MAX };
	struct seen seen = { .count = 0 };

	(void)state;
	house_append("b/air/temperature", TEN_OCLOCK + 2, 3);
	house_append("a/air/temperature", TEN_OCLOCK + 1, 2);
	house_append_text("a/rfid/badge", TEN_OCLOCK, "04:A2");
	house_append("a/air/temperature", TEN_OCLOCK + 3, 4);
	house_commit();
	assert_int_equal(0, store_each_row(house, &filter, NULL, see, &seen));
	assert_int_equal(4, seen.count);
	assert_string_equal("04:A2", seen.list[0].value.text);
	for (int i = 1; i < 4; i++)
		assert_float_equal(i + 1, seen.list[i].value.number, 0);
	assert_string_equal("b", seen.list[2].series.node);
	assert_int_equal(TEN_OCLOCK + 2, seen.list[2].time_ms);
}

static void filters_choose_series_and_span(void **state)
{
	struct store_filter filter = { is_wanted, (void *)"a", TEN_OCLOCK + 1, TEN_OCLOCK + 3 };
	struct seen seen = { .count = 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		house_append("a/air/temperature", TEN_OCLOCK + i, i);
		house_append("b/air/temperature", TEN_OCLOCK + i, i);
	}
	house_commit();
	assert_int_equal(0, store_each_row(house, &filter, NULL, see, &seen));
	assert_int_equal(2, seen.count); /* from is included, to is not */
	assert_int_equal(TEN_OCLOCK + 1, seen.list[0].time_ms);
	filter.context = (void *)"nobody";
	seen.count = 0;
	assert_int_equal(0, store_each_row(house, &filter, NULL, see, &seen));
	assert_int_equal(0, seen.count);
}

static void a_receiver_or_a_watcher_ends_it(void **state)
{
	struct store_filter filter = { .from_ms = INT64_MIN, .to_ms = INT64_MAX };
	struct store_watch watch = { never, NULL };
	struct seen seen = { .stop_after = 2 };

	(void)state;
	a_week();
	assert_int_equal(7, store_each_row(house, &filter, NULL, see, &seen));
	assert_int_equal(2, seen.count);
	assert_int_equal(-EINTR, store_each_row(house, &filter, &watch, see, &seen));
}

static void an_empty_store_gives_nothing(void **state)
{
	struct store_filter filter = { .from_ms = INT64_MIN, .to_ms = INT64_MAX };
	struct seen seen = { .count = 0 };

	(void)state;
	assert_int_equal(0, store_each_row(house, &filter, NULL, see, &seen));
	assert_int_equal(0, seen.count);
}

/* ---- figures -------------------------------------------------------------------------------------------------------------------- */

struct figures {
	struct store_series_figures list[8];
	size_t count;
};

static int add_figures(void *context, const struct store_series_figures *one)
{
	struct figures *figures = context;

	figures->list[figures->count++] = *one;
	return 0;
}

static void figures_count_rolled_up_and_fresh_readings(void **state)
{
	struct figures figures = { .count = 0 };
	int64_t now_ms = TEN_OCLOCK + 7 * day_ms + 20 * MINUTE;

	(void)state;
	a_week();
	house_append(AIR, now_ms - 5, 20);
	house_append("zoo/air/temperature", now_ms - 4, 20);
	house_commit();
	assert_int_equal(0, store_each_series(house, now_ms, add_figures, &figures));
	assert_int_equal(4, figures.count);
	assert_string_equal("air", figures.list[0].series.device);
	assert_int_equal(7 * 24 * 12 * 2 + 1, figures.list[0].readings);
	assert_int_equal(TEN_OCLOCK, figures.list[0].oldest_ms);
	assert_int_equal(now_ms - 5, figures.list[0].newest_ms);
	assert_int_equal(2 * (24 * 12 - 4) + 1, figures.list[0].last_day);
	assert_string_equal("door", figures.list[1].series.device);
	assert_int_equal(7 * 24 * 12 / 7, figures.list[1].readings);
	assert_string_equal("screen", figures.list[2].series.device);
	assert_int_equal(41, figures.list[2].readings);
	assert_string_equal("zoo", figures.list[3].series.node);
	assert_int_equal(1, figures.list[3].readings);
	assert_int_equal(now_ms - 4, figures.list[3].oldest_ms);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_open, house_close)
	const struct CMUnitTest tests[] = {
		TEST(means_are_what_their_readings_say),
		TEST(a_count_that_differs_is_found_and_mended),
		TEST(a_mean_that_differs_is_found_and_mended),
		TEST(a_rollup_that_is_missing_is_found_and_mended),
		TEST(a_rollup_without_rows_is_found_and_mended),
		TEST(an_hour_that_differs_is_found_and_mended),
		TEST(a_quick_check_looks_at_the_newest_week_alone),
		TEST(a_check_can_be_given_up),
		TEST(readings_come_by_quantity_then_time),
		TEST(filters_choose_series_and_span),
		TEST(a_receiver_or_a_watcher_ends_it),
		TEST(an_empty_store_gives_nothing),
		TEST(figures_count_rolled_up_and_fresh_readings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
