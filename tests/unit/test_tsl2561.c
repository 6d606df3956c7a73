/* links: node-agent/drivers/tsl2561.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
/* Lux are checked against the coefficients of the data sheet's table (TAOS059N, p. 23), worked out by hand. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/chip.h"
#include "../fakes/i2c.h"

extern const struct driver tsl2561_driver;

enum { CONTROL = 0x80, TIMING = 0x81, ID = 0x8A, ALL = 0xAC, INFRARED = 0xAE };

static struct device *device;
static double lux;

static int begin(void **state)
{
	(void)state;
	fake_i2c_reset();
	fake_i2c_registers[ID] = 0x50;
	device = chip_make(&tsl2561_driver, "");
	device->i2c = fake_i2c();
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

static double measure(uint16_t all, uint16_t infrared)
{
	fake_i2c_set_word(ALL, I2C_LOW_FIRST, all);
	fake_i2c_set_word(INFRARED, I2C_LOW_FIRST, infrared);
	assert_int_equal(0, chip_turn(device, &lux));
	return lux;
}

static void each_piece_of_the_curve_agrees_with_the_table(void **state)
{
	(void)state;
	assert_int_equal(0, device->driver->open(device));
	assert_float_equal(30.4, measure(1000, 0), 1e-9);
	assert_float_equal(16.93, measure(1000, 336), 0.005); /* 30.4 - 62 * 0.336^1.4, which is 0.2172 */
	assert_float_equal(5.35, measure(1000, 550), 1e-6);   /* 22.4 - 17.05 */
	assert_float_equal(2.09, measure(1000, 700), 1e-6);   /* 12.8 - 10.71 */
	assert_float_equal(0.34, measure(1000, 1000), 1e-6);  /* 1.46 - 1.12 */
	assert_float_equal(0, measure(1000, 1400), 1e-9);
	assert_float_equal(0, measure(0, 0), 0);
}

static void the_small_package_has_its_own_coefficients(void **state)
{
	(void)state;
	fake_i2c_registers[ID] = 0x10;
	assert_int_equal(0, device->driver->open(device));
	assert_float_equal(31.5, measure(1000, 0), 1e-9);
	assert_float_equal(5.44, measure(1000, 600), 1e-6); /* 22.9 - 17.46 */
}

static void each_turn_begins_a_measurement_and_ends_in_sleep(void **state)
{
	(void)state;
	assert_int_equal(0, device->driver->open(device));
	measure(1000, 100);
	assert_int_equal(4, fake_i2c_write_count);
	assert_memory_equal("\x80\x00", fake_i2c_written[0].bytes, 2);
	assert_memory_equal("\x81\x12", fake_i2c_written[1].bytes, 2); /* 402 ms, gain 16 */
	assert_memory_equal("\x80\x03", fake_i2c_written[2].bytes, 2);
	assert_memory_equal("\x80\x00", fake_i2c_written[3].bytes, 2);
}

static void brightness_takes_it_through_its_steps_and_back(void **state)
{
	(void)state;
	assert_int_equal(0, device->driver->open(device));
	assert_true(isnan(measure(65535, 100)));
	assert_float_equal(30.4 * 16 * 10, measure(10000, 0), 0.001);
	assert_int_equal(0x02, fake_i2c_registers[TIMING]);
	assert_true(isnan(measure(65535, 65535)));
	assert_float_equal(0.0304 * 5000 * 16 * 322 / 11, measure(5000, 0), 0.001); /* 71188 lx */
	assert_int_equal(0x00, fake_i2c_registers[TIMING]);
	fake_i2c_set_word(ALL, I2C_LOW_FIRST, 5047);
	chip_failed(device, chip_turn(device, &lux), -ERANGE, "brighter than the chip can tell");
	measure(100, 0); /* dim: the next turn is finer */
	measure(1000, 0);
	assert_int_equal(0x02, fake_i2c_registers[TIMING]);
	measure(1000, 0);
	assert_int_equal(0x12, fake_i2c_registers[TIMING]);
}

/* p. 14: "If a value of 03h is written, the value returned during a read cycle will be 03h." */
static void one_that_is_no_longer_on_is_not_dark(void **state)
{
	(void)state;
	assert_int_equal(0, device->driver->open(device));
	assert_int_equal(0, device->driver->trigger(device));
	fake_i2c_registers[CONTROL] = 0; /* its power was away for a moment */
	chip_failed(device, device->driver->fetch(device, &lux), -EIO,
		    "it is off, though it was switched on: is its power steady?");
	fake_i2c_registers[CONTROL] = 0x33; /* the upper bits are reserved */
	assert_int_equal(0, device->driver->fetch(device, &lux));
}

static void another_chip_is_told_by_its_id(void **state)
{
	(void)state;
	fake_i2c_registers[ID] = 0xA0;
	chip_failed(device, device->driver->open(device), -ENODEV, "chip id 0xa0 is not a TSL2561's (0x5x or 0x1x)");
	assert_int_equal(0, tsl2561_driver.identify(fake_i2c()));
	fake_i2c_registers[ID] = 0x5A;
	assert_int_equal(1, tsl2561_driver.identify(fake_i2c()));
}

static void a_silent_chip_fails_whatever_it_is_asked(void **state)
{
	(void)state;
	fake_i2c_fail(1, -ENXIO);
	chip_failed(device, device->driver->open(device), -ENXIO, "");
	assert_int_equal(0, device->driver->open(device));
	for (int nth = 1; nth <= 7; nth++) {
		fake_i2c_fail(nth, -ENXIO);
		chip_failed(device, chip_turn(device, &lux), -ENXIO, "");
	}
	fake_i2c_error = -ENXIO;
	assert_int_equal(0, tsl2561_driver.identify(fake_i2c()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_piece_of_the_curve_agrees_with_the_table, begin, end),
		cmocka_unit_test_setup_teardown(the_small_package_has_its_own_coefficients, begin, end),
		cmocka_unit_test_setup_teardown(each_turn_begins_a_measurement_and_ends_in_sleep, begin, end),
		cmocka_unit_test_setup_teardown(brightness_takes_it_through_its_steps_and_back, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_no_longer_on_is_not_dark, begin, end),
		cmocka_unit_test_setup_teardown(another_chip_is_told_by_its_id, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_fails_whatever_it_is_asked, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
