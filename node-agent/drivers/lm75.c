/* LM75 thermometer, I2C 0x48 to 0x4f. NXP data sheet LM75B Rev. 6.1 (2015). */
#include <errno.h>
#include <stdio.h>

#include "../driver.h"
#include "../i2c.h"

enum { TEMPERATURE = 0, CONFIGURATION = 1, HYSTERESIS = 2, OVERHEAT = 3 }; /* table 7: registers */
enum { RESERVED = 0xE0 };                                                  /* table 8: of the configuration, always 0 */

/* It has no id. The thresholds of its alarm output, which hardly anybody uses, are 75 and 80 °C from power-on (7.4.4). */
static int lm75_identify(struct i2c *i2c)
{
	int configuration = i2c_read_byte(i2c, CONFIGURATION);

	return configuration >= 0 && !(configuration & RESERVED) && i2c_read_word(i2c, HYSTERESIS, I2C_HIGH_FIRST) == 0x4B00 &&
	       i2c_read_word(i2c, OVERHEAT, I2C_HIGH_FIRST) == 0x5000;
}

/* Asleep it would tell its last temperature for ever, so it has what it has from power-on: 0 (table 8). */
static int lm75_open(struct device *device)
{
	return i2c_write_byte(device->i2c, CONFIGURATION, 0);
}

static int lm75_fetch(struct device *device, double values[])
{
	int raw = i2c_read_word(device->i2c, TEMPERATURE, I2C_HIGH_FIRST);

	if (raw < 0)
		return raw;
	if (raw == 0xFFFF) { /* -0.125 °C only when the five bits that mean nothing are ones, too */
		snprintf(device->error, sizeof(device->error), "nothing but ones: is a wire loose?");
		return -ERANGE;
	}
	values[0] = ((int16_t)raw >> 5) * 0.125; /* 7.4.3: the upper 11 bits, eighths of a degree */
	return 0;
}

const struct driver lm75_driver = {
	.name = "lm75",
	.help = "LM75 thermometer",
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0 },
	.identify = lm75_identify,
	.open = lm75_open,
	.fetch = lm75_fetch,
};
