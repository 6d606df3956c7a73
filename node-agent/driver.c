#include "driver.h"

#include <string.h>

extern const struct driver sim_driver, thermal_driver;

static const struct driver *const drivers[] = { &sim_driver, &thermal_driver };

const struct driver *driver_at(size_t index)
{
	return index < sizeof(drivers) / sizeof(*drivers) ? drivers[index] : NULL;
}

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; driver_at(i); i++)
		if (strcmp(driver_at(i)->name, name) == 0)
			return driver_at(i);
	return NULL;
}

struct channel *device_add_channel(struct device *device, const char *quantity, enum output output)
{
	struct channel *channel = &device->channels[device->channel_count];

	if (device->channel_count == CHANNELS_MAX || !quantity_name_valid(quantity, strlen(quantity)))
		return NULL;
	for (size_t i = 0; i < device->channel_count; i++)
		if (strcmp(device->channels[i].series.quantity, quantity) == 0)
			return NULL;
	*channel = (struct channel){ .device = device, .info = quantity_info_of(quantity), .output = output };
	strcpy(channel->series.device, device->name);
	strcpy(channel->series.quantity, quantity);
	if (output == OUTPUT_RANGE) {
		bool known = quantity_find(quantity) != QUANTITY_NONE;

		channel->min = known ? channel->info->min : 0;
		channel->max = known ? channel->info->max : 100;
		channel->step = 1;
	}
	device->channel_count++;
	return channel;
}

void device_tell(struct device *device, size_t channel, int64_t mono_ns, const struct value *value)
{
	device->services->tell(device, channel, mono_ns, value);
}

void device_wake(struct device *device, int64_t after_ms)
{
	device->services->wake(device, after_ms);
}
