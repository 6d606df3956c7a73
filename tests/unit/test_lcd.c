/* links: node-agent/drivers/lcd.c node-agent/drivers/lcd_text.c node-agent/device.c tests/fakes/i2c.c tests/fakes/bench.c tests/fakes/folder.c */
/* The character display: a small HD44780 behind a PCF8574 is played from the bytes that were sent. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../node-agent/drivers/lcd_text.h"
#include "../fakes/bench.h"
#include "../fakes/folder.h"
#include "../fakes/i2c.h"

extern const struct driver lcd_driver;

BENCH_DRIVERS(&lcd_driver);

/* What the display has in its memory (data sheet table 6). */
static struct {
	uint8_t ddram[128], cgram[64];
	bool four_bits, is_on, light, in_cgram;
	int half; /* -1: none waits */
	uint8_t address, port;
	size_t taken; /* transfers that were played */
} display;

static void instruction(uint8_t byte)
{
	if (byte & 0x80) {
		display.address = byte & 0x7f;
		display.in_cgram = false;
	} else if (byte & 0x40) {
		display.address = byte & 0x3f;
		display.in_cgram = true;
	} else if (byte & 0x20) {
		assert_int_equal(0x28, byte);
	} else if (byte & 0x08) {
		display.is_on = byte & 0x04;
	} else if (byte == 0x01) {
		memset(display.ddram, ' ', sizeof(display.ddram));
		display.address = 0;
	}
}

static void take(uint8_t nibble, bool rs)
{
	if (!display.four_bits) {
		display.four_bits = nibble == 2;
		return;
	}
	if (display.half < 0) {
		display.half = nibble;
		return;
	}
	if (!rs)
		instruction((uint8_t)(display.half << 4 | nibble));
	else if (display.in_cgram)
		display.cgram[display.address++ & 0x3f] = (uint8_t)(display.half << 4 | nibble);
	else
		display.ddram[display.address++ & 0x7f] = (uint8_t)(display.half << 4 | nibble);
	display.half = -1;
}

static void play(void)
{
	for (; display.taken < fake_i2c_write_count; display.taken++)
		for (size_t i = 0; i < fake_i2c_written[display.taken].len; i++) {
			uint8_t port = fake_i2c_written[display.taken].bytes[i];

			if (display.port & 0x04 && !(port & 0x04)) /* E falls */
				take(port >> 4, port & 0x01);
			display.port = port;
			display.light = port & 0x08;
		}
}

static int begin(void **state)
{
	(void)state;
	memset(&display, 0, sizeof(display));
	display.half = -1;
	folder_make();
	fake_i2c_reset();
	fake_i2c_port = 0x08;
	return 0;
}

static int done(void **state)
{
	(void)state;
	bench_done();
	folder_remove();
	return 0;
}

static struct device *lcd(const char *keys)
{
	char text[512];

	snprintf(text, sizeof(text), "[device dev]\ndriver = lcd\nbus = /dev/i2c-1\n%s", keys);
	assert_string_equal("", bench_read(text));
	bench_made("dev")->i2c = fake_i2c();
	return bench_open("dev");
}

static int show(struct device *device, const char *text)
{
	struct value value, got;
	int r;

	assert_int_equal(0, value_of_text(text, strlen(text), &value));
	r = device->driver->set(device, 0, &value, &got);
	play();
	return r;
}

static void assert_line(int address, const char *text)
{
	assert_memory_equal(text, display.ddram + address, strlen(text));
}

static void it_wakes_up_in_four_bits_clear_and_lit(void **state)
{
	(void)state;
	lcd("");
	play();
	assert_true(display.four_bits && display.is_on && display.light);
	assert_int_equal(-1, display.half);
	assert_line(0x00, "                ");
}

static void a_text_is_laid_out_in_lines(void **state)
{
	struct device *device = lcd("");

	(void)state;
	assert_int_equal(OUTPUT_TEXT, device->channels[0].output);
	assert_int_equal(0, show(device, "Bonjour tout le monde"));
	assert_line(0x00, "Bonjour tout le ");
	assert_line(0x40, "monde           ");
	assert_int_equal(0, show(device, "Bonjour tout beau monde"));
	assert_line(0x00, "Bonjour tout    ");
	assert_line(0x40, "beau monde      ");
	assert_int_equal(0, show(device, "21.5|48 %"));
	assert_line(0x00, "21.5            ");
	assert_line(0x40, "48 %            ");
	assert_int_equal(0, show(device, "Donaudampfschifffahrt"));
	assert_line(0x00, "Donaudampfschiff");
	assert_line(0x40, "fahrt           ");
	assert_int_equal(0, show(device, ""));
	assert_line(0x00, "                ");
}

static void four_lines_have_their_addresses(void **state)
{
	struct device *device = lcd("size = 20x4\n");

	(void)state;
	assert_int_equal(0, show(device, "one|two|three|four|five"));
	assert_line(0x00, "one                 three               ");
	assert_line(0x40, "two                 four                ");
}

static void only_what_has_changed_is_sent(void **state)
{
	struct device *device = lcd("");
	size_t before;

	(void)state;
	show(device, "Cave    12.4|Salon   20.1");
	before = fake_i2c_write_count;
	show(device, "Cave    12.4|Salon   20.3");
	assert_int_equal(before + 2, fake_i2c_write_count); /* an address, a digit */
	assert_int_equal(4, fake_i2c_written[before + 1].len);
	assert_line(0x40, "Salon   20.3");
	before = fake_i2c_write_count;
	show(device, "Cave    12.4|Salon   20.3");
	assert_int_equal(before, fake_i2c_write_count);
}

static void accents_become_free_characters_where_the_font_has_none(void **state)
{
	/* By hand: e acute, an e under a stroke that rises to the right. */
	static const uint8_t e_acute[] = { 0x02, 0x04, 0x0e, 0x11, 0x1f, 0x10, 0x0e, 0x00 };
	struct device *device = lcd("");

	(void)state;
	assert_int_equal(0, show(device, "Été à 25 °C"));
	assert_line(0x00, (const char[]){ 0, 't', 1, ' ', 2, ' ', '2', '5', ' ', (char)0xdf, 'C', 0 });
	assert_int_equal(0, display.ddram[0]);
	assert_int_equal(1, display.ddram[2]);
	assert_int_equal(2, display.ddram[4]);
	assert_int_equal(0xdf, display.ddram[9]);
	assert_memory_equal(e_acute, display.cgram + 8, 8);
	/* What a new text needs of them stays, the rest makes way. */
	assert_int_equal(0, show(device, "é è ê ë ç ù î ï ô"));
	assert_int_equal(1, display.ddram[0]);
	assert_memory_equal(e_acute, display.cgram + 8, 8);
	assert_int_equal('o', display.ddram[0x40]); /* the ninth is plain */
}

static void the_european_font_has_its_accents(void **state)
{
	struct device *device = lcd("font = A02\n");

	(void)state;
	assert_int_equal(0, show(device, "Été ç°€"));
	assert_int_equal(0xc9, display.ddram[0]);
	assert_int_equal(0xe9, display.ddram[2]);
	assert_int_equal(0xe7, display.ddram[4]);
	assert_int_equal(0xb0, display.ddram[5]);
	assert_int_equal(0, display.ddram[6]); /* drawn */
}

static void what_no_font_has_is_a_question_mark(void **state)
{
	struct device *device = lcd("");

	(void)state;
	assert_int_equal(0, show(device, "日本 \xf0\x9f\x98\x80 “a” – 5…"));
	assert_line(0x00, "?? ? \"a\" - 5.");
}

static void the_light_is_an_output_of_its_own(void **state)
{
	struct device *device = lcd("light = no\n");

	(void)state;
	play();
	assert_false(display.light);
	assert_int_equal(0, bench_set(device, 1, 1));
	play();
	assert_true(display.light);
	show(device, "x");
	assert_true(display.light);
	assert_int_equal(0, bench_set(device, 1, 0));
	play();
	assert_false(display.light);
	assert_line(0x00, "x");
}

static void its_state_is_told(void **state)
{
	struct value values[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX];
	struct device *device = lcd("");

	(void)state;
	show(device, "hello");
	assert_int_equal(0, device->driver->read(device, 0, values, fresh));
	assert_string_equal("hello", values[0].text);
	assert_true(values[1].number == 1);
}

static void a_display_that_does_not_answer_is_told(void **state)
{
	struct device *device = lcd("");
	struct value values[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX];

	(void)state;
	fake_i2c_error = -ENXIO;
	assert_int_equal(-ENXIO, show(device, "hello"));
	assert_int_equal(-ENXIO, bench_set(device, 1, 1));
	assert_int_equal(-ENXIO, device->driver->read(device, 0, values, fresh));
	assert_int_equal(-ENXIO, device->driver->open(device));
	fake_i2c_error = 0;
	for (int i = 1; i <= 9; i++) {
		fake_i2c_fail(i, -EIO);
		assert_int_equal(-EIO, device->driver->open(device));
	}
}

static void lose_power(void)
{
	size_t taken = display.taken;

	memset(&display, 0, sizeof(display));
	display.half = -1;
	display.taken = taken;
}

/* As with a plug that sat loose for a moment: nothing was sent meanwhile, so no transfer failed. */
static void a_display_that_lost_its_power_gets_back_what_it_had(void **state)
{
	struct device *device = lcd("");

	(void)state;
	show(device, "Été|21.5");
	lose_power();
	bench_pass(60000);
	play(); /* what is well is left alone */
	assert_false(display.is_on);
	fake_i2c_port = 0xff;
	bench_pass(10000);
	assert_int_equal(0, bench_error);
	play();
	assert_true(display.four_bits && display.is_on && display.light);
	assert_line(0x40, "21.5            ");
	assert_int_equal(0x0e, display.cgram[8 + 2]); /* its free characters, too */
	fake_i2c_port = 0x08;
	/* A new text finds it blank and shows on it. */
	lose_power();
	fake_i2c_port = 0xff;
	assert_int_equal(0, show(device, "22.0"));
	assert_line(0x00, "22.0            ");
	assert_line(0x40, "                ");
}

static void any_text_stays_within_the_screen(void **state)
{
	static const char *const texts[] = { "||||||||", "a|b|c|d|e|f|g", "                                      x",
					     "éééééééééééééééééééééééééééééééé|é",
					     "aaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbb ccccccccccccccccccccccccccccccccccccc" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct lcd_screen screen = { .rows = 2, .cols = 16 };

		lcd_lay_out(&screen, texts[i]);
		for (int row = 0; row < LCD_ROWS_MAX; row++)
			for (int col = 0; col < LCD_COLS_MAX; col++)
				if (row >= 2 || col >= 16)
					assert_int_equal(' ', screen.cells[row][col]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(it_wakes_up_in_four_bits_clear_and_lit),
		TEST(a_text_is_laid_out_in_lines),
		TEST(four_lines_have_their_addresses),
		TEST(only_what_has_changed_is_sent),
		TEST(accents_become_free_characters_where_the_font_has_none),
		TEST(the_european_font_has_its_accents),
		TEST(what_no_font_has_is_a_question_mark),
		TEST(the_light_is_an_output_of_its_own),
		TEST(its_state_is_told),
		TEST(a_display_that_does_not_answer_is_told),
		TEST(a_display_that_lost_its_power_gets_back_what_it_had),
		TEST(any_text_stays_within_the_screen),
	};

	return cmocka_run_group_tests_name("lcd", tests, NULL, NULL);
}
