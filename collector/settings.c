#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../common/log_settings.h"

struct store_section {
	const char *url;
	int64_t commit_interval_ms;
	int batch;
	int raw_days, five_min_days;
};

static const struct conf_item store_items[] = {
	{ "url", CONF_STRING, offsetof(struct store_section, url), "sqlite:///var/lib/foyer/foyer.db",
	  .help = "where readings are kept" },
	{ "commit_interval", CONF_DURATION, offsetof(struct store_section, commit_interval_ms), "10s", .max = 600000,
	  .help = "the shortest time between two commits of steady readings" },
	{ "batch", CONF_INT, offsetof(struct store_section, batch), "20000", .min = 2, .max = 65535,
	  .help = "the most messages of one transaction" },
	{ "raw_days", CONF_INT, offsetof(struct store_section, raw_days), "0", .max = 36500,
	  .help = "how long single readings stay; 0 is for ever" },
	{ "five_min_days", CONF_INT, offsetof(struct store_section, five_min_days), "0", .max = 36500,
	  .help = "how long means of 5 minutes stay, at least as long as single readings; those of hours stay for ever" },
	{ 0 },
};

struct keep_section {
	int raw_days, five_min_days;
};

static const struct conf_item keep_items[] = {
	{ "raw_days", CONF_INT, offsetof(struct keep_section, raw_days), "0", .max = 36500,
	  .help = "as in [store], for this quantity" },
	{ "five_min_days", CONF_INT, offsetof(struct keep_section, five_min_days), "0", .max = 36500,
	  .help = "as in [store], for this quantity" },
	{ 0 },
};

static void add_keep(struct settings *settings, const char *quantity, int raw_days, int five_min_days)
{
	static const int64_t day_ms = 86400000;
	struct store_keep *keep = &settings->keeps[settings->keep_count++];

	*keep = (struct store_keep){ .raw_ms = raw_days * day_ms, .five_min_ms = five_min_days * day_ms };
	strncpy(keep->quantity, quantity, QUANTITY_NAME_MAX);
}

static void read_keeps(struct conf *conf, struct settings *settings)
{
	const struct conf_section *section = NULL;

	while ((section = conf_next(conf, "keep", section))) {
		const char *quantity = conf_section_name(section);
		struct keep_section keep;

		conf_read(conf, section, "keep", keep_items, &keep);
		if (!quantity_name_valid(quantity, strlen(quantity)))
			conf_mistake(conf, section, NULL, "[keep %s]: a quantity's name is [a-z][a-z0-9_]{0,31}", quantity);
		else if (settings->keep_count == SETTINGS_KEEPS_MAX)
			conf_mistake(conf, section, NULL, "at most %d [keep QUANTITY] sections", SETTINGS_KEEPS_MAX - 1);
		else
			add_keep(settings, quantity, keep.raw_days, keep.five_min_days);
	}
}

void settings_read(struct conf *conf, struct settings *ret_settings)
{
	struct store_section store;
	char error[STORE_ERROR_MAX];

	memset(ret_settings, 0, sizeof(*ret_settings));
	conf_read(conf, conf_section(conf, "mqtt", NULL), "mqtt", bus_items, &ret_settings->bus);
	bus_check_settings(conf, &ret_settings->bus);
	conf_read(conf, conf_section(conf, "store", NULL), "store", store_items, &store);
	if (store_check_url(store.url, error) < 0)
		conf_mistake(conf, conf_section(conf, "store", NULL), "url", "%s", error);
	ret_settings->store_url = store.url;
	ret_settings->commit_interval_ms = store.commit_interval_ms;
	ret_settings->batch = store.batch;
	ret_settings->log_level = log_read_settings(conf);
	add_keep(ret_settings, "", store.raw_days, store.five_min_days);
	read_keeps(conf, ret_settings);
}

void settings_print(void)
{
	conf_print_items("[mqtt]", bus_items, stdout);
	conf_print_items("[store]", store_items, stdout);
	conf_print_items("[keep QUANTITY]", keep_items, stdout);
	conf_print_items("[log]", log_items, stdout);
}
