/* PN532 badge reader, I2C 0x24 or a serial line (HSU); NXP user manual UM0701-02. The number of a badge (ISO 14443 type A, 106
 * kbit/s) is told once each time that it is held to the reader. In each turn one command goes out, and its answer is taken after it
 * settled: nothing waits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../badge.h"
#include "../driver.h"
#include "../i2c.h"
#include "../pn532_frame.h"
#include "../tty.h"

enum {
	GET_FIRMWARE = 0x02,
	SAM_CONFIGURATION = 0x14,
	RF_CONFIGURATION = 0x32,
	LIST_PASSIVE_TARGET = 0x4A
}; /* 7.2.2, 7.2.10, 7.3.1, 7.3.5 */
enum { IC_PN532 = 0x32 };
enum { SETTLE_MS = 50, ANSWER_TURNS = 8, GONE_TURNS = 2, READS_MAX = 4 };
enum { I2C_READ = 64, I2C_READY = 0x01 }; /* 6.2.4: a status byte comes before the frame */
enum { SPEED = 115200 };                  /* 6.2.3, after power-on */

/* The first one also ends the chip's low power mode, in which it may take no other. */
enum step { STEP_SAM, STEP_FIRMWARE, STEP_RF, STEP_LIST };

static const struct {
	uint8_t len, bytes[5];
} commands[] = {
	[STEP_SAM] = { 4, { SAM_CONFIGURATION, 1, 20, 1 } }, /* normal mode: no secure module */
	[STEP_FIRMWARE] = { 1, { GET_FIRMWARE } },
	[STEP_RF] = { 5, { RF_CONFIGURATION, 5, 0xFF, 1, 1 } }, /* MaxRetries: it looks for a badge twice, no longer */
	[STEP_LIST] = { 3, { LIST_PASSIVE_TARGET, 1, 0 } },     /* one badge, type A at 106 kbit/s */
};

struct pn532_config {
	const char *port, *salt_file;
	bool hash;
	char salt[BADGE_SALT_MAX + 1];
};

struct pn532 {
	int fd; /* of the serial line */
	enum step step;
	bool asked, acknowledged;
	int turns; /* since it was asked */
	uint8_t input[256];
	size_t input_len;
	uint8_t uid[BADGE_UID_MAX]; /* of the badge that lies there */
	size_t uid_len;
	int gone_turns; /* so long it was not seen */
};

extern const struct driver pn532_driver, pn532_serial_driver;

#define HASH_ITEMS                                                                                                                 \
	{ "hash", CONF_BOOL, offsetof(struct pn532_config, hash), "no",                                                            \
	  .help = "a salted hash is told instead of the badge's number" },                                                         \
	{                                                                                                                          \
		"salt_file", CONF_FILE, offsetof(struct pn532_config, salt_file), NULL,                                            \
			.help = "its first line is the salt: head -c 12 /dev/urandom | base64"                                     \
	}

static const struct conf_item items[] = { HASH_ITEMS, { 0 } };
static const struct conf_item serial_items[] = {
	{ "port", CONF_STRING, offsetof(struct pn532_config, port), "/dev/serial0", .help = "the serial line, 115200 baud" },
	HASH_ITEMS,
	{ 0 },
};

static void pn532_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	struct pn532_config *config = device->config;
	int r = config->salt_file ? badge_read_salt(config->salt_file, config->salt) : 0;

	device_add_channel(device, "badge", OUTPUT_NONE);
	device->sporadic = true;
	if (config->hash && !config->salt_file)
		conf_mistake(conf, section, "hash", "hash = yes needs salt_file");
	if (r == -EINVAL)
		conf_mistake(conf, section, "salt_file", "its first line is no salt: needed are %d or more of [A-Za-z0-9./+=]",
			     BADGE_SALT_MIN);
}

/* ---- the line -------------------------------------------------------------------------------------------------------------------- */

static bool is_serial(const struct device *device)
{
	return device->driver == &pn532_serial_driver;
}

static int send(struct device *device, const uint8_t *bytes, size_t len)
{
	/* 7.2.11: after power-on it sleeps, and a long preamble wakes it; in between the chip takes it for nothing. */
	static const uint8_t wake[16] = { 0x55, 0x55 };
	struct pn532 *pn532 = device->state;
	int r = 0;

	pn532->input_len = 0;
	if (!is_serial(device))
		return i2c_write(device->i2c, bytes, len);
	tty_drop_input(pn532->fd);
	if (pn532->step != STEP_LIST)
		r = tty_write(pn532->fd, wake, sizeof(wake));
	return r < 0 ? r : tty_write(pn532->fd, bytes, len);
}

/* Adds what came to the input. Returns 0 when nothing did. */
static int receive(struct device *device)
{
	struct pn532 *pn532 = device->state;
	uint8_t *end = pn532->input + pn532->input_len, raw[I2C_READ];
	size_t room = sizeof(pn532->input) - pn532->input_len;
	int r;

	if (is_serial(device)) {
		r = tty_read(pn532->fd, end, room);
		if (r > 0)
			pn532->input_len += (size_t)r;
		return r;
	}
	r = i2c_read(device->i2c, raw, sizeof(raw));
	if (r < 0 || !(raw[0] & I2C_READY) || room < sizeof(raw) - 1)
		return r < 0 ? r : 0;
	memcpy(end, raw + 1, sizeof(raw) - 1);
	pn532->input_len += sizeof(raw) - 1;
	return 1;
}

/* ---- what it says ---------------------------------------------------------------------------------------------------------------- */

/* Whether there is a badge that was not there before.
 * data   NbTg, Tg, SENS_RES (2), SEL_RES, length of the number, the number (7.3.5) */
static bool is_news(struct pn532 *pn532, const uint8_t *data, size_t len)
{
	size_t uid_len = len >= 6 && data[0] > 0 ? data[5] : 0;
	const uint8_t *uid = data + 6;

	if (uid_len == 0 || uid_len > BADGE_UID_MAX || len < 6 + uid_len) {
		if (++pn532->gone_turns >= GONE_TURNS)
			pn532->uid_len = 0;
		return false;
	}
	pn532->gone_turns = 0;
	if (pn532->uid_len == uid_len && memcmp(pn532->uid, uid, uid_len) == 0)
		return false;
	memcpy(pn532->uid, uid, uid_len);
	pn532->uid_len = uid_len;
	return true;
}

static int tell_badge(const struct device *device, struct value *ret_value)
{
	const struct pn532_config *config = device->config;
	const struct pn532 *pn532 = device->state;
	char text[BADGE_TEXT_MAX], hash[BADGE_TEXT_MAX];
	int r = 0;

	badge_text(pn532->uid, pn532->uid_len, text);
	if (config->hash)
		r = badge_hash(text, config->salt, hash);
	if (r >= 0)
		r = config->hash ? value_of_text(hash, strlen(hash), ret_value) : value_of_text(text, strlen(text), ret_value);
	explicit_bzero(text, sizeof(text));
	return r;
}

/* data: the answer's code and what follows. */
static int answered(struct device *device, const uint8_t *data, size_t len, struct value *ret_value, bool *ret_fresh)
{
	struct pn532 *pn532 = device->state;

	if (data[0] != commands[pn532->step].bytes[0] + 1)
		return 0; /* of an earlier command */
	pn532->asked = false;
	switch (pn532->step) {
	case STEP_SAM:
		pn532->step = STEP_FIRMWARE;
		return 0;
	case STEP_FIRMWARE:
		if (len < 2 || data[1] != IC_PN532) {
			snprintf(device->error, sizeof(device->error), "the chip says that it is 0x%02x, not a PN532 (0x32)",
				 len < 2 ? 0 : data[1]);
			return -ENODEV;
		}
		pn532->step = STEP_RF;
		return 0;
	case STEP_RF:
		pn532->step = STEP_LIST;
		return 0;
	case STEP_LIST:
		*ret_fresh = is_news(pn532, data + 1, len - 1);
		return *ret_fresh ? tell_badge(device, ret_value) : 0;
	}
	return 0;
}

/* Takes the frames of the input. */
static int understand(struct device *device, struct value *ret_value, bool *ret_fresh)
{
	struct pn532 *pn532 = device->state;

	while (pn532->asked) {
		const uint8_t *data;
		size_t len, used;
		enum pn532_found found = pn532_find(pn532->input, pn532->input_len, &used, &data, &len);
		int r = 0;

		if (found == PN532_ACK)
			pn532->acknowledged = true;
		else if (found == PN532_DATA)
			r = answered(device, data, len, ret_value, ret_fresh);
		else if (found != PN532_NOTHING) {
			snprintf(device->error, sizeof(device->error),
				 found == PN532_RUBBISH ? "bad checksum in a frame" : "it does not understand");
			r = -EIO;
		}
		pn532->input_len -= used;
		memmove(pn532->input, pn532->input + used, pn532->input_len);
		if (r < 0 || found == PN532_NOTHING)
			return r;
	}
	return 0;
}

/* ---- turns ----------------------------------------------------------------------------------------------------------------------- */

static int explain(struct device *device, int error)
{
	const struct pn532_config *config = device->config;

	if (error < 0 && is_serial(device) && !device->error[0])
		tty_explain(config->port, error, device->error, sizeof(device->error));
	return error;
}

static int pn532_open(struct device *device)
{
	const struct pn532_config *config = device->config;
	struct pn532 *pn532 = device->state;

	memset(pn532, 0, sizeof(*pn532));
	pn532->fd = is_serial(device) ? tty_open(config->port, SPEED) : -1;
	return is_serial(device) && pn532->fd < 0 ? explain(device, pn532->fd) : 0;
}

static int pn532_trigger(struct device *device)
{
	struct pn532 *pn532 = device->state;
	uint8_t frame[PN532_FRAME_MAX];
	int r;

	if (pn532->asked)
		return 0;
	r = send(device, frame, pn532_frame(commands[pn532->step].bytes, commands[pn532->step].len, frame));
	pn532->asked = r >= 0;
	pn532->acknowledged = false;
	pn532->turns = 0;
	return explain(device, r);
}

static int pn532_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	struct pn532 *pn532 = device->state;
	int r = 0;

	(void)now_ms;
	ret_fresh[0] = false;
	/* Some rounds at most: a data line that is stuck high says "ready" for ever. */
	for (int round = 0; r >= 0 && pn532->asked && round < READS_MAX; round++) {
		r = receive(device);
		if (r <= 0)
			break;
		r = understand(device, ret_values, ret_fresh);
	}
	if (r >= 0 && pn532->asked && ++pn532->turns >= ANSWER_TURNS) {
		snprintf(device->error, sizeof(device->error),
			 pn532->acknowledged ? "it took the command and does not answer"
					     : "no answer from a PN532: are its switches set for this line?");
		r = -ETIMEDOUT;
	}
	return r < 0 ? explain(device, r) : 0;
}

static void pn532_close(struct device *device)
{
	struct pn532 *pn532 = device->state;

	if (is_serial(device) && pn532->fd >= 0)
		close(pn532->fd);
	pn532->fd = -1;
	explicit_bzero(pn532->uid, sizeof(pn532->uid));
}

#define SHARED                                                                                                                     \
	.config_size = sizeof(struct pn532_config), .state_size = sizeof(struct pn532), .interval = "250ms",                       \
	.settle_ms = SETTLE_MS, .configure = pn532_configure, .open = pn532_open, .trigger = pn532_trigger, .read = pn532_read,    \
	.close = pn532_close

const struct driver pn532_driver = {
	.name = "pn532",
	.help = "PN532 badge reader on I2C",
	.items = items,
	.i2c_addresses = (const uint8_t[]){ 0x24, 0 },
	SHARED,
};

const struct driver pn532_serial_driver = {
	.name = "pn532_serial",
	.help = "PN532 badge reader on a serial line",
	.items = serial_items,
	SHARED,
};
