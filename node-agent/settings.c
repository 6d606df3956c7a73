#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log_settings.h"

static const struct conf_item node_items[] = {
	{ "name", CONF_NAME, offsetof(struct settings, name), .required = true, .help = "the node's name in topics" },
	{ "label", CONF_STRING, offsetof(struct settings, label), NULL, .help = "what people call it" },
	{ "icon", CONF_STRING, offsetof(struct settings, icon), NULL, .help = "its symbol in the pages: sofa, pot, car ..." },
	{ "state_dir", CONF_STRING, offsetof(struct settings, state_dir), NULL,
	  .help = "a folder of its own, for serial numbers and what waits on disk; systemd gives one" },
	{ "health_interval", CONF_DURATION, offsetof(struct settings, health_interval_ms), "60s", .min = 1000, .max = 86400000,
	  .help = "how often $health is told when nothing changes" },
	{ "resend_after", CONF_DURATION, offsetof(struct settings, resend_after_ms), "45s", .min = 1000, .max = 86400000,
	  .help = "a reading without a receipt is sent again" },
	{ "outbox", CONF_INT, offsetof(struct settings, outbox), "20000", .min = 1000, .max = 1000000,
	  .help = "readings kept in memory while nobody takes them" },
	{ "spill_after", CONF_DURATION, offsetof(struct settings, spill_after_ms), "60s", .min = 1000, .max = 86400000,
	  .help = "then they go to disk" },
	{ "outbox_disk", CONF_SIZE, offsetof(struct settings, outbox_disk), "64M", .max = 1e12,
	  .help = "how much of it they take at most: about 30 bytes a reading; 0: none" },
	{ "outbox_age", CONF_DURATION, offsetof(struct settings, outbox_age_ms), "90d", .max = 3.2e11,
	  .help = "how long they wait there at most; 0: without limit" },
	{ "clock_wait", CONF_DURATION, offsetof(struct settings, clock_wait_ms), "10m", .max = 2592000000,
	  .help = "after the machine's start, until a clock that is not synchronised is believed" },
	{ "clock_rate", CONF_NUMBER, offsetof(struct settings, clock_rate), "1", .min = 0.001, .max = 100000,
	  .help = "simulated devices live so many times as fast" },
	{ "back_fill", CONF_DURATION, offsetof(struct settings, back_fill_ms), "0", .max = 3.2e11,
	  .help = "simulated devices first tell their past of so long" },
	{ 0 },
};

struct device_section {
	const char *driver, *label, *icon;
	int64_t interval_ms;
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

static const char usual[] = "10s";

static void read_interval(struct conf *conf, const struct conf_section *section, const struct driver *driver, int64_t *ret_ms)
{
	const struct conf_item item[] = {
		{ "interval", CONF_DURATION, 0, driver->interval ? driver->interval : usual, .min = 10, .max = 86400000,
		  .help = "how often it is read" },
		{ 0 },
	};

	if (!driver->interval && !driver->fetch && !driver->read) {
		*ret_ms = 0; /* it tells by itself, or is only set */
		return;
	}
	conf_read(conf, section, "device", item, ret_ms);
}

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
	return device;
}

static void read_devices(struct conf *conf, struct settings *settings)
{
	const struct conf_section *section = NULL;
	struct device **end = &settings->devices;

	while ((section = conf_next(conf, "device", section))) {
		const char *name = conf_section_name(section);
		struct device_section given;
		const struct driver *driver;
		char drivers[256];

		conf_read(conf, section, "device", device_items, &given);
		if (!series_name_valid(name, strlen(name)))
			conf_mistake(conf, section, NULL, "[device %s]: a device's name is [a-z0-9][a-z0-9_-]{0,31}", name);
		if (!given.driver)
			continue;
		driver = driver_find(given.driver);
		if (!driver) {
			list_drivers(drivers, sizeof(drivers));
			conf_mistake(conf, section, "driver", "\"%s\": there are %s", given.driver, drivers);
			continue;
		}
		*end = make_device(conf, section, &given, driver);
		if (*end)
			end = &(*end)->next;
	}
}

void settings_read(struct conf *conf, struct settings *ret_settings)
{
	struct settings settings = { 0 };

	conf_read(conf, conf_section(conf, "mqtt", NULL), "mqtt", bus_items, &settings.bus);
	bus_check_settings(conf, &settings.bus);
	conf_read(conf, conf_section(conf, "node", NULL), "node", node_items, &settings);
	settings.log_level = log_read_settings(conf);
	if (!settings.state_dir)
		settings.state_dir = getenv("STATE_DIRECTORY");
	read_devices(conf, &settings);
	for (struct device *device = settings.devices; device && settings.name; device = device->next)
		for (size_t i = 0; i < device->channel_count; i++)
			strncat(device->channels[i].series.node, settings.name, NAME_MAX_LEN);
	*ret_settings = settings;
}

void settings_done(struct settings *settings)
{
	while (settings->devices) {
		struct device *device = settings->devices;

		settings->devices = device->next;
		device_unref(device);
	}
}

void settings_print(void)
{
	conf_print_items("[mqtt]", bus_items, stdout);
	conf_print_items("[node]", node_items, stdout);
	conf_print_items("[device NAME]", device_items, stdout);
	printf("    %-18s how often it is read; a time such as 10s\n", "interval");
	for (size_t i = 0; driver_at(i); i++) {
		const struct driver *driver = driver_at(i);

		printf("\n  driver = %s: %s\n", driver->name, driver->help);
		if (driver->items)
			conf_print_items("  its keys", driver->items, stdout);
	}
	printf("\n");
	conf_print_items("[log]", log_items, stdout);
}
