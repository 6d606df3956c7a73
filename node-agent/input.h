/* A GPIO line that is 0 or 1: what contact, pir, button and wall_switch have in common.
 *
 * A change is told at once, with the kernel's time of its edge; then, for `debounce`, nothing is: a contact that bounces tells one change, and
 * a line that flutters at any rate tells at most one in that time, and in the end where it came to rest. With `steady`, a level must have
 * lasted before it is believed: for long wires that catch sparks. */
#pragma once

#include "driver.h"
#include "gpio.h"

struct input_config {
	struct gpio_place place;
	int64_t debounce_ms, steady_ms;
	int64_t hold_ms;       /* 0 must have lasted so much longer before it is told */
	int64_t long_press_ms; /* a 1 that lasts so long is told on channel 1; 0: there is none */
};

struct input_state {
	struct gpio *gpio;
	bool told, level; /* what was told; what the line is at present */
	bool long_told;
	int64_t edge_ns;            /* when it became so */
	int64_t quiet_ns;           /* no change is told before that */
	int64_t settle_ns, long_ns; /* when to look again; 0: not */
};

/* clang-format off */

/* The keys of a driver's row. Its quantity is channel 0; with long_press_ms, configure() adds channel 1. */
#define INPUT_ITEMS(usual_bias, usual_active_low, usual_debounce) \
	GPIO_ITEM_LINE(offsetof(struct input_config, place)), \
	GPIO_ITEM_BIAS(offsetof(struct input_config, place), usual_bias), \
	GPIO_ITEM_ACTIVE_LOW(offsetof(struct input_config, place), usual_active_low), \
	{ "debounce", CONF_DURATION, offsetof(struct input_config, debounce_ms), usual_debounce, .min = 1, .max = 10000, \
	  .help = "after a change no other one is told for so long" }, \
	{ "steady", CONF_DURATION, offsetof(struct input_config, steady_ms), "0", .max = 10000, \
	  .help = "a level that lasts less is none" }

/* The hooks of a driver's row. */
#define INPUT_DRIVER \
	.config_size = sizeof(struct input_config), .state_size = sizeof(struct input_state), .interval = "5m", .open = input_open, \
	.read = input_read, .watch = input_watch, .notice = input_notice, .wake = input_wake, .close = input_close

/* clang-format on */

int input_open(struct device *device);
int input_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[]);
int input_watch(struct device *device);
int input_notice(struct device *device);
int input_wake(struct device *device);
void input_close(struct device *device);
