/* Readings that wait for their receipt: sent at once, sent again in batches when nobody confirmed them, bounded. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../common/bus.h"
#include "../common/value.h"
#include "driver.h"

struct outbox;

struct outbox_settings {
	const char *base;
	const char *state_dir; /* for serial numbers; NULL: they begin at the clock's microseconds */
	size_t room;           /* readings kept at most; then the oldest is given up */
	int64_t resend_after_ms;
};

/* Returns 0 or a negative errno (a state_dir that can't be written is told and done without). */
int outbox_open(sd_event *event, const struct outbox_settings *settings, struct outbox **ret_outbox);
void outbox_close(struct outbox *outbox);

/* New settings; its room and its folder stay as they were opened. settings->base outlives the outbox or the next call. */
void outbox_configure(struct outbox *outbox, const struct outbox_settings *settings);

/* The bus to send by. */
void outbox_use(struct outbox *outbox, struct bus *bus);

/* A reading of a channel at time_ms (UTC). live: it is sent at once by itself; otherwise in a batch, soon. Never fails: when there
 * is no room the oldest is given up and counted. */
void outbox_add(struct outbox *outbox, const struct channel *channel, int64_t time_ms, const struct value *value, bool live);

/* Readings that could be added without giving one up. */
size_t outbox_free(const struct outbox *outbox);

/* The bus is there again, or gone: what was under way is sent again. */
void outbox_connected(struct outbox *outbox);
void outbox_disconnected(struct outbox *outbox);
/* A `$stored` payload. */
void outbox_receipt(struct outbox *outbox, const void *payload, size_t len);
/* The broker acknowledged what bus_publish numbered so: counts when nobody ever sent a receipt. */
void outbox_acknowledged(struct outbox *outbox, int publish_id);

struct outbox_counts {
	size_t waiting;
	int64_t oldest_ms; /* time of the oldest that waits; TIME_NONE: none */
	int64_t given_up;
};
struct outbox_counts outbox_counts(const struct outbox *outbox);
