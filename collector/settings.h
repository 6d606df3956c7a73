/* The collector's configuration. */
#pragma once

#include <stdint.h>

#include "../common/bus.h"
#include "../common/conf.h"
#include "../common/log.h"
#include "../common/store.h"

enum { SETTINGS_KEEPS_MAX = 64 };

struct settings {
	struct bus_settings bus;
	const char *store_url;
	int64_t commit_interval_ms;
	int batch;
	enum log_level log_level;
	struct store_keep keeps[SETTINGS_KEEPS_MAX];
	size_t keep_count;
};

/* Reads all sections. Mistakes are for conf_finish to tell. Strings belong to conf. */
void settings_read(struct conf *conf, struct settings *ret_settings);

/* Prints the keys for --help. */
void settings_print(void);
