/* What outputs have when nobody asks: when the agent starts and stops, when their device comes back, when the broker is away for long. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "driver.h"

struct safe;

struct safe_hooks {
	/* An output is to take a value; by: who says so, for people. */
	void (*order)(void *context, const struct channel *channel, const struct value *value, const char *by);
	/* Whether a rule of this node looks after the output: then it needs no broker. */
	bool (*is_ruled)(void *context, const struct channel *channel);
};

/* Before the devices are opened: outputs with `initial = last` learn what they had, from a file in state_dir (NULL: none). devices outlive it or the next
 * safe_change. Returns 0 or a negative errno. */
int safe_open(sd_event *event, struct device *devices, const char *state_dir, const struct safe_hooks *hooks, void *context,
	      struct safe **ret_safe);
/* Writes what has to be kept, frees. NULL is fine. */
void safe_close(struct safe *safe);

/* Other devices after a reload; what is known of those that stay is kept. */
void safe_change(struct safe *safe, struct device *devices);

/* A device has been opened: its outputs get what they are to have. */
void safe_opened(struct safe *safe, const struct device *device);
/* An output obeyed. */
void safe_obeyed(struct safe *safe, const struct channel *channel, const struct value *value);
/* The broker is there, or away. */
void safe_broker(struct safe *safe, bool connected);
/* The agent stops: what each output is to have then, one after the other; false: it stays as it is. */
bool safe_on_stop(const struct channel *channel, struct value *ret_value);
