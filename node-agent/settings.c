#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log_settings.h"
#include "rule.h"
#include "settings_conflict.h"
#include "settings_device.h"

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

static void read_devices(struct conf *conf, struct settings *settings)
{
	const struct conf_section *section = NULL;
	struct device **end = &settings->devices;

	while ((section = conf_next(conf, "device", section))) {
		*end = settings_read_device(conf, section);
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
	settings_check_conflicts(conf, settings.devices);
	settings.rules = rules_read(conf, settings.devices);
	for (struct device *device = settings.devices; device && settings.name; device = device->next)
		for (size_t i = 0; i < device->channel_count + device->derived_count; i++)
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
	rules_free(settings->rules);
	settings->rules = NULL;
}

void settings_print(void)
{
	conf_print_items("[mqtt]", bus_items, stdout);
	conf_print_items("[node]", node_items, stdout);
	settings_print_device();
	printf("\n");
	rules_print();
	conf_print_items("[log]", log_items, stdout);
}
