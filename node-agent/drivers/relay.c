/* An output that is on or off by a line: a relay, a lamp by a transistor, a valve; and a buzzer or siren, which is the same with a longest time.
 *
 * What it needs of those who give orders: a new order for an output takes the place of one that it still works on (set() returned n > 0). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../driver.h"
#include "../gpio.h"
#include "../interlock.h"

enum { CHECK_MS = 10000 }; /* whether the chip is there still */

#define MS ((int64_t)1000000)

struct relay {
	struct gpio_place place;
	int64_t pulse_ms, max_on_ms, dead_time_ms;
	const char *interlock;
	bool takeover, confirm;
};

struct relay_state {
	struct gpio *gpio;
	struct interlock interlock; /* ->on is what was ordered */
	int64_t on_ns;              /* when it goes on, after the dead time; 0: it does not wait */
	int64_t off_ns;             /* when it goes off by itself; 0: it does not */
};

#define AT(field) offsetof(struct relay, field)

static const struct conf_item relay_items[] = {
	GPIO_ITEM_LINE(AT(place)),
	GPIO_ITEM_ACTIVE_LOW(AT(place), "no"),
	GPIO_ITEM_DRIVE(AT(place)),
	{ "pulse", CONF_DURATION, AT(pulse_ms), "0", .max = 60000,
	  .help = "it is a button, that goes off by itself after so long" },
	{ "max_on", CONF_DURATION, AT(max_on_ms), "0", .max = 604800000,
	  .help = "the longest that it is on without an off between; 0: no limit" },
	{ "interlock", CONF_STRING, AT(interlock), NULL, .help = "a word: of the outputs that have the same, one at most is on" },
	{ "dead_time", CONF_DURATION, AT(dead_time_ms), "500ms", .max = 60000,
	  .help = "interlock: from one of them off to another one on" },
	{ "takeover", CONF_BOOL, AT(takeover), "yes", .help = "interlock: yes switches the other one off first, no refuses" },
	{ "confirm", CONF_BOOL, AT(confirm), "no", .help = "a person is asked twice" },
	{ 0 },
};

static const struct conf_item buzzer_items[] = {
	GPIO_ITEM_LINE(AT(place)),
	GPIO_ITEM_ACTIVE_LOW(AT(place), "no"),
	GPIO_ITEM_DRIVE(AT(place)),
	{ "pulse", CONF_DURATION, AT(pulse_ms), "0", .max = 60000, .help = "it is a button: one sound of this length" },
	{ "max_on", CONF_DURATION, AT(max_on_ms), "3m", .min = 100, .max = 86400000, .help = "the longest that it sounds" },
	{ "confirm", CONF_BOOL, AT(confirm), "no", .help = "a person is asked twice: a siren" },
	{ 0 },
};

/* ---- configuration -------------------------------------------------------------------------------------------------------------- */

/* A group of one is a slip of the pen, and a dangerous one. */
static void check_group(struct conf *conf, const struct conf_section *section, const char *group)
{
	const struct conf_section *other = NULL;

	while ((other = conf_next(conf, "device", other))) {
		const char *driver = conf_text(conf, other, "driver");
		const char *word = driver && strcmp(driver, "relay") == 0 ? conf_text(conf, other, "interlock") : NULL;

		if (other != section && word && strcmp(word, group) == 0)
			return;
	}
	conf_mistake(conf, section, "interlock", "no other relay has interlock = %s", group);
}

static void relay_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct relay *relay = device->config;
	const char *initial = conf_text(conf, section, "initial"); /* of all outputs: channel->first */
	bool button = relay->pulse_ms > 0, on = initial && (strcmp(initial, "on") == 0 || strcmp(initial, "1") == 0);
	struct channel *channel = device_add_channel(device, button ? "button" : "switch", button ? OUTPUT_BUTTON : OUTPUT_SWITCH);

	channel->confirm = relay->confirm;
	if (relay->interlock)
		check_group(conf, section, relay->interlock);
	if (on && relay->interlock)
		conf_mistake(conf, section, "initial", "outputs of an interlock begin off");
	if (on && button)
		conf_mistake(conf, section, "initial", "an output with a pulse begins off");
}

/* ---- the line ------------------------------------------------------------------------------------------------------------------- */

static void arm(struct device *device)
{
	const struct relay_state *state = device->state;
	int64_t next_ns = state->on_ns ? state->on_ns : state->off_ns, left_ns = next_ns - gpio_now_ns();

	device_wake(device, next_ns == 0 ? CHECK_MS : left_ns > 0 ? (left_ns + MS - 1) / MS : 0);
}

/* Sets the line and reads it back. One that does not go off stays "on" for its interlock. */
static int put(struct device *device, bool on)
{
	const struct relay *relay = device->config;
	struct relay_state *state = device->state;
	int64_t longest_ms = relay->pulse_ms > 0 ? relay->pulse_ms : relay->max_on_ms;
	int r = gpio_set(state->gpio, on), level = r < 0 ? r : gpio_get(state->gpio);

	if (level < 0)
		return level;
	if (state->interlock.on && !state->interlock.coming && !level)
		state->interlock.off_ns = gpio_now_ns();
	if (!on)
		state->off_ns = 0;
	else if (state->off_ns == 0 && longest_ms > 0) /* another "on" does not lengthen it */
		state->off_ns = gpio_now_ns() + longest_ms * MS;
	state->on_ns = 0;
	state->interlock.on = level;
	state->interlock.coming = false;
	arm(device);
	if (level == on)
		return level;
	snprintf(device->error, sizeof(device->error), "%s reads %d after %d was set: is it shorted?", relay->place.line, level,
		 on);
	return -EIO;
}

static int put_and_tell(struct device *device, bool on)
{
	struct value value = value_of_number(on);
	int r = put(device, on);

	if (r >= 0)
		device_tell(device, 0, 0, &value);
	return r;
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------------------- */

static void relay_close(struct device *device)
{
	struct relay_state *state = device->state;

	interlock_leave(&state->interlock);
	gpio_close(state->gpio);
	*state = (struct relay_state){ 0 };
}

/* The line has its first value from the moment that it is ours. */
static int relay_open(struct device *device)
{
	const struct relay *relay = device->config;
	const struct channel *channel = &device->channels[0];
	struct relay_state *state = device->state;
	bool on = channel->has_first && channel->first.number > 0;
	int r;

	/* It may have gone off just now, with the program before this one. */
	*state = (struct relay_state){ .interlock = { .group = relay->interlock, .device = device, .off_ns = gpio_now_ns() } };
	if (on && interlock_rival(&state->interlock))
		on = false;
	r = gpio_open(&relay->place, GPIO_OUTPUT, on, 0, &state->gpio, device->error, sizeof(device->error));
	if (r < 0)
		return r;
	interlock_join(&state->interlock);
	r = put(device, on);
	if (r < 0)
		relay_close(device);
	return r;
}

/* Makes way for this one to go on. Returns how many ms it has to wait for that, or a negative errno. */
static int make_way(struct device *device)
{
	const struct relay *relay = device->config;
	const struct relay_state *state = device->state;
	struct interlock *rival = interlock_rival(&state->interlock);
	int64_t off_ns, left_ns;

	if (rival && (rival->coming || !relay->takeover)) {
		snprintf(device->error, sizeof(device->error), "%s is %son (interlock %s)", rival->device->name,
			 rival->coming ? "about to go " : "", relay->interlock);
		return -EBUSY;
	}
	if (rival) {
		int r = put_and_tell(rival->device, false);

		if (r < 0) {
			snprintf(device->error, sizeof(device->error), "%s does not go off (interlock %s)", rival->device->name,
				 relay->interlock);
			return r;
		}
	}
	off_ns = interlock_rival_off_ns(&state->interlock);
	left_ns = off_ns ? off_ns + relay->dead_time_ms * MS - gpio_now_ns() : 0;
	return left_ns > 0 ? (int)((left_ns + MS - 1) / MS) : 0;
}

static int relay_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	struct relay_state *state = device->state;
	bool on = value->number > 0;
	int r = on && !state->interlock.on ? make_way(device) : 0;

	(void)channel;
	if (r < 0)
		return r;
	if (on && state->interlock.coming)
		r = (int)((state->on_ns - gpio_now_ns()) / MS) + 1;
	if (r > 0) { /* wake() does it */
		if (!state->interlock.coming)
			state->on_ns = gpio_now_ns() + r * MS;
		state->interlock.on = state->interlock.coming = true;
		arm(device);
		return r;
	}
	r = put(device, on);
	if (r < 0)
		return r;
	*ret_value = value_of_number(r);
	return 0;
}

static int relay_alive(struct device *device)
{
	int r = gpio_alive(((const struct relay_state *)device->state)->gpio);

	if (r < 0)
		snprintf(device->error, sizeof(device->error), "the GPIO chip is gone");
	return r;
}

static int relay_wake(struct device *device)
{
	struct relay_state *state = device->state;
	int64_t now_ns = gpio_now_ns();
	int r = relay_alive(device);

	if (r >= 0 && state->on_ns && state->on_ns <= now_ns)
		return put(device, true);
	if (r >= 0 && !state->on_ns && state->off_ns && state->off_ns <= now_ns)
		return put_and_tell(device, false);
	if (r >= 0)
		arm(device);
	return r;
}

/* Its state now and then, as the interval says. */
static int relay_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	int r = relay_alive(device);

	(void)now_ms;
	if (r >= 0)
		r = gpio_get(((struct relay_state *)device->state)->gpio);
	if (r < 0)
		return r;
	ret_values[0] = value_of_number(r);
	ret_fresh[0] = true;
	return 0;
}

#define RELAY_HOOKS                                                                                                                \
	.config_size = sizeof(struct relay), .state_size = sizeof(struct relay_state), .interval = "5m",                           \
	.configure = relay_configure, .open = relay_open, .read = relay_read, .wake = relay_wake, .set = relay_set,                \
	.close = relay_close

const struct driver relay_driver = {
	.name = "relay",
	.help = "a relay, lamp, valve: on or off by a line",
	.items = relay_items,
	RELAY_HOOKS,
};

const struct driver buzzer_driver = {
	.name = "buzzer",
	.help = "a buzzer or siren that sounds while its line is on, for a longest time",
	.items = buzzer_items,
	RELAY_HOOKS,
};
