/* A simulated device: any quantities, with daily curves, noise, steps, events and faults; outputs that obey, refuse or answer late.
 * Values follow from the time and the seed alone, so a span of the past can be told as well as now. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../driver.h"

enum fault { FAULT_NONE, FAULT_SILENT, FAULT_STUCK, FAULT_RANGE };
enum answer { ANSWER_OBEY, ANSWER_REFUSE, ANSWER_SILENT };

enum { TEXTS_MAX = 8 };

struct sim_channel { /* keys are QUANTITY.base and so on */
	double base, swing, noise, min, max, step;
	double step_by; /* QUANTITY.jump: so much higher in every second period */
	int64_t jump_every_ms, every_ms, hold_ms;
	const char *texts; /* separated by '|' */
	int output;
	const char *label, *icon;
	bool confirm;
};

struct sim_config {
	const char *quantities;
	int seed;
	int fault, answer;
	int64_t fault_every_ms, fault_for_ms, late_ms, answer_after_ms;
	const char *reason;
	struct sim_channel channels[CHANNELS_MAX];
};

struct sim_state {
	struct value outputs[CHANNELS_MAX];
	bool set[CHANNELS_MAX], told[CHANNELS_MAX];
	struct value stuck[CHANNELS_MAX];
	bool is_stuck;
	int64_t text_slot[CHANNELS_MAX];
};

#define AT(field) offsetof(struct sim_config, field)

static const struct conf_item items[] = {
	{ "quantities", CONF_STRING, AT(quantities), .required = true, .help = "what it measures or sets, separated by spaces" },
	{ "seed", CONF_INT, AT(seed), "1", .help = "another number, other noise" },
	{ "fault", CONF_CHOICE, AT(fault), "none", .choices = "none|silent|stuck|range", .help = "what goes wrong" },
	{ "fault_every", CONF_DURATION, AT(fault_every_ms), "6h", .min = 1000, .max = 1e10, .help = "how often it does" },
	{ "fault_for", CONF_DURATION, AT(fault_for_ms), "10m", .max = 1e10, .help = "and for how long; 0 is never" },
	{ "late", CONF_DURATION, AT(late_ms), "0", .max = 86400000, .help = "readings tell of a moment so long ago" },
	{ "answer", CONF_CHOICE, AT(answer), "obey", .choices = "obey|refuse|silent", .help = "what an output does with commands" },
	{ "answer_after", CONF_DURATION, AT(answer_after_ms), "0", .max = 60000, .help = "how long it takes for that" },
	{ "reason", CONF_STRING, AT(reason), "refused by the simulation", .help = "what it says when it refuses" },
	{ 0 },
};

#define OF(field) offsetof(struct sim_channel, field)

static const struct conf_item channel_items[] = {
	{ "base", CONF_NUMBER, OF(base), NULL, .help = "the mean" },
	{ "swing", CONF_NUMBER, OF(swing), NULL, .help = "how far a day's curve goes up and down from it, highest at 15:00 UTC" },
	{ "noise", CONF_NUMBER, OF(noise), NULL, .help = "random, up to so much either way" },
	{ "jump", CONF_NUMBER, OF(step_by), NULL, .help = "so much more in every second period of jump_every" },
	{ "jump_every", CONF_DURATION, OF(jump_every_ms), "1h", .min = 1, .max = 1e10, .help = "length of such a period" },
	{ "every", CONF_DURATION, OF(every_ms), "20m", .min = 1, .max = 1e10,
	  .help = "binary and text: how often something happens" },
	{ "hold", CONF_DURATION, OF(hold_ms), "2m", .max = 1e10, .help = "binary: how long it stays 1" },
	{ "texts", CONF_STRING, OF(texts), "hello", .help = "text: what is told in turn, separated by |" },
	{ "output", CONF_CHOICE, OF(output), "none", .choices = "none|switch|range|text|button", .help = "it obeys commands" },
	{ "min", CONF_NUMBER, OF(min), NULL, .help = "range: the least" },
	{ "max", CONF_NUMBER, OF(max), NULL, .help = "range: the most" },
	{ "step", CONF_NUMBER, OF(step), NULL, .help = "range: from value to value" },
	{ "confirm", CONF_BOOL, OF(confirm), "no", .help = "a person is asked twice" },
	{ "label", CONF_STRING, OF(label), NULL, .help = "what people call it" },
	{ "icon", CONF_STRING, OF(icon), NULL, .help = "its symbol" },
	{ 0 },
};

static const struct {
	const char *quantity;
	double base, swing, noise;
} usual[] = {
	{ "temperature", 20.5, 1.8, 0.15 },
	{ "humidity", 48, -6, 0.8 },
	{ "pressure", 1014, 4, 0.2 },
	{ "illuminance", 240, 230, 8 },
	{ "distance", 120, 0, 1 },
	{ "voltage", 3.3, 0, 0.02 },
	{ "current", 0.4, 0.2, 0.05 },
	{ "power", 180, 120, 15 },
	{ "co2", 620, 180, 20 },
	{ "rssi", -58, 0, 4 },
	{ "battery", 82, 0, 0.4 },
	{ "level", 50, 0, 0 },
	{ "position", 90, 0, 0 },
};

/* ---- configuration -------------------------------------------------------------------------------------------------------------- */

/* The table's keys with the quantity before them; conf reads each by a table of one. */
static void read_channel(struct device *device, struct conf *conf, const struct conf_section *section, const char *quantity,
			 struct sim_channel *channel)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (strcmp(usual[i].quantity, quantity) == 0) {
			channel->base = usual[i].base;
			channel->swing = usual[i].swing;
			channel->noise = usual[i].noise;
		}
	for (const struct conf_item *item = channel_items; item->key; item++) {
		char key[QUANTITY_NAME_MAX + 24];
		struct conf_item one[2] = { *item };

		snprintf(key, sizeof(key), "%s.%s", quantity, item->key);
		one[0].key = key;
		conf_read(conf, section, "device", one, channel);
	}
	if (channel->label)
		strncat(device->channels[device->channel_count - 1].label, channel->label, CHANNEL_LABEL_MAX);
}

static void check_range(struct channel *channel, struct conf *conf, const struct conf_section *section,
			const struct sim_channel *settings, const char *key)
{
	const struct quantity_info *info = channel->info;
	char min[32], max[32];

	channel->min = isnan(settings->min) ? fmax(0, info->min) : settings->min;
	channel->max = isnan(settings->max) ? fmin(100, info->max) : settings->max;
	channel->step = settings->step;
	value_format_number(info->min, min);
	value_format_number(info->max, max);
	if (info->kind != QUANTITY_KIND_NUMBER)
		conf_mistake(conf, section, key, "a range needs a quantity of numbers");
	else if (channel->min < info->min || channel->max > info->max)
		conf_mistake(conf, section, key, "min and max are outside what %s can be: %s to %s", info->name, min, max);
	else if (channel->min >= channel->max || !(channel->step > 0))
		conf_mistake(conf, section, key, "a range needs min below max, and a step over 0");
}

static void check_output(struct channel *channel, struct conf *conf, const struct conf_section *section,
			 const struct sim_channel *settings)
{
	char key[QUANTITY_NAME_MAX + 24];
	bool text = channel->info->kind == QUANTITY_KIND_TEXT;

	snprintf(key, sizeof(key), "%s.output", channel->series.quantity);
	if (channel->output == OUTPUT_RANGE)
		check_range(channel, conf, section, settings, key);
	else if (channel->output == OUTPUT_TEXT && !text)
		conf_mistake(conf, section, key, "a text needs a text quantity (text, badge)");
	else if (channel->output != OUTPUT_TEXT && channel->output != OUTPUT_NONE && text)
		conf_mistake(conf, section, key, "this quantity holds texts: allowed is text");
}

static void check_texts(const struct channel *channel, struct conf *conf, const struct conf_section *section, const char *texts)
{
	char key[QUANTITY_NAME_MAX + 24];
	struct value value;

	snprintf(key, sizeof(key), "%s.texts", channel->series.quantity);
	for (const char *text = texts; text; text = strchr(text, '|') ? strchr(text, '|') + 1 : NULL)
		if (value_of_text(text, strcspn(text, "|"), &value) < 0)
			conf_mistake(conf, section, key, "a text is at most %d bytes of UTF-8", VALUE_TEXT_MAX);
}

static void add_quantity(struct device *device, struct conf *conf, const struct conf_section *section, const char *quantity)
{
	struct sim_config *config = device->config;
	struct sim_channel *settings = &config->channels[device->channel_count];
	struct channel *channel = device_add_channel(device, quantity, OUTPUT_NONE);

	if (!channel) {
		conf_mistake(conf, section, "quantities",
			     "\"%s\": allowed are at most %d names [a-z][a-z0-9_]{0,31}, each once, none of the schema", quantity,
			     CHANNELS_MAX);
		return;
	}
	settings->min = NAN;
	settings->max = NAN;
	settings->step = 1;
	read_channel(device, conf, section, quantity, settings);
	channel->output = (enum output)settings->output;
	channel->confirm = settings->confirm;
	if (settings->icon)
		strncat(channel->icon, settings->icon, CHANNEL_LABEL_MAX);
	check_output(channel, conf, section, settings);
	check_texts(channel, conf, section, settings->texts);
}

static void sim_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct sim_config *config = device->config;
	char *words, *word, *rest = NULL;

	device->late_ms = config->late_ms;
	if (!config->quantities)
		return;
	words = strdup(config->quantities);
	for (word = words ? strtok_r(words, " ,", &rest) : NULL; word; word = strtok_r(NULL, " ,", &rest))
		add_quantity(device, conf, section, word);
	free(words);
}

/* ---- values --------------------------------------------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014): any moment gives its own noise, the same each time. From -1 to 1. */
static double noise_at(int64_t moment, int seed, size_t channel)
{
	uint64_t z = (uint64_t)moment + (uint64_t)seed * 0x9e3779b97f4a7c15U + channel * 0xd1b54a32d192ed03U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	z ^= z >> 31;
	return (double)(z >> 11) / 4503599627370496.0 - 1;
}

static int64_t phase(int64_t now_ms, int64_t every_ms, int seed, size_t channel)
{
	int64_t offset_ms = ((int64_t)seed * 7919 + (int64_t)channel * 104729) * 1000 % every_ms;

	return (now_ms + offset_ms + every_ms) % every_ms;
}

static double number_at(const struct device *device, size_t index, int64_t now_ms)
{
	static const double day_ms = 86400000, top_ms = 15 * 3600000.0;
	const struct sim_config *config = device->config;
	const struct sim_channel *settings = &config->channels[index];
	const struct quantity_info *info = device->channels[index].info;
	double scale = pow(10, info->decimals + 1), value = settings->base;

	if (info->kind == QUANTITY_KIND_BINARY) {
		/* Slot by slot, some of them without an event, so that it looks like life. */
		bool happens = noise_at(now_ms / settings->every_ms, config->seed, index) > -0.5;

		return happens && phase(now_ms, settings->every_ms, config->seed, index) < settings->hold_ms;
	}
	value += settings->swing * cos((double)(now_ms % (int64_t)day_ms - (int64_t)top_ms) / day_ms * 2 * M_PI);
	value += settings->swing / 6 * noise_at(now_ms / 10800000, config->seed, index + 32);
	value += settings->noise * noise_at(now_ms, config->seed, index);
	if (now_ms / settings->jump_every_ms % 2)
		value += settings->step_by;
	if (value < info->min)
		value = info->min;
	if (value > info->max)
		value = info->max;
	return nearbyint(value * scale) / scale;
}

/* The text whose turn it is; false when it was told already. */
static bool text_at(struct device *device, size_t index, int64_t now_ms, struct value *ret_value)
{
	const struct sim_channel *settings = &((const struct sim_config *)device->config)->channels[index];
	struct sim_state *state = device->state;
	int64_t slot = now_ms / settings->every_ms;
	const char *text = settings->texts;
	int64_t count = 1;

	if (state->text_slot[index] == slot)
		return false;
	state->text_slot[index] = slot;
	for (const char *p = text; *p; p++)
		count += *p == '|';
	for (int64_t i = slot % count; i > 0; i--)
		text = strchr(text, '|') + 1;
	return value_of_text(text, strcspn(text, "|"), ret_value) == 0;
}

/* An output tells its state when it has one that nobody knows, and then now and then, as its interval says. */
static void output_at(struct device *device, size_t index, struct value *ret_value)
{
	const struct sim_config *config = device->config;
	struct sim_state *state = device->state;

	if (!state->set[index]) {
		const struct channel *channel = &device->channels[index];

		if (channel->output == OUTPUT_TEXT)
			value_of_text("", 0, &state->outputs[index]);
		else
			state->outputs[index] = value_of_number(channel->output == OUTPUT_RANGE && config->channels[index].base > 0
									? config->channels[index].base
									: 0);
		state->set[index] = true;
	}
	*ret_value = state->outputs[index];
}

static enum fault fault_at(const struct sim_config *config, int64_t now_ms)
{
	if (config->fault == FAULT_NONE || phase(now_ms, config->fault_every_ms, config->seed, 0) >= config->fault_for_ms)
		return FAULT_NONE;
	return (enum fault)config->fault;
}

static int sim_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct sim_config *config = device->config;
	struct sim_state *state = device->state;
	enum fault fault = fault_at(config, now_ms);

	if (fault == FAULT_SILENT) {
		snprintf(device->error, sizeof(device->error), "no answer (simulated)");
		return -EIO;
	}
	for (size_t i = 0; i < device->channel_count; i++) {
		const struct channel *channel = &device->channels[i];

		ret_fresh[i] = true;
		if (channel->output != OUTPUT_NONE)
			output_at(device, i, &ret_values[i]);
		else if (channel->info->kind == QUANTITY_KIND_TEXT)
			ret_fresh[i] = text_at(device, i, now_ms, &ret_values[i]);
		else if (fault == FAULT_STUCK && state->is_stuck)
			ret_values[i] = state->stuck[i];
		else if (fault == FAULT_RANGE)
			ret_values[i] = value_of_number(channel->info->max * 2 + 1);
		else
			ret_values[i] = value_of_number(number_at(device, i, now_ms));
		if (fault == FAULT_STUCK && !state->is_stuck)
			state->stuck[i] = ret_values[i];
	}
	state->is_stuck = fault == FAULT_STUCK;
	return 0;
}

static int sim_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	const struct sim_config *config = device->config;
	struct sim_state *state = device->state;

	switch ((enum answer)config->answer) {
	case ANSWER_OBEY:
		state->outputs[channel] = *value;
		state->set[channel] = true;
		*ret_value = *value;
		return (int)config->answer_after_ms;
	case ANSWER_REFUSE:
		snprintf(device->error, sizeof(device->error), "%s", config->reason);
		return -EPERM;
	case ANSWER_SILENT:
		return SET_SILENT;
	}
	return -EINVAL;
}

const struct driver sim_driver = {
	.name = "sim",
	.help = "a simulated device: curves, events, faults, outputs (keys QUANTITY.base, .swing, .noise, .output ...)",
	.items = items,
	.config_size = sizeof(struct sim_config),
	.state_size = sizeof(struct sim_state),
	.interval = "10s",
	.simulated = true,
	.configure = sim_configure,
	.read = sim_read,
	.set = sim_set,
};
