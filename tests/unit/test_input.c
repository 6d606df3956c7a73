/* links: node-agent/input.c node-agent/device.c node-agent/drivers/contact.c node-agent/drivers/pir.c node-agent/drivers/button.c tests/fakes/gpio.c tests/fakes/bench.c tests/fakes/folder.c */
/* Contacts, movement sensors, buttons and wall switches: edges in, changes out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/bench.h"
#include "../fakes/folder.h"
#include "../fakes/gpio.h"

#define MS INT64_C(1000000)

extern const struct driver contact_driver, pir_driver, button_driver, wall_switch_driver;

BENCH_DRIVERS(&contact_driver, &pir_driver, &button_driver, &wall_switch_driver);

static struct fake_line *line;

static int begin(void **state)
{
	(void)state;
	fake_gpio_reset();
	folder_make();
	line = fake_line("GPIO17");
	return 0;
}

static int done(void **state)
{
	(void)state;
	bench_done();
	folder_remove();
	return 0;
}

static struct device *input(const struct driver *driver, const char *keys)
{
	char text[512];

	snprintf(text, sizeof(text), "line = GPIO17\n%s", keys);
	return bench_device(driver, text);
}

static void notice(struct device *device)
{
	assert_int_equal(0, device->driver->notice(device));
}

static void assert_told(size_t index, size_t channel, double number, int64_t ns)
{
	assert_true(index < bench_told_count);
	assert_int_equal(channel, bench_told[index].channel);
	assert_true(bench_told[index].value.number == number);
	assert_int_equal(ns, bench_told[index].ns);
}

static void the_usual_keys_fit_what_is_wired_to_ground(void **state)
{
	(void)state;
	input(&contact_driver, "");
	assert_int_equal(GPIO_BIAS_PULL_UP, line->place.bias);
	assert_false(line->place.active_low); /* closed pulls it down: 0 */
	bench_done();
	input(&button_driver, "");
	assert_true(line->place.active_low); /* pressed pulls it down: 1 */
	bench_done();
	input(&pir_driver, "");
	assert_int_equal(GPIO_BIAS_PULL_DOWN, line->place.bias);
	assert_int_equal(GPIO_EDGES_BOTH, line->use);
}

static void a_change_is_told_at_once_with_the_time_of_its_edge(void **state)
{
	struct device *device = input(&contact_driver, "");
	int64_t at_ns = bench_now_ns - 3 * MS; /* the loop was busy meanwhile */

	(void)state;
	fake_edge_at(line, 1, at_ns);
	notice(device);
	assert_int_equal(1, bench_told_count);
	assert_told(0, 0, 1, at_ns);
}

static void a_contact_that_bounces_tells_one_change(void **state)
{
	struct device *device = input(&contact_driver, "debounce = 20ms\n");
	int64_t at_ns = bench_now_ns;

	(void)state;
	for (int i = 0; i < 9; i++)
		fake_edge_at(line, !(i % 2), at_ns + i * MS);
	bench_now_ns = at_ns + 9 * MS;
	notice(device);
	bench_pass(1000);
	assert_int_equal(1, bench_told_count);
	assert_told(0, 0, 1, at_ns);
}

static void what_a_contact_comes_to_rest_at_is_told_after_the_bouncing(void **state)
{
	struct device *device = input(&contact_driver, "debounce = 20ms\n");
	int64_t at_ns = bench_now_ns;

	(void)state;
	fake_edge(line, 1);
	notice(device);
	bench_pass(5);
	fake_edge(line, 0);
	notice(device);
	assert_int_equal(1, bench_told_count);
	bench_pass(14);
	assert_int_equal(1, bench_told_count);
	bench_pass(2);
	assert_int_equal(2, bench_told_count);
	assert_told(1, 0, 0, at_ns + 5 * MS);
}

static void a_line_that_flutters_at_1_khz_is_told_once_in_the_debounce_time_and_right_in_the_end(void **state)
{
	struct device *device = input(&contact_driver, "debounce = 20ms\n");
	int64_t at_ns = bench_now_ns;

	(void)state;
	for (int i = 0; i < 2000; i++) { /* a second of it, read in lumps of 16 */
		fake_edge_at(line, !(i % 2), at_ns + i * MS / 2);
		if (i % 16 == 15) {
			bench_now_ns = at_ns + i * MS / 2;
			notice(device);
		}
	}
	fake_edge_at(line, 1, bench_now_ns + MS / 2);
	bench_now_ns += MS / 2;
	notice(device);
	bench_pass(100);
	assert_in_range(bench_told_count, 2, 52);
	assert_true(bench_told[bench_told_count - 1].value.number == 1);
}

static void an_edge_that_was_lost_is_made_up_for_by_the_level(void **state)
{
	struct device *device = input(&contact_driver, "debounce = 20ms\n");

	(void)state;
	fake_edge(line, 1);
	notice(device);
	bench_pass(100);
	line->level = 0; /* without an edge */
	bench_pass(20000);
	assert_int_equal(2, bench_told_count);
	assert_true(bench_told[1].value.number == 0);
}

static void a_spark_on_a_long_wire_is_filtered(void **state)
{
	struct device *device = input(&contact_driver, "steady = 50ms\n");
	int64_t at_ns;

	(void)state;
	fake_edge(line, 1);
	notice(device);
	bench_pass(10);
	fake_edge(line, 0);
	notice(device);
	bench_pass(200);
	assert_int_equal(0, bench_told_count);
	at_ns = bench_now_ns;
	fake_edge(line, 1);
	notice(device);
	bench_pass(49);
	assert_int_equal(0, bench_told_count);
	bench_pass(2);
	assert_int_equal(1, bench_told_count);
	assert_told(0, 0, 1, at_ns);
}

static void the_kernel_filters_where_it_can(void **state)
{
	struct device *device = input(&contact_driver, "steady = 50ms\n");

	(void)state;
	fake_gpio_filters = true;
	fake_edge(line, 1);
	notice(device);
	assert_int_equal(1, bench_told_count);
}

static void movement_ends_when_it_was_quiet_for_the_hold_time(void **state)
{
	struct device *device = input(&pir_driver, "hold = 30s\n");
	int64_t at_ns = bench_now_ns;

	(void)state;
	fake_edge(line, 1);
	notice(device);
	bench_pass(5000);
	fake_edge(line, 0);
	notice(device);
	bench_pass(20000);
	fake_edge(line, 1); /* again, before it ended */
	notice(device);
	bench_pass(1000);
	fake_edge(line, 0);
	notice(device);
	bench_pass(29999);
	assert_int_equal(1, bench_told_count);
	bench_pass(2);
	assert_int_equal(2, bench_told_count);
	assert_told(1, 0, 0, at_ns + 56000 * MS);
}

static void a_long_press_is_told_while_it_lasts(void **state)
{
	struct device *device = input(&button_driver, "long_press = 800ms\n");
	int64_t at_ns = bench_now_ns;

	(void)state;
	assert_string_equal("long_press", device->channels[1].series.quantity);
	fake_edge(line, 1);
	notice(device);
	bench_pass(300);
	fake_edge(line, 0);
	notice(device);
	bench_pass(2000);
	assert_int_equal(2, bench_told_count); /* a short one */
	at_ns = bench_now_ns;
	fake_edge(line, 1);
	notice(device);
	bench_pass(1000);
	assert_int_equal(4, bench_told_count);
	assert_told(3, 1, 1, at_ns + 800 * MS);
	fake_edge(line, 0);
	notice(device);
	assert_int_equal(6, bench_told_count);
	assert_told(4, 0, 0, bench_now_ns);
	assert_told(5, 1, 0, bench_now_ns);
}

static void the_state_is_told_as_the_interval_says(void **state)
{
	struct value values[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX];
	struct device *device;

	(void)state;
	line->level = 1;
	device = input(&wall_switch_driver, "");
	assert_int_equal(0, device->driver->read(device, 0, values, fresh));
	assert_true(fresh[0] && values[0].number == 1);
	assert_int_equal(0, bench_told_count);
}

static void a_chip_that_vanishes_is_noticed(void **state)
{
	struct device *device = input(&contact_driver, "");

	(void)state;
	line->gone = true;
	bench_pass(10000);
	assert_int_equal(-ENODEV, bench_error);
	assert_string_equal("the GPIO chip is gone", device->error);
}

static void a_line_that_fails_says_so(void **state)
{
	struct device *device = input(&contact_driver, "");
	struct value values[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX];

	(void)state;
	line->error = -EIO;
	assert_int_equal(-EIO, device->driver->notice(device));
	assert_int_equal(-EIO, device->driver->read(device, 0, values, fresh));
	device->driver->close(device);
	line->open_error = -EACCES;
	line->open_words = "may not open";
	assert_int_equal(-EACCES, device->driver->open(device));
	assert_string_equal("may not open", device->error);
	device->driver->close(device);
	line->open_error = 0;
	assert_int_equal(-EIO, device->driver->open(device)); /* it opens, and can't be read */
	device->driver->close(device);
	assert_false(line->held);
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_string_equal("1: [device a] needs line: a text\n", bench_read("[device a]\ndriver = contact\n"));
	assert_string_equal("4: bias: \"up\": allowed is one of as-is|off|pull-up|pull-down\n",
			    bench_read("[device a]\ndriver = contact\nline = GPIO17\nbias = up\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(the_usual_keys_fit_what_is_wired_to_ground),
		TEST(a_change_is_told_at_once_with_the_time_of_its_edge),
		TEST(a_contact_that_bounces_tells_one_change),
		TEST(what_a_contact_comes_to_rest_at_is_told_after_the_bouncing),
		TEST(a_line_that_flutters_at_1_khz_is_told_once_in_the_debounce_time_and_right_in_the_end),
		TEST(an_edge_that_was_lost_is_made_up_for_by_the_level),
		TEST(a_spark_on_a_long_wire_is_filtered),
		TEST(the_kernel_filters_where_it_can),
		TEST(movement_ends_when_it_was_quiet_for_the_hold_time),
		TEST(a_long_press_is_told_while_it_lasts),
		TEST(the_state_is_told_as_the_interval_says),
		TEST(a_chip_that_vanishes_is_noticed),
		TEST(a_line_that_fails_says_so),
		TEST(mistakes_are_told),
	};

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
