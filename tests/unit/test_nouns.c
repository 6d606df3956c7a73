/* The nouns: quantity, series, value, reading. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/reading.h"

static const int64_t now_ms = 1767261600000; /* 2026-01-01T10:00:00Z */

/* ---- quantities ------------------------------------------------------------------------------------------------------------------ */

static void every_quantity_of_the_house_is_in_the_table(void **state)
{
	static const char *const names[] = {
		"temperature", "humidity", "pressure", "illuminance", "distance", "motion", "contact",
		"switch",      "level",    "position", "voltage",     "current",  "power",  "energy",
		"co2",         "rssi",     "battery",  "badge",       "text",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_true(quantity_find(names[i]) != QUANTITY_NONE);
}

static void every_row_of_the_table_is_whole(void **state)
{
	(void)state;
	for (int i = QUANTITY_NONE + 1; i < QUANTITY_COUNT; i++) {
		const struct quantity_info *info = quantity_info((enum quantity)i);

		assert_true(quantity_name_valid(info->name, strlen(info->name)));
		assert_int_equal(i, quantity_find(info->name));
		assert_true(info->label_fr[0] && info->label_en[0] && info->icon[0]);
		assert_true(strlen(info->unit) <= UNIT_MAX);
		assert_true(info->kind == QUANTITY_KIND_TEXT || info->min < info->max);
		if (info->kind == QUANTITY_KIND_BINARY)
			assert_true(info->on_fr && info->off_fr && info->on_en && info->off_en);
	}
}

static void an_unknown_quantity_holds_any_number(void **state)
{
	const struct quantity_info *info = quantity_info_of("radon");

	(void)state;
	assert_int_equal(QUANTITY_KIND_NUMBER, info->kind);
	assert_true(info->min < -1e300 && info->max > 1e300);
	assert_string_equal("", info->unit);
	assert_int_equal(QUANTITY_NONE, quantity_find(""));
}

static bool quantity_ok(const char *name)
{
	return quantity_name_valid(name, strlen(name));
}

static void quantity_names_are_small_letters_digits_and_underscores(void **state)
{
	(void)state;
	assert_true(quantity_ok("a"));
	assert_true(quantity_ok("pm2_5"));
	assert_true(quantity_ok("abcdefghijklmnopqrstuvwxyz_01234")); /* 32 */
	assert_false(quantity_ok("abcdefghijklmnopqrstuvwxyz_012345"));
	assert_false(quantity_ok(""));
	assert_false(quantity_ok("2nd"));
	assert_false(quantity_ok("_a"));
	assert_false(quantity_ok("Temperature"));
	assert_false(quantity_ok("dew-point"));
	assert_false(quantity_ok("a b"));
	assert_false(quantity_ok("é"));
	assert_false(quantity_name_valid("a\0b", 3));
}

static void names_that_the_schema_uses_are_no_quantities(void **state)
{
	static const char *const names[] = {
		"node",
		"series",
		"command",
		"rejected",
		"meta",
		"event",
		"meta_rollup",
		"meta_late",
		"sqlite_master",
		"sqlite_sequence",
		"temperature_5min",
		"temperature_hour",
		"temperature_8hour",
		"temperature_view",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_false(quantity_ok(names[i]));
	assert_true(quantity_ok("nodes"));
	assert_true(quantity_ok("hour"));
}

/* ---- series ---------------------------------------------------------------------------------------------------------------------- */

static void a_series_is_three_words(void **state)
{
	struct series series, again;
	char text[SERIES_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(0, series_parse("salon/bme-280_a/temperature", 27, &series));
	assert_string_equal("bme-280_a", series.device);
	assert_string_equal("salon/bme-280_a/temperature", series_format(&series, text));
	assert_int_equal(0, series_make("salon", "bme-280_a", "temperature", &again));
	assert_true(series_equal(&series, &again));
	assert_int_equal(series_hash(&series), series_hash(&again));
	strcpy(again.node, "cuisine");
	assert_false(series_equal(&series, &again));
}

static void what_is_no_series_leaves_the_result_alone(void **state)
{
	static const char *const wrong[] = {
		"",
		"salon",
		"salon/bme280",
		"salon/bme280/",
		"/bme280/temperature",
		"salon//temperature",
		"salon/bme280/temperature/set",
		"Salon/bme280/temperature",
		"-salon/bme280/temperature",
		"salon/bme280/node",
		"abcdefghijklmnopqrstuvwxyz0123456/a/temperature",
	};
	struct series series = { .node = "before" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(-EINVAL, series_parse(wrong[i], strlen(wrong[i]), &series));
	assert_int_equal(-EINVAL, series_make("salon", "bme280", "", &series));
	assert_string_equal("before", series.node);
}

static void a_series_is_read_from_exactly_the_bytes_given(void **state)
{
	struct series series;

	(void)state;
	assert_int_equal(0, series_parse("salon/bme280/temperature,x", 24, &series));
	assert_string_equal("temperature", series.quantity);
	assert_int_equal(-EINVAL, series_parse("salon/bme280/temperature", 12, &series));
}

static void names_of_32_bytes_fit(void **state)
{
	struct series series;
	char text[SERIES_TEXT_MAX + 1];
	const char *longest = "abcdefghijklmnopqrstuvwxyz012345/abcdefghijklmnopqrstuvwxyz012345/abcdefghijklmnopqrstuvwxyz012345";

	(void)state;
	assert_int_equal(SERIES_TEXT_MAX, strlen(longest));
	assert_int_equal(0, series_parse(longest, strlen(longest), &series));
	assert_string_equal(longest, series_format(&series, text));
}

/* ---- values ---------------------------------------------------------------------------------------------------------------------- */

static void numbers_are_written_as_short_as_they_read_back(void **state)
{
	static const struct {
		double number;
		const char *text;
	} numbers[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ -1, "-1" },
		{ 21.4, "21.4" },
		{ -0.5, "-0.5" },
		{ 0.05, "0.05" },
		{ 1013.25, "1013.25" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1e300, "1e+300" },
		{ 1e-9, "1e-09" },
		{ 999999999, "999999999" },
		{ 1e15, "1e+15" },
		{ 1767261600000, "1767261600000" },
		{ -273.15, "-273.15" },
		{ 100.0001, "100.0001" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		assert_int_equal(strlen(numbers[i].text), value_format_number(numbers[i].number, text));
		assert_string_equal(numbers[i].text, text);
	}
}

static void any_number_reads_back(void **state)
{
	uint64_t bits = 88172645463325252U; /* xorshift64, Marsaglia 2003 */
	char text[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		double number, again;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&number, &bits, sizeof(number));
		if (i % 2)
			number = (double)(int64_t)(bits >> 30) / 10000;
		if (!isfinite(number))
			continue;
		assert_true(value_format_number(number, text) < sizeof(text));
		again = strtod(text, NULL);
		assert_memory_equal(&number, &again, sizeof(number));
	}
}

static void texts_are_clean_utf_8(void **state)
{
	static const char *const wrong[] = { "a\nb",     "\x7f",         "\xc2\x85",         "\xff",
					     "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82",
					     "\x80",     "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80" };
	struct value value = { .number = 7 };

	(void)state;
	assert_int_equal(0, value_of_text("déjà 🏠", strlen("déjà 🏠"), &value));
	assert_string_equal("déjà 🏠", value.text);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(-EINVAL, value_of_text(wrong[i], strlen(wrong[i]), &value));
	assert_int_equal(-EINVAL, value_of_text("a\0b", 3, &value));
	assert_string_equal("déjà 🏠", value.text);
	assert_int_equal(0, value_of_text("", 0, &value));
}

static void what_is_shown_of_a_payload_is_always_text(void **state)
{
	char shown[8];

	(void)state;
	assert_string_equal("a?b?", value_show("a\nb\xff", 4, shown, sizeof(shown)));
	assert_string_equal("abcdef", value_show("abcdefé", 8, shown, sizeof(shown))); /* no half é */
	assert_string_equal("abcdé", value_show("abcdéfgh", 9, shown, 7));
	assert_string_equal("?", value_show("\0", 1, shown, sizeof(shown)));
	assert_string_equal("", value_show("", 0, shown, sizeof(shown)));
}

static void values_are_equal_by_kind_and_content(void **state)
{
	struct value one = value_of_number(1), text, other;

	(void)state;
	value_of_text("1", 1, &text);
	value_of_text("2", 1, &other);
	assert_true(value_equal(&one, &one));
	assert_false(value_equal(&one, &text));
	assert_false(value_equal(&text, &other));
}

/* ---- readings -------------------------------------------------------------------------------------------------------------------- */

static int check(const char *quantity, double number, int64_t time_ms, char *reason)
{
	struct reading reading = { .time_ms = time_ms, .value = value_of_number(number) };

	reason[0] = '\0';
	assert_int_equal(0, series_make("salon", "dev", quantity, &reading.series));
	return reading_check(&reading, now_ms, reason);
}

static void assert_refused(const char *quantity, double number, int64_t time_ms, const char *expected)
{
	char reason[READING_REASON_MAX];

	assert_int_equal(-EINVAL, check(quantity, number, time_ms, reason));
	assert_string_equal(expected, reason);
}

static void a_value_outside_the_range_is_refused(void **state)
{
	char reason[READING_REASON_MAX];

	(void)state;
	assert_refused("humidity", 120, now_ms, "120 is over 100 %");
	assert_refused("humidity", -0.1, now_ms, "-0.1 is under 0 %");
	assert_refused("motion", 2, now_ms, "2 is neither 0 nor 1");
	assert_refused("motion", 0.5, now_ms, "motion is 0 or 1");
	assert_refused("temperature", NAN, now_ms, "not a finite number");
	assert_refused("radon", INFINITY, now_ms, "not a finite number");
	assert_int_equal(0, check("humidity", 0, now_ms, reason));
	assert_int_equal(0, check("humidity", 100, now_ms, reason));
	assert_int_equal(0, check("radon", 1e300, now_ms, reason));
}

static void a_time_before_2000_or_more_than_a_day_ahead_is_refused(void **state)
{
	char reason[READING_REASON_MAX];

	(void)state;
	assert_refused("temperature", 20, 946684799999, "time 946684799999 is before the year 2000 (milliseconds since 1970?)");
	assert_refused("temperature", 20, 0, "time 0 is before the year 2000 (milliseconds since 1970?)");
	assert_refused("temperature", 20, now_ms + 86400001, "time 1767348000001 is more than a day ahead");
	assert_refused("temperature", 20, INT64_MAX, "time 9223372036854775807 is more than a day ahead");
	assert_int_equal(0, check("temperature", 20, 946684800000, reason));
	assert_int_equal(0, check("temperature", 20, now_ms + 86400000, reason));
	assert_int_equal(0, check("temperature", 20, TIME_NONE, reason));
}

static void a_text_is_no_number_nor_the_other_way_round(void **state)
{
	struct reading reading = { .time_ms = now_ms };
	char reason[READING_REASON_MAX];

	(void)state;
	assert_refused("badge", 4, now_ms, "badge is a text");
	series_make("salon", "dev", "temperature", &reading.series);
	value_of_text("warm", 4, &reading.value);
	assert_int_equal(-EINVAL, reading_check(&reading, now_ms, reason));
	assert_string_equal("temperature is a number, not a text", reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_quantity_of_the_house_is_in_the_table),
		cmocka_unit_test(every_row_of_the_table_is_whole),
		cmocka_unit_test(an_unknown_quantity_holds_any_number),
		cmocka_unit_test(quantity_names_are_small_letters_digits_and_underscores),
		cmocka_unit_test(names_that_the_schema_uses_are_no_quantities),
		cmocka_unit_test(a_series_is_three_words),
		cmocka_unit_test(what_is_no_series_leaves_the_result_alone),
		cmocka_unit_test(a_series_is_read_from_exactly_the_bytes_given),
		cmocka_unit_test(names_of_32_bytes_fit),
		cmocka_unit_test(numbers_are_written_as_short_as_they_read_back),
		cmocka_unit_test(any_number_reads_back),
		cmocka_unit_test(texts_are_clean_utf_8),
		cmocka_unit_test(what_is_shown_of_a_payload_is_always_text),
		cmocka_unit_test(values_are_equal_by_kind_and_content),
		cmocka_unit_test(a_value_outside_the_range_is_refused),
		cmocka_unit_test(a_time_before_2000_or_more_than_a_day_ahead_is_refused),
		cmocka_unit_test(a_text_is_no_number_nor_the_other_way_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
