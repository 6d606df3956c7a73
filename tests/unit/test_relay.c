/* links: node-agent/drivers/relay.c node-agent/interlock.c node-agent/device.c tests/fakes/gpio.c tests/fakes/bench.c tests/fakes/folder.c */
/* Relays and buzzers: orders, times, interlocks. */
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

#define SHUTTER "driver = relay\ninterlock = shutter\ndead_time = 500ms\n"

extern const struct driver relay_driver, buzzer_driver;

BENCH_DRIVERS(&relay_driver, &buzzer_driver);

static struct fake_line *line, *up_line, *down_line;

static int begin(void **state)
{
	(void)state;
	fake_gpio_reset();
	folder_make();
	line = fake_line("GPIO17");
	up_line = fake_line("GPIO5");
	down_line = fake_line("GPIO6");
	return 0;
}

static int done(void **state)
{
	(void)state;
	bench_done();
	folder_remove();
	return 0;
}

static struct device *relay(const char *keys)
{
	char text[512];

	snprintf(text, sizeof(text), "line = GPIO17\n%s", keys);
	return bench_device(&relay_driver, text);
}

static void shutter(const char *more, struct device **ret_up, struct device **ret_down)
{
	char text[1024];
	const char *mistakes;

	snprintf(text, sizeof(text), "[device up]\n" SHUTTER "line = GPIO5\n%s[device down]\n" SHUTTER "line = GPIO6\n%s", more,
		 more);
	mistakes = bench_read(text);
	assert_string_equal("", mistakes);
	*ret_up = bench_open("up");
	*ret_down = bench_open("down");
	bench_pass(500); /* nobody knows what was before */
}

static void an_order_sets_the_line_and_is_answered_with_what_it_reads(void **state)
{
	struct device *device = relay("active_low = yes\ndrive = open-drain\n");

	(void)state;
	assert_true(line->place.active_low);
	assert_int_equal(GPIO_DRIVE_OPEN_DRAIN, line->place.drive);
	assert_int_equal(OUTPUT_SWITCH, device->channels[0].output);
	assert_int_equal(0, bench_set(device, 0, 1));
	assert_int_equal(1, line->level);
	assert_true(bench_set_value == 1);
	assert_int_equal(0, bench_set(device, 0, 0));
	assert_int_equal(0, line->level);
	assert_int_equal(0, bench_told_count); /* the answer tells it */
}

static void initial_is_there_from_the_first_moment(void **state)
{
	(void)state;
	relay("initial = on\n");
	assert_int_equal(1, line->level);
}

static void the_first_value_is_there_without_another_before(void **state)
{
	struct device *device;

	(void)state;
	assert_string_equal("", bench_read("[device dev]\ndriver = relay\nline = GPIO17\n"));
	device = bench_made("dev");
	device->channels[0].has_first = true;
	device->channels[0].first = value_of_number(1);
	line->stuck = true; /* so that only gpio_open can have made it so */
	bench_open("dev");
	assert_int_equal(1, line->level);
}

static void the_dead_time_holds_over_a_restart(void **state)
{
	struct device *up, *down;

	(void)state;
	shutter("", &up, &down);
	bench_set(up, 0, 1);
	up->driver->close(up); /* its chip failed: the line fell back */
	assert_int_equal(0, up->driver->open(up));
	assert_int_equal(500, bench_set(down, 0, 1));
}

static void a_line_that_does_not_follow_is_told(void **state)
{
	struct device *device = relay("");

	(void)state;
	line->stuck = true;
	assert_int_equal(-EIO, bench_set(device, 0, 1));
	assert_string_equal("GPIO17 reads 0 after 1 was set: is it shorted?", device->error);
	line->error = -EREMOTEIO;
	assert_int_equal(-EREMOTEIO, bench_set(device, 0, 1));
}

static void a_pulse_ends_by_itself(void **state)
{
	struct device *device = relay("pulse = 500ms\n");

	(void)state;
	assert_int_equal(OUTPUT_BUTTON, device->channels[0].output);
	assert_string_equal("button", device->channels[0].series.quantity);
	bench_set(device, 0, 1);
	bench_pass(499);
	assert_int_equal(1, line->level);
	bench_pass(1);
	assert_int_equal(0, line->level);
	assert_int_equal(1, bench_told_count);
	assert_true(bench_told[0].value.number == 0);
}

static void the_longest_time_is_not_lengthened_by_another_on(void **state)
{
	struct device *device = relay("max_on = 30m\n");

	(void)state;
	bench_set(device, 0, 1);
	bench_pass(29 * 60000);
	bench_set(device, 0, 1);
	bench_pass(60000);
	assert_int_equal(0, line->level);
	assert_int_equal(1, bench_told_count);
	bench_set(device, 0, 1); /* from an off on, it counts anew */
	bench_pass(29 * 60000);
	assert_int_equal(1, line->level);
}

static void an_off_before_the_longest_time_ends_it(void **state)
{
	struct device *device = relay("max_on = 1m\n");

	(void)state;
	bench_set(device, 0, 1);
	bench_set(device, 0, 0);
	bench_pass(120000);
	assert_int_equal(0, bench_told_count);
}

static void a_relay_that_begins_on_has_its_longest_time_too(void **state)
{
	(void)state;
	relay("initial = on\nmax_on = 1m\n");
	bench_pass(60000);
	assert_int_equal(0, line->level);
}

static void the_other_one_goes_off_first_and_a_dead_time_lies_between(void **state)
{
	struct device *up, *down;

	(void)state;
	shutter("", &up, &down);
	assert_int_equal(0, bench_set(up, 0, 1));
	assert_int_equal(500, bench_set(down, 0, 1));
	assert_true(bench_set_value == 1);
	assert_int_equal(0, up_line->level);
	assert_int_equal(0, down_line->level);
	assert_int_equal(1, bench_told_count); /* up's new state */
	assert_ptr_equal(up, bench_told[0].device);
	bench_pass(499);
	assert_int_equal(0, down_line->level);
	bench_pass(1);
	assert_int_equal(1, down_line->level);
}

static void the_dead_time_holds_after_an_off_by_hand(void **state)
{
	struct device *up, *down;

	(void)state;
	shutter("", &up, &down);
	bench_set(up, 0, 1);
	bench_set(up, 0, 0);
	bench_pass(200);
	assert_int_equal(0, bench_set(up, 0, 1)); /* the same way: no need to wait */
	bench_set(up, 0, 0);
	bench_pass(200);
	assert_int_equal(300, bench_set(down, 0, 1));
	bench_pass(300);
	assert_int_equal(1, down_line->level);
}

static void two_are_never_on_whatever_is_ordered(void **state)
{
	struct device *up, *down;
	unsigned random = 7;

	(void)state;
	shutter("max_on = 3s\n", &up, &down);
	for (int i = 0; i < 3000; i++) {
		random = random * 1103515245 + 12345;
		bench_set(random & 0x10000 ? up : down, 0, random & 0x20000 ? 1 : 0);
		for (unsigned ms = 0; ms < (random >> 20) % 900; ms += 50) {
			bench_pass(50);
			assert_false(up_line->level && down_line->level);
		}
		bench_told_count = 0;
	}
}

static void one_that_is_about_to_go_on_is_waited_for(void **state)
{
	struct device *up, *down;

	(void)state;
	shutter("", &up, &down);
	bench_set(up, 0, 1);
	bench_set(down, 0, 1);
	assert_int_equal(-EBUSY, bench_set(up, 0, 1));
	assert_string_equal("down is about to go on (interlock shutter)", up->error);
	assert_in_range(bench_set(down, 0, 1), 400, 501); /* again: it takes as long as it takes */
	bench_set(down, 0, 0);                            /* thought better of it */
	bench_pass(1000);
	assert_int_equal(0, down_line->level);
}

static void without_takeover_the_second_is_refused_with_the_reason(void **state)
{
	struct device *up, *down;

	(void)state;
	shutter("takeover = no\n", &up, &down);
	bench_set(up, 0, 1);
	assert_int_equal(-EBUSY, bench_set(down, 0, 1));
	assert_string_equal("up is on (interlock shutter)", down->error);
	assert_int_equal(1, up_line->level);
	assert_int_equal(0, bench_set(down, 0, 0));
}

static void one_that_does_not_go_off_blocks_the_other(void **state)
{
	struct device *up, *down;

	(void)state;
	shutter("", &up, &down);
	bench_set(up, 0, 1);
	up_line->stuck = true;
	assert_int_equal(-EIO, bench_set(down, 0, 1));
	assert_string_equal("up does not go off (interlock shutter)", down->error);
	assert_int_equal(0, down_line->level);
	assert_int_equal(-EIO, bench_set(down, 0, 1)); /* still */
	assert_int_equal(0, down_line->level);
}

static void a_siren_ends_after_its_longest_time_and_asks_twice(void **state)
{
	struct device *device = bench_device(&buzzer_driver, "line = GPIO17\nconfirm = yes\n");

	(void)state;
	assert_true(device->channels[0].confirm);
	bench_set(device, 0, 1);
	bench_pass(180000);
	assert_int_equal(0, line->level);
}

static void a_chip_that_vanishes_is_noticed(void **state)
{
	struct device *device = relay("");
	struct value values[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX];

	(void)state;
	bench_set(device, 0, 1);
	assert_int_equal(0, device->driver->read(device, 0, values, fresh));
	assert_true(fresh[0] && values[0].number == 1);
	line->gone = true;
	bench_pass(10000);
	assert_int_equal(-ENODEV, bench_error);
	assert_int_equal(-ENODEV, device->driver->read(device, 0, values, fresh));
	assert_string_equal("the GPIO chip is gone", device->error);
	device->driver->close(device);
	line->open_error = -EBUSY;
	line->open_words = "GPIO17 is held by \"gpioset\"";
	assert_int_equal(-EBUSY, device->driver->open(device));
	assert_string_equal("GPIO17 is held by \"gpioset\"", device->error);
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_string_equal("4: interlock: no other relay has interlock = shuter\n",
			    bench_read("[device up]\ndriver = relay\nline = GPIO5\ninterlock = shuter\n"));
	assert_string_equal("4: initial: an output with a pulse begins off\n",
			    bench_read("[device up]\ndriver = relay\nline = GPIO5\ninitial = on\npulse = 1s\n"));
	assert_string_equal(
		"5: initial: outputs of an interlock begin off\n",
		bench_read("[device up]\n" SHUTTER "initial = on\nline = GPIO5\n[device down]\n" SHUTTER "line = GPIO6\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(an_order_sets_the_line_and_is_answered_with_what_it_reads),
		TEST(initial_is_there_from_the_first_moment),
		TEST(the_first_value_is_there_without_another_before),
		TEST(the_dead_time_holds_over_a_restart),
		TEST(a_line_that_does_not_follow_is_told),
		TEST(a_pulse_ends_by_itself),
		TEST(the_longest_time_is_not_lengthened_by_another_on),
		TEST(an_off_before_the_longest_time_ends_it),
		TEST(a_relay_that_begins_on_has_its_longest_time_too),
		TEST(the_other_one_goes_off_first_and_a_dead_time_lies_between),
		TEST(the_dead_time_holds_after_an_off_by_hand),
		TEST(two_are_never_on_whatever_is_ordered),
		TEST(one_that_is_about_to_go_on_is_waited_for),
		TEST(without_takeover_the_second_is_refused_with_the_reason),
		TEST(one_that_does_not_go_off_blocks_the_other),
		TEST(a_siren_ends_after_its_longest_time_and_asks_twice),
		TEST(a_chip_that_vanishes_is_noticed),
		TEST(mistakes_are_told),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
