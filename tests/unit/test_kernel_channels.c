/* links: node-agent/drivers/iio.c node-agent/drivers/hwmon.c node-agent/drivers/kernel_channels.c node-agent/sysfs.c node-agent/device.c tests/fakes/kernel.c tests/fakes/chip.c */
/* driver = iio and driver = hwmon: units are those of the kernel's documentation (sysfs-bus-iio, hwmon/sysfs-interface). */
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

extern const struct driver iio_driver, hwmon_driver;

#define IIO "/sys/bus/iio/devices/iio:device0/"
#define HWMON "/sys/class/hwmon/hwmon2/"

static double values[CHANNELS_MAX];

static int begin(void **state)
{
	kernel_begin(state);
	kernel_put(IIO "name", "bme280\n");
	kernel_put("/sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
	kernel_put("/sys/class/hwmon/hwmon10/name", "lm75\n");
	kernel_put("/sys/class/hwmon/hwmon10/temp1_input", "1000\n");
	kernel_put(HWMON "name", "lm75\n");
	kernel_link("/sys/class/hwmon/hwmon2/device", "../../../1-0048");
	kernel_put(HWMON "temp1_input", "25500\n");
	return 0;
}

static int end(void **state)
{
	chip_done();
	return kernel_end(state);
}

static struct device *open_device(const struct driver *driver, const char *keys)
{
	struct device *device = chip_make(driver, keys);

	assert_int_equal(0, device->driver->open(device));
	return device;
}

static void iio_gives_what_the_kernel_computed(void **state) /* the BMP280's worked example by the kernel's own driver */
{
	struct device *device = open_device(&iio_driver, "device = bme280\nchannels = in_temp in_pressure in_humidityrelative\n");

	(void)state;
	kernel_put(IIO "in_temp_input", "25080\n");
	kernel_put(IIO "in_pressure_input", "100.653253906\n");
	kernel_put(IIO "in_humidityrelative_input", "32208\n");
	assert_int_equal(0, chip_turn(device, values));
	assert_string_equal("pressure", device->channels[1].series.quantity);
	assert_float_equal(25.08, values[0], 1e-5);
	assert_float_equal(1006.53253906, values[1], 1e-4);
	assert_float_equal(32.208, values[2], 1e-5);
}

static void iio_applies_offset_and_scale_of_the_channel_or_of_its_type(void **state)
{
	struct device *device =
		open_device(&iio_driver, "device = iio:device0\nchannels = in_temp, in_voltage1 in_voltage2:voltage2\n");

	(void)state;
	kernel_put(IIO "in_temp_raw", "200\n");
	kernel_put(IIO "in_temp_offset", "-50\n");
	kernel_put(IIO "in_temp_scale", "125\n");
	kernel_put(IIO "in_voltage1_raw", "1000\n");
	kernel_put(IIO "in_voltage1_scale", "2\n");
	kernel_put(IIO "in_voltage2_raw", "1000\n");
	kernel_put(IIO "in_voltage_scale", "0.5\n");
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(18.75, values[0], 1e-5);
	assert_float_equal(2, values[1], 1e-6);
	assert_float_equal(0.5, values[2], 1e-6);
}

static void hwmon_is_found_by_name_by_number_and_by_hardware(void **state)
{
	(void)state;
	assert_int_equal(0, chip_turn(open_device(&hwmon_driver, "device = lm75\nchannels = temp1\n"), values));
	assert_float_equal(25.5, values[0], 1e-6); /* hwmon2 is before hwmon10 */
	assert_int_equal(0, chip_turn(open_device(&hwmon_driver, "device = hwmon10\nchannels = temp1\n"), values));
	assert_float_equal(1, values[0], 1e-6);
	assert_int_equal(0, chip_turn(open_device(&hwmon_driver, "device = 1-0048\nchannels = temp1\n"), values));
	assert_float_equal(25.5, values[0], 1e-6);
}

static void hwmon_units_become_ours(void **state)
{
	struct device *device =
		open_device(&hwmon_driver, "device = lm75\nchannels = in0 curr1 power1 energy1 humidity1 fan1:fan\n");

	(void)state;
	kernel_put(HWMON "in0_input", "12034\n");
	kernel_put(HWMON "curr1_input", "250\n");
	kernel_put(HWMON "power1_input", "3000000\n");
	kernel_put(HWMON "energy1_input", "7200000000\n");
	kernel_put(HWMON "humidity1_input", "45600\n");
	kernel_put(HWMON "fan1_input", "1200\n");
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(12.034, values[0], 1e-5);
	assert_float_equal(0.25, values[1], 1e-6);
	assert_float_equal(3, values[2], 1e-6);
	assert_float_equal(0.002, values[3], 1e-8);
	assert_float_equal(45.6, values[4], 1e-5);
	assert_float_equal(1200, values[5], 0);
}

static void faults_are_told_by_channel(void **state)
{
	struct device *device = open_device(&hwmon_driver, "device = lm75\nchannels = temp1\n");

	(void)state;
	kernel_put(HWMON "temp1_fault", "1\n");
	chip_failed(device, chip_turn(device, values), -EIO, "temp1: the chip says that its probe is broken");
	kernel_put(HWMON "temp1_fault", "0\n");
	kernel_put(HWMON "temp1_input", "");
	chip_failed(device, chip_turn(device, values), -EIO, "the kernel gave no number for temp1");
	kernel_put(HWMON "temp1_input", "warm\n");
	chip_failed(device, chip_turn(device, values), -EIO, "the kernel gave no number for temp1");
	kernel_take(HWMON "temp1_input");
	chip_failed(device, chip_turn(device, values), -ENOENT, "\"lm75\" has no channel temp1");
	device = open_device(&iio_driver, "device = bme280\nchannels = in_temp\n");
	chip_failed(device, chip_turn(device, values), -ENOENT, "\"bme280\" has no channel in_temp");
}

static void a_device_that_is_not_there_is_told(void **state)
{
	struct device *device = chip_make(&iio_driver, "device = hx711\nchannels = in_voltage0\n");

	(void)state;
	chip_failed(device, device->driver->open(device), -ENOENT,
		    "no \"hx711\" in /sys/bus/iio/devices: is its overlay in config.txt, its module loaded?");
	kernel_take("/sys/bus/iio");
	chip_failed(device, device->driver->open(device), -ENOENT,
		    "no \"hx711\" in /sys/bus/iio/devices: is its overlay in config.txt, its module loaded?");
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_string_equal("4: channels: \"in_gravity\": what does it measure? Allowed is in_gravity:QUANTITY\n",
			    chip_mistakes(&iio_driver, "device = x\nchannels = in_gravity\n"));
	assert_string_equal("4: channels: \"../x\": allowed are names of files of the device, without their _input\n",
			    chip_mistakes(&hwmon_driver, "device = x\nchannels = ../x:voltage\n"));
	assert_non_null(
		strstr(chip_mistakes(&hwmon_driver, "device = x\nchannels = in0 in1\n"), "each once (in1:voltage in2:voltage2)"));
	assert_non_null(strstr(chip_mistakes(&hwmon_driver, "channels = in0\n"), "device"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(iio_gives_what_the_kernel_computed, begin, end),
		cmocka_unit_test_setup_teardown(iio_applies_offset_and_scale_of_the_channel_or_of_its_type, begin, end),
		cmocka_unit_test_setup_teardown(hwmon_is_found_by_name_by_number_and_by_hardware, begin, end),
		cmocka_unit_test_setup_teardown(hwmon_units_become_ours, begin, end),
		cmocka_unit_test_setup_teardown(faults_are_told_by_channel, begin, end),
		cmocka_unit_test_setup_teardown(a_device_that_is_not_there_is_told, begin, end),
		cmocka_unit_test_setup_teardown(mistakes_are_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
