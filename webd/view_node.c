/* A node: its panel of tiles and controls, its chip, what it says of itself. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"
#include "wording.h"

enum { PANEL_TILES = 24, PANEL_CONTROLS = 24 }; /* more stand on the node's own page */

static bool is_offline(const struct house_node *node)
{
	return node->known_status && !node->online;
}

/* In the order of the table of quantities, so that the temperature comes first; unknown ones last. */
static int rank_of(const struct house_series *series)
{
	enum quantity quantity = quantity_find(series->name.quantity);

	return quantity == QUANTITY_NONE ? QUANTITY_COUNT : (int)quantity;
}

static int by_rank(const void *a, const void *b)
{
	const struct house_series *const *one = a, *const *two = b;
	int difference = rank_of(*one) - rank_of(*two);

	if (difference == 0)
		difference = strcmp((*one)->name.device, (*two)->name.device);
	return difference ? difference : strcmp((*one)->name.quantity, (*two)->name.quantity);
}

/* The series of a node, sorted; malloc'ed. */
static const struct house_series **sorted(const struct house_node *node, size_t *ret_count)
{
	const struct house_series **list;
	size_t count = 0;

	for (const struct house_device *device = node->devices; device; device = device->next)
		for (const struct house_series *series = device->series; series && !device->hidden; series = series->next)
			count++;
	list = calloc(count ? count : 1, sizeof(*list));
	*ret_count = list ? count : 0;
	count = 0;
	for (const struct house_device *device = list ? node->devices : NULL; device; device = device->next)
		for (const struct house_series *series = device->series; series && !device->hidden; series = series->next)
			list[count++] = series;
	if (list)
		qsort(list, count, sizeof(*list), by_rank);
	return list;
}

const struct house_series *view_foremost(const struct house_node *node)
{
	const struct house_series *best = NULL;

	for (const struct house_device *device = node->devices; device; device = device->next)
		for (const struct house_series *series = device->series; series && !device->hidden; series = series->next)
			if (series->has_value && series->output == HOUSE_SENSOR && series->value.kind == VALUE_NUMBER &&
			    (!best || rank_of(series) < rank_of(best)))
				best = series;
	return best;
}

bool view_needs_a_look(const struct view *view, const struct house_node *node)
{
	for (const struct house_device *device = node->devices; device; device = device->next) {
		if (device->fault[0])
			return true;
		for (const struct house_series *series = device->series; series; series = series->next)
			if (view_is_stale(view, series))
				return true;
	}
	return false;
}

void view_badge(const struct view *view, cJSON *json, const struct house_node *node)
{
	if (is_offline(node))
		cJSON_AddTrueToObject(json, "is_offline");
	else if (view_needs_a_look(view, node))
		cJSON_AddTrueToObject(json, "is_warn");
	else if (node->known_status)
		cJSON_AddTrueToObject(json, "is_online");
}

static void add_parts(const struct view *view, cJSON *json, const struct house_node *node)
{
	cJSON *tiles = cJSON_CreateArray(), *controls = cJSON_CreateArray();
	size_t count, tile_count = 0, control_count = 0;
	const struct house_series **list = sorted(node, &count);

	for (size_t i = 0; i < count; i++)
		if (list[i]->output == HOUSE_SENSOR && tile_count++ < PANEL_TILES)
			cJSON_AddItemToArray(tiles, view_tile(view, list[i]));
		else if (list[i]->output != HOUSE_SENSOR && control_count++ < PANEL_CONTROLS)
			cJSON_AddItemToArray(controls, view_control(view, list[i]));
	free(list);
	cJSON_AddBoolToObject(json, "has_tiles", tile_count > 0);
	cJSON_AddBoolToObject(json, "has_controls", control_count > 0);
	cJSON_AddBoolToObject(json, "alone", !tile_count && !control_count);
	cJSON_AddBoolToObject(json, "more", tile_count > PANEL_TILES || control_count > PANEL_CONTROLS);
	cJSON_AddItemToObject(json, "tiles", tiles);
	cJSON_AddItemToObject(json, "controls", controls);
}

cJSON *view_panel(const struct view *view, const struct house_node *node)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "name", node->name);
	cJSON_AddStringToObject(json, "label", view_node_label(node));
	cJSON_AddStringToObject(json, "icon", view_icon(view, node->icon, "hub", "hub"));
	view_badge(view, json, node);
	view_time(view, json, "seen", node->seen_ms);
	if (is_offline(node))
		view_time(view, json, "offline", node->status_ms);
	add_parts(view, json, node);
	return json;
}

cJSON *view_chip(const struct view *view, const struct house_node *node)
{
	const struct house_series *foremost = view_foremost(node);
	cJSON *json = cJSON_CreateObject();
	char value[VALUE_TEXT_MAX + 1];

	cJSON_AddStringToObject(json, "name", node->name);
	cJSON_AddStringToObject(json, "label", view_node_label(node));
	view_badge(view, json, node);
	if (!is_offline(node) && foremost) {
		char series[SERIES_TEXT_MAX + 1];

		cJSON_AddStringToObject(json, "series", series_format(&foremost->name, series));
		cJSON_AddStringToObject(json, "value", wording_value(view->language, foremost->quantity, &foremost->value, value));
		view_add_unit(foremost, json);
		cJSON_AddNumberToObject(json, "dec", wording_decimals(foremost->quantity));
	}
	return json;
}

/* ---- facts ---------------------------------------------------------------------------------------------------------------------- */

static cJSON *add_fact(const struct view *view, cJSON *facts, const char *key, const char *value)
{
	cJSON *fact = cJSON_CreateObject();

	cJSON_AddItemToArray(facts, fact);
	cJSON_AddStringToObject(fact, "name", view_text(view, key));
	if (value)
		cJSON_AddStringToObject(fact, "value", value);
	return fact;
}

static void add_outbox(const struct view *view, cJSON *facts, const struct house_node *node)
{
	char n[WORDING_MAX], text[128], age[WORDING_MAX];
	cJSON *fact;

	wording_number(view->language, (double)node->outbox, 0, n);
	strings_fill(view_text(view, node->outbox > 0 ? "fact_outbox_value" : "fact_outbox_none"),
		     (struct strings_word[]){ { "n", n }, { 0 } }, text, sizeof(text));
	fact = add_fact(view, facts, "fact_outbox", text);
	if (node->outbox > 0 && node->oldest_ms > 0) {
		wording_age(view->strings, view->language, view->now_ms - node->oldest_ms, age);
		view_fill(view, fact, "sub", "fact_outbox_oldest", (struct strings_word[]){ { "age", age }, { 0 } });
	}
	if (node->given_up > 0) {
		wording_number(view->language, (double)node->given_up, 0, n);
		strings_fill(view_text(view, "fact_outbox_value"), (struct strings_word[]){ { "n", n }, { 0 } }, text,
			     sizeof(text));
		add_fact(view, facts, "fact_given_up", text);
	}
}

static void add_health(const struct view *view, cJSON *facts, const struct house_node *node)
{
	char text[WORDING_MAX], memory[WORDING_MAX + 8];

	if (node->uptime_s >= 0)
		add_fact(view, facts, "fact_uptime", wording_span(view->strings, view->language, node->uptime_s * 1000, text));
	if (node->outbox >= 0)
		add_outbox(view, facts, node);
	add_fact(view, facts, "fact_clock", view_text(view, node->clock_synced ? "fact_clock_ok" : "fact_clock_bad"));
	if (node->rss > 0) {
		wording_number(view->language, (double)node->rss / 1e6, 1, text);
		snprintf(memory, sizeof(memory), "%s\xc2\xa0%s", text, view->language == LANGUAGE_FR ? "Mo" : "MB");
		add_fact(view, facts, "fact_memory", memory);
	}
}

static cJSON *device_row(const struct view *view, const struct house_device *device)
{
	cJSON *row = cJSON_CreateObject(), *links = cJSON_AddArrayToObject(row, "links");
	bool silent = false, told = false;
	char href[NAME_MAX_LEN * 2 + 16];

	cJSON_AddStringToObject(row, "name", device->name);
	cJSON_AddStringToObject(row, "label", view_device_label(device));
	snprintf(href, sizeof(href), "/device/%s/%s", device->node->name, device->name);
	cJSON_AddStringToObject(row, "device_href", href);
	cJSON_AddBoolToObject(row, "named", device->label[0] != '\0');
	cJSON_AddStringToObject(row, "driver", device->driver[0] ? device->driver : "–");
	for (const struct house_series *series = device->series; series; series = series->next) {
		const char *quantity = wording_quantity(view->language, series->quantity);
		char path[SERIES_TEXT_MAX + 16];
		cJSON *link = cJSON_CreateObject();

		cJSON_AddItemToArray(links, link);
		cJSON_AddStringToObject(link, "href", view_series_path(&series->name, path));
		cJSON_AddStringToObject(link, "text",
					series->label[0] ? series->label
					: quantity[0]    ? quantity
							 : series->name.quantity);
		silent = silent || view_is_stale(view, series);
		told = told || series->has_value;
	}
	if (device->fault[0])
		cJSON_AddStringToObject(row, "fault", device->fault);
	if (device->fault[0])
		view_time(view, row, "fault_since", device->fault_since_ms);
	else
		cJSON_AddTrueToObject(row, is_offline(device->node) || !told ? "is_unknown" : silent ? "is_silent" : "is_ok");
	return row;
}

/* The rules of the node, in its own words, and how they are. */
static void add_rules(const struct view *view, const struct house_node *node, cJSON *to)
{
	cJSON *rules = cJSON_AddArrayToObject(to, "rules");

	for (const struct house_rule *rule = node->rules; rule; rule = rule->next) {
		cJSON *row = cJSON_CreateObject();

		cJSON_AddItemToArray(rules, row);
		cJSON_AddStringToObject(row, "name", rule->name);
		cJSON_AddStringToObject(row, "when", rule->when);
		cJSON_AddStringToObject(row, "then", rule->then);
		if (rule->otherwise[0])
			cJSON_AddStringToObject(row, "otherwise", rule->otherwise);
		if (rule->times[0])
			cJSON_AddStringToObject(row, "times", rule->times);
		if (rule->held_ms > view->now_ms)
			view_time(view, row, "held", rule->held_ms);
		else if (rule->fault || rule->paused)
			cJSON_AddStringToObject(row, "trouble", view_text(view, rule->fault ? "rule_fault" : "rule_paused"));
		else if (rule->known)
			cJSON_AddTrueToObject(row, rule->active ? "is_active" : "is_resting");
		if (rule->since_ms > 0)
			view_time(view, row, "since", rule->since_ms);
	}
	cJSON_AddBoolToObject(to, "has_rules", node->rules != NULL);
}

void view_facts(const struct view *view, const struct house_node *node, cJSON *to)
{
	cJSON *facts = cJSON_AddArrayToObject(to, "facts"), *devices = cJSON_AddArrayToObject(to, "devices");

	if (node->known_status)
		view_time(view,
			  add_fact(view, facts, "fact_status", view_text(view, node->online ? "badge_online" : "badge_offline")),
			  "since", node->status_ms);
	view_time(view, add_fact(view, facts, "fact_seen", node->seen_ms > 0 ? NULL : view_text(view, "never")), "time",
		  node->seen_ms);
	if (node->version[0])
		add_fact(view, facts, "fact_version", node->version);
	if (node->has_health)
		add_health(view, facts, node);
	cJSON_AddBoolToObject(to, "bare", !node->known_status && !node->has_health && !node->version[0]);
	add_rules(view, node, to);
	cJSON_AddBoolToObject(to, "has_devices", node->devices != NULL);
	for (const struct house_device *device = node->devices; device; device = device->next)
		cJSON_AddItemToArray(devices, device_row(view, device));
}
