/* The keys of single quantities of a device (QUANTITY.offset ...), those that hold for all of them (report, filter), what is derived, and how outputs
 * behave when nobody is there. */
#pragma once

#include "../common/conf.h"
#include "driver.h"

/* Reads them when the driver's channels are all there, and adds those that are derived. Mistakes are for conf_finish to tell. */
void settings_read_channels(struct device *device, struct conf *conf, const struct conf_section *section);

/* Prints the keys for --help. */
void settings_print_channel(void);
