/* When to commit: soon after a quiet spell, otherwise at the commit interval; in a flood by the half thousand, less often where that takes long
 * but always with half of the window, and soon when it ends; and at once when the broker is seen to wait for acknowledgements. Pure arithmetic; moments are of clock_boot_ms(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t interval_ms; /* commit_interval */
	unsigned batch;      /* the receive maximum asked for */
	bool waiting;        /* something came since the last commit */
	bool flood;          /* the last commit was one of many messages */
	unsigned pending;    /* messages since the last commit */
	unsigned unacked;    /* those of QoS 1 among them */
	unsigned window; /* how many the broker sends unacknowledged, learned, forgotten when it sends more; 0: as many as asked */
	unsigned floor;  /* fewer than these say nothing about a window */
	unsigned trial;  /* unacked at the last commit, when that was made to see whether the broker waits */
	int64_t first_ms, last_ms; /* of the messages since the last commit */
	int64_t commit_ms;         /* when the last commit was done */
	int64_t took_ms;           /* and how long it took */
};

void pace_init(struct pace *pace, int64_t interval_ms, unsigned batch);

/* A new connection: nothing waits, no window is known. */
void pace_connected(struct pace *pace);

/* A message was taken into the batch. acknowledge: it is of QoS 1. */
void pace_message(struct pace *pace, int64_t now_ms, bool acknowledge);

/* The batch is stored and its acknowledgements are on their way. The commit was begun at begun_ms. */
void pace_committed(struct pace *pace, int64_t begun_ms, int64_t now_ms);

/* The moment by which to commit: 0 at once, INT64_MAX when nothing waits. */
int64_t pace_due_ms(const struct pace *pace);
