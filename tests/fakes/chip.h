/* A device of one driver, for a test of that driver alone: made from the keys of its section, its hooks called by hand, and what it tells
 * kept. Links: node-agent/device.c. */
#pragma once

#include "../../node-agent/driver.h"

enum { CHIP_TOLD_MAX = 64 };

struct chip_told {
	size_t channel;
	struct value value;
};

extern struct chip_told chip_told[CHIP_TOLD_MAX]; /* by device_tell, oldest first */
extern size_t chip_told_count;
extern int64_t chip_wake_ms; /* what the newest device_wake asked for; -1: nothing */

/* The mistakes in these keys as text, "LINE: what\n" (the first key is in line 3), "" when there are none. The device stays until the next call, or chip_done. */
const char *chip_mistakes(const struct driver *driver, const char *keys);
/* A device whose keys must be right. */
struct device *chip_make(const struct driver *driver, const char *keys);
void chip_done(void);

/* trigger() and fetch(), whatever of them there is; the first error of the two. */
int chip_turn(struct device *device, double values[]);
/* wake(), which must have been asked for. */
int chip_wake(struct device *device);
/* The newest number told of a channel; NAN without. */
double chip_number(size_t channel);
/* Checks that a hook gave this error, in these words, which are then forgotten. */
void chip_failed(struct device *device, int r, int error, const char *words);
