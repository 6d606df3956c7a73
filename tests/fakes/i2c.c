#include "i2c.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { REPLIES_MAX = 64 };

struct i2c {
	int unused;
};

uint8_t fake_i2c_registers[256];
struct fake_i2c_write fake_i2c_written[FAKE_I2C_WRITES_MAX];
size_t fake_i2c_write_count;
int fake_i2c_error;
int fake_i2c_port = -1;
int (*fake_i2c_fails)(void);
uint8_t (*fake_i2c_garbles)(uint8_t byte);

static struct i2c the_chip;
static uint16_t words[256]; /* low byte first, as SMBus has them */
static struct fake_i2c_write replies[REPLIES_MAX];
static size_t reply_count, reply_next;
static int fail_in, fail_error;

struct i2c *fake_i2c(void)
{
	return &the_chip;
}

void fake_i2c_reset(void)
{
	memset(fake_i2c_registers, 0, sizeof(fake_i2c_registers));
	memset(words, 0, sizeof(words));
	fake_i2c_write_count = reply_count = reply_next = 0;
	fake_i2c_error = fail_in = fail_error = 0;
	fake_i2c_port = -1;
	fake_i2c_fails = NULL;
	fake_i2c_garbles = NULL;
}

static uint16_t ordered(uint16_t word, enum i2c_order order)
{
	return order == I2C_HIGH_FIRST ? __builtin_bswap16(word) : word;
}

void fake_i2c_set_word(uint8_t reg, enum i2c_order order, uint16_t word)
{
	words[reg] = ordered(word, order);
}

uint16_t fake_i2c_word(uint8_t reg, enum i2c_order order)
{
	return ordered(words[reg], order);
}

void fake_i2c_reply(const uint8_t *bytes, size_t len)
{
	assert(reply_count < REPLIES_MAX && len <= FAKE_I2C_BYTES_MAX);
	replies[reply_count].len = len;
	memcpy(replies[reply_count++].bytes, bytes, len);
}

void fake_i2c_fail(int nth, int error)
{
	fail_in = nth;
	fail_error = error;
}

int fake_i2c_wrote(const uint8_t *bytes, size_t len)
{
	const struct fake_i2c_write *last = &fake_i2c_written[fake_i2c_write_count - 1];

	return fake_i2c_write_count > 0 && last->len == len && memcmp(last->bytes, bytes, len) == 0;
}

/* ---- what a driver meets ----------------------------------------------------------------------------------------------------- */

static int begin(struct i2c *i2c)
{
	assert(i2c == &the_chip);
	if (fail_in > 0 && --fail_in == 0)
		return fail_error;
	return fake_i2c_fails ? fake_i2c_fails() : fake_i2c_error;
}

static void garble(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; fake_i2c_garbles && i < len; i++)
		bytes[i] = fake_i2c_garbles(bytes[i]);
}

static int record(struct i2c *i2c, const uint8_t *bytes, size_t len)
{
	int r = begin(i2c);

	if (r < 0)
		return r;
	assert(fake_i2c_write_count < FAKE_I2C_WRITES_MAX && len <= FAKE_I2C_BYTES_MAX);
	fake_i2c_written[fake_i2c_write_count].len = len;
	memcpy(fake_i2c_written[fake_i2c_write_count++].bytes, bytes, len);
	return 0;
}

static int take_reply(uint8_t *ret_bytes, size_t len)
{
	if (fake_i2c_garbles) {
		memset(ret_bytes, 0, len);
		garble(ret_bytes, len);
		return 0;
	}
	if (reply_next == reply_count)
		return -ENXIO;
	if (replies[reply_next].len != len) {
		reply_next++;
		return -EIO;
	}
	memcpy(ret_bytes, replies[reply_next++].bytes, len);
	return 0;
}

int i2c_open(const char *bus, int address, struct i2c **ret_i2c)
{
	(void)bus;
	(void)address;
	*ret_i2c = &the_chip;
	return 0;
}

void i2c_close(struct i2c *i2c)
{
	(void)i2c;
}

int i2c_quick(struct i2c *i2c)
{
	return begin(i2c);
}

int i2c_send_byte(struct i2c *i2c, uint8_t byte)
{
	return record(i2c, &byte, 1);
}

int i2c_receive_byte(struct i2c *i2c)
{
	uint8_t byte = 0;
	int r = begin(i2c);

	if (r >= 0 && fake_i2c_port >= 0 && reply_next == reply_count)
		return fake_i2c_port;
	if (r >= 0)
		r = take_reply(&byte, 1);
	return r < 0 ? r : byte;
}

int i2c_read_byte(struct i2c *i2c, uint8_t reg)
{
	uint8_t byte = 0;
	int r = i2c_read_block(i2c, reg, &byte, 1);

	return r < 0 ? r : byte;
}

int i2c_write_byte(struct i2c *i2c, uint8_t reg, uint8_t byte)
{
	return i2c_write_block(i2c, reg, &byte, 1);
}

int i2c_read_word(struct i2c *i2c, uint8_t reg, enum i2c_order order)
{
	uint16_t word = words[reg];
	int r = begin(i2c);

	garble((uint8_t *)&word, sizeof(word));
	return r < 0 ? r : ordered(word, order);
}

int i2c_write_word(struct i2c *i2c, uint8_t reg, enum i2c_order order, uint16_t word)
{
	uint16_t low_first = ordered(word, order);
	int r = record(i2c, (const uint8_t[]){ reg, (uint8_t)low_first, (uint8_t)(low_first >> 8) }, 3);

	if (r >= 0)
		words[reg] = low_first;
	return r;
}

int i2c_read_block(struct i2c *i2c, uint8_t reg, uint8_t *ret_bytes, size_t len)
{
	int r = begin(i2c);

	assert(len >= 1 && len <= I2C_BLOCK_MAX);
	for (size_t i = 0; r >= 0 && i < len; i++)
		ret_bytes[i] = fake_i2c_registers[(reg + i) & 0xFF];
	if (r >= 0)
		garble(ret_bytes, len);
	return r;
}

int i2c_write_block(struct i2c *i2c, uint8_t reg, const uint8_t *bytes, size_t len)
{
	uint8_t wire[I2C_BLOCK_MAX + 1] = { reg };
	int r;

	assert(len >= 1 && len <= I2C_BLOCK_MAX);
	memcpy(wire + 1, bytes, len);
	r = record(i2c, wire, len + 1);
	for (size_t i = 0; r >= 0 && i < len; i++)
		fake_i2c_registers[(reg + i) & 0xFF] = bytes[i];
	return r;
}

int i2c_write(struct i2c *i2c, const uint8_t *bytes, size_t len)
{
	return record(i2c, bytes, len);
}

int i2c_read(struct i2c *i2c, uint8_t *ret_bytes, size_t len)
{
	int r = begin(i2c);

	return r < 0 ? r : take_reply(ret_bytes, len);
}

int i2c_write_read(struct i2c *i2c, const uint8_t *bytes, size_t len, uint8_t *ret_bytes, size_t ret_len)
{
	int r = record(i2c, bytes, len);

	return r < 0 ? r : take_reply(ret_bytes, ret_len);
}

const char *i2c_explain(const char *bus, int address, int error, char *buf, size_t size)
{
	(void)bus;
	(void)address;
	snprintf(buf, size, "%s", strerror(-error));
	return buf;
}
