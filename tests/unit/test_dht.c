/* links: node-agent/drivers/dht.c node-agent/sysfs.c node-agent/device.c tests/fakes/kernel.c tests/fakes/chip.c */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/chip.h"
#include "../fakes/kernel.h"

extern const struct driver dht_driver;

#define SENSOR "/sys/bus/iio/devices/iio:device1/"

static double values[2];

static int begin(void **state)
{
	kernel_begin(state);
	kernel_put("/sys/bus/iio/devices/iio:device0/name", "bmp280\n");
	kernel_put(SENSOR "name", "dht11@4\n");
	kernel_put(SENSOR "in_temp_input", "21300\n");
	kernel_put(SENSOR "in_humidityrelative_input", "48700\n");
	return 0;
}

static int end(void **state)
{
	chip_done();
	return kernel_end(state);
}

static void both_values_are_read(void **state)
{
	struct device *device = chip_make(&dht_driver, "");

	(void)state;
	assert_int_equal(0, device->driver->open(device));
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(21.3, values[0], 1e-6);
	assert_float_equal(48.7, values[1], 1e-6);
}

static void two_misses_are_usual_and_three_are_a_fault(void **state)
{
	struct device *device = chip_make(&dht_driver, "");

	(void)state;
	assert_int_equal(0, device->driver->open(device));
	kernel_put(SENSOR "in_humidityrelative_input", "");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2; i++) {
			values[0] = 1;
			assert_int_equal(0, chip_turn(device, values));
			assert_true(isnan(values[0]) && isnan(values[1]));
		}
		if (round == 0) { /* one that succeeds begins the count anew */
			kernel_put(SENSOR "in_humidityrelative_input", "48700\n");
			assert_int_equal(0, chip_turn(device, values));
			kernel_put(SENSOR "in_humidityrelative_input", "");
		}
	}
	chip_failed(device, chip_turn(device, values), -ENODATA, "");
}

static void zeros_are_a_miss(void **state) /* whose checksum is 0 */
{
	struct device *device = chip_make(&dht_driver, "");

	(void)state;
	assert_int_equal(0, device->driver->open(device));
	kernel_put(SENSOR "in_temp_input", "0\n");
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(0, values[0], 0);
	kernel_put(SENSOR "in_humidityrelative_input", "0\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(0, chip_turn(device, values));
		assert_true(isnan(values[0]) && isnan(values[1]));
	}
	chip_failed(device, chip_turn(device, values), -EIO, "bad checksums or zeros, one after the other: a long or loose wire?");
}

static void what_is_missing_is_said_with_what_to_do(void **state)
{
	struct device *device = chip_make(&dht_driver, "device = dht11@17\n");

	(void)state;
	chip_failed(device, device->driver->open(device), -ENOENT,
		    "no dht11@17: add dtoverlay=dht11,gpiopin=N to /boot/firmware/config.txt");
	kernel_take(SENSOR);
	device = chip_make(&dht_driver, "");
	chip_failed(device, device->driver->open(device), -ENOENT,
		    "no DHT sensor: add dtoverlay=dht11,gpiopin=N to /boot/firmware/config.txt");
}

static void a_driver_that_goes_is_told_at_once(void **state)
{
	struct device *device = chip_make(&dht_driver, "device = dht11@4\n");

	(void)state;
	assert_int_equal(0, device->driver->open(device));
	kernel_take(SENSOR);
	chip_failed(device, chip_turn(device, values), -ENOENT, "its driver in the kernel is gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_values_are_read, begin, end),
		cmocka_unit_test_setup_teardown(two_misses_are_usual_and_three_are_a_fault, begin, end),
		cmocka_unit_test_setup_teardown(zeros_are_a_miss, begin, end),
		cmocka_unit_test_setup_teardown(what_is_missing_is_said_with_what_to_do, begin, end),
		cmocka_unit_test_setup_teardown(a_driver_that_goes_is_told_at_once, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
