/* BH1750FVI ambient light sensor, I2C 0x23 or 0x5c. Pages: ROHM technical note 11046EDT01, 2011.11 Rev.D. */
#include <errno.h>
#include <stdio.h>

#include "../driver.h"
#include "../i2c.h"

enum { ONE_TIME_H_RESOLUTION = 0x20 }; /* p. 5: steps of 1 lx; the chip powers down by itself afterwards */
enum { SATURATED = 0xFFFF };
#define COUNTS_PER_LUX 1.2 /* p. 2, typical */

static int bh1750_trigger(struct device *device)
{
	return i2c_send_byte(device->i2c, ONE_TIME_H_RESOLUTION);
}

static int bh1750_fetch(struct device *device, double values[])
{
	uint8_t raw[2];
	int r = i2c_read(device->i2c, raw, sizeof(raw)), counts;

	if (r < 0)
		return r;
	counts = raw[0] << 8 | raw[1];
	if (counts == SATURATED) {
		snprintf(device->error, sizeof(device->error), "brighter than the chip can tell (54612 lx)");
		return -ERANGE;
	}
	values[0] = counts / COUNTS_PER_LUX;
	return 0;
}

const struct driver bh1750_driver = {
	.name = "bh1750",
	.help = "BH1750 light sensor",
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_ILLUMINANCE, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x23, 0x5c, 0 },
	.settle_ms = 180, /* p. 2, the longest */
	.trigger = bh1750_trigger,
	.fetch = bh1750_fetch,
};
