/* A sampler and an actuator at work on a loop of their own, with what they tell counted; and a driver of the tests' own that stands for a chip. */
#pragma once

#include <systemd/sd-event.h>

#include "../../node-agent/actuator.h"
#include "../../node-agent/sampler.h"

#define NOW INT64_C(1767268800000) /* where the fake clock stands */

/* Runs the loop until it is so; WAIT_UNTIL needs cmocka.h. */
#define WAIT_UNTIL(condition)                                                                                                      \
	while (!(condition))                                                                                                       \
	assert_true(sd_event_run(event, UINT64_MAX) >= 0)

extern sd_event *event;
extern struct sampler *sampler;
extern struct actuator *actuator;
extern int readings, healths; /* told */
extern double last_number;    /* of the newest reading */
extern int64_t last_time_ms;

struct chip {
	int opens, triggers, fetches, closes;
	int open_error, fetch_error;
	double value;
};

extern struct chip chip;
extern const struct driver chip_driver;
extern struct device chip_device;

/* For cmocka: before and after each test. */
int sampled_begin(void **state);
int sampled_end(void **state);

/* Opens both on these devices; sampler_start is the test's. */
void sampled_open(struct device *devices, double clock_rate);
/* The device's fault, "" without. */
const char *sampled_fault(const struct device *device);
/* For sampler_set: it must have worked; the number goes to the double that context points to. */
void sampled_done(void *context, int result, const struct value *value, const char *error);
