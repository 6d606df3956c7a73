/* A [device NAME] section: the keys that any device may have, whatever its driver. */
#pragma once

#include "../common/conf.h"
#include "driver.h"

/* Makes the device of a section; NULL when there is no driver to make it of, or no memory. Mistakes are for conf_finish to tell. */
struct device *settings_read_device(struct conf *conf, const struct conf_section *section);

/* Prints these keys, and the drivers with theirs, for --help. */
void settings_print_device(void);
