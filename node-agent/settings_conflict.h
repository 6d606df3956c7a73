/* Two sections for one chip, line or channel: seen when the configuration is read, not when the second one finds it taken. */
#pragma once

#include "../common/conf.h"
#include "driver.h"

/* Mistakes are told at the later of two sections. */
void settings_check_conflicts(struct conf *conf, const struct device *devices);
