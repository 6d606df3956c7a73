#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHECK_MS = 10000 }; /* whether the chip is there still */

#define MS ((int64_t)1000000)

static int64_t sooner(int64_t a_ns, int64_t b_ns)
{
	return a_ns == 0 ? b_ns : b_ns == 0 || a_ns < b_ns ? a_ns : b_ns;
}

static void arm(struct device *device)
{
	const struct input_state *state = device->state;
	int64_t next_ns = sooner(state->settle_ns, state->long_ns), left_ns = next_ns - gpio_now_ns();

	if (next_ns == 0)
		device_wake(device, CHECK_MS);
	else
		device_wake(device, left_ns > 0 ? (left_ns + MS - 1) / MS : 0);
}

static void tell(struct device *device, size_t channel, int64_t ns, bool on)
{
	struct value value = value_of_number(on);

	device_tell(device, channel, ns, &value);
}

/* The line's level is the state from at_ns on; the change was at tell_ns. */
static void change(struct device *device, int64_t tell_ns, int64_t at_ns)
{
	const struct input_config *config = device->config;
	struct input_state *state = device->state;

	state->told = state->level;
	state->quiet_ns = at_ns + config->debounce_ms * MS;
	state->settle_ns = 0;
	state->long_ns = state->told && config->long_press_ms > 0 ? tell_ns + config->long_press_ms * MS : 0;
	tell(device, 0, tell_ns, state->told);
	if (!state->told && state->long_told) {
		state->long_told = false;
		tell(device, 1, tell_ns, false);
	}
}

/* What has become due by ns. */
static void settle(struct device *device, int64_t ns)
{
	const struct input_config *config = device->config;
	struct input_state *state = device->state;

	if (state->long_ns != 0 && state->long_ns <= ns && state->level) {
		state->long_told = true;
		tell(device, 1, state->long_ns, true);
		state->long_ns = 0;
	}
	if (state->settle_ns != 0 && state->settle_ns <= ns) /* a hold's end is a moment of its own */
		change(device, config->hold_ms > 0 && !state->level ? state->settle_ns : state->edge_ns, state->settle_ns);
}

/* The line has become `level` at ns. */
static void edge(struct device *device, bool level, int64_t ns)
{
	const struct input_config *config = device->config;
	struct input_state *state = device->state;
	int64_t lasts_ns = (gpio_filters(state->gpio) ? 0 : config->steady_ms) * MS + (level ? 0 : config->hold_ms * MS);

	settle(device, ns);
	if (level == state->level)
		return; /* its edge was lost, the level was asked meanwhile */
	state->level = level;
	state->edge_ns = ns;
	if (level == state->told) {
		state->settle_ns = 0;
		return;
	}
	state->settle_ns = ns + lasts_ns > state->quiet_ns ? ns + lasts_ns : state->quiet_ns;
	settle(device, ns);
}

static int take_edges(struct device *device)
{
	struct input_state *state = device->state;
	struct gpio_edge edges[GPIO_EDGES_MAX];
	unsigned lost;
	int count = gpio_read_edges(state->gpio, edges, &lost);

	for (int i = 0; i < count; i++)
		edge(device, edges[i].rising, edges[i].ns);
	return count;
}

/* Edges first, then the level itself: it holds, whatever edges were lost. */
static int look(struct device *device)
{
	struct input_state *state = device->state;
	int level, r = gpio_alive(state->gpio);

	if (r < 0) {
		snprintf(device->error, sizeof(device->error), "the GPIO chip is gone");
		return r;
	}
	r = take_edges(device);
	if (r < 0)
		return r;
	level = gpio_get(state->gpio);
	if (level < 0)
		return level;
	edge(device, level, gpio_now_ns());
	arm(device);
	return 0;
}

int input_open(struct device *device)
{
	const struct input_config *config = device->config;
	struct input_state *state = device->state;
	int level, r;

	*state = (struct input_state){ 0 };
	r = gpio_open(&config->place, GPIO_EDGES_BOTH, 0, (unsigned)config->steady_ms * 1000, &state->gpio, device->error,
		      sizeof(device->error));
	level = r < 0 ? r : gpio_get(state->gpio);
	if (level < 0) {
		input_close(device);
		return level;
	}
	state->level = state->told = level;
	arm(device);
	return 0;
}

int input_watch(struct device *device)
{
	return gpio_fd(((struct input_state *)device->state)->gpio);
}

int input_notice(struct device *device)
{
	int r = take_edges(device);

	if (r < 0)
		return r;
	arm(device);
	return 0;
}

int input_wake(struct device *device)
{
	return look(device);
}

/* The state now and then, as the interval says. */
int input_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct input_state *state = device->state;
	int r = look(device);

	(void)now_ms;
	if (r < 0)
		return r;
	for (size_t i = 0; i < device->channel_count; i++) {
		ret_values[i] = value_of_number(i == 0 ? state->told : state->long_told);
		ret_fresh[i] = i < 2;
	}
	return 0;
}

void input_close(struct device *device)
{
	struct input_state *state = device->state;

	gpio_close(state->gpio);
	*state = (struct input_state){ 0 };
}
