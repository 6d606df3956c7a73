/* Counts what the collector has the kernel write to disk, and keeps it in the store, by day (common/written.h).
 * The count is the kernel's own (write_bytes in /proc/self/io, proc(5)): pages that go to a disk, the file system's share left out; on a tmpfs
 * nothing. */
#pragma once

#include "../common/store.h"

struct wear;

/* NULL without memory. */
struct wear *wear_open(void);
void wear_close(struct wear *wear);

/* Takes up what the store has from before. To be called when the store was opened; only the first time counts. */
void wear_load(struct wear *wear, struct store *store);

/* Just before a commit that is due anyway: every ten minutes the count goes along, so that it costs no writes of its own.
 * Returns 0 or the store's error. */
int wear_note(struct wear *wear, struct store *store);
