#include "settings_device.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_channel.h"

struct device_section {
	const char *driver, *label, *icon;
};

static const struct conf_item device_items[] = {
	{ "driver", CONF_STRING, offsetof(struct device_section, driver), .required = true, .help = "what kind of device it is" },
	{ "label", CONF_STRING, offsetof(struct device_section, label), NULL, .help = "what people call it" },
	{ "icon", CONF_STRING, offsetof(struct device_section, icon), NULL, .help = "its symbol in the pages" },
	{ 0 },
};

/* "sim, thermal" for a message. */
static void list_drivers(char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; driver_at(i); i++) {
		strncat(buf, i ? ", " : "", size - strlen(buf) - 1);
		strncat(buf, driver_at(i)->name, size - strlen(buf) - 1);
	}
}

static void read_interval(struct conf *conf, const struct conf_section *section, const struct driver *driver, int64_t *ret_ms)
{
	const struct conf_item item[] = {
		{ "interval", CONF_DURATION, 0, driver->interval ? driver->interval : "10s", .min = 10, .max = 86400000,
		  .help = "how often it is read" },
		{ 0 },
	};

	if (!driver->interval && !driver->fetch && !driver->read) {
		*ret_ms = 0; /* it tells by itself, or is only set */
		return;
	}
	conf_read(conf, section, "device", item, ret_ms);
}

/* ---- I2C ------------------------------------------------------------------------------------------------------------------------- */

/* "0x76, 0x77" for a message. */
static const char *list_addresses(const uint8_t *addresses, char *buf, size_t size)
{
	size_t len = 0;

	for (; *addresses && len < size; addresses++)
		len += (size_t)snprintf(buf + len, size - len, "%s0x%02x", len ? ", " : "", *addresses);
	return buf;
}

static void read_bus(struct conf *conf, const struct conf_section *section, struct device *device)
{
	const uint8_t *addresses = device->driver->i2c_addresses;
	char first[8], list[160];
	struct {
		const char *bus;
		int address;
	} given;
	const struct conf_item items[] = {
		{ "bus", CONF_STRING, offsetof(__typeof__(given), bus), "/dev/i2c-1", .help = "the I2C bus" },
		{ "address", CONF_INT, offsetof(__typeof__(given), address), first, .min = 0x03, .max = 0x77, .help = "on it" },
		{ 0 },
	};

	snprintf(first, sizeof(first), "0x%02x", addresses[0]);
	conf_read(conf, section, "device", items, &given);
	device->bus = given.bus;
	device->address = given.address;
	if (!memchr(addresses, given.address, strlen((const char *)addresses)))
		conf_mistake(conf, section, "address", "0x%02x: a %s is at %s", (unsigned)given.address, device->driver->name,
			     list_addresses(addresses, list, sizeof(list)));
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------- */

static struct device *make_device(struct conf *conf, const struct conf_section *section, const struct device_section *given,
				  const struct driver *driver)
{
	struct device *device = device_make(conf_section_name(section), driver, conf);

	if (!device)
		return NULL;
	strncat(device->label, given->label ? given->label : "", CHANNEL_LABEL_MAX);
	strncat(device->icon, given->icon ? given->icon : "", CHANNEL_LABEL_MAX);
	read_interval(conf, section, driver, &device->interval_ms);
	if (driver->i2c_addresses)
		read_bus(conf, section, device);
	if (driver->items)
		conf_read(conf, section, "device", driver->items, device->config);
	for (const enum quantity *quantity = driver->emits; quantity && *quantity != QUANTITY_NONE; quantity++)
		device_add_channel(device, quantity_info(*quantity)->name, OUTPUT_NONE);
	if (driver->configure)
		driver->configure(device, conf, section);
	settings_read_channels(device, conf, section);
	return device;
}

struct device *settings_read_device(struct conf *conf, const struct conf_section *section)
{
	const char *name = conf_section_name(section);
	struct device_section given;
	const struct driver *driver;
	char drivers[512];

	conf_read(conf, section, "device", device_items, &given);
	if (!series_name_valid(name, strlen(name)))
		conf_mistake(conf, section, NULL, "[device %s]: a device's name is [a-z0-9][a-z0-9_-]{0,31}", name);
	if (!given.driver)
		return NULL;
	driver = driver_find(given.driver);
	if (driver)
		return make_device(conf, section, &given, driver);
	list_drivers(drivers, sizeof(drivers));
	conf_mistake(conf, section, "driver", "\"%s\": there are %s", given.driver, drivers);
	return NULL;
}

void settings_print_device(void)
{
	conf_print_items("[device NAME]", device_items, stdout);
	printf("    %-18s how often it is read; a time such as 10s\n", "interval");
	settings_print_channel();
	for (size_t i = 0; driver_at(i); i++) {
		const struct driver *driver = driver_at(i);

		printf("\n  driver = %s: %s\n", driver->name, driver->help);
		if (driver->i2c_addresses)
			printf("    %-18s the I2C bus (/dev/i2c-1)\n    %-18s on it (0x%02x)\n", "bus", "address",
			       driver->i2c_addresses[0]);
		if (driver->items)
			conf_print_items("  its keys", driver->items, stdout);
	}
}
