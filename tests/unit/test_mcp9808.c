/* links: node-agent/drivers/mcp9808.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../fakes/chip.h"
#include "../fakes/i2c.h"

extern const struct driver mcp9808_driver;

static struct device *device;
static double celsius;

static int begin(void **state)
{
	(void)state;
	fake_i2c_reset();
	device = chip_make(&mcp9808_driver, "");
	device->i2c = fake_i2c();
	device->address = 0x18;
	fake_i2c_set_word(6, I2C_HIGH_FIRST, 0x0054);
	fake_i2c_set_word(7, I2C_HIGH_FIRST, 0x0400);
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

/* Equation 5-1 by hand: the upper byte times 16 and the lower one through 16; below zero, 256 less. The upper three bits are alarms. */
static void it_agrees_with_its_data_sheet(void **state)
{
	static const struct {
		uint16_t word;
		double celsius;
	} examples[] = { { 0x0190, 25 },  { 0xC194, 25.25 },  { 0x0001, 0.0625 }, { 0x0000, 0 },  { 0x1FFF, -0.0625 },
			 { 0x1E70, -25 }, { 0xFE6C, -25.25 }, { 0x07D0, 125 },    { 0x1D80, -40 } };

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		fake_i2c_set_word(5, I2C_HIGH_FIRST, examples[i].word);
		assert_int_equal(0, chip_turn(device, &celsius));
		assert_float_equal(examples[i].celsius, celsius, 0);
	}
}

static void one_that_sleeps_is_woken(void **state)
{
	(void)state;
	fake_i2c_set_word(1, I2C_HIGH_FIRST, 0x0100);
	assert_int_equal(0, mcp9808_driver.open(device));
	assert_int_equal(0, fake_i2c_word(1, I2C_HIGH_FIRST));
}

static void another_chip_is_refused(void **state)
{
	(void)state;
	assert_int_equal(1, mcp9808_driver.identify(fake_i2c()));
	fake_i2c_set_word(7, I2C_HIGH_FIRST, 0x0201); /* an MCP9804 */
	assert_int_equal(1, mcp9808_driver.identify(fake_i2c()));
	fake_i2c_set_word(7, I2C_HIGH_FIRST, 0x3300); /* an accelerometer at the same address */
	assert_int_equal(0, mcp9808_driver.identify(fake_i2c()));
	chip_failed(device, mcp9808_driver.open(device), -ENODEV, "the chip at 0x18 is neither an MCP9808 nor an MCP9804");
	fake_i2c_set_word(7, I2C_HIGH_FIRST, 0x0400);
	fake_i2c_set_word(6, I2C_HIGH_FIRST, 0x0055);
	assert_int_equal(0, mcp9808_driver.identify(fake_i2c()));
}

static void one_that_is_no_longer_itself_has_no_temperature(void **state)
{
	static const uint16_t ids[] = { 0x0000, 0xFFFF, 0x0055 };

	(void)state;
	assert_int_equal(0, mcp9808_driver.open(device));
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		fake_i2c_set_word(6, I2C_HIGH_FIRST, ids[i]);
		chip_failed(device, chip_turn(device, &celsius), -EIO, "it does not say any more that it is Microchip's");
	}
	fake_i2c_set_word(6, I2C_HIGH_FIRST, 0x0054);
	fake_i2c_set_word(5, I2C_HIGH_FIRST, 0xFFFF); /* 5.1.3: above its upper limit and below its lower one, which are 0 both */
	chip_failed(device, chip_turn(device, &celsius), -ERANGE, "nothing but ones: is a wire loose?");
}

static void a_silent_chip_fails(void **state)
{
	(void)state;
	for (int nth = 1; nth <= 3; nth++) { /* two ids, the configuration */
		fake_i2c_fail(nth, -EREMOTEIO);
		chip_failed(device, mcp9808_driver.open(device), -EREMOTEIO, "");
	}
	for (int nth = 1; nth <= 2; nth++) { /* the id, the temperature */
		fake_i2c_fail(nth, -EREMOTEIO);
		chip_failed(device, chip_turn(device, &celsius), -EREMOTEIO, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_agrees_with_its_data_sheet, begin, end),
		cmocka_unit_test_setup_teardown(one_that_sleeps_is_woken, begin, end),
		cmocka_unit_test_setup_teardown(another_chip_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_no_longer_itself_has_no_temperature, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_fails, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
