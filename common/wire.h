/* The notation (protocol version 1): topics and payloads, both directions side by side. No broker, no clock, no store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "reading.h"

enum {
	WIRE_PROTOCOL = 1,
	WIRE_PAYLOAD_MAX = 64 * 1024, /* bytes; a longer reading is refused */
	WIRE_BASE_MAX = 64,
	WIRE_TOPIC_MAX = WIRE_BASE_MAX + SERIES_TEXT_MAX + 16,
	WIRE_READING_MAX = 512, /* the longest payload wire_format_reading writes for a number */
};

enum wire_kind {
	WIRE_OTHER,   /* under the base, but nothing the notation knows */
	WIRE_READING, /* BASE/NODE/DEVICE/QUANTITY */
	WIRE_SET,     /* .../set */
	WIRE_RESULT,  /* .../result */
	WIRE_STATUS,  /* BASE/NODE/$status */
	WIRE_INFO,
	WIRE_HEALTH,
	WIRE_STORED,
	WIRE_COLLECTOR_STATUS, /* BASE/$collector/$status: retained, last will, like a node's */
	WIRE_COLLECTOR_HEALTH, /* BASE/$collector/$health: JSON {"store":"ok","stored":N,...} */
};

struct wire_topic {
	enum wire_kind kind;
	struct series series; /* READING, SET, RESULT: all three words; STATUS ... STORED: only node; else empty */
};

/* Takes a topic apart.
 * reason   READING_REASON_MAX bytes; why not, in English without full stop: `device "Bme 280": names are [a-z0-9]...`
 * Returns 0, -ENOENT when it isn't under `base` or has a shape the notation does not know (*ret_topic->kind = WIRE_OTHER),
 * -EINVAL when the shape is a reading's, command's or a node's, but a name in it is not valid (kind tells which). */
int wire_parse_topic(const char *base, const char *topic, struct wire_topic *ret_topic, char *reason);

/* Writes the topic of `kind`; buf holds WIRE_TOPIC_MAX + 1 bytes. Series words that the kind does not use are ignored. Returns buf. */
const char *wire_format_topic(const char *base, enum wire_kind kind, const struct series *series, char *buf);

/* Called for each reading of a payload, in its order. reading->time_ms is TIME_NONE for a bare one.
 * A negative return ends the parse and comes back from wire_parse_readings. */
typedef int (*wire_reading_fn)(void *context, const struct reading *reading, const char *unit);

/* Called for each element that can't be taken. `element` is its JSON or the bare text, not NUL-terminated. */
typedef void (*wire_refused_fn)(void *context, const char *element, size_t len, const char *reason);

/* Reads the payload of a reading: bare value, object, or array of objects. Units are converted, kinds checked (reading_check is
 * the caller's second step, since it needs a clock). Each bad element of a batch is refused alone, the others are taken.
 * Returns the number of readings taken (0 with nothing but refusals), or fn's negative return. */
int wire_parse_readings(const struct series *series, const void *payload, size_t len, wire_reading_fn fn, wire_refused_fn refused,
			void *context);

/* Writes {"value":..,"time":..,"unit":"..","seq":..}; time, unit and seq only when the reading has them (unit: the quantity's own).
 * Returns the length (without NUL), or -ENOSPC. */
int wire_format_reading(const struct reading *reading, char *buf, size_t size);

/* Commands: bare value or {"value":..,"id":..,"by":..}. For a text quantity the bare payload is the text.
 * Returns 0, or -EINVAL with reason: ret_command then has no value, but the id, where it could be read, so that the sender learns why.
 * expires_ms is left 0. */
int wire_parse_command(const struct series *series, const void *payload, size_t len, struct command *ret_command, char *reason);
int wire_format_command(const struct command *command, char *buf, size_t size);

int wire_parse_result(const struct series *series, const void *payload, size_t len, struct command_result *ret_result);
int wire_format_result(const struct command_result *result, char *buf, size_t size);

/* Receipts: ranges of serial numbers, both ends included, rising. */
struct wire_range {
	int64_t first, last;
};

/* Returns the number of ranges, -EINVAL for no receipt, -ENOSPC when there are more than max. */
int wire_parse_receipt(const void *payload, size_t len, struct wire_range *ret_ranges, size_t max);
int wire_format_receipt(const struct wire_range *ranges, size_t count, char *buf, size_t size);

/* "online" is true, "offline" false; -EINVAL for anything else. */
int wire_parse_status(const void *payload, size_t len, bool *ret_online);

/* RFC 3339 with a zone ("2026-11-24T15:04:05.250+01:00", "...Z") to ms UTC. Returns 0 or -EINVAL. */
int wire_parse_time(const char *text, int64_t *ret_ms);
/* "2026-11-24T14:04:05.250Z"; buf at least 32 bytes. Returns buf. */
const char *wire_format_time(int64_t time_ms, char *buf);
