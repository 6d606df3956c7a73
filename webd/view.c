#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/buffer.h"
#include "../common/wire.h"
#include "wording.h"

enum { ICONS_MAX = 128, SPRITE_MAX = 128 * 1024 };

struct icons {
	size_t count;
	char names[ICONS_MAX][HOUSE_ICON_MAX + 1];
};

int icons_open(const char *path, struct icons **ret_icons)
{
	struct icons *icons = calloc(1, sizeof(*icons));
	char *text = calloc(1, SPRITE_MAX);
	FILE *file = fopen(path, "re");
	int r = file ? 0 : -errno;

	if (!icons || !text)
		r = -ENOMEM;
	if (r == 0 && fread(text, 1, SPRITE_MAX - 1, file) == 0)
		r = -EIO;
	for (const char *at = r == 0 ? text : NULL; at && (at = strstr(at, "<symbol id=\"i-")) && icons->count < ICONS_MAX;) {
		at += strlen("<symbol id=\"i-");
		snprintf(icons->names[icons->count++], HOUSE_ICON_MAX + 1, "%.*s", (int)strcspn(at, "\""), at);
	}
	if (file)
		fclose(file);
	free(text);
	if (r < 0)
		free(icons);
	else
		*ret_icons = icons;
	return r;
}

void icons_close(struct icons *icons)
{
	free(icons);
}

bool icons_have(const struct icons *icons, const char *name)
{
	for (size_t i = 0; i < icons->count; i++)
		if (!strcmp(icons->names[i], name))
			return true;
	return false;
}

const char *view_text(const struct view *view, const char *key)
{
	return strings_get(view->strings, view->language, key);
}

void view_fill(const struct view *view, cJSON *to, const char *name, const char *key, const struct strings_word *words)
{
	char text[512];

	cJSON_AddStringToObject(to, name, strings_fill(view_text(view, key), words, text, sizeof(text)));
}

void view_time(const struct view *view, cJSON *to, const char *name, int64_t time_ms)
{
	char text[WORDING_MAX];
	cJSON *time;

	if (time_ms <= 0)
		return;
	time = cJSON_AddObjectToObject(to, name);
	cJSON_AddNumberToObject(time, "ms", (double)time_ms);
	cJSON_AddStringToObject(time, "iso", wire_format_time(time_ms, text));
	cJSON_AddStringToObject(time, "age", wording_age(view->strings, view->language, view->now_ms - time_ms, text));
	cJSON_AddStringToObject(time, "span", wording_span(view->strings, view->language, view->now_ms - time_ms, text));
	cJSON_AddStringToObject(time, "full", wording_full(view->strings, view->language, time_ms, text));
}

const char *view_icon(const struct view *view, const char *wanted, const char *or_this, const char *at_last)
{
	if (wanted && icons_have(view->icons, wanted))
		return wanted;
	return or_this && icons_have(view->icons, or_this) ? or_this : at_last;
}

void view_since(const struct view *view, cJSON *to, const char *name, const char *key, const char *node, int64_t since_ms)
{
	char span[WORDING_MAX], since[WORDING_MAX];

	wording_span(view->strings, view->language, view->now_ms - since_ms, span);
	strings_fill(view_text(view, "ui_since"), (struct strings_word[]){ { "span", span }, { 0 } }, since, sizeof(since));
	view_fill(view, to, name, key, (struct strings_word[]){ { "node", node }, { "since", since }, { 0 } });
}
