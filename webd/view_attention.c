/* What needs a look, worst first, and the headline that sums it up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"
#include "wording.h"

enum { LIST_MAX = 30 }; /* beyond, the number in the headline tells */

static const double battery_low = 15; /* % */
static const int64_t open_long_ms = 30 * 60 * 1000;

struct list {
	const struct view *view;
	cJSON *items;
	size_t count;
};

static cJSON *add(struct list *list, const char *level, const char *icon, const char *node)
{
	cJSON *item = cJSON_CreateObject();
	char href[NAME_MAX_LEN + 8];

	if (list->count++ >= LIST_MAX) {
		cJSON_Delete(item);
		return NULL;
	}
	snprintf(href, sizeof(href), "/node/%.*s", NAME_MAX_LEN, node);
	cJSON_AddItemToArray(list->items, item);
	cJSON_AddStringToObject(item, "level", level);
	cJSON_AddStringToObject(item, "icon", icon);
	cJSON_AddStringToObject(item, "href", href);
	return item;
}

static void say(struct list *list, cJSON *item, const char *name, const char *key, const struct strings_word *words)
{
	if (item)
		view_fill(list->view, item, name, key, words);
}

static bool is_silent_node(const struct house_node *node)
{
	return node->known_status && !node->online;
}

/* Without the broker nobody can be heard: that is one thing to look at, and the page says it above all. */
static bool is_heard(const struct view *view, const struct house_node *node)
{
	return view->broker_up && !is_silent_node(node);
}

static void add_offline(struct list *list, const struct house_node *node)
{
	cJSON *item = add(list, "danger", "offline", node->name);

	if (!item)
		return;
	view_fill(list->view, item, "title", "todo_offline", (struct strings_word[]){ { "node", view_node_label(node) }, { 0 } });
	view_since(list->view, item, "text", "todo_offline_text", node->name, node->status_ms);
}

/* Nodes keep their readings meanwhile: nothing is lost, but nothing new is in the charts. */
static void add_collector(struct list *list, const struct house_collector *collector)
{
	bool away = collector->known && !collector->online;
	cJSON *item;

	if (!away && !collector->error[0])
		return;
	item = add(list, "danger", "inbox", "");
	if (!item)
		return;
	cJSON_ReplaceItemInObjectCaseSensitive(item, "href", cJSON_CreateString("/system"));
	cJSON_AddStringToObject(item, "title", view_text(list->view, away ? "todo_collector" : "todo_store"));
	cJSON_AddStringToObject(item, "text", away ? view_text(list->view, "todo_collector_text") : collector->error);
}

static void add_fault(struct list *list, const struct house_device *device)
{
	cJSON *item = add(list, "warn", "alert", device->node->name);

	say(list, item, "title", "todo_fault",
	    (struct strings_word[]){ { "node", view_node_label(device->node) }, { "device", view_device_label(device) }, { 0 } });
	if (item)
		cJSON_AddStringToObject(item, "text", device->fault);
}

/* All that is silent of a device is one thing to look at. */
static void add_silent(struct list *list, const struct house_device *device)
{
	const struct house_series *first = NULL;
	char label[VIEW_LABEL_MAX], age[WORDING_MAX];
	int64_t newest_ms = 0;
	size_t count = 0;
	cJSON *item;

	for (const struct house_series *series = device->series; series; series = series->next)
		if (view_is_stale(list->view, series)) {
			first = count++ ? first : series;
			newest_ms = series->time_ms > newest_ms ? series->time_ms : newest_ms;
		}
	if (!count)
		return;
	view_series_label(list->view, first, label);
	item = add(list, "warn", "clock", device->node->name);
	say(list, item, "title", "todo_silent",
	    (struct strings_word[]){ { "node", view_node_label(device->node) },
				     { "device", count > 1 ? view_device_label(device) : label },
				     { 0 } });
	wording_age(list->view->strings, list->view->language, list->view->now_ms - newest_ms, age);
	say(list, item, "text", "todo_silent_text", (struct strings_word[]){ { "age", age }, { 0 } });
}

static void add_battery(struct list *list, const struct house_series *series)
{
	cJSON *item = add(list, "warn", "battery", series->name.node);
	char value[WORDING_MAX];

	say(list, item, "title", "todo_battery",
	    (struct strings_word[]){ { "node", view_node_label(series->device->node) }, { 0 } });
	wording_number(list->view->language, series->value.number, 0, value);
	say(list, item, "text", "todo_battery_text",
	    (struct strings_word[]){ { "value", value }, { "device", view_device_label(series->device) }, { 0 } });
}

/* A sensor that tells nothing but changes: its newest reading is the moment it was opened. */
static bool is_open_long(const struct view *view, const struct house_series *series)
{
	return !strcmp(series->name.quantity, "contact") && series->output == HOUSE_SENSOR && series->interval_ms == 0 &&
	       series->value.number != 0 && view->now_ms - series->time_ms > open_long_ms;
}

static void add_open(struct list *list, const struct house_series *series)
{
	cJSON *item = add(list, "warn", view_icon(list->view, "door-open", NULL, "alert"), series->name.node);
	char label[VIEW_LABEL_MAX];

	say(list, item, "title", "todo_open",
	    (struct strings_word[]){ { "node", view_node_label(series->device->node) },
				     { "device", view_series_label(list->view, series, label) },
				     { 0 } });
	if (item)
		view_since(list->view, item, "text", "todo_open_text", series->name.node, series->time_ms);
}

static void look_at_device(struct list *list, const struct house_device *device)
{
	if (device->fault[0])
		add_fault(list, device);
	else
		add_silent(list, device);
	for (const struct house_series *series = device->series; series; series = series->next) {
		if (!series->has_value || series->value.kind != VALUE_NUMBER)
			continue;
		if (!strcmp(series->name.quantity, "battery") && series->value.number < battery_low)
			add_battery(list, series);
		if (is_open_long(list->view, series))
			add_open(list, series);
	}
}

/* Clocks go wrong together, when the house has lost its time server: one thing to look at, with the nodes' names. */
static void add_clocks(struct list *list, const struct house *house)
{
	const struct house_node *first = NULL;
	char names[256] = "";
	size_t len = 0;
	cJSON *item;

	for (const struct house_node *node = house_nodes(house); node; node = node->next) {
		if (is_silent_node(node) || !node->has_health || node->clock_synced)
			continue;
		first = first ? first : node;
		if (len + HOUSE_LABEL_MAX + 8 < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "", view_node_label(node));
		else if (strcmp(names + len - 3, "…") != 0)
			len += (size_t)snprintf(names + len, sizeof(names) - len, ", …");
	}
	if (!first)
		return;
	item = add(list, "warn", "clock", first->name);
	say(list, item, "title", "todo_clock", NULL);
	say(list, item, "text", "todo_clock_text", (struct strings_word[]){ { "nodes", names }, { 0 } });
}

static void sum_up(const struct view *view, const struct house *house, cJSON *to)
{
	unsigned all = 0, on = 0, count = 0;
	char n[WORDING_MAX], answering[WORDING_MAX], followed[WORDING_MAX], text[128];

	for (const struct house_node *node = house_nodes(house); node; node = node->next) {
		all++;
		on += !is_silent_node(node);
		for (const struct house_device *device = node->devices; device; device = device->next)
			for (const struct house_series *series = device->series; series; series = series->next)
				count++;
	}
	wording_number(view->language, count, 0, followed);
	strings_fill(view_text(view, count == 1 ? "sum_series_one" : "sum_series_many"),
		     (struct strings_word[]){ { "n", followed }, { 0 } }, text, sizeof(text));
	wording_number(view->language, all, 0, n);
	wording_number(view->language, on, 0, answering);
	view_fill(view, to, "summary",
		  !view->broker_up ? "sum_unheard"
		  : on < all       ? "sum_some"
		  : all == 1       ? "sum_one"
				   : "sum_all",
		  (struct strings_word[]){ { "n", n }, { "on", answering }, { "series", text }, { 0 } });
}

void view_attention(const struct view *view, const struct house *house, cJSON *to)
{
	struct list list = { .view = view, .items = cJSON_CreateArray() };
	char key[16], n[WORDING_MAX];

	if (view->broker_up)
		add_collector(&list, house_collector(house));
	for (const struct house_node *node = house_nodes(house); node; node = node->next)
		if (view->broker_up && is_silent_node(node))
			add_offline(&list, node);
	for (const struct house_node *node = house_nodes(house); node; node = node->next)
		for (const struct house_device *device = is_heard(view, node) ? node->devices : NULL; device; device = device->next)
			look_at_device(&list, device);
	if (view->broker_up)
		add_clocks(&list, house);
	if (list.count > 0) {
		cJSON *attention = cJSON_AddObjectToObject(to, "attention");

		cJSON_AddBoolToObject(attention, "two", list.count > 1);
		cJSON_AddItemToObject(attention, "items", list.items);
	} else {
		cJSON_Delete(list.items);
	}
	list.count += !view->broker_up;
	snprintf(key, sizeof(key), list.count > 9 ? "head_many" : "head_%zu", list.count);
	wording_number(view->language, (double)list.count, 0, n);
	view_fill(view, to, "headline", key, (struct strings_word[]){ { "n", n }, { 0 } });
	sum_up(view, house, to);
}
