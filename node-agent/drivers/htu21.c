/* HTU21D, SI7021, SHT21 temperature and humidity sensors, I2C 0x40. TE data sheet HPC199_6 HTU21D(F) (2017), Silicon Labs
 * Si7021-A20 rev. 1.3. One measures after the other: humidity begins when temperature has been read, and is told by wake(). The
 * commands that hold the clock line instead (0xE3, 0xE5) are not for Raspberry Pis, whose I2C loses bits when a chip does so. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "../driver.h"
#include "../i2c.h"
#include "crc8.h"

enum { MEASURE_TEMPERATURE = 0xF3, MEASURE_HUMIDITY = 0xF5 }; /* HTU21D p. 11: no hold */
enum { HUMIDITY_MS = 25 };                        /* HTU21D p. 3: 16 ms; Si7021 table 2: 12 and 10.8 ms for a temperature with it */
enum { STATUS_BITS = 3, STATUS_IS_HUMIDITY = 2 }; /* HTU21D p. 12: the two low bits of a word */

static int htu21_identify(struct i2c *i2c)
{
	/* Si7021 5.5: the second half of the serial number begins with the kind of chip, HTU21D and SHT21 answer it too. */
	uint8_t raw[6];

	return i2c_write_read(i2c, (const uint8_t[]){ 0xFC, 0xC9 }, 2, raw, sizeof(raw)) == 0 && crc8(raw, 2, 0) == raw[2];
}

/* Returns the word without its status bits. */
static int read_word(struct device *device, bool humidity)
{
	uint8_t raw[3];
	int r = i2c_read(device->i2c, raw, sizeof(raw));

	if (r >= 0)
		r = crc8_check_words(device, raw, 1, 0);
	if (r < 0)
		return r;
	if (!raw[0] && !raw[1]) { /* for which the checksum is 0, too; and below what these chips work in */
		snprintf(device->error, sizeof(device->error), "nothing but zeros: is a wire shorted?");
		return -ERANGE;
	}
	/* Si7021 has them 0 for both kinds, so only a temperature can be told from a humidity. */
	if (!humidity && (raw[1] & STATUS_BITS) == STATUS_IS_HUMIDITY) {
		snprintf(device->error, sizeof(device->error), "it gave a humidity when asked for the temperature");
		return -ERANGE;
	}
	return raw[0] << 8 | (raw[1] & ~STATUS_BITS);
}

static int htu21_trigger(struct device *device)
{
	return i2c_send_byte(device->i2c, MEASURE_TEMPERATURE);
}

static int htu21_fetch(struct device *device, double values[])
{
	int word = read_word(device, false), r = word;

	if (r >= 0)
		r = i2c_send_byte(device->i2c, MEASURE_HUMIDITY);
	if (r < 0)
		return r;
	values[0] = -46.85 + 175.72 * word / 65536; /* HTU21D p. 15 */
	values[1] = NAN;
	device_wake(device, HUMIDITY_MS);
	return 0;
}

static int htu21_wake(struct device *device)
{
	int word = read_word(device, true);
	struct value value;

	if (word < 0)
		return word;
	value = value_of_number(fmin(fmax(-6 + 125.0 * word / 65536, 0), 100)); /* HTU21D p. 15; cropped as Si7021 5.1.1 says */
	device_tell(device, 1, 0, &value);
	return 0;
}

const struct driver htu21_driver = {
	.name = "htu21",
	.help = "HTU21D, SI7021, SHT21 temperature and humidity sensors",
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_HUMIDITY, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x40, 0 },
	.settle_ms = 85, /* SHT21 data sheet, table 7: the slowest of the family */
	.identify = htu21_identify,
	.trigger = htu21_trigger,
	.fetch = htu21_fetch,
	.wake = htu21_wake,
};
