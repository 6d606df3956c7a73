#include "pages_account.h"

#include <stdio.h>
#include <string.h>

#include "pages_internal.h"

static const char *const role_words[] = { "", "view", "operate", "administer" };

static const char *role_label(const struct view *view, enum site_role role)
{
	char key[32];

	snprintf(key, sizeof(key), "role_%s", role_words[role]);
	return view_text(view, key);
}

/* ---- coming in ------------------------------------------------------------------------------------------------------------------------------ */

void pages_log_in(struct pages *pages, struct http_request *request, unsigned status, const struct log_in_page *page)
{
	struct visit visit = pages_visit(pages, request);
	const struct view *view = &visit.view;
	cJSON *data;
	char number[24];

	if (reader_choose(request))
		return;
	data = pages_data(pages, request, &visit);
	cJSON_AddStringToObject(data, "headline", view_text(view, "login_title"));
	cJSON_AddStringToObject(data, "back", page->back);
	cJSON_AddStringToObject(data, "name", page->name ? page->name : "");
	cJSON_AddBoolToObject(data, "keep", page->keep);
	cJSON_AddBoolToObject(data, "is_new", page->is_new);
	cJSON_AddBoolToObject(data, "failed", page->failed);
	if (page->failed) {
		snprintf(number, sizeof(number), "%u", page->tries);
		cJSON_AddStringToObject(data, "fault", view_text(view, "login_failed"));
		view_fill(view, data, "fault_text", page->tries ? "login_tries" : "login_no_tries",
			  (const struct strings_word[]){ { "n", number }, { 0 } });
	} else if (page->wait_s) {
		snprintf(number, sizeof(number), "%lld", (long long)page->wait_s);
		cJSON_AddStringToObject(data, "fault", view_text(view, "login_wait"));
		view_fill(view, data, "fault_text", "login_wait_text", (const struct strings_word[]){ { "n", number }, { 0 } });
	}
	pages_reply(pages, request, status, "login", data);
}

void pages_setup(struct pages *pages, struct http_request *request, unsigned status, const char *name, const char *fault)
{
	struct visit visit = pages_visit(pages, request);
	cJSON *data;

	if (reader_choose(request))
		return;
	data = pages_data(pages, request, &visit);
	cJSON_AddStringToObject(data, "headline", view_text(&visit.view, "setup_title"));
	cJSON_AddStringToObject(data, "name", name);
	if (fault)
		cJSON_AddStringToObject(data, "fault", view_text(&visit.view, fault));
	pages_reply(pages, request, status, "setup", data);
}

/* ---- settings --------------------------------------------------------------------------------------------------------------------------------- */

struct listing {
	const struct visit *visit;
	cJSON *list;
	unsigned others; /* sessions beside this one */
};

static void add_choices(const struct visit *visit, cJSON *data)
{
	static const char *const theme_keys[] = { "look_auto", "look_light", "look_dark" };
	static const char *const names[] = { "Français", "English" };
	cJSON *languages = cJSON_AddArrayToObject(data, "languages"), *themes = cJSON_AddArrayToObject(data, "themes");

	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddItemToArray(languages, item);
		cJSON_AddStringToObject(item, "code", strings_code((enum language)i));
		cJSON_AddStringToObject(item, "label", names[i]);
		cJSON_AddBoolToObject(item, "current", visit->reader.language == (enum language)i);
	}
	for (int i = 0; i < THEME_COUNT; i++) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddItemToArray(themes, item);
		cJSON_AddStringToObject(item, "word", reader_theme_word((enum reader_theme)i));
		cJSON_AddStringToObject(item, "label", view_text(&visit->view, theme_keys[i]));
		cJSON_AddBoolToObject(item, "current", visit->reader.theme == (enum reader_theme)i);
	}
}

static void add_roles(const struct view *view, cJSON *to, enum site_role current)
{
	cJSON *roles = cJSON_AddArrayToObject(to, "roles");

	for (int role = SITE_VIEW; role <= SITE_ADMINISTER; role++) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddItemToArray(roles, item);
		cJSON_AddStringToObject(item, "word", role_words[role]);
		cJSON_AddStringToObject(item, "label", role_label(view, (enum site_role)role));
		cJSON_AddBoolToObject(item, "current", role == (int)current);
	}
}

/* What a browser calls itself, in the few words that a person knows it by. */
static void add_agent(const struct view *view, cJSON *to, const char *agent)
{
	static const struct {
		const char *mark, *word;
	} browsers[] = { { "Edg", "Edge" },         { "OPR/", "Opera" },
			 { "Firefox/", "Firefox" }, { "SamsungBrowser/", "Samsung" },
			 { "Chrome/", "Chrome" },   { "Safari/", "Safari" },
			 { "curl/", "curl" } },
	  systems[] = { { "Android", "Android" }, { "iPhone", "iPhone" }, { "iPad", "iPad" },
			{ "Windows", "Windows" }, { "Mac OS X", "Mac" },  { "Linux", "Linux" } };
	const char *browser = NULL, *system = NULL;
	char text[64];

	for (size_t i = 0; !browser && i < sizeof(browsers) / sizeof(browsers[0]); i++)
		browser = strstr(agent, browsers[i].mark) ? browsers[i].word : NULL;
	for (size_t i = 0; !system && i < sizeof(systems) / sizeof(systems[0]); i++)
		system = strstr(agent, systems[i].mark) ? systems[i].word : NULL;
	snprintf(text, sizeof(text), "%s%s%s", browser ? browser : view_text(view, "a_browser"), system ? ", " : "",
		 system ? system : "");
	cJSON_AddStringToObject(to, "agent", text);
}

static int add_session(void *context, const struct site_session *session)
{
	struct listing *listing = context;
	const struct visit *visit = listing->visit;
	cJSON *item;

	if (session->user != visit->who.user)
		return 0;
	item = cJSON_CreateObject();
	cJSON_AddItemToArray(listing->list, item);
	cJSON_AddNumberToObject(item, "id", (double)session->id);
	cJSON_AddStringToObject(item, "address", session->address);
	cJSON_AddBoolToObject(item, "current", session->id == visit->who.session);
	add_agent(&visit->view, item, session->agent);
	view_time(&visit->view, item, "seen", session->id == visit->who.session ? visit->view.now_ms : session->seen_ms);
	listing->others += session->id != visit->who.session;
	return 0;
}

static int add_user(void *context, const struct site_user *user)
{
	struct listing *listing = context;
	cJSON *item = cJSON_CreateObject();

	cJSON_AddItemToArray(listing->list, item);
	cJSON_AddNumberToObject(item, "id", (double)user->id);
	cJSON_AddStringToObject(item, "name", user->name);
	cJSON_AddBoolToObject(item, "is_me", user->id == listing->visit->who.user);
	add_roles(&listing->visit->view, item, user->role);
	return 0;
}

static int add_token(void *context, const struct site_token *token)
{
	struct listing *listing = context;
	cJSON *item = cJSON_CreateObject();

	cJSON_AddItemToArray(listing->list, item);
	cJSON_AddNumberToObject(item, "id", (double)token->id);
	cJSON_AddStringToObject(item, "name", token->name);
	cJSON_AddStringToObject(item, "role", role_label(&listing->visit->view, token->role));
	view_time(&listing->visit->view, item, "used", token->used_ms);
	return 0;
}

static void add_house(const struct visit *visit, struct site *site, const struct settings_page *page, cJSON *data)
{
	struct listing users = { .visit = visit, .list = cJSON_AddArrayToObject(data, "users") };
	struct listing tokens = { .visit = visit, .list = cJSON_AddArrayToObject(data, "tokens") };

	cJSON_AddTrueToObject(data, "administers");
	add_roles(&visit->view, data, SITE_OPERATE);
	site_each_user(site, add_user, &users);
	site_each_token(site, add_token, &tokens);
	cJSON_AddBoolToObject(data, "has_tokens", cJSON_GetArraySize(tokens.list) > 0);
	if (page->token) {
		cJSON_AddStringToObject(data, "token", page->token);
		view_fill(&visit->view, data, "token_title", "token_title",
			  (const struct strings_word[]){ { "name", page->token_name }, { 0 } });
	}
}

static void add_room(const struct house_node *node, const struct view *view, cJSON *rooms)
{
	cJSON *room = cJSON_CreateObject(), *devices = cJSON_AddArrayToObject(room, "devices"), *outputs;
	char name[SERIES_TEXT_MAX + 1], label[VIEW_LABEL_MAX];

	cJSON_AddItemToArray(rooms, room);
	outputs = cJSON_AddArrayToObject(room, "outputs");
	cJSON_AddStringToObject(room, "name", node->name);
	cJSON_AddStringToObject(room, "label", view_node_label(node));
	cJSON_AddStringToObject(room, "own_label", node->own_label);
	cJSON_AddStringToObject(room, "given_label", node->label[0] ? node->label : node->name);
	if (node->rank < HOUSE_RANK_LAST)
		cJSON_AddNumberToObject(room, "order", node->rank);
	for (const struct house_device *device = node->devices; device; device = device->next) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddItemToArray(devices, item);
		cJSON_AddStringToObject(item, "device", device->name);
		cJSON_AddStringToObject(item, "device_label", view_device_label(device));
		cJSON_AddBoolToObject(item, "hidden", device->hidden);
		for (const struct house_series *series = device->series; series; series = series->next) {
			cJSON *output;

			if (series->output != HOUSE_SWITCH && series->output != HOUSE_BUTTON)
				continue;
			output = cJSON_CreateObject();
			cJSON_AddItemToArray(outputs, output);
			cJSON_AddStringToObject(output, "series", series_format(&series->name, name));
			cJSON_AddStringToObject(output, "series_label", view_series_label(view, series, label));
			cJSON_AddBoolToObject(output, "pinned", series->pinned);
		}
	}
	cJSON_AddBoolToObject(room, "has_devices", node->devices != NULL);
	cJSON_AddBoolToObject(room, "has_outputs", cJSON_GetArraySize(outputs) > 0);
}

/* What was done, or is wrong, stands at its part of the page; of a part that is not there at the top. */
static void add_said(const struct view *view, const struct settings_page *page, cJSON *data)
{
	static const char *const parts[] = { "password", "sessions", "users", "tokens", "rooms" };
	char key[24] = "said";

	if (page->token || (!page->done && !page->fault))
		return;
	for (size_t i = 0; page->part && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(page->part, parts[i]) == 0)
			snprintf(key, sizeof(key), "on_%s", parts[i]);
	cJSON_AddTrueToObject(data, key);
	cJSON_AddStringToObject(data, page->fault ? "fault" : "done", view_text(view, page->fault ? page->fault : page->done));
}

void pages_settings(struct pages *pages, struct http_request *request, unsigned status, struct site *site,
		    const struct settings_page *page)
{
	struct visit visit = pages_visit(pages, request);
	struct listing sessions = { .visit = &visit };
	bool open = access_is_open(pages->settings.access);
	cJSON *data;

	if (reader_choose(request))
		return;
	data = pages_data(pages, request, &visit);
	cJSON_AddTrueToObject(data, "is_settings");
	cJSON_AddStringToObject(data, "headline", view_text(&visit.view, "settings"));
	add_choices(&visit, data);
	add_said(&visit.view, page, data);
	if (visit.who.user) {
		cJSON_AddTrueToObject(data, "has_log_in");
		cJSON_AddStringToObject(data, "who", visit.who.name);
		view_fill(&visit.view, data, "me", "settings_me",
			  (const struct strings_word[]){
				  { "name", visit.who.name }, { "role", role_label(&visit.view, visit.who.role) }, { 0 } });
		sessions.list = cJSON_AddArrayToObject(data, "sessions");
		site_each_session(site, add_session, &sessions);
		cJSON_AddBoolToObject(data, "others", sessions.others > 0);
	}
	if (visit.who.role == SITE_ADMINISTER) {
		cJSON *rooms = cJSON_AddArrayToObject(data, "rooms");

		for (const struct house_node *node = house_nodes(pages->settings.house); node; node = node->next)
			add_room(node, &visit.view, rooms);
		cJSON_AddBoolToObject(data, "has_rooms", cJSON_GetArraySize(rooms) > 0);
	}
	if (visit.who.role == SITE_ADMINISTER && !open)
		add_house(&visit, site, page, data);
	pages_reply(pages, request, status, "settings", data);
}
