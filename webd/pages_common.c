/* What every page has: who looks at it, in which language, with which navigation; and how it is rendered. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "pages_internal.h"

static bool broker_is_up(const struct pages *pages)
{
	return !pages->settings.broker_up || pages->settings.broker_up(pages->settings.context);
}

void pages_add_file(const struct pages *pages, cJSON *data, const char *name, const char *url)
{
	char text[128];

	static_versioned(pages->settings.files, url, text, sizeof(text));
	cJSON_AddStringToObject(data, name, text);
}

/* "Courbes" leads to the first temperature of the house, or whatever number there is. */
static void add_navigation(const struct pages *pages, cJSON *data)
{
	const struct house_series *best = NULL;
	char path[SERIES_TEXT_MAX + 16];

	for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next) {
		const struct house_series *foremost = view_foremost(node);

		if (foremost && (!best || quantity_find(foremost->name.quantity) == QUANTITY_TEMPERATURE))
			best = foremost;
		if (best && quantity_find(best->name.quantity) == QUANTITY_TEMPERATURE)
			break;
	}
	if (best)
		cJSON_AddStringToObject(data, "nav_series", view_series_path(&best->name, path));
}

struct visit pages_visit(const struct pages *pages, struct http_request *request)
{
	const char *outcome = http_query(request, "outcome");
	struct visit visit = { .reader = reader_of(request, pages->settings.language),
			       .who = access_who(pages->settings.access, request) };

	visit.view = (struct view){
		.strings = pages->strings,
		.language = visit.reader.language,
		.icons = pages->icons,
		.now_ms = clock_wall_ms(),
		.outcome = outcome ? control_outcome(pages->settings.control, outcome) : NULL,
		.back = http_path(request),
		.broker_up = broker_is_up(pages),
		.may_operate = visit.who.role >= SITE_OPERATE,
	};
	return visit;
}

cJSON *pages_data(const struct pages *pages, struct http_request *request, const struct visit *visit)
{
	const struct reader *reader = &visit->reader;
	const struct view *view = &visit->view;
	static const char *const next[THEME_COUNT] = { "light", "dark", "auto" };
	enum language other = reader->language == LANGUAGE_FR ? LANGUAGE_EN : LANGUAGE_FR;
	const char *theme = reader_theme_word(reader->theme);
	cJSON *data = cJSON_CreateObject();
	char text[1024], key[24];

	snprintf(key, sizeof(key), "theme_%s", theme);
	cJSON_AddItemReferenceToObject(data, "t", (cJSON *)(uintptr_t)strings_all(pages->strings, reader->language));
	cJSON_AddStringToObject(data, "lang", strings_code(reader->language));
	cJSON_AddStringToObject(data, "other_lang", strings_code(other));
	cJSON_AddStringToObject(data, "script_strings", strings_script(pages->strings, reader->language));
	cJSON_AddStringToObject(data, "here", reader_query(request, text, sizeof(text)));
	cJSON_AddStringToObject(data, "theme_word", theme);
	cJSON_AddStringToObject(data, "theme_icon", reader->theme == THEME_LIGHT ? "light" : theme);
	cJSON_AddStringToObject(data, "theme_title", view_text(view, key));
	cJSON_AddStringToObject(data, "theme_next", next[reader->theme]);
	cJSON_AddBoolToObject(data, "theme_chosen", reader->theme != THEME_AUTO);
	if (pages->settings.zone && pages->settings.zone[0])
		cJSON_AddStringToObject(data, "zone", pages->settings.zone);
	cJSON_AddStringToObject(data, "site", pages->settings.title);
	cJSON_AddNumberToObject(data, "now_ms", (double)view->now_ms);
	if (pages->settings.live_position)
		cJSON_AddStringToObject(data, "live_at",
					pages->settings.live_position(pages->settings.context, text, sizeof(text)));
	cJSON_AddBoolToObject(data, "broker_up", view->broker_up);
	pages_add_file(pages, data, "css", "/static/style.css");
	pages_add_file(pages, data, "script", "/static/ui.js");
	pages_add_file(pages, data, "favicon", "/static/favicon.svg");
	cJSON_AddBoolToObject(data, "inside", visit->who.role != SITE_NOBODY);
	cJSON_AddBoolToObject(data, "may_operate", view->may_operate);
	cJSON_AddBoolToObject(data, "may_administer", visit->who.role == SITE_ADMINISTER);
	cJSON_AddBoolToObject(data, "has_cameras", pages->settings.cameras && cameras_first(pages->settings.cameras));
	if (visit->who.role != SITE_NOBODY) /* a stranger is told nothing of the house */
		add_navigation(pages, data);
	return data;
}

int pages_render(struct pages *pages, const char *template, cJSON *data, struct buffer *out)
{
	int r = template_render(pages->templates, template, data, out);

	cJSON_Delete(data);
	if (r < 0 && !pages->failing)
		log_error("page %s: %s", template, templates_error(pages->templates));
	pages->failing = r < 0;
	return r;
}

void pages_broken(struct http_request *request)
{
	static const char text[] = "500: the page's template is wrong, see the log\n";

	http_reply(request, 500, "text/plain; charset=utf-8", text, sizeof(text) - 1);
}

void pages_reply(struct pages *pages, struct http_request *request, unsigned status, const char *template, cJSON *data)
{
	struct buffer page = BUFFER_EMPTY;

	if (pages_render(pages, template, data, &page) < 0) {
		buffer_done(&page);
		pages_broken(request);
		return;
	}
	http_add_header(request, "Vary", "Accept-Encoding, Accept-Language, Cookie");
	http_reply_buffer(request, status, "text/html; charset=utf-8", &page);
}

void pages_manifest(struct pages *pages, struct http_request *request)
{
	static const struct {
		const char *url, *purpose;
	} icons[] = { { "/static/icon.svg", "any" }, { "/static/icon-maskable.svg", "maskable" } };
	cJSON *json = cJSON_CreateObject(), *list;
	struct buffer body = BUFFER_EMPTY;
	char *text;

	cJSON_AddStringToObject(json, "name", pages->settings.title);
	cJSON_AddStringToObject(json, "short_name", pages->settings.title);
	cJSON_AddStringToObject(json, "id", "/");
	cJSON_AddStringToObject(json, "start_url", "/");
	cJSON_AddStringToObject(json, "scope", "/");
	cJSON_AddStringToObject(json, "display", "standalone");
	cJSON_AddStringToObject(json, "background_color", "#f3f2ee");
	cJSON_AddStringToObject(json, "theme_color", "#ffffff");
	list = cJSON_AddArrayToObject(json, "icons");
	for (size_t i = 0; i < sizeof(icons) / sizeof(icons[0]); i++) {
		cJSON *icon = cJSON_CreateObject();

		cJSON_AddItemToArray(list, icon);
		pages_add_file(pages, icon, "src", icons[i].url);
		cJSON_AddStringToObject(icon, "sizes", "any");
		cJSON_AddStringToObject(icon, "type", "image/svg+xml");
		cJSON_AddStringToObject(icon, "purpose", icons[i].purpose);
	}
	text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	buffer_add_text(&body, text ? text : "{}");
	cJSON_free(text);
	http_reply_tagged(request, "application/manifest+json", &body);
}
