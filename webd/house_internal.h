/* What the files of the house share. */
#pragma once

#include "house.h"

enum { HOUSE_BUCKETS = 1024 };

struct house_entry { /* a series as the house keeps it */
	struct house_series series;
	struct house_entry *chain; /* of the same bucket */
	bool told;                 /* the node's newest $info names it */
};

struct house {
	struct house_node *nodes;
	size_t node_count, series_count;
	struct house_entry *buckets[HOUSE_BUCKETS];
	uint64_t revision;
	bool told_full;
};

/* Find or make. NULL beyond the limits (told once in the log) or without memory; *ret_error says which. */
struct house_node *house_make_node(struct house *house, const char *name, int *ret_error);
struct house_entry *house_make_series(struct house *house, const struct series *name, int *ret_error);
/* Takes the series out that stand in `node` without a value and without a word in $info, and devices that are left empty. */
void house_forget_untold(struct house *house, struct house_node *node);
