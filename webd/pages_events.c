/* The log of the house: who did what, when, and what became of it. */
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "pages_internal.h"
#include "wording.h"

enum {
	ANSWER_MS = 10000, /* a command is obeyed within, or lapses */
	DEVICE_EVENTS = 20,
};

static const char *text_of(const cJSON *event, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, key));

	return text ? text : "";
}

static int64_t time_of(const cJSON *event)
{
	return (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(event, "time"));
}

static void add_result(cJSON *row, const char *level, const char *icon, const char *text)
{
	cJSON *result = cJSON_AddObjectToObject(row, "result");

	cJSON_AddStringToObject(result, "level", level);
	if (icon)
		cJSON_AddStringToObject(result, "icon", icon);
	cJSON_AddStringToObject(result, "text", text);
}

static void add_by(cJSON *row, const cJSON *event)
{
	if (text_of(event, "by")[0])
		cJSON_AddStringToObject(row, "by", text_of(event, "by"));
}

static const struct house_series *series_of(const struct pages *pages, const cJSON *event, struct series *ret_name)
{
	const char *text = text_of(event, "series");

	return series_parse(text, strlen(text), ret_name) == 0 ? house_series(pages->settings.house, ret_name) : NULL;
}

/* "21,5 °C", "Allumé", the text itself in quotes. */
static void word_value(const struct view *view, const struct quantity_info *info, const cJSON *item, char *buf, size_t size)
{
	char text[VALUE_TEXT_MAX + 1];
	struct value value;

	if (cJSON_IsNumber(item)) {
		value = value_of_number(item->valuedouble);
		wording_value(view->language, info, &value, text);
		snprintf(buf, size, "%s%s%s", text, info->unit[0] && info->kind == QUANTITY_KIND_NUMBER ? "\xc2\xa0" : "",
			 info->kind == QUANTITY_KIND_NUMBER ? info->unit : "");
		return;
	}
	strings_fill(view_text(view, "quoted"),
		     (const struct strings_word[]){ { "text", cJSON_IsString(item) ? item->valuestring : "" }, { 0 } }, buf, size);
}

/* ---- kinds ------------------------------------------------------------------------------------------------------------------------------------- */

static void add_command_result(const struct view *view, cJSON *row, const cJSON *event)
{
	const cJSON *latency = cJSON_GetObjectItemCaseSensitive(event, "latency_ms");
	const char *result = text_of(event, "result"), *error = text_of(event, "error");
	char text[COMMAND_ERROR_MAX + 64];

	if (strcmp(result, "ok") == 0) {
		add_result(row, "ok", "check", view_text(view, "log_ok"));
		if (cJSON_IsNumber(latency)) {
			snprintf(text, sizeof(text), "%.0f", latency->valuedouble);
			cJSON_AddStringToObject(cJSON_GetObjectItemCaseSensitive(row, "result"), "ms", text);
		}
	} else if (strcmp(result, "refused") == 0) {
		strings_fill(view_text(view, "ui_refused"), (const struct strings_word[]){ { "reason", error }, { 0 } }, text,
			     sizeof(text));
		add_result(row, "danger", "x", error[0] ? text : view_text(view, "log_refused"));
	} else if (view->now_ms - time_of(event) < ANSWER_MS) {
		add_result(row, "", "clock", view_text(view, "ui_waiting"));
	} else {
		add_result(row, "danger", "x", view_text(view, "log_no_answer"));
	}
}

static void add_command(const struct pages *pages, const struct view *view, cJSON *row, const cJSON *event)
{
	const cJSON *wish = cJSON_GetObjectItemCaseSensitive(event, "value");
	char label[VIEW_LABEL_MAX], value[VALUE_TEXT_MAX + 32], title[VALUE_TEXT_MAX + VIEW_LABEL_MAX + 64];
	struct series name;
	const struct house_series *series = series_of(pages, event, &name);
	const char *icon = series && series->icon[0] ? series->icon : series ? series->device->icon : NULL;

	word_value(view, quantity_info_of(series ? name.quantity : ""), wish, value, sizeof(value));
	strings_fill(view_text(view, "log_command"),
		     (const struct strings_word[]){
			     { "what", series ? view_series_label(view, series, label) : text_of(event, "series") },
			     { "value", value },
			     { 0 } },
		     title, sizeof(title));
	cJSON_AddStringToObject(row, "title", title);
	cJSON_AddStringToObject(row, "icon", view_icon(view, icon, series ? series->quantity->icon : NULL, "plug"));
	cJSON_AddStringToObject(row, "path", text_of(event, "series"));
	add_by(row, event);
	add_command_result(view, row, event);
}

static void add_node(const struct pages *pages, const struct view *view, cJSON *row, const cJSON *event)
{
	bool online = strcmp(text_of(event, "status"), "online") == 0;
	const struct house_node *node = house_node(pages->settings.house, text_of(event, "node"));

	view_fill(view, row, "title", online ? "log_online" : "log_offline",
		  (const struct strings_word[]){ { "node", node ? view_node_label(node) : text_of(event, "node") }, { 0 } });
	cJSON_AddStringToObject(row, "icon", online ? "check" : "offline");
	cJSON_AddStringToObject(row, "level", online ? "ok" : "danger");
	cJSON_AddStringToObject(row, "path", text_of(event, "node"));
	add_result(row, online ? "ok" : "danger", NULL, view_text(view, online ? "badge_online" : "badge_offline"));
}

static void add_badge(const struct pages *pages, const struct view *view, cJSON *row, const cJSON *event)
{
	char label[VIEW_LABEL_MAX];
	struct series name;
	const struct house_series *series = series_of(pages, event, &name);

	view_fill(view, row, "title", "log_badge", (const struct strings_word[]){ { "badge", text_of(event, "value") }, { 0 } });
	cJSON_AddStringToObject(row, "icon", "badge");
	cJSON_AddStringToObject(row, "path", text_of(event, "series"));
	add_result(row, "", NULL, series ? view_series_label(view, series, label) : text_of(event, "node"));
}

static void add_change(const struct view *view, cJSON *row, const cJSON *event)
{
	static const char *const known[] = { "login",         "login_failed",    "logout",           "user_added",
					     "user_removed",  "role_changed",    "password_changed", "token_added",
					     "token_removed", "setting_changed", "note_added",       "note_removed" };
	const char *what = text_of(event, "what"), *key = "log_change";
	char word[40];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(what, known[i]) == 0) {
			snprintf(word, sizeof(word), "log_%s", what);
			key = word;
		}
	view_fill(view, row, "title", key, (const struct strings_word[]){ { "what", text_of(event, "text") }, { 0 } });
	cJSON_AddStringToObject(row, "icon", "user");
	if (strcmp(what, "login_failed") == 0)
		cJSON_AddStringToObject(row, "level", "warn");
	add_by(row, event);
	add_result(row, "", NULL, text_of(event, "address"));
}

/* ---- rows -------------------------------------------------------------------------------------------------------------------------------------- */

static cJSON *row_of(const struct pages *pages, const struct view *view, const cJSON *event)
{
	const char *kind = text_of(event, "kind");
	cJSON *row = cJSON_CreateObject();
	char moment[WORDING_MAX];

	wording_full(view->strings, view->language, time_of(event), moment);
	view_time(view, row, "time", time_of(event));
	/* "24 nov. 2026 14:05:09": the day stands above. */
	cJSON_AddStringToObject(row, "clock", strlen(moment) > 8 ? moment + strlen(moment) - 8 : moment);
	cJSON_AddStringToObject(row, "kind", kind);
	if (strcmp(kind, "command") == 0)
		add_command(pages, view, row, event);
	else if (strcmp(kind, "node") == 0)
		add_node(pages, view, row, event);
	else if (strcmp(kind, "badge") == 0)
		add_badge(pages, view, row, event);
	else
		add_change(view, row, event);
	return row;
}

static void add_rows(const struct pages *pages, const struct view *view, const cJSON *events, cJSON *data)
{
	cJSON *days = cJSON_AddArrayToObject(data, "days"), *rows = NULL;
	char day[WORDING_MAX], last[WORDING_MAX] = "", today[WORDING_MAX], yesterday[WORDING_MAX];
	const cJSON *event;

	wording_day(view->strings, view->language, view->now_ms, today);
	wording_day(view->strings, view->language, view->now_ms - 86400000, yesterday);
	cJSON_ArrayForEach(event, events)
	{
		wording_day(view->strings, view->language, time_of(event), day);
		if (!rows || strcmp(day, last) != 0) {
			cJSON *item = cJSON_CreateObject();

			cJSON_AddItemToArray(days, item);
			cJSON_AddStringToObject(item, "day",
						strcmp(day, today) == 0       ? view_text(view, "today")
						: strcmp(day, yesterday) == 0 ? view_text(view, "yesterday")
									      : day);
			rows = cJSON_AddArrayToObject(item, "rows");
			strcpy(last, day);
		}
		cJSON_AddItemToArray(rows, row_of(pages, view, event));
	}
}

/* ---- filters ----------------------------------------------------------------------------------------------------------------------------------- */

static void add_filters(const struct pages *pages, const struct visit *visit, const struct events_query *query, cJSON *data)
{
	static const char *const keys[] = { "log_all", "log_commands", "log_failures", "log_access", "log_nodes", "log_changes" };
	cJSON *filters = cJSON_AddArrayToObject(data, "filters"), *nodes = cJSON_AddArrayToObject(data, "nodes");
	char href[128];

	for (int kind = EVENTS_ALL; kind <= (query->changes ? EVENTS_CHANGES : EVENTS_NODES); kind++) {
		cJSON *item = cJSON_CreateObject();

		snprintf(href, sizeof(href), "?kind=%s%s%s", events_kind_word((enum events_kind)kind),
			 query->node[0] ? "&node=" : "", query->node);
		cJSON_AddItemToArray(filters, item);
		cJSON_AddStringToObject(item, "href", href);
		cJSON_AddStringToObject(item, "text", view_text(&visit->view, keys[kind]));
		cJSON_AddBoolToObject(item, "current", kind == (int)query->kind);
	}
	for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddItemToArray(nodes, item);
		cJSON_AddStringToObject(item, "name", node->name);
		cJSON_AddStringToObject(item, "label", view_node_label(node));
		cJSON_AddBoolToObject(item, "current", strcmp(node->name, query->node) == 0);
	}
	cJSON_AddStringToObject(data, "kind", events_kind_word(query->kind));
	snprintf(href, sizeof(href), "/api/v1/events.csv?limit=%d&kind=%s%s%s", EVENTS_MAX, events_kind_word(query->kind),
		 query->node[0] ? "&node=" : "", query->node);
	cJSON_AddStringToObject(data, "csv", href);
}

static void add_older(const struct events_query *query, const cJSON *events, cJSON *data)
{
	const cJSON *last = cJSON_GetArrayItem(events, cJSON_GetArraySize(events) - 1);
	char href[160];

	if (!last)
		return;
	snprintf(href, sizeof(href), "?kind=%s%s%s&before=%lld", events_kind_word(query->kind), query->node[0] ? "&node=" : "",
		 query->node, (long long)time_of(last));
	cJSON_AddStringToObject(data, "older", href);
}

void pages_events(struct pages *pages, struct http_request *request)
{
	struct visit visit = pages_visit(pages, request);
	struct archive *archive = pages->settings.archive;
	struct store *store = archive_store(archive);
	bool changes = visit.who.role == SITE_ADMINISTER, more = false;
	struct events_query query;
	cJSON *data, *events = NULL;
	char reason[128];
	int r;

	if (reader_choose(request))
		return;
	if (events_parse(request, changes, &query, reason, sizeof(reason)) < 0) {
		http_error(request, 400, "%s", reason);
		return;
	}
	data = pages_data(pages, request, &visit);
	cJSON_AddTrueToObject(data, "is_events");
	cJSON_AddStringToObject(data, "headline", view_text(&visit.view, "log"));
	add_filters(pages, &visit, &query, data);
	r = events_collect(store, pages->settings.site, &query, &events, &more);
	if (!store || r < 0)
		cJSON_AddStringToObject(data, "store_error", store ? store_error(store) : archive_error(archive));
	if (store && r < 0)
		archive_failed(archive, r);
	add_rows(pages, &visit.view, events, data);
	cJSON_AddBoolToObject(data, "nothing", cJSON_GetArraySize(events) == 0);
	cJSON_AddBoolToObject(data, "is_newest", query.before_ms == INT64_MAX);
	if (more)
		add_older(&query, events, data);
	cJSON_Delete(events);
	pages_reply(pages, request, 200, "events", data);
}

void pages_device_log(struct pages *pages, const struct visit *visit, const struct house_device *device, cJSON *data)
{
	struct events_query query = { .before_ms = INT64_MAX, .limit = DEVICE_EVENTS };
	struct archive *archive = pages->settings.archive;
	struct store *store = archive_store(archive);
	cJSON *events = NULL;
	bool more;
	int r;

	if (!store)
		return;
	strcpy(query.node, device->node->name);
	strcpy(query.device, device->name);
	r = events_collect(store, pages->settings.site, &query, &events, &more);
	if (r < 0)
		archive_failed(archive, r);
	add_rows(pages, &visit->view, events, data);
	cJSON_AddBoolToObject(data, "has_log", cJSON_GetArraySize(events) > 0);
	cJSON_Delete(events);
}
