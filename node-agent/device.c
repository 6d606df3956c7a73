/* A configured chip: its channels, and what its hooks may ask for. Apart from the list of drivers, so that a test links the one it tests. */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

struct device *device_make(const char *name, const struct driver *driver, struct conf *conf)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->refs = 1;
	device->driver = driver;
	device->conf = conf ? conf_ref(conf) : NULL;
	device->config = calloc(1, driver->config_size + 1);
	device->state = calloc(1, driver->state_size + 1);
	strncat(device->name, name, NAME_MAX_LEN);
	if (!device->config || !device->state) {
		device_unref(device);
		return NULL;
	}
	return device;
}

struct device *device_ref(struct device *device)
{
	device->refs++;
	return device;
}

void device_unref(struct device *device)
{
	if (!device || --device->refs > 0)
		return;
	for (size_t i = 0; i < device->channel_count + device->derived_count; i++) {
		free(device->channels[i].condition);
		free(device->channels[i].safety);
	}
	free(device->config);
	free(device->state);
	conf_close(device->conf);
	free(device);
}

static struct channel *fill_channel(struct device *device, const char *quantity, enum output output)
{
	size_t count = device->channel_count + device->derived_count;
	struct channel *channel = &device->channels[count];

	if (count == CHANNELS_MAX || !quantity_name_valid(quantity, strlen(quantity)))
		return NULL;
	for (size_t i = 0; i < count; i++)
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
	return channel;
}

struct channel *device_add_channel(struct device *device, const char *quantity, enum output output)
{
	struct channel *channel = fill_channel(device, quantity, output);

	if (channel)
		device->channel_count++;
	return channel;
}

struct channel *device_add_derived(struct device *device, const char *quantity, int kind)
{
	struct channel *channel = fill_channel(device, quantity, OUTPUT_NONE);

	if (channel)
		device->derived[device->derived_count++] = kind;
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
