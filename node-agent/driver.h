/* What a driver is: the code for one type of chip (or for a simulated one). To add one: its file in drivers/, its row in driver.c, a section in
 * config/node-agent.conf, a test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/conf.h"
#include "../common/quantity.h"
#include "../common/series.h"
#include "../common/value.h"

enum { CHANNELS_MAX = 16, CHANNEL_LABEL_MAX = 64, DEVICE_ERROR_MAX = 120 };

enum output { OUTPUT_NONE, OUTPUT_SWITCH, OUTPUT_RANGE, OUTPUT_TEXT, OUTPUT_BUTTON };

/* One quantity of a device: a series of the house. */
struct channel {
	struct device *device;
	struct series series;
	const struct quantity_info *info;
	enum output output;    /* OUTPUT_NONE: a sensor */
	double min, max, step; /* of OUTPUT_RANGE */
	bool confirm;          /* a person is asked twice */
	int64_t told_ms;       /* time of its newest reading: no two have the same */
	char label[CHANNEL_LABEL_MAX + 1];
	char icon[CHANNEL_LABEL_MAX + 1];
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
	struct channel channels[CHANNELS_MAX];
	size_t channel_count;
	struct device *next;
};

enum { SET_SILENT = INT32_MAX }; /* set() took the command, and nobody will hear of it again (a simulated fault) */

struct driver {                        /* a hook that is not needed stays NULL */
	const char *name;              /* the word after `driver =` in node-agent.conf */
	const char *help;              /* one line for --help */
	const struct conf_item *items; /* its own keys of the [device] section */
	size_t config_size, state_size;
	const char *interval;       /* default of the key `interval` */
	const enum quantity *emits; /* what fetch() yields, in order; QUANTITY_NONE ends it */
	unsigned settle_ms;         /* how long the chip needs between trigger() and fetch() */

	/* Makes the channels from free keys, when `emits` can't say them. Mistakes go to conf_mistake. */
	void (*configure)(struct device *device, struct conf *conf, const struct conf_section *section);
	int (*open)(struct device *device); /* is the right chip there; calibration into state */
	int (*trigger)(struct device *device);
	/* One value for each of `emits`. Returns 0 or a negative errno. */
	int (*fetch)(struct device *device, double values[]);
	/* For what fetch() can't: texts, values only now and then, simulated times. now_ms is the moment to tell of (UTC, or where a
	 * faster clock has come to).
	 * ret_fresh[i] false: channel i has no news. */
	int (*read)(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[]);
	/* Returns 0 done, n > 0 it takes n ms until it is done, SET_SILENT, or a negative errno (refused, with device->error).
	 * ret_value: what the output has then; it holds `value` before. */
	int (*set)(struct device *device, size_t channel, const struct value *value, struct value *ret_value);
	void (*close)(struct device *device);
};

/* The driver of that name, NULL when there is none. */
const struct driver *driver_find(const char *name);
/* All of them, for messages and --help: index from 0, NULL ends. */
const struct driver *driver_at(size_t index);

/* Adds a channel to a device, as an output when output says so. Returns it, NULL when there are CHANNELS_MAX, the device has that
 * quantity already, or the name is not valid. */
struct channel *device_add_channel(struct device *device, const char *quantity, enum output output);
