/* GPIO lines that a test plays, in place of node-agent/gpio.c. The clock is bench_now_ns. */
#pragma once

#include "../../node-agent/gpio.h"

enum { FAKE_GPIO_EDGES_MAX = 4096 };

/* Levels are logical. */
struct fake_line {
	char name[GPIO_NAME_MAX];
	struct gpio_place place; /* as it was asked for */
	enum gpio_use use;
	bool held;
	int level;      /* what gpio_get gives */
	bool stuck;     /* gpio_set changes nothing */
	int error;      /* what gpio_get, gpio_set and gpio_read_edges give; 0: they work */
	int open_error; /* what gpio_open gives, with open_words */
	const char *open_words;
	bool gone;     /* the chip */
	unsigned lost; /* told by the next gpio_read_edges */
	int sets;      /* how often it was set */
	struct gpio_edge edges[FAKE_GPIO_EDGES_MAX];
	size_t first, count;
};

/* The line of that name; made where there is none yet. */
struct fake_line *fake_line(const char *name);
void fake_gpio_reset(void);
/* The level becomes so now, or `at` ns; the reader is not called. */
void fake_edge(struct fake_line *line, int level);
void fake_edge_at(struct fake_line *line, int level, int64_t at_ns);
extern bool fake_gpio_filters;
