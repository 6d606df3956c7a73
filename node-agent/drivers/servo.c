/* A hobby servo: its angle is the length of a pulse, 50 times a second; on a PWM line of the board, or on a channel of a PCA9685. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../driver.h"
#include "../pwm.h"
#include "pca9685.h"

enum { STEP_MS = 20 }; /* a pulse's time */

struct servo {
	struct pwm_place place;
	double min, max; /* what it may be ordered, degrees */
	double travel;   /* degrees from the shortest pulse to the longest */
	int pulse_min_us, pulse_max_us;
	double speed; /* degrees a second; 0: at once */
	int64_t release_after_ms;
};

struct servo_state {
	struct pwm *pwm;
	bool ready;
	double at, to; /* degrees; NAN: not known, nothing ordered */
	bool resting;  /* the next wake() ends the pulses */
};

#define AT(field) offsetof(struct servo, field)

/* clang-format off */
#define SERVO_ITEMS \
	{ "min", CONF_NUMBER, AT(min), "0", .min = -360, .max = 360, .help = "the least angle that it may take" }, \
	{ "max", CONF_NUMBER, AT(max), "180", .min = -360, .max = 360, .help = "and the most" }, \
	{ "travel", CONF_NUMBER, AT(travel), "180", .min = 1, .max = 360, .help = "degrees from pulse_min (angle 0) to pulse_max" }, \
	{ "pulse_min", CONF_INT, AT(pulse_min_us), "500", .min = 100, .max = 5000, .help = "microseconds; see the servo's data sheet" }, \
	{ "pulse_max", CONF_INT, AT(pulse_max_us), "2500", .min = 100, .max = 5000, .help = "microseconds" }, \
	{ "speed", CONF_NUMBER, AT(speed), "0", .max = 10000, .help = "degrees a second; 0: as fast as it can" }, \
	{ "release_after", CONF_DURATION, AT(release_after_ms), "0", .max = 3600000, \
	  .help = "the pulses end so long after it has arrived: no humming, no holding; 0: never" }
/* clang-format on */

static const struct conf_item kernel_items[] = { PWM_ITEMS_KERNEL(AT(place), "50"), SERVO_ITEMS, { 0 } };
static const struct conf_item pca9685_items[] = { PWM_ITEMS_PCA9685(AT(place), "50"), SERVO_ITEMS, { 0 } };

static void servo_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct servo *servo = device->config;
	struct channel *channel = device_add_channel(device, "position", OUTPUT_RANGE);

	channel->min = servo->min;
	channel->max = servo->max;
	if (servo->min >= servo->max)
		conf_mistake(conf, section, "min", "%g is not below max = %g", servo->min, servo->max);
	if (servo->pulse_min_us >= servo->pulse_max_us)
		conf_mistake(conf, section, "pulse_min", "%d is not below pulse_max = %d", servo->pulse_min_us,
			     servo->pulse_max_us);
	if (servo->min < 0 || servo->max > servo->travel)
		conf_mistake(conf, section, servo->min < 0 ? "min" : "max", "outside of the travel, 0 to %g", servo->travel);
	if (servo->pulse_max_us * servo->place.frequency >= 1e6)
		conf_mistake(conf, section, "frequency", "the longest pulse does not fit into its period");
	if (device->driver->i2c_addresses)
		pwm_check_frequency(device, &servo->place, conf, section);
}

static double us_per_degree(const struct servo *servo)
{
	return (servo->pulse_max_us - servo->pulse_min_us) / servo->travel;
}

static int64_t high_of(const struct servo *servo, double degrees)
{
	return llround((servo->pulse_min_us + degrees * us_per_degree(servo)) * 1000);
}

/* Where the pulses say that it is; NAN without. The angle that was asked for when that leads to the same pulse. */
static int read_back(struct device *device, double *ret_degrees)
{
	const struct servo *servo = device->config;
	const struct servo_state *state = device->state;
	int64_t high_ns = pwm_get(state->pwm);

	if (high_ns < 0 && high_ns != -ENODATA)
		return (int)high_ns;
	if (high_ns <= 0)
		*ret_degrees = state->at;
	else if (!isnan(state->at) && llabs(high_ns - high_of(servo, state->at)) <= pwm_step_ns(state->pwm))
		*ret_degrees = state->at;
	else
		*ret_degrees = nearbyint(((double)high_ns / 1000 - servo->pulse_min_us) / us_per_degree(servo) * 10) / 10;
	return 0;
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------------------- */

static int adopt(struct device *device)
{
	struct servo_state *state = device->state;

	state->ready = true;
	return read_back(device, &state->at);
}

static void servo_close(struct device *device)
{
	struct servo_state *state = device->state;

	pwm_close(state->pwm);
	*state = (struct servo_state){ 0 };
}

static int servo_open(struct device *device)
{
	const struct servo *servo = device->config;
	struct servo_state *state = device->state;
	int r;

	*state = (struct servo_state){ .at = NAN, .to = NAN };
	r = pwm_open(device, &servo->place, &state->pwm);
	if (r > 0)
		r = adopt(device);
	if (r < 0)
		servo_close(device);
	return r;
}

/* One step of the way, or all of it where it can't be known or need not be slow. */
static int step(struct device *device)
{
	const struct servo *servo = device->config;
	struct servo_state *state = device->state;
	double most = servo->speed * STEP_MS / 1000, left = state->to - state->at;
	int r;

	state->at = isnan(state->at) || !(servo->speed > 0) || fabs(left) <= most ? state->to : state->at + copysign(most, left);
	r = pwm_set(state->pwm, high_of(servo, state->at));
	state->resting = !(fabs(state->to - state->at) > 0);
	if (!state->resting)
		device_wake(device, STEP_MS);
	else
		device_wake(device, servo->release_after_ms > 0 ? servo->release_after_ms : -1);
	return r;
}

static int servo_wake(struct device *device)
{
	struct servo_state *state = device->state;
	int r = state->ready ? 1 : pwm_ready(device, state->pwm);

	if (r > 0 && !state->ready)
		r = adopt(device);
	if (r < 0 || !state->ready || isnan(state->to))
		return r;
	return state->resting ? pwm_set(state->pwm, 0) : step(device);
}

static int servo_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	const struct servo *servo = device->config;
	struct servo_state *state = device->state;
	int r;

	(void)channel;
	state->to = value->number;
	state->resting = false;
	if (!state->ready)
		return 2 * PWM_RETRY_MS;
	r = step(device);
	if (r < 0)
		return r;
	if (!state->resting)
		return (int)ceil(fabs(state->to - state->at) / servo->speed * 1000);
	ret_value->kind = VALUE_NUMBER;
	return read_back(device, &ret_value->number);
}

static int servo_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct servo_state *state = device->state;
	double degrees = NAN;
	int r = state->ready ? read_back(device, &degrees) : 0;

	(void)now_ms;
	ret_fresh[0] = !isnan(degrees);
	ret_values[0] = value_of_number(isnan(degrees) ? 0 : degrees);
	return r;
}

#define SERVO_HOOKS                                                                                                                \
	.config_size = sizeof(struct servo), .state_size = sizeof(struct servo_state), .interval = "5m",                           \
	.configure = servo_configure, .open = servo_open, .read = servo_read, .wake = servo_wake, .set = servo_set,                \
	.close = servo_close

const struct driver servo_driver = {
	.name = "servo",
	.help = "a servo on a PWM line",
	.items = kernel_items,
	SERVO_HOOKS,
};

const struct driver servo_pca9685_driver = {
	.name = "servo_pca9685",
	.help = "a servo on a channel of a PCA9685",
	.items = pca9685_items,
	.i2c_addresses = pca9685_addresses,
	.identify = pca9685_identify,
	SERVO_HOOKS,
};
