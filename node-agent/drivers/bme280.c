/* BME280 (temperature, humidity, air pressure) and BMP280 (without humidity), I2C 0x76 or 0x77. Sections: Bosch data sheets
 * BST-BME280-DS002 rev. 1.6 and BST-BMP280-DS001 rev. 1.19. Measured once a turn, in forced mode, as 3.5.1 advises for weather. */
#include <errno.h>
#include <stdio.h>

#include "../driver.h"
#include "../i2c.h"
#include "bme280.h"

enum { ID = 0xD0, CALIBRATION = 0x88, CALIBRATION_HUMIDITY = 0xE1, CTRL_HUM = 0xF2, STATUS = 0xF3, CTRL_MEAS = 0xF4, DATA = 0xF7 };
enum { ID_BME280 = 0x60, ID_BMP280 = 0x58, ID_BMP280_SAMPLE = 0x56, ID_BMP280_SAMPLE_2 = 0x57 };
enum { FORCED_1X_1X = 1 << 5 | 1 << 2 | 1, HUMIDITY_1X = 1 }; /* 5.4.5, 5.4.3 */
enum { STATUS_MEASURING = 8, STATUS_COPYING = 1 };            /* 5.4.4 */
enum { SKIPPED = 0x80000, SKIPPED_HUMIDITY = 0x8000 };        /* 5.4.7, and what the registers hold after power-on */

static bool is_bmp280(int id)
{
	return id == ID_BMP280 || id == ID_BMP280_SAMPLE || id == ID_BMP280_SAMPLE_2;
}

static int bme280_identify(struct i2c *i2c)
{
	return i2c_read_byte(i2c, ID) == ID_BME280;
}

static int bmp280_identify(struct i2c *i2c)
{
	return is_bmp280(i2c_read_byte(i2c, ID));
}

static bool with_humidity(const struct device *device)
{
	return device->driver == &bme280_driver;
}

static int check_id(struct device *device)
{
	int id = i2c_read_byte(device->i2c, ID);

	if (id < 0 || (with_humidity(device) ? id == ID_BME280 : is_bmp280(id)))
		return id;
	if (is_bmp280(id))
		snprintf(device->error, sizeof(device->error), "the chip is a BMP280 (id 0x%02x): driver = bmp280", (unsigned)id);
	else if (id == ID_BME280)
		snprintf(device->error, sizeof(device->error), "the chip is a BME280 (id 0x60): driver = bme280");
	else
		snprintf(device->error, sizeof(device->error), "chip id 0x%02x is neither a BME280's (0x60) nor a BMP280's (0x58)",
			 (unsigned)id);
	return -ENODEV;
}

static int bme280_open(struct device *device)
{
	struct bme280 *bme280 = device->state;
	uint8_t pressure[BME280_CALIBRATION], humidity[BME280_CALIBRATION_HUMIDITY] = { 0 };
	int r = check_id(device), status;

	if (r < 0)
		return r;
	status = i2c_read_byte(device->i2c, STATUS);
	if (status < 0)
		return status;
	if (status & STATUS_COPYING) {
		snprintf(device->error, sizeof(device->error), "it is still starting");
		return -EAGAIN;
	}
	r = i2c_read_block(device->i2c, CALIBRATION, pressure, sizeof(pressure));
	if (r >= 0 && with_humidity(device))
		r = i2c_read_block(device->i2c, CALIBRATION_HUMIDITY, humidity, sizeof(humidity));
	if (r < 0)
		return r;
	r = bme280_calibrate(bme280, pressure, humidity);
	if (r >= 0 && with_humidity(device) && (bme280->h2 == 0 || bme280->h2 == -1))
		r = -EIO;
	if (r < 0)
		snprintf(device->error, sizeof(device->error), "its calibration reads as zeros or ones: a worn or foreign chip");
	return r;
}

static int bme280_trigger(struct device *device)
{
	/* Humidity's setting counts from the next write to CTRL_MEAS on (5.4.3). */
	int r = with_humidity(device) ? i2c_write_byte(device->i2c, CTRL_HUM, HUMIDITY_1X) : 0;

	return r < 0 ? r : i2c_write_byte(device->i2c, CTRL_MEAS, FORCED_1X_1X);
}

static int bme280_fetch(struct device *device, double values[])
{
	uint8_t raw[8] = { 0 };
	int status = i2c_read_byte(device->i2c, STATUS), r = status;
	struct bme280_raw words;

	if (r >= 0)
		r = i2c_read_block(device->i2c, DATA, raw, with_humidity(device) ? 8 : 6);
	if (r < 0)
		return r;
	if (status & STATUS_MEASURING) {
		snprintf(device->error, sizeof(device->error), "it measures without end (status 0x%02x)", (unsigned)status);
		return -ETIMEDOUT;
	}
	words = (struct bme280_raw){ .pressure = raw[0] << 12 | raw[1] << 4 | raw[2] >> 4,
				     .temperature = raw[3] << 12 | raw[4] << 4 | raw[5] >> 4,
				     .humidity = raw[6] << 8 | raw[7] };
	if (words.temperature == SKIPPED || words.pressure == SKIPPED ||
	    (with_humidity(device) && words.humidity == SKIPPED_HUMIDITY)) {
		snprintf(device->error, sizeof(device->error), "it has not measured: it may just have come to power");
		return -ERANGE;
	}
	r = bme280_convert(device->state, &words, values);
	if (r < 0)
		snprintf(device->error, sizeof(device->error),
			 "its words mean nothing from -40 to 85 °C and 300 to 1100 hPa, where it works");
	return r;
}

#define SHARED                                                                                                                     \
	.state_size = sizeof(struct bme280), .interval = "30s", .i2c_addresses = (const uint8_t[]){ 0x76, 0x77, 0 },               \
	.settle_ms = 10 /* 9.1: at most 9.3 ms */, .open = bme280_open, .trigger = bme280_trigger, .fetch = bme280_fetch

const struct driver bme280_driver = {
	.name = "bme280",
	.help = "BME280 temperature, humidity and air pressure sensor",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_PRESSURE, QUANTITY_HUMIDITY, QUANTITY_NONE },
	.identify = bme280_identify,
	SHARED,
};

const struct driver bmp280_driver = {
	.name = "bmp280",
	.help = "BMP280 temperature and air pressure sensor",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_PRESSURE, QUANTITY_NONE },
	.identify = bmp280_identify,
	SHARED,
};
