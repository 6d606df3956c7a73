/* libgpiod 1.6 (Debian 12). Empty with 2.x; the other way round in gpio_v2.c. */
#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <stdlib.h>
#include <string.h>

#include "gpio_chip.h"

#ifdef GPIOD_LINE_BULK_MAX_LINES

enum {
	KERNEL_KEEPS = 16
}; /* edges of one line: drivers/gpio/gpiolib-cdev.c, struct lineevent_state; the newest is dropped when full */

struct gpio_held {
	struct gpiod_line *line;
	int fd; /* of edges, -1 without */
};

static int failure(void)
{
	return errno > 0 ? -errno : -EIO;
}

int gpio_chip_open(const char *path, struct gpiod_chip **ret_chip)
{
	struct gpiod_chip *chip = gpiod_chip_open(path);

	if (!chip)
		return failure();
	*ret_chip = chip;
	return 0;
}

void gpio_chip_close(struct gpiod_chip *chip)
{
	if (chip)
		gpiod_chip_close(chip);
}

static void copy(char to[GPIO_NAME_MAX], const char *from)
{
	to[0] = '\0';
	strncat(to, from ? from : "", GPIO_NAME_MAX - 1);
}

int gpio_chip_info(struct gpiod_chip *chip, struct gpio_line_info *ret_info)
{
	copy(ret_info->chip, gpiod_chip_name(chip));
	copy(ret_info->label, gpiod_chip_label(chip));
	return (int)gpiod_chip_num_lines(chip);
}

int gpio_chip_line(struct gpiod_chip *chip, unsigned offset, struct gpio_line_info *ret_info)
{
	struct gpiod_line *line = gpiod_chip_get_line(chip, offset);

	if (!line)
		return failure();
	ret_info->offset = offset;
	copy(ret_info->name, gpiod_line_name(line));
	copy(ret_info->consumer, gpiod_line_consumer(line));
	ret_info->used = gpiod_line_is_used(line);
	ret_info->output = gpiod_line_direction(line) == GPIOD_LINE_DIRECTION_OUTPUT;
	return 0;
}

static int flags_of(const struct gpio_place *place, enum gpio_use use)
{
	static const int bias[] = {
		[GPIO_BIAS_AS_IS] = 0,
		[GPIO_BIAS_OFF] = GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE,
		[GPIO_BIAS_PULL_UP] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
		[GPIO_BIAS_PULL_DOWN] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN,
	};
	static const int drive[] = {
		[GPIO_DRIVE_PUSH_PULL] = 0,
		[GPIO_DRIVE_OPEN_DRAIN] = GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN,
		[GPIO_DRIVE_OPEN_SOURCE] = GPIOD_LINE_REQUEST_FLAG_OPEN_SOURCE,
	};

	return (place->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0) | bias[place->bias] |
	       (use == GPIO_OUTPUT ? drive[place->drive] : 0);
}

static int not_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? failure() : 0;
}

int gpio_hold(struct gpiod_chip *chip, unsigned offset, const struct gpio_place *place, enum gpio_use use, int value,
	      unsigned filter_us, struct gpio_held **ret_held)
{
	/* Edges are of the logical level: the kernel swaps them with ACTIVE_LOW. */
	static const int types[] = {
		[GPIO_INPUT] = GPIOD_LINE_REQUEST_DIRECTION_INPUT,
		[GPIO_OUTPUT] = GPIOD_LINE_REQUEST_DIRECTION_OUTPUT,
		[GPIO_EDGES_RISING] = GPIOD_LINE_REQUEST_EVENT_RISING_EDGE,
		[GPIO_EDGES_BOTH] = GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES,
	};
	struct gpiod_line_request_config config = {
		.consumer = GPIO_CONSUMER,
		.request_type = types[use],
		.flags = flags_of(place, use),
	};
	struct gpio_held *held = calloc(1, sizeof(*held));
	int r;

	(void)filter_us;
	if (!held)
		return -ENOMEM;
	held->fd = -1;
	held->line = gpiod_chip_get_line(chip, offset);
	r = !held->line || gpiod_line_request(held->line, &config, value) < 0 ? failure() : 0;
	if (r >= 0 && use >= GPIO_EDGES_RISING) {
		held->fd = gpiod_line_event_get_fd(held->line);
		r = held->fd < 0 ? failure() : not_blocking(held->fd);
	}
	if (r < 0) {
		gpio_drop(held);
		return r;
	}
	*ret_held = held;
	return 0;
}

void gpio_drop(struct gpio_held *held)
{
	if (held && held->line && gpiod_line_is_requested(held->line))
		gpiod_line_release(held->line);
	free(held);
}

int gpio_held_get(struct gpio_held *held)
{
	int value = gpiod_line_get_value(held->line);

	return value < 0 ? failure() : value;
}

int gpio_held_set(struct gpio_held *held, int value)
{
	return gpiod_line_set_value(held->line, value) < 0 ? failure() : 0;
}

int gpio_held_fd(const struct gpio_held *held)
{
	return held->fd;
}

int gpio_held_read(struct gpio_held *held, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost)
{
	struct gpiod_line_event events[KERNEL_KEEPS];
	int count = gpiod_line_event_read_fd_multiple(held->fd, events, KERNEL_KEEPS);

	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : failure();
	*ret_lost = count == KERNEL_KEEPS; /* full: there may have been more */
	for (int i = 0; i < count; i++)
		ret_edges[i] = (struct gpio_edge){
			.ns = events[i].ts.tv_sec * (int64_t)1000000000 + events[i].ts.tv_nsec,
			.rising = events[i].event_type == GPIOD_LINE_EVENT_RISING_EDGE,
		};
	return count;
}

bool gpio_filters(void)
{
	return false;
}

#endif
