/* What webd knows of the house right now: nodes, their devices and quantities, the newest value of each. Filled from the store at start and
 * from the bus while running; pages, API and event stream read it. No broker, no store, no HTTP inside. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/command.h"
#include "../common/quantity.h"
#include "../common/reading.h"

enum { HOUSE_RANK_LAST = 1000000, HOUSE_RULE_MAX = 160 };
enum { HOUSE_LABEL_MAX = 64, HOUSE_ICON_MAX = 32 };        /* bytes, without NUL */
enum { HOUSE_NODES_MAX = 1000, HOUSE_SERIES_MAX = 20000 }; /* beyond: told once in the log, not shown */

enum house_output { HOUSE_SENSOR, HOUSE_SWITCH, HOUSE_RANGE, HOUSE_TEXT, HOUSE_BUTTON };

struct house_series { /* one quantity of one device */
	struct series name;
	const struct quantity_info *quantity;
	char label[HOUSE_LABEL_MAX + 1]; /* "" without: the quantity's own label serves */
	char icon[HOUSE_ICON_MAX + 1];
	char unit[UNIT_MAX + 1]; /* the quantity's own; of an unknown quantity what $info says */
	enum house_output output;
	double min, max, step; /* HOUSE_RANGE; also an output's limits where $info gives them */
	bool has_limits;
	bool confirm;        /* ask the person twice */
	int64_t interval_ms; /* as $info says; 0 unknown */
	bool has_value;
	struct value value;
	int64_t time_ms;
	bool pinned;       /* an output that the household wants at the top */
	bool time_guessed; /* nobody told when it was read: time_ms is when we heard of it */
	struct house_device *device;
	struct house_series *next; /* of the same device, in order of name */
};

struct house_device {
	char name[NAME_MAX_LEN + 1];
	char label[HOUSE_LABEL_MAX + 1];
	char icon[HOUSE_ICON_MAX + 1];
	char driver[NAME_MAX_LEN + 1];
	char fault[COMMAND_ERROR_MAX + 1]; /* $health's error; "" when it is well */
	int64_t fault_since_ms;
	bool hidden; /* from the overview and its node's panel, at the household's wish */
	struct house_node *node;
	struct house_series *series;
	struct house_device *next; /* of the same node, in order of name */
};

struct house_rule { /* kept by the node itself */
	char name[NAME_MAX_LEN + 1];
	char when[HOUSE_RULE_MAX + 1], then[HOUSE_RULE_MAX + 1], otherwise[HOUSE_RULE_MAX + 1],
		times[HOUSE_RULE_MAX + 1]; /* its own words */
	bool known, active;                /* what it looks at holds just now */
	bool fault, paused;                /* a sensor that it needs is silent; it acts too often */
	int64_t since_ms, held_ms;         /* since when; a person's order holds until then. Not over 0: not told */
	struct house_rule *next;
};

struct house_node {
	char name[NAME_MAX_LEN + 1];
	char label[HOUSE_LABEL_MAX + 1];     /* "" without */
	char own_label[HOUSE_LABEL_MAX + 1]; /* the household's own; "" without */
	int rank;                            /* in the overview: smaller first, then by name */
	char icon[HOUSE_ICON_MAX + 1];
	char version[HOUSE_ICON_MAX + 1];
	bool known_status; /* it said online or offline at all (a bare publisher never does) */
	bool online;
	int64_t status_ms; /* when it changed */
	int64_t seen_ms;   /* newest message of any kind; 0 never */
	bool has_info;
	bool has_health;
	int64_t uptime_s, outbox, oldest_ms, given_up, rss; /* $health; -1 where not told */
	bool clock_synced;
	struct house_rule *rules;
	struct house_device *devices;
	struct house_node *next; /* in order of name */
};

struct house_collector {
	bool known, online; /* it said so at all; its word, or its last will */
	int64_t status_ms;
	bool has_health;
	bool store_ok;
	char error[COMMAND_ERROR_MAX + 1];                        /* why it can't store; "" when it can */
	int64_t time_ms;                                          /* of its newest word */
	int64_t uptime_s, stored, known_again, rejected, commits; /* since it started; -1 where not told */
	double rate;                                              /* readings a second lately; negative: unknown */
};

struct house;

struct house *house_open(void); /* NULL without memory */
void house_close(struct house *house);

/* Grows with every change of anything above: what was made of an equal number is still true. */
uint64_t house_revision(const struct house *house);

const struct house_node *house_nodes(const struct house *house); /* the first; NULL when empty */
const struct house_node *house_node(const struct house *house, const char *name);
const struct house_series *house_series(const struct house *house, const struct series *name);

/* Takes the newest reading of a series (an older one than known is ignored). Makes what is new. Returns 1 when it is news, 0 when
 * older or the same instant, -ENOSPC beyond the limits, -ENOMEM. */
int house_reading(struct house *house, const struct reading *reading);
/* Takes a bare value that the broker had kept: its age is unknown, so it must not look fresh. Where the series is known with another value, it
 * gets the time of that one and a millisecond (the store, which took it when it came, tells better later); where nothing is known, now_ms as a
 * guess that any reading with a time replaces. Returns as house_reading; reading->time_ms gets what was chosen. */
int house_retained(struct house *house, struct reading *reading, int64_t now_ms);
/* A message came from the node itself, at this time. A node that is not known yet stays so. */
void house_seen(struct house *house, const char *node, int64_t time_ms);
/* Returns 1 when the status changed; a word older than the known one is ignored. */
int house_status(struct house *house, const char *node, bool online, int64_t time_ms);
/* $info and $health, hostile JSON: what does not fit the notation is left out, texts are cut to valid UTF-8. 1 news, 0 nothing usable. */
int house_info(struct house *house, const char *node, const char *json, size_t len);
int house_health(struct house *house, const char *node, const char *json, size_t len);

/* The collector's own $status and $health. */
const struct house_collector *house_collector(const struct house *house);
void house_collector_status(struct house *house, bool online, int64_t time_ms);
void house_collector_health(struct house *house, const char *json, size_t len, int64_t now_ms);

/* How the household wants it shown: "label.NODE" its name, "order.NODE" a number, "hidden.NODE/DEVICE" and "pinned.NODE/DEVICE/QUANTITY" any text.
 * value NULL: no wish any more. What is not there yet gets it when it comes. 0, -EINVAL (key too long), -ENOSPC, -ENOMEM. */
int house_arrange(struct house *house, const char *key, const char *value);

/* Whether a wish fits what $info says of the output. Returns 0, -ENOENT no such output, -EINVAL with reason ("200 is over 180") of
 * READING_REASON_MAX bytes. */
int house_check_command(const struct house *house, const struct command *command, char *reason);
