/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* The newest readings, spans for charts, exports. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../fakes/clock.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"
#define LAMP "salon/lamp/switch"

enum { PLACES = 20000 };

static struct point points[PLACES];

static int open_at_noon(void **state)
{
	fake_wall_ms = TEN_OCLOCK + 1000 * HOUR; /* a span ends at the latest now */
	return house_open(state);
}

static int read_span(const char *text, int64_t from_ms, int64_t to_ms, size_t max, int64_t *ret_resolution_ms)
{
	const struct store_span span = { .from_ms = from_ms, .to_ms = to_ms, .max = max, .interval_ms = 0 };
	struct series series = house_series(text);

	return store_read_span(house, &series, &span, points, ret_resolution_ms);
}

static int read_last(const char *text, int64_t before_ms, size_t n)
{
	struct series series = house_series(text);

	return store_read_last(house, &series, before_ms, n, points);
}

/* A reading each 10 s, of 0 to 9 in turn. */
static void fill(const char *series, int64_t from_ms, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(1, house_append(series, from_ms + i * 10 * SECOND, i % 10));
}

/* ---- the newest ------------------------------------------------------------------------------------------------------------------ */

static void the_last_hundred_are_the_newest_oldest_first(void **state)
{
	(void)state;
	fill(AIR, TEN_OCLOCK, 150);
	for (int rolled = 0; rolled < 2; rolled++) { /* before the spans are rolled up, and after */
		assert_int_equal(100, read_last(AIR, INT64_MAX, 100));
		for (int i = 0; i < 100; i++)
			assert_int_equal(TEN_OCLOCK + (50 + i) * 10 * SECOND, points[i].time_ms);
		assert_float_equal(9, points[99].mean, 0);
		house_maintain(TEN_OCLOCK + (rolled ? 24 * HOUR : 20 * MINUTE));
	}
}

static void the_last_ones_before_a_moment_can_be_asked_for(void **state)
{
	(void)state;
	fill(AIR, TEN_OCLOCK, 100);
	house_maintain(TEN_OCLOCK + 10 * MINUTE);
	assert_int_equal(3, read_last(AIR, TEN_OCLOCK + 30 * SECOND, 100));
	assert_int_equal(TEN_OCLOCK + 20 * SECOND, points[2].time_ms);
	assert_int_equal(0, read_last(AIR, TEN_OCLOCK, 100));
}

static void a_series_that_fell_silent_long_ago_still_has_its_last_readings(void **state)
{
	(void)state;
	fill("garage/air/temperature", TEN_OCLOCK, 5);
	fill(AIR, TEN_OCLOCK + 500 * HOUR, 50);
	house_maintain(TEN_OCLOCK + 900 * HOUR);
	assert_int_equal(5, read_last("garage/air/temperature", INT64_MAX, 100));
	assert_int_equal(TEN_OCLOCK + 40 * SECOND, points[4].time_ms);
}

static void a_late_reading_is_among_the_last_before_its_span_is_done_again(void **state)
{
	struct series series = house_series("garage/air/temperature");
	struct reading reading;

	(void)state;
	fill(AIR, TEN_OCLOCK, 10);
	house_maintain(TEN_OCLOCK + HOUR);
	house_append("garage/air/temperature", TEN_OCLOCK - 5 * HOUR, 4);
	house_commit();
	assert_int_equal(1, store_read_latest(house, &series, &reading));
	assert_int_equal(TEN_OCLOCK - 5 * HOUR, reading.time_ms);
}

static int take_series(void *context, const struct reading *reading)
{
	char *text = context, one[SERIES_TEXT_MAX + 1];

	strcat(strcat(text, series_format(&reading->series, one)), " ");
	return 0;
}

static void the_latest_of_all_are_in_order_of_their_names(void **state)
{
	char text[512] = "";

	(void)state;
	house_append(LAMP, TEN_OCLOCK, 1);
	house_append(AIR, TEN_OCLOCK, 20);
	house_append_text("cuisine/rfid/badge", TEN_OCLOCK, "x");
	house_append("salon/air/humidity", TEN_OCLOCK, 20);
	assert_int_equal(0, store_each_latest(house, take_series, text));
	assert_string_equal("cuisine/rfid/badge salon/air/humidity salon/air/temperature salon/lamp/switch ", text);
}

static void a_series_that_is_not_known_is_told_from_one_without_rows(void **state)
{
	struct series series = house_series("salon/air/co2");
	struct reading reading;
	int64_t resolution_ms;

	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	assert_int_equal(-ENOENT, read_last("salon/air/co2", INT64_MAX, 10));
	assert_int_equal(-ENOENT, read_last("cuisine/air/temperature", INT64_MAX, 10));
	assert_int_equal(0, store_read_latest(house, &series, &reading));
	assert_int_equal(-ENOENT, read_span("salon/air/co2", TEN_OCLOCK, TEN_OCLOCK + HOUR, 100, &resolution_ms));
	assert_int_equal(0, read_span(AIR, TEN_OCLOCK - HOUR, TEN_OCLOCK, 100, &resolution_ms));
}

/* ---- spans ----------------------------------------------------------------------------------------------------------------------- */

static void rows_that_fit_are_given_as_they_are(void **state)
{
	int64_t resolution_ms;

	(void)state;
	fill(AIR, TEN_OCLOCK, 100);
	for (int rolled = 0; rolled < 2; rolled++) {
		assert_int_equal(100, read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + 1000 * SECOND, 100, &resolution_ms));
		assert_int_equal(0, resolution_ms);
		assert_int_equal(TEN_OCLOCK + 990 * SECOND, points[99].time_ms);
		assert_int_equal(99, read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + 990 * SECOND, 100, &resolution_ms));
		house_maintain(TEN_OCLOCK + 24 * HOUR);
	}
}

static void rows_that_do_not_fit_are_given_in_buckets(void **state)
{
	int64_t resolution_ms;
	unsigned count = 0;
	int n;

	(void)state;
	fill(AIR, TEN_OCLOCK, 360); /* an hour */
	n = read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + HOUR, 37, &resolution_ms);
	assert_int_equal(2 * MINUTE, resolution_ms); /* 3600 s in 36 parts, and a millisecond: the next length that people know */
	assert_int_equal(30, n);
	for (int i = 0; i < n; i++) {
		count += points[i].count;
		assert_true(points[i].min <= points[i].mean && points[i].mean <= points[i].max);
		assert_int_equal(0, points[i].time_ms % resolution_ms);
	}
	assert_int_equal(360, count);
}

static void a_long_span_is_read_from_rollups_and_says_the_same(void **state)
{
	int64_t resolution_ms;
	unsigned count = 0;
	double sum = 0;
	int n;

	(void)state;
	fill(AIR, TEN_OCLOCK, 20000);                            /* 2.3 days */
	house_maintain(TEN_OCLOCK + 20000 * 10 * SECOND - HOUR); /* the last hour is not rolled up */
	n = read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + 60 * HOUR, 100, &resolution_ms);
	assert_true(n > 50 && n <= 100);
	assert_int_equal(0, resolution_ms % (5 * MINUTE));
	for (int i = 0; i < n; i++) {
		count += points[i].count;
		sum += points[i].mean * points[i].count;
	}
	assert_int_equal(20000, count);
	assert_float_equal(4.5, sum / 20000, 1e-9);
	assert_float_equal(0, points[0].min, 0);
	assert_float_equal(9, points[0].max, 0);
}

static void a_year_is_read_from_hours(void **state)
{
	int64_t resolution_ms;
	int n;

	(void)state;
	fill(AIR, TEN_OCLOCK, 16000); /* 44 hours: more rows than ten a point */
	house_maintain(TEN_OCLOCK + 48 * HOUR);
	n = read_span(AIR, TEN_OCLOCK - 8712 * HOUR, TEN_OCLOCK + 48 * HOUR, 1000, &resolution_ms);
	assert_int_equal(12 * HOUR, resolution_ms);
	assert_in_range(n, 4, 5);
}

static void a_hole_is_one_gap_at_its_beginning(void **state)
{
	int64_t resolution_ms;
	int n;

	(void)state;
	fill(AIR, TEN_OCLOCK, 10);
	fill(AIR, TEN_OCLOCK + 10 * MINUTE, 10);
	fill(AIR, TEN_OCLOCK + 20 * MINUTE, 10);
	n = read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + HOUR, 100, &resolution_ms);
	assert_int_equal(32, n);
	assert_int_equal(TEN_OCLOCK + 100 * SECOND, points[10].time_ms);
	assert_true(isnan(points[10].mean));
	assert_int_equal(0, points[10].count);
	assert_int_equal(TEN_OCLOCK + 10 * MINUTE, points[11].time_ms);
	assert_true(isnan(points[21].mean));
	assert_int_equal(TEN_OCLOCK + 20 * MINUTE, points[22].time_ms);
}

static void two_and_a_half_steps_are_no_hole_yet(void **state)
{
	int64_t resolution_ms;

	(void)state;
	fill(AIR, TEN_OCLOCK, 10);
	fill(AIR, TEN_OCLOCK + 90 * SECOND + 25 * SECOND, 10);
	assert_int_equal(20, read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + HOUR, 100, &resolution_ms));
	fill(AIR, TEN_OCLOCK + 205 * SECOND + 25 * SECOND + 1, 10);
	assert_int_equal(31, read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + HOUR, 100, &resolution_ms));
}

static void a_slow_sensors_distances_are_no_holes(void **state)
{
	const struct store_span span = {
		.from_ms = TEN_OCLOCK, .to_ms = TEN_OCLOCK + HOUR, .max = 100, .interval_ms = 10 * MINUTE
	};
	struct series series = house_series(AIR);
	int64_t resolution_ms;

	(void)state;
	for (int i = 0; i < 3; i++)
		house_append(AIR, TEN_OCLOCK + i * 20 * MINUTE, i);
	assert_int_equal(3, store_read_span(house, &series, &span, points, &resolution_ms));
}

static void gaps_never_overflow_the_callers_array(void **state)
{
	int64_t resolution_ms;

	(void)state;
	for (int i = 0; i < 60; i++) /* pairs a second apart, then a long hole each */
		house_append(AIR, TEN_OCLOCK + i / 2 * MINUTE + i % 2 * SECOND, i);
	for (size_t max = 2; max < 64; max++) {
		int n = read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + HOUR, max, &resolution_ms);

		assert_true(n > 0 && (size_t)n <= max + max / 2 + 2);
	}
}

static void a_span_that_makes_no_sense_is_refused(void **state)
{
	int64_t resolution_ms;

	(void)state;
	house_append(AIR, TEN_OCLOCK, 20);
	house_append_text("salon/rfid/badge", TEN_OCLOCK, "x");
	assert_int_equal(-EINVAL, read_span(AIR, TEN_OCLOCK, TEN_OCLOCK, 100, &resolution_ms));
	assert_int_equal(-EINVAL, read_span(AIR, TEN_OCLOCK + 1, TEN_OCLOCK, 100, &resolution_ms));
	assert_int_equal(-EINVAL, read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + 1, 1, &resolution_ms));
	assert_int_equal(-EINVAL, read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + 1, 10001, &resolution_ms));
	assert_int_equal(-EINVAL, read_span("salon/rfid/badge", TEN_OCLOCK, TEN_OCLOCK + 1, 100, &resolution_ms));
}

static void the_reason_of_a_gap_is_known(void **state)
{
	int64_t resolution_ms;
	int n;

	(void)state;
	fill(AIR, TEN_OCLOCK, 10);
	fill(AIR, TEN_OCLOCK + 10 * MINUTE, 10);
	store_node_status(house, "salon", true, TEN_OCLOCK - HOUR);
	store_node_status(house, "salon", false, TEN_OCLOCK + 13 * MINUTE);
	store_node_status(house, "salon", true, TEN_OCLOCK + 20 * MINUTE);
	fill(AIR, TEN_OCLOCK + 20 * MINUTE, 10);
	store_node_status(house, "cuisine", false, TEN_OCLOCK + 22 * MINUTE);
	fill(AIR, TEN_OCLOCK + 30 * MINUTE, 10);
	n = read_span(AIR, TEN_OCLOCK, TEN_OCLOCK + HOUR, 100, &resolution_ms);
	assert_int_equal(43, n);
	assert_int_equal(0, points[10].count);
	assert_int_equal(POINT_GAP_SILENT, points[10].gap);
	assert_int_equal(POINT_GAP_OFFLINE, points[21].gap);
	assert_int_equal(POINT_GAP_SILENT, points[32].gap); /* that was another node */
}

static void the_last_readings_may_be_marked_with_their_gaps(void **state)
{
	struct series series = house_series(AIR);
	int n;

	(void)state;
	fill(AIR, TEN_OCLOCK, 10);
	fill(AIR, TEN_OCLOCK + 10 * MINUTE, 10);
	n = read_last(AIR, INT64_MAX, 20);
	assert_int_equal(21, store_mark_gaps(house, &series, 10 * SECOND, points, (size_t)n));
	assert_int_equal(0, points[10].count);
	n = read_last(AIR, INT64_MAX, 20);
	assert_int_equal(20, store_mark_gaps(house, &series, HOUR, points, (size_t)n));
}

static void several_series_get_the_same_buckets(void **state)
{
	const struct series series[] = { house_series(AIR), house_series("salon/air/humidity"), house_series(LAMP) };
	struct store_span span = { .from_ms = TEN_OCLOCK, .to_ms = TEN_OCLOCK + HOUR, .max = 100 };
	int64_t bucket_ms = 1, resolution_ms;

	(void)state;
	house_append("salon/air/humidity", TEN_OCLOCK, 50);
	house_append("salon/air/humidity", TEN_OCLOCK + 30 * MINUTE, 60);
	house_append(LAMP, TEN_OCLOCK, 1);
	assert_int_equal(0, store_choose_bucket(house, series, 3, &span, &bucket_ms));
	assert_int_equal(0, bucket_ms);
	fill(AIR, TEN_OCLOCK, 360);
	assert_int_equal(0, store_choose_bucket(house, series, 3, &span, &bucket_ms));
	assert_int_equal(MINUTE, bucket_ms);
	span.bucket_ms = bucket_ms;
	assert_int_equal(2, store_read_span(house, &series[1], &span, points, &resolution_ms));
	assert_int_equal(MINUTE, resolution_ms);
	span.bucket_ms = 0;
	assert_int_equal(2, store_read_span(house, &series[1], &span, points, &resolution_ms));
	assert_int_equal(0, resolution_ms);
}

/* ---- days ------------------------------------------------------------------------------------------------------------------------ */

/* Reads days in a zone; a reading of 1 each half hour, so that a day's count is its half hours. */
static int read_days(const char *zone, int64_t from_ms, int days)
{
	const struct store_span span = {
		.from_ms = from_ms, .to_ms = from_ms + days * 24 * HOUR, .max = 100, .bucket_ms = 24 * HOUR
	};
	struct series series = house_series(AIR);
	int64_t resolution_ms;
	int n;

	for (int i = 0; i < (days + 2) * 48; i++)
		house_append(AIR, from_ms - 24 * HOUR + i * 30 * MINUTE, 1);
	for (int i = 0; i < 6000; i++) /* a neighbour that makes raw rows dear */
		house_append("cuisine/air/temperature", from_ms + i, 1);
	house_maintain(from_ms + (days + 3) * 24 * HOUR);
	setenv("TZ", zone, 1);
	tzset();
	n = store_read_span(house, &series, &span, points, &resolution_ms);
	unsetenv("TZ");
	tzset();
	assert_int_equal(24 * HOUR, resolution_ms);
	return n;
}

static void a_day_of_spring_has_23_hours_in_paris(void **state)
{
	(void)state;
	/* 2026-03-28T00:00+01:00 (date -d 2026-03-27T23:00Z +%s): the clocks go forward on the 29th */
	assert_int_equal(5, read_days("Europe/Paris", INT64_C(1774652400000), 4)); /* and an hour of the fifth */
	assert_int_equal(1774652400000, points[0].time_ms);
	assert_int_equal(48, points[0].count);
	assert_int_equal(1774738800000, points[1].time_ms);
	assert_int_equal(46, points[1].count);
	assert_int_equal(1774738800000 + 23 * HOUR, points[2].time_ms);
	assert_int_equal(48, points[2].count);
}

static void a_day_of_autumn_has_25_hours_in_paris(void **state)
{
	(void)state;
	/* 2026-10-24T00:00+02:00 (2026-10-23T22:00Z): back on the 25th */
	assert_int_equal(4, read_days("Europe/Paris", INT64_C(1792792800000), 4));
	assert_int_equal(48, points[0].count);
	assert_int_equal(1792792800000 + 24 * HOUR, points[1].time_ms);
	assert_int_equal(50, points[1].count);
	assert_int_equal(1792792800000 + 49 * HOUR, points[2].time_ms);
}

static void a_day_begins_at_midnight_where_that_is_no_whole_hour_either(void **state)
{
	(void)state;
	/* 2026-06-01T00:00+05:45 (2026-05-31T18:15Z) */
	assert_int_equal(3, read_days("Asia/Kathmandu", INT64_C(1780251300000), 3));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(1780251300000 + i * 24 * HOUR, points[i].time_ms);
		assert_int_equal(48, points[i].count);
	}
}

/* ---- binary ---------------------------------------------------------------------------------------------------------------------- */

static void of_a_switch_the_points_are_its_changes_and_the_state_it_came_with(void **state)
{
	int64_t resolution_ms;

	(void)state;
	house_append(LAMP, TEN_OCLOCK - 3 * HOUR, 1);
	house_append(LAMP, TEN_OCLOCK + 10 * MINUTE, 1);
	house_append(LAMP, TEN_OCLOCK + 20 * MINUTE, 0);
	house_append(LAMP, TEN_OCLOCK + 30 * MINUTE, 0);
	house_append(LAMP, TEN_OCLOCK + 40 * MINUTE, 1);
	assert_int_equal(3, read_span(LAMP, TEN_OCLOCK, TEN_OCLOCK + HOUR, 100, &resolution_ms));
	assert_int_equal(0, resolution_ms);
	assert_int_equal(TEN_OCLOCK, points[0].time_ms);
	assert_float_equal(1, points[0].mean, 0);
	assert_int_equal(TEN_OCLOCK + 20 * MINUTE, points[1].time_ms);
	assert_float_equal(1, points[2].mean, 0);
}

static void of_many_changes_the_points_are_shares_of_time(void **state)
{
	int64_t resolution_ms;
	double on_ms = 0;
	int n;

	(void)state;
	for (int i = 0; i < 720; i++) /* each 5 s: on 5, off 10 */
		house_append(LAMP, TEN_OCLOCK + i * 5 * SECOND, i % 3 == 0);
	n = read_span(LAMP, TEN_OCLOCK, TEN_OCLOCK + HOUR, 61, &resolution_ms);
	assert_int_equal(2 * MINUTE, resolution_ms);
	for (int i = 0; i < n; i++) {
		int64_t begin_ms = points[i].time_ms > TEN_OCLOCK ? points[i].time_ms : TEN_OCLOCK;
		int64_t end_ms = points[i].time_ms + resolution_ms < TEN_OCLOCK + HOUR ? points[i].time_ms + resolution_ms
										       : TEN_OCLOCK + HOUR;

		on_ms += points[i].mean * (double)(end_ms - begin_ms);
	}
	assert_float_equal(1200000, on_ms, 1); /* a third of an hour */
}

static void a_lamp_left_on_is_on_in_every_hour_of_a_long_chart(void **state)
{
	int64_t resolution_ms;
	int n;

	(void)state;
	house_append(LAMP, TEN_OCLOCK, 0);
	house_append(LAMP, TEN_OCLOCK + 30 * MINUTE, 1);
	house_append(LAMP, TEN_OCLOCK + 90 * HOUR + 15 * MINUTE, 0);
	fill("cuisine/lamp/switch", TEN_OCLOCK - 20 * HOUR, 0);
	for (int i = 0; i < 7000; i++) /* a neighbour that makes raw rows dear */
		house_append("cuisine/lamp/switch", TEN_OCLOCK + i * 10 * SECOND, i % 2);
	house_maintain(TEN_OCLOCK + 200 * HOUR);
	n = read_span(LAMP, TEN_OCLOCK, TEN_OCLOCK + 100 * HOUR, 102, &resolution_ms);
	assert_int_equal(100, n);
	assert_float_equal(0.5, points[0].mean, 1e-9);
	for (int i = 1; i < 90; i++)
		assert_float_equal(1, points[i].mean, 0);
	assert_float_equal(0.25, points[90].mean, 1e-9);
	assert_float_equal(0, points[91].mean, 0);
}

static void nobody_knows_what_a_lamp_will_do_after_now(void **state)
{
	int64_t resolution_ms;
	int n;

	(void)state;
	for (int i = 0; i < 400; i++)
		house_append(LAMP, TEN_OCLOCK + i * SECOND, i % 2);
	fake_wall_ms = TEN_OCLOCK + 10 * MINUTE;
	n = read_span(LAMP, TEN_OCLOCK, TEN_OCLOCK + HOUR, 61, &resolution_ms);
	assert_true(points[n - 1].time_ms < TEN_OCLOCK + 10 * MINUTE);
}

/* ---- one by one ------------------------------------------------------------------------------------------------------------------ */

struct taken {
	int count, stop_at;
	int64_t times[16];
	char text[64];
};

static int take(void *context, const struct reading *reading)
{
	struct taken *taken = context;

	taken->times[taken->count++] = reading->time_ms;
	if (reading->value.kind == VALUE_TEXT)
		strcat(taken->text, reading->value.text);
	return taken->count == taken->stop_at ? 42 : 0;
}

static void readings_are_given_one_by_one_either_way_round(void **state)
{
	struct store_scan scan = { TEN_OCLOCK + 10 * SECOND, TEN_OCLOCK + 60 * SECOND, 0, false };
	struct series series = house_series(AIR);
	struct taken up = { 0 }, down = { 0 }, few = { 0 }, stopped = { .stop_at = 2 };

	(void)state;
	fill(AIR, TEN_OCLOCK, 10);
	assert_int_equal(0, store_each_reading(house, &series, &scan, take, &up));
	assert_int_equal(5, up.count);
	assert_int_equal(TEN_OCLOCK + 10 * SECOND, up.times[0]);
	assert_int_equal(42, store_each_reading(house, &series, &scan, take, &stopped));
	assert_int_equal(2, stopped.count);
	scan.newest_first = true;
	house_maintain(TEN_OCLOCK + HOUR);
	assert_int_equal(0, store_each_reading(house, &series, &scan, take, &down));
	assert_int_equal(5, down.count);
	assert_int_equal(TEN_OCLOCK + 50 * SECOND, down.times[0]);
	scan.limit = 3;
	assert_int_equal(0, store_each_reading(house, &series, &scan, take, &few));
	assert_int_equal(3, few.count);
}

static void texts_can_be_read_back_too(void **state)
{
	const struct store_scan scan = { TEN_OCLOCK, INT64_MAX, 0, false };
	struct series series = house_series("salon/screen/text");
	struct taken taken = { 0 };

	(void)state;
	house_append_text("salon/screen/text", TEN_OCLOCK, "déjà ");
	house_append_text("salon/screen/text", TEN_OCLOCK + 1, "vu");
	assert_int_equal(0, store_each_reading(house, &series, &scan, take, &taken));
	assert_string_equal("déjà vu", taken.text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_at_noon, house_close)
	const struct CMUnitTest tests[] = {
		TEST(the_last_hundred_are_the_newest_oldest_first),
		TEST(the_last_ones_before_a_moment_can_be_asked_for),
		TEST(a_series_that_fell_silent_long_ago_still_has_its_last_readings),
		TEST(a_late_reading_is_among_the_last_before_its_span_is_done_again),
		TEST(the_latest_of_all_are_in_order_of_their_names),
		TEST(a_series_that_is_not_known_is_told_from_one_without_rows),
		TEST(rows_that_fit_are_given_as_they_are),
		TEST(rows_that_do_not_fit_are_given_in_buckets),
		TEST(a_long_span_is_read_from_rollups_and_says_the_same),
		TEST(a_year_is_read_from_hours),
		TEST(a_hole_is_one_gap_at_its_beginning),
		TEST(two_and_a_half_steps_are_no_hole_yet),
		TEST(a_slow_sensors_distances_are_no_holes),
		TEST(gaps_never_overflow_the_callers_array),
		TEST(the_reason_of_a_gap_is_known),
		TEST(the_last_readings_may_be_marked_with_their_gaps),
		TEST(several_series_get_the_same_buckets),
		TEST(a_day_of_spring_has_23_hours_in_paris),
		TEST(a_day_of_autumn_has_25_hours_in_paris),
		TEST(a_day_begins_at_midnight_where_that_is_no_whole_hour_either),
		TEST(a_span_that_makes_no_sense_is_refused),
		TEST(of_a_switch_the_points_are_its_changes_and_the_state_it_came_with),
		TEST(of_many_changes_the_points_are_shares_of_time),
		TEST(a_lamp_left_on_is_on_in_every_hour_of_a_long_chart),
		TEST(nobody_knows_what_a_lamp_will_do_after_now),
		TEST(readings_are_given_one_by_one_either_way_round),
		TEST(texts_can_be_read_back_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
