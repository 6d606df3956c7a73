/* Units that people and chips send, turned into the quantity's own. */
#pragma once

#include "quantity.h"

/* Turns `*value` from `unit` into the own unit of `quantity`: °F and K to °C, Pa, kPa, bar, mbar, mmHg, inHg to hPa, m, mm, in, ft to cm,
 * mV to V, mA to A, kW to W, Wh and J to kWh and so on. Case and "deg" spellings (degC, C, degF) are understood.
 * quantity   QUANTITY_NONE takes any unit and leaves the value alone
 * Returns 0, or -EINVAL for a unit that the quantity can't be given in (`*value` is then untouched). */
int unit_convert(enum quantity quantity, const char *unit, double *value);

/* Writes the units that `quantity` takes, for an error message: "°C, °F, K". Returns buf. */
const char *unit_list(enum quantity quantity, char *buf, size_t size);
