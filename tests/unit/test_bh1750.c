/* links: node-agent/drivers/bh1750.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
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

extern const struct driver bh1750_driver;

static struct device *device;
static double lux;

static int begin(void **state)
{
	(void)state;
	fake_i2c_reset();
	device = chip_make(&bh1750_driver, "");
	device->i2c = fake_i2c();
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

static void it_agrees_with_its_data_sheet(void **state) /* p. 7: 1000 0011 1001 0000 is 28067 lx */
{
	(void)state;
	fake_i2c_reply((const uint8_t[]){ 0x83, 0x90 }, 2);
	assert_int_equal(0, chip_turn(device, &lux));
	assert_float_equal(28067, lux, 0.5);
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0x20 }, 1));
}

static void darkness_is_zero(void **state)
{
	(void)state;
	fake_i2c_reply((const uint8_t[]){ 0, 0 }, 2);
	assert_int_equal(0, chip_turn(device, &lux));
	assert_float_equal(0, lux, 0);
}

static void it_is_saturated_rather_than_wrong(void **state)
{
	(void)state;
	fake_i2c_reply((const uint8_t[]){ 0xFF, 0xFF }, 2);
	chip_failed(device, chip_turn(device, &lux), -ERANGE, "brighter than the chip can tell (54612 lx)");
}

static void a_silent_chip_and_a_short_answer_fail(void **state)
{
	(void)state;
	fake_i2c_fail(1, -EREMOTEIO);
	chip_failed(device, chip_turn(device, &lux), -EREMOTEIO, "");
	chip_failed(device, chip_turn(device, &lux), -ENXIO, ""); /* it took the command and does not answer */
	fake_i2c_reply((const uint8_t[]){ 0x83 }, 1);
	chip_failed(device, chip_turn(device, &lux), -EIO, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_agrees_with_its_data_sheet, begin, end),
		cmocka_unit_test_setup_teardown(darkness_is_zero, begin, end),
		cmocka_unit_test_setup_teardown(it_is_saturated_rather_than_wrong, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_and_a_short_answer_fail, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
