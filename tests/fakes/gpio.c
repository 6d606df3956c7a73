#include "gpio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum { LINES_MAX = 16 };

static struct fake_line lines[LINES_MAX];
static size_t line_count;
bool fake_gpio_filters;

struct fake_line *fake_line(const char *name)
{
	for (size_t i = 0; i < line_count; i++)
		if (strcmp(lines[i].name, name) == 0)
			return &lines[i];
	strcpy(lines[line_count].name, name);
	return &lines[line_count++];
}

void fake_gpio_reset(void)
{
	memset(lines, 0, sizeof(lines));
	line_count = 0;
	fake_gpio_filters = false;
}

void fake_edge_at(struct fake_line *line, int level, int64_t at_ns)
{
	line->level = level;
	if (line->use == GPIO_EDGES_BOTH || (line->use == GPIO_EDGES_RISING && level))
		line->edges[line->count++] = (struct gpio_edge){ .ns = at_ns, .rising = level };
}

void fake_edge(struct fake_line *line, int level)
{
	fake_edge_at(line, level, bench_now_ns);
}

static struct fake_line *of(const struct gpio *gpio)
{
	return (struct fake_line *)gpio;
}

int gpio_open(const struct gpio_place *place, enum gpio_use use, int value, unsigned filter_us, struct gpio **ret_gpio, char *error,
	      size_t error_size)
{
	struct fake_line *line = fake_line(place->line);

	(void)filter_us;
	if (line->open_error || line->held) {
		snprintf(error, error_size, "%s", line->held ? "held" : line->open_words ? line->open_words : "no line");
		return line->held ? -EBUSY : line->open_error;
	}
	line->held = true;
	line->place = *place;
	line->use = use;
	if (use == GPIO_OUTPUT)
		line->level = value;
	*ret_gpio = (struct gpio *)line;
	return 0;
}

void gpio_close(struct gpio *gpio)
{
	if (gpio)
		of(gpio)->held = false;
}

int gpio_get(struct gpio *gpio)
{
	return of(gpio)->error ? of(gpio)->error : of(gpio)->level;
}

int gpio_set(struct gpio *gpio, int value)
{
	struct fake_line *line = of(gpio);

	if (line->error)
		return line->error;
	line->sets++;
	if (!line->stuck)
		line->level = value;
	return 0;
}

int gpio_fd(const struct gpio *gpio)
{
	return 100 + (int)(of(gpio) - lines);
}

int gpio_read_edges(struct gpio *gpio, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost)
{
	struct fake_line *line = of(gpio);
	int count = 0;

	*ret_lost = line->lost;
	line->lost = 0;
	if (line->error)
		return line->error;
	while (line->first < line->count && count < GPIO_EDGES_MAX)
		ret_edges[count++] = line->edges[line->first++];
	if (line->first == line->count)
		line->first = line->count = 0;
	return count;
}

int gpio_alive(const struct gpio *gpio)
{
	return of(gpio)->gone ? -ENODEV : 0;
}

bool gpio_filters(const struct gpio *gpio)
{
	(void)gpio;
	return fake_gpio_filters;
}

int64_t gpio_now_ns(void)
{
	return bench_now_ns;
}
