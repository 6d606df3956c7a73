/* Any sensor that has a driver in the kernel's hardware monitoring (Documentation/hwmon/sysfs-interface.rst): temp1, in0, ... */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel_channels.h"

static const struct kernel_type types[] = {
	{ "temp", QUANTITY_TEMPERATURE, 0.001 },   { "in", QUANTITY_VOLTAGE, 0.001 },
	{ "curr", QUANTITY_CURRENT, 0.001 },       { "power", QUANTITY_POWER, 0.000001 },
	{ "energy", QUANTITY_ENERGY, 1 / 3.6e12 }, /* microjoule */
	{ "humidity", QUANTITY_HUMIDITY, 0.001 },  { NULL, QUANTITY_NONE, 0 },
};

static const struct conf_item items[] = {
	{ "device", CONF_STRING, offsetof(struct kernel_config, device), .required = true,
	  .help = "its name in /sys/class/hwmon/*/name, or hwmon0, or its hardware's: 1-0048" },
	{ "channels", CONF_STRING, offsetof(struct kernel_config, channels), .required = true,
	  .help = "its channels: temp1 in0 curr1 power1 fan1:fan ..." },
	{ 0 },
};

static void hwmon_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	kernel_channels_configure(device, conf, section, types);
}

static int hwmon_open(struct device *device)
{
	return kernel_channels_open(device, "/sys/class/hwmon");
}

static int read_channel(struct device *device, const struct kernel_channel *channel, double *ret_number)
{
	const struct kernel_state *state = device->state;
	char file[KERNEL_CHANNEL_NAME_MAX + 16], path[SYSFS_PATH_MAX];
	double fault;
	int r;

	snprintf(file, sizeof(file), "%s_fault", channel->name);
	if (sysfs_read_number(sysfs_file(path, state->folder, file), &fault) == 0 && fault > 0) {
		snprintf(device->error, sizeof(device->error), "%.40s: the chip says that its probe is broken", channel->name);
		return -EIO;
	}
	snprintf(file, sizeof(file), "%s_input", channel->name);
	r = sysfs_read_number(sysfs_file(path, state->folder, file), ret_number);
	if (r < 0)
		return kernel_channels_fail(device, channel, r);
	*ret_number *= channel->factor;
	return 0;
}

static int hwmon_fetch(struct device *device, double values[])
{
	const struct kernel_config *config = device->config;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < device->channel_count; i++)
		r = read_channel(device, &config->list[i], &values[i]);
	return r;
}

const struct driver hwmon_driver = {
	.name = "hwmon",
	.help = "any sensor with a driver in the kernel's hardware monitoring",
	.items = items,
	.config_size = sizeof(struct kernel_config),
	.state_size = sizeof(struct kernel_state),
	.interval = "30s",
	.blocks = true,
	.configure = hwmon_configure,
	.open = hwmon_open,
	.fetch = hwmon_fetch,
};
