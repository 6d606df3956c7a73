/* What the files of the pages room share. */
#pragma once

#include "access.h"
#include "pages.h"
#include "pages_cache.h"
#include "reader.h"
#include "render.h"
#include "view.h"

enum { PAGES_ROLES = SITE_ADMINISTER + 1 };

struct pages {
	struct pages_settings settings;
	struct templates *templates;
	struct strings *strings;
	struct icons *icons;
	struct pages_cache cache;
	bool failing; /* a template can't be rendered: told once */
};

/* One look at a page: who, how, when. */
struct visit {
	struct reader reader;
	struct access_who who;
	struct view view;
};

struct visit pages_visit(const struct pages *pages, struct http_request *request);
/* The data of a page, with what the frame around it needs; the page adds its own. */
cJSON *pages_data(const struct pages *pages, struct http_request *request, const struct visit *visit);
/* Adds a file's address, with the word that changes with its content. */
void pages_add_file(const struct pages *pages, cJSON *data, const char *name, const char *url);
/* Renders and frees the data. Returns 0 or a negative errno, told in the log once, until it works again. */
int pages_render(struct pages *pages, const char *template, cJSON *data, struct buffer *out);
/* Renders, frees the data and answers. */
void pages_reply(struct pages *pages, struct http_request *request, unsigned status, const char *template, cJSON *data);
/* pages_events.c: the newest commands and badges of a device ("days", "has_log"). */
void pages_device_log(struct pages *pages, const struct visit *visit, const struct house_device *device, cJSON *data);
/* pages_cameras.c: a camera, for the wall and the overview. */
cJSON *pages_camera(const struct pages *pages, const struct view *view, const struct camera *camera);
/* Answers 500: a template is wrong. */
void pages_broken(struct http_request *request);
