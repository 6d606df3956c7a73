/* links: node-agent/drivers/pn532.c node-agent/pn532_frame.c node-agent/badge.c node-agent/tty.c node-agent/door.c node-agent/device.c tests/fakes/i2c.c tests/fakes/chip.c tests/fakes/folder.c */
/* The badge reader on I2C and on a serial line, whose other end the test holds: a pseudo-terminal. Frames are those of UM0701-02, 6.2.1 and 7. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/badge.h"
#include "../../node-agent/pn532_frame.h"
#include "../fakes/chip.h"
#include "../fakes/folder.h"
#include "../fakes/i2c.h"

extern const struct driver pn532_driver, pn532_serial_driver;

enum { I2C_READ = 64 };

static const uint8_t ack[] = { 0, 0, 0xFF, 0, 0xFF, 0 };
static int line = -1; /* the chip's end of the serial line */
static int filler;    /* what the chip on I2C sends when its frame is over */
static struct value badge;
static bool fresh;

static int begin(void **state)
{
	(void)state;
	folder_make();
	fake_i2c_reset();
	filler = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	chip_done();
	folder_remove();
	if (line >= 0)
		close(line);
	line = -1;
	return 0;
}

/* ---- the chip's side ------------------------------------------------------------------------------------------------------------- */

static size_t frame_of(const uint8_t *data, size_t len, uint8_t *buf) /* data without 0xD5 */
{
	size_t size = pn532_frame(data, len, buf);

	buf[5] = 0xD5;
	buf[size - 2] = (uint8_t)(buf[size - 2] - 1);
	return size;
}

static void say_i2c(const uint8_t *bytes, size_t len)
{
	uint8_t raw[I2C_READ];

	memset(raw, filler, sizeof(raw));
	raw[0] = 1;
	memcpy(raw + 1, bytes, len);
	fake_i2c_reply(raw, sizeof(raw));
}

static void say_line(const uint8_t *bytes, size_t len)
{
	assert_int_equal((ssize_t)len, write(line, bytes, len));
}

/* The chip takes the command and answers. */
static void answer(void (*say)(const uint8_t *bytes, size_t len), const uint8_t *data, size_t len)
{
	uint8_t frame[PN532_FRAME_MAX];

	say(ack, sizeof(ack));
	say(frame, frame_of(data, len, frame));
}

#define ANSWER(say, ...) answer(say, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static int turn(struct device *device, void (*say)(const uint8_t *bytes, size_t len), const uint8_t *data, size_t len)
{
	int r = device->driver->trigger(device);

	if (r < 0)
		return r;
	if (data)
		answer(say, data, len);
	return device->driver->read(device, 0, &badge, &fresh);
}

#define TURN(device, say, ...) turn(device, say, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define BADGE 0x4B, 1, 1, 0x00, 0x04, 0x08, 4, 0x04, 0xA1, 0xB2, 0xC3 /* one target, MIFARE Classic, number of four bytes */

static void set_up(struct device *device, void (*say)(const uint8_t *bytes, size_t len))
{
	assert_int_equal(0, device->driver->open(device));
	assert_int_equal(0, TURN(device, say, 0x15));
	assert_int_equal(0, TURN(device, say, 0x03, 0x32, 1, 6, 7)); /* IC PN532, version 1.6 */
	assert_int_equal(0, TURN(device, say, 0x33));
}

static struct device *i2c_reader(const char *keys)
{
	struct device *device = chip_make(&pn532_driver, keys);

	device->i2c = fake_i2c();
	return device;
}

static struct device *serial_reader(void)
{
	char keys[128];

	line = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_equal(0, grantpt(line) + unlockpt(line));
	snprintf(keys, sizeof(keys), "port = %s\n", ptsname(line));
	return chip_make(&pn532_serial_driver, keys);
}

/* ---- frames ---------------------------------------------------------------------------------------------------------------------- */

static void a_command_is_framed_as_the_manual_shows(void **state) /* UM0701-02, 7.2.2: GetFirmwareVersion */
{
	static const uint8_t wanted[] = { 0x00, 0x00, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A, 0x00 };
	uint8_t frame[PN532_FRAME_MAX];

	(void)state;
	assert_int_equal(sizeof(wanted), pn532_frame((const uint8_t[]){ 0x02 }, 1, frame));
	assert_memory_equal(wanted, frame, sizeof(wanted));
}

static void frames_are_found_in_whatever_comes(void **state)
{
	/* Noise, an acknowledgement, the answer to GetFirmwareVersion (7.2.2), an error frame (6.2.1.5), a bad checksum, half a frame. */
	static const uint8_t stream[] = { 0x55, 0xFF, 0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00,                               /* */
					  0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00, /* */
					  0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00,                               /* */
					  0x00, 0x00, 0xFF, 0x02, 0xFE, 0xD5, 0x15, 0x17, 0x00,                         /* */
					  0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03 };
	static const enum pn532_found wanted[] = { PN532_ACK, PN532_DATA, PN532_ERROR, PN532_RUBBISH, PN532_NOTHING };
	const uint8_t *at = stream, *data;
	size_t left = sizeof(stream), used, len;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		assert_int_equal(wanted[i], pn532_find(at, left, &used, &data, &len));
		if (wanted[i] == PN532_DATA) {
			assert_int_equal(5, len);
			assert_memory_equal("\x03\x32\x01\x06\x07", data, 5);
		}
		at += used;
		left -= used;
	}
	assert_int_equal(PN532_NOTHING, pn532_find(at, 0, &used, &data, &len));
	assert_int_equal(0, used);
}

/* ---- turns ----------------------------------------------------------------------------------------------------------------------- */

static void a_badge_is_told_once_each_time_that_it_is_held_there(struct device *device,
								 void (*say)(const uint8_t *bytes, size_t len))
{
	set_up(device, say);
	assert_int_equal(0, TURN(device, say, 0x4B, 0));
	assert_false(fresh);
	assert_int_equal(0, TURN(device, say, BADGE));
	assert_true(fresh);
	assert_string_equal("04a1b2c3", badge.text);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(0, TURN(device, say, BADGE));
		assert_false(fresh);
	}
	assert_int_equal(0, TURN(device, say, 0x4B, 0)); /* a reader misses one now and then */
	assert_int_equal(0, TURN(device, say, BADGE));
	assert_false(fresh);
	assert_int_equal(0, TURN(device, say, 0x4B, 0));
	assert_int_equal(0, TURN(device, say, 0x4B, 0));
	assert_int_equal(0, TURN(device, say, BADGE));
	assert_true(fresh);
	assert_int_equal(0, TURN(device, say, 0x4B, 1, 1, 0x00, 0x44, 0x00, 7, 0x04, 1, 2, 3, 4, 5, 6)); /* another one */
	assert_true(fresh);
	assert_string_equal("04010203040506", badge.text);
	device->driver->close(device);
}

static void badges_are_read_over_i2c(void **state)
{
	(void)state;
	a_badge_is_told_once_each_time_that_it_is_held_there(i2c_reader(""), say_i2c);
}

static void badges_are_read_over_a_serial_line(void **state)
{
	uint8_t sent[64];
	struct device *device = serial_reader();

	(void)state;
	a_badge_is_told_once_each_time_that_it_is_held_there(device, say_line);
	assert_true(read(line, sent, sizeof(sent)) >= 28);
	assert_memory_equal("\x55\x55\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xFF\x05\xFB\xD4\x14\x01\x14\x01\x02\0", sent,
			    28); /* woken first */
}

static void an_answer_in_pieces_and_one_that_is_late_are_taken(void **state)
{
	struct device *device = serial_reader();
	uint8_t frame[PN532_FRAME_MAX];
	size_t len;

	(void)state;
	assert_int_equal(0, device->driver->open(device));
	assert_int_equal(0, TURN(device, say_line, 0x15));
	assert_int_equal(0, turn(device, say_line, NULL, 0));
	say_line(ack, sizeof(ack));
	len = frame_of((const uint8_t[]){ 0x03, 0x32, 1, 6, 7 }, 5, frame);
	say_line(frame, 4);
	assert_int_equal(0, turn(device, say_line, NULL, 0)); /* it does not ask again meanwhile */
	say_line(frame + 4, len - 4);
	assert_int_equal(0, turn(device, say_line, NULL, 0));
	assert_int_equal(0, TURN(device, say_line, 0x33));
	device->driver->close(device);
}

static void a_chip_on_i2c_that_is_not_ready_is_asked_again_next_turn(void **state)
{
	static const uint8_t busy[I2C_READ] = { 0 };
	struct device *device = i2c_reader("");

	(void)state;
	set_up(device, say_i2c);
	fake_i2c_reply(busy, sizeof(busy));
	assert_int_equal(0, turn(device, say_i2c, NULL, 0));
	assert_int_equal(0, TURN(device, say_i2c, BADGE));
	assert_true(fresh);
	for (int i = 0; i < 7; i++) {
		fake_i2c_reply(busy, sizeof(busy));
		assert_int_equal(0, turn(device, say_i2c, NULL, 0));
	}
	fake_i2c_reply(busy, sizeof(busy));
	chip_failed(device, turn(device, say_i2c, NULL, 0), -ETIMEDOUT,
		    "no answer from a PN532: are its switches set for this line?");
}

static void what_fills_a_transfer_up_is_no_frame(void **state)
{
	(void)state;
	filler = 0xFF; /* after the postamble that would be a start code and a length */
	a_badge_is_told_once_each_time_that_it_is_held_there(i2c_reader(""), say_i2c);
}

static void silence_and_rubbish_are_faults(void **state)
{
	struct device *device = i2c_reader("");
	uint8_t bad[] = { 0, 0, 0xFF, 2, 0xFE, 0xD5, 0x03, 0x00, 0 };

	(void)state;
	assert_int_equal(0, device->driver->open(device));
	fake_i2c_fail(1, -ENXIO);
	chip_failed(device, turn(device, say_i2c, NULL, 0), -ENXIO, "");
	chip_failed(device, turn(device, say_i2c, NULL, 0), -ENXIO, "");
	assert_int_equal(0, device->driver->open(device));
	assert_int_equal(0, TURN(device, say_i2c, 0x15));
	chip_failed(device, TURN(device, say_i2c, 0x03, 0x07, 1, 6, 7), -ENODEV,
		    "the chip says that it is 0x07, not a PN532 (0x32)");
	assert_int_equal(0, device->driver->open(device));
	device->driver->trigger(device);
	say_i2c(bad, sizeof(bad));
	chip_failed(device, device->driver->read(device, 0, &badge, &fresh), -EIO, "bad checksum in a frame");
	assert_int_equal(0, device->driver->open(device));
	device->driver->trigger(device);
	say_i2c((const uint8_t[]){ 0, 0, 0xFF, 1, 0xFF, 0x7F, 0x81, 0 }, 8);
	chip_failed(device, device->driver->read(device, 0, &badge, &fresh), -EIO, "it does not understand");
}

/* A data line that is stuck high reads so: ready, and no frame. The other chips of the bus want their turn. */
static void one_that_says_ready_for_ever_does_not_keep_the_bus(void **state)
{
	struct device *device = i2c_reader("");
	uint8_t ones[I2C_READ];

	(void)state;
	memset(ones, 0xFF, sizeof(ones));
	for (int i = 0; i < 7 * 8; i++)
		fake_i2c_reply(ones, sizeof(ones));
	assert_int_equal(0, device->driver->open(device));
	for (int i = 0; i < 7; i++)
		assert_int_equal(0, turn(device, say_i2c, NULL, 0));
	chip_failed(device, turn(device, say_i2c, NULL, 0), -ETIMEDOUT,
		    "no answer from a PN532: are its switches set for this line?");
}

static void a_line_without_a_reader_and_one_that_is_pulled_out_are_told(void **state)
{
	struct device *device = serial_reader();
	char words[160];

	(void)state;
	assert_int_equal(0, device->driver->open(device));
	for (int i = 0; i < 7; i++)
		assert_int_equal(0, turn(device, say_line, NULL, 0));
	chip_failed(device, turn(device, say_line, NULL, 0), -ETIMEDOUT,
		    "no answer from a PN532: are its switches set for this line?");
	snprintf(words, sizeof(words), "%s is gone", ptsname(line));
	close(line);
	line = -1;
	chip_failed(device, device->driver->read(device, 0, &badge, &fresh), -ENODEV, words);
	device->driver->close(device);
	device = chip_make(&pn532_serial_driver, "port = /dev/nowhere\n");
	chip_failed(device, device->driver->open(device), -ENOENT,
		    "no /dev/nowhere: `ls /dev/serial/by-id` shows USB adapters; a Pi's own: enable_uart=1 in config.txt");
}

static void rubbish_on_the_line_never_harms(void **state)
{
	struct device *device = serial_reader();
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 300; i++) {
		uint8_t noise[97];

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (seed = seed * 1664525 + 1013904223) >> 30 ? (uint8_t)(seed >> 24) : (uint8_t)(k & 1 ? 0xFF : 0);
		assert_int_equal(0, device->driver->open(device));
		assert_int_equal(0, device->driver->trigger(device));
		say_line(noise, sizeof(noise));
		device->driver->read(device, 0, &badge, &fresh);
		assert_false(fresh);
		device->error[0] = '\0';
		device->driver->close(device);
		while (read(line, noise, sizeof(noise)) == sizeof(noise))
			;
	}
}

/* ---- secrecy --------------------------------------------------------------------------------------------------------------------- */

/* By `openssl passwd -5 -salt rounds=1000\$AbCdEfGhIjKlMnOp 04a1b2c3`. */
#define HASH "/kfHePiwUzFCnYRG1o6PKNR1Agqv5uT6Y2.nyfn5vOB"

static void only_a_salted_hash_leaves_the_node_when_wished(void **state)
{
	char keys[400];

	(void)state;
	snprintf(keys, sizeof(keys), "hash = yes\nsalt_file = %s\n", folder_write("salt", "AbCdEfGhIjKlMnOpRest\n"));
	struct device *device = i2c_reader(keys);

	set_up(device, say_i2c);
	assert_int_equal(0, TURN(device, say_i2c, BADGE));
	assert_true(fresh);
	assert_string_equal(HASH, badge.text);
}

static void mistakes_are_told(void **state)
{
	char keys[400];

	(void)state;
	assert_string_equal("3: hash: hash = yes needs salt_file\n", chip_mistakes(&pn532_driver, "hash = yes\n"));
	snprintf(keys, sizeof(keys), "hash = yes\nsalt_file = %s\n", folder_write("salt", "short\n"));
	assert_string_equal("4: salt_file: its first line is no salt: needed are 8 or more of [A-Za-z0-9./+=]\n",
			    chip_mistakes(&pn532_driver, keys));
	snprintf(keys, sizeof(keys), "hash = yes\nsalt_file = %s\n", folder_write("salt", "with$dollars$in$it\n"));
	assert_non_null(strstr(chip_mistakes(&pn532_driver, keys), "no salt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_is_framed_as_the_manual_shows, begin, end),
		cmocka_unit_test_setup_teardown(frames_are_found_in_whatever_comes, begin, end),
		cmocka_unit_test_setup_teardown(badges_are_read_over_i2c, begin, end),
		cmocka_unit_test_setup_teardown(badges_are_read_over_a_serial_line, begin, end),
		cmocka_unit_test_setup_teardown(an_answer_in_pieces_and_one_that_is_late_are_taken, begin, end),
		cmocka_unit_test_setup_teardown(a_chip_on_i2c_that_is_not_ready_is_asked_again_next_turn, begin, end),
		cmocka_unit_test_setup_teardown(what_fills_a_transfer_up_is_no_frame, begin, end),
		cmocka_unit_test_setup_teardown(silence_and_rubbish_are_faults, begin, end),
		cmocka_unit_test_setup_teardown(one_that_says_ready_for_ever_does_not_keep_the_bus, begin, end),
		cmocka_unit_test_setup_teardown(a_line_without_a_reader_and_one_that_is_pulled_out_are_told, begin, end),
		cmocka_unit_test_setup_teardown(rubbish_on_the_line_never_harms, begin, end),
		cmocka_unit_test_setup_teardown(only_a_salted_hash_leaves_the_node_when_wished, begin, end),
		cmocka_unit_test_setup_teardown(mistakes_are_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
