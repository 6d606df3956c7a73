/* links: node-agent/sampler.c node-agent/sampler_turn.c node-agent/sampler_tell.c node-agent/sampler_beat.c node-agent/sampler_fault.c node-agent/sampler_order.c node-agent/worker.c node-agent/actuator.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/i2c.c tests/fakes/bus.c tests/fakes/clock.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c tests/fakes/sampled.c */
/* Orders to outputs, by messages. Those that take their time, fail or come too late: test_actuator.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../node-agent/sampler_slot.h"
#include "../fakes/bus.h"
#include "../fakes/clock.h"
#include "../fakes/node.h"
#include "../fakes/sampled.h"

/* ---- commands -------------------------------------------------------------------------------------------------------------------- */

static void command_with(const char *quantity, const char *payload, bool retain, const char *response_topic)
{
	struct bus_message message = { .topic = "x",
				       .payload = payload,
				       .len = strlen(payload),
				       .qos = 1,
				       .retain = retain,
				       .response_topic = response_topic,
				       .correlation = "c7",
				       .correlation_len = 2 };
	struct series series;

	assert_int_equal(0, series_make("salon", "dev", quantity, &series));
	actuator_command(actuator, &series, &message);
}

static void command(const char *quantity, const char *payload)
{
	command_with(quantity, payload, false, NULL);
}

static void open_outputs(const char *further)
{
	char keys[1024];

	snprintf(keys, sizeof(keys),
		 "driver = sim\nquantities = switch position text button humidity\nswitch.output = switch\n"
		 "position.output = range\nposition.min = 0\nposition.max = 180\nposition.step = 5\ntext.output = "
		 "text\nbutton.output = button\n%s",
		 further);
	sampled_open(node_device(keys), 1);
}

static void a_command_is_obeyed_its_state_told_and_then_its_result(void **state)
{
	(void)state;
	open_outputs("");
	command("position", "{\"value\":90,\"id\":\"7f\",\"by\":\"web\"}");
	assert_int_equal(1, readings);
	assert_float_equal(90, last_number, 0);
	assert_int_equal(1, fake_count);
	assert_string_equal("foyer/salon/dev/position/result", fake_last()->topic);
	assert_string_equal("{\"id\":\"7f\",\"ok\":true,\"value\":90,\"time\":1767268800000}", fake_last()->payload);
	assert_int_equal(1, fake_last()->qos);
	assert_false(fake_last()->retain);
	command("switch", "on");
	assert_string_equal("{\"ok\":true,\"value\":1,\"time\":1767268800000}", fake_last()->payload);
	command("text", "good morning");
	assert_non_null(strstr(fake_last()->payload, "\"value\":\"good morning\""));
}

static void a_command_that_the_output_cannot_obey_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *quantity, *payload, *error;
	} wrong[] = {
		{ "position", "181", "over 180" },         { "position", "-1", "under 0" },
		{ "position", "92", "not in steps of 5" }, { "position", "left", "\\\"left\\\" is not a finite number" },
		{ "switch", "2", "2 is neither 0 nor 1" }, { "switch", "perhaps", "neither 1/0" },
		{ "humidity", "50", "no such output" },    { "level", "50", "no such output" },
		{ "switch", "{}", "an object with a" },
	};

	(void)state;
	open_outputs("");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		command(wrong[i].quantity, wrong[i].payload);
		assert_int_equal((int)i + 1, fake_count);
		if (!strstr(fake_last()->payload, "\"ok\":false") || !strstr(fake_last()->payload, wrong[i].error))
			fail_msg("%s %s: %s", wrong[i].quantity, wrong[i].payload, fake_last()->payload);
	}
	assert_int_equal(0, readings);
	command("position", "{\"value\":\"left\",\"id\":\"7f\"}");
	assert_non_null(strstr(fake_last()->payload, "\"id\":\"7f\"")); /* its sender need not wait for nothing */
}

static void a_retained_command_is_never_obeyed(void **state)
{
	(void)state;
	open_outputs("");
	command_with("switch", "on", true, NULL);
	command("switch", "");
	assert_int_equal(0, readings);
	assert_int_equal(0, fake_count);
}

static void the_result_goes_where_the_request_asks_as_well(void **state)
{
	(void)state;
	open_outputs("");
	command_with("switch", "on", false, "foyer/$web/answers");
	assert_int_equal(2, fake_count);
	assert_string_equal("foyer/salon/dev/switch/result", fake_published[0].topic);
	assert_string_equal("foyer/$web/answers", fake_published[1].topic);
	assert_string_equal(fake_published[0].payload, fake_published[1].payload);
	assert_int_equal(2, fake_published[1].correlation_len);
	assert_memory_equal("c7", fake_published[1].correlation, 2);
	command_with("switch", "on", false, "foyer/#");
	assert_int_equal(3, fake_count);
}

static void a_slow_output_answers_when_it_is_done(void **state)
{
	(void)state;
	open_outputs("answer_after = 20ms\n");
	command("switch", "{\"value\":1,\"id\":\"7f\"}");
	assert_int_equal(0, fake_count);
	WAIT_UNTIL(fake_count == 1);
	assert_int_equal(1, readings);
	assert_non_null(strstr(fake_last()->payload, "\"id\":\"7f\",\"ok\":true,\"value\":1"));
}

static void an_output_that_refuses_says_why_and_one_that_is_silent_nothing(void **state)
{
	(void)state;
	open_outputs("answer = refuse\nreason = door open\n");
	command("switch", "1");
	assert_string_equal("{\"ok\":false,\"error\":\"door open\",\"time\":1767268800000}", fake_last()->payload);
	assert_int_equal(0, readings);
	assert_string_equal("", node.devices->error);
	sampled_end(NULL);
	sampled_begin(NULL);
	open_outputs("answer = silent\n");
	command("switch", "1");
	assert_int_equal(0, fake_count);
}

static void a_later_command_takes_the_place_of_one_that_is_still_worked_on(void **state)
{
	(void)state;
	open_outputs("answer_after = 1m\n");
	command("position", "{\"value\":90,\"id\":\"first\"}");
	command("switch", "{\"value\":1,\"id\":\"other\"}");
	assert_int_equal(0, fake_count);
	command("position", "{\"value\":0,\"id\":\"second\"}");
	assert_int_equal(1, fake_count);
	assert_non_null(strstr(fake_last()->payload, "\"id\":\"first\",\"ok\":false,\"error\":\"a later command took its place\""));
	assert_int_equal(0, readings);
}

static void an_output_whose_device_is_absent_says_so(void **state)
{
	struct series series;
	const struct bus_message message = { .topic = "x", .payload = "50", .len = 2, .qos = 1 };

	(void)state;
	chip_device.channels[0].output = OUTPUT_RANGE;
	chip_device.channels[0].max = 100;
	chip.open_error = -ENODEV;
	sampled_open(&chip_device, 1);
	assert_int_equal(0, series_make("salon", "chip", "humidity", &series));
	actuator_command(actuator, &series, &message);
	assert_non_null(strstr(fake_last()->payload, strerror(ENODEV)));
}

static int chip_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	(void)channel;
	assert_int_equal(0, chip.open_error);
	assert_ptr_equal(&chip_device, device);
	*ret_value = *value;
	return 0;
}

/* The plug is back, but the next try would come in half a minute: who gives an order does not wait for that. */
static void an_order_has_an_absent_device_tried_again_at_once(void **state)
{
	static struct driver driver;
	const struct value half = value_of_number(50);
	double got = 0;
	int opens;

	(void)state;
	driver = chip_driver;
	driver.set = chip_set;
	chip_device.driver = &driver;
	chip_device.channels[0].output = OUTPUT_RANGE;
	fake_boot_ms = 1000000;
	chip.open_error = -ENXIO;
	sampled_open(&chip_device, 1);
	sampler_start(sampler);
	for (int i = 0; i < 5; i++) {
		fake_boot_ms += 60000;
		slot_on_timer(NULL, 0, chip_device.context);
	}
	opens = chip.opens;
	fake_boot_ms += 999;
	assert_int_equal(-EAGAIN, sampler_set(sampler, &chip_device.channels[0], &half, sampled_done, &got));
	assert_int_equal(opens, chip.opens); /* it was tried just now */
	fake_boot_ms += 1;
	assert_int_equal(-EAGAIN, sampler_set(sampler, &chip_device.channels[0], &half, sampled_done, &got));
	assert_int_equal(opens + 1, chip.opens);
	chip.open_error = 0;
	fake_boot_ms += 1000;
	assert_int_equal(0, sampler_set(sampler, &chip_device.channels[0], &half, sampled_done, &got));
	assert_float_equal(50, got, 0);
	assert_int_equal(opens + 2, chip.opens);
	fake_boot_ms = -1;
	chip_device.driver = &chip_driver;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sampled_begin, sampled_end)
	const struct CMUnitTest tests[] = {
		TEST(a_command_is_obeyed_its_state_told_and_then_its_result),
		TEST(a_command_that_the_output_cannot_obey_is_refused_with_the_reason),
		TEST(a_retained_command_is_never_obeyed),
		TEST(the_result_goes_where_the_request_asks_as_well),
		TEST(a_slow_output_answers_when_it_is_done),
		TEST(an_output_that_refuses_says_why_and_one_that_is_silent_nothing),
		TEST(a_later_command_takes_the_place_of_one_that_is_still_worked_on),
		TEST(an_output_whose_device_is_absent_says_so),
		TEST(an_order_has_an_absent_device_tried_again_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
