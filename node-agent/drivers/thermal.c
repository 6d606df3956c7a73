/* The machine's own temperature, from the kernel's thermal zones (Documentation/ABI/testing/sysfs-class-thermal: temp in millidegrees Celsius). */
#include <errno.h>
#include <stdio.h>

#include "../driver.h"

struct thermal {
	int zone;
	const char *path;
};

static const struct conf_item items[] = {
	{ "zone", CONF_INT, offsetof(struct thermal, zone), "0", .max = 99, .help = "number of the thermal zone" },
	{ "path", CONF_STRING, offsetof(struct thermal, path), NULL, .help = "another file with millidegrees, instead of zone" },
	{ 0 },
};

static int thermal_fetch(struct device *device, double values[])
{
	const struct thermal *thermal = device->config;
	char path[80];
	long millidegrees;
	FILE *file;
	char after = '\n';
	int count;

	snprintf(path, sizeof(path), "/sys/class/thermal/thermal_zone%d/temp", thermal->zone);
	file = fopen(thermal->path ? thermal->path : path, "re");
	if (!file) {
		int error = errno;

		snprintf(device->error, sizeof(device->error), "cannot open %s", thermal->path ? thermal->path : path);
		return -error;
	}
	count = fscanf(file, "%ld%c", &millidegrees, &after);
	fclose(file);
	if (count < 1 || after != '\n') {
		snprintf(device->error, sizeof(device->error), "no number in %s", thermal->path ? thermal->path : path);
		return -EIO;
	}
	values[0] = (double)millidegrees / 1000;
	return 0;
}

const struct driver thermal_driver = {
	.name = "thermal",
	.help = "the machine's own temperature",
	.items = items,
	.config_size = sizeof(struct thermal),
	.interval = "60s",
	.emits = (const enum quantity[]){ QUANTITY_TEMPERATURE, QUANTITY_NONE },
	.blocks = true, /* `path` may be anything */
	.fetch = thermal_fetch,
};
