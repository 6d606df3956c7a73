/* HC-SR04 ultrasonic distance sensor (and JSN-SR04T): a trigger of 10 us, then an echo line that is high while the sound travels: us / 58 = cm,
 * 2 to 400 cm; 38 ms when nothing comes back; one ping in 60 ms at most (ElecFreaks user guide v1.0). The echo is 5 V: a divider belongs
 * before the Pi. The echo is timed by the kernel's stamps of its two edges; a reading is the median of five pings. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../driver.h"
#include "../gpio.h"

enum { PINGS = 5, CYCLE_MS = 60, ECHO_MIN_US = 100, ECHO_MAX_US = 38000, TRIGGER_NS = 10000 };

#define NS_PER_CM 58000.0

struct hcsr04 {
	struct gpio_place trigger, echo;
	double max;
};

struct hcsr04_state {
	struct gpio *trigger, *echo;
	int64_t rise_ns; /* of the echo under way; 0: none */
	int64_t echoes_ns[PINGS];
	int pings, heard; /* sent; answered, however long the echo was */
	int echoes;       /* of those within reach */
	bool answered;    /* the newest ping */
};

#define AT(field) offsetof(struct hcsr04, field)

static const struct conf_item items[] = {
	{ "trigger", CONF_STRING, AT(trigger.line), .required = true, .help = "the line of Trig, such as GPIO23" },
	{ "echo", CONF_STRING, AT(echo.line), .required = true,
	  .help = "the line of Echo, such as GPIO24; 5 V, so through a divider" },
	{ "chip", CONF_STRING, AT(trigger.chip), NULL, .help = "label, name or path of their chip, when they need one" },
	{ "range", CONF_NUMBER, AT(max), "400", .min = 10, .max = 600, .help = "cm; farther is no reading" },
	{ 0 },
};

static int ping(struct device *device)
{
	struct hcsr04_state *state = device->state;
	int r = gpio_set(state->trigger, 1);

	if (r < 0)
		return r;
	nanosleep(&(struct timespec){ .tv_nsec = TRIGGER_NS }, NULL); /* shorter than a turn of the loop */
	state->pings++;
	state->rise_ns = 0;
	state->answered = false;
	return gpio_set(state->trigger, 0);
}

static int hcsr04_notice(struct device *device)
{
	const struct hcsr04 *hcsr04 = device->config;
	struct hcsr04_state *state = device->state;
	struct gpio_edge edges[GPIO_EDGES_MAX];
	unsigned lost;
	int count = gpio_read_edges(state->echo, edges, &lost);

	for (int i = 0; i < count; i++) {
		int64_t long_ns = edges[i].ns - state->rise_ns;

		if (edges[i].rising) {
			state->rise_ns = edges[i].ns;
			continue;
		}
		if (state->rise_ns == 0 || state->answered || state->pings == 0)
			continue; /* a second echo, or the end of one before this ping */
		if (long_ns < ECHO_MIN_US * (int64_t)1000)
			continue; /* noise: a line without a sensor takes up the trigger */
		state->answered = true;
		state->heard++;
		if (long_ns < ECHO_MAX_US * (int64_t)1000 && (double)long_ns <= hcsr04->max * NS_PER_CM && state->echoes < PINGS)
			state->echoes_ns[state->echoes++] = long_ns;
	}
	return count < 0 ? count : 0;
}

static void hcsr04_close(struct device *device)
{
	struct hcsr04_state *state = device->state;

	gpio_close(state->trigger);
	gpio_close(state->echo);
	*state = (struct hcsr04_state){ 0 };
}

static int hcsr04_open(struct device *device)
{
	const struct hcsr04 *hcsr04 = device->config;
	struct gpio_place echo = hcsr04->echo;
	struct hcsr04_state *state = device->state;
	int r;

	*state = (struct hcsr04_state){ 0 };
	echo.chip = hcsr04->trigger.chip;
	r = gpio_open(&hcsr04->trigger, GPIO_OUTPUT, 0, 0, &state->trigger, device->error, sizeof(device->error));
	if (r >= 0)
		r = gpio_open(&echo, GPIO_EDGES_BOTH, 0, 0, &state->echo, device->error, sizeof(device->error));
	if (r < 0)
		hcsr04_close(device);
	return r;
}

static int hcsr04_watch(struct device *device)
{
	return gpio_fd(((struct hcsr04_state *)device->state)->echo);
}

static int hcsr04_trigger(struct device *device)
{
	struct hcsr04_state *state = device->state;
	int r = gpio_alive(state->echo);

	if (r >= 0)
		r = hcsr04_notice(device); /* what is there from before */
	state->pings = state->heard = state->echoes = 0;
	if (r >= 0)
		r = ping(device);
	device_wake(device, CYCLE_MS);
	return r;
}

static int hcsr04_wake(struct device *device)
{
	struct hcsr04_state *state = device->state;
	int r = hcsr04_notice(device);

	if (r < 0 || state->pings == PINGS)
		return r;
	device_wake(device, CYCLE_MS);
	return ping(device);
}

static int by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int hcsr04_fetch(struct device *device, double values[])
{
	struct hcsr04_state *state = device->state;
	int r = hcsr04_notice(device);

	if (r < 0)
		return r;
	if (state->heard == 0) {
		snprintf(device->error, sizeof(device->error), "no echo after %d pings: are Trig, Echo and 5 V connected?",
			 state->pings);
		return -EIO;
	}
	qsort(state->echoes_ns, (size_t)state->echoes, sizeof(*state->echoes_ns), by_length);
	values[0] =
		state->echoes * 2 > state->pings ? (double)state->echoes_ns[state->echoes / 2] / NS_PER_CM : NAN; /* out of reach */
	return 0;
}

const struct driver hcsr04_driver = {
	.name = "hcsr04",
	.help = "HC-SR04 ultrasonic distance sensor",
	.items = items,
	.config_size = sizeof(struct hcsr04),
	.state_size = sizeof(struct hcsr04_state),
	.interval = "10s",
	.emits = (const enum quantity[]){ QUANTITY_DISTANCE, QUANTITY_NONE },
	.settle_ms = PINGS * (CYCLE_MS + 10), /* the loop's turns between them may be late */
	.open = hcsr04_open,
	.trigger = hcsr04_trigger,
	.fetch = hcsr04_fetch,
	.watch = hcsr04_watch,
	.notice = hcsr04_notice,
	.wake = hcsr04_wake,
	.close = hcsr04_close,
};
