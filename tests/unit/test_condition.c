/* links: node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c */
/* What happens to a value between chip and broker; what follows from it; the keys of it. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../node-agent/condition.h"
#include "../../node-agent/derive.h"
#include "../../node-agent/safety.h"
#include "../fakes/folder.h"
#include "../fakes/node.h"

static struct condition condition;
static char words[CONDITION_WORDS_MAX];
static int64_t now_ms;

static int begin(void **state)
{
	(void)state;
	folder_make();
	condition_init(&condition);
	words[0] = '\0';
	now_ms = 1000000;
	return 0;
}

static int end(void **state)
{
	(void)state;
	node_done();
	folder_remove();
	return 0;
}

/* A value each ten seconds; NAN when it was not taken. */
static double take(double number)
{
	now_ms += 10000;
	return condition_take(&condition, &number, now_ms, words) < 0 ? NAN : number;
}

/* ---- calibration ----------------------------------------------------------------------------------------------------------------- */

static void without_keys_a_value_passes_as_it_is(void **state)
{
	(void)state;
	assert_float_equal(21.37, take(21.37), 0);
	assert_float_equal(-300, take(-300), 0);
}

static void a_curve_is_followed_and_goes_on_beyond_its_ends_then_scale_then_offset(void **state)
{
	(void)state;
	assert_int_equal(0, curve_parse("0:0.5 100:99.5", &condition.curve, words)); /* ice water and boiling water */
	assert_float_equal(50, take(50), 1e-9);
	assert_float_equal(0.5, take(0), 1e-9);
	assert_float_equal(-9.4, take(-10), 1e-9); /* 0.99 per degree */
	assert_float_equal(109.4, take(110), 1e-9);
	condition.scale = 2;
	condition.offset = -1;
	assert_float_equal(99, take(50), 1e-9);
}

static void a_value_is_rounded_when_asked_for(void **state)
{
	(void)state;
	condition.decimals = 1;
	assert_float_equal(21.4, take(21.3829), 1e-12);
	condition.decimals = 0;
	assert_float_equal(21, take(21.3829), 0);
}

/* ---- plausibility ---------------------------------------------------------------------------------------------------------------- */

static void what_is_outside_the_limits_is_rubbish_with_a_reason(void **state)
{
	(void)state;
	condition.min = -20;
	condition.max = 60;
	assert_float_equal(60, take(60), 0);
	assert_true(isnan(take(85)));
	assert_string_equal("85 is over 60, the limit set for it", words);
	assert_true(isnan(take(-21)));
	assert_string_equal("-21 is under -20, the limit set for it", words);
}

static void a_spike_is_not_believed_but_what_stays_is(void **state)
{
	(void)state;
	assert_int_equal(0, condition_parse_slew("3/m", &condition, words)); /* 0.5 in ten seconds */
	assert_float_equal(20, take(20), 0);
	assert_float_equal(20.5, take(20.5), 0);
	assert_true(isnan(take(85)));
	assert_string_equal("jumps from 20.5 to 85, more than the slew set for it", words);
	assert_float_equal(20.6, take(20.6), 0);
	assert_true(isnan(take(30)));
	assert_true(isnan(take(30.1)));
	assert_float_equal(30.2, take(30.2), 0); /* the third */
	assert_float_equal(30.4, take(30.4), 0);
	assert_true(isnan(take(40)));
	assert_true(isnan(take(-40))); /* agrees with none */
	assert_true(isnan(take(40)));
}

static void a_gap_allows_as_much_change_as_its_length(void **state)
{
	(void)state;
	condition_parse_slew("3/m", &condition, words);
	take(20);
	now_ms += 600000;
	assert_float_equal(45, take(45), 0);
}

/* ---- filters --------------------------------------------------------------------------------------------------------------------- */

static void a_median_drops_outliers_and_has_a_value_from_the_first_on(void **state)
{
	(void)state;
	assert_int_equal(0, condition_parse_filter("median 3", &condition, words));
	assert_float_equal(10, take(10), 0);
	assert_float_equal(11, take(12), 0);
	assert_float_equal(12, take(400), 0);
	assert_float_equal(13, take(13), 0); /* 12 400 13 */
	assert_float_equal(14, take(14), 0); /* 400 13 14 */
	condition_reset(&condition);
	assert_float_equal(7, take(7), 0);
}

static void a_mean_is_of_the_last_few(void **state)
{
	(void)state;
	assert_int_equal(0, condition_parse_filter("mean 4", &condition, words));
	take(1);
	take(2);
	take(3);
	assert_float_equal(2.5, take(4), 0);
	assert_float_equal(3.5, take(5), 0);
}

/* ---- what is told ---------------------------------------------------------------------------------------------------------------- */

static bool due(double number)
{
	const struct value value = value_of_number(number);

	now_ms += 10000;
	return condition_is_due(&condition, &value, now_ms, 10000);
}

static void a_change_is_told_when_it_is_large_enough_since_what_was_told(void **state)
{
	(void)state;
	assert_int_equal(0, condition_parse_report("change 0.2", &condition, words));
	assert_true(due(20));
	assert_false(due(20.1));
	assert_true(due(20.2)); /* creeping counts */
	assert_false(due(20.39));
	assert_true(due(20));
	for (int i = 0; i < 1000; i++)
		assert_false(due(20.05));
}

static void the_same_value_is_told_before_it_is_too_old(void **state)
{
	int64_t told_ms;

	(void)state;
	assert_int_equal(0, condition_parse_report("change 0.2 max 1m", &condition, words));
	assert_true(due(20));
	told_ms = now_ms;
	for (int round = 0; round < 5; round++) {
		while (!due(20))
			;
		assert_int_equal(60000, now_ms - told_ms);
		told_ms = now_ms;
	}
}

static void without_a_distance_each_change_is_told_texts_too(void **state)
{
	struct value text;

	(void)state;
	condition_parse_report("change", &condition, words);
	assert_true(due(0));
	assert_false(due(0));
	assert_true(due(1));
	value_of_text("a", 1, &text);
	assert_true(condition_is_due(&condition, &text, now_ms, 0));
	assert_false(condition_is_due(&condition, &text, now_ms, 0));
}

static void keys_that_make_no_sense_are_refused_with_what_is_allowed(void **state)
{
	static const char *const reports[] = {
		"",       "sometimes", "change x", "change -1", "change 1 max", "change 1 max 5", "change 1 min 5m", "change max 0",
		"changes"
	};
	static const char *const filters[] = { "", "median", "median 1", "median 16", "mode 3", "mean 4 5", "median 3x" };
	static const char *const slews[] = { "", "5", "5/d", "0/s", "-1/s", "x/s" };

	(void)state;
	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++)
		if (condition_parse_report(reports[i], &condition, words) != -EINVAL)
			fail_msg("%s", reports[i]);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
		if (condition_parse_filter(filters[i], &condition, words) != -EINVAL)
			fail_msg("%s", filters[i]);
	for (size_t i = 0; i < sizeof(slews) / sizeof(*slews); i++)
		if (condition_parse_slew(slews[i], &condition, words) != -EINVAL)
			fail_msg("%s", slews[i]);
	assert_int_equal(0, condition_parse_report("change max 10m", &condition, words));
	assert_int_equal(600000, condition.max_age_ms);
	assert_int_equal(0, condition_parse_slew("36/h", &condition, words));
	assert_float_equal(0.01, condition.slew, 1e-12);
}

/* ---- derived --------------------------------------------------------------------------------------------------------------------- */

static void dew_point_and_water_agree_with_tables(void **state)
{
	(void)state;
	/* 20 °C at 50 %: 9.3 °C (psychrometric tables, DIN 4108-3 table A.4); saturated air has its own temperature. */
	assert_float_equal(9.3, derive_dew_point(20, 50), 0.05);
	assert_float_equal(21.4, derive_dew_point(30, 60), 0.05);
	assert_float_equal(12.5, derive_dew_point(12.5, 100), 1e-9);
	assert_true(isnan(derive_dew_point(20, 0)));
	/* Saturation: 17.3 g/m3 at 20 °C, 4.85 at 0 °C, 30.3 at 30 °C (the same tables). */
	assert_float_equal(17.3, derive_absolute_humidity(20, 100), 0.07);
	assert_float_equal(4.85, derive_absolute_humidity(0, 100), 0.02);
	assert_float_equal(30.3, derive_absolute_humidity(30, 100), 0.1);
	assert_float_equal(8.65, derive_absolute_humidity(20, 50), 0.03);
}

static void sea_level_pressure_is_the_standard_atmospheres(void **state)
{
	(void)state;
	/* ISO 2533: 1013.25 hPa at the sea, 954.61 at 500 m, 898.76 at 1000 m. */
	assert_float_equal(1013.25, derive_sea_level_pressure(954.61, 500), 0.1);
	assert_float_equal(1013.25, derive_sea_level_pressure(898.76, 1000), 0.1);
	assert_float_equal(1000, derive_sea_level_pressure(1000, 0), 0);
}

/* ---- the configuration ----------------------------------------------------------------------------------------------------------- */

static void keys_of_a_device_reach_its_channels(void **state)
{
	struct device *device =
		node_device("driver = sim\nquantities = temperature humidity pressure\nreport = change 0.5 max 10m\n"
			    "temperature.offset = -0.8\ntemperature.curve = 0:1 100:99\nhumidity.filter = median 5\n"
			    "humidity.report = each\ntemperature.label = Air\nderive = dew_point\naltitude = 120\n");

	(void)state;
	assert_float_equal(-0.8, device->channels[0].condition->offset, 0);
	assert_int_equal(2, device->channels[0].condition->curve.count);
	assert_string_equal("Air", device->channels[0].label);
	assert_int_equal(600000, device->channels[0].beat_ms);
	assert_int_equal(FILTER_MEDIAN, device->channels[1].condition->filter);
	assert_int_equal(10000, device->channels[1].beat_ms);
	assert_int_equal(3, device->channel_count);
	assert_int_equal(2, device->derived_count);
	assert_string_equal("sea_level_pressure", device->channels[3].series.quantity);
	assert_string_equal("salon", device->channels[4].series.node);
	assert_string_equal("dew_point", device->channels[4].series.quantity);
}

static void what_is_to_be_told_so_often_is_read_so_often(void **state)
{
	struct device *device = node_device("driver = sim\nquantities = contact humidity power\ninterval = 5m\n"
					    "contact.report = change max 1m\npower.report = change\n");

	(void)state;
	assert_int_equal(60000, device->interval_ms);
	assert_int_equal(60000, device->channels[0].beat_ms);
	assert_int_equal(60000, device->channels[1].beat_ms);
	assert_int_equal(0, device->channels[2].beat_ms); /* only changes: nobody knows when */
}

static void what_somebody_else_told_is_not_told_again(void **state)
{
	const struct value on = value_of_number(1), off = value_of_number(0);

	(void)state;
	condition_init(&condition);
	condition.report = REPORT_CHANGE;
	assert_int_equal(0, condition_too_old_ms(&condition));
	condition_was_told(&condition, &on, 1000);
	assert_false(condition_is_due(&condition, &on, 2000, 0));
	assert_true(condition_is_due(&condition, &off, 3000, 0));
	assert_int_equal(0, condition_too_old_ms(&condition));
	condition.max_age_ms = 500;
	assert_int_equal(3500, condition_too_old_ms(&condition));
}

static void keys_of_an_output_are_its_safe_state(void **state)
{
	struct device *device =
		node_device("driver = sim\nquantities = switch\nswitch.output = switch\ninitial = last\nsafe = off\n"
			    "safe_after = 2m\n");
	const struct safety *safety = device->channels[0].safety;

	(void)state;
	assert_int_equal(INITIAL_LAST, safety->initial);
	assert_true(safety->has_safe);
	assert_float_equal(0, safety->safe.number, 0);
	assert_int_equal(120000, safety->safe_after_ms);
	assert_int_equal(ON_STOP_SAFE, safety->on_stop);
}

static void mistakes_name_their_line_and_what_is_allowed(void **state)
{
	static const char head[] = "[node]\nname = n\n[device d]\ndriver = sim\n";
	static const struct {
		const char *keys, *told;
	} wrong[] = {
		{ "quantities = humidity\nhumidity.filter = middle 3\n",
		  "6: humidity.filter: \"middle 3\": allowed is median N or mean N, with N from 2 to 15, or none\n" },
		{ "quantities = humidity\nreport = often\n",
		  "6: report: \"often\": allowed is each, change, change 0.2, change 0.2 max 10m\n" },
		{ "quantities = humidity\nhumidity.curve = 1:2\n",
		  "6: humidity.curve: \"1:2\": a curve needs two points or more, such as 0.9:100 2.6:0\n" },
		{ "quantities = humidity\nhumidity.min = 50\nhumidity.max = 40\n",
		  "6: humidity.min: min is to be below humidity.max = 40\n" },
		{ "quantities = humidity\nderive = dew_point\n",
		  "6: derive: dew_point needs a temperature, which d does not have\n" },
		{ "quantities = humidity\nderive = wet_bulb\n",
		  "6: derive: \"wet_bulb\": there are dew_point, absolute_humidity, sea_level_pressure\n" },
		{ "quantities = humidity\naltitude = 120\n",
		  "6: altitude: sea_level_pressure needs a pressure, which d does not have\n" },
		{ "quantities = motion\nmotion.offset = 1\n",
		  "6: motion.offset is no key of [device d]; --help tells those there are\n" },
		{ "quantities = level\nlevel.output = range\nsafe = 120\n",
		  "7: safe: \"120\": over 100; allowed is a value of its level\n" },
		{ "quantities = level\nlevel.output = range\nsafe_after = 1m\n", "7: safe_after: it needs safe = VALUE\n" },
		{ "quantities = level\nlevel.output = range\non_stop = safe\n", "7: on_stop: \"safe\": it needs safe = VALUE\n" },
		{ "quantities = level\nsafe = 1\n", "6: safe is no key of [device d]; --help tells those there are\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%s%s", head, wrong[i].keys);
		assert_string_equal(wrong[i].told, node_read(text));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(without_keys_a_value_passes_as_it_is),
		TEST(a_curve_is_followed_and_goes_on_beyond_its_ends_then_scale_then_offset),
		TEST(a_value_is_rounded_when_asked_for),
		TEST(what_is_outside_the_limits_is_rubbish_with_a_reason),
		TEST(a_spike_is_not_believed_but_what_stays_is),
		TEST(a_gap_allows_as_much_change_as_its_length),
		TEST(a_median_drops_outliers_and_has_a_value_from_the_first_on),
		TEST(a_mean_is_of_the_last_few),
		TEST(a_change_is_told_when_it_is_large_enough_since_what_was_told),
		TEST(the_same_value_is_told_before_it_is_too_old),
		TEST(without_a_distance_each_change_is_told_texts_too),
		TEST(keys_that_make_no_sense_are_refused_with_what_is_allowed),
		TEST(dew_point_and_water_agree_with_tables),
		TEST(sea_level_pressure_is_the_standard_atmospheres),
		TEST(keys_of_a_device_reach_its_channels),
		TEST(what_is_to_be_told_so_often_is_read_so_often),
		TEST(what_somebody_else_told_is_not_told_again),
		TEST(keys_of_an_output_are_its_safe_state),
		TEST(mistakes_name_their_line_and_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
