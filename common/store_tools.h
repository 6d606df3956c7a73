/* The store in the hands of the one in charge: verified copies, checks, all readings at once, figures. Like store.h it knows no engine, and
 * errors are those of store.h; besides, -EINTR when the watcher gave up, -EINVAL for a place that can't be meant. `error` has STORE_ERROR_MAX
 * bytes and tells a person what happened. */
#pragma once

#include "store.h"

/* Who watches a long work: called now and then with the share that is done, 0 to 1, or a negative one where it can't be told. False ends the work. */
struct store_watch {
	bool (*go_on)(void *context, double share);
	void *context;
};

/* ---- copies (store_backup.c, store_restore.c) ---------------------------------------------------------------------------------- */

struct store_copy {
	int64_t bytes;
	int64_t readings; /* rows of all quantities */
};

/* Copies the state of this moment to a file of its own, while the writer goes on. What is there is looked through and its rows are counted against
 * the store before it gets its name at once; on failure (and -EINTR) nothing is left. A file of that name is replaced; -EBUSY when another
 * backup is writing the same one. It is one plain file: it opens from a read-only disk too. */
int store_backup(const char *url, const char *path, const struct store_watch *watch, struct store_copy *ret_copy, char *error);

/* Whether the unfinished copy at `path` was left by one who is gone (and so may be removed). */
bool store_backup_is_abandoned(const char *path);

enum { STORE_PATH_MAX = 4096 };
struct store_restored {
	struct store_copy copy;
	char kept[STORE_PATH_MAX]; /* where the store of before is now; "" when there was none */
};

/* Puts a backup in the store's place: copied beside it, looked through, brought up to this version, then exchanged in one step.
 * The store of before is kept beside it. -EBUSY while the collector writes.
 * forget   a state (store_save_state) that must not come back with it; NULL: none */
int store_restore(const char *url, const char *path, const char *forget, const struct store_watch *watch,
		  struct store_restored *ret_restored, char *error);

/* A tool that root runs makes files for the collector: gives the store's files to the owner of their folder. Nothing to do for others. */
void store_hand_over(const char *url);

/* ---- checks (store_check.c) ----------------------------------------------------------------------------------------------------- */

struct store_check {
	bool full; /* each index and row; rollups of all time, else those of the newest days */
	bool mend; /* spans whose rollups differ are marked to be made again: STORE_WRITE, the caller commits and maintains */
};

struct store_findings {
	int64_t faults;    /* of the file itself */
	int64_t spans;     /* looked at */
	int64_t differing; /* spans whose rollups are not what their rows say */
	int64_t marked;    /* of those, now to be made again */
	int64_t waiting;   /* late spans that the housekeeping has still to do */
};

/* Looks through an open store. fault is called with a sentence for each of the first faults. */
int store_check(struct store *store, const struct store_check *check, const struct store_watch *watch,
		void (*fault)(void *context, const char *text), void *context, struct store_findings *ret_findings);

/* ---- everything at once (store_transfer.c) --------------------------------------------------------------------------------------- */

struct store_filter {
	bool (*wanted)(void *context, const struct series *series); /* NULL: all */
	void *context;
	int64_t from_ms, to_ms; /* from is included, to is not */
};

/* Gives every single reading, quantity by quantity and in each by time: as fast as the file can be read. One state of the store, whatever the writer
 * does meanwhile. A non-zero return of fn ends and comes back. */
int store_each_row(struct store *store, const struct store_filter *filter, const struct store_watch *watch,
		   int (*fn)(void *context, const struct reading *reading), void *context);

struct store_series_figures {
	struct series series;
	int64_t readings;             /* ever, those counted whose single rows are gone by now */
	int64_t last_day;             /* in the 24 hours before now */
	int64_t oldest_ms, newest_ms; /* TIME_NONE: none; the oldest of those whose rows are gone is its hour's beginning */
};
/* In order of node, device, quantity. */
int store_each_series(struct store *store, int64_t now_ms, int (*fn)(void *context, const struct store_series_figures *figures),
		      void *context);
