/* links: node-agent/drivers/hcsr04.c node-agent/device.c tests/fakes/gpio.c tests/fakes/bench.c tests/fakes/folder.c */
/* The ultrasonic sensor's echo, from time stamps. */
#include <errno.h>
#include <math.h>
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

#define US INT64_C(1000)

extern const struct driver hcsr04_driver;

BENCH_DRIVERS(&hcsr04_driver);

static struct fake_line *trigger, *echo;

static int begin(void **state)
{
	(void)state;
	fake_gpio_reset();
	folder_make();
	trigger = fake_line("GPIO23");
	echo = fake_line("GPIO24");
	return 0;
}

static int done(void **state)
{
	(void)state;
	bench_done();
	folder_remove();
	return 0;
}

static struct device *sensor(void)
{
	return bench_device(&hcsr04_driver, "trigger = GPIO23\necho = GPIO24\n");
}

/* A reading whose five pings come back after so many us (0: never; the line comes up 450 us after the trigger). */
static int measure(struct device *device, const int64_t us[5], double *ret_cm)
{
	int r = device->driver->trigger(device);

	for (int i = 0; r >= 0 && i < 5; i++) {
		if (us[i] > 0) {
			fake_edge_at(echo, 1, bench_now_ns + 450 * US);
			fake_edge_at(echo, 0, bench_now_ns + (450 + us[i]) * US);
		}
		bench_pass(60);
		r = bench_error;
	}
	bench_pass(hcsr04_driver.settle_ms - 300);
	return r < 0 ? r : device->driver->fetch(device, ret_cm);
}

static void the_echo_s_length_is_the_distance(void **state)
{
	struct device *device = sensor();
	double cm = 0;

	(void)state; /* user guide: us / 58 */
	assert_int_equal(0, measure(device, (const int64_t[]){ 5800, 5800, 5800, 5800, 5800 }, &cm));
	assert_true(fabs(cm - 100) < 1e-9);
	assert_int_equal(10, trigger->sets); /* five times up and down */
	assert_int_equal(0, trigger->level);
}

static void one_wrong_echo_does_not_matter(void **state)
{
	struct device *device = sensor();
	double cm = 0;

	(void)state;
	assert_int_equal(0, measure(device, (const int64_t[]){ 5800, 150, 5858, 23200, 5742 }, &cm));
	assert_true(fabs(cm - 100) < 1e-9);
	assert_int_equal(0, measure(device, (const int64_t[]){ 0, 5800, 5858, 0, 5742 }, &cm)); /* two pings unanswered */
	assert_true(fabs(cm - 100) < 1e-9);
}

static void beyond_reach_is_no_news(void **state)
{
	struct device *device = sensor();
	double cm = 0;

	(void)state;
	assert_int_equal(0, measure(device, (const int64_t[]){ 38000, 38000, 38000, 38000, 38000 }, &cm));
	assert_true(isnan(cm));
	assert_int_equal(0, measure(device, (const int64_t[]){ 5800, 38000, 38000, 38000, 5800 }, &cm));
	assert_true(isnan(cm));
}

static void noise_between_the_pings_is_no_echo(void **state)
{
	struct device *device = sensor();
	double cm = 0;

	(void)state;
	fake_edge_at(echo, 0, bench_now_ns); /* the end of something from before */
	assert_int_equal(0, device->driver->trigger(device));
	fake_edge_at(echo, 0, bench_now_ns + 100 * US); /* an end without a beginning */
	for (int i = 0; i < 5; i++) {
		fake_edge_at(echo, 1, bench_now_ns + 450 * US);
		fake_edge_at(echo, 0, bench_now_ns + 3350 * US); /* 2900 us: 50 cm */
		for (int wall = 1; wall <= 2; wall++) {          /* further echoes, from walls behind */
			fake_edge_at(echo, 1, bench_now_ns + wall * 9000 * US);
			fake_edge_at(echo, 0, bench_now_ns + wall * 9000 * US + 8000 * US);
		}
		bench_pass(60);
	}
	assert_int_equal(0, device->driver->fetch(device, &cm));
	assert_true(fabs(cm - 50) < 1e-9);
}

static void a_sensor_that_is_not_there_is_a_fault(void **state)
{
	struct device *device = sensor();
	double cm = 0;

	(void)state;
	assert_int_equal(-EIO, measure(device, (const int64_t[]){ 0, 0, 0, 0, 0 }, &cm));
	assert_string_equal("no echo after 5 pings: are Trig, Echo and 5 V connected?", device->error);
}

/* An echo line without a sensor takes up the trigger's edges; the sensor's least is 2 cm, 116 us. */
static void needles_are_no_echoes(void **state)
{
	struct device *device = sensor();
	double cm = 0;

	(void)state;
	assert_int_equal(-EIO, measure(device, (const int64_t[]){ 10, 3, 25, 10, 60 }, &cm));
	assert_string_equal("no echo after 5 pings: are Trig, Echo and 5 V connected?", device->error);
	assert_int_equal(0, device->driver->trigger(device));
	for (int i = 0; i < 5; i++) {
		fake_edge_at(echo, 1, bench_now_ns + 5 * US); /* a needle first does not hide the echo */
		fake_edge_at(echo, 0, bench_now_ns + 8 * US);
		fake_edge_at(echo, 1, bench_now_ns + 450 * US);
		fake_edge_at(echo, 0, bench_now_ns + (450 + 116) * US);
		bench_pass(60);
	}
	assert_int_equal(0, device->driver->fetch(device, &cm));
	assert_true(fabs(cm - 2) < 1e-9);
}

static void what_fails_is_told(void **state)
{
	struct device *device = sensor();
	double cm = 0;

	(void)state;
	trigger->error = -EIO;
	assert_int_equal(-EIO, device->driver->trigger(device));
	trigger->error = 0;
	echo->error = -EREMOTEIO;
	assert_int_equal(-EREMOTEIO, device->driver->notice(device));
	assert_int_equal(-EREMOTEIO, device->driver->fetch(device, &cm));
	echo->error = 0;
	echo->gone = true;
	assert_int_equal(-ENODEV, device->driver->trigger(device));
	device->driver->close(device);
	echo->open_error = -EBUSY;
	assert_int_equal(-EBUSY, device->driver->open(device));
	device->driver->close(device);
	assert_false(trigger->held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(the_echo_s_length_is_the_distance),
		TEST(one_wrong_echo_does_not_matter),
		TEST(beyond_reach_is_no_news),
		TEST(noise_between_the_pings_is_no_echo),
		TEST(a_sensor_that_is_not_there_is_a_fault),
		TEST(needles_are_no_echoes),
		TEST(what_fails_is_told),
	};

	return cmocka_run_group_tests_name("hcsr04", tests, NULL, NULL);
}
