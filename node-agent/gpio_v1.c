/* libgpiod 1.6 (Debian 12). Empty with 2.x; the other way round in gpio_v2.c.
 *
 * That library asks the kernel for edges in a way that keeps 16 of them, too few for a meter on a busy machine, and does not count what is lost. So
 * edges are asked for as libgpiod 2 does, by the ioctls of <linux/gpio.h> (GPIO_V2_, Linux 5.10), where the kernel has them. */
#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gpio_chip.h"

#ifdef GPIOD_LINE_BULK_MAX_LINES

/* drivers/gpio/gpiolib-cdev.c, struct lineevent_state: the newest is dropped when it is full. */
enum { OLD_KERNEL_KEEPS = 16 };

struct gpio_held {
	struct gpiod_line *line; /* NULL: it is held by fd alone */
	int fd;                  /* of edges, -1 without */
	uint32_t sequence;       /* of the newest edge, from 1; without line */
};

int gpio_chip_info(struct gpiod_chip *chip, struct gpio_line_info *ret_info)
{
	gpio_copy_name(ret_info->chip, gpiod_chip_name(chip));
	gpio_copy_name(ret_info->label, gpiod_chip_label(chip));
	return (int)gpiod_chip_num_lines(chip);
}

int gpio_chip_line(struct gpiod_chip *chip, unsigned offset, struct gpio_line_info *ret_info)
{
	struct gpiod_line *line = gpiod_chip_get_line(chip, offset);

	if (!line)
		return gpio_failure();
	ret_info->offset = offset;
	gpio_copy_name(ret_info->name, gpiod_line_name(line));
	gpio_copy_name(ret_info->consumer, gpiod_line_consumer(line));
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

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? gpio_failure() : 0;
}

/* ---- edges by the kernel's own interface ---------------------------------------------------------------------------------------- */

static uint64_t v2_flags_of(const struct gpio_place *place, enum gpio_use use)
{
	static const uint64_t bias[] = {
		[GPIO_BIAS_AS_IS] = 0,
		[GPIO_BIAS_OFF] = GPIO_V2_LINE_FLAG_BIAS_DISABLED,
		[GPIO_BIAS_PULL_UP] = GPIO_V2_LINE_FLAG_BIAS_PULL_UP,
		[GPIO_BIAS_PULL_DOWN] = GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN,
	};

	return GPIO_V2_LINE_FLAG_INPUT | bias[place->bias] | (place->active_low ? GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0) |
	       GPIO_V2_LINE_FLAG_EDGE_RISING | (use == GPIO_EDGES_BOTH ? GPIO_V2_LINE_FLAG_EDGE_FALLING : 0);
}

/* -ENOTTY: an older kernel. */
static int hold_edges(struct gpiod_chip *chip, unsigned offset, const struct gpio_place *place, enum gpio_use use,
		      unsigned filter_us, struct gpio_held *held)
{
	struct gpio_v2_line_request request = {
		.offsets = { offset },
		.consumer = GPIO_CONSUMER,
		.config = { .flags = v2_flags_of(place, use) },
		.num_lines = 1,
		.event_buffer_size = GPIO_KERNEL_KEEPS,
	};
	char path[GPIO_NAME_MAX + 8];
	int fd, r;

	if (filter_us > 0) {
		request.config.num_attrs = 1;
		request.config.attrs[0].mask = 1;
		request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
		request.config.attrs[0].attr.debounce_period_us = filter_us;
	}
	snprintf(path, sizeof(path), "/dev/%s", gpiod_chip_name(chip));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return gpio_failure();
	r = ioctl(fd, GPIO_V2_GET_LINE_IOCTL, &request) < 0 ? gpio_failure() : 0;
	close(fd);
	if (r >= 0)
		held->fd = request.fd;
	return r;
}

static int get_v2(const struct gpio_held *held)
{
	struct gpio_v2_line_values values = { .mask = 1 };

	return ioctl(held->fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0 ? gpio_failure() : (int)(values.bits & 1);
}

static int read_v2(struct gpio_held *held, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost)
{
	struct gpio_v2_line_event events[GPIO_EDGES_MAX];
	ssize_t len = read(held->fd, events, sizeof(events));
	int count = (int)(len / (ssize_t)sizeof(*events));

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : gpio_failure();
	*ret_lost = 0;
	for (int i = 0; i < count; i++) {
		*ret_lost += events[i].line_seqno - held->sequence - 1;
		held->sequence = events[i].line_seqno;
		ret_edges[i] = (struct gpio_edge){
			.ns = (int64_t)events[i].timestamp_ns,
			.rising = events[i].id == GPIO_V2_LINE_EVENT_RISING_EDGE,
		};
	}
	return count;
}

/* ---- what gpio_chip.h says ------------------------------------------------------------------------------------------------------ */

/* By the library. */
static int hold_line(struct gpiod_chip *chip, unsigned offset, const struct gpio_place *place, enum gpio_use use, int value,
		     struct gpio_held *held)
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

	held->line = gpiod_chip_get_line(chip, offset);
	if (!held->line || gpiod_line_request(held->line, &config, value) < 0)
		return gpio_failure();
	if (use >= GPIO_EDGES_RISING)
		held->fd = gpiod_line_event_get_fd(held->line);
	return use >= GPIO_EDGES_RISING && held->fd < 0 ? gpio_failure() : 0;
}

int gpio_hold(struct gpiod_chip *chip, unsigned offset, const struct gpio_place *place, enum gpio_use use, int value,
	      unsigned filter_us, struct gpio_held **ret_held)
{
	struct gpio_held *held = calloc(1, sizeof(*held));
	int r;

	if (!held)
		return -ENOMEM;
	held->fd = -1;
	r = use >= GPIO_EDGES_RISING ? hold_edges(chip, offset, place, use, filter_us, held) : -ENOTTY;
	if (r == -ENOTTY)
		r = hold_line(chip, offset, place, use, value, held);
	if (r >= 0 && held->fd >= 0)
		r = not_blocking(held->fd);
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
	else if (held && !held->line && held->fd >= 0)
		close(held->fd);
	free(held);
}

int gpio_held_get(struct gpio_held *held)
{
	int value;

	if (!held->line)
		return get_v2(held);
	value = gpiod_line_get_value(held->line);
	return value < 0 ? gpio_failure() : value;
}

int gpio_held_set(struct gpio_held *held, int value)
{
	return gpiod_line_set_value(held->line, value) < 0 ? gpio_failure() : 0;
}

int gpio_held_fd(const struct gpio_held *held)
{
	return held->fd;
}

int gpio_held_read(struct gpio_held *held, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost)
{
	struct gpiod_line_event events[OLD_KERNEL_KEEPS];
	int count;

	if (!held->line)
		return read_v2(held, ret_edges, ret_lost);
	count = gpiod_line_event_read_fd_multiple(held->fd, events, OLD_KERNEL_KEEPS);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : gpio_failure();
	*ret_lost = count == OLD_KERNEL_KEEPS; /* full: there may have been more */
	for (int i = 0; i < count; i++)
		ret_edges[i] = (struct gpio_edge){
			.ns = events[i].ts.tv_sec * (int64_t)1000000000 + events[i].ts.tv_nsec,
			.rising = events[i].event_type == GPIOD_LINE_EVENT_RISING_EDGE,
		};
	return count;
}

bool gpio_held_filters(const struct gpio_held *held)
{
	return !held->line;
}

#endif
