/* ADS1115 (and ADS1015) analogue inputs, I2C 0x48 to 0x4b: photoresistors, soil probes, batteries. Sections: TI SBAS444D.
 * One input after the other is measured; the first by fetch(), the others a few milliseconds later by wake(). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../curve.h"
#include "../driver.h"
#include "../i2c.h"

enum { INPUTS = 4, RETRIES = 4 };
enum { CONVERSION = 0, CONFIG = 1 }; /* 9.6 */
enum {
	START = 0x8000,
	READY = 0x8000,
	SINGLE_ENDED = 0x4000,
	SINGLE_SHOT = 0x0100,
	RATE_128 = 0x0080,
	NO_COMPARATOR = 3
};                           /* 9.6.3 */
enum { MEANING = 0x7F00 };   /* 9.6.3: input, range and mode, as they were written; 0 and 0xFFFF are never among them */
enum { CONVERSION_MS = 10 }; /* 1 / 128 s, by a clock that may be a tenth slow (7.5) */

struct input {
	const char *quantity, *curve;
	int range;
	double divider;
};

struct ads1115_config {
	struct input inputs[INPUTS];
};

struct ads1115 {
	int current, tries; /* index of the channel under way */
	int config;         /* as written for it */
};

/* The parts that configure() makes of the keys: which input a channel has, and its curve. They outlive close(). */
struct plan {
	int input;
	struct curve curve;
};

struct ads1115_whole { /* driver->config */
	struct ads1115_config keys;
	struct plan plans[INPUTS];
};

static const char ranges[] = "6.144|4.096|2.048|1.024|0.512|0.256"; /* volts, 9.6.3 PGA: 0 to 5 in this order */
static const double full_scale[] = { 6.144, 4.096, 2.048, 1.024, 0.512, 0.256 };

#define KEYS(n)                                                                                                                    \
	{ "a" #n ".quantity", CONF_STRING, offsetof(struct ads1115_config, inputs[n].quantity), NULL,                              \
	  .help = "what input A" #n " tells: voltage, illuminance, moisture ..." },                                                \
		{ "a" #n ".range",                                                                                                 \
		  CONF_CHOICE,                                                                                                     \
		  offsetof(struct ads1115_config, inputs[n].range),                                                                \
		  "4.096",                                                                                                         \
		  .choices = ranges,                                                                                               \
		  .help = "the highest voltage at the input, in V; never more than the chip's supply" },                           \
		{ "a" #n ".divider",                                                                                               \
		  CONF_NUMBER,                                                                                                     \
		  offsetof(struct ads1115_config, inputs[n].divider),                                                              \
		  "1",                                                                                                             \
		  .min = 0.001,                                                                                                    \
		  .max = 10000,                                                                                                    \
		  .help = "so many times as high is the voltage before the resistors" },                                           \
	{                                                                                                                          \
		"a" #n ".curve", CONF_STRING, offsetof(struct ads1115_config, inputs[n].curve), NULL,                              \
			.help = "what volts mean: \"0.9:100 2.6:0\"; without: volts"                                               \
	}

static const struct conf_item items[] = { KEYS(0), KEYS(1), KEYS(2), KEYS(3), { 0 } };

static void add_input(struct device *device, struct conf *conf, const struct conf_section *section, int n)
{
	struct ads1115_whole *whole = device->config;
	const struct input *input = &whole->keys.inputs[n];
	struct plan *plan = &whole->plans[device->channel_count];
	struct channel *channel = device_add_channel(device, input->quantity, OUTPUT_NONE);
	char key[32], reason[CURVE_REASON_MAX];

	snprintf(key, sizeof(key), "a%d.quantity", n);
	if (!channel) {
		conf_mistake(conf, section, key, "\"%s\": allowed is a quantity's name [a-z][a-z0-9_]{0,31}, each once",
			     input->quantity);
		return;
	}
	if (channel->info->kind == QUANTITY_KIND_TEXT)
		conf_mistake(conf, section, key, "\"%s\" holds texts, an input has numbers", input->quantity);
	snprintf(key, sizeof(key), "a%d.curve", n);
	plan->input = n;
	if (input->curve && curve_parse(input->curve, &plan->curve, reason) < 0)
		conf_mistake(conf, section, key, "%s", reason);
}

static void ads1115_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct ads1115_whole *whole = device->config;

	for (int n = 0; n < INPUTS; n++)
		if (whole->keys.inputs[n].quantity)
			add_input(device, conf, section, n);
	if (device->channel_count == 0)
		conf_mistake(conf, section, NULL, "which input tells what? Needed is one of a0.quantity to a3.quantity");
}

static int ads1115_identify(struct i2c *i2c)
{
	/* It has no id; its threshold registers are hardly ever written and say 0x8000 and 0x7FFF after power-on (9.6.4). */
	return i2c_read_word(i2c, 2, I2C_HIGH_FIRST) == 0x8000 && (i2c_read_word(i2c, 3, I2C_HIGH_FIRST) & 0xFFF0) == 0x7FF0;
}

static int begin(struct device *device, int channel)
{
	const struct ads1115_whole *whole = device->config;
	struct ads1115 *ads1115 = device->state;
	int input = whole->plans[channel].input;
	unsigned config = START | SINGLE_ENDED | (unsigned)input << 12 | (unsigned)whole->keys.inputs[input].range << 9 |
			  SINGLE_SHOT | RATE_128 | NO_COMPARATOR;

	ads1115->current = channel;
	ads1115->tries = 0;
	ads1115->config = (int)config;
	return i2c_write_word(device->i2c, CONFIG, I2C_HIGH_FIRST, (uint16_t)config);
}

static int ads1115_trigger(struct device *device)
{
	return begin(device, 0);
}

/* Takes the value of the channel under way and begins the next. Returns 1 with a value, 0 when it is not ready yet. */
static int take(struct device *device, double *ret_value)
{
	const struct ads1115_whole *whole = device->config;
	struct ads1115 *ads1115 = device->state;
	const struct plan *plan = &whole->plans[ads1115->current];
	const struct input *input = &whole->keys.inputs[plan->input];
	int r = i2c_read_word(device->i2c, CONFIG, I2C_HIGH_FIRST), counts;
	double volts;

	if (r >= 0 && (r ^ ads1115->config) & MEANING) {
		snprintf(device->error, sizeof(device->error), "its configuration reads 0x%04x after 0x%04x: is it an ADS1115?",
			 (unsigned)r, (unsigned)ads1115->config);
		r = -EIO;
	}
	if (r >= 0 && !(r & READY)) {
		device_wake(device, CONVERSION_MS);
		if (ads1115->tries++ < RETRIES)
			return 0;
		snprintf(device->error, sizeof(device->error), "it measures without end (configuration 0x%04x)", (unsigned)r);
		r = -ETIMEDOUT;
	}
	if (r >= 0)
		r = i2c_read_word(device->i2c, CONVERSION, I2C_HIGH_FIRST);
	if (r < 0)
		return r;
	counts = (int16_t)r;
	if ((size_t)ads1115->current + 1 < device->channel_count) {
		r = begin(device, ads1115->current + 1);
		if (r < 0)
			return r;
		device_wake(device, CONVERSION_MS);
	}
	volts = fmax(counts, 0) * full_scale[input->range] / 32768 * input->divider; /* 9.3.3; a little below 0 is noise */
	*ret_value = curve_at(&plan->curve, volts);
	return 1;
}

static int ads1115_fetch(struct device *device, double values[])
{
	for (size_t i = 0; i < device->channel_count; i++)
		values[i] = NAN;
	return take(device, &values[0]);
}

static int ads1115_wake(struct device *device)
{
	size_t channel = (size_t)((const struct ads1115 *)device->state)->current;
	struct value value;
	double number;
	int r = take(device, &number);

	if (r <= 0)
		return r;
	value = value_of_number(number);
	device_tell(device, channel, 0, &value);
	return 0;
}

const struct driver ads1115_driver = {
	.name = "ads1115",
	.help = "ADS1115 analogue inputs: voltage, light by a photoresistor, soil moisture ...",
	.items = items,
	.config_size = sizeof(struct ads1115_whole),
	.state_size = sizeof(struct ads1115),
	.interval = "30s",
	.i2c_addresses = (const uint8_t[]){ 0x48, 0x49, 0x4a, 0x4b, 0 },
	.settle_ms = CONVERSION_MS,
	.configure = ads1115_configure,
	.identify = ads1115_identify,
	.trigger = ads1115_trigger,
	.fetch = ads1115_fetch,
	.wake = ads1115_wake,
};
