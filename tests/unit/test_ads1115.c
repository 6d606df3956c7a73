/* links: node-agent/drivers/ads1115.c node-agent/curve.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/chip.h"
#include "../fakes/i2c.h"

#include "../../node-agent/curve.h"

extern const struct driver ads1115_driver;

enum { CONVERSION = 0, CONFIG = 1 };

static double values[4];

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

static struct device *make(const char *keys)
{
	struct device *device = chip_make(&ads1115_driver, keys);

	device->i2c = fake_i2c();
	return device;
}

static void counts_are_volts_of_the_range(void **state) /* SBAS444D, table 3: 0x7FFF is the whole range less one step */
{
	struct device *device = make("a0.quantity = voltage\n");

	(void)state;
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 0x4000);
	assert_int_equal(1, chip_turn(device, values));
	assert_float_equal(2.048, values[0], 1e-9);
	assert_int_equal(0xC383,
			 fake_i2c_word(CONFIG, I2C_HIGH_FIRST)); /* start, A0, 4.096 V, single shot, 128 SPS, no comparator */
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 0xFFFB);   /* -5: noise at 0 V */
	assert_int_equal(1, chip_turn(device, values));
	assert_float_equal(0, values[0], 0);
	assert_int_equal(-1, chip_wake_ms);
}

static void a_divider_and_a_curve_make_other_quantities(void **state)
{
	struct device *device = make("a3.quantity = voltage\na3.range = 2.048\na3.divider = 11\n");

	(void)state;
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 0x4000);
	assert_int_equal(1, chip_turn(device, values));
	assert_float_equal(1.024 * 11, values[0], 1e-9);
	assert_int_equal(0xF583, fake_i2c_word(CONFIG, I2C_HIGH_FIRST));
	device = make("a1.quantity = moisture\na1.curve = 2.6:0 0.9:100\n");
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 14000); /* 1.75 V: in the middle */
	assert_int_equal(1, chip_turn(device, values));
	assert_float_equal(50, values[0], 1e-9);
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 100);
	assert_int_equal(1, chip_turn(device, values));
	assert_float_equal(100, values[0], 0);
}

static void inputs_follow_each_other(void **state)
{
	struct device *device =
		make("a0.quantity = voltage\na2.quantity = moisture\na2.curve = 0:0 4.096:100\na3.quantity = illuminance\n");

	(void)state;
	assert_int_equal(3, device->channel_count);
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 0x4000);
	assert_int_equal(1, chip_turn(device, values));
	assert_float_equal(2.048, values[0], 1e-9);
	assert_true(isnan(values[1]) && isnan(values[2]));
	assert_int_equal(0xE383, fake_i2c_word(CONFIG, I2C_HIGH_FIRST)); /* A2 is under way */
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 0x2000);
	assert_int_equal(0, chip_wake(device));
	assert_float_equal(25, chip_number(1), 1e-9);
	assert_int_equal(0xF383, fake_i2c_word(CONFIG, I2C_HIGH_FIRST));
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 0x1000);
	assert_int_equal(0, chip_wake(device));
	assert_float_equal(0.512, chip_number(2), 1e-9);
	assert_int_equal(-1, chip_wake_ms);
}

static void one_that_is_not_ready_is_waited_for_a_while(void **state)
{
	struct device *device = make("a0.quantity = voltage\n");

	(void)state;
	assert_int_equal(0, device->driver->trigger(device));
	fake_i2c_set_word(CONVERSION, I2C_HIGH_FIRST, 0x4000);
	fake_i2c_set_word(CONFIG, I2C_HIGH_FIRST, 0x4383);
	assert_int_equal(0, device->driver->fetch(device, values));
	assert_true(isnan(values[0]));
	for (int i = 0; i < 3; i++)
		assert_int_equal(0, chip_wake(device));
	fake_i2c_set_word(CONFIG, I2C_HIGH_FIRST, 0xC383);
	assert_int_equal(0, chip_wake(device));
	assert_float_equal(2.048, chip_number(0), 1e-9);
	assert_int_equal(0, device->driver->trigger(device));
	fake_i2c_set_word(CONFIG, I2C_HIGH_FIRST, 0x4383);
	assert_int_equal(0, device->driver->fetch(device, values));
	for (int i = 0; i < 3; i++)
		assert_int_equal(0, chip_wake(device));
	chip_failed(device, chip_wake(device), -ETIMEDOUT, "it measures without end (configuration 0x4383)");
}

static void one_that_does_not_keep_what_was_written_is_refused(void **state)
{
	static const uint16_t rubbish[] = { 0, 0xFFFF, 0xE383, 0xC583, 0xC283 }; /* other input, range, mode */
	struct device *device = make("a0.quantity = voltage\n");
	char words[80];

	(void)state;
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		assert_int_equal(0, device->driver->trigger(device)); /* 0xC383 */
		fake_i2c_set_word(CONFIG, I2C_HIGH_FIRST, rubbish[i]);
		snprintf(words, sizeof(words), "its configuration reads 0x%04x after 0xc383: is it an ADS1115?", rubbish[i]);
		chip_failed(device, device->driver->fetch(device, values), -EIO, words);
	}
	assert_int_equal(1, chip_turn(device, values));
}

static void a_silent_chip_fails_whatever_it_is_asked(void **state)
{
	struct device *device = make("a0.quantity = voltage\na1.quantity = illuminance\n");

	(void)state;
	for (int nth = 1; nth <= 4; nth++) {
		fake_i2c_fail(nth, -ENXIO);
		chip_failed(device, chip_turn(device, values), -ENXIO, "");
	}
	assert_int_equal(1, chip_turn(device, values));
	fake_i2c_fail(1, -ENXIO);
	chip_failed(device, chip_wake(device), -ENXIO, "");
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_string_equal("1: which input tells what? Needed is one of a0.quantity to a3.quantity\n",
			    chip_mistakes(&ads1115_driver, ""));
	assert_string_equal("4: a0.curve: \"9\": a curve is FROM:TO FROM:TO ..., such as 0.9:100 2.6:0\n",
			    chip_mistakes(&ads1115_driver, "a0.quantity = moisture\na0.curve = 9\n"));
	assert_string_equal("4: a0.curve: a curve needs two points or more, such as 0.9:100 2.6:0\n",
			    chip_mistakes(&ads1115_driver, "a0.quantity = moisture\na0.curve = 1:2\n"));
	assert_string_equal("4: a0.curve: 1 has two values\n",
			    chip_mistakes(&ads1115_driver, "a0.quantity = moisture\na0.curve = 1:2 1:3\n"));
	assert_string_equal("4: a1.quantity: \"voltage\": allowed is a quantity's name [a-z][a-z0-9_]{0,31}, each once\n",
			    chip_mistakes(&ads1115_driver, "a0.quantity = voltage\na1.quantity = voltage\n"));
	assert_string_equal("3: a0.quantity: \"badge\" holds texts, an input has numbers\n",
			    chip_mistakes(&ads1115_driver, "a0.quantity = badge\n"));
}

static void a_curve_is_straight_between_its_points_and_level_beyond(void **state)
{
	char reason[CURVE_REASON_MAX];
	struct curve curve;

	(void)state;
	assert_int_equal(0, curve_parse(" 3:300, 1:100 2:0", &curve, reason));
	assert_float_equal(100, curve_at(&curve, -5), 0);
	assert_float_equal(100, curve_at(&curve, 1), 0);
	assert_float_equal(50, curve_at(&curve, 1.5), 0);
	assert_float_equal(0, curve_at(&curve, 2), 0);
	assert_float_equal(150, curve_at(&curve, 2.5), 0);
	assert_float_equal(300, curve_at(&curve, 99), 0);
	assert_int_equal(-EINVAL, curve_parse("1:2 2:nan", &curve, reason));
	assert_int_equal(-EINVAL, curve_parse("1:2 2:3:4", &curve, reason));
	assert_int_equal(-EINVAL,
			 curve_parse("0:0 1:0 2:0 3:0 4:0 5:0 6:0 7:0 8:0 9:0 10:0 11:0 12:0 13:0 14:0 15:0 16:0", &curve, reason));
	assert_string_equal("a curve has at most 16 points", reason);
}

static void a_probe_knows_it_by_its_thresholds_after_power_on(void **state)
{
	(void)state;
	assert_int_equal(0, ads1115_driver.identify(fake_i2c()));
	fake_i2c_set_word(2, I2C_HIGH_FIRST, 0x8000);
	fake_i2c_set_word(3, I2C_HIGH_FIRST, 0x7FFF);
	assert_int_equal(1, ads1115_driver.identify(fake_i2c()));
	fake_i2c_error = -ENXIO;
	assert_int_equal(0, ads1115_driver.identify(fake_i2c()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts_are_volts_of_the_range, begin, end),
		cmocka_unit_test_setup_teardown(a_divider_and_a_curve_make_other_quantities, begin, end),
		cmocka_unit_test_setup_teardown(inputs_follow_each_other, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_not_ready_is_waited_for_a_while, begin, end),
		cmocka_unit_test_setup_teardown(one_that_does_not_keep_what_was_written_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_chip_fails_whatever_it_is_asked, begin, end),
		cmocka_unit_test_setup_teardown(mistakes_are_told, begin, end),
		cmocka_unit_test_setup_teardown(a_curve_is_straight_between_its_points_and_level_beyond, begin, end),
		cmocka_unit_test_setup_teardown(a_probe_knows_it_by_its_thresholds_after_power_on, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
