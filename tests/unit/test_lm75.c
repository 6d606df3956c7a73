/* links: node-agent/drivers/lm75.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../fakes/chip.h"
#include "../fakes/i2c.h"

extern const struct driver lm75_driver;

static struct device *device;
static double celsius;

static int begin(void **state)
{
	(void)state;
	fake_i2c_reset();
	device = chip_make(&lm75_driver, "");
	device->i2c = fake_i2c();
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

static void it_agrees_with_its_data_sheet(void **state) /* table 10: eleven bits and what they mean */
{
	static const struct {
		uint16_t bits;
		double celsius;
	} examples[] = { { 0x3F8, 127 },   { 0x3F7, 126.875 }, { 0x3F1, 126.125 }, { 0x3E8, 125 }, { 0x0C8, 25 },
			 { 0x001, 0.125 }, { 0x000, 0 },       { 0x7FF, -0.125 },  { 0x738, -25 }, { 0x649, -54.875 } };

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		fake_i2c_set_word(0, I2C_HIGH_FIRST, (uint16_t)(examples[i].bits << 5));
		assert_int_equal(0, chip_turn(device, &celsius));
		assert_float_equal(examples[i].celsius, celsius, 0);
	}
}

static void the_five_bits_that_mean_nothing_are_left_out(void **state) /* 7.4.3 */
{
	(void)state;
	fake_i2c_set_word(0, I2C_HIGH_FIRST, 0x191F);
	assert_int_equal(0, chip_turn(device, &celsius));
	assert_float_equal(25, celsius, 0);
}

static void ones_are_no_temperature(void **state)
{
	(void)state;
	fake_i2c_set_word(0, I2C_HIGH_FIRST, 0xFFFF);
	chip_failed(device, chip_turn(device, &celsius), -ERANGE, "nothing but ones: is a wire loose?");
}

static void one_that_sleeps_is_woken(void **state)
{
	(void)state;
	fake_i2c_registers[1] = 0x01; /* table 8: SHUTDOWN */
	assert_int_equal(0, device->driver->open(device));
	assert_int_equal(0, fake_i2c_registers[1]);
	fake_i2c_fail(1, -ENXIO);
	assert_int_equal(-ENXIO, device->driver->open(device));
}

static void a_silent_chip_fails(void **state)
{
	(void)state;
	fake_i2c_fail(1, -EREMOTEIO);
	chip_failed(device, chip_turn(device, &celsius), -EREMOTEIO, "");
}

static void it_is_known_by_what_its_registers_are_after_power_on(void **state)
{
	(void)state;
	fake_i2c_set_word(2, I2C_HIGH_FIRST, 0x4B00);
	fake_i2c_set_word(3, I2C_HIGH_FIRST, 0x5000);
	assert_int_equal(1, lm75_driver.identify(fake_i2c()));
	fake_i2c_registers[1] = 0x80;
	assert_int_equal(0, lm75_driver.identify(fake_i2c()));
	fake_i2c_registers[1] = 0;
	fake_i2c_set_word(3, I2C_HIGH_FIRST, 0x7FFF); /* an ADS1115's */
	assert_int_equal(0, lm75_driver.identify(fake_i2c()));
	fake_i2c_fail(1, -ENXIO);
	assert_int_equal(0, lm75_driver.identify(fake_i2c()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_agrees_with_its_data_sheet, begin, end),
		cmocka_unit_test_setup_teardown(the_five_bits_that_mean_nothing_are_left_out, begin, end),
		cmocka_unit_test_setup_teardown(ones_are_no_temperature, begin, end),
		cmocka_unit_test_setup_teardown(one_that_sleeps_is_woken, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_fails, begin, end),
		cmocka_unit_test_setup_teardown(it_is_known_by_what_its_registers_are_after_power_on, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
