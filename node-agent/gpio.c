#include "gpio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "door.h"
#include "gpio_chip.h"
#include "gpio_find.h"

struct gpio {
	struct gpiod_chip *chip;
	struct gpio_held *held;
	char path[GPIO_PATH_MAX];
	struct stat node; /* of the chip when it was opened */
};

/* Who has it, while somebody has. */
static void explain_hold(struct gpiod_chip *chip, unsigned offset, const char *line, int error, char *buf, size_t size)
{
	struct gpio_line_info info = { 0 };

	if (error == -EBUSY && gpio_chip_line(chip, offset, &info) >= 0 && strcmp(info.consumer, GPIO_CONSUMER) == 0)
		snprintf(buf, size, "%s is held by \"%s\": another section with this line, or another node-agent", line,
			 info.consumer);
	else if (error == -EBUSY && info.consumer[0])
		snprintf(buf, size, "%s is held by \"%s\"", line, info.consumer);
	else if (error == -EBUSY)
		snprintf(buf, size, "%s is held by another program or by the kernel", line);
	else if (error == -EINVAL || error == -ENOTSUP)
		snprintf(buf, size, "%s cannot do that: bias, drive or edges (%s)", line, strerror(-error));
	else
		snprintf(buf, size, "%s: %s", line, strerror(-error));
}

int gpio_open(const struct gpio_place *place, enum gpio_use use, int value, unsigned filter_us, struct gpio **ret_gpio, char *error,
	      size_t error_size)
{
	struct gpio *gpio = calloc(1, sizeof(*gpio));
	unsigned offset;
	int r;

	if (!gpio)
		return -ENOMEM;
	r = gpio_find(place, &gpio->chip, gpio->path, &offset, error, error_size);
	if (r >= 0 && stat(gpio->path, &gpio->node) < 0)
		r = -errno;
	if (r >= 0) {
		r = gpio_hold(gpio->chip, offset, place, use, value, filter_us, &gpio->held);
		if (r < 0)
			explain_hold(gpio->chip, offset, place->line, r, error, error_size);
	}
	if (r < 0) {
		gpio_close(gpio);
		return r;
	}
	*ret_gpio = gpio;
	return 0;
}

void gpio_close(struct gpio *gpio)
{
	if (!gpio)
		return;
	gpio_drop(gpio->held);
	gpio_chip_close(gpio->chip);
	free(gpio);
}

int gpio_get(struct gpio *gpio)
{
	return gpio_held_get(gpio->held);
}

int gpio_set(struct gpio *gpio, int value)
{
	return gpio_held_set(gpio->held, value);
}

int gpio_fd(const struct gpio *gpio)
{
	return gpio_held_fd(gpio->held);
}

bool gpio_filters(const struct gpio *gpio)
{
	return gpio_held_filters(gpio->held);
}

int gpio_read_edges(struct gpio *gpio, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost)
{
	*ret_lost = 0;
	return gpio_held_read(gpio->held, ret_edges, ret_lost);
}

int gpio_alive(const struct gpio *gpio)
{
	struct stat now;

	/* A chip that came back is another one, even under the same name. */
	return stat(gpio->path, &now) == 0 && now.st_ino == gpio->node.st_ino && now.st_rdev == gpio->node.st_rdev ? 0 : -ENODEV;
}

int64_t gpio_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}
