/* Whose turn it is: reads each device at its interval, spread so that not all wake at once, waits for slow chips by timer and for those that block on
 * workers, hands orders to outputs, and knows which device is at fault. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "driver.h"

struct sampler;

struct sampler_hooks {
	/* A value of a channel, worth telling or not (condition.h). May be NULL. */
	void (*seen)(void *context, const struct channel *channel, const struct value *value);
	/* A value of a channel at time_ms (UTC), to be told. */
	void (*reading)(void *context, const struct channel *channel, int64_t time_ms, const struct value *value);
	/* A device's fault began, changed or ended: $health is to be told. */
	void (*health)(void *context);
	/* A device has been opened, again perhaps: its outputs can be set from now on. May be NULL. */
	void (*opened)(void *context, struct device *device);
};

/* devices: a list; the sampler takes a reference of each. clock_rate: how much faster simulated devices live: their intervals
 * shorten, and the moment that they tell of runs ahead, from now on; readings bear the real time. Opens the devices; those on workers are open a little
 * later.
 * Returns 0 or a negative errno. */
int sampler_open(sd_event *event, struct device *devices, double clock_rate, const struct sampler_hooks *hooks, void *context,
		 struct sampler **ret_sampler);
/* Another list of devices, after a reload: those that are in both stay as they are, the others are closed and opened. Returns 0 or a negative errno. */
int sampler_change(struct sampler *sampler, struct device *devices);
/* Closes the devices. One whose bus hangs is left as it is after a while, with all that its thread may still touch. NULL is fine. */
void sampler_close(struct sampler *sampler);

/* Begins to read. */
void sampler_start(struct sampler *sampler);

/* The fault of a device, "" when it is well; ret_since_ms is when it began (UTC), 0 when it is well. */
const char *sampler_fault(const struct sampler *sampler, const struct device *device, int64_t *ret_since_ms);

/* Whether a channel has no news at present that it should have: its device is at fault, or what it says is not what the quantity can be. */
bool sampler_silent(const struct sampler *sampler, const struct channel *channel);

/* Whether a device can be asked for something now. */
bool sampler_ready(const struct sampler *sampler, const struct device *device);

/* Whether orders to it may have to wait: it is on a worker. */
bool sampler_waits(const struct sampler *sampler, const struct device *device);

/* What became of sampler_set.
 * result   as driver->set: 0 or n > 0 ms until done, SET_SILENT, or a negative errno with its words in `error`
 * value    what the output has then */
typedef void (*sampler_set_fn)(void *context, int result, const struct value *value, const char *error);

/* Sets an output: before reads that wait, but after orders given before. `done` is called once, before the return where nothing has to be waited for.
 * Returns 0, or a negative errno when the device is not ready (`done` is then not called). */
int sampler_set(struct sampler *sampler, const struct channel *channel, const struct value *value, sampler_set_fn done,
		void *context);
/* Takes back the orders with that context that wait; true when `done` will not be called any more. */
bool sampler_set_cancel(struct sampler *sampler, const void *context);
/* `done` is never called for orders with that context; cancel: those that wait are taken back as well. */
void sampler_set_forget(struct sampler *sampler, const void *context, bool cancel);
