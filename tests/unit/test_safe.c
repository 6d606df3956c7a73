/* links: node-agent/safe.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c */
/* What outputs have when nobody asks: at the start, when their device is back, when the broker is away, at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/safe.h"
#include "../fakes/folder.h"
#include "../fakes/node.h"

static sd_event *event;
static struct safe *safe;
static const char *state_dir;
static bool ruled;
static int orders;
static double ordered;
static char by_whom[64];

#define WAIT_UNTIL(condition)                                                                                                      \
	while (!(condition))                                                                                                       \
	assert_true(sd_event_run(event, UINT64_MAX) >= 0)

static void on_order(void *context, const struct channel *channel, const struct value *value, const char *by)
{
	assert_ptr_equal(&orders, context);
	orders++;
	ordered = value->number;
	snprintf(by_whom, sizeof(by_whom), "%s", by);
	safe_obeyed(safe, channel, value); /* as the actuator says it at once */
}

static bool on_is_ruled(void *context, const struct channel *channel)
{
	(void)context;
	(void)channel;
	return ruled;
}

/* The node "salon" with a dimmer "dev" of 0 to 100 and these further keys. */
static struct device *start(const char *keys)
{
	static const struct safe_hooks hooks = { .order = on_order, .is_ruled = on_is_ruled };
	char text[512];
	struct device *device;

	safe_close(safe);
	safe = NULL;
	snprintf(text, sizeof(text), "driver = sim\nquantities = level\nlevel.output = range\nlevel.max = 100\n%s", keys);
	device = node_device(text);
	orders = 0;
	assert_int_equal(0, safe_open(event, device, state_dir, &hooks, &orders, &safe));
	return device;
}

static void obey(struct device *device, double number)
{
	const struct value value = value_of_number(number);

	safe_obeyed(safe, &device->channels[0], &value);
}

static int begin(void **state)
{
	(void)state;
	state_dir = folder_make();
	ruled = false;
	sd_event_new(&event);
	return 0;
}

static int end(void **state)
{
	(void)state;
	safe_close(safe);
	safe = NULL;
	event = sd_event_unref(event);
	node_done();
	folder_remove();
	return 0;
}

/* ---- the start ------------------------------------------------------------------------------------------------------------------- */

static void an_output_that_keeps_gets_nothing_at_the_start_and_what_it_had_when_its_device_is_back(void **state)
{
	struct device *device = start("");

	(void)state;
	safe_opened(safe, device);
	assert_int_equal(0, orders);
	assert_false(device->channels[0].has_first);
	obey(device, 30);
	safe_opened(safe, device); /* it was unplugged */
	assert_int_equal(1, orders);
	assert_float_equal(30, ordered, 0);
	device = start("");
	safe_opened(safe, device);
	assert_int_equal(0, orders);
}

static void a_value_to_begin_with_is_there_from_the_first_moment(void **state)
{
	struct device *device = start("initial = 40\n");

	(void)state;
	assert_true(device->channels[0].has_first);
	assert_float_equal(40, device->channels[0].first.number, 0);
	safe_opened(safe, device);
	assert_int_equal(1, orders);
	assert_float_equal(40, ordered, 0);
	assert_string_equal("initial", by_whom);
	obey(device, 70);
	safe_opened(safe, device);
	assert_float_equal(70, ordered, 0); /* not the beginning's again: it is the same start */
}

static void the_last_value_outlives_the_agent(void **state)
{
	struct device *device = start("initial = last\n");

	(void)state;
	safe_opened(safe, device);
	assert_int_equal(0, orders); /* there is none yet */
	obey(device, 30);
	obey(device, 55);
	device = start("initial = last\n");
	assert_true(device->channels[0].has_first);
	assert_float_equal(55, device->channels[0].first.number, 0);
	safe_opened(safe, device);
	assert_float_equal(55, ordered, 0);
	/* The section was changed meanwhile: what it cannot have any more it does not get. */
	device = start("initial = last\nlevel.min = 60\n");
	assert_false(device->channels[0].has_first);
	safe_opened(safe, device);
	assert_int_equal(0, orders);
}

static void a_file_that_was_damaged_costs_only_what_was_damaged(void **state)
{
	struct device *device;

	(void)state;
	folder_write("outputs", "salon/dev/level 12x\n\nno series\nsalon/other/level 3\nsalon/dev/level \n");
	device = start("initial = last\n");
	assert_false(device->channels[0].has_first);
	folder_write("outputs", "rubbish\nsalon/dev/level 12\n");
	device = start("initial = last\n");
	assert_float_equal(12, device->channels[0].first.number, 0);
}

static void a_folder_that_is_not_there_costs_the_memory_and_nothing_else(void **state)
{
	struct device *device;

	(void)state;
	state_dir = folder_path("nowhere");
	device = start("initial = last\n");
	obey(device, 30);
	safe_opened(safe, device);
	assert_float_equal(30, ordered, 0);
	state_dir = NULL;
	device = start("initial = last\n");
	obey(device, 30);
	safe_opened(safe, device);
	assert_int_equal(1, orders);
}

/* ---- the broker is away ---------------------------------------------------------------------------------------------------------- */

static void an_output_becomes_safe_when_the_broker_is_away_for_long(void **state)
{
	struct device *device = start("safe = 5\nsafe_after = 30ms\n");

	(void)state;
	safe_opened(safe, device);
	assert_int_equal(0, orders);
	WAIT_UNTIL(orders == 1); /* nobody was there since the start */
	assert_float_equal(5, ordered, 0);
	assert_string_equal("safe_after", by_whom);
	safe_broker(safe, true);
	obey(device, 80);
	safe_broker(safe, false);
	safe_broker(safe, false); /* told twice, it is the same absence */
	WAIT_UNTIL(orders == 2);
	assert_float_equal(5, ordered, 0);
	safe_opened(safe, device); /* its device was away: what it is to have is the safe value */
	assert_int_equal(3, orders);
	assert_float_equal(5, ordered, 0);
}

/* A timer of the test's own, well behind the one that must not do anything. */
static int on_later(sd_event_source *source, uint64_t now_us, void *userdata)
{
	(void)source;
	(void)now_us;
	*(bool *)userdata = true;
	return 0;
}

static void let_pass(uint64_t ms)
{
	sd_event_source *timer = NULL;
	bool later = false;

	assert_true(sd_event_add_time_relative(event, &timer, CLOCK_BOOTTIME, ms * 1000, 1, on_later, &later) >= 0);
	WAIT_UNTIL(later);
	sd_event_source_disable_unref(timer);
}

static void a_broker_that_comes_back_in_time_changes_nothing(void **state)
{
	struct device *device = start("safe = 5\nsafe_after = 1s\n");

	(void)state;
	safe_broker(safe, true);
	obey(device, 80);
	safe_broker(safe, false);
	safe_broker(safe, true);
	let_pass(1200);
	assert_int_equal(0, orders);
}

static void an_output_that_a_rule_looks_after_needs_no_broker(void **state)
{
	(void)state;
	ruled = true;
	start("safe = 5\nsafe_after = 30ms\n");
	safe_broker(safe, true);
	safe_broker(safe, false);
	let_pass(300);
	assert_int_equal(0, orders);
	start("safe = 5\nsafe_after = 0\n"); /* never */
	ruled = false;
	safe_broker(safe, true);
	safe_broker(safe, false);
	let_pass(300);
	assert_int_equal(0, orders);
}

/* ---- a reload -------------------------------------------------------------------------------------------------------------------- */

static void a_reload_forgets_nothing_of_what_stays(void **state)
{
	struct device *device = start("initial = 40\nsafe = 5\nsafe_after = 10m\n");

	(void)state;
	obey(device, 70);
	safe_change(safe, device);
	safe_opened(safe, device);
	assert_float_equal(70, ordered, 0);
	safe_change(safe, NULL);
	safe_broker(safe, true);
	safe_broker(safe, false); /* nothing to look after */
	safe_change(safe, device);
}

/* ---- the end --------------------------------------------------------------------------------------------------------------------- */

static void when_the_agent_stops_an_output_gets_its_value_or_stays_as_it_is(void **state)
{
	static const struct {
		const char *keys;
		bool is_set;
		double value;
	} cases[] = {
		{ "", false, 0 },
		{ "safe = 5\n", true, 5 },
		{ "safe = 5\non_stop = keep\n", false, 0 },
		{ "on_stop = 7\n", true, 7 },
		{ "safe = 5\non_stop = 7\n", true, 7 },
		{ "safe = 5\non_stop = safe\n", true, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct device *device = start(cases[i].keys);
		struct value value;

		assert_int_equal(cases[i].is_set, safe_on_stop(&device->channels[0], &value));
		if (cases[i].is_set)
			assert_float_equal(cases[i].value, value.number, 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(an_output_that_keeps_gets_nothing_at_the_start_and_what_it_had_when_its_device_is_back),
		TEST(a_value_to_begin_with_is_there_from_the_first_moment),
		TEST(the_last_value_outlives_the_agent),
		TEST(a_file_that_was_damaged_costs_only_what_was_damaged),
		TEST(a_folder_that_is_not_there_costs_the_memory_and_nothing_else),
		TEST(an_output_becomes_safe_when_the_broker_is_away_for_long),
		TEST(a_broker_that_comes_back_in_time_changes_nothing),
		TEST(an_output_that_a_rule_looks_after_needs_no_broker),
		TEST(a_reload_forgets_nothing_of_what_stays),
		TEST(when_the_agent_stops_an_output_gets_its_value_or_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
