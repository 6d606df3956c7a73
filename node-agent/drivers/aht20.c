/* AHT20, AHT21, AHT25 temperature and humidity sensors, I2C 0x38. ASAIR product manual AHT20, V1.0 (2020), 5.3 and 5.4. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "../driver.h"
#include "../i2c.h"
#include "crc8.h"

enum { STATUS_BUSY = 0x80, STATUS_CALIBRATED = 0x08 };

static const uint8_t initialize[] = { 0xBE, 0x08, 0x00 };
static const uint8_t measure[] = { 0xAC, 0x33, 0x00 };

struct aht20 {
	bool initializing; /* this turn goes to the chip's initialisation */
};

/* A chip that came to power a moment ago may want to be initialised before it measures. */
static int aht20_trigger(struct device *device)
{
	struct aht20 *aht20 = device->state;
	bool again = aht20->initializing;
	int status = i2c_receive_byte(device->i2c); /* whatever is read begins with the status (5.3) */

	if (status < 0)
		return status;
	aht20->initializing = !(status & STATUS_CALIBRATED);
	if (aht20->initializing && again) {
		aht20->initializing = false; /* it is tried again after a while */
		snprintf(device->error, sizeof(device->error), "status 0x%02x: not calibrated; is it an AHT20?", (unsigned)status);
		return -EIO;
	}
	if (aht20->initializing)
		return i2c_write(device->i2c, initialize, sizeof(initialize));
	return i2c_write(device->i2c, measure, sizeof(measure));
}

static int aht20_fetch(struct device *device, double values[])
{
	const struct aht20 *aht20 = device->state;
	uint8_t raw[7];
	int r;

	if (aht20->initializing) {
		values[0] = values[1] = NAN;
		return 0;
	}
	r = i2c_read(device->i2c, raw, sizeof(raw));
	if (r < 0)
		return r;
	if (raw[0] & STATUS_BUSY) {
		snprintf(device->error, sizeof(device->error), "it measures without end (status 0x%02x)", raw[0]);
		return -ETIMEDOUT;
	}
	if (crc8(raw, 6, 0xFF) != raw[6]) {
		snprintf(device->error, sizeof(device->error), "bad CRC: 0x%02x", raw[6]);
		return -ERANGE;
	}
	values[0] = ((raw[3] & 15) << 16 | raw[4] << 8 | raw[5]) * 200.0 / (1 << 20) - 50;
	values[1] = (raw[1] << 12 | raw[2] << 4 | raw[3] >> 4) * 100.0 / (1 << 20);
	return 0;
}

const struct driver aht20_driver = {
	.name = "aht20",
	.help = "AHT20, AHT21, AHT25 temperature and humidity sensors",
	.state_size = sizeof(struct aht20),
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_HUMIDITY, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x38, 0 },
	.settle_ms = 90, /* 5.4: 80 ms and a little */
	.trigger = aht20_trigger,
	.fetch = aht20_fetch,
};
