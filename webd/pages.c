#include "pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log.h"
#include "pages_internal.h"
#include "wording.h"

int pages_open(const struct pages_settings *settings, struct pages **ret_pages)
{
	struct pages *pages = calloc(1, sizeof(*pages));
	char path[4096];
	int r = pages ? 0 : -ENOMEM;

	if (r == 0) {
		pages->settings = *settings;
		snprintf(path, sizeof(path), "%s/strings", settings->web_dir);
		r = strings_open(path, &pages->strings);
	}
	if (r == 0) {
		snprintf(path, sizeof(path), "%s/templates", settings->web_dir);
		r = templates_open(path, &pages->templates);
		if (r < 0)
			log_error("%s: %s", path, strerror(-r));
	}
	if (r == 0) {
		snprintf(path, sizeof(path), "%s/templates/icons.mustache", settings->web_dir);
		r = icons_open(path, &pages->icons);
		if (r < 0)
			log_error("%s: %s", path, strerror(-r));
	}
	if (r < 0) {
		pages_close(pages);
		return r;
	}
	*ret_pages = pages;
	return 0;
}

void pages_close(struct pages *pages)
{
	if (!pages)
		return;
	pages_cache_done(&pages->cache);
	icons_close(pages->icons);
	templates_close(pages->templates);
	strings_close(pages->strings);
	free(pages);
}

/* ---- the overview --------------------------------------------------------------------------------------------------------------- */

static void add_empty(const struct pages *pages, cJSON *data)
{
	const char *broker = pages->settings.broker;
	const char *colon = strrchr(broker, ':');
	char text[512];

	/* The port only where it is not the usual one. */
	if (colon && !strcmp(colon, ":1883"))
		snprintf(text, sizeof(text), "mosquitto_pub -h %.*s -t %s/salon/bme280/temperature -m 24", (int)(colon - broker),
			 broker, pages->settings.base);
	else if (colon)
		snprintf(text, sizeof(text), "mosquitto_pub -h %.*s -p %s -t %s/salon/bme280/temperature -m 24",
			 (int)(colon - broker), broker, colon + 1, pages->settings.base);
	else
		snprintf(text, sizeof(text), "mosquitto_pub -h %s -t %s/salon/bme280/temperature -m 24", broker,
			 pages->settings.base);
	/* A broker known by its loopback address may not listen to anybody else: the line shall work as it stands. */
	cJSON_AddBoolToObject(data, "is_local",
			      !strncmp(broker, "127.", 4) || !strncmp(broker, "localhost", 9) || strstr(broker, "::1"));
	cJSON_AddTrueToObject(data, "is_empty");
	cJSON_AddStringToObject(data, "try_this", text);
	cJSON_AddStringToObject(data, "base", pages->settings.base);
}

static int by_rank(const void *a, const void *b)
{
	const struct house_node *one = *(const struct house_node *const *)a, *two = *(const struct house_node *const *)b;

	return one->rank != two->rank ? (one->rank < two->rank ? -1 : 1) : strcmp(one->name, two->name);
}

/* About how high a room's panel is, in pixels of a wide screen: three tiles in a row, switches in one, sliders and texts in two. */
static int height_of(const cJSON *panel)
{
	int tiles = cJSON_GetArraySize(cJSON_GetObjectItem(panel, "tiles")), height = 110 + (tiles + 2) / 3 * 156;
	const cJSON *control;

	cJSON_ArrayForEach(control, cJSON_GetObjectItem(panel, "controls"))
	{
		height += cJSON_HasObjectItem(control, "is_range") || cJSON_HasObjectItem(control, "is_text") ? 102 : 65;
	}
	return height + (cJSON_HasObjectItem(panel, "offline") ? 100 : 0);
}

/* The rooms in the household's order. On a wide screen they stand in two columns: each goes where there is more room. */
static void add_rooms(const struct pages *pages, const struct view *view, cJSON *data)
{
	cJSON *panels = cJSON_AddArrayToObject(data, "panels"), *chips = cJSON_AddArrayToObject(data, "chips");
	const struct house_node **list;
	size_t count = 0, i = 0;
	int left = 0, right = 0;

	for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return;
	for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next)
		list[i++] = node;
	qsort(list, count, sizeof(*list), by_rank);
	for (i = 0; i < count; i++) {
		cJSON *panel = view_panel(view, list[i]);
		bool at_right = right < left;

		*(at_right ? &right : &left) += height_of(panel);
		cJSON_AddBoolToObject(panel, "at_right", at_right);
		cJSON_AddItemToArray(panels, panel);
		cJSON_AddItemToArray(chips, view_chip(view, list[i]));
	}
	free(list);
}

/* What the household touches most: a control again, its twin stands in its room. */
static void add_pinned(const struct pages *pages, const struct view *view, cJSON *data)
{
	cJSON *pinned = cJSON_AddArrayToObject(data, "pinned");

	for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next)
		for (const struct house_device *device = node->devices; device; device = device->next)
			for (const struct house_series *series = device->series; series; series = series->next)
				if (series->pinned && (series->output == HOUSE_SWITCH || series->output == HOUSE_BUTTON)) {
					cJSON *control = view_control(view, series);

					cJSON_AddStringToObject(control, "twin", "pin");
					cJSON_AddItemToArray(pinned, control);
				}
	cJSON_AddBoolToObject(data, "has_pinned", cJSON_GetArraySize(pinned) > 0);
}

static void add_cameras(const struct pages *pages, const struct view *view, cJSON *data)
{
	const struct camera *camera = pages->settings.cameras ? cameras_first(pages->settings.cameras) : NULL;
	cJSON *list = camera ? cJSON_AddArrayToObject(data, "cameras") : NULL;

	for (; camera; camera = camera_next(camera))
		cJSON_AddItemToArray(list, pages_camera(pages, view, camera));
}

static cJSON *overview_data(const struct pages *pages, struct http_request *request, const struct visit *visit)
{
	cJSON *data = pages_data(pages, request, visit);
	const struct view *view = &visit->view;
	const struct house *house = pages->settings.house;
	char text[WORDING_MAX];

	cJSON_AddTrueToObject(data, "is_overview");
	if (!house_nodes(house)) {
		add_empty(pages, data);
		return data;
	}
	cJSON_AddStringToObject(data, "today", wording_day(pages->strings, view->language, view->now_ms, text));
	view_attention(view, house, data);
	add_cameras(pages, view, data);
	add_pinned(pages, view, data);
	add_rooms(pages, view, data);
	return data;
}

void pages_overview(struct pages *pages, struct http_request *request)
{
	struct visit visit;
	struct pages_cached *cached;
	uint64_t revision;
	bool broker_up;

	if (reader_choose(request))
		return;
	visit = pages_visit(pages, request);
	if (visit.view.outcome) {
		pages_reply(pages, request, 200, "overview", overview_data(pages, request, &visit));
		return;
	}
	broker_up = visit.view.broker_up;
	cached = pages_cache_of(&pages->cache, ((unsigned)visit.reader.language * THEME_COUNT + visit.reader.theme) * PAGES_ROLES +
						       (unsigned)visit.who.role);
	revision = house_revision(pages->settings.house);
	if (!pages_cached_fits(cached, revision, visit.view.now_ms / 1000, broker_up)) {
		buffer_clear(&cached->html);
		buffer_clear(&cached->gzip);
		cached->revision = revision;
		cached->second = visit.view.now_ms / 1000;
		cached->broker_up = broker_up;
		if (pages_render(pages, "overview", overview_data(pages, request, &visit), &cached->html) < 0) {
			buffer_clear(&cached->html);
			pages_broken(request);
			return;
		}
	}
	pages_cached_reply(cached, request);
}

/* ---- a node, an error ------------------------------------------------------------------------------------------------------------ */

void pages_node(struct pages *pages, struct http_request *request)
{
	const char *name = http_param(request, "node");
	const struct house_node *node = name ? house_node(pages->settings.house, name) : NULL;
	struct visit visit;
	cJSON *data;

	if (!node) {
		http_error(request, 404, "no such node");
		return;
	}
	if (reader_choose(request))
		return;
	visit = pages_visit(pages, request);
	data = pages_data(pages, request, &visit);
	cJSON_AddTrueToObject(data, "is_node");
	cJSON_AddStringToObject(data, "headline", view_node_label(node));
	cJSON_AddItemToObject(data, "panel", view_panel(&visit.view, node));
	view_facts(&visit.view, node, data);
	pages_reply(pages, request, 200, "node", data);
}

int pages_error(struct pages *pages, struct http_request *request, unsigned status, const char *text, struct buffer *out)
{
	static const unsigned named[] = { 400, 403, 404, 405, 413, 429, 500, 503 };
	struct visit visit = pages_visit(pages, request);
	const struct view *view = &visit.view;
	cJSON *data = pages_data(pages, request, &visit);
	const char *key = "error_other";
	char word[16];

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i] == status) {
			snprintf(word, sizeof(word), "error_%u", status);
			key = word;
		}
	cJSON_AddStringToObject(data, "headline", view_text(view, key));
	cJSON_AddNumberToObject(data, "status", status);
	cJSON_AddBoolToObject(data, "not_found", status == 404);
	cJSON_AddStringToObject(data, "reason", text);
	return pages_render(pages, "error", data, out);
}
