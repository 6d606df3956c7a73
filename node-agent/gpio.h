/* The door to GPIO lines: a line that is read, set, or tells its edges, by libgpiod 1.6 (gpio_v1.c) or 2.x (gpio_v2.c).
 *
 * A line is held from gpio_open to gpio_close; nobody else can have it then. Values are logical: with active_low, 1 is the low
 * level. When a line is closed, or the process ends, it falls back to what its board does with it (on a Pi an input with its usual
 * pull): an output's safe value is set before, and holds only where a pull resistor agrees with it.
 *
 * Returned numbers are 0 or more, or a negative errno. One thread uses a line; different threads may use different ones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gpio_bias { GPIO_BIAS_AS_IS, GPIO_BIAS_OFF, GPIO_BIAS_PULL_UP, GPIO_BIAS_PULL_DOWN };
enum gpio_drive { GPIO_DRIVE_PUSH_PULL, GPIO_DRIVE_OPEN_DRAIN, GPIO_DRIVE_OPEN_SOURCE };
enum gpio_use { GPIO_INPUT, GPIO_OUTPUT, GPIO_EDGES_RISING, GPIO_EDGES_BOTH }; /* edges: of the logical level */

/* As the configuration says it: see the GPIO_ITEM_ macros. */
struct gpio_place {
	const char *line; /* its name ("GPIO17": on a Pi by number, too), or its number on `chip` ("17") */
	const char *chip; /* label ("pinctrl-bcm2711"), name ("gpiochip0") or path; NULL: the first chip with a line of that name */
	bool active_low;
	int bias;  /* enum gpio_bias */
	int drive; /* enum gpio_drive, of outputs */
};

enum { GPIO_NAME_MAX = 32, GPIO_EDGES_MAX = 64 /* of one gpio_read_edges */ };

struct gpio_edge {
	int64_t ns; /* CLOCK_MONOTONIC, stamped by the kernel in its interrupt */
	bool rising;
};

struct gpio;

/* value     of an output, from the first moment on
 * filter_us a level that lasts less is no edge; by the kernel where it can (gpio_filters), otherwise ignored
 * error     what went wrong and what to do, for people: "no line \"GPIO71\": there are GPIO7, GPIO17", "GPIO17 is held by \"gpiomon\"",
 *           "may not open /dev/gpiochip0: join group gpio (sudo usermod -aG gpio anne)"
 * The caller closes; NULL may be closed. */
int gpio_open(const struct gpio_place *place, enum gpio_use use, int value, unsigned filter_us, struct gpio **ret_gpio, char *error,
	      size_t error_size);
void gpio_close(struct gpio *gpio);

/* The level, 0 or 1; of an output what its pin reads back. */
int gpio_get(struct gpio *gpio);
int gpio_set(struct gpio *gpio, int value);

/* Of a line with edges: readable when there are some. It stays the door's. */
int gpio_fd(const struct gpio *gpio);
/* Takes what there is, oldest first, without waiting. The kernel keeps 512 for a reader that is late (before Linux 5.10: 16).
 * ret_lost   how many were lost before these; before Linux 5.10 just whether some may have been (1)
 * Returns their number, 0 when there is none. */
int gpio_read_edges(struct gpio *gpio, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost);

/* Whether the chip is still there: 0 or -ENODEV. A chip that is pulled out (USB, a module) wakes no reader, so ask now and then; it
 * costs one stat(). */
int gpio_alive(const struct gpio *gpio);

/* Whether the kernel keeps filter_us and counts what is lost, as it does since Linux 5.10; of a line with edges. */
bool gpio_filters(const struct gpio *gpio);

/* CLOCK_MONOTONIC now, the clock of the edges. */
int64_t gpio_now_ns(void);

/* ---- what there is ------------------------------------------------------------------------------------------------------------- */

struct gpio_line_info {
	char chip[GPIO_NAME_MAX], label[GPIO_NAME_MAX]; /* "gpiochip0", "pinctrl-bcm2711" */
	unsigned offset;
	char name[GPIO_NAME_MAX];     /* "" without */
	char consumer[GPIO_NAME_MAX]; /* who holds it, "" */
	bool used, output;
};

/* All lines of all chips, in order; `tell` ends it by a negative number, which is then returned. Returns the number of chips, or a
 * negative errno with `error` as above: -ENOENT there is none, -EACCES none may be opened. */
int gpio_list(int (*tell)(const struct gpio_line_info *info, void *context), void *context, char *error, size_t error_size);

/* ---- keys of a driver that has a line: `at` is the offset of a struct gpio_place ----------------------------------------------- */

/* clang-format off */

#define GPIO_ITEM_LINE(at) \
	{ "line", CONF_STRING, (at) + offsetof(struct gpio_place, line), .required = true, \
	  .help = "the line's name such as GPIO17, or its number on `chip`" }, \
	{ "chip", CONF_STRING, (at) + offsetof(struct gpio_place, chip), NULL, \
	  .help = "label, name or path of the line's chip, when it needs one" }
#define GPIO_ITEM_BIAS(at, usual) \
	{ "bias", CONF_CHOICE, (at) + offsetof(struct gpio_place, bias), usual, .choices = "as-is|off|pull-up|pull-down", \
	  .help = "the resistor inside the chip" }
#define GPIO_ITEM_DRIVE(at) \
	{ "drive", CONF_CHOICE, (at) + offsetof(struct gpio_place, drive), "push-pull", .choices = "push-pull|open-drain|open-source", \
	  .help = "how the line is driven" }
#define GPIO_ITEM_ACTIVE_LOW(at, usual) \
	{ "active_low", CONF_BOOL, (at) + offsetof(struct gpio_place, active_low), usual, .help = "1 is the low level" }

/* clang-format on */
