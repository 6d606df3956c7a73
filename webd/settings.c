#include "settings.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/log_settings.h"
#include "../common/store.h"

#ifndef FOYER_PREFIX
#error "the Makefile tells FOYER_PREFIX"
#endif

enum { TITLE_MAX = 64, WEB_DIR_MAX = 4096 };

struct http_section {
	const char *listen, *web;
	int port;
	bool auth;
	int rate;
	const char *cert_file, *key_file, *trusted_proxy;
};

static const struct conf_item http_items[] = {
	{ "listen", CONF_STRING, offsetof(struct http_section, listen),
	  "::", .help = "the address that answers: 127.0.0.1 for this machine alone, :: for everybody in the house" },
	{ "port", CONF_INT, offsetof(struct http_section, port), "8080", .max = 65535,
	  .help = "its port; 0 takes a free one and tells it in the log" },
	{ "auth", CONF_BOOL, offsetof(struct http_section, auth), "on",
	  .help = "people log in; off: everybody who reaches the page may everything, so only with listen = 127.0.0.1 or ::1" },
	{ "cert_file", CONF_FILE, offsetof(struct http_section, cert_file), NULL,
	  .help = "a certificate with its chain (PEM): the pages come by HTTPS; read anew when it changes" },
	{ "key_file", CONF_FILE, offsetof(struct http_section, key_file), NULL, .help = "its key (PEM)" },
	{ "rate", CONF_INT, offsetof(struct http_section, rate), "50", .max = 100000,
	  .help = "requests a second that one address may make for long (ten times as many at once), else 429; 0: any number. This "
		  "machine's own address is not limited" },
	{ "trusted_proxy", CONF_STRING, offsetof(struct http_section, trusted_proxy), NULL,
	  .help = "addresses of reverse proxies, separated by spaces, whose X-Forwarded-For and -Proto are believed" },
	{ "web", CONF_STRING, offsetof(struct http_section, web), NULL,
	  .help = "the folder with templates/ and static/; without: the one beside the program, or the installed one" },
	{ 0 },
};

struct store_section {
	const char *url;
};

static const struct conf_item store_items[] = {
	{ "url", CONF_STRING, offsetof(struct store_section, url), "sqlite:///var/lib/foyer/foyer.db",
	  .help = "where the collector keeps readings; only read" },
	{ 0 },
};

struct site_section {
	const char *title, *file, *timezone;
	int language;
};

static const struct conf_item site_items[] = {
	{ "title", CONF_STRING, offsetof(struct site_section, title), "Foyer", .help = "what the household calls its site" },
	{ "language", CONF_CHOICE, offsetof(struct site_section, language), "auto", .choices = "auto|fr|en",
	  .help = "of the pages; auto: as each browser asks" },
	{ "file", CONF_STRING, offsetof(struct site_section, file), NULL,
	  .help = "webd's own file: users, sessions, settings; without: webd.db in the state folder that systemd gives, else "
		  "beside the "
		  "store" },
	{ "timezone", CONF_STRING, offsetof(struct site_section, timezone), NULL,
	  .help = "the household's: Europe/Paris; without: the machine's" },
	{ 0 },
};

static const char *const languages[] = { "auto", "fr", "en" };

/* "web" beside the program, as in the build tree; otherwise where `make install` puts it. */
static const char *default_web_dir(void)
{
	static const char installed[] = FOYER_PREFIX "/share/foyer/web";
	static char beside[WEB_DIR_MAX];
	char templates[WEB_DIR_MAX + 16];
	ssize_t len = readlink("/proc/self/exe", beside, sizeof(beside) - sizeof("/web"));
	struct stat status;
	char *slash;

	if (len <= 0)
		return installed;
	beside[len] = '\0';
	slash = strrchr(beside, '/');
	if (!slash)
		return installed;
	strcpy(slash, "/web");
	snprintf(templates, sizeof(templates), "%s/templates", beside);
	return stat(templates, &status) == 0 && S_ISDIR(status.st_mode) ? beside : installed;
}

static bool is_loopback(const char *listen)
{
	return strncmp(listen, "127.", 4) == 0 || strcmp(listen, "::1") == 0;
}

static void check_proxies(struct conf *conf, const struct conf_section *section, const char *list)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char address[INET6_ADDRSTRLEN];

	for (const char *at = list; at && *at; at += strspn(at, " ,")) {
		size_t len = strcspn(at, " ,");

		snprintf(address, sizeof(address), "%.*s", (int)(len < sizeof(address) ? len : sizeof(address) - 1), at);
		if (len >= sizeof(address) || (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1))
			conf_mistake(conf, section, "trusted_proxy",
				     "\"%s\" is no address; allowed are numbers such as 127.0.0.1, separated by spaces", address);
		at += len;
	}
}

static void read_safety(struct conf *conf, const struct conf_section *section, const struct http_section *http,
			struct settings *settings)
{
	if (!http->auth && !is_loopback(http->listen))
		conf_mistake(conf, section, "auth",
			     "off is allowed only where nobody else gets in: with listen = 127.0.0.1 (or ::1), not with %s",
			     http->listen);
	if (!http->auth && http->trusted_proxy)
		conf_mistake(conf, section, "auth", "off is not allowed behind a proxy: it lets others in");
	if (!http->cert_file != !http->key_file)
		conf_mistake(conf, section, http->cert_file ? "cert_file" : "key_file",
			     "HTTPS wants both cert_file and key_file, plain HTTP none");
	check_proxies(conf, section, http->trusted_proxy);
	settings->open = !http->auth;
	settings->rate = (unsigned)http->rate;
	settings->cert_file = http->cert_file;
	settings->key_file = http->key_file;
	settings->trusted_proxy = http->trusted_proxy;
}

static void read_http(struct conf *conf, struct settings *settings)
{
	const struct conf_section *section = conf_section(conf, "http", NULL);
	struct http_section http = { 0 };
	unsigned char address[sizeof(struct in6_addr)];
	struct stat status;

	conf_read(conf, section, "http", http_items, &http);
	if (inet_pton(AF_INET, http.listen, address) != 1 && inet_pton(AF_INET6, http.listen, address) != 1)
		conf_mistake(conf, section, "listen",
			     "\"%s\" is no address; allowed are numbers such as 127.0.0.1, 0.0.0.0, ::1 or ::", http.listen);
	if (http.web && (stat(http.web, &status) < 0 || !S_ISDIR(status.st_mode)))
		conf_mistake(conf, section, "web", "\"%s\" is no folder; allowed is one with templates/ and static/", http.web);
	read_safety(conf, section, &http, settings);
	settings->listen = strcmp(http.listen, "::") == 0 ? NULL : http.listen;
	settings->port = (uint16_t)http.port;
	settings->web_dir = http.web ? http.web : default_web_dir();
}

#define ZONES "/usr/share/zoneinfo"

static bool is_zone(const char *name)
{
	char path[128];
	struct stat status;

	return strlen(name) < 64 && !strstr(name, "..") && name[0] != '/' && snprintf(path, sizeof(path), ZONES "/%s", name) > 0 &&
	       stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static void read_site(struct conf *conf, struct settings *settings)
{
	const struct conf_section *section = conf_section(conf, "site", NULL);
	struct site_section site;
	struct value checked;
	size_t len;

	conf_read(conf, section, "site", site_items, &site);
	len = strlen(site.title);
	if (len < 1 || len > TITLE_MAX || value_of_text(site.title, len, &checked) < 0)
		conf_mistake(conf, section, "title", "allowed is a text of 1 to %d bytes of UTF-8", TITLE_MAX);
	if (site.timezone && !is_zone(site.timezone))
		conf_mistake(conf, section, "timezone", "\"%s\": allowed is a name in " ZONES " such as Europe/Paris",
			     site.timezone);
	settings->timezone = site.timezone;
	settings->site_file = site.file;
	settings->title = site.title;
	settings->language = languages[site.language];
}

static const struct conf_item camera_items[] = {
	{ "url", CONF_STRING, offsetof(struct camera_settings, url), .required = true,
	  .help = "its MJPEG stream (Debian's motion: http://HOST:8081/) or a JPEG: http://[USER:PASSWORD@]HOST[:PORT]/PATH" },
	{ "label", CONF_STRING, offsetof(struct camera_settings, label), NULL, .help = "what people call it" },
	{ "device", CONF_STRING, offsetof(struct camera_settings, device), NULL,
	  .help = "NODE/DEVICE whose `motion` it tells, by motion's on_event_start" },
	{ 0 },
};

static void check_camera(struct conf *conf, const struct conf_section *section, const struct camera_settings *camera)
{
	char reason[160], name[SERIES_TEXT_MAX + 1];
	struct series series;

	if (!series_name_valid(camera->name, strlen(camera->name)))
		conf_mistake(conf, section, NULL, "[camera %s]: a camera's name is [a-z0-9][a-z0-9_-]{0,31}", camera->name);
	if (camera->url && camera_check_url(camera->url, reason) < 0)
		conf_mistake(conf, section, "url", "%s", reason);
	if (camera->label && strlen(camera->label) > CAMERA_LABEL_MAX)
		conf_mistake(conf, section, "label", "at most %d bytes", CAMERA_LABEL_MAX);
	if (!camera->device)
		return;
	if (strlen(camera->device) > SERIES_TEXT_MAX - 8 ||
	    snprintf(name, sizeof(name), "%s/motion", camera->device) >= (int)sizeof(name) ||
	    series_parse(name, strlen(name), &series) < 0)
		conf_mistake(conf, section, "device", "\"%s\": allowed is NODE/DEVICE", camera->device);
}

static void read_cameras(struct conf *conf, struct settings *settings)
{
	const struct conf_section *section = NULL;
	struct camera_settings **end = &settings->cameras;

	while ((section = conf_next(conf, "camera", section))) {
		struct camera_settings *camera = calloc(1, sizeof(*camera));

		if (!camera)
			return;
		conf_read(conf, section, "camera", camera_items, camera);
		camera->name = conf_section_name(section);
		check_camera(conf, section, camera);
		*end = camera;
		end = (struct camera_settings **)&camera->next;
	}
}

void settings_done(struct settings *settings)
{
	while (settings->cameras) {
		struct camera_settings *camera = settings->cameras;

		settings->cameras = (struct camera_settings *)camera->next;
		free(camera);
	}
}

void settings_read(struct conf *conf, struct settings *ret_settings)
{
	struct store_section store;
	char error[STORE_ERROR_MAX];

	memset(ret_settings, 0, sizeof(*ret_settings));
	conf_read(conf, conf_section(conf, "mqtt", NULL), "mqtt", bus_items, &ret_settings->bus);
	bus_check_settings(conf, &ret_settings->bus);
	read_http(conf, ret_settings);
	conf_read(conf, conf_section(conf, "store", NULL), "store", store_items, &store);
	if (store_check_url(store.url, error) < 0)
		conf_mistake(conf, conf_section(conf, "store", NULL), "url", "%s", error);
	ret_settings->store_url = store.url;
	read_site(conf, ret_settings);
	read_cameras(conf, ret_settings);
	ret_settings->log_level = log_read_settings(conf);
}

void settings_print(void)
{
	conf_print_items("[mqtt]", bus_items, stdout);
	conf_print_items("[http]", http_items, stdout);
	conf_print_items("[store]", store_items, stdout);
	conf_print_items("[site]", site_items, stdout);
	conf_print_items("[camera NAME]", camera_items, stdout);
	conf_print_items("[log]", log_items, stdout);
}
