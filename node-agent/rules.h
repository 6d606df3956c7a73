/* The rules at work: values in, orders out. Without a clock or a broker it would do the same. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "rule.h"

struct rules;

struct rules_hooks {
	/* An output is to take a value; by: "rule heating". rules_ordered tells what became of it. */
	void (*order)(void *context, const struct channel *channel, const struct value *value, const char *by);
	/* Whether a sensor has no news that it should have. */
	bool (*is_silent)(void *context, const struct channel *channel);
	/* A rule has become active or not, or is held: $health is to be told. */
	void (*changed)(void *context);
};

/* list: outlives it. Returns 0 or a negative errno. */
int rules_open(sd_event *event, struct rule *list, const struct rules_hooks *hooks, void *context, struct rules **ret_rules);
void rules_close(struct rules *rules);

/* Each value of a sensor, and each state of an output. What follows from it happens soon, from the loop: rules that set each other off cannot
 * stop the world, and one that acts more than twenty times in ten seconds is paused for a minute. */
void rules_seen(struct rules *rules, const struct channel *channel, const struct value *value);
/* Sensors have fallen silent or come back. */
void rules_faults(struct rules *rules);
/* Somebody has set an output: rules with `override` leave it alone for so long. */
void rules_overridden(struct rules *rules, const struct channel *channel);
/* What became of an order: one that failed is tried again. */
void rules_ordered(struct rules *rules, const struct channel *channel, bool ok);

/* Whether a rule looks after an output, so that it needs no broker. */
bool rules_look_after(const struct rules *rules, const struct channel *channel);

/* Does what is due now; the loop calls it by itself. */
void rules_look(struct rules *rules);

/* For people: until when (clock_boot_ms()) a command holds against it; 0: none does. */
int64_t rule_held_ms(const struct rule *rule);
