/* node-agent's configuration: the node, its devices, the broker. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../common/bus.h"
#include "../common/conf.h"
#include "../common/log.h"
#include "driver.h"

struct settings {
	struct bus_settings bus;
	const char *name, *label, *icon;
	const char *state_dir; /* NULL: none */
	int64_t health_interval_ms, back_fill_ms, resend_after_ms, spill_after_ms, outbox_disk, outbox_age_ms, clock_wait_ms;
	double clock_rate;
	int outbox; /* readings in memory at most */
	enum log_level log_level;
	struct device *devices; /* in the file's order */
	struct rule *rules;     /* rule.h */
};

/* Reads all sections; mistakes are for conf_finish to tell. Strings belong to conf; the devices to settings (settings_done). */
void settings_read(struct conf *conf, struct settings *ret_settings);
void settings_done(struct settings *settings);

/* After a reload: devices whose section is as it was are taken over from `old` to `fresh`, as they are, and rules go on where they were. To be called when
 * the mistakes in fresh_conf have been told. */
void settings_keep(struct settings *fresh, struct conf *fresh_conf, struct settings *old);

/* Prints the keys for --help. */
void settings_print(void);
