/* Whose turn it is: reads each device at its interval, spread so that not all wake at once, waits for slow chips by timer, and knows which device
 * is at fault. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "driver.h"

struct sampler;

struct sampler_hooks {
	/* A value of a channel at time_ms (UTC). */
	void (*reading)(void *context, const struct channel *channel, int64_t time_ms, const struct value *value);
	/* A device's fault began, changed or ended: $health is to be told. */
	void (*health)(void *context);
};

/* devices: a list that outlives the sampler. clock_rate: how much faster simulated devices live: their intervals
 * shorten, and the moment that they tell of runs ahead, from now on; readings bear the real time. Opens the devices.
 * Returns 0 or a negative errno. */
int sampler_open(sd_event *event, struct device *devices, double clock_rate, const struct sampler_hooks *hooks, void *context,
		 struct sampler **ret_sampler);
void sampler_close(struct sampler *sampler);

/* Begins to read. */
void sampler_start(struct sampler *sampler);

/* The fault of a device, "" when it is well; ret_since_ms is when it began (UTC), 0 when it is well. */
const char *sampler_fault(const struct sampler *sampler, const struct device *device, int64_t *ret_since_ms);

/* Whether a device can be asked for something now. */
bool sampler_ready(const struct sampler *sampler, const struct device *device);
