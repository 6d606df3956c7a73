/* libgpiod 2.x (Debian 13). Empty with 1.6; the other way round in gpio_v1.c. */
#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "gpio_chip.h"

#ifndef GPIOD_LINE_BULK_MAX_LINES

struct gpio_held {
	struct gpiod_line_request *request;
	unsigned offset;
	struct gpiod_edge_event_buffer *buffer; /* NULL without edges */
	unsigned long sequence;                 /* of the newest edge, from 1 */
};

int gpio_chip_info(struct gpiod_chip *chip, struct gpio_line_info *ret_info)
{
	struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
	int lines;

	if (!info)
		return gpio_failure();
	gpio_copy_name(ret_info->chip, gpiod_chip_info_get_name(info));
	gpio_copy_name(ret_info->label, gpiod_chip_info_get_label(info));
	lines = (int)gpiod_chip_info_get_num_lines(info);
	gpiod_chip_info_free(info);
	return lines;
}

int gpio_chip_line(struct gpiod_chip *chip, unsigned offset, struct gpio_line_info *ret_info)
{
	struct gpiod_line_info *info = gpiod_chip_get_line_info(chip, offset);

	if (!info)
		return gpio_failure();
	ret_info->offset = offset;
	gpio_copy_name(ret_info->name, gpiod_line_info_get_name(info));
	gpio_copy_name(ret_info->consumer, gpiod_line_info_get_consumer(info));
	ret_info->used = gpiod_line_info_is_used(info);
	ret_info->output = gpiod_line_info_get_direction(info) == GPIOD_LINE_DIRECTION_OUTPUT;
	gpiod_line_info_free(info);
	return 0;
}

static struct gpiod_line_settings *settings_of(const struct gpio_place *place, enum gpio_use use, int value, unsigned filter_us)
{
	static const enum gpiod_line_bias bias[] = {
		[GPIO_BIAS_AS_IS] = GPIOD_LINE_BIAS_AS_IS,
		[GPIO_BIAS_OFF] = GPIOD_LINE_BIAS_DISABLED,
		[GPIO_BIAS_PULL_UP] = GPIOD_LINE_BIAS_PULL_UP,
		[GPIO_BIAS_PULL_DOWN] = GPIOD_LINE_BIAS_PULL_DOWN,
	};
	static const enum gpiod_line_drive drive[] = {
		[GPIO_DRIVE_PUSH_PULL] = GPIOD_LINE_DRIVE_PUSH_PULL,
		[GPIO_DRIVE_OPEN_DRAIN] = GPIOD_LINE_DRIVE_OPEN_DRAIN,
		[GPIO_DRIVE_OPEN_SOURCE] = GPIOD_LINE_DRIVE_OPEN_SOURCE,
	};
	struct gpiod_line_settings *settings = gpiod_line_settings_new();

	if (!settings)
		return NULL;
	gpiod_line_settings_set_direction(settings, use == GPIO_OUTPUT ? GPIOD_LINE_DIRECTION_OUTPUT : GPIOD_LINE_DIRECTION_INPUT);
	gpiod_line_settings_set_bias(settings, bias[place->bias]);
	gpiod_line_settings_set_active_low(settings, place->active_low);
	if (use == GPIO_OUTPUT) {
		gpiod_line_settings_set_drive(settings, drive[place->drive]);
		gpiod_line_settings_set_output_value(settings, value ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
	}
	if (use >= GPIO_EDGES_RISING) {
		gpiod_line_settings_set_edge_detection(settings,
						       use == GPIO_EDGES_RISING ? GPIOD_LINE_EDGE_RISING : GPIOD_LINE_EDGE_BOTH);
		gpiod_line_settings_set_event_clock(settings, GPIOD_LINE_CLOCK_MONOTONIC);
		gpiod_line_settings_set_debounce_period_us(settings, filter_us);
	}
	return settings;
}

static int request(struct gpiod_chip *chip, struct gpio_held *held, struct gpiod_line_settings *settings)
{
	struct gpiod_line_config *lines = gpiod_line_config_new();
	struct gpiod_request_config *config = gpiod_request_config_new();
	int r = settings && lines && config ? 0 : -ENOMEM;

	if (r >= 0) {
		gpiod_request_config_set_consumer(config, GPIO_CONSUMER);
		gpiod_request_config_set_event_buffer_size(config, GPIO_KERNEL_KEEPS);
		r = gpiod_line_config_add_line_settings(lines, &held->offset, 1, settings) < 0 ? gpio_failure() : 0;
	}
	if (r >= 0) {
		held->request = gpiod_chip_request_lines(chip, config, lines);
		r = held->request ? 0 : gpio_failure();
	}
	gpiod_request_config_free(config);
	gpiod_line_config_free(lines);
	return r;
}

int gpio_hold(struct gpiod_chip *chip, unsigned offset, const struct gpio_place *place, enum gpio_use use, int value,
	      unsigned filter_us, struct gpio_held **ret_held)
{
	struct gpio_held *held = calloc(1, sizeof(*held));
	struct gpiod_line_settings *settings;
	int r;

	if (!held)
		return -ENOMEM;
	held->offset = offset;
	settings = settings_of(place, use, value, filter_us);
	r = request(chip, held, settings);
	gpiod_line_settings_free(settings);
	if (r >= 0 && use >= GPIO_EDGES_RISING) {
		held->buffer = gpiod_edge_event_buffer_new(GPIO_EDGES_MAX);
		r = held->buffer ? 0 : -ENOMEM;
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
	if (held && held->buffer)
		gpiod_edge_event_buffer_free(held->buffer);
	if (held && held->request)
		gpiod_line_request_release(held->request);
	free(held);
}

int gpio_held_get(struct gpio_held *held)
{
	enum gpiod_line_value value = gpiod_line_request_get_value(held->request, held->offset);

	return value == GPIOD_LINE_VALUE_ERROR ? gpio_failure() : value == GPIOD_LINE_VALUE_ACTIVE;
}

int gpio_held_set(struct gpio_held *held, int value)
{
	return gpiod_line_request_set_value(held->request, held->offset,
					    value ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE) < 0
		       ? gpio_failure()
		       : 0;
}

int gpio_held_fd(const struct gpio_held *held)
{
	return held->buffer ? gpiod_line_request_get_fd(held->request) : -1;
}

int gpio_held_read(struct gpio_held *held, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost)
{
	int count = gpiod_line_request_wait_edge_events(held->request, 0); /* the read itself would wait */

	if (count > 0)
		count = gpiod_line_request_read_edge_events(held->request, held->buffer, GPIO_EDGES_MAX);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : gpio_failure();
	*ret_lost = 0;
	for (int i = 0; i < count; i++) {
		struct gpiod_edge_event *event = gpiod_edge_event_buffer_get_event(held->buffer, (unsigned long)i);
		unsigned long sequence = gpiod_edge_event_get_line_seqno(event);

		*ret_lost += (unsigned)(sequence - held->sequence - 1);
		held->sequence = sequence;
		ret_edges[i] = (struct gpio_edge){
			.ns = (int64_t)gpiod_edge_event_get_timestamp_ns(event),
			.rising = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE,
		};
	}
	return count;
}

bool gpio_held_filters(const struct gpio_held *held)
{
	return held->buffer;
}

#endif
