#include "events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/wire.h"
#include "csv.h"

enum { BLOCK = 200 }; /* read at once from the store, when what is asked for is sifted out of it */

static const char *const kind_words[] = { "", "commands", "failures", "access", "nodes", "changes" };

const char *events_kind_word(enum events_kind kind)
{
	return kind_words[kind];
}

/* ---- the question -------------------------------------------------------------------------------------------------------------------------- */

static int parse_number(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < min || number > max)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int events_parse(const struct http_request *request, bool changes, struct events_query *ret_query, char *reason, size_t size)
{
	const char *kind = http_query(request, "kind"), *before = http_query(request, "before");
	const char *node = http_query(request, "node"), *limit = http_query(request, "limit");
	struct events_query query = { .before_ms = INT64_MAX, .limit = EVENTS_PAGE, .changes = changes };
	int64_t number;
	size_t i = 0;

	while (kind && i < sizeof(kind_words) / sizeof(kind_words[0]) && strcmp(kind, kind_words[i]) != 0)
		i++;
	if (i == sizeof(kind_words) / sizeof(kind_words[0])) {
		snprintf(reason, size, "\"kind\" is commands, failures, access, nodes or changes");
		return -EINVAL;
	}
	query.kind = (enum events_kind)i;
	if (before && before[0] && parse_number(before, 0, INT64_MAX, &query.before_ms) < 0) {
		snprintf(reason, size, "\"before\" is a time in milliseconds since 1970");
		return -EINVAL;
	}
	if (limit) {
		if (parse_number(limit, 1, EVENTS_MAX, &number) < 0) {
			snprintf(reason, size, "\"limit\" is a number from 1 to %d", EVENTS_MAX);
			return -EINVAL;
		}
		query.limit = (size_t)number;
	}
	if (node && node[0]) {
		if (!series_name_valid(node, strlen(node))) {
			snprintf(reason, size, "\"node\" is a node's name");
			return -EINVAL;
		}
		snprintf(query.node, sizeof(query.node), "%s", node);
	}
	*ret_query = query;
	return 0;
}

/* ---- from the store ------------------------------------------------------------------------------------------------------------------------ */

struct gathering {
	const struct events_query *query;
	cJSON *list;
	size_t count;
	int64_t last_ms; /* of the newest `count` */
	bool full;       /* an older one was left out */
	size_t seen;     /* of this block, whether wanted or not */
	int64_t seen_ms;
};

/* Whether it is one too many: those of one moment stay together. */
static bool is_full(struct gathering *gathering, int64_t time_ms)
{
	if (gathering->count >= gathering->query->limit && time_ms != gathering->last_ms)
		gathering->full = true;
	return gathering->full;
}

static void take(struct gathering *gathering, cJSON *event, int64_t time_ms)
{
	cJSON_AddItemToArray(gathering->list, event);
	gathering->count++;
	gathering->last_ms = time_ms;
}

static void add_value(cJSON *to, const char *name, const struct value *value)
{
	if (value->kind == VALUE_TEXT)
		cJSON_AddStringToObject(to, name, value->text);
	else
		cJSON_AddNumberToObject(to, name, value->number);
}

static void add_command(cJSON *json, const struct store_event *event)
{
	static const char *const results[] = { "none", "ok", "refused" };

	add_value(json, "value", &event->value);
	if (event->by[0])
		cJSON_AddStringToObject(json, "by", event->by);
	if (event->command_id[0])
		cJSON_AddStringToObject(json, "id", event->command_id);
	cJSON_AddStringToObject(json, "result", results[event->result]);
	if (event->has_result_value)
		add_value(json, "result_value", &event->result_value);
	if (event->error[0])
		cJSON_AddStringToObject(json, "error", event->error);
	if (event->latency_ms >= 0)
		cJSON_AddNumberToObject(json, "latency_ms", (double)event->latency_ms);
}

static cJSON *json_of(const struct store_event *event)
{
	static const char *const kinds[] = { "command", "node", "badge" };
	cJSON *json = cJSON_CreateObject();
	char series[SERIES_TEXT_MAX + 1];

	cJSON_AddNumberToObject(json, "time", (double)event->time_ms);
	cJSON_AddStringToObject(json, "kind", kinds[event->kind]);
	cJSON_AddStringToObject(json, "node", event->series.node);
	if (event->kind != STORE_EVENT_NODE)
		cJSON_AddStringToObject(json, "series", series_format(&event->series, series));
	switch (event->kind) {
	case STORE_EVENT_COMMAND:
		add_command(json, event);
		break;
	case STORE_EVENT_NODE:
		cJSON_AddStringToObject(json, "status", event->value.number != 0 ? "online" : "offline");
		break;
	case STORE_EVENT_BADGE:
		add_value(json, "value", &event->value);
		break;
	}
	return json;
}

static int on_event(void *context, const struct store_event *event)
{
	struct gathering *gathering = context;

	gathering->seen++;
	gathering->seen_ms = event->time_ms;
	if (gathering->query->kind == EVENTS_FAILURES && event->result == STORE_RESULT_OK)
		return 0;
	if (is_full(gathering, event->time_ms))
		return 1;
	take(gathering, json_of(event), event->time_ms);
	return 0;
}

static unsigned kinds_of(enum events_kind kind)
{
	switch (kind) {
	case EVENTS_COMMANDS:
	case EVENTS_FAILURES:
		return 1U << STORE_EVENT_COMMAND;
	case EVENTS_ACCESS:
		return 1U << STORE_EVENT_BADGE;
	case EVENTS_NODES:
		return 1U << STORE_EVENT_NODE;
	case EVENTS_ALL:
	case EVENTS_CHANGES:
		break;
	}
	return 0;
}

static int gather_store(struct store *store, struct gathering *gathering)
{
	const struct events_query *query = gathering->query;
	struct store_event_query wanted = { .before_ms = query->before_ms,
					    .node = query->node[0] ? query->node : NULL,
					    .device = query->device[0] ? query->device : NULL,
					    .kinds = kinds_of(query->kind),
					    .limit = query->limit + BLOCK };
	int r;

	if (query->kind == EVENTS_CHANGES)
		return 0;
	do {
		gathering->seen = 0;
		r = store_each_event(store, &wanted, on_event, gathering);
		/* Of the failures a block may hold few: on to the next, from the moment that this one ended with. */
		if (wanted.before_ms == gathering->seen_ms)
			break;
		wanted.before_ms = gathering->seen_ms;
	} while (r == 0 && gathering->seen == wanted.limit && gathering->count < query->limit);
	return r > 0 ? 0 : r;
}

/* ---- from webd's own file --------------------------------------------------------------------------------------------------------------------- */

static int on_change(void *context, const struct site_event *event)
{
	struct gathering *gathering = context;
	cJSON *json;

	if (is_full(gathering, event->time_ms))
		return 1;
	json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "time", (double)event->time_ms);
	cJSON_AddStringToObject(json, "kind", "change");
	cJSON_AddStringToObject(json, "what", event->what);
	if (event->who[0])
		cJSON_AddStringToObject(json, "by", event->who);
	if (event->text[0])
		cJSON_AddStringToObject(json, "text", event->text);
	if (event->address[0])
		cJSON_AddStringToObject(json, "address", event->address);
	take(gathering, json, event->time_ms);
	return 0;
}

static int gather_site(struct site *site, struct gathering *gathering)
{
	const struct events_query *query = gathering->query;
	int r;

	if (!query->changes || query->node[0] || (query->kind != EVENTS_ALL && query->kind != EVENTS_CHANGES))
		return 0;
	r = site_each_event(site, query->before_ms, query->limit + BLOCK, on_change, gathering);
	return r > 0 ? 0 : r;
}

/* ---- both ------------------------------------------------------------------------------------------------------------------------------------- */

static int64_t time_of(const cJSON *event)
{
	return (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(event, "time"));
}

/* Two lists, newest first, into one of at most `limit` (and those of the last one's moment). */
static void merge(struct gathering *one, struct gathering *two, size_t limit, struct gathering *ret_both)
{
	*ret_both = (struct gathering){ .list = cJSON_CreateArray(), .full = one->full || two->full };
	while (one->list->child || two->list->child) {
		cJSON *a = one->list->child, *b = two->list->child;
		struct gathering *from = !b || (a && time_of(a) >= time_of(b)) ? one : two;
		int64_t time_ms = time_of(from->list->child);

		if (ret_both->count >= limit && time_ms != ret_both->last_ms) {
			ret_both->full = true;
			break;
		}
		take(ret_both, cJSON_DetachItemFromArray(from->list, 0), time_ms);
	}
}

int events_collect(struct store *store, struct site *site, const struct events_query *query, cJSON **ret_events, bool *ret_more)
{
	struct gathering stored = { .query = query, .list = cJSON_CreateArray() };
	struct gathering own = { .query = query, .list = cJSON_CreateArray() };
	struct gathering both;
	int r = store ? gather_store(store, &stored) : 0;

	if (r >= 0)
		r = gather_site(site, &own);
	if (r >= 0) {
		merge(&stored, &own, query->limit, &both);
		*ret_events = both.list;
		*ret_more = both.full;
	}
	cJSON_Delete(stored.list);
	cJSON_Delete(own.list);
	return r;
}

/* ---- HTTP ------------------------------------------------------------------------------------------------------------------------------------- */

/* The events that a request asks for, or NULL: it has been answered. */
static cJSON *asked(struct archive *archive, struct site *site, struct http_request *request, bool changes, bool *ret_more)
{
	struct store *store = archive_store(archive);
	struct events_query query;
	char reason[128];
	cJSON *events = NULL;
	int r;

	if (events_parse(request, changes, &query, reason, sizeof(reason)) < 0) {
		http_error(request, 400, "%s", reason);
		return NULL;
	}
	if (!store) {
		http_error(request, 503, "%s", archive_error(archive));
		return NULL;
	}
	r = events_collect(store, site, &query, &events, ret_more);
	if (r < 0) {
		http_error(request, 503, "%s", store_error(store));
		archive_failed(archive, r);
		return NULL;
	}
	return events;
}

void events_json(struct archive *archive, struct site *site, struct http_request *request, bool changes)
{
	bool more;
	cJSON *events = asked(archive, site, request, changes, &more), *body;
	const cJSON *last;
	char *text;

	if (!events)
		return;
	body = cJSON_CreateObject();
	last = cJSON_GetArrayItem(events, cJSON_GetArraySize(events) - 1);
	if (more && last)
		cJSON_AddNumberToObject(body, "before", (double)time_of(last)); /* for the next page */
	cJSON_AddItemToObject(body, "events", events);
	text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	http_reply(request, text ? 200 : 503, "application/json", text ? text : "{}", text ? strlen(text) : 2);
	cJSON_free(text);
}

static void add_cell(struct buffer *out, const cJSON *event, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);
	char number[32];

	buffer_add_char(out, ',');
	if (cJSON_IsString(item))
		csv_add_text(out, item->valuestring);
	else if (cJSON_IsNumber(item)) {
		value_format_number(item->valuedouble, number);
		buffer_add_text(out, number);
	}
}

void events_csv(struct archive *archive, struct site *site, struct http_request *request, bool changes)
{
	static const char *const keys[] = { "kind",   "node",         "series", "what",       "status", "value", "by",
					    "result", "result_value", "error",  "latency_ms", "text",   "id",    "address" };
	struct buffer out = BUFFER_EMPTY;
	const cJSON *event;
	char time[40];
	bool more;
	cJSON *events = asked(archive, site, request, changes, &more);

	if (!events)
		return;
	buffer_add_text(&out, "time");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		buffer_printf(&out, ",%s", keys[i]);
	buffer_add_text(&out, "\r\n");
	cJSON_ArrayForEach(event, events)
	{
		buffer_add_text(&out, wire_format_time(time_of(event), time));
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			add_cell(&out, event, keys[i]);
		buffer_add_text(&out, "\r\n");
	}
	cJSON_Delete(events);
	http_add_header(request, "Content-Disposition", "attachment; filename=\"foyer-events.csv\"");
	http_reply_buffer(request, 200, "text/csv; charset=utf-8", &out);
}
