/* links: node-agent/drivers/pulse.c node-agent/device.c tests/fakes/gpio.c tests/fakes/bench.c tests/fakes/folder.c */
/* Pulses of meters: what they are worth, how fast they come, and that the count outlives the program. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../fakes/bench.h"
#include "../fakes/folder.h"
#include "../fakes/gpio.h"

#define MS INT64_C(1000000)

extern const struct driver pulse_driver;

BENCH_DRIVERS(&pulse_driver);

static struct fake_line *line;
static const char *folder;
static struct value values[CHANNELS_MAX];
static bool fresh[CHANNELS_MAX];

static int begin(void **state)
{
	(void)state;
	fake_gpio_reset();
	folder = folder_make();
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

static struct device *meter(const char *keys)
{
	char text[1024];

	snprintf(text, sizeof(text), "[node]\nname = n\nstate_dir = %s\n[device meter]\ndriver = pulse\nline = GPIO17\n%s", folder,
		 keys);
	assert_string_equal("", bench_read(text));
	return bench_open("meter");
}

static void pulses(struct device *device, int count, int64_t apart_ms)
{
	for (int i = 0; i < count; i++) {
		bench_pass(apart_ms);
		fake_edge(line, 1);
		line->level = 0;
		if (i % 16 == 15)
			assert_int_equal(0, device->driver->notice(device));
	}
	assert_int_equal(0, device->driver->notice(device));
}

static double reading(struct device *device, size_t channel)
{
	assert_int_equal(0, device->driver->read(device, 0, values, fresh));
	return fresh[channel] ? values[channel].number : NAN;
}

static void energy_and_power_follow_from_pulses_per_kwh(void **state)
{
	/* By hand: 1000 pulses a kWh are 1 Wh each; one in 3.6 s is 1000 W. */
	struct device *device = meter("quantity = energy\nper_unit = 1000\nstart = 4711.5\n");

	(void)state;
	assert_true(fabs(reading(device, 0) - 4711.5) < 1e-9);
	assert_true(isnan(reading(device, 1)));
	pulses(device, 500, 3600);
	assert_true(fabs(reading(device, 0) - 4712.0) < 1e-9);
	assert_true(fabs(reading(device, 1) - 1000) < 1e-6);
}

static void power_sinks_while_the_next_pulse_is_overdue(void **state)
{
	struct device *device = meter("quantity = energy\nper_unit = 1000\n");

	(void)state;
	pulses(device, 2, 3600);
	bench_pass(36000);
	assert_true(fabs(reading(device, 1) - 100) < 1e-6);
}

static void a_kilohertz_is_counted_to_the_last_pulse(void **state)
{
	struct device *device = meter("");

	(void)state;
	pulses(device, 5000, 1);
	assert_true(reading(device, 0) == 5000);
	assert_int_equal(0, bench_told_count); /* readings come by the interval, not by pulse */
}

static void a_reed_contact_that_bounces_counts_once(void **state)
{
	struct device *device = meter("quantity = volume\nper_unit = 1000\n");

	(void)state;
	for (int i = 0; i < 10; i++) {
		bench_pass(1000);
		pulses(device, 4, 1);
	}
	assert_true(fabs(reading(device, 0) - 0.010) < 1e-9);
}

static void the_count_goes_on_after_a_restart(void **state)
{
	(void)state;
	pulses(meter(""), 41, 10);
	pulses(meter(""), 1, 10); /* bench_read closes the first */
	assert_true(reading(meter(""), 0) == 42);
}

static void the_count_is_written_now_and_then_for_the_case_of_a_crash(void **state)
{
	struct device *device = meter("save_every = 10m\n");
	char kept[128], text[128];
	FILE *file;
	size_t len;

	(void)state;
	pulses(device, 7, 10);
	assert_int_equal(-1, access(folder_path("pulse-meter"), F_OK)); /* few writes */
	bench_pass(600000);
	file = fopen(folder_path("pulse-meter"), "r");
	assert_non_null(file);
	len = fread(kept, 1, sizeof(kept) - 1, file);
	fclose(file);
	kept[len] = '\0';
	pulses(device, 1, 10);
	bench_done(); /* writes 8: the crash takes it back */
	snprintf(text, sizeof(text), "%s", kept);
	folder_write("pulse-meter", text);
	assert_true(reading(meter(""), 0) == 7);
}

static void a_torn_record_leaves_the_one_before(void **state)
{
	struct device *device;
	FILE *file;

	(void)state;
	for (int i = 0; i < 3; i++) { /* 10, 20, 30: the third is written over the first */
		device = meter("");
		pulses(device, 10, 10);
		bench_done();
	}
	file = fopen(folder_path("pulse-meter"), "r+");
	assert_non_null(file);
	fseek(file, 18, SEEK_SET);
	fputc('9', file);
	fclose(file);
	assert_true(reading(meter(""), 0) == 20);
	folder_write("pulse-meter", "rubbish");
	assert_true(reading(meter(""), 0) == 0);
}

static void without_a_folder_it_counts_all_the_same(void **state)
{
	struct device *device;

	(void)state;
	unsetenv("STATE_DIRECTORY");
	assert_string_equal("", bench_read("[device meter]\ndriver = pulse\nline = GPIO17\n"));
	device = bench_open("meter");
	pulses(device, 3, 10);
	assert_true(reading(device, 0) == 3);
}

static void lost_pulses_are_told(void **state)
{
	struct device *device = meter("");

	(void)state;
	line->lost = 12;
	fake_edge(line, 1);
	fake_gpio_filters = true;
	assert_int_equal(-ERANGE, device->driver->notice(device));
	assert_string_equal("pulses came faster than they were read: 12 lost", device->error);
	line->lost = 1;
	fake_edge(line, 1);
	fake_gpio_filters = false;
	assert_int_equal(-ERANGE, device->driver->notice(device));
	assert_string_equal("pulses came faster than they were read: at least 1 lost", device->error);
	assert_true(reading(device, 0) == 2);
}

static void what_fails_is_told(void **state)
{
	struct device *device = meter("");

	(void)state;
	line->gone = true;
	bench_pass(10000);
	assert_int_equal(-ENODEV, bench_error);
	line->error = -EIO;
	assert_int_equal(-EIO, device->driver->notice(device));
	assert_int_equal(-EIO, device->driver->read(device, 0, values, fresh));
	device->driver->close(device);
	line->error = 0;
	line->open_error = -ENOENT;
	assert_int_equal(-ENOENT, device->driver->open(device));
	assert_string_equal("no line", device->error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(energy_and_power_follow_from_pulses_per_kwh),
		TEST(power_sinks_while_the_next_pulse_is_overdue),
		TEST(a_kilohertz_is_counted_to_the_last_pulse),
		TEST(a_reed_contact_that_bounces_counts_once),
		TEST(the_count_goes_on_after_a_restart),
		TEST(the_count_is_written_now_and_then_for_the_case_of_a_crash),
		TEST(a_torn_record_leaves_the_one_before),
		TEST(without_a_folder_it_counts_all_the_same),
		TEST(lost_pulses_are_told),
		TEST(what_fails_is_told),
	};

	return cmocka_run_group_tests_name("pulse", tests, NULL, NULL);
}
