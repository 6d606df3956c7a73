/* What the files of the house share. */
#pragma once

#include <cjson/cJSON.h>

#include "house.h"

enum { HOUSE_BUCKETS = 1024, HOUSE_WISH_KEY_MAX = SERIES_TEXT_MAX + 16 };

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
	struct house_collector collector;
	struct house_wish {
		char key[HOUSE_WISH_KEY_MAX + 1];
		char *value;
	} * wishes;
	size_t wish_count;
};

/* Find or make. NULL beyond the limits (told once in the log) or without memory; *ret_error says which. */
struct house_node *house_make_node(struct house *house, const char *name, int *ret_error);
struct house_entry *house_make_series(struct house *house, const struct series *name, int *ret_error);
/* house_arrange.c: what the household wishes of something that has just been made. */
void house_apply_node(const struct house *house, struct house_node *node);
void house_apply_device(const struct house *house, struct house_device *device);
void house_apply_series(const struct house *house, struct house_series *series);
void house_forget_wishes(struct house *house);
/* house_rules.c */
void house_take_rules(struct house_node *node, const cJSON *rules);
void house_take_rule_states(struct house_node *node, const cJSON *rules);
void house_free_rules(struct house_node *node);
/* house_info.c: hostile JSON, and words of it: a text cut to `max` bytes of valid UTF-8 ("" absent), a whole number (-1 absent). */
cJSON *house_parse_json(const char *json, size_t len);
void house_take_text(const cJSON *object, const char *key, char *ret_text, size_t max);
int64_t house_take_whole(const cJSON *object, const char *key);
/* Takes the series out that stand in `node` without a value and without a word in $info, and devices that are left empty. */
void house_forget_untold(struct house *house, struct house_node *node);
