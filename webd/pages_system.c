/* How the system itself is: broker, collector, store, site, nodes, and what was refused. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "../common/service.h"
#include "../common/written.h"
#include "pages_internal.h"
#include "wording.h"

enum { REJECTED_ROWS = 50, DISK_FULL = 90 };

static const char *bytes_text(const struct view *view, double bytes, char *buf, size_t size)
{
	static const char *const fr[] = { "o", "ko", "Mo", "Go", "To" }, *const en[] = { "B", "kB", "MB", "GB", "TB" };
	char number[WORDING_MAX];
	size_t unit = 0;

	while (bytes >= 999.5 && unit < 4) {
		bytes /= 1000;
		unit++;
	}
	wording_number(view->language, bytes, unit && bytes < 99.5 ? 1 : 0, number);
	snprintf(buf, size, "%.80s\xc2\xa0%s", number, (view->language == LANGUAGE_FR ? fr : en)[unit]);
	return buf;
}

static void add_line(const struct view *view, cJSON *card, const char *key, const char *text)
{
	cJSON *lines = cJSON_GetObjectItemCaseSensitive(card, "lines"), *line = cJSON_CreateObject();

	if (!lines)
		lines = cJSON_AddArrayToObject(card, "lines");
	cJSON_AddItemToArray(lines, line);
	cJSON_AddStringToObject(line, "name", view_text(view, key));
	cJSON_AddStringToObject(line, "text", text);
}

static void add_count(const struct view *view, cJSON *card, const char *key, int64_t count)
{
	char number[WORDING_MAX];

	if (count >= 0)
		add_line(view, card, key, wording_number(view->language, (double)count, 0, number));
}

static cJSON *add_card(const struct view *view, cJSON *cards, const char *key, const char *icon)
{
	cJSON *card = cJSON_CreateObject();

	cJSON_AddItemToArray(cards, card);
	cJSON_AddStringToObject(card, "title", view_text(view, key));
	cJSON_AddStringToObject(card, "icon", icon);
	return card;
}

static void add_state(const struct view *view, cJSON *card, bool ok, const char *key)
{
	cJSON_AddTrueToObject(card, ok ? "ok" : "bad");
	cJSON_AddStringToObject(card, "state", view_text(view, key));
}

static void add_big(const struct view *view, cJSON *card, double number, int decimals, const char *unit_key)
{
	char text[WORDING_MAX];

	cJSON_AddStringToObject(card, "big", wording_number(view->language, number, decimals, text));
	cJSON_AddStringToObject(card, "unit", view_text(view, unit_key));
}

/* ---- cards ---------------------------------------------------------------------------------------------------------------------------------------- */

static void add_broker(const struct pages *pages, const struct view *view, cJSON *cards)
{
	cJSON *card = add_card(view, cards, "sys_broker", "hub");

	add_state(view, card, view->broker_up, view->broker_up ? "sys_connected" : "sys_away");
	add_line(view, card, "sys_address", pages->settings.broker);
	add_line(view, card, "sys_base", pages->settings.base);
}

static void add_collector(const struct pages *pages, const struct view *view, cJSON *cards)
{
	const struct house_collector *collector = house_collector(pages->settings.house);
	cJSON *card = add_card(view, cards, "sys_collector", "inbox");
	char text[WORDING_MAX];

	if (!collector->known)
		cJSON_AddStringToObject(card, "state", view_text(view, "sys_unknown"));
	else if (!collector->online)
		add_state(view, card, false, "sys_away");
	else
		add_state(view, card, !collector->error[0], collector->error[0] ? "sys_store_fault" : "sys_active");
	if (!collector->has_health)
		return;
	if (collector->rate >= 0 && collector->online)
		add_big(view, card, collector->rate, collector->rate < 100 ? 1 : 0, "sys_rate_unit");
	if (collector->error[0])
		cJSON_AddStringToObject(card, "error", collector->error);
	add_count(view, card, "sys_stored", collector->stored);
	add_count(view, card, "sys_known", collector->known_again);
	add_count(view, card, "sys_rejected", collector->rejected);
	add_count(view, card, "sys_commits", collector->commits);
	if (collector->uptime_s >= 0)
		add_line(view, card, "sys_uptime", wording_span(view->strings, view->language, collector->uptime_s * 1000, text));
}

static void add_written(const struct view *view, struct store *store, cJSON *card)
{
	char text[WRITTEN_TEXT_MAX], number[WORDING_MAX];
	struct written written;
	int len = store_load_state(store, WRITTEN_STATE, text, sizeof(text));
	int64_t a_day;

	written_parse(&written, text, len > 0 ? (size_t)len : 0);
	a_day = written_a_day(&written);
	if (written.count && written.days[written.count - 1].day == view->now_ms / 86400000)
		add_line(view, card, "sys_written_today",
			 bytes_text(view, (double)written.days[written.count - 1].bytes, number, sizeof(number)));
	add_line(view, card, "sys_written",
		 a_day < 0 ? view_text(view, "sys_not_yet") : bytes_text(view, (double)a_day, number, sizeof(number)));
}

static void add_disk(const struct pages *pages, const struct view *view, cJSON *card)
{
	struct statvfs disk;
	char text[WORDING_MAX], width[16];
	double used;

	if (!pages->settings.store_path || statvfs(pages->settings.store_path, &disk) < 0 || !disk.f_blocks)
		return;
	used = 100 - 100.0 * (double)disk.f_bavail / (double)disk.f_blocks;
	add_line(view, card, "sys_free", bytes_text(view, (double)disk.f_bavail * (double)disk.f_frsize, text, sizeof(text)));
	snprintf(width, sizeof(width), "%.0f", used);
	cJSON_AddStringToObject(card, "meter", width);
	cJSON_AddBoolToObject(card, "meter_warn", used > DISK_FULL);
	view_fill(view, card, "meter_text", "sys_disk", (const struct strings_word[]){ { "n", width }, { 0 } });
}

static void add_store(const struct pages *pages, const struct view *view, struct store *store, cJSON *cards)
{
	cJSON *card = add_card(view, cards, "sys_store", "database");
	struct store_stats stats;
	char text[WORDING_MAX];

	add_state(view, card, store != NULL, store ? "sys_readable" : "sys_store_fault");
	if (!store) {
		cJSON_AddStringToObject(card, "error", archive_error(pages->settings.archive));
		return;
	}
	if (store_read_stats(store, &stats) == 0) {
		char *unit;

		bytes_text(view, (double)(stats.file_bytes + stats.wal_bytes), text, sizeof(text));
		unit = strstr(text, "\xc2\xa0");
		if (unit) {
			*unit = '\0';
			cJSON_AddStringToObject(card, "unit", unit + 2);
		}
		cJSON_AddStringToObject(card, "big", text);
		add_count(view, card, "sys_series", stats.series);
		add_count(view, card, "sys_nodes", stats.nodes);
	}
	add_written(view, store, card);
	add_disk(pages, view, card);
}

static void add_site(const struct pages *pages, const struct view *view, cJSON *cards)
{
	cJSON *card = add_card(view, cards, "sys_site", "web");
	unsigned listeners = pages->settings.listeners ? pages->settings.listeners(pages->settings.context) : 0;

	add_big(view, card, listeners, 0, "sys_screens");
	add_line(view, card, "fact_version", foyer_version);
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------------------------------------- */

static int badness(const struct view *view, const struct house_node *node)
{
	if (node->known_status && !node->online)
		return 0;
	return view_needs_a_look(view, node) || (node->has_health && !node->clock_synced) || node->outbox > 0 ? 1 : 2;
}

static cJSON *node_row(const struct view *view, const struct house_node *node)
{
	cJSON *row = cJSON_CreateObject();
	char text[WORDING_MAX], parts[256] = "";
	size_t len = 0, faults = 0;

	cJSON_AddStringToObject(row, "name", node->name);
	cJSON_AddStringToObject(row, "label", view_node_label(node));
	view_badge(view, row, node);
	for (const struct house_device *device = node->devices; device; device = device->next) {
		faults += device->fault[0] != '\0';
		if (len + NAME_MAX_LEN + 8 < sizeof(parts))
			len += (size_t)snprintf(parts + len, sizeof(parts) - len, "%s%s", len ? ", " : "", device->name);
		else if (device->next == NULL || len + 6 < sizeof(parts))
			len += (size_t)snprintf(parts + len, sizeof(parts) - len, ", …");
	}
	cJSON_AddStringToObject(row, "devices", parts);
	if (faults) {
		snprintf(text, sizeof(text), "%zu", faults);
		view_fill(view, row, "faults", faults == 1 ? "sys_fault" : "sys_faults",
			  (const struct strings_word[]){ { "n", text }, { 0 } });
	}
	cJSON_AddStringToObject(row, "version", node->version[0] ? node->version : "–");
	cJSON_AddStringToObject(row, "uptime",
				node->uptime_s >= 0 && node->has_health
					? wording_span(view->strings, view->language, node->uptime_s * 1000, text)
					: "–");
	view_time(view, row, "seen", node->seen_ms);
	cJSON_AddStringToObject(
		row, "outbox",
		node->has_health && node->outbox >= 0 ? wording_number(view->language, (double)node->outbox, 0, text) : "–");
	if (node->given_up > 0) {
		wording_number(view->language, (double)node->given_up, 0, text);
		view_fill(view, row, "given_up", "sys_given_up", (const struct strings_word[]){ { "n", text }, { 0 } });
	}
	cJSON_AddStringToObject(row, "clock",
				!node->has_health ? "–" : view_text(view, node->clock_synced ? "fact_clock_ok" : "fact_clock_bad"));
	return row;
}

static int add_rejected(void *context, const struct store_rejected *rejected)
{
	struct {
		const struct view *view;
		cJSON *rows;
	} *listing = context;
	cJSON *row = cJSON_CreateObject();
	char shown[256];

	cJSON_AddItemToArray(listing->rows, row);
	view_time(listing->view, row, "time", rejected->time_ms);
	cJSON_AddStringToObject(row, "topic", value_show(rejected->topic, strlen(rejected->topic), shown, sizeof(shown)));
	cJSON_AddStringToObject(row, "payload", value_show(rejected->payload, strlen(rejected->payload), shown, sizeof(shown)));
	cJSON_AddStringToObject(row, "reason", rejected->reason);
	return 0;
}

void pages_system(struct pages *pages, struct http_request *request)
{
	struct visit visit = pages_visit(pages, request);
	const struct view *view = &visit.view;
	struct archive *archive = pages->settings.archive;
	struct store *store = archive_store(archive);
	struct {
		const struct view *view;
		cJSON *rows;
	} listing = { .view = view };
	cJSON *data, *cards, *nodes;

	if (reader_choose(request))
		return;
	data = pages_data(pages, request, &visit);
	cJSON_AddTrueToObject(data, "is_system");
	cJSON_AddStringToObject(data, "headline", view_text(view, "system"));
	cards = cJSON_AddArrayToObject(data, "cards");
	add_broker(pages, view, cards);
	add_collector(pages, view, cards);
	add_store(pages, view, store, cards);
	add_site(pages, view, cards);
	nodes = cJSON_AddArrayToObject(data, "nodes");
	for (int rank = 0; rank <= 2; rank++) /* the worst first */
		for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next)
			if (badness(view, node) == rank)
				cJSON_AddItemToArray(nodes, node_row(view, node));
	listing.rows = cJSON_AddArrayToObject(data, "rejected");
	if (store)
		archive_failed(archive, store_each_rejected(store, REJECTED_ROWS, add_rejected, &listing));
	cJSON_AddBoolToObject(data, "has_rejected", cJSON_GetArraySize(listing.rows) > 0);
	cJSON_AddBoolToObject(data, "has_nodes", cJSON_GetArraySize(nodes) > 0);
	pages_reply(pages, request, 200, "system", data);
}
