/* links: node-agent/drivers/aht20.c node-agent/drivers/crc8.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
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

extern const struct driver aht20_driver;

/* Seven bytes that a real chip gave, with their checksum: 23.191071 %, 31.674576 °C. */
static const uint8_t captured[] = { 0x1C, 0x3B, 0x5E, 0x86, 0x88, 0xB2, 0xD2 };

static struct device *device;
static double values[2];

static int begin(void **state)
{
	(void)state;
	fake_i2c_reset();
	device = chip_make(&aht20_driver, "");
	device->i2c = fake_i2c();
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

/* What the chip says when it is asked how it is. */
static void status(uint8_t byte)
{
	fake_i2c_reply(&byte, 1);
}

static void it_agrees_with_a_captured_answer(void **state)
{
	(void)state;
	status(0x18);
	fake_i2c_reply(captured, sizeof(captured));
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(31.674576, values[0], 0.0000005);
	assert_float_equal(23.191071, values[1], 0.0000005);
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0xAC, 0x33, 0x00 }, 3));
}

static void a_chip_that_just_came_to_power_is_initialised_in_its_first_turn(void **state)
{
	(void)state;
	status(0x10);
	assert_int_equal(0, chip_turn(device, values));
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0xBE, 0x08, 0x00 }, 3));
	assert_true(isnan(values[0]) && isnan(values[1]));
	status(0x18);
	fake_i2c_reply(captured, sizeof(captured));
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(31.674576, values[0], 0.0000005);
}

static void one_that_will_not_be_initialised_is_a_fault(void **state)
{
	(void)state;
	status(0x10);
	assert_int_equal(0, chip_turn(device, values));
	status(0x10);
	chip_failed(device, chip_turn(device, values), -EIO, "status 0x10: not calibrated; is it an AHT20?");
}

static void one_that_was_a_fault_is_initialised_again(void **state) /* a loose wire first, then a chip that came to power anew */
{
	(void)state;
	status(0x00);
	assert_int_equal(0, chip_turn(device, values));
	status(0x00);
	chip_failed(device, chip_turn(device, values), -EIO, "status 0x00: not calibrated; is it an AHT20?");
	status(0x10);
	assert_int_equal(0, chip_turn(device, values));
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0xBE, 0x08, 0x00 }, 3));
	assert_true(isnan(values[0]) && isnan(values[1]));
}

static void busy_answers_and_bad_checksums_are_refused(void **state)
{
	uint8_t raw[7];

	(void)state;
	memcpy(raw, captured, sizeof(raw));
	raw[0] |= 0x80;
	status(0x18);
	fake_i2c_reply(raw, sizeof(raw));
	chip_failed(device, chip_turn(device, values), -ETIMEDOUT, "it measures without end (status 0x9c)");
	memcpy(raw, captured, sizeof(raw));
	raw[3] ^= 1;
	status(0x18);
	fake_i2c_reply(raw, sizeof(raw));
	chip_failed(device, chip_turn(device, values), -ERANGE, "bad CRC: 0xd2");
}

static void a_silent_chip_and_a_short_answer_fail(void **state)
{
	(void)state;
	fake_i2c_fail(1, -EREMOTEIO);
	chip_failed(device, chip_turn(device, values), -EREMOTEIO, "");
	status(0x18);
	fake_i2c_fail(2, -EREMOTEIO);
	chip_failed(device, chip_turn(device, values), -EREMOTEIO, "");
	status(0x18);
	fake_i2c_reply(captured, 6);
	chip_failed(device, chip_turn(device, values), -EIO, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_agrees_with_a_captured_answer, begin, end),
		cmocka_unit_test_setup_teardown(a_chip_that_just_came_to_power_is_initialised_in_its_first_turn, begin, end),
		cmocka_unit_test_setup_teardown(one_that_will_not_be_initialised_is_a_fault, begin, end),
		cmocka_unit_test_setup_teardown(one_that_was_a_fault_is_initialised_again, begin, end),
		cmocka_unit_test_setup_teardown(busy_answers_and_bad_checksums_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_and_a_short_answer_fail, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
