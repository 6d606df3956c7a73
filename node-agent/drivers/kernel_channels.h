/* What iio and hwmon share: channels that the kernel has a driver for, named in the configuration as NAME or NAME:QUANTITY, and
 * the device that they belong to. */
#pragma once

#include "../driver.h"
#include "../sysfs.h"

enum { KERNEL_CHANNEL_NAME_MAX = 48 };

/* How values of a type of channel become those of a quantity: "temp" is in millidegrees. */
struct kernel_type {
	const char *prefix;     /* of the channel's name, followed by its end, a digit or '_' */
	enum quantity quantity; /* what it is usually: when the configuration does not say */
	double factor;          /* to the quantity's own unit */
};

struct kernel_channel {
	char name[KERNEL_CHANNEL_NAME_MAX + 1];
	double factor;
};

struct kernel_config {
	const char *device, *channels;
	struct kernel_channel list[CHANNELS_MAX]; /* in the order of device->channels */
};

struct kernel_state {
	char folder[SYSFS_PATH_MAX];
};

/* Makes the channels of kernel_config.channels. `types` ends with a NULL prefix; a channel of another type needs a quantity and is
 * taken as it is. For driver->configure. */
void kernel_channels_configure(struct device *device, struct conf *conf, const struct conf_section *section,
			       const struct kernel_type *types);

/* Finds the device in `parent` ("/sys/class/hwmon"): by its `name` file, its own name ("hwmon2") or its hardware's ("1-0048").
 * Returns 0, or a negative errno with device->error. For driver->open. */
int kernel_channels_open(struct device *device, const char *parent);

/* Words for a channel that could not be read, by its errno. Returns the errno to give back. */
int kernel_channels_fail(struct device *device, const struct kernel_channel *channel, int error);
