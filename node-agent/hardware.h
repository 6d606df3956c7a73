/* What the node has, at work: devices read, outputs set, rules kept. It joins sampler, actuator, safe states and rules, knows the broker only to answer
 * commands, and lives on when the configuration is read again: a device whose section did not change is not touched. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "../common/bus.h"
#include "rules.h"
#include "sampler.h"
#include "settings.h"

struct hardware;

struct hardware_hooks {
	/* A reading to be told. */
	void (*reading)(void *context, const struct channel *channel, int64_t time_ms, const struct value *value);
	/* $health is to be told. */
	void (*health)(void *context);
};

/* settings outlives it or the next hardware_change. Returns 0 or a negative errno. */
int hardware_open(sd_event *event, const struct settings *settings, const struct hardware_hooks *hooks, void *context,
		  struct hardware **ret_hardware);
/* Begins to read. */
void hardware_start(struct hardware *hardware);
/* Another configuration, in which settings_keep has put the devices that stay. Returns 0 or a negative errno. */
int hardware_change(struct hardware *hardware, const struct settings *settings, const struct hardware_hooks *hooks, void *context);
/* Nobody is there to tell anything to, until hardware_change or the end. */
void hardware_detach(struct hardware *hardware);
/* Outputs take what they are to have when the agent stops; their new state is told. */
void hardware_stop(struct hardware *hardware);
/* NULL is fine. */
void hardware_close(struct hardware *hardware);

/* The bus to answer by; NULL: none. */
void hardware_use(struct hardware *hardware, struct bus *bus);
/* The broker is there, or away. */
void hardware_broker(struct hardware *hardware, bool connected);
/* A message on `.../set`. */
void hardware_command(struct hardware *hardware, const struct series *series, const struct bus_message *message);

/* For $health. */
const struct sampler *hardware_sampler(const struct hardware *hardware);
