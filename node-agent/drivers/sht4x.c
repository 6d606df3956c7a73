/* SHT40, SHT41, SHT45 temperature and humidity sensors, I2C 0x44 (0x45, 0x46 by order code). Sensirion data sheet SHT4x,
 * version 6 (2023). */
#include <math.h>
#include <time.h>

#include "../driver.h"
#include "../i2c.h"
#include "crc8.h"

enum { MEASURE = 0xFD, READ_SERIAL = 0x89 }; /* 4.5: high precision, at most 8.3 ms (table 5) */
enum { CRC_START = 0xFF };

/* The chip answers nothing to commands of an SHT3x, and an SHT3x nothing to this one. */
static int sht4x_identify(struct i2c *i2c)
{
	static const struct timespec moment = { .tv_nsec = 2000000 };
	uint8_t raw[6];

	if (i2c_send_byte(i2c, READ_SERIAL) < 0)
		return 0;
	nanosleep(&moment, NULL); /* only --probe comes here */
	return i2c_read(i2c, raw, sizeof(raw)) == 0 && crc8(raw, 2, CRC_START) == raw[2] && crc8(raw + 3, 2, CRC_START) == raw[5];
}

static int sht4x_trigger(struct device *device)
{
	return i2c_send_byte(device->i2c, MEASURE);
}

static int sht4x_fetch(struct device *device, double values[])
{
	uint8_t raw[6];
	int r = i2c_read(device->i2c, raw, sizeof(raw));

	if (r >= 0)
		r = crc8_check_words(device, raw, 2, CRC_START);
	if (r < 0)
		return r;
	values[0] = -45 + 175.0 * (raw[0] << 8 | raw[1]) / 65535; /* 4.6 */
	/* The scale goes beyond both ends on purpose; what lies there is to be cropped (4.6). */
	values[1] = fmin(fmax(-6 + 125.0 * (raw[3] << 8 | raw[4]) / 65535, 0), 100);
	return 0;
}

const struct driver sht4x_driver = {
	.name = "sht4x",
	.help = "SHT40, SHT41, SHT45 temperature and humidity sensors",
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_HUMIDITY, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x44, 0x45, 0x46, 0 },
	.settle_ms = 10,
	.identify = sht4x_identify,
	.trigger = sht4x_trigger,
	.fetch = sht4x_fetch,
};
