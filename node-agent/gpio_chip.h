/* What gpio.c needs of libgpiod, in the words that its two versions share. For gpio*.c alone. */
#pragma once

#include "gpio.h"

struct gpiod_chip;
struct gpio_held; /* a requested line */

enum { GPIO_KERNEL_KEEPS = 512 }; /* edges of a line, at most; asked for */

#define GPIO_CONSUMER "foyer" /* as which we hold lines */

/* What errno says after a call that failed, -EIO when it says nothing. */
int gpio_failure(void);
/* Cut to fit; NULL is "". */
void gpio_copy_name(char to[GPIO_NAME_MAX], const char *from);

int gpio_chip_open(const char *path, struct gpiod_chip **ret_chip);
void gpio_chip_close(struct gpiod_chip *chip);
/* Number of lines; name and label go to ret_info. */
int gpio_chip_info(struct gpiod_chip *chip, struct gpio_line_info *ret_info);
/* The rest of ret_info. */
int gpio_chip_line(struct gpiod_chip *chip, unsigned offset, struct gpio_line_info *ret_info);

int gpio_hold(struct gpiod_chip *chip, unsigned offset, const struct gpio_place *place, enum gpio_use use, int value,
	      unsigned filter_us, struct gpio_held **ret_held);
void gpio_drop(struct gpio_held *held);
int gpio_held_get(struct gpio_held *held);
int gpio_held_set(struct gpio_held *held, int value);
int gpio_held_fd(const struct gpio_held *held);
bool gpio_held_filters(const struct gpio_held *held);
int gpio_held_read(struct gpio_held *held, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost);
