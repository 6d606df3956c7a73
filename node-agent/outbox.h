/* Readings that wait for their receipt: sent at once, sent again in batches when nobody confirmed them, never lost while there is room.
 *
 * Room. Readings wait in memory (`room` of them), and in a file of the state folder when memory fills, when the server has been away for a while
 * (spill_after_ms), and at a clean stop: so a kill -9 takes at most what came since. The file is bounded by size and age. Giving up is the last
 * resort, when memory and file are both used up, or the file can't be used: then the oldest go, since the newest tell how the house is now; they
 * are counted, and told in the log once.
 *
 * Who takes them. A reading is settled by the collector's receipt. While nobody has ever heard of a collector (neither a receipt nor its retained
 * `$collector/$status`; remembered in the state folder) the broker's word settles it; readings of the last minutes are then kept all the same, and
 * sent again should a collector appear. While the collector is away nothing is sent twice.
 *
 * Time. A reading is stamped by the wall clock once that is believed: the kernel says that it is synchronised; or the machine has a battery clock
 * (clock_battery) or has been up for clock_wait_ms, and the clock shows no time before 2025. Until then it is stamped on the boot clock, and held;
 * then it gets its UTC time, whether it waited in memory or on disk, in this run of the agent or one before. Of a boot whose clock was never known
 * that can't be done: its readings are put before the next boot, as late as they can have been, and counted as estimated. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../common/bus.h"
#include "../common/value.h"
#include "driver.h"

struct outbox;

struct outbox_settings {
	const char *base, *node; /* as topics begin */
	const char *
		state_dir; /* for serial numbers and what is spilled; NULL: numbers begin at the clock's microseconds, nothing is spilled */
	size_t room;         /* readings in memory at most */
	int64_t file_bytes;  /* of the file at most; 0: nothing is spilled */
	int64_t file_age_ms; /* likewise; 0: no limit */
	int64_t spill_after_ms;
	int64_t resend_after_ms;
	int64_t clock_wait_ms; /* since the machine started */
};

/* Returns 0, -EBUSY when another agent uses the state folder (told in the log), or another negative errno. A folder that can't be written is told
 * and done without. */
int outbox_open(sd_event *event, const struct outbox_settings *settings, struct outbox **ret_outbox);
/* Keeps what waits in the file. NULL is fine. */
void outbox_close(struct outbox *outbox);

/* New settings; its folder stays as it was opened. settings->base and node outlive the outbox or the next call. */
void outbox_configure(struct outbox *outbox, const struct outbox_settings *settings);

/* The bus to send by. */
void outbox_use(struct outbox *outbox, struct bus *bus);

/* A reading of a channel. Never fails: what there is no room for is counted.
 * time_ms   the wall clock's at the moment of the reading
 * live      it is of now: stamped as said above, and sent at once by itself; otherwise it has its time, and goes in a batch, soon */
void outbox_add(struct outbox *outbox, const struct channel *channel, int64_t time_ms, const struct value *value, bool live);

/* Readings that could be added without one being spilled or given up. */
size_t outbox_free(const struct outbox *outbox);

/* The bus is there again, or gone: what was under way is sent again. */
void outbox_connected(struct outbox *outbox);
void outbox_disconnected(struct outbox *outbox);
/* A `$stored` payload. */
void outbox_receipt(struct outbox *outbox, const void *payload, size_t len);
/* The retained word of the collector, or of the broker on its behalf. */
void outbox_collector(struct outbox *outbox, bool online);
/* There is no collector in the house any more: its retained word was deleted. */
void outbox_no_collector(struct outbox *outbox);
/* The broker acknowledged what bus_publish numbered so. */
void outbox_acknowledged(struct outbox *outbox, int publish_id);

struct outbox_counts {
	int64_t waiting;     /* in memory and on disk */
	int64_t spilled;     /* of these, on disk */
	int64_t oldest_ms;   /* time of the oldest that waits; TIME_NONE: none, or not known yet */
	int64_t given_up;    /* since the agent started */
	int64_t estimated;   /* readings whose time could not be known, likewise */
	const char *clock;   /* "synced"; "unsynced": believed all the same; "waiting": not believed, readings are held */
	const char *trouble; /* why nothing can be spilled; "" when all is well */
};
struct outbox_counts outbox_counts(const struct outbox *outbox);
