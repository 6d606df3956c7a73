/* A character display (HD44780: 16x2, 20x4 ...) behind a PCF8574 on I2C, as they are sold. Hitachi HD44780U data sheet (ADE-207-272); of the
 * PCF8574: P0 RS, P1 RW, P2 E, P3 light, P4-7 D4-D7. The text is an output; so is its light. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../driver.h"
#include "../i2c.h"
#include "lcd_text.h"

enum { RS = 0x01, E = 0x04, LIGHT = 0x08 };
enum {
	CLEAR = 0x01,
	ENTRY_RIGHT = 0x06,
	DISPLAY_OFF = 0x08,
	DISPLAY_ON = 0x0c,
	FOUR_BITS_TWO_LINES = 0x28,
	CGRAM = 0x40,
	DDRAM = 0x80
};
enum { TEXT, SWITCH }; /* channels */
enum { BURST = 32 };   /* port bytes of one transfer: 8 characters */
enum { CHECK_MS = 10000 };

#define MS 1000000L
#define US 1000L

struct lcd {
	int size, rom;
	bool light;
};

struct lcd_state {
	struct lcd_screen screen; /* as it is shown */
	struct value text;
	bool light;
};

static const struct {
	int cols, rows;
} sizes[] = { { 16, 2 }, { 20, 4 }, { 16, 1 }, { 16, 4 }, { 20, 2 }, { 40, 2 } };

#define AT(field) offsetof(struct lcd, field)

static const struct conf_item items[] = {
	{ "size", CONF_CHOICE, AT(size), "16x2", .choices = "16x2|20x4|16x1|16x4|20x2|40x2", .help = "columns and lines" },
	{ "font", CONF_CHOICE, AT(rom), "A00", .choices = "A00|A02",
	  .help = "A00 has kana, A02 (seldom) has accents; both show them" },
	{ "light", CONF_BOOL, AT(light), "yes", .help = "whether it is lit from the start" },
	{ 0 },
};

static void lcd_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	(void)conf;
	(void)section;
	device_add_channel(device, "text", OUTPUT_TEXT);
	device_add_channel(device, "switch", OUTPUT_SWITCH);
	strcpy(device->channels[SWITCH].icon, "lamp");
}

/* ---- the wires ------------------------------------------------------------------------------------------------------------------ */

/* On the thread of the bus, where waiting holds up nobody else. */
static void wait_ns(long ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

static int put_port(struct device *device, const uint8_t *bytes, size_t len)
{
	int r = i2c_write(device->i2c, bytes, len);

	if (r != -EOPNOTSUPP)
		return r;
	r = 0; /* an adapter that speaks SMBus only */
	for (size_t i = 0; i < len && r >= 0; i++)
		r = i2c_send_byte(device->i2c, bytes[i]);
	return r;
}

/* Four bits are taken when E falls. A byte on the bus lasts longer than what the display needs for it (37 us at the end of the second half). */
static size_t add_nibble(const struct lcd_state *state, uint8_t bytes[], size_t len, int high, int rs)
{
	uint8_t port = (uint8_t)((high & 0xf0) | (state->light ? LIGHT : 0) | rs);

	bytes[len++] = port | E;
	bytes[len++] = port;
	return len;
}

static int put_nibble(struct device *device, int high)
{
	uint8_t bytes[2];

	return put_port(device, bytes, add_nibble(device->state, bytes, 0, high, 0));
}

static int put_bytes(struct device *device, const uint8_t *data, size_t len, int rs)
{
	uint8_t bytes[BURST];
	size_t filled = 0;
	int r = 0;

	for (size_t i = 0; i < len && r >= 0; i++) {
		filled = add_nibble(device->state, bytes, filled, data[i], rs);
		filled = add_nibble(device->state, bytes, filled, data[i] << 4, rs);
		if (filled == BURST || i == len - 1) {
			r = put_port(device, bytes, filled);
			filled = 0;
		}
	}
	return r;
}

static int command(struct device *device, int code)
{
	uint8_t byte = (uint8_t)code;

	return put_bytes(device, &byte, 1, 0);
}

/* ---- the picture ---------------------------------------------------------------------------------------------------------------- */

static int put_glyphs(struct device *device, const struct lcd_screen *fresh)
{
	struct lcd_state *state = device->state;
	int r = 0;

	for (int i = 0; i < LCD_GLYPHS && r >= 0; i++) {
		uint8_t rows[LCD_GLYPH_ROWS];

		if (fresh->glyphs[i] == state->screen.glyphs[i])
			continue;
		lcd_glyph(fresh->glyphs[i], rows);
		r = command(device, CGRAM | i * LCD_GLYPH_ROWS);
		if (r >= 0)
			r = put_bytes(device, rows, sizeof(rows), RS);
	}
	return r;
}

/* Only what has changed: from the first cell of a line that differs to the last. */
static int put_line(struct device *device, const struct lcd_screen *fresh, int row)
{
	const struct lcd_state *state = device->state;
	const uint8_t *before = state->screen.cells[row], *now = fresh->cells[row];
	int begin = 0, end = fresh->cols, r;

	while (begin < end && before[begin] == now[begin])
		begin++;
	while (end > begin && before[end - 1] == now[end - 1])
		end--;
	if (begin == end)
		return 0;
	/* Lines 3 and 4 are the ends of 1 and 2. */
	r = command(device, DDRAM | ((row % 2 ? 0x40 : 0) + (row >= 2 ? fresh->cols : 0) + begin));
	return r < 0 ? r : put_bytes(device, now + begin, (size_t)(end - begin), RS);
}

static int show(struct device *device, const char *text)
{
	struct lcd_state *state = device->state;
	struct lcd_screen fresh = state->screen;
	int r;

	lcd_lay_out(&fresh, text);
	r = put_glyphs(device, &fresh);
	for (int row = 0; row < fresh.rows && r >= 0; row++)
		r = put_line(device, &fresh, row);
	if (r >= 0)
		state->screen = fresh;
	return r;
}

/* ---- power ---------------------------------------------------------------------------------------------------------------------- */

/* Figure 24: initializing by instruction, whatever the display was at before. It is blank afterwards. */
static int initialize(struct device *device)
{
	static const struct {
		int nibble;
		long wait_ns;
	} wake_up[] = { { 0x30, 5 * MS }, { 0x30, 150 * US }, { 0x30, 150 * US }, { 0x20, 150 * US } };
	static const int set_up[] = { FOUR_BITS_TWO_LINES, DISPLAY_OFF, CLEAR, ENTRY_RIGHT, DISPLAY_ON };
	struct lcd_state *state = device->state;
	int r = 0;

	memset(state->screen.cells, ' ', sizeof(state->screen.cells));
	memset(state->screen.glyphs, 0, sizeof(state->screen.glyphs));
	wait_ns(50 * MS);
	for (size_t i = 0; i < sizeof(wake_up) / sizeof(*wake_up) && r >= 0; i++) {
		r = put_nibble(device, wake_up[i].nibble);
		wait_ns(wake_up[i].wait_ns);
	}
	for (size_t i = 0; i < sizeof(set_up) / sizeof(*set_up) && r >= 0; i++) {
		r = command(device, set_up[i]);
		if (set_up[i] == CLEAR)
			wait_ns(2 * MS);
	}
	return r;
}

/* From power-on all lines of a PCF8574 are high (NXP's data sheet, Rev. 5, 8.1); we never leave E so. When its power was gone for a moment, the display's was, too:
 * it gets back what it had. */
static int look(struct device *device)
{
	const struct lcd_state *state = device->state;
	int r = i2c_receive_byte(device->i2c);

	if (r < 0 || !(r & E))
		return r < 0 ? r : 0;
	r = initialize(device);
	return r < 0 ? r : show(device, state->text.text);
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------------------- */

static int lcd_open(struct device *device)
{
	const struct lcd *lcd = device->config;
	struct lcd_state *state = device->state;

	*state = (struct lcd_state){ .light = lcd->light };
	state->screen.cols = sizes[lcd->size].cols;
	state->screen.rows = sizes[lcd->size].rows;
	state->screen.rom = (enum lcd_rom)lcd->rom;
	value_of_text("", 0, &state->text);
	device_wake(device, CHECK_MS);
	return initialize(device);
}

static int lcd_wake(struct device *device)
{
	device_wake(device, CHECK_MS);
	return look(device);
}

static int lcd_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	struct lcd_state *state = device->state;
	int r = look(device);

	(void)ret_value; /* what the display shows can't be read: its RW is not wired everywhere */
	if (r < 0)
		return r;
	if (channel == TEXT) {
		r = show(device, value->text);
		if (r >= 0)
			state->text = *value;
		return r;
	}
	state->light = value->number > 0;
	return put_port(device, (const uint8_t[]){ state->light ? LIGHT : 0 }, 1);
}

/* Tells its state, and notices whether the chip answers still. */
static int lcd_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct lcd_state *state = device->state;

	(void)now_ms;
	ret_values[TEXT] = state->text;
	ret_values[SWITCH] = value_of_number(state->light);
	ret_fresh[TEXT] = ret_fresh[SWITCH] = true;
	return look(device);
}

const struct driver lcd_driver = {
	.name = "lcd",
	.help = "a character display, HD44780 behind a PCF8574",
	.items = items,
	.config_size = sizeof(struct lcd),
	.state_size = sizeof(struct lcd_state),
	.interval = "5m",
	.i2c_addresses = (const uint8_t[]){ 0x27, 0x3f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x38, 0x39, 0x3a, 0x3b, 0x3c,
					    0x3d, 0x3e, 0 },
	.configure = lcd_configure,
	.open = lcd_open,
	.read = lcd_read,
	.wake = lcd_wake,
	.set = lcd_set,
};
