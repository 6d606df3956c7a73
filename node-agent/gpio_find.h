/* From what the configuration says of a line to the chip and the offset. For gpio*.c alone. */
#pragma once

#include "gpio.h"
#include "gpio_chip.h"

enum { GPIO_PATH_MAX = 272 };

/* Returns 0 with the open chip, its path and the line's offset, or a negative errno with `error` (-ENOENT: no such chip or line). */
int gpio_find(const struct gpio_place *place, struct gpiod_chip **ret_chip, char ret_path[GPIO_PATH_MAX], unsigned *ret_offset,
	      char *error, size_t error_size);
