/* links: node-agent/drivers/ads1115.c node-agent/drivers/aht20.c node-agent/drivers/bh1750.c node-agent/drivers/bme280.c node-agent/drivers/bme280_convert.c node-agent/drivers/htu21.c node-agent/drivers/lm75.c node-agent/drivers/mcp23017.c node-agent/drivers/mcp9808.c node-agent/drivers/sht3x.c node-agent/drivers/sht4x.c node-agent/drivers/tsl2561.c node-agent/drivers/crc8.c node-agent/drivers/pn532.c node-agent/pn532_frame.c node-agent/badge.c node-agent/tty.c node-agent/drivers/dimmer.c node-agent/drivers/servo.c node-agent/drivers/pca9685.c node-agent/pwm.c node-agent/pwm_kernel.c node-agent/pwm_pca9685.c node-agent/sysfs.c node-agent/door.c node-agent/curve.c node-agent/device.c tests/fakes/bench.c tests/fakes/folder.c tests/fakes/gpio.c tests/fakes/i2c.c */
/* Chips that answer rubbish on a bus that fails: no hook goes on without end, and nothing comes out that looks like a reading and is none. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/bench.h"
#include "../fakes/folder.h"
#include "../fakes/i2c.h"

extern const struct driver ads1115_driver, aht20_driver, bh1750_driver, bme280_driver, bmp280_driver, dimmer_pca9685_driver,
	htu21_driver, lm75_driver, mcp23017_driver, mcp9808_driver, pn532_driver, servo_pca9685_driver, sht3x_driver, sht4x_driver,
	tsl2561_driver;

BENCH_DRIVERS(&ads1115_driver, &aht20_driver, &bh1750_driver, &bme280_driver, &bmp280_driver, &dimmer_pca9685_driver, &htu21_driver,
	      &lm75_driver, &mcp23017_driver, &mcp9808_driver, &pn532_driver, &servo_pca9685_driver, &sht3x_driver, &sht4x_driver,
	      &tsl2561_driver);

enum { TRANSFERS_MAX = 100, RANDOM = -1, TURNS = 12 };

static int rubbish, part, failing; /* 0x00, 0xff or RANDOM; so many of 100 bytes are; so many of 100 transfers fail */
static int transfers, believed;    /* in the turn under way; values that came out */
static uint32_t seed = 1;

static int dice(int sides)
{
	seed = seed * 1664525 + 1013904223;
	return (int)((seed >> 8) % (uint32_t)sides);
}

static int fails(void)
{
	if (++transfers > TRANSFERS_MAX)
		fail_msg("transfers without end");
	return dice(100) < failing ? -EIO : 0;
}

static uint8_t garbles(uint8_t byte)
{
	return dice(100) >= part ? byte : (uint8_t)(rubbish == RANDOM ? dice(256) : rubbish);
}

static void believe(double number)
{
	assert_true(isfinite(number));
	believed++;
}

/* A turn as the sampler has it, with an order to each output. */
static int turn(struct device *device)
{
	const struct driver *driver = device->driver;
	double numbers[CHANNELS_MAX] = { 0 };
	struct value values[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX] = { false };
	int r = driver->trigger ? driver->trigger(device) : 0;

	if (r >= 0)
		r = driver->read ? driver->read(device, 0, values, fresh) : driver->fetch(device, numbers);
	for (size_t i = 0; r >= 0 && i < device->channel_count; i++) {
		if (driver->read ? fresh[i] : !isnan(numbers[i]))
			believe(driver->read ? values[i].number : numbers[i]);
		if (device->channels[i].output != OUTPUT_NONE)
			r = bench_set(device, i, dice(100));
	}
	bench_pass(100);
	for (; bench_told_count > 0; bench_told_count--)
		believe(bench_told[bench_told_count - 1].value.number);
	return r < 0 ? r : bench_error;
}

/* Some turns; opened where it is closed, and closed when a hook fails. */
static void live(struct device *device, bool is_open)
{
	for (int i = 0; i < TURNS; i++) {
		int r = 0;

		transfers = 0;
		fake_i2c_write_count = 0;
		if (!is_open && device->driver->open)
			r = device->driver->open(device);
		is_open = r >= 0;
		if (is_open)
			r = turn(device);
		if (is_open && device->driver->close && (i == TURNS - 1 || (r < 0 && r != -ERANGE)))
			device->driver->close(device);
		is_open = is_open && (r >= 0 || r == -ERANGE);
	}
}

/* A device with a good chip, which turns bad from `from` turns on: 0 or 1. */
static void live_with(const struct driver *driver, int from)
{
	static const uint8_t calibration[] = { 0x70, 0x6b, 0x43, 0x67, 0x18, 0xfc, 0x7d, 0x8e, 0x43, 0xd6, 0xd0, 0x0b, 0x27,
					       0x0b, 0x8c, 0x00, 0xf9, 0xff, 0x8c, 0x3c, 0xf8, 0xc6, 0x70, 0x17, 0x00, 0x4b };
	char text[256];

	snprintf(text, sizeof(text), "[device dev]\ndriver = %s\nbus = /dev/i2c-1\n%s%s%s", driver->name,
		 driver == &ads1115_driver ? "a0.quantity = voltage\na3.quantity = moisture\n" : "",
		 driver == &mcp23017_driver ? "A0 = contact\nB7 = switch output\n" : "",
		 strstr(driver->name, "pca9685") ? "channel = 3\n" : "");
	assert_string_equal("", bench_read(text));
	fake_i2c_reset();
	memcpy(fake_i2c_registers + 0x88, calibration, sizeof(calibration));
	memcpy(fake_i2c_registers + 0xe1, (const uint8_t[]){ 0x6a, 0x01, 0x00, 0x14, 0x2d, 0x03, 0x1e }, 7);
	fake_i2c_registers[0xd0] = driver == &bme280_driver ? 0x60 : 0x58;
	if (driver == &tsl2561_driver)
		fake_i2c_registers[0x8a] = 0x50;
	fake_i2c_set_word(6, I2C_HIGH_FIRST, 0x0054); /* an MCP9808 */
	fake_i2c_set_word(7, I2C_HIGH_FIRST, 0x0400);
	bench_made("dev")->i2c = fake_i2c();
	if (from > 0)
		turn(driver->open ? bench_open("dev") : bench_made("dev"));
	believed = 0;
	fake_i2c_fails = fails;
	fake_i2c_garbles = garbles;
	live(bench_made("dev"), from > 0);
}

static void random_answers_and_failures_are_survived(void **state)
{
	(void)state;
	rubbish = RANDOM;
	for (int i = 0; bench_drivers[i / 130]; i++) {
		part = i % 11 * 10;
		failing = i % 4 * 10;
		live_with(bench_drivers[i / 130], 0);
	}
}

/* A BH1750 and an LM75 have nothing to tell a dark room and frost from zeros. */
static void zeros_and_ones_are_no_readings(void **state)
{
	(void)state;
	part = 100;
	failing = 0;
	for (size_t i = 0; bench_drivers[i]; i++)
		for (int way = 0; way < 4; way++) {
			rubbish = way & 2 ? 0xff : 0x00;
			live_with(bench_drivers[i], way & 1);
			if (believed > 0 && (rubbish || (bench_drivers[i] != &bh1750_driver && bench_drivers[i] != &lm75_driver)))
				fail_msg("%s: %d readings of 0x%02x", bench_drivers[i]->name, believed, (unsigned)rubbish);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_answers_and_failures_are_survived),
		cmocka_unit_test(zeros_and_ones_are_no_readings),
	};
	int failures;

	folder_make();
	failures = cmocka_run_group_tests_name("rubbish", tests, NULL, NULL);
	bench_done();
	folder_remove();
	return failures;
}
