/* links: node-agent/drivers/ds18b20.c node-agent/sysfs.c node-agent/device.c tests/fakes/kernel.c tests/fakes/chip.c */
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

extern const struct driver ds18b20_driver;

#define DEVICES "/sys/bus/w1/devices/"

static double degrees;

static int begin(void **state)
{
	kernel_begin(state);
	kernel_put(DEVICES "w1_bus_master1/w1_master_name", "w1_bus_master1\n");
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "21500\n");
	return 0;
}

static int end(void **state)
{
	chip_done();
	return kernel_end(state);
}

static struct device *open_chip(const char *keys)
{
	struct device *device = chip_make(&ds18b20_driver, keys);

	assert_int_equal(0, device->driver->open(device));
	return device;
}

static void the_first_thermometer_there_is_read(void **state)
{
	struct device *device = open_chip("");

	(void)state;
	assert_int_equal(0, chip_turn(device, &degrees));
	assert_float_equal(21.5, degrees, 1e-6);
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "-10125\n");
	assert_int_equal(0, chip_turn(device, &degrees));
	assert_float_equal(-10.125, degrees, 1e-6);
}

static void one_of_several_is_chosen_by_its_id(void **state)
{
	(void)state;
	kernel_put(DEVICES "28-ff641e0f1002/temperature", "40000\n");
	assert_int_equal(0, chip_turn(open_chip("id = 28-ff641e0f1002\n"), &degrees));
	assert_float_equal(40, degrees, 1e-6);
}

static void an_older_kernels_file_is_read_too(void **state)
{
	struct device *device;

	(void)state;
	kernel_take(DEVICES "28-00000a1b2c3d/temperature");
	kernel_put(DEVICES "28-00000a1b2c3d/w1_slave",
		   "58 01 4b 46 7f ff 0c 10 2c : crc=2c YES\n58 01 4b 46 7f ff 0c 10 2c t=21500\n");
	device = open_chip("");
	assert_int_equal(0, chip_turn(device, &degrees));
	assert_float_equal(21.5, degrees, 1e-6);
	kernel_put(DEVICES "28-00000a1b2c3d/w1_slave",
		   "58 01 4b 46 7f ff 0c 10 2d : crc=2c NO\n58 01 4b 46 7f ff 0c 10 2d t=21500\n");
	chip_failed(device, chip_turn(device, &degrees), -EIO, "the reading of 28-00000a1b2c3d failed: bad CRC or a loose wire");
}

static void an_empty_file_is_a_failed_reading(void **state) /* what w1_therm of Linux 6.1 gives after a bad CRC */
{
	struct device *device = open_chip("");

	(void)state;
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "");
	chip_failed(device, chip_turn(device, &degrees), -EIO, "the reading of 28-00000a1b2c3d failed: bad CRC or a loose wire");
}

static void the_value_after_power_on_is_refused_unless_it_is_that_hot(void **state)
{
	struct device *device = open_chip("");

	(void)state;
	assert_int_equal(0, chip_turn(device, &degrees));
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "85000\n");
	chip_failed(device, chip_turn(device, &degrees), -ERANGE, "85 °C is what it says after power-on: a loose wire?");
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "84937\n");
	assert_int_equal(0, chip_turn(device, &degrees));
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "85000\n");
	assert_int_equal(0, chip_turn(device, &degrees));
	assert_float_equal(85, degrees, 1e-6);
}

/* A shorted data line answers presence and zeros, whose CRC is 0: "YES". A real register of 0 °C has a configuration of 0x1F to 0x7F (19-7487, figure 10). */
static void zeros_of_a_shorted_line_are_no_frost(void **state)
{
	static const char zeros[] = "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n";
	static const char frost[] = "00 00 4b 46 7f ff 10 10 69 : crc=69 YES\n00 00 4b 46 7f ff 10 10 69 t=0\n";
	struct device *device = open_chip("");

	(void)state;
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "0\n");
	kernel_put(DEVICES "28-00000a1b2c3d/w1_slave", frost);
	assert_int_equal(0, chip_turn(device, &degrees));
	assert_float_equal(0, degrees, 0);
	kernel_put(DEVICES "28-00000a1b2c3d/w1_slave", zeros);
	chip_failed(device, chip_turn(device, &degrees), -EIO, "nothing but zeros from 28-00000a1b2c3d: is its line shorted?");
	kernel_take(DEVICES "28-00000a1b2c3d/temperature");
	chip_failed(device, chip_turn(device, &degrees), -EIO, "nothing but zeros from 28-00000a1b2c3d: is its line shorted?");
	kernel_put(DEVICES "28-00000a1b2c3d/w1_slave", frost);
	assert_int_equal(0, chip_turn(device, &degrees));
	kernel_take(DEVICES "28-00000a1b2c3d/w1_slave"); /* a kernel without that file */
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "0\n");
	assert_int_equal(0, chip_turn(device, &degrees));
}

static void one_that_is_pulled_out_is_told_and_found_again(void **state)
{
	struct device *device = open_chip("");

	(void)state;
	kernel_take(DEVICES "28-00000a1b2c3d");
	chip_failed(device, chip_turn(device, &degrees), -ENOENT, "28-00000a1b2c3d is gone from the 1-wire bus");
	chip_failed(device, device->driver->open(device), -ENODEV, "no thermometer on the 1-wire bus");
	kernel_put(DEVICES "28-00000a1b2c3d/temperature", "21500\n");
	assert_int_equal(0, device->driver->open(device));
	assert_int_equal(0, chip_turn(device, &degrees));
}

static void what_is_missing_is_said_with_what_to_do(void **state)
{
	struct device *device = chip_make(&ds18b20_driver, "id = 28-111111111111\n");

	(void)state;
	chip_failed(device, device->driver->open(device), -ENODEV, "28-111111111111 is not on the 1-wire bus");
	kernel_take("/sys/bus/w1");
	chip_failed(device, device->driver->open(device), -ENODEV,
		    "no 1-wire bus: add dtoverlay=w1-gpio to /boot/firmware/config.txt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_thermometer_there_is_read, begin, end),
		cmocka_unit_test_setup_teardown(one_of_several_is_chosen_by_its_id, begin, end),
		cmocka_unit_test_setup_teardown(an_older_kernels_file_is_read_too, begin, end),
		cmocka_unit_test_setup_teardown(an_empty_file_is_a_failed_reading, begin, end),
		cmocka_unit_test_setup_teardown(the_value_after_power_on_is_refused_unless_it_is_that_hot, begin, end),
		cmocka_unit_test_setup_teardown(zeros_of_a_shorted_line_are_no_frost, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_pulled_out_is_told_and_found_again, begin, end),
		cmocka_unit_test_setup_teardown(what_is_missing_is_said_with_what_to_do, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
