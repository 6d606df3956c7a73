/* A short list of drivers, in place of node-agent/driver.c: those that need no hardware, so that a test does not link every door. */
#include <string.h>

#include "../../node-agent/driver.h"

extern const struct driver sim_driver, thermal_driver;

static const struct driver *const drivers[] = { &sim_driver, &thermal_driver };

const struct driver *driver_at(size_t index)
{
	return index < sizeof(drivers) / sizeof(*drivers) ? drivers[index] : NULL;
}

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; driver_at(i); i++)
		if (strcmp(driver_at(i)->name, name) == 0)
			return driver_at(i);
	return NULL;
}
