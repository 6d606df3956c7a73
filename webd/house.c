#include "house_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log.h"

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

struct house *house_open(void)
{
	struct house *house = calloc(1, sizeof(struct house));

	if (house)
		house->collector.rate = -1;
	return house;
}

static void free_device(struct house_device *device)
{
	while (device->series) {
		struct house_series *series = device->series;

		device->series = series->next;
		free(series); /* the first member of its entry */
	}
	free(device);
}

void house_close(struct house *house)
{
	if (!house)
		return;
	house_forget_wishes(house);
	while (house->nodes) {
		struct house_node *node = house->nodes;

		house->nodes = node->next;
		house_free_rules(node);
		while (node->devices) {
			struct house_device *device = node->devices;

			node->devices = device->next;
			free_device(device);
		}
		free(node);
	}
	free(house);
}

uint64_t house_revision(const struct house *house)
{
	return house->revision;
}

/* ---- finding ----------------------------------------------------------------------------------------------------------------- */

const struct house_node *house_nodes(const struct house *house)
{
	return house->nodes;
}

const struct house_node *house_node(const struct house *house, const char *name)
{
	const struct house_node *node = house->nodes;

	while (node && strcmp(node->name, name) != 0)
		node = node->next;
	return node;
}

static struct house_entry *find_entry(const struct house *house, const struct series *name)
{
	struct house_entry *entry = house->buckets[series_hash(name) % HOUSE_BUCKETS];

	while (entry && !series_equal(&entry->series.name, name))
		entry = entry->chain;
	return entry;
}

const struct house_series *house_series(const struct house *house, const struct series *name)
{
	const struct house_entry *entry = find_entry(house, name);

	return entry ? &entry->series : NULL;
}

/* ---- making ------------------------------------------------------------------------------------------------------------------ */

/* A broker may bring any number of names: what is beyond the limits is told once, not shown. */
static int full(struct house *house, const char *what, int limit)
{
	if (!house->told_full)
		log_warning("more than %d %s at the broker: further ones are not shown", limit, what);
	house->told_full = true;
	return -ENOSPC;
}

struct house_node *house_make_node(struct house *house, const char *name, int *ret_error)
{
	struct house_node **link = &house->nodes, *node;

	while (*link && strcmp((*link)->name, name) < 0)
		link = &(*link)->next;
	if (*link && strcmp((*link)->name, name) == 0)
		return *link;
	if (house->node_count == HOUSE_NODES_MAX) {
		*ret_error = full(house, "nodes", HOUSE_NODES_MAX);
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (!node) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->uptime_s = node->outbox = node->oldest_ms = node->given_up = node->rss = -1;
	node->next = *link;
	*link = node;
	house_apply_node(house, node);
	house->node_count++;
	house->revision++;
	return node;
}

static struct house_device *make_device(const struct house *house, struct house_node *node, const char *name)
{
	struct house_device **link = &node->devices, *device;

	while (*link && strcmp((*link)->name, name) < 0)
		link = &(*link)->next;
	if (*link && strcmp((*link)->name, name) == 0)
		return *link;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	snprintf(device->name, sizeof(device->name), "%s", name);
	device->node = node;
	device->next = *link;
	*link = device;
	house_apply_device(house, device);
	return device;
}

static void link_series(struct house *house, struct house_device *device, struct house_entry *entry)
{
	struct house_entry **bucket = &house->buckets[series_hash(&entry->series.name) % HOUSE_BUCKETS];
	struct house_series **link = &device->series;

	while (*link && strcmp((*link)->name.quantity, entry->series.name.quantity) < 0)
		link = &(*link)->next;
	entry->series.device = device;
	entry->series.next = *link;
	*link = &entry->series;
	entry->chain = *bucket;
	*bucket = entry;
	house->series_count++;
	house->revision++;
}

struct house_entry *house_make_series(struct house *house, const struct series *name, int *ret_error)
{
	struct house_entry *entry = find_entry(house, name);
	struct house_device *device;
	struct house_node *node;

	if (entry)
		return entry;
	if (house->series_count == HOUSE_SERIES_MAX) {
		*ret_error = full(house, "series", HOUSE_SERIES_MAX);
		return NULL;
	}
	node = house_make_node(house, name->node, ret_error);
	if (!node)
		return NULL;
	entry = calloc(1, sizeof(*entry));
	device = entry ? make_device(house, node, name->device) : NULL;
	if (!device) {
		free(entry);
		*ret_error = -ENOMEM;
		return NULL;
	}
	entry->series.name = *name;
	entry->series.quantity = quantity_info_of(name->quantity);
	strncat(entry->series.unit, entry->series.quantity->unit, UNIT_MAX);
	link_series(house, device, entry);
	house_apply_series(house, &entry->series);
	return entry;
}

static void unlink_entry(struct house *house, struct house_entry *entry)
{
	struct house_entry **bucket = &house->buckets[series_hash(&entry->series.name) % HOUSE_BUCKETS];

	while (*bucket != entry)
		bucket = &(*bucket)->chain;
	*bucket = entry->chain;
	house->series_count--;
	house->revision++;
}

void house_forget_untold(struct house *house, struct house_node *node)
{
	struct house_device **link = &node->devices;

	while (*link) {
		struct house_device *device = *link;
		struct house_series **at = &device->series;

		while (*at) {
			struct house_entry *entry = (struct house_entry *)*at;

			if (entry->told || entry->series.has_value) {
				at = &entry->series.next;
				continue;
			}
			*at = entry->series.next;
			unlink_entry(house, entry);
			free(entry);
		}
		if (device->series) {
			link = &device->next;
			continue;
		}
		*link = device->next;
		free(device);
	}
}

/* ---- news -------------------------------------------------------------------------------------------------------------------- */

static int take(struct house *house, struct house_series *series, const struct reading *reading, bool guessed)
{
	series->has_value = true;
	series->value = reading->value;
	series->time_ms = reading->time_ms;
	series->time_guessed = guessed;
	house->revision++;
	return 1;
}

int house_reading(struct house *house, const struct reading *reading)
{
	struct house_entry *entry;
	struct house_series *series;
	int r = 0;

	entry = house_make_series(house, &reading->series, &r);
	if (!entry)
		return r;
	series = &entry->series;
	if (series->has_value && !series->time_guessed && reading->time_ms <= series->time_ms)
		return 0;
	house_seen(house, reading->series.node, reading->time_ms);
	return take(house, series, reading, false);
}

int house_retained(struct house *house, struct reading *reading, int64_t now_ms)
{
	struct house_entry *entry;
	struct house_series *series;
	int r = 0;

	entry = house_make_series(house, &reading->series, &r);
	if (!entry)
		return r;
	series = &entry->series;
	if (series->has_value && value_equal(&series->value, &reading->value))
		return 0;
	reading->time_ms = series->has_value ? series->time_ms + 1 : now_ms;
	return take(house, series, reading, !series->has_value || series->time_guessed);
}

void house_seen(struct house *house, const char *name, int64_t time_ms)
{
	struct house_node *node = house->nodes;

	while (node && strcmp(node->name, name) != 0)
		node = node->next;
	if (!node || time_ms <= node->seen_ms)
		return;
	node->seen_ms = time_ms;
	house->revision++;
}

int house_status(struct house *house, const char *name, bool online, int64_t time_ms)
{
	int r = 0;
	struct house_node *node = house_make_node(house, name, &r);

	if (!node)
		return r;
	if (node->known_status && (node->online == online || time_ms < node->status_ms))
		return 0;
	node->known_status = true;
	node->online = online;
	node->status_ms = time_ms;
	house->revision++;
	return 1;
}
