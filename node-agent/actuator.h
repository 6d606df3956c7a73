/* Commands in, outputs set, results out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../common/bus.h"
#include "driver.h"
#include "sampler.h"

struct actuator;

struct actuator_hooks {
	/* An output did as it was told, or has begun to. by_node: by actuator_order; otherwise by somebody's command. May be NULL. */
	void (*obeyed)(void *context, const struct channel *channel, const struct value *value, bool by_node);
	/* The output's new state. */
	void (*reading)(void *context, const struct channel *channel, int64_t time_ms, const struct value *value);
};

/* devices and sampler outlive the actuator. Returns 0 or -ENOMEM. */
int actuator_open(sd_event *event, const char *base, struct device *devices, struct sampler *sampler,
		  const struct actuator_hooks *hooks, void *context, struct actuator **ret_actuator);
void actuator_close(struct actuator *actuator);

/* Other devices and another base topic after a reload: orders of devices that are not among them are forgotten. */
void actuator_change(struct actuator *actuator, const char *base, struct device *devices);

/* The agent is about to stop: sets an output as its last act, and tells its state when that is known at once. */
void actuator_stop(struct actuator *actuator, const struct channel *channel, const struct value *value);

/* The bus to answer by. */
void actuator_use(struct actuator *actuator, struct bus *bus);

/* A message on `.../set`. A retained one is never obeyed. What becomes of it is published on `.../result`, and on its response topic. */
void actuator_command(struct actuator *actuator, const struct series *series, const struct bus_message *message);

/* What became of an order. error: when it is not ok. */
typedef void (*actuator_done_fn)(void *context, const struct channel *channel, bool ok, const char *error);

/* The node's own order to an output, by a rule or a safe state: told on `.../set` with `by` as any command, obeyed, and answered on `.../result`.
 * done is called once, perhaps before this returns; it may be NULL. Not called any more after actuator_close. */
void actuator_order(struct actuator *actuator, const struct channel *channel, const struct value *value, const char *by,
		    actuator_done_fn done, void *context);
