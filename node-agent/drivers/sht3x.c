/* SHT30, SHT31, SHT35 temperature and humidity sensors, I2C 0x44 or 0x45. Sensirion data sheet SHT3x-DIS, version 6 (2019). */
#include "../driver.h"
#include "../i2c.h"
#include "crc8.h"

enum { CRC_START = 0xFF };

static const uint8_t measure[] = { 0x24, 0x00 };     /* 4.3: single shot, high repeatability, no clock stretching */
static const uint8_t read_status[] = { 0xF3, 0x2D }; /* 4.11 */

static int sht3x_identify(struct i2c *i2c)
{
	uint8_t raw[3];

	return i2c_write_read(i2c, read_status, sizeof(read_status), raw, sizeof(raw)) == 0 && crc8(raw, 2, CRC_START) == raw[2];
}

static int sht3x_trigger(struct device *device)
{
	return i2c_write(device->i2c, measure, sizeof(measure));
}

static int sht3x_fetch(struct device *device, double values[])
{
	uint8_t raw[6];
	int r = i2c_read(device->i2c, raw, sizeof(raw));

	if (r >= 0)
		r = crc8_check_words(device, raw, 2, CRC_START);
	if (r < 0)
		return r;
	values[0] = -45 + 175.0 * (raw[0] << 8 | raw[1]) / 65535; /* 4.13 */
	values[1] = 100.0 * (raw[3] << 8 | raw[4]) / 65535;
	return 0;
}

const struct driver sht3x_driver = {
	.name = "sht3x",
	.help = "SHT30, SHT31, SHT35 temperature and humidity sensors",
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_HUMIDITY, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x44, 0x45, 0 },
	.settle_ms = 16, /* table 4: at most 15 ms */
	.identify = sht3x_identify,
	.trigger = sht3x_trigger,
	.fetch = sht3x_fetch,
};
