/* Commands in, outputs set, results out. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "../common/bus.h"
#include "driver.h"
#include "sampler.h"

struct actuator;

struct actuator_hooks {
	/* The output's new state. */
	void (*reading)(void *context, const struct channel *channel, int64_t time_ms, const struct value *value);
};

/* devices and sampler outlive the actuator. Returns 0 or -ENOMEM. */
int actuator_open(sd_event *event, const char *base, struct device *devices, struct sampler *sampler,
		  const struct actuator_hooks *hooks, void *context, struct actuator **ret_actuator);
void actuator_close(struct actuator *actuator);

/* The bus to answer by. */
void actuator_use(struct actuator *actuator, struct bus *bus);

/* A message on `.../set`. A retained one is never obeyed. What becomes of it is published on `.../result`, and on its response topic. */
void actuator_command(struct actuator *actuator, const struct series *series, const struct bus_message *message);
