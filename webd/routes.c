#include "routes.h"

#include "api.h"
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

static void series(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	pages_series(parts->pages, request);
}

static void form(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	control_form(parts->control, request);
}

static void command(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	control_api(parts->control, request);
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

	live_attach(parts->live, request);
}

static struct api_state state_of(const struct parts *parts)
{
	bool readable = archive_store(parts->archive) != NULL;

	return (struct api_state){
		.broker_up = bus_connected(parts->bus),
		.store_error = readable ? "" : archive_error(parts->archive),
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

static void file(struct http_request *request, void *context)
{
	const struct parts *parts = context;

	static_reply(parts->files, request);
}

/* What browsers ask for by themselves, whatever the page says. */
static void favicon(struct http_request *request, void *context)
{
	(void)context;
	http_redirect(request, "/static/favicon.svg");
}

const struct http_route routes[] = {
	{ "GET", "/", overview },
	{ "GET", "/node/:node", node },
	{ "GET", "/series/:node/:device/:quantity", series },
	{ "POST", "/command", form },
	{ "GET", "/api/v1/nodes", nodes },
	{ "GET", "/api/v1/latest", latest },
	{ "GET", "/api/v1/history", history },
	{ "GET", "/api/v1/history.csv", history_table },
	{ "POST", "/api/v1/command", command },
	{ "GET", "/api/v1/live", events },
	{ "GET", "/metrics", metrics },
	{ "GET", "/healthz", health },
	{ "GET", "/static/*", file },
	{ "GET", "/javascript/*", file },
	{ "GET", "/favicon.ico", favicon },
	{ 0 },
};
