/* Any sensor that has a driver in the kernel's Industrial I/O (Documentation/ABI/testing/sysfs-bus-iio): in_temp, in_voltage0,
 * in_illuminance ..., with the scale and offset that the kernel says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel_channels.h"

/* Units of the ABI after scale and offset. */
static const struct kernel_type types[] = {
	{ "in_temp", QUANTITY_TEMPERATURE, 0.001 }, /* millidegrees */
	{ "in_humidityrelative", QUANTITY_HUMIDITY, 0.001 },
	{ "in_pressure", QUANTITY_PRESSURE, 10 }, /* kPa */
	{ "in_illuminance", QUANTITY_ILLUMINANCE, 1 },
	{ "in_voltage", QUANTITY_VOLTAGE, 0.001 },
	{ "in_current", QUANTITY_CURRENT, 0.001 },
	{ "in_power", QUANTITY_POWER, 0.001 },
	{ "in_distance", QUANTITY_DISTANCE, 100 },       /* m */
	{ "in_proximity", QUANTITY_DISTANCE, 100 },      /* m for those that measure */
	{ "in_concentration_co2", QUANTITY_CO2, 10000 }, /* % */
	{ NULL, QUANTITY_NONE, 0 },
};

static const struct conf_item items[] = {
	{ "device", CONF_STRING, offsetof(struct kernel_config, device), .required = true,
	  .help = "its name in /sys/bus/iio/devices/*/name, or iio:device0, or its hardware's: 1-0076" },
	{ "channels", CONF_STRING, offsetof(struct kernel_config, channels), .required = true,
	  .help = "its channels: in_temp in_pressure in_voltage0:voltage ..." },
	{ 0 },
};

static void iio_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	kernel_channels_configure(device, conf, section, types);
}

static int iio_open(struct device *device)
{
	return kernel_channels_open(device, "/sys/bus/iio/devices");
}

/* in_voltage0_scale, else in_voltage_scale, which counts for all of its type; else the fallback. */
static int read_attribute(const char *folder, const char *channel, const char *attribute, double fallback, double *ret_number)
{
	char file[KERNEL_CHANNEL_NAME_MAX + 16], path[SYSFS_PATH_MAX];
	int r;

	snprintf(file, sizeof(file), "%s_%s", channel, attribute);
	r = sysfs_read_number(sysfs_file(path, folder, file), ret_number);
	if (r == -ENOENT) {
		size_t len = strcspn(channel, "0123456789");

		snprintf(file, sizeof(file), "%.*s_%s", (int)len, channel, attribute);
		r = sysfs_read_number(sysfs_file(path, folder, file), ret_number);
	}
	if (r != -ENOENT)
		return r;
	*ret_number = fallback;
	return 0;
}

static int read_channel(const char *folder, const char *channel, double *ret_number)
{
	char file[KERNEL_CHANNEL_NAME_MAX + 16], path[SYSFS_PATH_MAX];
	double raw, offset, scale;
	int r;

	snprintf(file, sizeof(file), "%s_input", channel);
	r = sysfs_read_number(sysfs_file(path, folder, file), ret_number);
	if (r != -ENOENT)
		return r;
	snprintf(file, sizeof(file), "%s_raw", channel);
	r = sysfs_read_number(sysfs_file(path, folder, file), &raw);
	if (r >= 0)
		r = read_attribute(folder, channel, "offset", 0, &offset);
	if (r >= 0)
		r = read_attribute(folder, channel, "scale", 1, &scale);
	if (r >= 0)
		*ret_number = (raw + offset) * scale;
	return r;
}

static int iio_fetch(struct device *device, double values[])
{
	const struct kernel_config *config = device->config;
	const struct kernel_state *state = device->state;

	for (size_t i = 0; i < device->channel_count; i++) {
		int r = read_channel(state->folder, config->list[i].name, &values[i]);

		if (r < 0)
			return kernel_channels_fail(device, &config->list[i], r);
		values[i] *= config->list[i].factor;
	}
	return 0;
}

const struct driver iio_driver = {
	.name = "iio",
	.help = "any sensor with a driver in the kernel's Industrial I/O",
	.items = items,
	.config_size = sizeof(struct kernel_config),
	.state_size = sizeof(struct kernel_state),
	.interval = "30s",
	.blocks = true,
	.configure = iio_configure,
	.open = iio_open,
	.fetch = iio_fetch,
};
