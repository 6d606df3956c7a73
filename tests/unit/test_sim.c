/* links: node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c */
/* The simulated device, and the thermal one; and the configuration of a node. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/folder.h"
#include "../fakes/node.h"

#define MIDNIGHT INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static struct value values[CHANNELS_MAX];
static bool fresh[CHANNELS_MAX];

static int make_folder(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int done(void **state)
{
	(void)state;
	node_done();
	folder_remove();
	return 0;
}

static double number(struct device *device, int64_t time_ms)
{
	assert_int_equal(0, device->driver->read(device, time_ms, values, fresh));
	assert_int_equal(VALUE_NUMBER, values[0].kind);
	return values[0].number;
}

static struct device *sim(const char *keys)
{
	char text[1024];

	snprintf(text, sizeof(text), "driver = sim\n%s", keys);
	return node_device(text);
}

/* ---- curves ---------------------------------------------------------------------------------------------------------------------- */

static void a_day_has_a_curve_that_is_highest_in_the_afternoon(void **state)
{
	struct device *device =
		sim("quantities = temperature\ntemperature.base = 20\ntemperature.swing = 6\ntemperature.noise = 0\n");
	double afternoon = number(device, MIDNIGHT + 15 * HOUR), night = number(device, MIDNIGHT + 3 * HOUR);

	(void)state;
	assert_float_equal(26, afternoon, 1); /* up to a sixth of the swing differs from day to day */
	assert_float_equal(14, night, 1);
	assert_float_equal(20, number(device, MIDNIGHT + 9 * HOUR), 1);
}

static void noise_stays_within_its_bounds_and_is_the_same_each_time(void **state)
{
	struct device *device =
		sim("quantities = temperature\ntemperature.base = 20\ntemperature.swing = 0\ntemperature.noise = 2\n");
	double lowest = 100, highest = -100;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		double value = number(device, MIDNIGHT + i * 10000);

		lowest = fmin(lowest, value);
		highest = fmax(highest, value);
		assert_float_equal(value, number(device, MIDNIGHT + i * 10000), 0);
	}
	assert_true(lowest >= 18 && lowest < 18.5 && highest <= 22 && highest > 21.5);
}

static void another_seed_has_other_noise(void **state)
{
	double first = number(sim("quantities = temperature\nseed = 1\ntemperature.noise = 5\n"), MIDNIGHT);

	(void)state;
	assert_true(fabs(first - number(sim("quantities = temperature\nseed = 2\ntemperature.noise = 5\n"), MIDNIGHT)) > 0);
}

static void any_seed_will_do(void **state)
{
	(void)state;
	number(sim("quantities = motion\nseed = 2147483647\nmotion.every = 7ms\nfault = stuck\n"), MIDNIGHT);
	assert_float_equal(0, number(sim("quantities = contact\nseed = -2147483647\ncontact.hold = 0\n"), MIDNIGHT), 0);
	number(sim("quantities = temperature\nseed = -5\nfault = silent\nfault_for = 0\n"), MIDNIGHT);
}

static void a_step_comes_and_goes(void **state)
{
	struct device *device = sim("quantities = power\npower.base = 100\npower.swing = 0\npower.noise = 0\npower.jump = 1500\n"
				    "power.jump_every = 1h\n");
	double first = number(device, MIDNIGHT + 1), second = number(device, MIDNIGHT + HOUR + 1);

	(void)state;
	assert_float_equal(1500, fabs(first - second), 0);
	assert_float_equal(first, number(device, MIDNIGHT + 2 * HOUR + 1), 0);
}

static void values_stay_within_what_the_quantity_can_be(void **state)
{
	struct device *device = sim("quantities = humidity\nhumidity.base = 99\nhumidity.swing = 50\n");

	(void)state;
	for (int i = 0; i < 48; i++)
		assert_true(number(device, MIDNIGHT + i * HOUR / 2) <= 100);
}

static void any_quantity_can_be_simulated(void **state)
{
	struct device *device = sim("quantities = radon, humidity illuminance\nradon.base = 40\nradon.noise = 0\n");

	(void)state;
	assert_int_equal(3, device->channel_count);
	assert_string_equal("illuminance", device->channels[2].series.quantity);
	assert_float_equal(40, number(device, MIDNIGHT), 0);
}

/* ---- events ---------------------------------------------------------------------------------------------------------------------- */

static void a_binary_quantity_has_events_that_last(void **state)
{
	struct device *device = sim("quantities = motion\nmotion.every = 20m\nmotion.hold = 5m\n");
	int on = 0, changes = 0;
	double before = 0;

	(void)state;
	for (int i = 0; i < 24 * 60; i++) { /* a day, minute by minute: 72 slots, 3 of 4 with an event of 5 minutes */
		double value = number(device, MIDNIGHT + i * MINUTE);

		assert_true(value <= 0 || value >= 1);
		on += value > 0;
		changes += fabs(value - before) > 0;
		before = value;
	}
	assert_in_range(on, 170, 360);
	assert_in_range(changes, 60, 150);
}

static void texts_are_told_in_turn_and_once_each(void **state)
{
	struct device *device = sim("quantities = badge\nbadge.texts = one|two|three\nbadge.every = 1m\n");
	char told[64] = "";
	int count = 0;

	(void)state;
	for (int i = 0; i < 24; i++) { /* four minutes, each 10 s */
		device->driver->read(device, MIDNIGHT + i * 10000, values, fresh);
		if (!fresh[0])
			continue;
		strcat(strcat(told, values[0].text), " ");
		count++;
	}
	assert_int_equal(4, count);
	assert_non_null(strstr("one two three one two three ", told));
}

/* ---- faults ---------------------------------------------------------------------------------------------------------------------- */

static void a_silent_device_gives_an_error_for_a_while(void **state)
{
	struct device *device = sim("quantities = temperature\nfault = silent\nfault_every = 1h\nfault_for = 15m\n");
	int silent = 0;

	(void)state;
	for (int i = 0; i < 120; i++) { /* two hours, minute by minute */
		int r = device->driver->read(device, MIDNIGHT + i * MINUTE, values, fresh);

		assert_true(r == 0 || (r == -EIO && device->error[0]));
		silent += r < 0;
	}
	assert_int_equal(30, silent);
}

static void a_stuck_device_repeats_itself(void **state)
{
	struct device *device =
		sim("quantities = temperature\ntemperature.noise = 5\nfault = stuck\nfault_every = 1h\nfault_for = 15m\n");
	double before = -1000;
	int repeats = 0;

	(void)state;
	for (int i = 0; i < 120; i++) {
		double value = number(device, MIDNIGHT + i * MINUTE);

		repeats += !(fabs(value - before) > 0);
		before = value;
	}
	assert_in_range(repeats, 27, 32);
}

static void a_broken_device_tells_what_cannot_be(void **state)
{
	static const char *const quantities[] = { "temperature", "humidity", "counter", "rssi", "motion", "energy" };
	char keys[128];

	(void)state;
	for (size_t i = 0; i < sizeof(quantities) / sizeof(*quantities); i++) {
		struct device *device;

		snprintf(keys, sizeof(keys), "quantities = %s\nfault = range\nfault_every = 1h\nfault_for = 1h\n", quantities[i]);
		device = sim(keys);
		assert_true(number(device, MIDNIGHT) > device->channels[0].info->max);
	}
}

static void a_late_device_tells_of_a_moment_ago(void **state)
{
	(void)state;
	assert_int_equal(90000, sim("quantities = temperature\nlate = 90s\n")->late_ms);
}

/* ---- outputs --------------------------------------------------------------------------------------------------------------------- */

static void an_output_obeys_and_tells_its_state(void **state)
{
	struct device *device = sim("quantities = switch level\nswitch.output = switch\nlevel.output = range\nlevel.base = 30\n");
	struct value on = value_of_number(1), result = { 0 };

	(void)state;
	assert_float_equal(0, number(device, MIDNIGHT), 0);
	assert_float_equal(30, values[1].number, 0);
	assert_int_equal(0, device->driver->set(device, 0, &on, &result));
	assert_float_equal(1, result.number, 0);
	assert_float_equal(1, number(device, MIDNIGHT + MINUTE), 0);
	assert_float_equal(30, values[1].number, 0);
}

static void an_output_may_refuse_be_silent_or_answer_late(void **state)
{
	struct value on = value_of_number(1), result = { 0 };
	struct device *device = sim("quantities = switch\nswitch.output = switch\nanswer = refuse\nreason = door open\n");

	(void)state;
	assert_int_equal(-EPERM, device->driver->set(device, 0, &on, &result));
	assert_string_equal("door open", device->error);
	assert_float_equal(0, number(device, MIDNIGHT), 0);
	device = sim("quantities = switch\nswitch.output = switch\nanswer = silent\n");
	assert_int_equal(SET_SILENT, device->driver->set(device, 0, &on, &result));
	device = sim("quantities = switch\nswitch.output = switch\nanswer_after = 3s\n");
	assert_int_equal(3000, device->driver->set(device, 0, &on, &result));
}

/* ---- configuration --------------------------------------------------------------------------------------------------------------- */

static void assert_mistake(const char *keys, const char *expected)
{
	char text[2048];
	const char *told;

	snprintf(text, sizeof(text), "[node]\nname = salon\n[device dev]\ndriver = sim\n%s", keys);
	told = node_read(text);
	if (!strstr(told, expected) || strchr(told, '\n') != strrchr(told, '\n'))
		fail_msg("%s: %s", keys, told);
}

static void mistakes_of_a_simulated_device_are_told_at_their_line(void **state)
{
	char text[400];

	(void)state;
	assert_mistake("", "3: [device dev] needs quantities");
	assert_mistake("quantities = Temperature\n", "5: quantities: \"Temperature\"");
	assert_mistake("quantities = node\n", "5: quantities: \"node\"");
	assert_mistake("quantities = temperature temperature\n", "5: quantities: \"temperature\": allowed are at most 16 names");
	assert_mistake("quantities = temperature\ntemperature.bse = 3\n", "6: temperature.bse is no key");
	assert_mistake("quantities = temperature\nhumidity.base = 3\n", "6: humidity.base is no key");
	assert_mistake("quantities = temperature\ntemperature.every = 0s\n", "6: temperature.every: \"0s\"");
	assert_mistake("quantities = temperature\nfault = broken\n",
		       "6: fault: \"broken\": allowed is one of none|silent|stuck|range");
	assert_mistake("quantities = badge\nbadge.output = switch\n", "6: badge.output: this quantity holds texts");
	assert_mistake("quantities = level\nlevel.output = text\n", "6: level.output: a text needs");
	assert_mistake("quantities = switch\nswitch.output = range\n", "6: switch.output: a range needs a quantity of numbers");
	assert_mistake("quantities = level\nlevel.output = range\nlevel.max = 300\n",
		       "6: level.output: min and max are outside what level can be");
	assert_mistake("quantities = level\nlevel.output = range\nlevel.min = 50\nlevel.max = 50\n",
		       "6: level.output: a range needs min below");
	assert_mistake("quantities = level\nlevel.output = range\nlevel.step = 0\n", "6: level.output: a range needs min below");
	snprintf(text, sizeof(text), "quantities = text\ntext.texts = ok|%0300d\n", 1);
	assert_mistake(text, "6: text.texts: a text is at most 256 bytes");
}

static void mistakes_of_a_node_are_told_at_their_line(void **state)
{
	(void)state;
	assert_non_null(strstr(node_read("[mqtt]\n"), "[node] needs name"));
	assert_string_equal("2: name: \"Salon\": allowed is [a-z0-9][a-z0-9_-]{0,31}\n", node_read("[node]\nname = Salon\n"));
	assert_string_equal("4: driver: \"bme999\": there are sim, thermal\n",
			    node_read("[node]\nname = a\n[device x]\ndriver = bme999\n"));
	assert_string_equal("3: [device x] needs driver: a text\n", node_read("[node]\nname = a\n[device x]\n"));
	assert_string_equal("3: [device X]: a device's name is [a-z0-9][a-z0-9_-]{0,31}\n",
			    node_read("[node]\nname = a\n[device X]\ndriver = thermal\n"));
	assert_string_equal("5: interval: \"1ms\": allowed is a time such as 500ms, 10s, 5m, 1h, 1d from 10ms to 1d\n",
			    node_read("[node]\nname = a\n[device x]\ndriver = thermal\ninterval = 1ms\n"));
	assert_string_equal("3: outbox: \"10\": allowed is a whole number from 1000 to 1000000\n",
			    node_read("[node]\nname = a\noutbox = 10\n"));
}

static void a_node_is_what_its_configuration_says(void **state)
{
	(void)state;
	assert_string_equal(
		"",
		node_read("[mqtt]\nport = 1884\n[node]\nname = salon\nlabel = Salon d'été\nclock_rate = 60\nback_fill = 30d\n"
			  "[device air]\ndriver = sim\nlabel = Air\nicon = leaf\ninterval = 2s\nquantities = temperature humidity\n"
			  "temperature.label = Chaleur\n[device cpu]\ndriver = thermal\n[log]\nlevel = debug\n"));
	assert_int_equal(1884, node.bus.port);
	assert_string_equal("foyer", node.bus.base);
	assert_string_equal("Salon d'été", node.label);
	assert_float_equal(60, node.clock_rate, 0);
	assert_int_equal(30 * 24 * HOUR, node.back_fill_ms);
	assert_int_equal(LOG_LEVEL_DEBUG, node.log_level);
	assert_string_equal("air", node.devices->name);
	assert_int_equal(2000, node.devices->interval_ms);
	assert_string_equal("Chaleur", node.devices->channels[0].label);
	assert_string_equal("salon", node.devices->channels[1].series.node);
	assert_string_equal("humidity", node.devices->channels[1].series.quantity);
	assert_string_equal("cpu", node.devices->next->name);
	assert_int_equal(60000, node.devices->next->interval_ms);
	assert_string_equal("temperature", node.devices->next->channels[0].series.quantity);
}

/* ---- thermal --------------------------------------------------------------------------------------------------------------------- */

static struct device *thermal(const char *content)
{
	char keys[300];

	snprintf(keys, sizeof(keys), "driver = thermal\npath = %s\n",
		 content ? folder_write("temp", content) : folder_path("absent"));
	return node_device(keys);
}

static void the_machines_temperature_is_read_in_thousandths(void **state)
{
	struct device *device = thermal("48312\n");
	double value = 0;

	(void)state;
	assert_int_equal(0, device->driver->fetch(device, &value));
	assert_float_equal(48.312, value, 1e-9);
	device = thermal("-5000\n");
	assert_int_equal(0, device->driver->fetch(device, &value));
	assert_float_equal(-5, value, 1e-9);
}

static void a_machine_without_a_thermometer_says_so(void **state)
{
	static const char *const rubbish[] = { "", "\n", "-\n", "1e999\n", "0x10\n", "21,5\n", "48312 48312\n" };
	struct device *device = thermal(NULL);
	double value = 7;

	(void)state;
	assert_int_equal(-ENOENT, device->driver->fetch(device, &value));
	assert_non_null(strstr(device->error, "cannot open"));
	device = thermal("hot\n");
	assert_int_equal(-EIO, device->driver->fetch(device, &value));
	assert_non_null(strstr(device->error, "no number"));
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		device = thermal(rubbish[i]);
		assert_int_equal(-EIO, device->driver->fetch(device, &value));
	}
	assert_float_equal(7, value, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, done)
	const struct CMUnitTest tests[] = {
		TEST(a_day_has_a_curve_that_is_highest_in_the_afternoon),
		TEST(noise_stays_within_its_bounds_and_is_the_same_each_time),
		TEST(another_seed_has_other_noise),
		TEST(any_seed_will_do),
		TEST(a_step_comes_and_goes),
		TEST(values_stay_within_what_the_quantity_can_be),
		TEST(any_quantity_can_be_simulated),
		TEST(a_binary_quantity_has_events_that_last),
		TEST(texts_are_told_in_turn_and_once_each),
		TEST(a_silent_device_gives_an_error_for_a_while),
		TEST(a_stuck_device_repeats_itself),
		TEST(a_broken_device_tells_what_cannot_be),
		TEST(a_late_device_tells_of_a_moment_ago),
		TEST(an_output_obeys_and_tells_its_state),
		TEST(an_output_may_refuse_be_silent_or_answer_late),
		TEST(mistakes_of_a_simulated_device_are_told_at_their_line),
		TEST(mistakes_of_a_node_are_told_at_their_line),
		TEST(a_node_is_what_its_configuration_says),
		TEST(the_machines_temperature_is_read_in_thousandths),
		TEST(a_machine_without_a_thermometer_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
