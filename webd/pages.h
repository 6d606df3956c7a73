/* The pages: what the house, the store and the last command say, turned into data for the templates. */
#pragma once

#include <stdbool.h>

#include "access.h"
#include "archive.h"
#include "camera.h"
#include "control.h"
#include "house.h"
#include "http.h"
#include "static.h"

struct pages;

struct pages_settings {
	const char *web_dir;  /* holds templates/ and strings/ (fr.json, en.json) */
	const char *title;    /* the household's name for its site: "Foyer" */
	const char *language; /* "fr", "en", or "auto": the browser's */
	const char *broker;   /* "host:port", for the empty page's mosquitto_pub line */
	const char *base;     /* base topic, likewise */
	const struct house *house;
	struct archive *archive;
	const struct control *control;
	struct access *access;
	struct site *site;
	struct cameras *cameras;
	struct static_files *files; /* for versioned links */
	const char *zone;           /* the household's time zone, "Europe/Paris"; "" unknown */
	const char *store_path;     /* where the store lies on disk; NULL unknown */
	bool (*broker_up)(void *context);
	unsigned (*listeners)(void *context);                                /* open event streams */
	const char *(*live_position)(void *context, char *buf, size_t size); /* where the stream is; NULL: no stream */
	void *context;
};

/* settings is copied, what it points to must outlive the pages. Returns 0, -ENOENT and the like for a folder that can't be read (logged), -ENOMEM. */
int pages_open(const struct pages_settings *settings, struct pages **ret_pages);
void pages_close(struct pages *pages);

void pages_overview(struct pages *pages, struct http_request *request); /* GET / */
void pages_node(struct pages *pages, struct http_request *request);     /* GET /node/:node */
void pages_events(struct pages *pages, struct http_request *request);   /* GET /events */
void pages_cameras(struct pages *pages, struct http_request *request);  /* GET /cameras */
void pages_device(struct pages *pages, struct http_request *request);   /* GET /device/:node/:device */
void pages_system(struct pages *pages, struct http_request *request);   /* GET /system */
/* GET /chart/NODE/DEVICE/QUANTITY.svg: the chart as a picture, for browsers without script. */
void pages_chart_picture(struct pages *pages, struct http_request *request);
void pages_add_note(struct pages *pages, struct http_request *request);    /* POST /note: series, text, time, back */
void pages_remove_note(struct pages *pages, struct http_request *request); /* POST /note/remove: series, id, back */
void pages_series(struct pages *pages, struct http_request *request);      /* GET /series/:node/:device/:quantity */

/* GET /manifest.webmanifest: the site as an application to install. */
void pages_manifest(struct pages *pages, struct http_request *request);

/* Writes the page of an error, as http_settings asks for. Returns 0 or a negative errno. */
int pages_error(struct pages *pages, struct http_request *request, unsigned status, const char *text, struct buffer *out);
