#include "hardware.h"

#include <errno.h>
#include <stdlib.h>

#include "actuator.h"
#include "safe.h"

struct hardware {
	sd_event *event;
	const struct settings *settings;
	struct hardware_hooks hooks;
	void *context;
	struct sampler *sampler;
	struct actuator *actuator;
	struct safe *safe;
	struct rules *rules;
};

/* ---- from one to the other ------------------------------------------------------------------------------------------------------- */

static void on_seen(void *context, const struct channel *channel, const struct value *value)
{
	struct hardware *hardware = context;

	/* What an output did by itself (its longest time was over, another of its interlock took over) is what it has, not the order before. */
	if (channel->output != OUTPUT_NONE)
		safe_obeyed(hardware->safe, channel, value);
	if (hardware->rules)
		rules_seen(hardware->rules, channel, value);
}

static void on_reading(void *context, const struct channel *channel, int64_t time_ms, const struct value *value)
{
	struct hardware *hardware = context;

	if (hardware->hooks.reading)
		hardware->hooks.reading(hardware->context, channel, time_ms, value);
}

/* An output's new state. */
static void on_state(void *context, const struct channel *channel, int64_t time_ms, const struct value *value)
{
	on_reading(context, channel, time_ms, value);
	on_seen(context, channel, value);
}

static void tell_health(const struct hardware *hardware)
{
	if (hardware->hooks.health)
		hardware->hooks.health(hardware->context);
}

static void on_health(void *context)
{
	struct hardware *hardware = context;

	if (hardware->rules)
		rules_faults(hardware->rules);
	tell_health(hardware);
}

static void on_opened(void *context, struct device *device)
{
	struct hardware *hardware = context;

	if (hardware->actuator)
		safe_opened(hardware->safe, device);
}

static void on_obeyed(void *context, const struct channel *channel, const struct value *value, bool by_node)
{
	struct hardware *hardware = context;

	safe_obeyed(hardware->safe, channel, value);
	if (!by_node)
		rules_overridden(hardware->rules, channel);
}

static void on_safe_order(void *context, const struct channel *channel, const struct value *value, const char *by)
{
	actuator_order(((struct hardware *)context)->actuator, channel, value, by, NULL, NULL);
}

static bool on_is_ruled(void *context, const struct channel *channel)
{
	struct hardware *hardware = context;

	return hardware->rules && rules_look_after(hardware->rules, channel);
}

static void on_rule_done(void *context, const struct channel *channel, bool ok, const char *error)
{
	struct hardware *hardware = context;

	(void)error;
	if (hardware->rules)
		rules_ordered(hardware->rules, channel, ok);
}

static void on_rule_order(void *context, const struct channel *channel, const struct value *value, const char *by)
{
	actuator_order(((struct hardware *)context)->actuator, channel, value, by, on_rule_done, context);
}

static bool on_is_silent(void *context, const struct channel *channel)
{
	return sampler_silent(((struct hardware *)context)->sampler, channel);
}

static void on_rules_changed(void *context)
{
	tell_health(context);
}

/* ---- use ------------------------------------------------------------------------------------------------------------------------- */

void hardware_start(struct hardware *hardware)
{
	sampler_start(hardware->sampler);
}

void hardware_use(struct hardware *hardware, struct bus *bus)
{
	actuator_use(hardware->actuator, bus);
}

void hardware_broker(struct hardware *hardware, bool connected)
{
	safe_broker(hardware->safe, connected);
}

void hardware_command(struct hardware *hardware, const struct series *series, const struct bus_message *message)
{
	actuator_command(hardware->actuator, series, message);
}

const struct sampler *hardware_sampler(const struct hardware *hardware)
{
	return hardware->sampler;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static int open_rules(struct hardware *hardware)
{
	static const struct rules_hooks hooks = { .order = on_rule_order, .is_silent = on_is_silent, .changed = on_rules_changed };

	rules_close(hardware->rules);
	hardware->rules = NULL;
	return rules_open(hardware->event, hardware->settings->rules, &hooks, hardware, &hardware->rules);
}

/* Outputs whose device was open before anybody could give them orders. */
static void catch_up(struct hardware *hardware)
{
	for (struct device *device = hardware->settings->devices; device; device = device->next)
		if (sampler_ready(hardware->sampler, device))
			safe_opened(hardware->safe, device);
}

int hardware_open(sd_event *event, const struct settings *settings, const struct hardware_hooks *hooks, void *context,
		  struct hardware **ret_hardware)
{
	static const struct sampler_hooks sampler_hooks = {
		.seen = on_seen, .reading = on_reading, .health = on_health, .opened = on_opened
	};
	static const struct actuator_hooks actuator_hooks = { .reading = on_state, .obeyed = on_obeyed };
	static const struct safe_hooks safe_hooks = { .order = on_safe_order, .is_ruled = on_is_ruled };
	struct hardware *hardware = calloc(1, sizeof(*hardware));
	int r;

	if (!hardware)
		return -ENOMEM;
	hardware->event = sd_event_ref(event);
	hardware->settings = settings;
	hardware->hooks = *hooks;
	hardware->context = context;
	r = safe_open(event, settings->devices, settings->state_dir, &safe_hooks, hardware, &hardware->safe);
	if (r >= 0)
		r = open_rules(hardware);
	if (r >= 0)
		r = sampler_open(event, settings->devices, settings->clock_rate, &sampler_hooks, hardware, &hardware->sampler);
	if (r >= 0)
		r = actuator_open(event, settings->bus.base, settings->devices, hardware->sampler, &actuator_hooks, hardware,
				  &hardware->actuator);
	if (r < 0) {
		hardware_close(hardware);
		return r;
	}
	catch_up(hardware);
	*ret_hardware = hardware;
	return 0;
}

int hardware_change(struct hardware *hardware, const struct settings *settings, const struct hardware_hooks *hooks, void *context)
{
	int r;

	hardware->settings = settings;
	hardware->hooks = *hooks;
	hardware->context = context;
	actuator_change(hardware->actuator, settings->bus.base, settings->devices);
	safe_change(hardware->safe, settings->devices);
	r = open_rules(hardware);
	return r < 0 ? r : sampler_change(hardware->sampler, settings->devices);
}

void hardware_detach(struct hardware *hardware)
{
	hardware->hooks = (struct hardware_hooks){ 0 };
	hardware->context = NULL;
	hardware_use(hardware, NULL);
}

void hardware_stop(struct hardware *hardware)
{
	for (struct device *device = hardware->settings->devices; device; device = device->next)
		for (size_t i = 0; i < device->channel_count; i++) {
			struct value value;

			if (safe_on_stop(&device->channels[i], &value))
				actuator_stop(hardware->actuator, &device->channels[i], &value);
		}
}

void hardware_close(struct hardware *hardware)
{
	if (!hardware)
		return;
	rules_close(hardware->rules);
	hardware->rules = NULL;
	actuator_close(hardware->actuator);
	sampler_close(hardware->sampler);
	safe_close(hardware->safe);
	sd_event_unref(hardware->event);
	free(hardware);
}
