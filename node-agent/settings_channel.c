#include "settings_channel.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "derive.h"
#include "output.h"
#include "safety.h"

enum { KEY_MAX = QUANTITY_NAME_MAX + 24 };

/* ---- QUANTITY.KEY ---------------------------------------------------------------------------------------------------------------- */

struct channel_keys {
	const char *label, *icon, *curve, *filter, *report, *slew;
	double offset, scale, min, max;
	int decimals;
};

#define AT(field) offsetof(struct channel_keys, field)

static const struct conf_item channel_items[] = {
	{ "label", CONF_STRING, AT(label), NULL, .help = "what people call it" },
	{ "icon", CONF_STRING, AT(icon), NULL, .help = "its symbol in the pages" },
	{ 0 },
};

/* In the order in which they are applied. */
static const struct conf_item number_items[] = {
	{ "curve", CONF_STRING, AT(curve), NULL, .help = "calibration by points, CHIP:TRUE CHIP:TRUE ..." },
	{ "scale", CONF_NUMBER, AT(scale), "1", .help = "then times this" },
	{ "offset", CONF_NUMBER, AT(offset), "0", .help = "then plus this" },
	{ "min", CONF_NUMBER, AT(min), NULL, .help = "less is a fault of the sensor" },
	{ "max", CONF_NUMBER, AT(max), NULL, .help = "more is a fault of the sensor" },
	{ "slew", CONF_STRING, AT(slew), NULL, .help = "a faster change is not believed unless it stays: 0.5/s, 5/m, 20/h" },
	{ "filter", CONF_STRING, AT(filter), NULL, .help = "median 5, mean 4, none" },
	{ "decimals", CONF_INT, AT(decimals), "-1", .min = -1, .max = 9, .help = "rounded to so many; -1: as the chip gives it" },
	{ 0 },
};

static const struct conf_item report_items[] = {
	{ "report", CONF_STRING, AT(report), NULL,
	  .help = "each: every value is told; change DELTA max AGE: when it differs by so much, and at least so often" },
	{ 0 },
};

static void read_keys(struct conf *conf, const struct conf_section *section, const char *quantity, const struct conf_item *items,
		      struct channel_keys *keys)
{
	for (const struct conf_item *item = items; item->key; item++) {
		struct conf_item one[2] = { *item };
		char key[KEY_MAX];

		snprintf(key, sizeof(key), "%s.%s", quantity, item->key);
		one[0].key = key;
		conf_read(conf, section, "device", one, keys);
	}
}

struct place {
	struct conf *conf;
	const struct conf_section *section;
	const char *quantity;
	bool *common_is_wrong;
};

static void mistake(const struct place *place, const char *key, const char *text, const char *words)
{
	char full[KEY_MAX];

	snprintf(full, sizeof(full), "%s.%s", place->quantity, key);
	if (!conf_text(place->conf, place->section, full)) /* it stands for all quantities, and is told once */
		snprintf(full, sizeof(full), "%s", *place->common_is_wrong ? "" : key);
	*place->common_is_wrong = *place->common_is_wrong || strcmp(full, key) == 0;
	if (full[0])
		conf_mistake(place->conf, place->section, full, "\"%s\": %s", text, words);
}

static void parse_keys(const struct place *place, const struct channel_keys *keys, struct condition *condition)
{
	char words[CONDITION_WORDS_MAX];

	if (keys->curve && curve_parse(keys->curve, &condition->curve, words) < 0)
		mistake(place, "curve", keys->curve, words);
	if (keys->slew && condition_parse_slew(keys->slew, condition, words) < 0)
		mistake(place, "slew", keys->slew, words);
	if (keys->filter && condition_parse_filter(keys->filter, condition, words) < 0)
		mistake(place, "filter", keys->filter, words);
	if (keys->report && condition_parse_report(keys->report, condition, words) < 0)
		mistake(place, "report", keys->report, words);
	condition->scale = keys->scale;
	condition->offset = keys->offset;
	condition->min = keys->min;
	condition->max = keys->max;
	condition->decimals = keys->decimals;
	if (condition->min >= condition->max) {
		char key[KEY_MAX];

		snprintf(key, sizeof(key), "%s.min", place->quantity);
		conf_mistake(place->conf, place->section, key, "min is to be below %s.max = %g", place->quantity, condition->max);
	}
}

/* Whether it does anything at all. */
static bool has_effect(const struct condition *condition)
{
	return condition->curve.count || condition->slew > 0 || condition->filter != FILTER_NONE ||
	       condition->report != REPORT_EACH || fabs(condition->scale - 1) > 0 || fabs(condition->offset) > 0 ||
	       !isnan(condition->min) || !isnan(condition->max) || condition->decimals >= 0;
}

static void set_text(char *field, const char *text)
{
	if (!text)
		return;
	field[0] = '\0';
	strncat(field, text, CHANNEL_LABEL_MAX);
}

/* common: what the device's own `report` and `filter` say for all its quantities. */
static void read_channel(struct channel *channel, struct conf *conf, const struct conf_section *section,
			 const struct channel_keys *common, bool *common_is_wrong)
{
	const struct place place = { conf, section, channel->series.quantity, common_is_wrong };
	bool number = channel->info->kind == QUANTITY_KIND_NUMBER && channel->output == OUTPUT_NONE;
	struct channel_keys keys = { .scale = 1, .min = NAN, .max = NAN, .decimals = -1 };
	struct condition condition;

	condition_init(&condition);
	read_keys(conf, section, place.quantity, channel_items, &keys);
	set_text(channel->label, keys.label);
	set_text(channel->icon, keys.icon);
	read_keys(conf, section, place.quantity, report_items, &keys);
	if (number)
		read_keys(conf, section, place.quantity, number_items, &keys);
	if (!keys.report)
		keys.report = common->report;
	if (!keys.filter && number)
		keys.filter = common->filter;
	parse_keys(&place, &keys, &condition);
	if (!has_effect(&condition))
		return;
	channel->condition = malloc(sizeof(*channel->condition));
	if (channel->condition)
		*channel->condition = condition;
}

/* What is to be told at least so often is read so often as well. Then it is known how often each is told. */
static void set_beats(struct device *device)
{
	size_t count = device->channel_count + device->derived_count;

	for (size_t i = 0; i < count; i++) {
		const struct condition *condition = device->channels[i].condition;

		if (condition && condition->max_age_ms > 0 && condition->max_age_ms < device->interval_ms && !device->sporadic)
			device->interval_ms = condition->max_age_ms;
	}
	for (size_t i = 0; i < count; i++) {
		const struct condition *condition = device->channels[i].condition;
		bool each = !condition || condition->report == REPORT_EACH;

		device->channels[i].beat_ms = !each ? condition->max_age_ms : device->sporadic ? 0 : device->interval_ms;
	}
}

static bool has_item(const struct driver *driver, const char *key)
{
	for (const struct conf_item *item = driver->items; item && item->key; item++)
		if (strcmp(item->key, key) == 0)
			return true;
	return false;
}

/* Those that the driver does not use for something of its own. */
static void read_own(struct conf *conf, const struct conf_section *section, const struct driver *driver,
		     const struct conf_item *items, void *keys)
{
	for (const struct conf_item *item = items; item->key; item++) {
		const struct conf_item one[2] = { *item };

		if (!has_item(driver, item->key))
			conf_read(conf, section, "device", one, keys);
	}
}

/* ---- derived --------------------------------------------------------------------------------------------------------------------- */

struct derive_keys {
	const char *derive;
	double altitude;
};

static const struct conf_item derive_items[] = {
	{ "derive", CONF_STRING, offsetof(struct derive_keys, derive), NULL,
	  .help = "further quantities from its own: dew_point absolute_humidity (of temperature and humidity)" },
	{ "altitude", CONF_NUMBER, offsetof(struct derive_keys, altitude), NULL, .min = -500, .max = 9000,
	  .help = "metres above the sea: sea_level_pressure from its pressure" },
	{ 0 },
};

static const struct channel *find_channel(const struct device *device, const char *quantity)
{
	for (size_t i = 0; quantity && i < device->channel_count; i++)
		if (strcmp(device->channels[i].series.quantity, quantity) == 0)
			return &device->channels[i];
	return NULL;
}

static void add_derived(struct device *device, struct conf *conf, const struct conf_section *section, const char *key,
			enum derived kind)
{
	for (int i = 0; i < 2 && derive_needs(kind, i); i++)
		if (!find_channel(device, derive_needs(kind, i))) {
			conf_mistake(conf, section, key, "%s needs a %s, which %s does not have", derive_name(kind),
				     derive_needs(kind, i), device->name);
			return;
		}
	if (!device_add_derived(device, derive_name(kind), (int)kind))
		conf_mistake(conf, section, key, "%s: it has that already, or %d quantities", derive_name(kind), CHANNELS_MAX);
}

static void add_derived_word(struct device *device, struct conf *conf, const struct conf_section *section, const char *word)
{
	for (int kind = 0; kind < DERIVED_COUNT; kind++)
		if (strcmp(word, derive_name((enum derived)kind)) == 0) {
			if (kind != DERIVED_SEA_LEVEL_PRESSURE || isnan(device->altitude))
				add_derived(device, conf, section, "derive", (enum derived)kind);
			if (kind == DERIVED_SEA_LEVEL_PRESSURE && isnan(device->altitude))
				conf_mistake(conf, section, "derive", "sea_level_pressure needs altitude = METRES");
			return;
		}
	conf_mistake(conf, section, "derive", "\"%s\": there are dew_point, absolute_humidity, sea_level_pressure", word);
}

static void read_derived(struct device *device, struct conf *conf, const struct conf_section *section)
{
	struct derive_keys keys = { .altitude = NAN };
	char *words, *word, *rest = NULL;

	conf_read(conf, section, "device", derive_items, &keys);
	device->altitude = keys.altitude;
	if (!isnan(keys.altitude))
		add_derived(device, conf, section, "altitude", DERIVED_SEA_LEVEL_PRESSURE);
	words = keys.derive ? strdup(keys.derive) : NULL;
	for (word = words ? strtok_r(words, " ,", &rest) : NULL; word; word = strtok_r(NULL, " ,", &rest))
		add_derived_word(device, conf, section, word);
	free(words);
}

/* ---- outputs --------------------------------------------------------------------------------------------------------------------- */

struct output_keys {
	const char *initial, *safe, *on_stop;
	int64_t safe_after_ms;
};

static const struct conf_item output_items[] = {
	{ "initial", CONF_STRING, offsetof(struct output_keys, initial), NULL,
	  .help = "an output, when the agent starts: keep, last (what it had), or a value (keep)" },
	{ "safe", CONF_STRING, offsetof(struct output_keys, safe), NULL,
	  .help = "an output's value when nobody can reach it, and when the agent stops" },
	{ "safe_after", CONF_DURATION, offsetof(struct output_keys, safe_after_ms), "10m", .max = 2592000000,
	  .help = "the broker is away for so long; 0: never" },
	{ "on_stop", CONF_STRING, offsetof(struct output_keys, on_stop), NULL,
	  .help = "when the agent stops: keep, safe, or a value (safe where there is one, else keep)" },
	{ 0 },
};

static void read_value(const struct channel *channel, struct conf *conf, const struct conf_section *section, const char *key,
		       const char *text, const char *others, struct value *ret_value)
{
	char words[OUTPUT_WORDS_MAX];

	if (output_parse_checked(channel, text, ret_value, words) < 0)
		conf_mistake(conf, section, key, "\"%s\": %s; allowed is %sa value of its %s", text, words, others,
			     channel->series.quantity);
}

static void take_output_keys(struct channel *channel, struct conf *conf, const struct conf_section *section,
			     const struct output_keys *keys, struct safety *safety)
{
	if (keys->initial && strcmp(keys->initial, "last") == 0)
		safety->initial = INITIAL_LAST;
	else if (keys->initial && strcmp(keys->initial, "keep") != 0) {
		safety->initial = INITIAL_VALUE;
		read_value(channel, conf, section, "initial", keys->initial, "keep, last or ", &safety->initial_value);
		channel->first = safety->initial_value;
		channel->has_first = true;
	}
	safety->has_safe = keys->safe != NULL;
	if (keys->safe) {
		read_value(channel, conf, section, "safe", keys->safe, "", &safety->safe);
		safety->safe_after_ms = keys->safe_after_ms;
		safety->on_stop = ON_STOP_SAFE;
	} else if (conf_text(conf, section, "safe_after")) {
		conf_mistake(conf, section, "safe_after", "it needs safe = VALUE");
	}
	if (!keys->on_stop)
		return;
	safety->on_stop = strcmp(keys->on_stop, "keep") == 0   ? ON_STOP_KEEP
			  : strcmp(keys->on_stop, "safe") == 0 ? ON_STOP_SAFE
							       : ON_STOP_VALUE;
	if (safety->on_stop == ON_STOP_SAFE && !keys->safe)
		conf_mistake(conf, section, "on_stop", "\"safe\": it needs safe = VALUE");
	if (safety->on_stop == ON_STOP_VALUE)
		read_value(channel, conf, section, "on_stop", keys->on_stop, "keep, safe or ", &safety->on_stop_value);
}

/* The keys hold for all outputs of a device. */
static void read_outputs(struct device *device, struct conf *conf, const struct conf_section *section)
{
	struct output_keys keys = { 0 };
	bool has_output = false;

	for (size_t i = 0; i < device->channel_count; i++)
		has_output |= device->channels[i].output != OUTPUT_NONE;
	if (!has_output)
		return;
	read_own(conf, section, device->driver, output_items, &keys);
	if (has_item(device->driver, "initial"))
		keys.initial = conf_text(conf, section, "initial");
	for (size_t i = 0; i < device->channel_count; i++) {
		struct channel *channel = &device->channels[i];
		struct safety safety = { 0 };

		if (channel->output == OUTPUT_NONE || channel->output == OUTPUT_BUTTON)
			continue;
		take_output_keys(channel, conf, section, &keys, &safety);
		channel->safety = malloc(sizeof(*channel->safety));
		if (channel->safety)
			*channel->safety = safety;
	}
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------- */

static const struct conf_item common_items[] = {
	{ "report", CONF_STRING, AT(report), NULL, .help = "each, or change DELTA max AGE, for all its quantities (each)" },
	{ "filter", CONF_STRING, AT(filter), NULL, .help = "median 5, mean 4, none, for all its numbers (none)" },
	{ 0 },
};

void settings_read_channels(struct device *device, struct conf *conf, const struct conf_section *section)
{
	struct channel_keys common = { 0 };
	bool wrong = false; /* they are told once, not for each quantity */

	read_own(conf, section, device->driver, common_items, &common);
	if (!common.report)
		common.report = device->driver->report;
	read_derived(device, conf, section);
	for (size_t i = 0; i < device->channel_count + device->derived_count; i++)
		read_channel(&device->channels[i], conf, section, &common, &wrong);
	set_beats(device);
	read_outputs(device, conf, section);
}

void settings_print_channel(void)
{
	conf_print_items("  of its quantities", common_items, stdout);
	conf_print_items("  of one of them, as QUANTITY.KEY", channel_items, stdout);
	conf_print_items("  ", report_items, stdout);
	conf_print_items("  of a sensor's number, as QUANTITY.KEY", number_items, stdout);
	conf_print_items("  derived", derive_items, stdout);
	conf_print_items("  of an output", output_items, stdout);
}
