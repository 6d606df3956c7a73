/* Rules of the house that this node keeps by itself: when sensors say so, outputs are set, whether or not broker and server are there.
 *
 *     [rule heating]
 *     when = air/temperature < 19 for 2m and window/contact = closed
 *     then = heater/switch on
 *     else = heater/switch off
 *     hysteresis = 0.5
 *     between = 06:30-22:00
 *
 * A condition is DEVICE/QUANTITY, one of < <= > >= = !=, a value, and perhaps `for` and a time that it must have held. Or an event:
 * DEVICE/QUANTITY and `pressed` (it becomes 1), `released` (it becomes 0) or `changes`; a text that is equal is an event too. A rule with an event
 * does `then` each time; any other does `then` when its conditions become true, and `else` when they no longer are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../common/conf.h"
#include "driver.h"

enum { RULE_CONDITIONS_MAX = 4, RULE_ACTIONS_MAX = 6, RULE_SPANS_MAX = 4, RULE_TEXT_MAX = 200 };

enum compare { COMPARE_LESS, COMPARE_AT_MOST, COMPARE_MORE, COMPARE_AT_LEAST, COMPARE_EQUAL, COMPARE_OTHER };
enum event { EVENT_NONE, EVENT_PRESSED, EVENT_RELEASED, EVENT_CHANGES, EVENT_TEXT };

/* What is known of a condition or a rule. */
enum truth { TRUTH_UNKNOWN, TRUTH_FALSE, TRUTH_TRUE };

struct rule_condition {
	const struct channel *channel;
	enum compare compare;
	enum event event;
	struct value value;
	int64_t for_ms;

	/* The state. */
	bool has_value, is_silent;
	struct value now;
	bool raw;         /* by its value, with hysteresis */
	int64_t since_ms; /* raw has been so since, clock_boot_ms() */
};

struct rule_action {
	const struct channel *channel;
	struct value value;
	bool toggle;

	/* The state. */
	bool failed;  /* tried again */
	bool has_now; /* what the output has: for toggle */
	bool now;
	int64_t held_ms; /* clock_boot_ms() until which a person's command holds; 0: none does */
};

struct rule {
	struct rule *next;
	char name[NAME_MAX_LEN + 1];
	struct rule_condition when[RULE_CONDITIONS_MAX];
	size_t when_count;
	struct rule_action then[RULE_ACTIONS_MAX], otherwise[RULE_ACTIONS_MAX];
	size_t then_count, otherwise_count;
	bool is_event;
	double hysteresis;
	int64_t override_ms;    /* a command by a person holds for so long; 0: the rule does not yield */
	int64_t fault_after_ms; /* a sensor is silent for so long: */
	bool keep_on_fault;     /* then nothing changes; otherwise `else` */
	struct {
		int from, to; /* minutes of the day */
	} spans[RULE_SPANS_MAX];
	size_t span_count;
	unsigned days; /* bit 0: Monday; 0: all */
	char when_text[RULE_TEXT_MAX], then_text[RULE_TEXT_MAX], otherwise_text[RULE_TEXT_MAX], times_text[RULE_TEXT_MAX];

	/* The state. */
	enum truth truth, next_truth;
	int64_t since_ms;      /* UTC: it has been so since; of an event: the last time */
	int events;            /* that happened and were not looked at yet */
	int64_t fault_from_ms; /* clock_boot_ms() since a sensor is silent; 0: none is */
	int64_t burst_ms;      /* of the rate limit */
	int burst;
	unsigned acted_look; /* one act a look, however many outputs it has */
	int64_t paused_ms;   /* clock_boot_ms() until it may act again; 0: it may */
};

/* ---- rule_truth.c: what is so, without doing anything ---- */

/* A new value of a channel; counts events. Returns whether the rule is to be looked at. */
bool rule_seen(struct rule *rule, const struct channel *channel, const struct value *value);
/* Whether the local time is one of the rule's. */
bool rule_is_in_time(const struct rule *rule, int64_t wall_ms);
/* What holds at now_ms (clock_boot_ms()). Of a rule with an event: whether its other conditions do. Lowers *wake_ms to the moment when time alone may change it. */
enum truth rule_truth(struct rule *rule, int64_t now_ms, int64_t wall_ms, int64_t *wake_ms);

/* Reads the [rule NAME] sections; devices are all there. Mistakes are for conf_finish to tell. The caller frees by rules_free. */
struct rule *rules_read(struct conf *conf, struct device *devices);
void rules_free(struct rule *rules);
/* After a reload: channels of device `from` are those of `to`, which took its place. */
void rules_move(struct rule *rules, const struct device *from, const struct device *to);
/* Rules that read as they did go on where they were. */
void rules_keep(struct rule *rules, const struct rule *old);
/* The keys for --help. */
void rules_print(void);
