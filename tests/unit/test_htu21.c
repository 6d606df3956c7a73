/* links: node-agent/drivers/htu21.c node-agent/drivers/crc8.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
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
#include "../../node-agent/drivers/crc8.h"

extern const struct driver htu21_driver;

static struct device *device;
static double values[2];

static int begin(void **state)
{
	(void)state;
	fake_i2c_reset();
	device = chip_make(&htu21_driver, "");
	device->i2c = fake_i2c();
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

static void the_checksum_is_the_data_sheets(void **state) /* HTU21D p. 14 */
{
	(void)state;
	assert_int_equal(0x79, crc8((const uint8_t[]){ 0xDC }, 1, 0));
	assert_int_equal(0x7C, crc8((const uint8_t[]){ 0x68, 0x3A }, 2, 0));
	assert_int_equal(0x6B, crc8((const uint8_t[]){ 0x4E, 0x85 }, 2, 0));
}

/* HTU21D p. 15: 0x683A is 24.7 °C, 0x7C80 is 54.8 %RH. The status bits of the first one say "humidity": its example takes one word for both,
 * so the temperature comes here without them. */
static void temperature_comes_first_and_humidity_a_moment_later(void **state)
{
	const uint8_t temperature[] = { 0x68, 0x38, crc8((const uint8_t[]){ 0x68, 0x38 }, 2, 0) };
	const uint8_t humidity[] = { 0x7C, 0x82, crc8((const uint8_t[]){ 0x7C, 0x82 }, 2, 0) };

	(void)state;
	fake_i2c_reply(temperature, sizeof(temperature));
	fake_i2c_reply(humidity, sizeof(humidity));
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(24.7, values[0], 0.05);
	assert_true(isnan(values[1]));
	assert_memory_equal("\xF3", fake_i2c_written[0].bytes, 1);
	assert_memory_equal("\xF5", fake_i2c_written[1].bytes, 1);
	assert_true(chip_wake_ms >= 16);
	assert_int_equal(0, chip_wake(device));
	assert_float_equal(54.8, chip_number(1), 0.05);
	assert_int_equal(-1, chip_wake_ms);
}

static void answer(uint8_t high, uint8_t low)
{
	const uint8_t raw[] = { high, low, crc8((const uint8_t[]){ high, low }, 2, 0) };

	fake_i2c_reply(raw, sizeof(raw));
}

static void humidity_is_cropped(void **state)
{
	(void)state;
	answer(0x68, 0x38);
	answer(0x00, 0x04);
	assert_int_equal(0, chip_turn(device, values));
	assert_int_equal(0, chip_wake(device));
	assert_float_equal(0, chip_number(1), 0);
	answer(0x68, 0x38);
	answer(0xFF, 0xFC);
	assert_int_equal(0, chip_turn(device, values));
	assert_int_equal(0, chip_wake(device));
	assert_float_equal(100, chip_number(1), 0);
}

static void zeros_are_no_answer_though_their_checksum_is_right(void **state)
{
	(void)state;
	answer(0, 0);
	chip_failed(device, chip_turn(device, values), -ERANGE, "nothing but zeros: is a wire shorted?");
	answer(0x68, 0x38);
	answer(0, 0);
	assert_int_equal(0, chip_turn(device, values));
	chip_failed(device, chip_wake(device), -ERANGE, "nothing but zeros: is a wire shorted?");
	assert_int_equal(0, chip_told_count);
}

static void bad_checksums_and_mixed_up_answers_are_refused(void **state)
{
	const uint8_t humidity[] = { 0x68, 0x3A, 0x7C };

	(void)state;
	fake_i2c_reply((const uint8_t[]){ 0x68, 0x38, 0x00 }, 3);
	chip_failed(device, chip_turn(device, values), -ERANGE, "bad CRC: 68 38 came with 00");
	fake_i2c_reply(humidity, sizeof(humidity));
	chip_failed(device, chip_turn(device, values), -ERANGE, "it gave a humidity when asked for the temperature");
	answer(0x68, 0x38);
	fake_i2c_reply((const uint8_t[]){ 0x68, 0x3A, 0x7D }, 3);
	assert_int_equal(0, chip_turn(device, values));
	chip_failed(device, chip_wake(device), -ERANGE, "bad CRC: 68 3a came with 7d");
	assert_int_equal(0, chip_told_count);
}

static void a_silent_chip_and_a_short_answer_fail(void **state)
{
	(void)state;
	fake_i2c_fail(1, -ENXIO);
	chip_failed(device, chip_turn(device, values), -ENXIO, "");
	fake_i2c_reply((const uint8_t[]){ 0x68 }, 1);
	chip_failed(device, chip_turn(device, values), -EIO, "");
	answer(0x68, 0x38);
	fake_i2c_fail(3, -ETIMEDOUT); /* the command for humidity */
	chip_failed(device, chip_turn(device, values), -ETIMEDOUT, "");
	answer(0x68, 0x38);
	assert_int_equal(0, chip_turn(device, values));
	chip_failed(device, chip_wake(device), -ENXIO, "");
}

static void a_probe_asks_for_its_serial_number(void **state)
{
	const uint8_t si7021[] = { 0x15, 0xFF, crc8((const uint8_t[]){ 0x15, 0xFF }, 2, 0), 0xFF, 0xFF, 0 };

	(void)state;
	fake_i2c_reply(si7021, sizeof(si7021));
	assert_int_equal(1, htu21_driver.identify(fake_i2c()));
	fake_i2c_reply((const uint8_t[]){ 1, 2, 3, 4, 5, 6 }, 6);
	assert_int_equal(0, htu21_driver.identify(fake_i2c()));
	assert_int_equal(0, htu21_driver.identify(fake_i2c()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_checksum_is_the_data_sheets, begin, end),
		cmocka_unit_test_setup_teardown(temperature_comes_first_and_humidity_a_moment_later, begin, end),
		cmocka_unit_test_setup_teardown(humidity_is_cropped, begin, end),
		cmocka_unit_test_setup_teardown(zeros_are_no_answer_though_their_checksum_is_right, begin, end),
		cmocka_unit_test_setup_teardown(bad_checksums_and_mixed_up_answers_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_and_a_short_answer_fail, begin, end),
		cmocka_unit_test_setup_teardown(a_probe_asks_for_its_serial_number, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
