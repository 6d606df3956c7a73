/* links: node-agent/drivers/bme280.c node-agent/drivers/bme280_convert.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
/* The BME280 and the BMP280, against the BMP280 data sheet's worked example (3.12) and humidity words that the kernel's own driver turned into 32.208 %. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../node-agent/drivers/bme280.h"
#include "../fakes/chip.h"
#include "../fakes/i2c.h"

static double values[3];

static void put_word(uint8_t reg, int word)
{
	fake_i2c_registers[reg] = (uint8_t)word;
	fake_i2c_registers[reg + 1] = (uint8_t)(word >> 8);
}

static int begin(void **state)
{
	static const int calibration[] = { 27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000 };
	static const uint8_t raw[] = { 0x65, 0x5A, 0xC0, 0x7E, 0xED, 0x00, 0x6A, 0x3C }; /* 415148, 519888, 0x6A3C */
	static const uint8_t humidity[] = {
		362 & 0xFF, 362 >> 8, 0, 0x14, 0x2D, 0x03, 30
	}; /* H2 362, H3 0, H4 333, H5 50, H6 30 */

	(void)state;
	fake_i2c_reset();
	for (int i = 0; i < 12; i++)
		put_word((uint8_t)(0x88 + 2 * i), calibration[i]);
	fake_i2c_registers[0xA1] = 75; /* H1 */
	memcpy(fake_i2c_registers + 0xE1, humidity, sizeof(humidity));
	memcpy(fake_i2c_registers + 0xF7, raw, sizeof(raw));
	fake_i2c_registers[0xD0] = 0x60;
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	return 0;
}

static struct device *open_chip(const struct driver *driver)
{
	struct device *device = chip_make(driver, "");

	device->i2c = fake_i2c();
	assert_int_equal(0, driver->open(device));
	return device;
}

static void it_agrees_with_the_data_sheets_worked_example(void **state)
{
	struct device *device = open_chip(&bme280_driver);

	(void)state;
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(25.08, values[0], 1e-9);
	assert_float_equal(1006.53254, values[1], 0.00001);
	assert_float_equal(32.208, values[2], 0.0005);
}

static void one_turn_is_one_forced_measurement_with_humidity_set_first(void **state)
{
	struct device *device = open_chip(&bme280_driver);

	(void)state;
	assert_int_equal(0, fake_i2c_write_count); /* opening writes nothing into the chip */
	assert_int_equal(0, device->driver->trigger(device));
	assert_int_equal(2, fake_i2c_write_count);
	assert_memory_equal("\xF2\x01", fake_i2c_written[0].bytes, 2);
	assert_memory_equal("\xF4\x25", fake_i2c_written[1].bytes, 2);
}

static void a_bmp280_gives_temperature_and_pressure(void **state)
{
	struct device *device;

	(void)state;
	fake_i2c_registers[0xD0] = 0x58;
	device = open_chip(&bmp280_driver);
	assert_int_equal(2, device->channel_count);
	values[2] = NAN;
	assert_int_equal(0, chip_turn(device, values));
	assert_float_equal(25.08, values[0], 1e-9);
	assert_float_equal(1006.53254, values[1], 0.00001);
	assert_true(isnan(values[2]));
	assert_int_equal(1, fake_i2c_write_count); /* no humidity to set */
}

static void another_chip_is_told_by_its_id(void **state)
{
	struct device *device = chip_make(&bme280_driver, "");

	(void)state;
	device->i2c = fake_i2c();
	fake_i2c_registers[0xD0] = 0x58;
	chip_failed(device, device->driver->open(device), -ENODEV, "the chip is a BMP280 (id 0x58): driver = bmp280");
	fake_i2c_registers[0xD0] = 0x55;
	chip_failed(device, device->driver->open(device), -ENODEV,
		    "chip id 0x55 is neither a BME280's (0x60) nor a BMP280's (0x58)");
	device = chip_make(&bmp280_driver, "");
	device->i2c = fake_i2c();
	fake_i2c_registers[0xD0] = 0x60;
	chip_failed(device, device->driver->open(device), -ENODEV, "the chip is a BME280 (id 0x60): driver = bme280");
}

static void a_probe_knows_which_of_the_two_it_is(void **state)
{
	(void)state;
	assert_int_equal(1, bme280_driver.identify(fake_i2c()));
	assert_int_equal(0, bmp280_driver.identify(fake_i2c()));
	fake_i2c_registers[0xD0] = 0x57;
	assert_int_equal(1, bmp280_driver.identify(fake_i2c()));
	fake_i2c_error = -ENXIO;
	assert_int_equal(0, bme280_driver.identify(fake_i2c()));
	assert_int_equal(0, bmp280_driver.identify(fake_i2c()));
}

static void a_silent_chip_fails_whatever_it_is_asked(void **state)
{
	struct device *device = chip_make(&bme280_driver, "");

	(void)state;
	device->i2c = fake_i2c();
	for (int nth = 1; nth <= 4; nth++) { /* id, status, two blocks of calibration */
		fake_i2c_fail(nth, -EREMOTEIO);
		chip_failed(device, device->driver->open(device), -EREMOTEIO, "");
	}
	assert_int_equal(0, device->driver->open(device));
	for (int nth = 1; nth <= 4; nth++) { /* two settings, status, data */
		fake_i2c_fail(nth, -EREMOTEIO);
		chip_failed(device, chip_turn(device, values), -EREMOTEIO, "");
	}
	assert_int_equal(0, chip_turn(device, values));
}

static void what_is_no_measurement_is_refused(void **state)
{
	static const uint8_t skipped[] = { 0x80, 0, 0, 0x80, 0, 0, 0x80, 0 };
	struct device *device = open_chip(&bme280_driver);

	(void)state;
	fake_i2c_registers[0xF3] = 0x08;
	chip_failed(device, chip_turn(device, values), -ETIMEDOUT, "it measures without end (status 0x08)");
	fake_i2c_registers[0xF3] = 0;
	for (size_t i = 0; i < sizeof(skipped); i += 3) { /* one of the three words: what the registers hold after power-on */
		uint8_t before[sizeof(skipped)];

		memcpy(before, fake_i2c_registers + 0xF7, sizeof(before));
		memcpy(fake_i2c_registers + 0xF7 + i, skipped + i, i < 6 ? 3 : 2);
		chip_failed(device, chip_turn(device, values), -ERANGE, "it has not measured: it may just have come to power");
		memcpy(fake_i2c_registers + 0xF7, before, sizeof(before));
	}
	assert_int_equal(0, chip_turn(device, values));
}

/* Table 1: it works from -40 to 85 °C and from 300 to 1100 hPa. */
static void what_it_cannot_work_in_is_refused(void **state)
{
	static const uint8_t words[][6] = {
		{ 0, 0, 0, 0, 0, 0 },
		{ 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF },
		{ 0x70, 0x00, 0x00, 0xAE, 0x00, 0x00 }, /* 85.1 °C */
		{ 0x65, 0x5A, 0xC0, 0x4B, 0x00, 0x00 }, /* -42.1 °C */
		{ 0x50, 0x00, 0x00, 0x7E, 0xED, 0x00 }, /* 1158 hPa */
		{ 0xCC, 0x00, 0x00, 0x7E, 0xED, 0x00 }, /* 290 hPa */
	};
	struct device *device = open_chip(&bme280_driver);

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		memcpy(fake_i2c_registers + 0xF7, words[i], sizeof(words[i]));
		chip_failed(device, chip_turn(device, values), -ERANGE,
			    "its words mean nothing from -40 to 85 °C and 300 to 1100 hPa, where it works");
	}
}

static void a_chip_without_calibration_is_refused(void **state)
{
	struct device *device = chip_make(&bme280_driver, "");

	(void)state;
	device->i2c = fake_i2c();
	fake_i2c_registers[0xF3] = 0x01;
	chip_failed(device, device->driver->open(device), -EAGAIN, "it is still starting");
	fake_i2c_registers[0xF3] = 0;
	memset(fake_i2c_registers + 0x88, 0xFF, 26);
	chip_failed(device, device->driver->open(device), -EIO, "its calibration reads as zeros or ones: a worn or foreign chip");
	memset(fake_i2c_registers + 0x88, 0, 26);
	chip_failed(device, device->driver->open(device), -EIO, "its calibration reads as zeros or ones: a worn or foreign chip");
	begin(state);
	memset(fake_i2c_registers + 0xE1, 0, 7); /* that of humidity alone */
	chip_failed(device, device->driver->open(device), -EIO, "its calibration reads as zeros or ones: a worn or foreign chip");
	memset(fake_i2c_registers + 0xE1, 0xFF, 7);
	chip_failed(device, device->driver->open(device), -EIO, "its calibration reads as zeros or ones: a worn or foreign chip");
}

/* Under the sanitizers: no calibration and no words overflow. */
static void rubbish_is_refused_or_a_number(void **state)
{
	uint8_t pressure[BME280_CALIBRATION], humidity[BME280_CALIBRATION_HUMIDITY];
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct bme280_raw raw;
		struct bme280 bme280;
		int r;

		for (size_t k = 0; k < sizeof(pressure); k++)
			pressure[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		for (size_t k = 0; k < sizeof(humidity); k++)
			humidity[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		raw.temperature = (int32_t)((seed = seed * 1664525 + 1013904223) >> 12);
		raw.pressure = (int32_t)((seed = seed * 1664525 + 1013904223) >> 12);
		raw.humidity = (int32_t)((seed = seed * 1664525 + 1013904223) >> 16);
		if (bme280_calibrate(&bme280, pressure, humidity) < 0)
			continue;
		r = bme280_convert(&bme280, &raw, values);
		assert_true(r == -ERANGE ||
			    (r == 0 && values[0] >= -40 && values[0] <= 85 && values[1] >= 300 && values[1] <= 1100));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_agrees_with_the_data_sheets_worked_example, begin, end),
		cmocka_unit_test_setup_teardown(one_turn_is_one_forced_measurement_with_humidity_set_first, begin, end),
		cmocka_unit_test_setup_teardown(a_bmp280_gives_temperature_and_pressure, begin, end),
		cmocka_unit_test_setup_teardown(another_chip_is_told_by_its_id, begin, end),
		cmocka_unit_test_setup_teardown(a_probe_knows_which_of_the_two_it_is, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_fails_whatever_it_is_asked, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_measurement_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(what_it_cannot_work_in_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_chip_without_calibration_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(rubbish_is_refused_or_a_number, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
