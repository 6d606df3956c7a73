/* links: node-agent/drivers/system.c node-agent/sysfs.c node-agent/device.c tests/fakes/kernel.c tests/fakes/chip.c */
/* driver = system, on files captured from a Raspberry Pi. */
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

extern const struct driver system_driver;

static double values[4];

static int begin(void **state)
{
	kernel_begin(state);
	kernel_put("/proc/loadavg", "0.42 0.36 0.30 1/189 4711\n");
	kernel_put("/proc/meminfo", "MemTotal:         800000 kB\nMemFree:          100000 kB\nMemAvailable:     600000 kB\n");
	kernel_put("/proc/net/wireless", "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
					 " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
					 " wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0\n");
	return 0;
}

static int end(void **state)
{
	chip_done();
	return kernel_end(state);
}

static void each_quantity_is_told(void **state)
{
	struct device *device = chip_make(&system_driver, "quantities = load memory disk rssi\n");

	(void)state;
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(0.42, chip_number(0), 1e-6);
	assert_float_equal(25, chip_number(1), 1e-6);
	assert_in_range((int)chip_number(2), 0, 100);
	assert_float_equal(-56, chip_number(3), 0);
	assert_true(isnan(values[0]));
}

static void one_that_fails_takes_no_other_with_it(void **state)
{
	struct device *device = chip_make(&system_driver, "quantities = rssi load\ninterface = wlan1\n");

	(void)state;
	chip_failed(device, chip_turn(device, values), -ERANGE, "wlan1 has no Wi-Fi connection");
	assert_int_equal(1, chip_told_count);
	assert_float_equal(0.42, chip_number(1), 1e-6);
	device = chip_make(&system_driver, "quantities = disk\npath = /nowhere\n");
	chip_failed(device, chip_turn(device, values), -ERANGE, "/nowhere: No such file or directory");
}

static void rubbish_is_no_reading(void **state)
{
	struct device *device = chip_make(&system_driver, "quantities = load memory\n");

	(void)state;
	kernel_put("/proc/loadavg", "none\n");
	kernel_put("/proc/meminfo", "MemTotal: 0 kB\n");
	assert_int_equal(-ERANGE, chip_turn(device, values));
	assert_int_equal(0, chip_told_count);
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_string_equal("3: quantities: \"uptime\": allowed are load, memory, disk, rssi, each once\n",
			    chip_mistakes(&system_driver, "quantities = load uptime\n"));
	assert_string_equal("3: quantities: \"load\": allowed are load, memory, disk, rssi, each once\n",
			    chip_mistakes(&system_driver, "quantities = load load\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_quantity_is_told, begin, end),
		cmocka_unit_test_setup_teardown(one_that_fails_takes_no_other_with_it, begin, end),
		cmocka_unit_test_setup_teardown(rubbish_is_no_reading, begin, end),
		cmocka_unit_test_setup_teardown(mistakes_are_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
