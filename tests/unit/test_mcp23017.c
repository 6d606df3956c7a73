/* links: node-agent/drivers/mcp23017.c node-agent/device.c tests/fakes/gpio.c tests/fakes/i2c.c tests/fakes/bench.c tests/fakes/folder.c */
/* The port expander: inputs polled or announced, outputs. Registers: Microchip DS20001952. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/bench.h"
#include "../fakes/folder.h"
#include "../fakes/gpio.h"
#include "../fakes/i2c.h"

#define MS INT64_C(1000000)

enum { IODIRA = 0x00, IODIRB, GPINTENA = 0x04, IOCON = 0x0a, GPPUA = 0x0c, GPPUB, GPIOA = 0x12, GPIOB, OLATA, OLATB };

extern const struct driver mcp23017_driver;

BENCH_DRIVERS(&mcp23017_driver);

static struct value values[CHANNELS_MAX];
static bool fresh[CHANNELS_MAX];

static int begin(void **state)
{
	(void)state;
	folder_make();
	fake_gpio_reset();
	fake_i2c_reset();
	return 0;
}

static int done(void **state)
{
	(void)state;
	bench_done();
	folder_remove();
	return 0;
}

static struct device *chip(const char *keys)
{
	char text[512];

	snprintf(text, sizeof(text), "[device dev]\ndriver = mcp23017\nbus = /dev/i2c-1\n%s", keys);
	assert_string_equal("", bench_read(text));
	bench_made("dev")->i2c = fake_i2c();
	return bench_open("dev");
}

static void look(struct device *device)
{
	assert_int_equal(0, device->driver->read(device, 0, values, fresh));
}

static void lines_are_set_up_before_they_drive(void **state)
{
	size_t latch = 0, direction = 0;

	(void)state;
	chip("A0 = contact\nA1 = motion floating\nB7 = switch output on\nB6 = pump output invert\n");
	assert_int_equal(0xff, fake_i2c_registers[IODIRA]);
	assert_int_equal(0x3f, fake_i2c_registers[IODIRB]);
	assert_int_equal(0x01, fake_i2c_registers[GPPUA]);
	assert_int_equal(0x00, fake_i2c_registers[GPPUB]);
	assert_int_equal(0xc0, fake_i2c_registers[OLATB]); /* on; and off, inverted */
	assert_int_equal(0x44, fake_i2c_registers[IOCON]);
	for (size_t i = 0; i < fake_i2c_write_count; i++) {
		if (fake_i2c_written[i].bytes[0] == OLATB)
			latch = i;
		if (fake_i2c_written[i].bytes[0] == IODIRB)
			direction = i;
	}
	assert_true(latch < direction);
}

static void inputs_are_looked_at_often_and_told_when_they_change(void **state)
{
	struct device *device = chip("A0 = contact\nA7 = motion invert\nB3 = window\n");

	(void)state;
	assert_int_equal(100, device->interval_ms);
	fake_i2c_registers[GPIOA] = 0x80;
	look(device);
	assert_true(fresh[0] && fresh[1] && fresh[2]);
	assert_true(values[0].number == 0 && values[1].number == 0 && values[2].number == 0);
	fake_i2c_registers[GPIOB] = 0x08;
	fake_i2c_registers[GPIOA] = 0x00;
	look(device);
	assert_true(values[0].number == 0 && values[1].number == 1 && values[2].number == 1);
	assert_string_equal("change max 5m", device->driver->report); /* whoever reads it ten times a second tells it so */
}

static void the_int_line_announces_changes(void **state)
{
	struct device *device = chip("A0 = contact\nA1 = motion\nB0 = switch output\nint_line = GPIO4\n");
	struct fake_line *line = fake_line("GPIO4");
	int64_t at_ns = bench_now_ns;

	(void)state;
	assert_true(line->place.active_low);
	assert_int_equal(300000, device->interval_ms);
	assert_int_equal(0x03, fake_i2c_registers[GPINTENA]);
	look(device);
	fake_i2c_registers[GPIOA] = 0x02;
	fake_edge_at(line, 1, at_ns - MS);
	assert_int_equal(0, device->driver->notice(device));
	assert_int_equal(1, bench_told_count);
	assert_int_equal(1, bench_told[0].channel);
	assert_int_equal(at_ns - MS, bench_told[0].ns);
	for (int i = 0; i < 10; i++) { /* it bounces */
		bench_now_ns += MS;
		fake_i2c_registers[GPIOA] ^= 0x02;
		fake_edge(line, 1);
		assert_int_equal(0, device->driver->notice(device));
	}
	fake_i2c_registers[GPIOA] = 0x00;
	assert_int_equal(1, bench_told_count);
	bench_pass(20);
	assert_int_equal(2, bench_told_count); /* where it came to rest */
	assert_true(bench_told[1].value.number == 0);
}

static void outputs_answer_with_the_latch(void **state)
{
	struct device *device = chip("A3 = switch output\nB3 = pump output invert\n");

	(void)state;
	assert_int_equal(OUTPUT_SWITCH, device->channels[0].output);
	assert_int_equal(300000, device->interval_ms);
	assert_int_equal(0, bench_set(device, 0, 1));
	assert_int_equal(0x08, fake_i2c_registers[OLATA]);
	assert_true(bench_set_value == 1);
	assert_int_equal(0, bench_set(device, 1, 1));
	assert_int_equal(0x00, fake_i2c_registers[OLATB]);
	assert_true(bench_set_value == 1);
	look(device);
	assert_true(values[0].number == 1 && values[1].number == 1);
	assert_int_equal(0, bench_set(device, 0, 0));
	assert_int_equal(0x00, fake_i2c_registers[OLATA]);
}

static void the_first_value_of_an_output_is_there_from_the_start(void **state)
{
	struct device *device;

	(void)state;
	assert_string_equal("", bench_read("[device dev]\ndriver = mcp23017\nA0 = switch output\n"));
	device = bench_made("dev");
	device->i2c = fake_i2c();
	device->channels[0].has_first = true;
	device->channels[0].first = value_of_number(1);
	bench_open("dev");
	assert_int_equal(0x01, fake_i2c_registers[OLATA]);
}

static void fails_as_forgetful(struct device *device, int r)
{
	assert_int_equal(-EIO, r);
	assert_string_equal("the chip has forgotten its settings: is its power steady?", device->error);
	device->error[0] = '\0';
}

/* Its power was away for a moment: all lines are inputs then, all else is 0 (DS20001952, POR/RST values of the registers). */
static void a_chip_that_lost_its_settings_is_a_fault(void **state)
{
	struct device *device = chip("A0 = switch output\nA1 = contact\n");

	(void)state;
	look(device);
	memset(fake_i2c_registers, 0, OLATB + 1);
	fake_i2c_registers[IODIRA] = fake_i2c_registers[IODIRB] = 0xff;
	fails_as_forgetful(device, device->driver->read(device, 0, values, fresh));
	fails_as_forgetful(device, bench_set(device, 0, 1));
}

/* All lines are inputs, or outputs: their directions alone look as they should. */
static void zeros_and_ones_are_no_levels(void **state)
{
	char keys[16 * 32] = "";
	struct device *device = chip("A0 = contact\n");

	(void)state;
	look(device);
	memset(fake_i2c_registers, 0xff, OLATB + 1);
	fails_as_forgetful(device, device->driver->read(device, 0, values, fresh));
	fails_as_forgetful(device, device->driver->wake(device));
	assert_int_equal(0, bench_told_count);
	for (int i = 0; i < 16; i++)
		snprintf(keys + strlen(keys), 32, "%c%d = s%d output\n", 'A' + i / 8, i % 8, i);
	device = chip(keys);
	look(device);
	memset(fake_i2c_registers, 0, OLATB + 1);
	fails_as_forgetful(device, device->driver->read(device, 0, values, fresh));
	fails_as_forgetful(device, bench_set(device, 0, 1));
}

static void what_fails_is_told(void **state)
{
	struct device *device = chip("A0 = contact\nB0 = switch output\n");

	(void)state;
	fake_i2c_error = -ENXIO;
	assert_int_equal(-ENXIO, device->driver->read(device, 0, values, fresh));
	assert_int_equal(-ENXIO, bench_set(device, 1, 1));
	device->driver->close(device);
	assert_int_equal(-ENXIO, device->driver->open(device));
	fake_i2c_error = 0;
	for (int i = 1; i <= 11; i++) {
		fake_i2c_reset();
		fake_i2c_fail(i, -EIO);
		assert_int_equal(-EIO, device->driver->open(device));
	}
	assert_string_equal("", bench_read("[device dev]\ndriver = mcp23017\nA0 = contact\nint_line = GPIO4\n"));
	device = bench_made("dev");
	device->i2c = fake_i2c();
	fake_line("GPIO4")->open_error = -EBUSY;
	assert_int_equal(-EBUSY, device->driver->open(device));
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_string_equal("1: [device a] needs a line: A0 to A7, B0 to B7 = QUANTITY\n",
			    bench_read("[device a]\ndriver = mcp23017\n"));
	assert_string_equal("3: A0: \"pullup\": allowed is QUANTITY, then output, invert, floating, on\n",
			    bench_read("[device a]\ndriver = mcp23017\nA0 = contact pullup\n"));
	assert_string_equal("4: A1: \"contact\": allowed is a quantity [a-z][a-z0-9_]{0,31}, each once in a section\n",
			    bench_read("[device a]\ndriver = mcp23017\nA0 = contact\nA1 = contact\n"));
	assert_string_equal("4: interlock: it is for relays on GPIO lines: with dtoverlay=mcp23017 in config.txt this chip's lines "
			    "are such lines\n",
			    bench_read("[device a]\ndriver = mcp23017\nA0 = up output\ninterlock = shutter\n"));
	assert_string_equal("3: A0: a line is 0 or 1, text is a text\n", bench_read("[device a]\ndriver = mcp23017\nA0 = text\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(lines_are_set_up_before_they_drive),
		TEST(inputs_are_looked_at_often_and_told_when_they_change),
		TEST(the_int_line_announces_changes),
		TEST(outputs_answer_with_the_latch),
		TEST(the_first_value_of_an_output_is_there_from_the_start),
		TEST(a_chip_that_lost_its_settings_is_a_fault),
		TEST(zeros_and_ones_are_no_levels),
		TEST(what_fails_is_told),
		TEST(mistakes_are_told),
	};

	return cmocka_run_group_tests_name("mcp23017", tests, NULL, NULL);
}
