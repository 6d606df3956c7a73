/* Where a PCA9685 can be, and whether one is there: for the drivers of what hangs on its channels. */
#pragma once

#include <stdint.h>

struct i2c;

extern const uint8_t pca9685_addresses[];
int pca9685_identify(struct i2c *i2c);
