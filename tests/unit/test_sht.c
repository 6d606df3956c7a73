/* links: node-agent/drivers/sht3x.c node-agent/drivers/sht4x.c node-agent/drivers/crc8.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
/* SHT3x and SHT4x, which differ in their commands and in humidity's scale. */
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

extern const struct driver sht3x_driver, sht4x_driver;

static double values[2];

static int begin(void **state)
{
	(void)state;
	fake_i2c_reset();
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

static struct device *make(const struct driver *driver)
{
	struct device *device = chip_make(driver, "");

	device->i2c = fake_i2c();
	return device;
}

static void reply(uint16_t temperature, uint16_t humidity)
{
	uint8_t raw[6] = { (uint8_t)(temperature >> 8), (uint8_t)temperature, 0, (uint8_t)(humidity >> 8), (uint8_t)humidity, 0 };

	raw[2] = crc8(raw, 2, 0xFF);
	raw[5] = crc8(raw + 3, 2, 0xFF);
	fake_i2c_reply(raw, sizeof(raw));
}

static void the_checksum_is_the_data_sheets(void **state) /* SHT3x, table 20 */
{
	(void)state;
	assert_int_equal(0x92, crc8((const uint8_t[]){ 0xBE, 0xEF }, 2, 0xFF));
}

static void an_sht3x_spans_its_whole_scale(void **state) /* SHT3x, 4.13 */
{
	struct device *device = make(&sht3x_driver);

	(void)state;
	reply(0, 0);
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(-45, values[0], 1e-9);
	assert_float_equal(0, values[1], 1e-9);
	reply(0xFFFF, 0xFFFF);
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(130, values[0], 1e-9);
	assert_float_equal(100, values[1], 1e-9);
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0x24, 0x00 }, 2));
}

static void an_sht4x_spans_its_whole_scale_and_crops_humidity(void **state) /* SHT4x, 4.6 */
{
	struct device *device = make(&sht4x_driver);

	(void)state;
	reply(26214, 29360); /* 70 / 175 and 56 / 125 of 65535 */
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(25, values[0], 1e-9);
	assert_float_equal(50, values[1], 0.001);
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0xFD }, 1));
	reply(0, 0);
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(0, values[1], 0);
	reply(0, 0xFFFF);
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(100, values[1], 0);
}

static void a_bad_checksum_is_refused(const struct driver *driver)
{
	struct device *device = make(driver);

	fake_i2c_reply((const uint8_t[]){ 0xBE, 0xEF, 0x93, 0xBE, 0xEF, 0x92 }, 6);
	chip_failed(device, chip_turn(device, values), -ERANGE, "bad CRC: be ef came with 93");
	fake_i2c_reply((const uint8_t[]){ 0xBE, 0xEF, 0x92, 0xBE, 0xEE, 0x92 }, 6);
	chip_failed(device, chip_turn(device, values), -ERANGE, "bad CRC: be ee came with 92");
	fake_i2c_reply((const uint8_t[]){ 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, 6); /* a bus without a chip */
	chip_failed(device, chip_turn(device, values), -ERANGE, "bad CRC: ff ff came with ff");
}

static void bad_checksums_are_refused(void **state)
{
	(void)state;
	a_bad_checksum_is_refused(&sht3x_driver);
	a_bad_checksum_is_refused(&sht4x_driver);
}

static void a_silence(const struct driver *driver)
{
	struct device *device = make(driver);

	fake_i2c_fail(1, -ENXIO);
	chip_failed(device, chip_turn(device, values), -ENXIO, "");
	chip_failed(device, chip_turn(device, values), -ENXIO, "");
	fake_i2c_reply((const uint8_t[]){ 0xBE, 0xEF, 0x92 }, 3);
	chip_failed(device, chip_turn(device, values), -EIO, "");
}

static void silent_chips_and_short_answers_fail(void **state)
{
	(void)state;
	a_silence(&sht3x_driver);
	a_silence(&sht4x_driver);
}

static void a_probe_tells_one_from_the_other(void **state)
{
	(void)state;
	fake_i2c_reply((const uint8_t[]){ 0xBE, 0xEF, 0x92 }, 3);
	assert_int_equal(1, sht3x_driver.identify(fake_i2c()));
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0xF3, 0x2D }, 2));
	fake_i2c_reply((const uint8_t[]){ 0xBE, 0xEF, 0x92, 0xBE, 0xEF, 0x92 }, 6);
	assert_int_equal(1, sht4x_driver.identify(fake_i2c()));
	assert_int_equal(1, fake_i2c_wrote((const uint8_t[]){ 0x89 }, 1));
	fake_i2c_reply((const uint8_t[]){ 0xBE, 0xEF, 0x92, 0xBE, 0xEF, 0x93 }, 6);
	assert_int_equal(0, sht4x_driver.identify(fake_i2c()));
	assert_int_equal(0, sht3x_driver.identify(fake_i2c()));
	fake_i2c_error = -ENXIO;
	assert_int_equal(0, sht3x_driver.identify(fake_i2c()));
	assert_int_equal(0, sht4x_driver.identify(fake_i2c()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_checksum_is_the_data_sheets, begin, end),
		cmocka_unit_test_setup_teardown(an_sht3x_spans_its_whole_scale, begin, end),
		cmocka_unit_test_setup_teardown(an_sht4x_spans_its_whole_scale_and_crops_humidity, begin, end),
		cmocka_unit_test_setup_teardown(bad_checksums_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(silent_chips_and_short_answers_fail, begin, end),
		cmocka_unit_test_setup_teardown(a_probe_tells_one_from_the_other, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
