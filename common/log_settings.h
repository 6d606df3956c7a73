/* The [log] section, the same in every daemon. */
#pragma once

#include "conf.h"
#include "log.h"

/* Its keys, for --help. */
extern const struct conf_item log_items[];

/* Reads it; mistakes are for conf_finish to tell. Returns how much is to be told. */
enum log_level log_read_settings(struct conf *conf);
