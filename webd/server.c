#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "server_internal.h"

enum { STORE_RETRY_MS = 3000, BURST_SECONDS = 10 };

/* ---- the store, when it is not there yet ------------------------------------------------------------------------------------- */

void server_fill_later(struct server *server, int64_t delay_ms)
{
	sd_event_source_set_time_relative(server->fill_timer, (uint64_t)delay_ms * 1000);
	sd_event_source_set_time_accuracy(server->fill_timer, 500000);
	sd_event_source_set_enabled(server->fill_timer, SD_EVENT_ONESHOT);
}

static int on_fill(sd_event_source *source, uint64_t now_us, void *data)
{
	struct server *server = data;

	(void)source;
	(void)now_us;
	if (!server_fill(server))
		server_fill_later(server, STORE_RETRY_MS);
	return 0;
}

/* ---- hooks ------------------------------------------------------------------------------------------------------------------- */

static void on_result(void *context, const struct command_result *result, int64_t latency_ms)
{
	struct server *server = context;

	live_result(server->parts.live, result, latency_ms);
}

static bool broker_up(void *context)
{
	const struct server *server = context;

	return bus_connected(server->parts.bus);
}

static unsigned listeners(void *context)
{
	return live_listeners(((const struct server *)context)->parts.live);
}

static const char *position(void *context, char *buf, size_t size)
{
	return live_position(((const struct server *)context)->parts.live, buf, size);
}

static int error_page(struct http_request *request, unsigned status, const char *text, struct buffer *out, void *context)
{
	const struct parts *parts = context;

	return pages_error(parts->pages, request, status, text, out);
}

static bool is_here(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* False: the address asks too often, and has been told so. */
static bool may_ask(const struct parts *parts, struct http_request *request)
{
	const char *client = http_client(request);
	int64_t wait_ms = !parts->throttle || is_here(client) ? 0 : throttle_take(parts->throttle, client, clock_boot_ms());
	char seconds[24];

	if (!wait_ms)
		return true;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)((wait_ms + 999) / 1000));
	http_add_header(request, "Retry-After", seconds);
	http_error(request, 429, "too many requests from %s: the next one in %s s", client, seconds);
	return false;
}

static bool guard(struct http_request *request, int need, void *context)
{
	const struct parts *parts = context;

	/* Static files and the log-in page are nobody's burden, and a page is lost without them. */
	if (need != SITE_NOBODY && !may_ask(parts, request))
		return false;
	return access_guard(parts->access, request, (enum site_role)need);
}

static void on_session_end(void *context, int64_t session)
{
	const struct server *server = context;

	live_end_session(server->parts.live, session);
	if (server->parts.cameras)
		cameras_end_session(server->parts.cameras, session);
}

/* ---- opening ----------------------------------------------------------------------------------------------------------------- */

static const char *store_path(const char *url)
{
	static const char scheme[] = "sqlite://";

	return strncmp(url, scheme, sizeof(scheme) - 1) == 0 ? url + sizeof(scheme) - 1 : url;
}

/* In the state folder that systemd gives, else beside the store. */
static void site_path(const struct settings *settings, char *buf, size_t size)
{
	const char *folder = getenv("STATE_DIRECTORY"), *store = store_path(settings->store_url), *slash = strrchr(store, '/');

	if (settings->site_file)
		snprintf(buf, size, "%s", settings->site_file);
	else if (folder && folder[0])
		snprintf(buf, size, "%s/webd.db", folder);
	else
		snprintf(buf, size, "%.*swebd.db", slash ? (int)(slash - store) + 1 : 0, store);
}

static int take_wish(void *context, const char *key, const char *value)
{
	house_arrange(context, key + strlen("house."), value);
	return 0;
}

static int open_site(struct server *server)
{
	struct parts *parts = &server->parts;
	const struct settings *settings = server->settings;
	char path[4096], error[SITE_ERROR_MAX];
	int r;

	site_path(settings, path, sizeof(path));
	r = site_open(path, &parts->site, error);
	if (r < 0 && settings->open) {
		log_warning("%s; settings and notes are not kept", error);
		r = site_open(SITE_IN_MEMORY, &parts->site, error);
	}
	if (r < 0) {
		log_error("%s; without it nobody can log in ([site] file chooses another place)", error);
		return r;
	}
	r = access_open(parts->site, settings->open, &parts->access);
	if (r < 0)
		log_error("%s", site_error(parts->site));
	if (r == 0)
		r = account_open(server->event, parts->site, parts->access, &parts->account);
	if (r == 0)
		access_on_end(parts->access, on_session_end, server);
	if (r == 0)
		r = site_each_setting(parts->site, "house.", take_wish, parts->house);
	return r;
}

static int mount(struct server *server, const char *url, const char *name)
{
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/%s", server->settings->web_dir, name);
	r = static_mount(server->parts.files, url, path);
	if (r < 0)
		log_warning("%s: %s, so %s answers 404", path, strerror(-r), url);
	return r == -ENOMEM ? r : 0;
}

static int open_files(struct server *server)
{
	int r = static_open(&server->parts.files);

	if (r == 0)
		r = mount(server, "/static/", "static");
	if (r == 0)
		r = mount(server, "/api/v1/openapi.json", "openapi.json");
	if (r == 0) /* Debian's, by a link */
		r = mount(server, "/javascript/chart.min.js", "javascript/chart.min.js");
	return r;
}

/* What the machine calls its zone: TZ, or where /etc/localtime leads to (tzset(3), localtime(5)). "" when it is no name of the database. */
static void find_zone(struct server *server)
{
	static const char mark[] = "/zoneinfo/";
	const char *zone = getenv("TZ"), *at;
	char path[256];
	ssize_t len = zone && zone[0] ? 0 : readlink("/etc/localtime", path, sizeof(path) - 1);

	if (len > 0) {
		path[len] = '\0';
		at = strstr(path, mark);
		zone = at ? at + sizeof(mark) - 1 : NULL;
	}
	if (zone && zone[0] == ':')
		zone++;
	if (zone && strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == strlen(zone))
		snprintf(server->zone, sizeof(server->zone), "%s", zone);
}

static int open_pages(struct server *server, const struct settings *site, struct pages **ret_pages)
{
	struct pages_settings settings = {
		.web_dir = server->settings->web_dir,
		.title = site->title,
		.language = site->language,
		.broker = server->broker,
		.base = server->settings->bus.base,
		.house = server->parts.house,
		.archive = server->parts.archive,
		.control = server->parts.control,
		.access = server->parts.access,
		.site = server->parts.site,
		.cameras = server->parts.cameras,
		.files = server->parts.files,
		.zone = server->zone,
		.store_path = store_path(server->settings->store_url),
		.broker_up = broker_up,
		.listeners = listeners,
		.live_position = position,
		.context = server,
	};

	return pages_open(&settings, ret_pages);
}

int server_change_site(struct server *server, const struct settings *settings)
{
	struct pages *pages;
	int r = open_pages(server, settings, &pages);

	if (r < 0)
		return r;
	pages_close(server->parts.pages);
	server->parts.pages = pages;
	account_use(server->parts.account, pages);
	return 0;
}

static void tell_address(struct server *server)
{
	const char *listen = server->settings->listen;
	char host[80] = "localhost";
	bool all = !listen || strcmp(listen, "0.0.0.0") == 0;

	if (all)
		gethostname(host, sizeof(host) - 1);
	else
		snprintf(host, sizeof(host), strchr(listen, ':') ? "[%s]" : "%s", listen);
	snprintf(server->address, sizeof(server->address), "http%s://%s:%u/", server->settings->cert_file ? "s" : "", host,
		 http_port(server->parts.http));
	log_info("%s%s", server->address, all ? " (on all addresses of this machine)" : "");
	if (access_setup_code(server->parts.access))
		log_info("there is no user yet; whoever opens this link becomes the administrator: %ssetup/%s", server->address,
			 access_setup_code(server->parts.access));
}

static int open_http(struct server *server)
{
	const struct settings *settings = server->settings;
	const struct http_settings http = {
		.address = settings->listen,
		.port = settings->port,
		.routes = routes,
		.context = &server->parts,
		.cert_file = settings->cert_file,
		.key_file = settings->key_file,
		.trusted_proxy = settings->trusted_proxy,
		.error_page = error_page,
		.guard = guard,
	};
	const char *address = settings->listen ? settings->listen : "all addresses";
	int r = http_open(&http, server->event, &server->parts.http);

	if (r == -EADDRINUSE)
		log_error("port %u on %s is taken by another program: stop that, or choose another [http] port", settings->port,
			  address);
	else if (r == -EACCES)
		log_error("port %u may not be opened by this user: choose an [http] port from 1024 on", settings->port);
	else if (r < 0 && r != -EKEYREJECTED)
		log_error("cannot listen on %s, port %u: %s", address, settings->port, strerror(-r));
	if (r == 0)
		tell_address(server);
	return r;
}

static int open_house(struct server *server)
{
	static const struct control_hooks hooks = { .broker_up = broker_up, .send = server_send_command, .result = on_result };
	struct parts *parts = &server->parts;
	int r;

	parts->house = house_open();
	parts->archive = archive_open(server->settings->store_url);
	if (!parts->house || !parts->archive)
		return -ENOMEM;
	r = live_open(server->event, &parts->live);
	if (r == 0)
		r = control_open(server->event, parts->house, &hooks, server, &parts->control);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(server->event, &server->fill_timer, CLOCK_BOOTTIME, 0, 0, on_fill, server);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(server->fill_timer, SD_EVENT_OFF);
	if (!server_fill(server))
		server_fill_later(server, STORE_RETRY_MS);
	return 0;
}

int server_open(sd_event *event, const struct settings *settings, struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->event = sd_event_ref(event);
	server->settings = settings;
	find_zone(server);
	snprintf(server->broker, sizeof(server->broker), "%s:%d", settings->bus.host, settings->bus.port);
	r = open_house(server);
	if (r >= 0)
		r = open_site(server);
	if (r >= 0 && settings->rate) {
		server->parts.throttle =
			throttle_open(settings->rate * BURST_SECONDS, 1000 / settings->rate > 0 ? 1000 / settings->rate : 1);
		r = server->parts.throttle ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = cameras_open(event, settings->cameras, &server->parts.cameras);
	if (r >= 0)
		r = open_files(server);
	if (r >= 0)
		r = open_pages(server, settings, &server->parts.pages);
	if (r >= 0)
		account_use(server->parts.account, server->parts.pages);
	if (r >= 0)
		r = open_http(server);
	if (r >= 0)
		r = server_open_bus(server);
	if (r < 0) {
		server_close(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

/* First the clients: who waits for an answer is told that there is none, and the rest is then in use by nobody. */
void server_close(struct server *server)
{
	if (!server)
		return;
	http_close(server->parts.http);
	bus_close(server->parts.bus);
	account_close(server->parts.account);
	cameras_close(server->parts.cameras);
	server->parts.cameras = NULL;
	pages_close(server->parts.pages);
	static_close(server->parts.files);
	throttle_close(server->parts.throttle);
	control_close(server->parts.control);
	access_close(server->parts.access);
	site_close(server->parts.site);
	live_close(server->parts.live);
	archive_close(server->parts.archive);
	house_close(server->parts.house);
	sd_event_source_disable_unref(server->fill_timer);
	sd_event_unref(server->event);
	free(server);
}

const char *server_address(const struct server *server)
{
	return server->address;
}
