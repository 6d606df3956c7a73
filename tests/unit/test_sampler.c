/* links: node-agent/sampler.c node-agent/sampler_turn.c node-agent/sampler_tell.c node-agent/sampler_beat.c node-agent/sampler_fault.c node-agent/sampler_order.c node-agent/worker.c node-agent/actuator.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/i2c.c tests/fakes/bus.c tests/fakes/clock.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c tests/fakes/sampled.c */
/* Devices that are read: their turns, their faults, what they tell by themselves, a reload, simulated time. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/condition.h"
#include "../../node-agent/sampler_slot.h"
#include "../fakes/clock.h"
#include "../fakes/node.h"
#include "../fakes/sampled.h"

/* ---- turns ----------------------------------------------------------------------------------------------------------------------- */

static void a_chip_is_opened_once_and_read_at_its_interval_after_it_settled(void **state)
{
	(void)state;
	sampled_open(&chip_device, 1);
	assert_int_equal(1, chip.opens);
	assert_int_equal(0, chip.triggers);
	assert_true(sampler_ready(sampler, &chip_device));
	sampler_start(sampler);
	assert_int_equal(1, chip.triggers);
	assert_int_equal(0, chip.fetches);
	WAIT_UNTIL(readings == 3);
	assert_int_equal(1, chip.opens);
	assert_float_equal(50, last_number, 0);
	assert_int_equal(NOW, last_time_ms);
	assert_string_equal("", sampled_fault(&chip_device));
	assert_int_equal(0, healths);
}

static int plain_fetch(struct device *device, double values[])
{
	(void)device;
	values[0] = 50;
	return 0;
}

static const struct driver plain_driver = {
	.name = "plain",
	.emits = (const enum quantity[]){ QUANTITY_HUMIDITY, QUANTITY_NONE },
	.fetch = plain_fetch,
};

/* The test takes the place of the timer, which is late each time, up to 40 ms; and once it misses three turns. */
static void an_hour_of_turns_does_not_drift(void **state)
{
	struct device *device = device_make("plain", &plain_driver, NULL);
	struct slot *slot;
	uint64_t first_us, at_us;

	(void)state;
	device->interval_ms = 1000;
	device_add_channel(device, "humidity", OUTPUT_NONE);
	fake_boot_ms = 1000000;
	sampled_open(device, 1);
	sampler_start(sampler);
	slot = device->context;
	assert_int_equal(0, sd_event_source_get_time(slot->timer, &first_us));
	for (uint64_t i = 0; i < 3600; i++) {
		assert_int_equal(0, sd_event_source_get_time(slot->timer, &at_us));
		assert_int_equal(first_us + i * 1000000, at_us);
		fake_boot_ms = (int64_t)(at_us / 1000) + (int64_t)(i * 7 % 41);
		slot_on_timer(slot->timer, 0, slot);
	}
	assert_int_equal(3601, readings); /* with the one at once */
	fake_boot_ms += 3000;
	slot_on_timer(slot->timer, 0, slot);
	assert_int_equal(0, sd_event_source_get_time(slot->timer, &at_us));
	assert_int_equal(0, (at_us - first_us) % 1000000);
	assert_in_range((int64_t)(at_us / 1000), fake_boot_ms + 1, fake_boot_ms + 1000); /* what was missed is not caught up */
	fake_boot_ms = -1;
	sampled_end(NULL);
	device_unref(device);
	sampled_begin(NULL);
}

static void a_chip_that_falls_silent_is_told_once_opened_again_and_told_when_it_is_back(void **state)
{
	int64_t since_ms;

	(void)state;
	sampled_open(&chip_device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(readings == 1);
	chip.fetch_error = -EIO;
	WAIT_UNTIL(healths == 1);
	assert_string_equal(strerror(EIO), sampler_fault(sampler, &chip_device, &since_ms));
	assert_int_equal(NOW, since_ms);
	assert_int_equal(1, chip.closes);
	assert_false(sampler_ready(sampler, &chip_device));
	chip.fetch_error = 0;
	WAIT_UNTIL(readings == 2);
	assert_int_equal(2, chip.opens);
	assert_int_equal(2, healths);
	assert_string_equal("", sampled_fault(&chip_device));
}

static void a_chip_that_is_absent_at_start_is_looked_for_again(void **state)
{
	(void)state;
	chip.open_error = -ENODEV;
	sampled_open(&chip_device, 1);
	assert_int_equal(1, healths);
	assert_string_equal(strerror(ENODEV), sampled_fault(&chip_device));
	sampler_start(sampler);
	assert_int_equal(0, chip.triggers);
	chip.open_error = 0;
	WAIT_UNTIL(readings == 1);
	assert_string_equal("", sampled_fault(&chip_device));
}

/* The test takes the place of the timer. */
static void what_stays_away_is_tried_less_and_less_often_up_to_once_a_minute(void **state)
{
	static const int64_t waits_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000 };
	struct slot *slot;
	uint64_t at_us;

	(void)state;
	fake_boot_ms = 1000000;
	chip.open_error = -ENXIO;
	sampled_open(&chip_device, 1);
	sampler_start(sampler);
	slot = chip_device.context;
	for (size_t i = 0; i < sizeof(waits_ms) / sizeof(*waits_ms); i++) {
		assert_int_equal(i + 1, chip.opens);
		assert_int_equal(0, sd_event_source_get_time(slot->timer, &at_us));
		assert_int_equal(fake_boot_ms + waits_ms[i], at_us / 1000);
		fake_boot_ms += waits_ms[i];
		slot_on_timer(slot->timer, 0, slot);
	}
	assert_int_equal(1, healths); /* told once */
	chip.open_error = 0;
	fake_boot_ms = -1; /* which a machine that just started has before it */
	slot_on_timer(slot->timer, 0, slot);
	chip.open_error = -ENXIO;
	WAIT_UNTIL(readings == 1); /* it was well: the next time it is tried soon again */
	assert_int_equal(0, slot->retry_ms);
}

static void what_the_quantity_cannot_be_is_dropped_and_told_once(void **state)
{
	int fetches;

	(void)state;
	sampled_open(&chip_device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(readings == 1);
	chip.value = 120;
	WAIT_UNTIL(healths == 1);
	fetches = chip.fetches;
	chip.value = 121;                        /* another number, the same fault */
	WAIT_UNTIL(chip.fetches == fetches + 3); /* on its turns, not once a minute */
	assert_int_equal(1, healths);
	assert_int_equal(1, readings);
	assert_int_equal(0, chip.closes);
	assert_string_equal("humidity: 121 is over 100 %", sampled_fault(&chip_device));
	chip.value = HUGE_VAL;
	WAIT_UNTIL(strstr(sampled_fault(&chip_device), "not a finite number"));
	chip.value = 51;
	WAIT_UNTIL(readings == 2);
	assert_int_equal(2, healths);
}

/* ---- what tells by itself -------------------------------------------------------------------------------------------------------- */

static int eye_fd; /* readable when it has news */

static int eye_open(struct device *device)
{
	(void)device;
	eye_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return eye_fd;
}

static int eye_watch(struct device *device)
{
	(void)device;
	return eye_fd;
}

static int eye_notice(struct device *device)
{
	const struct value value = value_of_number(1);
	struct timespec now;
	uint64_t count;

	assert_int_equal(sizeof(count), read(eye_fd, &count, sizeof(count)));
	if (count == 7)
		return -ENODEV;
	clock_gettime(CLOCK_MONOTONIC, &now);
	device_tell(device, 0, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - 3000000000, &value); /* 3 s ago */
	device_wake(device, 5);
	return 0;
}

static int eye_wake(struct device *device)
{
	const struct value value = value_of_number(0);

	device_tell(device, 0, 0, &value);
	return 0;
}

static void eye_close(struct device *device)
{
	(void)device;
	close(eye_fd);
}

static const struct driver eye_driver = {
	.name = "eye",
	.emits = (const enum quantity[]){ QUANTITY_MOTION, QUANTITY_NONE },
	.open = eye_open,
	.watch = eye_watch,
	.notice = eye_notice,
	.wake = eye_wake,
	.close = eye_close,
};

static void news_are_told_with_their_own_time_and_a_wake_comes_when_asked_for(void **state)
{
	struct device *device = device_make("eye", &eye_driver, NULL);
	const uint64_t one = 1, seven = 7;

	(void)state;
	device_add_channel(device, "motion", OUTPUT_NONE);
	sampled_open(device, 1);
	sampler_start(sampler);
	assert_int_equal(0, readings);
	assert_int_equal(sizeof(one), write(eye_fd, &one, sizeof(one)));
	WAIT_UNTIL(readings == 1);
	assert_float_equal(1, last_number, 0);
	assert_in_range(last_time_ms, NOW - 3100, NOW - 3000);
	WAIT_UNTIL(readings == 2); /* the wake */
	assert_float_equal(0, last_number, 0);
	assert_int_equal(NOW, last_time_ms);
	assert_int_equal(sizeof(seven), write(eye_fd, &seven, sizeof(seven)));
	WAIT_UNTIL(sampled_fault(device)[0]);
	assert_string_equal(strerror(ENODEV), sampled_fault(device));
	assert_true(sampler_silent(sampler, &device->channels[0]));
	WAIT_UNTIL(!sampled_fault(device)[0]); /* opened again, a second later */
	sampled_end(NULL);
	device_unref(device);
	sampled_begin(NULL);
}

/* A program that stays and prints changes is such a device: nothing comes for hours, and it is well. */
static void what_comes_when_it_comes_is_told_again_at_its_greatest_age(void **state)
{
	struct device *device = device_make("eye", &eye_driver, NULL);
	struct condition *condition = malloc(sizeof(*condition));
	const uint64_t one = 1, seven = 7;
	int before;

	(void)state;
	condition_init(condition);
	condition->report = REPORT_CHANGE;
	condition->max_age_ms = 20;
	device->sporadic = true;
	device_add_channel(device, "motion", OUTPUT_NONE)->condition = condition;
	sampled_open(device, 1);
	sampler_start(sampler);
	assert_int_equal(sizeof(one), write(eye_fd, &one, sizeof(one)));
	WAIT_UNTIL(readings >= 5);
	assert_float_equal(0, last_number, 0); /* 1, 0 by the wake, and that again */
	assert_int_equal(NOW, last_time_ms);
	assert_int_equal(sizeof(seven), write(eye_fd, &seven, sizeof(seven)));
	WAIT_UNTIL(sampled_fault(device)[0]);
	before = readings;
	WAIT_UNTIL(!sampled_fault(
		device)[0]); /* a second later; at fault it tells nothing, and is not sure of what it knew when it is back */
	assert_int_equal(before, readings);
	sampled_end(NULL);
	device_unref(device);
	sampled_begin(NULL);
}

/* ---- a reload -------------------------------------------------------------------------------------------------------------------- */

static void another_list_closes_what_is_gone_and_leaves_alone_what_stays(void **state)
{
	struct device *other = device_make("eye", &eye_driver, NULL);

	(void)state;
	device_add_channel(other, "motion", OUTPUT_NONE);
	sampled_open(&chip_device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(readings >= 1);
	chip_device.next = other;
	assert_int_equal(0, sampler_change(sampler, &chip_device));
	assert_int_equal(1, chip.opens);
	assert_int_equal(0, chip.closes);
	assert_true(sampler_ready(sampler, other));
	chip_device.next = NULL;
	assert_int_equal(0, sampler_change(sampler, other));
	assert_int_equal(1, chip.closes);
	assert_false(sampler_ready(sampler, &chip_device));
	sampled_end(NULL);
	device_unref(other);
	sampled_begin(NULL);
}

/* ---- simulated time -------------------------------------------------------------------------------------------------------------- */

static void a_faster_clock_lives_a_day_in_minutes_and_dates_readings_truly(void **state)
{
	struct device *device = node_device("driver = sim\nquantities = power\ninterval = 10s\npower.base = 100\npower.swing = 0\n"
					    "power.noise = 0\npower.jump = 50\npower.jump_every = 1h\n");
	double first;

	(void)state;
	sampled_open(device, 3600); /* an hour in a second; 10 s in 2.8 ms */
	sampler_start(sampler);
	first = last_number;
	assert_int_equal(NOW, last_time_ms);
	fake_wall_ms = NOW + 1000;
	WAIT_UNTIL(readings >= 2);
	assert_float_equal(50, fabs(last_number - first), 0);
	assert_int_equal(NOW + 1000, last_time_ms);
	readings = 0;
	fake_wall_ms = NOW + 2000;
	WAIT_UNTIL(readings >= 1);
	assert_float_equal(first, last_number, 0);
}

static void a_late_device_dates_its_readings_late(void **state)
{
	(void)state;
	sampled_open(node_device("driver = sim\nquantities = power\nlate = 1h\n"), 1);
	sampler_start(sampler);
	assert_int_equal(NOW - 3600000, last_time_ms);
}

static void a_silent_simulation_is_a_fault_like_any_other(void **state)
{
	struct device *device = node_device("driver = sim\nquantities = power\nfault = silent\nfault_every = 1h\nfault_for = 1h\n");

	(void)state;
	sampled_open(device, 1);
	sampler_start(sampler);
	assert_int_equal(0, readings);
	assert_string_equal("no answer (simulated)", sampled_fault(device));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sampled_begin, sampled_end)
	const struct CMUnitTest tests[] = {
		TEST(a_chip_is_opened_once_and_read_at_its_interval_after_it_settled),
		TEST(an_hour_of_turns_does_not_drift),
		TEST(a_chip_that_falls_silent_is_told_once_opened_again_and_told_when_it_is_back),
		TEST(a_chip_that_is_absent_at_start_is_looked_for_again),
		TEST(what_stays_away_is_tried_less_and_less_often_up_to_once_a_minute),
		TEST(what_the_quantity_cannot_be_is_dropped_and_told_once),
		TEST(news_are_told_with_their_own_time_and_a_wake_comes_when_asked_for),
		TEST(what_comes_when_it_comes_is_told_again_at_its_greatest_age),
		TEST(another_list_closes_what_is_gone_and_leaves_alone_what_stays),
		TEST(a_faster_clock_lives_a_day_in_minutes_and_dates_readings_truly),
		TEST(a_late_device_dates_its_readings_late),
		TEST(a_silent_simulation_is_a_fault_like_any_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
