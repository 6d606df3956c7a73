/* DHT11, DHT21, DHT22 (AM2302): temperature and humidity by the kernel's dht11 driver, which times the chip's own signals
 * (Documentation/devicetree/bindings/iio/humidity/dht11.yaml; drivers/iio/humidity/dht11.c reads the chip at most every 2 s). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../driver.h"
#include "../sysfs.h"

enum { MISSES_MAX = 3 }; /* a bad checksum now and then is usual with these: so many in a row are no fault yet */

struct dht_config {
	const char *device;
};

struct dht {
	char folder[SYSFS_PATH_MAX];
	int misses;
};

static const struct conf_item items[] = {
	{ "device", CONF_STRING, offsetof(struct dht_config, device), NULL,
	  .help = "which of several: its name in /sys/bus/iio/devices/*/name, such as dht11@4 for GPIO 4; without: the first" },
	{ 0 },
};

/* context: the name wanted, or NULL for any that the kernel's driver made: the name of its node in the device tree. */
static int is_wanted(const char *folder, void *context)
{
	char path[SYSFS_PATH_MAX], name[SYSFS_TEXT_MAX];
	const char *wanted = context;

	if (sysfs_read(sysfs_file(path, folder, "name"), name, sizeof(name)) < 0)
		return 0;
	if (wanted)
		return strcmp(name, wanted) == 0;
	return strncmp(name, "dht", 3) == 0 || strncmp(name, "humidity_sensor", 15) == 0;
}

static int dht_open(struct device *device)
{
	const struct dht_config *config = device->config;
	struct dht *dht = device->state;
	char folder[SYSFS_PATH_MAX];
	char *name = config->device ? strdupa(config->device) : NULL;
	int r = sysfs_find(sysfs_path(folder, "/sys/bus/iio/devices"), is_wanted, name, dht->folder);

	dht->misses = 0;
	if (r == -ENOENT)
		snprintf(device->error, sizeof(device->error),
			 "no %.20s: add dtoverlay=dht11,gpiopin=N to /boot/firmware/config.txt", name ? name : "DHT sensor");
	return r;
}

static int dht_fetch(struct device *device, double values[])
{
	struct dht *dht = device->state;
	char path[SYSFS_PATH_MAX];
	double temperature = 0, humidity = 0;
	int r = sysfs_read_number(sysfs_file(path, dht->folder, "in_temp_input"), &temperature);

	/* The kernel gives both of one answer of the chip when they are asked for within 2 s. */
	if (r >= 0)
		r = sysfs_read_number(sysfs_file(path, dht->folder, "in_humidityrelative_input"), &humidity);
	if (r >= 0 && !(fabs(temperature) > 0) && !(humidity > 0))
		r = -EIO; /* nothing but zeros, for which the checksum is right: no air is so dry */
	if (r >= 0) {
		dht->misses = 0;
		values[0] = temperature / 1000;
		values[1] = humidity / 1000;
		return 0;
	}
	if (r != -ENOENT && r != -ENODEV && ++dht->misses < MISSES_MAX) {
		values[0] = values[1] = NAN;
		return 0;
	}
	if (r == -ETIMEDOUT)
		snprintf(device->error, sizeof(device->error),
			 "no answer: is it on the pin that the overlay says, with a pull-up?");
	else if (r == -EIO)
		snprintf(device->error, sizeof(device->error),
			 "bad checksums or zeros, one after the other: a long or loose wire?");
	else if (r == -ENOENT || r == -ENODEV)
		snprintf(device->error, sizeof(device->error), "its driver in the kernel is gone");
	return r;
}

const struct driver dht_driver = {
	.name = "dht",
	.help = "DHT11, DHT22 temperature and humidity sensors, by the kernel's driver (dtoverlay=dht11,gpiopin=4)",
	.items = items,
	.config_size = sizeof(struct dht_config),
	.state_size = sizeof(struct dht),
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_HUMIDITY, QUANTITY_NONE },
	.blocks = true,
	.open = dht_open,
	.fetch = dht_fetch,
};
