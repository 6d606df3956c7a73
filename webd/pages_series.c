/* A series through time: the chart, its figures, the notes pinned on its time axis. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "chart_svg.h"
#include "pages_internal.h"
#include "wording.h"

#define NOTES_SPAN_MS (INT64_C(400) * 86400000) /* beside the last readings: as far back */

enum { NOTES_MAX = 200 };

/* A device that has something to draw, for the list of others. */
static const struct house_series *first_to_draw(const struct house_device *device)
{
	for (const struct house_series *series = device->series; series; series = series->next)
		if (series->quantity->kind == QUANTITY_KIND_NUMBER && series->output == HOUSE_SENSOR)
			return series;
	return device->series;
}

static void add_others(const struct pages *pages, const struct house_series *current, cJSON *data)
{
	cJSON *nodes = cJSON_AddArrayToObject(data, "others");
	char path[SERIES_TEXT_MAX + 16];

	for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next) {
		cJSON *group = cJSON_CreateObject(), *devices = cJSON_AddArrayToObject(group, "devices");

		cJSON_AddStringToObject(group, "label", view_node_label(node));
		cJSON_AddItemToArray(nodes, group);
		for (const struct house_device *device = node->devices; device; device = device->next) {
			const struct house_series *series = first_to_draw(device);
			cJSON *link = cJSON_CreateObject();

			cJSON_AddItemToArray(devices, link);
			cJSON_AddStringToObject(link, "label", view_device_label(device));
			cJSON_AddStringToObject(link, "href", series ? view_series_path(&series->name, path) : "/");
			cJSON_AddBoolToObject(link, "current", device == current->device);
		}
	}
}

static void add_chart(struct pages *pages, const struct view *view, const struct house_series *series,
		      const struct view_range *range, cJSON *data)
{
	struct store *store = archive_store(pages->settings.archive);
	int r = view_chart(view, store, series, range, data);

	if (store && r < 0) {
		cJSON_AddStringToObject(data, "store_error", store_error(store));
		archive_failed(pages->settings.archive, r);
	} else if (!store) {
		cJSON_AddStringToObject(data, "store_error", archive_error(pages->settings.archive));
	}
}

/* What a request asks to be drawn. Returns 0, or -EINVAL for a span that is none. */
static int read_range(const struct pages *pages, const struct http_request *request, int64_t now_ms, struct view_range *ret_range)
{
	const char *previous = http_query(request, "prev");
	int r = view_range_parse(http_query(request, "range"), http_query(request, "from"), http_query(request, "to"), now_ms,
				 ret_range);

	view_range_with(pages->settings.house, http_query(request, "with"), ret_range);
	ret_range->previous = previous && strcmp(previous, "1") == 0 && ret_range->to_ms;
	return r;
}

static const struct house_series *series_of(const struct pages *pages, const struct http_request *request)
{
	const char *node = http_param(request, "node"), *device = http_param(request, "device");
	const char *quantity = http_param(request, "quantity");
	struct series name;

	if (node && device && quantity && series_make(node, device, quantity, &name) == 0)
		return house_series(pages->settings.house, &name);
	return NULL;
}

/* What else could be compared with: all numbers and states of the house, by room. */
static void add_comparable(const struct pages *pages, const struct view *view, const struct house_series *current, cJSON *data)
{
	cJSON *rooms = cJSON_AddArrayToObject(data, "comparable");
	char name[SERIES_TEXT_MAX + 1], label[VIEW_LABEL_MAX];

	for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next) {
		cJSON *room = cJSON_CreateObject(), *options = cJSON_AddArrayToObject(room, "options");

		cJSON_AddItemToArray(rooms, room);
		cJSON_AddStringToObject(room, "label", view_node_label(node));
		for (const struct house_device *device = node->devices; device; device = device->next)
			for (const struct house_series *series = device->series; series && device != current->device;
			     series = series->next) {
				cJSON *option;

				if (series->quantity->kind == QUANTITY_KIND_TEXT)
					continue;
				option = cJSON_CreateObject();
				cJSON_AddItemToArray(options, option);
				cJSON_AddStringToObject(option, "series", series_format(&series->name, name));
				cJSON_AddStringToObject(option, "label", view_series_label(view, series, label));
			}
	}
}

/* ---- notes ---------------------------------------------------------------------------------------------------------------------------------- */

struct notes {
	const struct view *view;
	cJSON *list;
	const char *who;
	bool administers;
};

static int add_note(void *context, const struct site_note *note)
{
	const struct notes *notes = context;
	cJSON *item = cJSON_CreateObject();

	cJSON_AddItemToArray(notes->list, item);
	cJSON_AddNumberToObject(item, "id", (double)note->id);
	cJSON_AddNumberToObject(item, "n", cJSON_GetArraySize(notes->list));
	cJSON_AddStringToObject(item, "text", note->text);
	if (note->by[0])
		cJSON_AddStringToObject(item, "by", note->by);
	cJSON_AddBoolToObject(item, "removable", notes->administers || (note->by[0] && strcmp(note->by, notes->who) == 0));
	view_time(notes->view, item, "time", note->time_ms);
	return 0;
}

static void add_notes(const struct pages *pages, const struct visit *visit, const struct house_series *series,
		      const struct view_range *range, cJSON *data)
{
	struct notes notes = { .view = &visit->view,
			       .list = cJSON_AddArrayToObject(data, "notes"),
			       .who = visit->who.name,
			       .administers = visit->who.role == SITE_ADMINISTER };
	int64_t to_ms = range->to_ms ? range->to_ms : visit->view.now_ms + 1;
	char name[SERIES_TEXT_MAX + 1], text[WORDING_MAX];

	series_format(&series->name, name);
	site_each_note(pages->settings.site, name, range->to_ms ? range->from_ms : to_ms - NOTES_SPAN_MS, to_ms, NOTES_MAX,
		       add_note, &notes);
	cJSON_AddBoolToObject(data, "has_notes", cJSON_GetArraySize(notes.list) > 0);
	cJSON_AddStringToObject(data, "series_name", name);
	cJSON_AddStringToObject(data, "now_local", wording_local(visit->view.now_ms, text));
}

/* Back to where the form was, on this site. */
static void go_back(struct http_request *request, const char *otherwise)
{
	const char *back = http_form(request, "back");

	http_redirect(request, back && strlen(back) < 1000 ? back : otherwise);
}

static int parse_note(struct pages *pages, struct http_request *request, struct site_note *ret_note)
{
	const char *series = http_form(request, "series"), *text = http_form(request, "text"), *time = http_form(request, "time");
	struct series name;
	struct value checked;

	if (!series || series_parse(series, strlen(series), &name) < 0 || !house_series(pages->settings.house, &name)) {
		http_error(request, 404, "no such series");
		return -EINVAL;
	}
	if (!text || !text[0] || value_of_text(text, strlen(text), &checked) < 0) {
		http_error(request, 400, "a note is a text of 1 to %d bytes", SITE_TEXT_MAX);
		return -EINVAL;
	}
	if (!time || !time[0])
		ret_note->time_ms = clock_wall_ms();
	else if (wording_parse_local(time, &ret_note->time_ms) < 0) {
		http_error(request, 400, "\"time\" is milliseconds since 1970, or local: 2026-11-24T15:04");
		return -EINVAL;
	}
	snprintf(ret_note->series, sizeof(ret_note->series), "%s", series);
	snprintf(ret_note->text, sizeof(ret_note->text), "%s", text);
	return 0;
}

void pages_add_note(struct pages *pages, struct http_request *request)
{
	struct access_who who = access_who(pages->settings.access, request);
	struct site_note note = { 0 };
	char path[SERIES_TEXT_MAX + 16];

	if (parse_note(pages, request, &note) < 0)
		return;
	snprintf(note.by, sizeof(note.by), "%s", who.name);
	if (site_add_note(pages->settings.site, &note) < 0) {
		http_error(request, 503, "%s", site_error(pages->settings.site));
		return;
	}
	access_note(pages->settings.access, request, who.name, "note_added", note.text);
	snprintf(path, sizeof(path), "/series/%s", note.series);
	go_back(request, path);
}

static int find_note(void *context, const struct site_note *note)
{
	struct site_note *wanted = context;

	if (note->id != wanted->id)
		return 0;
	*wanted = *note;
	return 1;
}

/* One's own, or as administrator anybody's. */
void pages_remove_note(struct pages *pages, struct http_request *request)
{
	struct access_who who = access_who(pages->settings.access, request);
	const char *id = http_form(request, "id"), *series = http_form(request, "series");
	struct site_note note = { .id = id ? strtoll(id, NULL, 10) : 0 };

	if (!series || site_each_note(pages->settings.site, series, INT64_MIN, INT64_MAX, NOTES_MAX * 100, find_note, &note) != 1) {
		http_error(request, 404, "no such note");
		return;
	}
	if (who.role != SITE_ADMINISTER && (!who.name[0] || strcmp(who.name, note.by) != 0)) {
		http_error(request, 403, "only who wrote a note, or an administrator, may remove it");
		return;
	}
	if (site_remove_note(pages->settings.site, note.id) < 0) {
		http_error(request, 503, "%s", site_error(pages->settings.site));
		return;
	}
	access_note(pages->settings.access, request, who.name, "note_removed", note.text);
	go_back(request, "/");
}

/* ---- the page --------------------------------------------------------------------------------------------------------------------------------- */

/* The picture for browsers without script is asked for by them alone. */
static void add_picture(const struct house_series *series, const char *query, cJSON *data)
{
	char name[SERIES_TEXT_MAX + 1], path[1024];

	snprintf(path, sizeof(path), "/chart/%s.svg%s%.800s", series_format(&series->name, name), query ? "?" : "",
		 query ? query : "");
	cJSON_AddStringToObject(data, "chart_picture", path);
}

static void series_page(struct pages *pages, struct http_request *request, const struct house_series *series)
{
	struct visit visit = pages_visit(pages, request);
	const struct view view = visit.view;
	cJSON *data = pages_data(pages, request, &visit);
	const struct house_node *node = series->device->node;
	const char *query = strchr(http_target(request), '?');
	struct view_range range;
	char path[NAME_MAX_LEN * 2 + 16], label[VIEW_LABEL_MAX];
	int r = read_range(pages, request, view.now_ms, &range);

	snprintf(path, sizeof(path), "/node/%.*s", NAME_MAX_LEN, node->name);
	cJSON_AddTrueToObject(data, "is_series");
	cJSON_AddBoolToObject(data, "bad_span", r < 0);
	cJSON_AddStringToObject(data, "node_href", path);
	cJSON_AddStringToObject(data, "node_label", view_node_label(node));
	snprintf(path, sizeof(path), "/device/%.*s/%.*s", NAME_MAX_LEN, node->name, NAME_MAX_LEN, series->device->name);
	cJSON_AddStringToObject(data, "device_href", path);
	cJSON_AddStringToObject(data, "device_label", view_device_label(series->device));
	cJSON_AddItemToObject(data, "live",
			      series->output == HOUSE_SENSOR ? view_tile(&view, series) : view_control(&view, series));
	cJSON_AddBoolToObject(data, "is_control", series->output != HOUSE_SENSOR);
	cJSON_AddStringToObject(data, "series_label", view_series_label(&view, series, label));
	cJSON_AddStringToObject(data, "back_here", http_target(request));
	pages_add_file(pages, data, "chart_script", "/javascript/chart.min.js");
	pages_add_file(pages, data, "series_script", "/static/series.js");
	add_picture(series, query ? query + 1 : NULL, data);
	add_others(pages, series, data);
	add_comparable(pages, &view, series, data);
	add_chart(pages, &view, series, &range, data);
	add_notes(pages, &visit, series, &range, data);
	pages_reply(pages, request, r < 0 ? 400 : 200, "series", data);
}

void pages_series(struct pages *pages, struct http_request *request)
{
	const struct house_series *series = series_of(pages, request);

	if (!series)
		http_error(request, 404, "no such series");
	else if (!reader_choose(request))
		series_page(pages, request, series);
}

/* The last word of the path ends in ".svg". */
void pages_chart_picture(struct pages *pages, struct http_request *request)
{
	const char *rest = http_param(request, "*");
	size_t len = rest ? strlen(rest) : 0;
	struct visit visit = pages_visit(pages, request);
	struct store *store = archive_store(pages->settings.archive);
	const struct house_series *series;
	struct buffer picture = BUFFER_EMPTY;
	struct view_range range;
	struct series name;
	int r;

	series = len > 4 && strcmp(rest + len - 4, ".svg") == 0 && series_parse(rest, len - 4, &name) == 0
			 ? house_series(pages->settings.house, &name)
			 : NULL;
	if (!series) {
		http_error(request, 404, "no such series");
		return;
	}
	if (!store) {
		http_error(request, 503, "%s", archive_error(pages->settings.archive));
		return;
	}
	read_range(pages, request, visit.view.now_ms, &range);
	r = chart_svg(&visit.view, store, series, &range, visit.reader.theme == THEME_DARK, &picture);
	if (r < 0) {
		buffer_done(&picture);
		archive_failed(pages->settings.archive, r);
		http_error(request, 503, "%s", archive_error(pages->settings.archive));
		return;
	}
	http_reply_tagged(request, "image/svg+xml", &picture);
}
