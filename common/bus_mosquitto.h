/* What the rooms of the bus share: the only door to libmosquitto. Nobody outside common/bus*.c includes this. */
#pragma once

#include <limits.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "bus.h"

enum {
	SUBSCRIPTIONS_MAX = 16,
	FILTER_MAX = 255,
	FIRST_DELAY_MS = 500,
	LAST_DELAY_MS = 30000,
	QUEUE_BYTES_MAX = 8 << 20,
	QUEUE_COUNT_MAX = 20000,
	PASSWORD_MAX = 255,
	PACKETS_PER_READ = 4096, /* then others on the loop have their turn */
	READ_MS = 50,            /* likewise: a packet may be a batch of hundreds of readings */
	CLOSE_MS = 1000,
};

struct subscription {
	char filter[FILTER_MAX + 1];
	int qos;
	int options;
};

struct bus {
	sd_event *event;
	sd_event_source *io, *keepalive, *retry;
	const struct bus_settings *settings;
	struct bus_options options;
	struct bus_handlers handlers;
	void *context;

	struct mosquitto *mosq;
	bool up;        /* between CONNACK and the end */
	bool told_down; /* the log knows that there is no broker */
	bool refusal_told;
	bool held;     /* hold_acks: messages were read since the last flush */
	bool flushing; /* hold_acks: a flush did not fit into the socket; nothing is read till it has */
	bool dropping; /* bus_reconnect was called */
	int64_t drop_delay_ms;
	int64_t delay_ms; /* of the next try */
	char reason[128]; /* why the connection ended */

	struct subscription subscriptions[SUBSCRIPTIONS_MAX];
	size_t subscription_count;
	size_t queued_bytes; /* handed over since the socket had all */
	unsigned unacknowledged;
	unsigned char waits_ack[(UINT16_MAX + 1) / CHAR_BIT]; /* packet ids of our QoS 1 messages */
};

/* An MOSQ_ERR_ code as a negative errno, and in words. */
int bus_errno_of(int code);
const char *bus_explain(int code);

/* bus_handle.c: makes bus->mosq with options, will, credentials and session. Returns 0 or a negative errno (logged when a file is at fault);
 * bus->mosq may then be half made. */
int bus_make_handle(struct bus *bus);

/* bus_events.c: lets libmosquitto call our handlers. None of them ends the connection itself. */
void bus_watch_events(struct bus *bus);
void bus_send_subscription(struct bus *bus, const struct subscription *subscription);
