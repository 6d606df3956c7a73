/* MCP23017: 16 lines on I2C, each an input or an output. Microchip DS20001952. A section is a chip; a key a line:
 *
 *     A0 = contact                 quantity, then words: invert, floating (no pull-up), output, on (an output's beginning)
 *     B0 = switch output invert
 *
 * Inputs are read at the interval, or when the chip's INTA line says so (int_line): open drain, both ports on one line.
 * The kernel has a driver for this chip as well (dtoverlay=mcp23017,addr=0x20,gpiopin=4): its lines are then a GPIO chip like any other. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../driver.h"
#include "../gpio.h"
#include "../i2c.h"

/* BANK = 0: a register of port A, then that of port B. */
enum { IODIR = 0x00, GPINTEN = 0x04, IOCON = 0x0a, GPPU = 0x0c, GPIO = 0x12, OLAT = 0x14, REGISTERS = 0x16 };
enum { IOCON_MIRROR = 0x4040, IOCON_OPEN_DRAIN = 0x0404 }; /* both ports have the same register */
enum { LINES = 16, POLL_MS = 100, OFTEN_ENOUGH_MS = 300000 };

#define MS ((int64_t)1000000)

struct mcp23017 {
	const char *int_line, *int_chip;
	int64_t debounce_ms;
	unsigned outputs, inverted, pull_ups, initial; /* a bit a line */
	unsigned char line[CHANNELS_MAX];              /* of a channel */
};

struct mcp23017_state {
	struct gpio *gpio; /* of INTA; NULL: it is polled */
	int never;         /* then, what watch() gives: it has no news ever */
	unsigned levels;   /* as they were told */
	unsigned latch;
	int64_t quiet_ns; /* not read for an edge before that */
};

#define AT(field) offsetof(struct mcp23017, field)

static const struct conf_item items[] = {
	{ "int_line", CONF_STRING, AT(int_line), NULL,
	  .help = "the GPIO line that INTA is wired to; without: the inputs are polled" },
	{ "int_chip", CONF_STRING, AT(int_chip), NULL, .help = "label, name or path of that line's chip, when it needs one" },
	{ "debounce", CONF_DURATION, AT(debounce_ms), "20ms", .min = 1, .max = 10000,
	  .help = "with int_line: after a change the inputs are not read for so long" },
	{ 0 },
};

/* ---- configuration -------------------------------------------------------------------------------------------------------------- */

static bool take_word(struct mcp23017 *mcp23017, unsigned bit, const char *word)
{
	static const struct {
		const char *word;
		size_t field;
	} words[] = { { "output", AT(outputs) }, { "invert", AT(inverted) }, { "on", AT(initial) }, { "floating", 0 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i].word, word) != 0)
			continue;
		if (words[i].field)
			*(unsigned *)((char *)mcp23017 + words[i].field) |= bit;
		else
			mcp23017->pull_ups &= ~bit;
		return true;
	}
	return false;
}

static void add_line(struct device *device, struct conf *conf, const struct conf_section *section, const char *key, int line)
{
	struct mcp23017 *mcp23017 = device->config;
	unsigned bit = 1u << line;
	char *words = strdup(conf_text(conf, section, key)), *rest = NULL, *quantity = words ? strtok_r(words, " ,", &rest) : NULL;
	struct channel *channel;

	mcp23017->pull_ups |= bit;
	for (char *word = strtok_r(NULL, " ,", &rest); quantity && word; word = strtok_r(NULL, " ,", &rest))
		if (!take_word(mcp23017, bit, word))
			conf_mistake(conf, section, key, "\"%s\": allowed is QUANTITY, then output, invert, floating, on", word);
	channel = quantity ? device_add_channel(device, quantity, mcp23017->outputs & bit ? OUTPUT_SWITCH : OUTPUT_NONE) : NULL;
	if (!channel)
		conf_mistake(conf, section, key, "\"%s\": allowed is a quantity [a-z][a-z0-9_]{0,31}, each once in a section",
			     quantity ? quantity : "");
	else
		mcp23017->line[device->channel_count - 1] = (unsigned char)line;
	if (channel && channel->info->kind == QUANTITY_KIND_TEXT)
		conf_mistake(conf, section, key, "a line is 0 or 1, %s is a text", quantity);
	free(words);
}

static void add_label(struct device *device, struct conf *conf, const struct conf_section *section, const char *key)
{
	char label_key[16];
	const char *label;

	snprintf(label_key, sizeof(label_key), "%s.label", key);
	label = conf_text(conf, section, label_key);
	if (label && device->channel_count > 0)
		strncat(device->channels[device->channel_count - 1].label, label, CHANNEL_LABEL_MAX);
}

static void mcp23017_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	struct mcp23017 *mcp23017 = device->config;

	for (int line = 0; line < LINES; line++) {
		char key[4];

		snprintf(key, sizeof(key), "%c%d", line < 8 ? 'A' : 'B', line % 8);
		if (!conf_text(conf, section, key))
			continue;
		add_line(device, conf, section, key, line);
		add_label(device, conf, section, key);
	}
	if (conf_text(conf, section, "interlock"))
		conf_mistake(
			conf, section, "interlock",
			"it is for relays on GPIO lines: with dtoverlay=mcp23017 in config.txt this chip's lines are such lines");
	if (device->channel_count == 0)
		conf_mistake(conf, section, NULL, "[device %s] needs a line: A0 to A7, B0 to B7 = QUANTITY", device->name);
	/* Inputs that nobody announces have to be looked at often. */
	if (!conf_text(conf, section, "interval"))
		device->interval_ms = mcp23017->int_line || device->channel_count == (size_t)__builtin_popcount(mcp23017->outputs)
					      ? OFTEN_ENOUGH_MS
					      : POLL_MS;
}

/* ---- registers ------------------------------------------------------------------------------------------------------------------ */

static int put_ports(struct device *device, uint8_t reg, unsigned bits)
{
	int r = i2c_write_byte(device->i2c, reg, (uint8_t)bits);

	return r < 0 ? r : i2c_write_byte(device->i2c, reg + 1, (uint8_t)(bits >> 8));
}

static unsigned ports(const uint8_t registers[REGISTERS], int reg)
{
	return registers[reg] | (unsigned)registers[reg + 1] << 8;
}

/* All of them in one transfer, as its levels are worth something only with its settings: a chip that lost its power for a moment has all lines
 * as inputs again, and IOCON at 0. Nor is IOCON ever zeros or ones, as a broken wire reads. */
static int get_registers(struct device *device, uint8_t ret_registers[REGISTERS])
{
	const struct mcp23017 *mcp23017 = device->config;
	int r = i2c_read_block(device->i2c, 0, ret_registers, REGISTERS);

	if (r < 0 || (ports(ret_registers, IODIR) == (~mcp23017->outputs & 0xffff) &&
		      ports(ret_registers, IOCON) == (IOCON_MIRROR | IOCON_OPEN_DRAIN)))
		return r;
	snprintf(device->error, sizeof(device->error), "the chip has forgotten its settings: is its power steady?");
	return -EIO;
}

static int set_up(struct device *device)
{
	const struct mcp23017 *mcp23017 = device->config;
	const struct mcp23017_state *state = device->state;
	uint8_t registers[REGISTERS];
	unsigned inputs = ~mcp23017->outputs & 0xffff, used = 0;
	int r = put_ports(device, IOCON, IOCON_MIRROR | IOCON_OPEN_DRAIN);

	for (size_t i = 0; i < device->channel_count; i++)
		used |= 1u << mcp23017->line[i];
	/* What an output begins with is there before it drives. */
	if (r >= 0)
		r = put_ports(device, OLAT, state->latch);
	if (r >= 0)
		r = put_ports(device, IODIR, inputs);
	if (r >= 0)
		r = put_ports(device, GPPU, mcp23017->pull_ups & inputs);
	if (r >= 0)
		r = put_ports(device, GPINTEN, state->gpio ? inputs & used : 0);
	return r < 0 ? r : get_registers(device, registers);
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------------------- */

static void mcp23017_close(struct device *device)
{
	struct mcp23017_state *state = device->state;

	gpio_close(state->gpio);
	if (state->never >= 0)
		close(state->never);
	*state = (struct mcp23017_state){ .never = -1 };
}

/* What the outputs begin with. */
static unsigned first_latch(const struct device *device)
{
	const struct mcp23017 *mcp23017 = device->config;
	unsigned on = mcp23017->initial;

	for (size_t i = 0; i < device->channel_count; i++) {
		unsigned bit = 1u << mcp23017->line[i];

		if (device->channels[i].has_first)
			on = device->channels[i].first.number > 0 ? on | bit : on & ~bit;
	}
	return (on ^ mcp23017->inverted) & mcp23017->outputs;
}

static int mcp23017_open(struct device *device)
{
	const struct mcp23017 *mcp23017 = device->config;
	const struct gpio_place place = {
		.line = mcp23017->int_line,
		.chip = mcp23017->int_chip,
		.active_low = true,
		.bias = GPIO_BIAS_PULL_UP,
	};
	struct mcp23017_state *state = device->state;
	int r = 0;

	*state = (struct mcp23017_state){ .latch = first_latch(device), .never = -1 };
	if (mcp23017->int_line) {
		r = gpio_open(&place, GPIO_EDGES_RISING, 0, 0, &state->gpio, device->error, sizeof(device->error));
	} else {
		state->never = eventfd(0, EFD_CLOEXEC);
		r = state->never < 0 ? -errno : 0;
	}
	if (r >= 0)
		r = set_up(device);
	if (r < 0)
		mcp23017_close(device);
	return r < 0 ? r : 0;
}

static int mcp23017_watch(struct device *device)
{
	const struct mcp23017_state *state = device->state;

	return state->gpio ? gpio_fd(state->gpio) : state->never;
}

/* Values of all channels; which have changed since they were told. */
static int look(struct device *device, unsigned *ret_changed)
{
	const struct mcp23017 *mcp23017 = device->config;
	struct mcp23017_state *state = device->state;
	uint8_t registers[REGISTERS];
	int r = get_registers(device, registers);
	unsigned levels;

	if (r < 0)
		return r;
	levels = (ports(registers, GPIO) & ~mcp23017->outputs) | (ports(registers, OLAT) & mcp23017->outputs);
	levels ^= mcp23017->inverted;
	*ret_changed = levels ^ state->levels;
	state->levels = levels;
	return 0;
}

static int look_and_tell(struct device *device, int64_t ns)
{
	const struct mcp23017 *mcp23017 = device->config;
	struct mcp23017_state *state = device->state;
	unsigned changed;
	int r = look(device, &changed);

	for (size_t i = 0; i < device->channel_count && r >= 0; i++) {
		struct value value = value_of_number(state->levels >> mcp23017->line[i] & 1);

		if (changed >> mcp23017->line[i] & 1 && device->channels[i].output == OUTPUT_NONE)
			device_tell(device, i, ns, &value);
	}
	if (r >= 0 && changed) {
		state->quiet_ns = gpio_now_ns() + mcp23017->debounce_ms * MS;
		device_wake(device, mcp23017->debounce_ms); /* where it came to rest */
	}
	return r;
}

static int mcp23017_notice(struct device *device)
{
	struct mcp23017_state *state = device->state;
	struct gpio_edge edges[GPIO_EDGES_MAX];
	unsigned lost;
	int count = gpio_read_edges(state->gpio, edges, &lost);

	if (count <= 0)
		return count;
	return gpio_now_ns() < state->quiet_ns ? 0 : look_and_tell(device, edges[0].ns);
}

static int mcp23017_wake(struct device *device)
{
	return look_and_tell(device, 0);
}

static int mcp23017_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct mcp23017 *mcp23017 = device->config;
	const struct mcp23017_state *state = device->state;
	unsigned changed;
	int r = look(device, &changed);

	(void)now_ms;
	if (r < 0)
		return r;
	for (size_t i = 0; i < device->channel_count; i++) {
		ret_values[i] = value_of_number(state->levels >> mcp23017->line[i] & 1);
		ret_fresh[i] = true;
	}
	return 0;
}

static int mcp23017_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	const struct mcp23017 *mcp23017 = device->config;
	struct mcp23017_state *state = device->state;
	unsigned line = mcp23017->line[channel], bit = 1u << line;
	bool high = (value->number > 0) != !!(mcp23017->inverted & bit);
	unsigned latch = high ? state->latch | bit : state->latch & ~bit;
	uint8_t port = line < 8 ? 0 : 1, registers[REGISTERS];
	int r = i2c_write_byte(device->i2c, OLAT + port, (uint8_t)(latch >> 8 * port));

	if (r < 0)
		return r;
	state->latch = latch;
	r = get_registers(device, registers);
	if (r < 0)
		return r;
	*ret_value = value_of_number((ports(registers, OLAT) >> line & 1) ^ !!(mcp23017->inverted & bit));
	state->levels = (state->levels & ~bit) | (ret_value->number > 0 ? bit : 0);
	return 0;
}

const struct driver mcp23017_driver = {
	.name = "mcp23017",
	.help = "16 inputs and outputs on I2C (keys A0 to B7 = QUANTITY [output] [invert] [floating] [on], A0.label)",
	.items = items,
	.config_size = sizeof(struct mcp23017),
	.state_size = sizeof(struct mcp23017_state),
	.interval = "100ms",
	.report = "change max 5m",
	.i2c_addresses = (const uint8_t[]){ 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0 },
	.configure = mcp23017_configure,
	.open = mcp23017_open,
	.read = mcp23017_read,
	.watch = mcp23017_watch,
	.notice = mcp23017_notice,
	.wake = mcp23017_wake,
	.set = mcp23017_set,
	.close = mcp23017_close,
};
