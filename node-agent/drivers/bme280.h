/* Arithmetic of the BME280 and BMP280: what the chip's raw words mean, by its calibration (BST-BME280-DS002, 4.2). */
#pragma once

#include <stdint.h>

enum { BME280_CALIBRATION = 26, BME280_CALIBRATION_HUMIDITY = 7 }; /* bytes from register 0x88 and 0xE1 on */

struct bme280 {
	int64_t t1, t2, t3;
	int64_t p1, p2, p3, p4, p5, p6, p7, p8, p9;
	int32_t h1, h2, h3, h4, h5, h6;
};

struct bme280_raw {
	int32_t temperature, pressure, humidity;
};

extern const struct driver bme280_driver, bmp280_driver;

/* Reads the calibration (table 16). A BMP280 has zeros for humidity. -EIO when it can't be one: nothing, or nothing but ones. */
int bme280_calibrate(struct bme280 *ret_bme280, const uint8_t pressure[BME280_CALIBRATION],
		     const uint8_t humidity[BME280_CALIBRATION_HUMIDITY]);

/* values   °C, hPa, %RH in this order; %RH only when the calibration has humidity
 * Returns 0, or -ERANGE when they mean nothing by that calibration, or what the chip does not work in. */
int bme280_convert(const struct bme280 *bme280, const struct bme280_raw *raw, double values[]);
