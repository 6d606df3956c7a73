/* A light of the kernel's LED class: the board's own (ACT, PWR), a gpio-leds or pwm-leds overlay. Documentation/ABI/testing/sysfs-class-led. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../door.h"
#include "../driver.h"
#include "../sysfs.h"

struct led {
	const char *led;
	int output; /* 0 switch, 1 level */
};

struct led_state {
	char brightness[SYSFS_PATH_MAX], trigger[SYSFS_PATH_MAX];
	char trigger_before[32]; /* put back when it is closed; "" none */
	double most;
};

#define AT(field) offsetof(struct led, field)

static const struct conf_item items[] = {
	{ "led", CONF_STRING, AT(led), .required = true, .help = "its name in /sys/class/leds, such as ACT" },
	{ "output", CONF_CHOICE, AT(output), "switch", .choices = "switch|level", .help = "on and off, or 0 to 100 %" },
	{ 0 },
};

static void led_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct led *led = device->config;

	device_add_channel(device, led->output ? "level" : "switch", led->output ? OUTPUT_RANGE : OUTPUT_SWITCH);
	if (led->led && strchr(led->led, '/'))
		conf_mistake(conf, section, "led", "a name, without /");
}

static int explain(struct device *device, const char *path, int error)
{
	door_explain(path, error, "gpio", "`ls /sys/class/leds` tells their names", device->error, sizeof(device->error));
	return error;
}

/* "none [mmc0] timer": the word in brackets is the one that moves it. */
static void remember_trigger(struct led_state *state)
{
	char text[4096], *word, *end;

	if (sysfs_read(state->trigger, text, sizeof(text)) < 0)
		return;
	word = strchr(text, '[');
	end = word ? strchr(word, ']') : NULL;
	if (!end || end - word > (int)sizeof(state->trigger_before))
		return;
	*end = '\0';
	strcpy(state->trigger_before, word + 1);
}

static int led_open(struct device *device)
{
	const struct led *led = device->config;
	struct led_state *state = device->state;
	char most[SYSFS_PATH_MAX];
	int r;

	*state = (struct led_state){ 0 };
	sysfs_path(state->brightness, "/sys/class/leds/%s/brightness", led->led);
	sysfs_path(state->trigger, "/sys/class/leds/%s/trigger", led->led);
	r = sysfs_read_number(sysfs_path(most, "/sys/class/leds/%s/max_brightness", led->led), &state->most);
	if (r < 0)
		return explain(device, most, r);
	remember_trigger(state);
	/* Otherwise the kernel goes on to blink it. An LED without triggers is fine. */
	r = access(state->trigger, F_OK) < 0 ? 0 : sysfs_write(state->trigger, "none");
	if (r < 0)
		state->trigger_before[0] = '\0';
	return r < 0 ? explain(device, state->trigger, r) : 0;
}

static void led_close(struct device *device)
{
	struct led_state *state = device->state;

	if (state->trigger_before[0])
		sysfs_write(state->trigger, state->trigger_before);
	*state = (struct led_state){ 0 };
}

static int read_back(struct device *device, double *ret_number)
{
	const struct led *led = device->config;
	const struct led_state *state = device->state;
	double brightness;
	int r = sysfs_read_number(state->brightness, &brightness);

	if (r < 0)
		return explain(device, state->brightness, r);
	*ret_number = led->output ? nearbyint(brightness / state->most * 100) : brightness > 0;
	return 0;
}

static int led_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	const struct led *led = device->config;
	const struct led_state *state = device->state;
	double share = led->output ? value->number / 100 : value->number > 0;
	int r = sysfs_write_number(state->brightness, (int64_t)ceil(share * state->most - 1e-9)); /* a little is not nothing */

	(void)channel;
	if (r < 0)
		return explain(device, state->brightness, r);
	ret_value->kind = VALUE_NUMBER;
	return read_back(device, &ret_value->number);
}

static int led_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	double number = 0;
	int r = read_back(device, &number);

	(void)now_ms;
	ret_values[0] = value_of_number(number);
	ret_fresh[0] = true;
	return r;
}

const struct driver led_driver = {
	.name = "led",
	.help = "a light of /sys/class/leds",
	.items = items,
	.config_size = sizeof(struct led),
	.state_size = sizeof(struct led_state),
	.interval = "5m",
	.configure = led_configure,
	.open = led_open,
	.read = led_read,
	.set = led_set,
	.close = led_close,
};
