/* A light whose brightness is the share of time that it is on: on a PWM line of the board, or on a channel of a PCA9685. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../driver.h"
#include "../pwm.h"
#include "pca9685.h"

enum { STEP_MS = 20 };

struct dimmer {
	struct pwm_place place;
	double min, max, gamma;
	int64_t fade_ms;
	bool invert;
};

struct dimmer_state {
	struct pwm *pwm;
	bool ready;
	double at, to; /* %; on its way when they differ. to NAN: nothing was ordered while the line was not ready */
};

#define AT(field) offsetof(struct dimmer, field)

/* clang-format off */
#define LIGHT_ITEMS \
	{ "min", CONF_NUMBER, AT(min), "0", .max = 100, .help = "% of the time that it is on at the lowest level over 0" }, \
	{ "max", CONF_NUMBER, AT(max), "100", .min = 1, .max = 100, .help = "and at level 100" }, \
	{ "gamma", CONF_NUMBER, AT(gamma), "1", .min = 0.2, .max = 5, .help = "2.2 makes even steps for the eye; 1: for motors, fans" }, \
	{ "fade", CONF_DURATION, AT(fade_ms), "0", .max = 600000, .help = "how long from 0 to 100" }, \
	{ "invert", CONF_BOOL, AT(invert), "no", .help = "a low line is light" }
/* clang-format on */

static const struct conf_item kernel_items[] = { PWM_ITEMS_KERNEL(AT(place), "1000"), LIGHT_ITEMS, { 0 } };
static const struct conf_item pca9685_items[] = { PWM_ITEMS_PCA9685(AT(place), "1000"), LIGHT_ITEMS, { 0 } };

static void dimmer_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct dimmer *dimmer = device->config;

	device_add_channel(device, "level", OUTPUT_RANGE);
	if (dimmer->min >= dimmer->max)
		conf_mistake(conf, section, "min", "%g is not below max = %g", dimmer->min, dimmer->max);
	if (device->driver->i2c_addresses)
		pwm_check_frequency(device, &dimmer->place, conf, section);
}

/* ---- level and high time ------------------------------------------------------------------------------------------------------- */

static int64_t high_of(const struct dimmer *dimmer, const struct pwm *pwm, double level)
{
	double share = level <= 0 ? 0 : (dimmer->min + (dimmer->max - dimmer->min) * pow(level / 100, dimmer->gamma)) / 100;
	int64_t high_ns = llround(share * (double)pwm_period_ns(pwm));

	if (high_ns == 0 && level > 0)
		high_ns = 1;
	return dimmer->invert ? pwm_period_ns(pwm) - high_ns : high_ns;
}

static double level_of(const struct dimmer *dimmer, const struct pwm *pwm, int64_t high_ns)
{
	double share = 100 * (double)high_ns / (double)pwm_period_ns(pwm), level;

	if (dimmer->invert)
		share = 100 - share;
	if (share <= 0)
		return 0;
	level = 100 * pow(fmax(0, (share - dimmer->min) / (dimmer->max - dimmer->min)), 1 / dimmer->gamma);
	return level > 100 ? 100 : level < 1 ? 1 : nearbyint(level);
}

/* What the output does. It is the level that was asked for when that leads to the same high time. */
static int read_back(struct device *device, double *ret_level)
{
	const struct dimmer *dimmer = device->config;
	const struct dimmer_state *state = device->state;
	int64_t high_ns = pwm_get(state->pwm);

	if (high_ns == -ENODATA)
		high_ns = 0; /* the line is low then */
	if (high_ns < 0)
		return (int)high_ns;
	*ret_level = llabs(high_ns - high_of(dimmer, state->pwm, state->at)) <= pwm_step_ns(state->pwm)
			     ? state->at
			     : level_of(dimmer, state->pwm, high_ns);
	return 0;
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------------------- */

static int adopt(struct device *device)
{
	struct dimmer_state *state = device->state;

	state->ready = true;
	state->at = 0;
	return read_back(device, &state->at);
}

static void dimmer_close(struct device *device)
{
	struct dimmer_state *state = device->state;

	pwm_close(state->pwm);
	*state = (struct dimmer_state){ 0 };
}

static int dimmer_open(struct device *device)
{
	const struct dimmer *dimmer = device->config;
	struct dimmer_state *state = device->state;
	int r;

	*state = (struct dimmer_state){ .to = NAN };
	r = pwm_open(device, &dimmer->place, &state->pwm);
	if (r > 0)
		r = adopt(device);
	if (r < 0)
		dimmer_close(device);
	return r;
}

/* One step of the way. */
static int step(struct device *device)
{
	const struct dimmer *dimmer = device->config;
	struct dimmer_state *state = device->state;
	double most = dimmer->fade_ms > 0 ? 100.0 * STEP_MS / (double)dimmer->fade_ms : 100;
	double left = state->to - state->at;
	int r;

	state->at = fabs(left) <= most ? state->to : state->at + copysign(most, left);
	r = pwm_set(state->pwm, high_of(dimmer, state->pwm, state->at));
	if (r >= 0 && fabs(state->to - state->at) > 0)
		device_wake(device, STEP_MS);
	return r;
}

static int dimmer_wake(struct device *device)
{
	struct dimmer_state *state = device->state;
	int r = state->ready ? 1 : pwm_ready(device, state->pwm);

	if (r > 0 && !state->ready)
		r = adopt(device);
	if (r < 0 || !state->ready || isnan(state->to))
		return r;
	return step(device);
}

static int dimmer_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	const struct dimmer *dimmer = device->config;
	struct dimmer_state *state = device->state;
	int r;

	(void)channel;
	state->to = value->number;
	if (!state->ready)
		return 2 * PWM_RETRY_MS;
	r = step(device);
	if (r < 0)
		return r;
	if (fabs(state->to - state->at) > 0)
		return (int)ceil(fabs(state->to - state->at) / 100 * (double)dimmer->fade_ms);
	device_wake(device, -1);
	ret_value->kind = VALUE_NUMBER;
	return read_back(device, &ret_value->number);
}

static int dimmer_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct dimmer_state *state = device->state;
	double level = 0;
	int r = state->ready ? read_back(device, &level) : 0;

	(void)now_ms;
	ret_values[0] = value_of_number(nearbyint(level));
	ret_fresh[0] = state->ready;
	return r;
}

#define DIMMER_HOOKS                                                                                                               \
	.config_size = sizeof(struct dimmer), .state_size = sizeof(struct dimmer_state), .interval = "5m",                         \
	.configure = dimmer_configure, .open = dimmer_open, .read = dimmer_read, .wake = dimmer_wake, .set = dimmer_set,           \
	.close = dimmer_close

const struct driver dimmer_driver = {
	.name = "dimmer",
	.help = "a light, fan, motor on a PWM line",
	.items = kernel_items,
	DIMMER_HOOKS,
};

const struct driver dimmer_pca9685_driver = {
	.name = "dimmer_pca9685",
	.help = "a light, fan, motor on a channel of a PCA9685",
	.items = pca9685_items,
	.i2c_addresses = pca9685_addresses,
	.identify = pca9685_identify,
	DIMMER_HOOKS,
};
