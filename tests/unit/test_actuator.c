/* links: node-agent/actuator.c node-agent/sampler.c node-agent/sampler_turn.c node-agent/sampler_tell.c node-agent/sampler_beat.c node-agent/sampler_fault.c node-agent/sampler_order.c node-agent/worker.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c tests/fakes/i2c.c tests/fakes/bus.c tests/fakes/clock.c */
/* Orders to outputs that take their time, fail or come too late. What is plain about them stands in test_orders.c. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../node-agent/actuator.h"
#include "../../node-agent/worker.h"
#include "../fakes/bus.h"
#include "../fakes/clock.h"

static sd_event *event;
static struct sampler *sampler;
static struct actuator *actuator;
static int readings, obeyed, own;
static double last_number;

#define WAIT_UNTIL(condition)                                                                                                      \
	while (!(condition))                                                                                                       \
	assert_true(sd_event_run(event, UINT64_MAX) >= 0)

static void on_reading(void *context, const struct channel *channel, int64_t time_ms, const struct value *value)
{
	(void)context;
	(void)channel;
	(void)time_ms;
	readings++;
	last_number = value->number;
}

static void on_obeyed(void *context, const struct channel *channel, const struct value *value, bool by_node)
{
	(void)context;
	(void)channel;
	(void)value;
	obeyed++;
	own += by_node;
}

/* ---- a valve on a bus, and one on the loop --------------------------------------------------------------------------------------- */

static struct {
	sem_t gate;     /* of the one that blocks: posted to let a set() go */
	int begun, set; /* set() calls that began, that ended */
	int error;
	const char *words;
	int takes_ms; /* what set() returns when it works */
} valve;

static int valve_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	(void)channel;
	if (device->driver->blocks) {
		__atomic_fetch_add(&valve.begun, 1, __ATOMIC_SEQ_CST);
		sem_wait(&valve.gate);
	}
	valve.set++;
	if (valve.words)
		snprintf(device->error, sizeof(device->error), "%s", valve.words);
	*ret_value = value_of_number(value->number + 1); /* what it reads back */
	return valve.error ? valve.error : valve.takes_ms;
}

static const struct driver blocking_driver = { .name = "blocking", .blocks = true, .set = valve_set };
static const struct driver loop_driver = { .name = "loop", .set = valve_set };
static const struct driver deaf_driver = { .name = "deaf" };

static struct device *open_valve(const struct driver *driver)
{
	static const struct sampler_hooks hooks = { .reading = on_reading };
	static const struct actuator_hooks actuator_hooks = { .reading = on_reading, .obeyed = on_obeyed };
	struct device *device = device_make("valve", driver, NULL);
	struct channel *channel = device_add_channel(device, "level", OUTPUT_RANGE);

	channel->max = 100;
	strcpy(channel->series.node, "salon");
	assert_int_equal(0, sampler_open(event, device, 1, &hooks, NULL, &sampler));
	assert_int_equal(0, actuator_open(event, "foyer", device, sampler, &actuator_hooks, NULL, &actuator));
	actuator_use(actuator, fake_bus());
	sampler_start(sampler);
	WAIT_UNTIL(sampler_ready(sampler, device));
	device_unref(device); /* the sampler has it */
	return device;
}

static int begin(void **state)
{
	(void)state;
	fake_bus_reset();
	memset(&valve, 0, sizeof(valve));
	sem_init(&valve.gate, 0, 0);
	readings = obeyed = own = 0;
	sd_event_new(&event);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		sem_post(&valve.gate);
	actuator_close(actuator);
	sampler_close(sampler);
	actuator = NULL;
	sampler = NULL;
	event = sd_event_unref(event);
	fake_bus_reset();
	sem_destroy(&valve.gate);
	return 0;
}

static void command_on(const char *payload, const char *response_topic, size_t correlation_len)
{
	static const char correlation[200] = "c7";
	const struct bus_message message = { .topic = "x",
					     .payload = payload,
					     .len = strlen(payload),
					     .qos = 1,
					     .response_topic = response_topic,
					     .correlation = correlation,
					     .correlation_len = correlation_len };
	struct series series;

	assert_int_equal(0, series_make("salon", "valve", "level", &series));
	actuator_command(actuator, &series, &message);
}

static void command(const char *payload)
{
	command_on(payload, NULL, 0);
}

static void assert_says(const struct fake_publication *publication, const char *text)
{
	if (!strstr(publication->payload, text))
		fail_msg("%s: %s", publication->payload, text);
}

static const char *fault(const struct device *device)
{
	int64_t since_ms;

	return sampler_fault(sampler, device, &since_ms);
}

static void wait_until_it_works(void)
{
	while (__atomic_load_n(&valve.begun, __ATOMIC_SEQ_CST) == 0)
		assert_true(sd_event_run(event, 1000) >= 0);
}

/* ---- a device that is busy ------------------------------------------------------------------------------------------------------- */

static void orders_to_a_busy_device_are_obeyed_in_turn_and_answered_with_what_it_reads_back(void **state)
{
	(void)state;
	open_valve(&blocking_driver);
	command("{\"value\":10,\"id\":\"a\"}");
	command("{\"value\":20,\"id\":\"b\"}");
	assert_int_equal(0, fake_count);
	sem_post(&valve.gate);
	WAIT_UNTIL(fake_count == 1);
	assert_says(&fake_published[0], "\"id\":\"a\",\"ok\":true,\"value\":11,");
	assert_int_equal(1, readings);
	sem_post(&valve.gate);
	WAIT_UNTIL(fake_count == 2);
	assert_says(&fake_published[1], "\"id\":\"b\",\"ok\":true,\"value\":21,");
	assert_float_equal(21, last_number, 0);
	assert_int_equal(2, obeyed);
	assert_int_equal(0, own);
}

/* Takes as long as its patience. */
static void what_waits_too_long_is_refused_and_what_was_under_way_still_tells_its_state(void **state)
{
	(void)state;
	open_valve(&blocking_driver);
	command("{\"value\":10,\"id\":\"under way\"}");
	wait_until_it_works();
	command("{\"value\":20,\"id\":\"waits\"}");
	WAIT_UNTIL(fake_count == 2);
	for (int i = 0; i < 2; i++)
		assert_says(&fake_published[i], "\"ok\":false,\"error\":\"the device does not answer\"");
	assert_int_equal(0, readings);
	sem_post(&valve.gate);
	sem_post(&valve.gate);
	WAIT_UNTIL(readings == 1);
	assert_float_equal(11, last_number, 0); /* late, but so it is */
	assert_int_equal(2, fake_count);
	command("{\"value\":30,\"id\":\"next\"}");
	WAIT_UNTIL(fake_count == 3);
	assert_says(fake_last(), "\"id\":\"next\",\"ok\":true,\"value\":31,");
	assert_int_equal(2, valve.set); /* the one that waited was taken back */
}

static void too_many_orders_at_once_are_refused(void **state)
{
	(void)state;
	open_valve(&blocking_driver);
	for (int i = 0; i < 64; i++)
		command("10");
	assert_int_equal(0, fake_count);
	command("{\"value\":10,\"id\":\"one more\"}");
	assert_int_equal(1, fake_count);
	assert_says(fake_last(), "\"id\":\"one more\",\"ok\":false,\"error\":\"too many commands at once\"");
}

static void nothing_is_told_of_orders_whose_device_went_or_whose_actuator_was_closed(void **state)
{
	(void)state;
	open_valve(&blocking_driver);
	command("10");
	wait_until_it_works();
	command("20");
	actuator_change(actuator, "foyer", NULL);
	command("30");
	assert_int_equal(1, fake_count);
	assert_says(fake_last(), "no such output");
	for (int i = 0; i < 3; i++)
		sem_post(&valve.gate);
	actuator_close(actuator);
	actuator = NULL;
	for (int i = 0; i < 10; i++)
		assert_true(sd_event_run(event, 1000) >= 0);
	assert_int_equal(1, fake_count);
	assert_int_equal(0, readings);
	assert_int_equal(1, valve.begun); /* the second was taken back */
}

/* ---- a device that fails, or cannot ---------------------------------------------------------------------------------------------- */

static void a_device_that_fails_is_at_fault_and_one_that_refuses_is_not(void **state)
{
	struct device *device = open_valve(&loop_driver);

	(void)state;
	valve.error = -EBUSY;
	valve.words = "the other one is on";
	command("10");
	assert_says(fake_last(), "\"ok\":false,\"error\":\"the other one is on\"");
	assert_string_equal("", fault(device));
	valve.error = -EIO;
	valve.words = NULL;
	command("10");
	assert_says(fake_last(), strerror(EIO));
	assert_string_equal(strerror(EIO), fault(device));
	assert_false(sampler_ready(sampler, device));
	command("{\"value\":10,\"id\":\"7f\"}");
	assert_int_equal(3, fake_count);
	assert_says(fake_last(), "\"id\":\"7f\",\"ok\":false");
	assert_says(fake_last(), strerror(EIO));
	assert_int_equal(2, valve.set);
	assert_int_equal(0, obeyed + readings);
	valve.error = 0;
	WAIT_UNTIL(sampler_ready(sampler, device)); /* a second later */
	command("10");
	assert_says(fake_last(), "\"ok\":true,\"value\":11,");
}

static void a_device_that_cannot_be_set_says_so(void **state)
{
	(void)state;
	open_valve(&deaf_driver);
	command("10");
	assert_says(fake_last(), "\"error\":\"it cannot be set\"");
}

/* ---- answers --------------------------------------------------------------------------------------------------------------------- */

static void an_answer_comes_after_its_state_when_it_is_done(void **state)
{
	(void)state;
	open_valve(&loop_driver);
	valve.takes_ms = 20;
	command_on("{\"value\":10,\"id\":\"7f\"}", "app/answers", 2);
	assert_int_equal(1, obeyed);
	assert_int_equal(0, fake_count + readings);
	WAIT_UNTIL(fake_count == 2);
	assert_int_equal(1, readings);
	assert_string_equal("foyer/salon/valve/level/result", fake_published[0].topic);
	assert_string_equal("app/answers", fake_published[1].topic);
	assert_int_equal(2, fake_published[1].correlation_len);
	assert_false(fake_published[0].retain || fake_published[1].retain);
}

static void an_output_that_is_silent_gives_neither_state_nor_answer(void **state)
{
	(void)state;
	open_valve(&loop_driver);
	valve.takes_ms = SET_SILENT;
	command("10");
	assert_int_equal(1, valve.set);
	assert_int_equal(0, fake_count + readings);
}

static void a_place_to_answer_that_cannot_be_taken_is_left_out(void **state)
{
	char long_topic[300];

	(void)state;
	memset(long_topic, 'a', sizeof(long_topic));
	long_topic[sizeof(long_topic) - 1] = '\0';
	open_valve(&loop_driver);
	command_on("10", long_topic, 2);
	command_on("10", "app/+/answers", 2);
	command_on("10", "app/answers", 129);
	assert_int_equal(3, fake_count);
	for (int i = 0; i < 3; i++)
		assert_string_equal("foyer/salon/valve/level/result", fake_published[i].topic);
	command_on("10", "foyer/salon/valve/level/result", 2); /* it is told there anyway */
	assert_int_equal(4, fake_count);
}

/* ---- the node's own orders ------------------------------------------------------------------------------------------------------- */

static struct {
	int count;
	bool ok;
	char error[128];
} done;

static void on_done(void *context, const struct channel *channel, bool ok, const char *error)
{
	assert_ptr_equal(&done, context);
	assert_string_equal("level", channel->series.quantity);
	done.count++;
	done.ok = ok;
	snprintf(done.error, sizeof(done.error), "%s", error);
}

static void an_order_of_the_node_is_told_as_a_command_of_its_author(void **state)
{
	const struct value ten = value_of_number(10);
	struct device *device = open_valve(&loop_driver);

	(void)state;
	memset(&done, 0, sizeof(done));
	actuator_order(actuator, &device->channels[0], &ten, "rule heating", on_done, &done);
	assert_int_equal(2, fake_count);
	assert_string_equal("foyer/salon/valve/level/set", fake_published[0].topic);
	assert_says(&fake_published[0], "\"by\":\"rule heating\"");
	assert_false(fake_published[0].retain);
	assert_int_equal(10, fake_published[0].expiry_s);
	assert_says(&fake_published[1], "\"ok\":true,\"value\":11,");
	assert_int_equal(1, done.count);
	assert_true(done.ok);
	assert_int_equal(1, own);
	valve.error = -EBUSY;
	valve.words = "the other one is on";
	actuator_order(actuator, &device->channels[0], &ten, "rule heating", on_done, &done);
	assert_int_equal(2, done.count);
	assert_false(done.ok);
	assert_string_equal("the other one is on", done.error);
}

static void without_a_broker_the_node_obeys_itself_all_the_same(void **state)
{
	const struct value ten = value_of_number(10);
	struct device *device = open_valve(&loop_driver);

	(void)state;
	actuator_use(actuator, NULL);
	actuator_order(actuator, &device->channels[0], &ten, "rule heating", NULL, NULL);
	assert_int_equal(1, valve.set);
	assert_int_equal(1, readings);
	assert_int_equal(0, fake_count);
}

static void the_last_act_is_done_though_nobody_waits_for_it(void **state)
{
	const struct value off = value_of_number(0);
	struct device *device = open_valve(&blocking_driver);

	(void)state;
	actuator_stop(actuator, &device->channels[0], &off);
	actuator_close(actuator);
	actuator = NULL;
	sem_post(&valve.gate);
	sampler_close(sampler);
	sampler = NULL;
	assert_int_equal(1, valve.set);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(orders_to_a_busy_device_are_obeyed_in_turn_and_answered_with_what_it_reads_back),
		TEST(what_waits_too_long_is_refused_and_what_was_under_way_still_tells_its_state),
		TEST(too_many_orders_at_once_are_refused),
		TEST(nothing_is_told_of_orders_whose_device_went_or_whose_actuator_was_closed),
		TEST(a_device_that_fails_is_at_fault_and_one_that_refuses_is_not),
		TEST(a_device_that_cannot_be_set_says_so),
		TEST(an_answer_comes_after_its_state_when_it_is_done),
		TEST(an_output_that_is_silent_gives_neither_state_nor_answer),
		TEST(a_place_to_answer_that_cannot_be_taken_is_left_out),
		TEST(an_order_of_the_node_is_told_as_a_command_of_its_author),
		TEST(without_a_broker_the_node_obeys_itself_all_the_same),
		TEST(the_last_act_is_done_though_nobody_waits_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
