/* MCP9808 and MCP9804 thermometers, I2C 0x18 to 0x1f. Microchip DS25095A, DS22203C. */
#include <errno.h>
#include <stdio.h>

#include "../driver.h"
#include "../i2c.h"

enum { CONFIGURATION = 1, TEMPERATURE = 5, MANUFACTURER = 6, DEVICE = 7 }; /* 5.1: registers */
enum { MICROCHIP = 0x0054, MCP9804 = 0x02, MCP9808 = 0x04 };               /* 5.1.4, 5.1.5 */

static int mcp9808_identify(struct i2c *i2c)
{
	int manufacturer = i2c_read_word(i2c, MANUFACTURER, I2C_HIGH_FIRST);
	int id = manufacturer < 0 ? manufacturer : i2c_read_word(i2c, DEVICE, I2C_HIGH_FIRST);

	return id < 0 ? id : manufacturer == MICROCHIP && (id >> 8 == MCP9808 || id >> 8 == MCP9804);
}

/* Somebody may have put it to sleep: 0 is what it has from power-on, measuring all the time (5.1.1). */
static int mcp9808_open(struct device *device)
{
	int r = mcp9808_identify(device->i2c);

	if (r == 0)
		snprintf(device->error, sizeof(device->error), "the chip at 0x%02x is neither an MCP9808 nor an MCP9804",
			 (unsigned)device->address);
	return r == 0 ? -ENODEV : r < 0 ? r : i2c_write_word(device->i2c, CONFIGURATION, I2C_HIGH_FIRST, 0);
}

static int mcp9808_fetch(struct device *device, double values[])
{
	int id = i2c_read_word(device->i2c, MANUFACTURER, I2C_HIGH_FIRST);
	int raw = id < 0 ? id : i2c_read_word(device->i2c, TEMPERATURE, I2C_HIGH_FIRST);

	if (raw < 0)
		return raw;
	if (id != MICROCHIP) { /* a wire that is loose reads as zeros or ones, which would be 0 °C */
		snprintf(device->error, sizeof(device->error), "it does not say any more that it is Microchip's");
		return -EIO;
	}
	if (raw == 0xFFFF) { /* 5.1.3: above its upper limit and below its lower one */
		snprintf(device->error, sizeof(device->error), "nothing but ones: is a wire loose?");
		return -ERANGE;
	}
	values[0] = (int16_t)((uint16_t)raw << 3) / 8 * 0.0625; /* 5.1.3: three flags, a sign, sixteenths of a degree */
	return 0;
}

const struct driver mcp9808_driver = {
	.name = "mcp9808",
	.help = "MCP9808, MCP9804 thermometers",
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0 },
	.identify = mcp9808_identify,
	.open = mcp9808_open,
	.fetch = mcp9808_fetch,
};
