/* The broker: connection, retry with jittered back-off, last will, QoS, TLS, on the caller's sd_event loop (MQTT 5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "conf.h"

struct bus;

/* The [mqtt] section, the same in every daemon. */
struct bus_settings {
	const char *host;
	int port;
	const char *base; /* base topic, "foyer" */
	const char *username;
	const char *password_file; /* first line; never logged */
	const char *ca_file;       /* given: TLS */
	const char *cert_file, *key_file;
	const char *client_id; /* NULL: the daemon's own */
	int64_t keepalive_ms;
};

extern const struct conf_item bus_items[];

/* Further checks that a table can't say (cert without key, base with wildcards ...), told through conf_mistake. */
void bus_check_settings(struct conf *conf, const struct bus_settings *settings);

struct bus_message {
	const char *topic;
	const void *payload; /* not NUL-terminated; NULL when len is 0 */
	size_t len;
	int qos;
	bool retain;                /* delivered because it was retained, not live */
	uint16_t packet_id;         /* the broker's, for QoS > 0 */
	const char *response_topic; /* MQTT 5 request/response; NULL without */
	const void *correlation;
	size_t correlation_len;
};

struct bus_handlers { /* each may be NULL */
	void (*connected)(void *context, bool session_present);
	void (*disconnected)(void *context, const char *reason); /* also for a failed try; told each time */
	void (*message)(void *context, const struct bus_message *message);
	void (*acknowledged)(void *context, int publish_id); /* the broker has what bus_publish numbered so (QoS 1) */
	void (*received)(void *context); /* after each read of the socket: all messages that were there have been given.
						 * With hold_acks also when something of the bus's own (a ping) waits for bus_flush */
};

struct bus_options {
	const char *client_id;  /* used when settings->client_id is NULL */
	bool persistent;        /* session survives: clean start off, no session expiry */
	bool hold_acks;         /* nothing is written (PUBACKs too) until bus_flush: see DESIGN 3.1 */
	int receive_max;        /* MQTT 5 receive maximum asked for; 0: the library's */
	const char *will_topic; /* NULL: none; will is QoS 1 retained */
	const char *will_payload;
};

struct bus_publication {
	const char *topic;
	const void *payload;
	size_t len;
	int qos;
	bool retain;
	unsigned expiry_s;          /* MQTT 5 message expiry; 0: none */
	const char *response_topic; /* NULL: none */
	const void *correlation;    /* with len 0: none */
	size_t correlation_len;
};

/* Makes the connection's object and begins to connect; a broker that is absent is no error: it is tried again (after 0.5 s, doubling to
 * 30 s, each jittered), told once in the log when it begins and when it ends. Strings in settings and options must outlive the bus.
 * Returns 0, -ENOENT/-EACCES for a certificate or password file that can't be read (logged), -ENOMEM. */
int bus_open(sd_event *event, const struct bus_settings *settings, const struct bus_options *options,
	     const struct bus_handlers *handlers, void *context, struct bus **ret_bus);

/* Publishes nothing more, sends DISCONNECT when connected (after writing what is queued, for at most a second) and frees. With
 * hold_acks and messages read since the last bus_flush it just hangs up, so the broker delivers those again. NULL is fine.
 * Not to be called from a handler. */
void bus_close(struct bus *bus);

bool bus_connected(const struct bus *bus);

/* Subscribes now and after every reconnection; filters are remembered (at most 16). What we publish ourselves does not come back.
 * retained   whether retained messages are wanted: always, only when the subscription is new, or never
 * Returns 0, -ENOSPC, -EINVAL. */
enum bus_retained { BUS_RETAINED_ALWAYS, BUS_RETAINED_WHEN_NEW, BUS_RETAINED_NEVER };
int bus_subscribe(struct bus *bus, const char *filter, int qos, enum bus_retained retained);

/* Hands a message to the connection. ret_id may be NULL. A QoS 1 message that is not acknowledged when the connection ends is forgotten:
 * who needs it sends it again.
 * Returns 0, -ENOTCONN without a broker (nothing is queued: who needs the message later keeps it), -EMSGSIZE, -EINVAL, -ENOMEM,
 * -EAGAIN when 8 MiB or 20 000 messages wait to be written or acknowledged. */
int bus_publish(struct bus *bus, const struct bus_publication *publication, int *ret_id);

/* With hold_acks: writes all that is queued, PUBACKs first. Without, nothing to do. */
void bus_flush(struct bus *bus);

/* Ends the connection now and tries again after `delay_ms`; with hold_acks what was not flushed stays unacknowledged, so the broker
 * delivers it again. */
void bus_reconnect(struct bus *bus, int64_t delay_ms);
