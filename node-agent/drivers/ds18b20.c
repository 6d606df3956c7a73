/* DS18B20 and its relatives on a 1-wire bus, by the kernel's w1_therm (Documentation/w1/slaves/w1_therm.rst). Reading takes up to
 * 750 ms, and longer when the kernel tries again after a bad CRC. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../driver.h"
#include "../sysfs.h"

#define DEVICES "/sys/bus/w1/devices"
#define POWER_ON 85.0 /* data sheet 19-7487, p. 6: the register before the first conversion */
#define POWER_ON_NEAR 5.0

enum { W1_SLAVE_MAX = 256 };

struct ds18b20_config {
	const char *id;
};

struct ds18b20 {
	char folder[SYSFS_PATH_MAX];
	bool has_last;
	double last;
};

static const struct conf_item items[] = {
	{ "id", CONF_STRING, offsetof(struct ds18b20_config, id), NULL,
	  .help = "which of them, 28-0123456789ab as in " DEVICES "; without: the first one there" },
	{ 0 },
};

static int is_master(const char *path, void *context)
{
	(void)context;
	return strstr(path, "/w1_bus_master") != NULL;
}

/* context: the id wanted, or NULL. Without: a family that w1_therm reads (DS18S20, DS1822, DS18B20, DS1825, DS28EA00). */
static int is_wanted(const char *path, void *context)
{
	static const char *const families[] = { "28-", "10-", "22-", "3b-", "42-" };
	const char *name = strrchr(path, '/') + 1, *id = context;

	if (id)
		return strcmp(name, id) == 0;
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (strncmp(name, families[i], strlen(families[i])) == 0)
			return 1;
	return 0;
}

static int ds18b20_open(struct device *device)
{
	const struct ds18b20_config *config = device->config;
	struct ds18b20 *ds18b20 = device->state;
	char devices[SYSFS_PATH_MAX], master[SYSFS_PATH_MAX];
	char *id = config->id ? strdupa(config->id) : NULL;
	int r = sysfs_find(sysfs_path(devices, DEVICES), is_wanted, id, ds18b20->folder);

	ds18b20->has_last = false;
	if (r != -ENOENT)
		return r;
	if (sysfs_find(devices, is_master, NULL, master) < 0)
		snprintf(device->error, sizeof(device->error), "no 1-wire bus: add dtoverlay=w1-gpio to /boot/firmware/config.txt");
	else if (id)
		snprintf(device->error, sizeof(device->error), "%.60s is not on the 1-wire bus", id);
	else
		snprintf(device->error, sizeof(device->error), "no thermometer on the 1-wire bus");
	return -ENODEV;
}

/* As a shorted data line reads: the CRC of zeros is 0, and right. A thermometer's configuration is never 0 (19-7487, figure 10). */
static bool is_zeros(const char *w1_slave)
{
	return strncmp(w1_slave, "00 00 00 00 00 00 00 00 00 ", 27) == 0;
}

/* "... crc=2c YES\n... t=21500": kernels before 5.10 have only this file. */
static int parse_w1_slave(const char *text, double *ret_millidegrees)
{
	const char *number = strstr(text, "t=");
	char *end;

	if (!strstr(text, "YES") || !number)
		return -EIO;
	if (is_zeros(text))
		return -ENXIO;
	*ret_millidegrees = strtod(number + 2, &end);
	return end > number + 2 ? 0 : -EIO;
}

static int read_millidegrees(const struct ds18b20 *ds18b20, double *ret_millidegrees)
{
	char path[SYSFS_PATH_MAX], text[W1_SLAVE_MAX];
	int r = sysfs_read_number(sysfs_file(path, ds18b20->folder, "temperature"), ret_millidegrees), len;
	bool is_zero = r == 0 && !(fabs(*ret_millidegrees) > 0); /* frost, or a shorted line? */

	if (r != -ENOENT && !is_zero)
		return r;
	len = sysfs_read(sysfs_file(path, ds18b20->folder, "w1_slave"), text, sizeof(text));
	if (len < 0)
		return is_zero ? 0 : len;
	return parse_w1_slave(text, ret_millidegrees);
}

static int ds18b20_fetch(struct device *device, double values[])
{
	struct ds18b20 *ds18b20 = device->state;
	const char *id = strrchr(ds18b20->folder, '/') + 1;
	double millidegrees = 0, degrees;
	int r = read_millidegrees(ds18b20, &millidegrees);

	if (r == -ENOENT || r == -ENODEV)
		snprintf(device->error, sizeof(device->error), "%.60s is gone from the 1-wire bus", id);
	else if (r == -ENXIO)
		snprintf(device->error, sizeof(device->error), "nothing but zeros from %.60s: is its line shorted?", id);
	else if (r < 0) /* the kernel says EIO, or nothing at all after a bad CRC */
		snprintf(device->error, sizeof(device->error), "the reading of %.60s failed: bad CRC or a loose wire", id);
	if (r < 0)
		return r == -ENODATA || r == -EINVAL || r == -ENXIO ? -EIO : r;
	degrees = millidegrees / 1000;
	if (!(fabs(degrees - POWER_ON) > 0) && !(ds18b20->has_last && fabs(ds18b20->last - POWER_ON) < POWER_ON_NEAR)) {
		snprintf(device->error, sizeof(device->error), "85 °C is what it says after power-on: a loose wire?");
		return -ERANGE;
	}
	ds18b20->last = degrees;
	ds18b20->has_last = true;
	values[0] = degrees;
	return 0;
}

const struct driver ds18b20_driver = {
	.name = "ds18b20",
	.help = "DS18B20 thermometer on a 1-wire bus",
	.items = items,
	.config_size = sizeof(struct ds18b20_config),
	.state_size = sizeof(struct ds18b20),
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_NONE },
	.blocks = true,
	.open = ds18b20_open,
	.fetch = ds18b20_fetch,
};
