/* The report of --probe: comments and sections of a configuration file. For probe*.c alone. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "driver.h"

enum { PROBE_KEYS_MAX = 8, PROBE_NAMES_MAX = 64 };

struct probe {
	FILE *out;
	char names[PROBE_NAMES_MAX][NAME_MAX_LEN + 1]; /* of the sections written, all different */
	size_t name_count;
	bool gap; /* a section came before: an empty line is due */
};

/* A line "# ...". */
void probe_say(struct probe *probe, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An empty line and a heading. */
void probe_head(struct probe *probe, const char *title);

/* "key = value", for a section; ends with a NULL key. */
struct probe_key {
	const char *key, *value;
};

/* Whether a section of that driver and these keys is a configuration without a mistake. */
bool probe_fits(const char *driver, const struct probe_key *keys);

/* A section [device NAME]. name: made different by a number where it is taken already.
 * sure   false: each line begins with '#', for a person to decide. So also when the driver needs more keys, which are then named. */
void probe_section(struct probe *probe, const char *name, const char *driver, const struct probe_key *keys, bool sure);

/* The rooms of what is looked for. */
void probe_i2c(struct probe *probe);
void probe_gpio(struct probe *probe);
void probe_sysfs(struct probe *probe); /* temperatures, 1-wire, IIO, hwmon, PWM, lights */
void probe_ports(struct probe *probe); /* serial lines, cameras */
