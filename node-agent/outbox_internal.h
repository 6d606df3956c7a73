/* What the rooms of the outbox share. Nobody outside node-agent/outbox*.c includes this.
 *
 *     fresh     in memory, the newest; new readings join its end
 *     file      on disk, older than all in `fresh` (outbox_spill.c); absent while nothing had to be spilled
 *     window    in memory, the oldest of the file, read back to be sent
 *
 * A reading moves from fresh to the file with its number and time, and is copied into the window; it leaves when it is settled. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/store_outbox.h"
#include "../common/wire.h"
#include "outbox.h"
#include "outbox_instants.h"
#include "serial.h"

enum {
	OUTBOX_WINDOW = 8000, /* readings of the file that are under way at a time */
	OUTBOX_TICK_MS = 50,
	OUTBOX_RANGES_MAX = 1000,
	OUTBOX_TEXT_BYTES_MAX = 1 << 20, /* of texts in memory */
	OUTBOX_FORGOTTEN_MAX = 64,
};

/* What a text in memory costs. */
#define OUTBOX_TEXT_BYTES(text) (strlen(text) + 17)

/* ---- series ---------------------------------------------------------------------------------------------------------------------- */

/* A series that readings wait of; it outlives the devices, which a new configuration replaces. */
struct kept_series {
	struct kept_series *next;
	struct series name;
	int64_t told_ms,
		high_ms;      /* its newest reading's time, and the latest time it ever had: less after the clock was set back */
	int64_t told_boot_ms; /* likewise on the boot clock, while the wall clock is not believed */
	/* Its newest reading: the broker is to retain it, though it may be sent in a batch, which is never retained. */
	int64_t newest_seq, newest_ms;
	double newest_number;
	char *newest_text;
	bool newest_held;  /* newest_ms is on the boot clock */
	int64_t shown_seq; /* the broker retains this one */
	int shown_id;      /* bus_publish's number of it, until it is acknowledged */
};

/* ---- queues in memory: outbox_queue.c ------------------------------------------------------------------------------------------- */

enum entry_state {
	ENTRY_HELD,    /* its time is on the boot clock: it can't be sent yet */
	ENTRY_WAITING, /* to be sent, or sent again */
	ENTRY_SENT,
	ENTRY_KEPT, /* the broker has it and nobody knows of a collector: kept for a while all the same */
	ENTRY_DONE,
};

struct entry {
	struct kept_series *series;
	int64_t seq, time_ms;
	union {
		double number;
		char *text;
	};
	int64_t added_ms; /* clock_boot_ms() */
	int64_t sent_ms;  /* likewise; when ENTRY_SENT or ENTRY_KEPT */
	int publish_id;
	uint8_t state;
	bool is_text;
};

/* Entries in the order of their numbers: a ring that grows as needed up to `max`. */
struct queue {
	struct entry *entries;
	size_t head, count, room, max;
	size_t waiting;       /* ENTRY_WAITING */
	size_t held;          /* ENTRY_HELD */
	size_t unsettled;     /* not KEPT nor DONE */
	size_t first_waiting; /* no entry before this index is ENTRY_WAITING */
	size_t text_bytes;
};

struct entry *queue_at(const struct queue *queue, size_t index);
/* A place at the end, zeroed but for its state, which is counted; NULL when there is none (max, or no memory). */
struct entry *queue_push(struct queue *queue, enum entry_state state);
/* The number of entries whose number is below seq. */
size_t queue_find(const struct queue *queue, int64_t seq);
void queue_set(struct queue *queue, size_t index, enum entry_state state);
/* Drops the entries at the head that are DONE. */
void queue_trim(struct queue *queue);
/* Gives the memory back when it is empty. */
void queue_rest(struct queue *queue);
void queue_done(struct queue *queue);

/* ---- the outbox ------------------------------------------------------------------------------------------------------------------ */

enum collector { COLLECTOR_NEVER, COLLECTOR_AWAY, COLLECTOR_HERE };

struct outbox {
	struct outbox_settings settings;
	sd_event *event;
	struct serial serial;
	struct bus *bus;
	bool connected;
	struct kept_series *series;
	struct queue fresh, window;
	int64_t given_up, given_up_told, estimated;

	/* outbox_send.c */
	sd_event_source *tick;
	int flying[8]; /* publish ids of batches that the broker has not acknowledged */
	int in_flight;
	unsigned patience; /* how often all was sent again since the last receipt */

	/* outbox_receipt.c */
	enum collector collector;
	int64_t heard_ms; /* of it: clock_boot_ms() of the last receipt, or since when it is there */

	/* outbox_spill.c */
	sd_event_source *spill_timer;
	struct store_outbox *file;
	char *path;           /* NULL: nothing is spilled */
	int lock_fd;          /* of the folder */
	int64_t read_seq;     /* the file is in the window up to here */
	int64_t loaded;       /* rows of the file up to there */
	int64_t connected_ms; /* since when the server is there: clock_boot_ms() */
	int64_t retry_ms;     /* no earlier try to use the file, after it failed */
	int64_t file_oldest_ms;
	bool file_blocked; /* what comes next in it has no time yet */
	char trouble[STORE_OUTBOX_ERROR_MAX];
	struct wire_range forgotten[OUTBOX_FORGOTTEN_MAX]; /* receipts of readings in the file that are not in the window */
	size_t forgotten_count;

	/* outbox_clock.c */
	sd_event_source *clock_timer;
	bool believed, was_synced; /* the wall clock; by the kernel's word */
	bool wait_told, late_told;
	int64_t begin_ms;    /* when this boot began, as believed: added to the boot clock it gives UTC */
	int64_t measured_ms; /* likewise as the wall clock had it when it was last looked at */
	int64_t stepped_ms;  /* clock_boot_ms() when it was set without being synchronised; 0: it was not */
	struct instants instants;
	char boot[CLOCK_BOOT_MAX + 1];
};

struct kept_series *outbox_series(struct outbox *outbox, const struct series *name);
struct reading outbox_reading(const struct entry *entry);
/* Counts readings that are given up, and tells so once. */
void outbox_give_up(struct outbox *outbox, int64_t count);
/* Something was settled: drops what is done. */
void outbox_settled(struct outbox *outbox);
void outbox_arm(sd_event_source *timer, int64_t delay_ms, int64_t accuracy_ms);

/* outbox_send.c */
int outbox_send_open(struct outbox *outbox);
/* Sends it by itself, retained, if the bus takes it. */
void outbox_send_live(struct outbox *outbox, struct queue *queue, size_t index);
/* Makes the tick come. */
void outbox_wake(struct outbox *outbox, int64_t delay_ms);
void outbox_send_acknowledged(struct outbox *outbox, int publish_id);
/* What was sent waits again. */
void outbox_send_again(struct outbox *outbox);

/* outbox_receipt.c */
void outbox_receipt_open(struct outbox *outbox);
/* Forgets entries that were kept for long enough though nobody knows of a collector. */
void outbox_drop_kept(struct outbox *outbox);

/* outbox_spill.c */
/* Returns 0, or -EBUSY when another agent uses the folder. */
int outbox_spill_open(struct outbox *outbox);
void outbox_spill_close(struct outbox *outbox);
/* Moves the older half of fresh to the file. Returns whether there is room now. */
bool outbox_spill_half(struct outbox *outbox);
/* Looks later whether something has waited for too long. */
void outbox_spill_wake(struct outbox *outbox);
/* Fills the window from the file, when there is room for a good part; closes the file when nothing is left. */
void outbox_spill_refill(struct outbox *outbox);
void outbox_spill_receipt(struct outbox *outbox, const struct wire_range *range);
/* The wall clock is believed: the file's times on boot clocks become UTC. */
void outbox_spill_mend(struct outbox *outbox);
/* Readings in the file that are not settled; the time of the oldest. */
int64_t outbox_spill_count(const struct outbox *outbox);
int64_t outbox_spill_oldest(const struct outbox *outbox);

/* outbox_clock.c */
int outbox_clock_open(struct outbox *outbox);
/* Before the end: waits, less than a second, until the times that were given are past. */
void outbox_clock_settle(struct outbox *outbox);
/* Whether the wall clock is believed by now; mends what waits when it just came to be. */
bool outbox_clock_look(struct outbox *outbox);
/* The moment of a reading that came with the wall clock's time_ms: UTC, or on the boot clock while the wall clock is not believed. No two of a series
 * have the same. */
int64_t outbox_clock_stamp(struct outbox *outbox, struct kept_series *series, int64_t time_ms);
