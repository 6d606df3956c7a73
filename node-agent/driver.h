/* What a driver is: the code for one type of chip (or for a simulated one). To add one: its file in drivers/, its row in driver.c, a section in
 * config/node-agent.conf, a test (which links the driver and device.c, not driver.c: that would be all of them). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/conf.h"
#include "../common/quantity.h"
#include "../common/series.h"
#include "../common/value.h"

enum { CHANNELS_MAX = 16, CHANNEL_LABEL_MAX = 64, DEVICE_ERROR_MAX = 160 };

enum output { OUTPUT_NONE, OUTPUT_SWITCH, OUTPUT_RANGE, OUTPUT_TEXT, OUTPUT_BUTTON };

/* One quantity of a device: a series of the house. */
struct channel {
	struct device *device;
	struct series series;
	const struct quantity_info *info;
	enum output output;    /* OUTPUT_NONE: a sensor */
	double min, max, step; /* of OUTPUT_RANGE */
	bool confirm;          /* a person is asked twice */
	char label[CHANNEL_LABEL_MAX + 1];
	char icon[CHANNEL_LABEL_MAX + 1];
	/* By keys of the configuration that no driver reads: */
	int64_t beat_ms;             /* told at least so often; 0: nobody knows */
	struct condition *condition; /* condition.h; NULL: values pass as they are */
	struct safety *safety;       /* safety.h; of an output with such keys */
	struct value first;          /* what an output is to have from open() on, when has_first */
	bool has_first;
};

struct i2c; /* i2c.h */
struct device;

/* What the sampler does for a driver; see device_tell and device_wake. */
struct device_services {
	void (*tell)(struct device *device, size_t channel, int64_t mono_ns, const struct value *value);
	void (*wake)(struct device *device, int64_t after_ms);
};

/* A configured chip. A driver sees its configuration, its state and its channels; no clock, no broker. */
struct device {
	char name[NAME_MAX_LEN + 1];
	char label[CHANNEL_LABEL_MAX + 1];
	char icon[CHANNEL_LABEL_MAX + 1];
	const struct driver *driver;
	void *config;                 /* driver->config_size bytes, filled by driver->items */
	void *state;                  /* driver->state_size bytes, zero before open() */
	char error[DEVICE_ERROR_MAX]; /* a hook that fails may say more than its errno here */
	int64_t interval_ms;
	int64_t late_ms; /* its readings tell of a moment so long ago */
	bool sporadic;   /* by configure(): its values come when they come, whatever its interval: a badge, a program that stays */
	const char *bus; /* of an I2C chip: "/dev/i2c-1", key `bus` */
	int address;     /* of an I2C chip, key `address` */
	struct i2c *i2c; /* of an I2C chip: open from before open() to after close() */
	const char *stream; /* of a camera: the URL of its pictures, for $info; NULL: it has none */
	const struct device_services *services;
	void *context; /* the services' own */
	struct channel channels[CHANNELS_MAX];
	size_t channel_count; /* those of the driver; behind them stand derived_count that follow from them (derive.h) */
	size_t derived_count;
	int derived[CHANNELS_MAX]; /* of which kind */
	double altitude;           /* m */
	struct device *next;
	struct conf *conf; /* whose strings its configuration holds */
	unsigned refs;     /* device_ref */
};

enum { SET_SILENT = INT32_MAX }; /* set() took the command, and nobody will hear of it again (a simulated fault) */

/* Where hooks run. Most run on the loop and never wait. Those of a driver that `blocks` run on a worker thread (one for all devices of that driver), those of an
 * I2C chip on the worker of its bus, where a chip that hangs holds up nobody else. All hooks of one device run on one thread, one after the other, but
 * for configure(), so a driver needs no lock. A hook that is not needed stays NULL; each that returns int: 0 or more, or a negative errno with, if it
 * can say more than the errno does, device->error. A device whose hook fails is closed and opened again later (-ERANGE: it answers rubbish, it stays
 * open). */
struct driver {
	const char *name;              /* the word after `driver =` in node-agent.conf */
	const char *help;              /* one line for --help */
	const struct conf_item *items; /* its own keys of the [device] section */
	size_t config_size, state_size;
	const char *interval;       /* default of the key `interval` */
	const char *report;         /* default of the key `report`, when it is read more often than it should be told; NULL: each */
	const enum quantity *emits; /* what fetch() yields, in order; QUANTITY_NONE ends it */
	unsigned settle_ms;         /* how long the chip needs between trigger() and fetch() */
	const uint8_t *
		i2c_addresses; /* where such a chip can be, the usual one first, 0 ends; the keys `bus` and `address` come with it */
	bool blocks;           /* its hooks may wait for the kernel or a program */
	bool simulated;        /* lives by the clock that it is given, and has a past: clock_rate and back_fill are for it */

	/* Makes the channels from free keys, when `emits` can't say them. Mistakes go to conf_mistake. */
	void (*configure)(struct device *device, struct conf *conf, const struct conf_section *section);
	/* Whether the chip there is of this kind (1) or not (0), without disturbing another; for --probe. */
	int (*identify)(struct i2c *i2c);
	int (*open)(struct device *device); /* is the right chip there; calibration into state */
	int (*trigger)(struct device *device);
	/* One value for each of `emits`. NAN: no news of that one. */
	int (*fetch)(struct device *device, double values[]);
	/* For what fetch() can't: texts, values only now and then, simulated times. now_ms is the moment to tell of (UTC, or where a
	 * faster clock has come to).
	 * ret_fresh[i] false: channel i has no news. */
	int (*read)(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[]);
	/* After open(): a descriptor that turns readable on news, which notice() takes and tells (device_tell). It stays the driver's. */
	int (*watch)(struct device *device);
	int (*notice)(struct device *device);
	/* What was asked for with device_wake. */
	int (*wake)(struct device *device);
	/* Returns 0 done, n > 0 it takes n ms until it is done, SET_SILENT, or a negative errno (refused, with device->error).
	 * ret_value: what the output has then, read back where the chip can be asked; it holds `value` before. */
	int (*set)(struct device *device, size_t channel, const struct value *value, struct value *ret_value);
	void (*close)(struct device *device);
};

/* For hooks: a value of a channel, outside of fetch() and read().
 * mono_ns   when, on CLOCK_MONOTONIC in nanoseconds as the kernel stamps edges; 0: now */
void device_tell(struct device *device, size_t channel, int64_t mono_ns, const struct value *value);
/* For hooks: wake() is called once after so many milliseconds, instead of what was asked for before; negative: no more. */
void device_wake(struct device *device, int64_t after_ms);

/* The driver of that name, NULL when there is none. */
const struct driver *driver_find(const char *name);
/* All of them, for messages and --help: index from 0, NULL ends. */
const struct driver *driver_at(size_t index);

/* A device without channels and configuration, with one reference. conf: outlives it (conf_ref); may be NULL. NULL: no memory. */
struct device *device_make(const char *name, const struct driver *driver, struct conf *conf);
struct device *device_ref(struct device *device);
/* Frees the device with its last reference; NULL is fine. */
void device_unref(struct device *device);

/* Adds a channel behind those of the driver. The driver's must all be there. Returns it, NULL as device_add_channel. */
struct channel *device_add_derived(struct device *device, const char *quantity, int kind);

/* Adds a channel to a device, as an output when output says so. Returns it, NULL when there are CHANNELS_MAX, the device has that
 * quantity already, or the name is not valid. */
struct channel *device_add_channel(struct device *device, const char *quantity, enum output output);
