/* A few devices on a bench: made from the text of their sections, with services that write down what hooks tell and run what they want to be
 * woken for, as a clock says that a test moves on. A test names its drivers by BENCH_DRIVERS. */
#pragma once

#include "../../node-agent/driver.h"

struct bench_told {
	struct device *device;
	size_t channel;
	int64_t ns; /* as it was told: 0 is now */
	struct value value;
};

enum { BENCH_TOLD_MAX = 4096 };

extern struct bench_told bench_told[BENCH_TOLD_MAX]; /* oldest first */
extern size_t bench_told_count;
extern int bench_error;                            /* what the newest hook that bench_pass ran returned, if it failed; 0 */
extern int64_t bench_now_ns;                       /* the clock; fakes of doors use it */
extern const struct driver *const bench_drivers[]; /* NULL ends */

#define BENCH_DRIVERS(...) const struct driver *const bench_drivers[] = { __VA_ARGS__, NULL }

/* Reads sections ([node], [device NAME] with `driver`). Returns the mistakes, "" without. */
const char *bench_read(const char *text);
/* The device, which has been opened: open() must have succeeded. bench_made leaves it closed. */
struct device *bench_open(const char *name);
struct device *bench_made(const char *name);
/* One device "dev" of a driver, opened. */
struct device *bench_device(const struct driver *driver, const char *keys);

/* Lets time pass; wakes who is due, in order. */
void bench_pass(int64_t ms);
/* In how many ms the device is woken; -1: not at all. */
int64_t bench_wakes_in(const struct device *device);
/* set() with a number; ret_value's number goes to bench_set_value. */
int bench_set(struct device *device, size_t channel, double number);
extern double bench_set_value;
/* Closes and frees all. */
void bench_done(void);
