/* What a new configuration leaves as it was. */
#include <string.h>

#include "rule.h"
#include "settings.h"

/* The same keys with the same values, in any order. */
static bool has_all(struct conf *conf, const struct conf_section *section, struct conf *other_conf,
		    const struct conf_section *other)
{
	const char *key, *value, *text;

	for (size_t i = 0; (key = conf_key(conf, section, i, &value)); i++) {
		text = conf_text(other_conf, other, key);
		if (!text || strcmp(text, value) != 0)
			return false;
	}
	return true;
}

static bool is_same(struct conf *conf, const struct device *device, const struct device *old)
{
	const struct conf_section *section = conf_section(conf, "device", device->name);
	const struct conf_section *before = old->conf ? conf_section(old->conf, "device", old->name) : NULL;

	return section && before && has_all(conf, section, old->conf, before) && has_all(old->conf, before, conf, section);
}

/* Takes a device out of the list; NULL when there is none of that name. */
static struct device *take_out(struct device **list, const char *name)
{
	struct device *found;

	while (*list && strcmp((*list)->name, name) != 0)
		list = &(*list)->next;
	found = *list;
	if (found)
		*list = found->next;
	return found;
}

static void put_back(struct settings *settings, struct device *device)
{
	device->next = settings->devices;
	settings->devices = device;
}

static void keep_devices(struct settings *fresh, struct conf *conf, struct settings *old)
{
	for (struct device **link = &fresh->devices; *link; link = &(*link)->next) {
		struct device *device = *link, *kept = take_out(&old->devices, device->name);

		if (!kept)
			continue;
		if (!is_same(conf, device, kept)) {
			put_back(old, kept);
			continue;
		}
		rules_move(fresh->rules, device, kept);
		kept->next = device->next;
		*link = kept;
		device->next = NULL;
		device_unref(device);
	}
}

void settings_keep(struct settings *fresh, struct conf *fresh_conf, struct settings *old)
{
	bool same_clock = !(fresh->clock_rate < old->clock_rate) && !(fresh->clock_rate > old->clock_rate);

	if (strcmp(fresh->name, old->name) == 0 && same_clock)
		keep_devices(fresh, fresh_conf, old);
	rules_keep(fresh->rules, old->rules);
}
