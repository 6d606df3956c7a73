#include "bme280.h"

#include <errno.h>

static int32_t u16(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8;
}

static int32_t s16(const uint8_t *bytes)
{
	return (int16_t)u16(bytes);
}

static int32_t s8(uint8_t byte)
{
	return byte < 0x80 ? byte : byte - 0x100;
}

int bme280_calibrate(struct bme280 *ret_bme280, const uint8_t pressure[BME280_CALIBRATION],
		     const uint8_t humidity[BME280_CALIBRATION_HUMIDITY])
{
	struct bme280 *c = ret_bme280;

	*c = (struct bme280){ .t1 = u16(pressure), .t2 = s16(pressure + 2), .t3 = s16(pressure + 4), .p1 = u16(pressure + 6) };
	if (c->t1 == 0 || c->t1 == 0xFFFF || c->p1 == 0 || c->p1 == 0xFFFF)
		return -EIO;
	c->p2 = s16(pressure + 8);
	c->p3 = s16(pressure + 10);
	c->p4 = s16(pressure + 12);
	c->p5 = s16(pressure + 14);
	c->p6 = s16(pressure + 16);
	c->p7 = s16(pressure + 18);
	c->p8 = s16(pressure + 20);
	c->p9 = s16(pressure + 22);
	c->h1 = pressure[25];
	c->h2 = s16(humidity);
	c->h3 = humidity[2];
	c->h4 = s8(humidity[3]) * 16 + (humidity[4] & 15);
	c->h5 = s8(humidity[5]) * 16 + (humidity[4] >> 4);
	c->h6 = s8(humidity[6]);
	return 0;
}

/* The data sheet's integer formulas (4.2.3), with products where it shifts signed numbers to the left, and with limits, so that
 * rubbish cannot overflow. Shifts to the right are arithmetic. */

enum { FINE_MIN = -40 * 5120, FINE_MAX = 85 * 5120 };             /* table 1: where it works */
enum { PRESSURE_MIN = 30000 * 256, PRESSURE_MAX = 110000 * 256 }; /* the same, Pa in 24.8 fixed point */

static int64_t fine_temperature(const struct bme280 *c, int64_t raw)
{
	int64_t a = ((raw >> 3) - c->t1 * 2) * c->t2 >> 11;
	int64_t b = (raw >> 4) - c->t1;

	return a + (((b * b >> 12) * c->t3) >> 14);
}

/* Pa in 24.8 fixed point; negative when it can't be told. */
static int64_t pressure(const struct bme280 *c, int64_t raw, int64_t fine)
{
	static const int64_t one = INT64_C(1) << 47, most = INT64_C(1) << 36; /* of p: 1 Pa is 1 << 16 */
	int64_t a = fine - 128000;
	int64_t b = a * a * c->p6 + a * c->p5 * (1 << 17) + c->p4 * (INT64_C(1) << 35);
	int64_t p;

	a = (a * a * c->p3 >> 8) + a * c->p2 * (1 << 12);
	if (a <= -one || a >= one)
		return -1;
	a = (int64_t)((uint64_t)(one + a) * (uint64_t)c->p1 >> 33);
	if (a == 0 || __builtin_mul_overflow((1048576 - raw) * (INT64_C(1) << 31) - b, 3125, &p))
		return -1;
	p /= a;
	if (p < 0 || p > most)
		return -1;
	a = c->p9 * (p >> 13) * (p >> 13) >> 25;
	b = c->p8 * p >> 19;
	return ((p + a + b) >> 8) + c->p7 * 16;
}

/* %RH in 22.10 fixed point. */
static int64_t humidity(const struct bme280 *c, int64_t raw, int64_t fine)
{
	int64_t v = fine - 76800;
	int64_t scale = ((((v * c->h6 >> 10) * ((v * c->h3 >> 11) + 32768)) >> 10) + 2097152) * c->h2 + 8192;

	v = ((raw * 16384 - c->h4 * INT64_C(1048576) - c->h5 * v + 16384) >> 15) * (scale >> 14);
	v -= ((v >> 15) * (v >> 15) >> 7) * c->h1 >> 4;
	if (v < 0)
		v = 0;
	if (v > 419430400)
		v = 419430400;
	return v >> 12;
}

int bme280_convert(const struct bme280 *bme280, const struct bme280_raw *raw, double values[])
{
	int64_t fine = fine_temperature(bme280, raw->temperature), p;

	if (fine < FINE_MIN || fine > FINE_MAX)
		return -ERANGE;
	p = pressure(bme280, raw->pressure, fine);
	if (p < PRESSURE_MIN || p > PRESSURE_MAX)
		return -ERANGE;
	values[0] = (double)((fine * 5 + 128) >> 8) / 100;
	values[1] = (double)p / 256 / 100;
	if (bme280->h2)
		values[2] = (double)humidity(bme280, raw->humidity, fine) / 1024;
	return 0;
}
