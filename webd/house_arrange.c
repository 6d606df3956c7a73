/* How the household wants its house shown: its own names for rooms, their order, what is hidden, what is pinned to the top. Kept as small texts by key;
 * known before the nodes are heard, and for those that are not heard any more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "house_internal.h"

enum { WISHES_MAX = 5000 };

static const char *wish(const struct house *house, const char *key)
{
	for (size_t i = 0; i < house->wish_count; i++)
		if (strcmp(house->wishes[i].key, key) == 0)
			return house->wishes[i].value;
	return NULL;
}

void house_apply_node(const struct house *house, struct house_node *node)
{
	char key[HOUSE_WISH_KEY_MAX + 1];
	const char *value;

	snprintf(key, sizeof(key), "label.%s", node->name);
	value = wish(house, key);
	snprintf(node->own_label, sizeof(node->own_label), "%s", value ? value : "");
	snprintf(key, sizeof(key), "order.%s", node->name);
	value = wish(house, key);
	node->rank = value ? atoi(value) : HOUSE_RANK_LAST;
}

void house_apply_device(const struct house *house, struct house_device *device)
{
	char key[HOUSE_WISH_KEY_MAX + 1];

	snprintf(key, sizeof(key), "hidden.%s/%s", device->node->name, device->name);
	device->hidden = wish(house, key) != NULL;
}

void house_apply_series(const struct house *house, struct house_series *series)
{
	char key[HOUSE_WISH_KEY_MAX + 1], name[SERIES_TEXT_MAX + 1];

	snprintf(key, sizeof(key), "pinned.%s", series_format(&series->name, name));
	series->pinned = wish(house, key) != NULL;
}

static void apply_all(struct house *house)
{
	for (struct house_node *node = house->nodes; node; node = node->next) {
		house_apply_node(house, node);
		for (struct house_device *device = node->devices; device; device = device->next) {
			house_apply_device(house, device);
			for (struct house_series *series = device->series; series; series = series->next)
				house_apply_series(house, series);
		}
	}
	house->revision++;
}

int house_arrange(struct house *house, const char *key, const char *value)
{
	size_t i = 0;
	char *copy = value ? strdup(value) : NULL;
	void *more;

	if (value && !copy)
		return -ENOMEM;
	if (strlen(key) > HOUSE_WISH_KEY_MAX) {
		free(copy);
		return -EINVAL;
	}
	while (i < house->wish_count && strcmp(house->wishes[i].key, key) != 0)
		i++;
	if (i < house->wish_count) {
		free(house->wishes[i].value);
		house->wishes[i].value = copy;
		if (!copy)
			house->wishes[i] = house->wishes[--house->wish_count];
	} else if (value) {
		more = house->wish_count < WISHES_MAX ? reallocarray(house->wishes, house->wish_count + 1, sizeof(*house->wishes))
						      : NULL;
		if (!more) {
			free(copy);
			return -ENOSPC;
		}
		house->wishes = more;
		snprintf(house->wishes[i].key, sizeof(house->wishes[i].key), "%s", key);
		house->wishes[i].value = copy;
		house->wish_count++;
	}
	apply_all(house);
	return 0;
}

void house_forget_wishes(struct house *house)
{
	for (size_t i = 0; i < house->wish_count; i++)
		free(house->wishes[i].value);
	free(house->wishes);
	house->wishes = NULL;
	house->wish_count = 0;
}
