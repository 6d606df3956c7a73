#include "routes.h"

#include <stdio.h>

#include "account.h"
#include "api.h"
#include "events.h"
#include "history.h"

static void overview(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_overview(parts->pages, request);
}

static void node(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_node(parts->pages, request);
}

static void device(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_device(parts->pages, request);
}

static void system_page(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_system(parts->pages, request);
}

static void series(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_series(parts->pages, request);
}

static void cameras_page(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_cameras(parts->pages, request);
}

static struct camera *camera_of(const struct parts *parts, struct http_request *request)
{
	struct camera *camera = camera_find(parts->cameras, http_param(request, "name"));

	if (!camera)
		http_error(request, 404, "no such camera");
	return camera;
}

static void picture_stream(struct http_request *request, void *context)
{
	const struct parts *parts = context;
	struct camera *camera = camera_of(parts, request);

	if (camera)
		camera_stream(camera, request, access_who(parts->access, request).session);
}

static void picture(struct http_request *request, void *context)
{
	struct camera *camera = camera_of(context, request);

	if (camera)
		camera_still(camera, request);
}

static void log_page(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_events(parts->pages, request);
}

static bool may_see_changes(const struct parts *parts, struct http_request *request)
{
	return access_who(parts->access, request).role == SITE_ADMINISTER;
}

static void log_json(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	events_json(parts->archive, parts->site, request, may_see_changes(parts, request));
}

static void log_csv(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	events_csv(parts->archive, parts->site, request, may_see_changes(parts, request));
}

/* Whom the log names: the person or the script, "web" where nobody logs in. */
static struct access_who asker(const struct parts *parts, struct http_request *request)
{
	struct access_who who = access_who(parts->access, request);

	if (!who.name[0])
		snprintf(who.name, sizeof(who.name), "web");
	return who;
}

static void chart_picture(struct http_request *request, void *context)
{
	pages_chart_picture(((const struct parts *)context)->pages, request);
}

static void note(struct http_request *request, void *context)
{
	pages_add_note(((const struct parts *)context)->pages, request);
}

static void no_note(struct http_request *request, void *context)
{
	pages_remove_note(((const struct parts *)context)->pages, request);
}

static void form(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	control_form(parts->control, request, asker(parts, request).name);
}

static void command(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	control_api(parts->control, request, asker(parts, request).name);
}

static void nodes(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	api_nodes(parts->house, request);
}

static void latest(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	api_latest(parts->house, request);
}

static void history(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	history_json(parts->archive, parts->house, request);
}

static void history_table(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	history_csv(parts->archive, parts->house, request);
}

static void events(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	live_attach(parts->live, request, access_who(parts->access, request).session);
}

static struct api_state state_of(const struct parts *parts)
{
	const struct house_collector *collector = house_collector(parts->house);
	bool readable = archive_store(parts->archive) != NULL;

	return (struct api_state){
		.broker_up = bus_connected(parts->bus),
		.store_error = readable ? "" : archive_error(parts->archive),
		.collector_error = collector->known && !collector->online ? "does not answer" : collector->error,
		.connections = http_connections(parts->http),
		.listeners = live_listeners(parts->live),
		.requests = http_requests(parts->http),
	};
}

static void metrics(struct http_request *request, void *context)
{
	const struct parts *parts = context;
	const struct api_state state = state_of(parts);

	api_metrics(parts->house, &state, request);
}

static void health(struct http_request *request, void *context)
{
	const struct api_state state = state_of(context);

	api_health(&state, request);
}

static void manifest(struct http_request *request, void *context)
{
	pages_manifest(((const struct parts *)context)->pages, request);
}

static void file(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	static_reply(parts->files, request);
}

/* ---- coming in, and what people change -------------------------------------------------------------------------------------------------- */

static void log_in_page(struct http_request *request, void *context)
{
	account_log_in_page(((const struct parts *)context)->account, request);
}

static void log_in(struct http_request *request, void *context)
{
	account_log_in(((const struct parts *)context)->account, request);
}

static void log_out(struct http_request *request, void *context)
{
	account_log_out(((const struct parts *)context)->account, request);
}

static void setup_page(struct http_request *request, void *context)
{
	account_setup_page(((const struct parts *)context)->account, request);
}

static void setup(struct http_request *request, void *context)
{
	account_setup(((const struct parts *)context)->account, request);
}

static void settings(struct http_request *request, void *context)
{
	account_settings(((const struct parts *)context)->account, request);
}

static void change(struct http_request *request, void *context)
{
	account_change(((const struct parts *)context)->account, request);
}

static void arrange(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	account_arrange(parts->account, parts->house, request);
}

static void administer(struct http_request *request, void *context)
{
	account_administer(((const struct parts *)context)->account, request);
}

/* What browsers ask for by themselves, whatever the page says. */
static void favicon(struct http_request *request, void *context)
{
	(void)context;
	http_redirect(request, "/static/favicon.svg");
}

const struct http_route routes[] = {
	{ "GET", "/", overview, SITE_VIEW },
	{ "GET", "/node/:node", node, SITE_VIEW },
	{ "GET", "/series/:node/:device/:quantity", series, SITE_VIEW },
	{ "GET", "/device/:node/:device", device, SITE_VIEW },
	{ "GET", "/system", system_page, SITE_VIEW },
	{ "GET", "/cameras", cameras_page, SITE_VIEW },
	{ "GET", "/camera/:name/stream", picture_stream, SITE_VIEW },
	{ "GET", "/camera/:name/still.jpg", picture, SITE_VIEW },
	{ "GET", "/events", log_page, SITE_VIEW },
	{ "GET", "/chart/*", chart_picture, SITE_VIEW },
	{ "POST", "/note", note, SITE_OPERATE },
	{ "POST", "/note/remove", no_note, SITE_OPERATE },
	{ "POST", "/command", form, SITE_OPERATE },
	{ "GET", "/api/v1/nodes", nodes, SITE_VIEW },
	{ "GET", "/api/v1/latest", latest, SITE_VIEW },
	{ "GET", "/api/v1/history", history, SITE_VIEW },
	{ "GET", "/api/v1/history.csv", history_table, SITE_VIEW },
	{ "GET", "/api/v1/events", log_json, SITE_VIEW },
	{ "GET", "/api/v1/events.csv", log_csv, SITE_VIEW },
	{ "POST", "/api/v1/command", command, SITE_OPERATE },
	{ "GET", "/api/v1/live", events, SITE_VIEW },
	{ "GET", "/login", log_in_page, SITE_NOBODY },
	{ "POST", "/login", log_in, SITE_NOBODY },
	{ "POST", "/logout", log_out, SITE_NOBODY },
	{ "GET", "/setup/:code", setup_page, SITE_NOBODY },
	{ "POST", "/setup/:code", setup, SITE_NOBODY },
	{ "GET", "/settings", settings, SITE_VIEW },
	{ "POST", "/settings/:what", change, SITE_VIEW },
	{ "POST", "/settings/house/room", arrange, SITE_ADMINISTER },
	{ "POST", "/settings/house/:what", administer, SITE_ADMINISTER },
	{ "GET", "/metrics", metrics, SITE_VIEW },
	{ "GET", "/healthz", health, SITE_NOBODY },
	{ "GET", "/manifest.webmanifest", manifest, SITE_NOBODY },
	{ "GET", "/api/v1/openapi.json", file, SITE_NOBODY },
	{ "GET", "/static/*", file, SITE_NOBODY },
	{ "GET", "/javascript/*", file, SITE_NOBODY },
	{ "GET", "/favicon.ico", favicon, SITE_NOBODY },
	{ 0 },
};
