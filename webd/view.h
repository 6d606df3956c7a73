/* Parts of pages as data for the templates: what a series, a node, a chart looks like. Texts from nodes go in as they are: the
 * templates escape them; what becomes an attribute's name, a class or a link is made of validated names and our own words alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "../common/store.h"
#include "control.h"
#include "house.h"
#include "strings.h"

enum { VIEW_STALE_INTERVALS = 6 }; /* so many without a reading: a sensor is silent */

struct icons;

/* The names of the symbols in templates/icons.mustache. Returns 0, -ENOENT ... The caller closes. */
int icons_open(const char *path, struct icons **ret_icons);
void icons_close(struct icons *icons);
bool icons_have(const struct icons *icons, const char *name);

struct view { /* a page in the making: who reads it, when, what they asked before */
	const struct strings *strings;
	enum language language;
	const struct icons *icons;
	int64_t now_ms;
	const struct control_outcome *outcome; /* of the form that led here; NULL */
	const char *back;                      /* the page's own path, for its forms */
	bool broker_up;
	bool may_operate; /* else outputs are shown, and that is all */
};

/* ---- view.c: small things that all parts need ---- */
const char *view_text(const struct view *view, const char *key);
/* Adds a catalogue's text with its placeholders filled. */
void view_fill(const struct view *view, cJSON *to, const char *name, const char *key, const struct strings_word *words);
/* Adds {ms, iso, age, span, full}; nothing for 0 (never). */
void view_time(const struct view *view, cJSON *to, const char *name, int64_t time_ms);
/* The first of the wanted symbols that exists, the last one unasked. */
const char *view_icon(const struct view *view, const char *wanted, const char *or_this, const char *at_last);
/* "Depuis ...": a span in the words of `key`, which has {since}. */
void view_since(const struct view *view, cJSON *to, const char *name, const char *key, const char *node, int64_t since_ms);

/* ---- view_series.c: one series ---- */
bool view_is_stale(const struct view *view, const struct house_series *series);
const char *view_node_label(const struct house_node *node);
/* What people call a device; its name where nobody gave it another. */
const char *view_device_label(const struct house_device *device);
/* What people call a series within its node. buf of HOUSE_LABEL_MAX * 2 + 16 bytes. */
enum { VIEW_LABEL_MAX = HOUSE_LABEL_MAX * 2 + 16 };
const char *view_series_label(const struct view *view, const struct house_series *series, char *buf);
/* The word of its colour: a class "q-WORD" and a token "--q-WORD" in style.css. */
const char *view_tint(const struct house_series *series);
/* Its unit as shown, "" without; and adds "unit" where there is one. */
const char *view_unit(const struct house_series *series);
void view_add_unit(const struct house_series *series, cJSON *to);
/* "/series/NODE/DEVICE/QUANTITY"; SERIES_TEXT_MAX + 16 bytes. */
const char *view_series_path(const struct series *series, char *buf);

cJSON *view_tile(const struct view *view, const struct house_series *series);
cJSON *view_control(const struct view *view, const struct house_series *series);

/* ---- view_node.c: a node ---- */
/* The panel of the overview and of the node's own page. */
cJSON *view_panel(const struct view *view, const struct house_node *node);
/* Adds is_online, is_warn or is_offline. */
void view_badge(const struct view *view, cJSON *json, const struct house_node *node);
cJSON *view_chip(const struct view *view, const struct house_node *node);
/* Version, uptime, clock ...; and a row per device. */
void view_facts(const struct view *view, const struct house_node *node, cJSON *to);
/* The newest temperature first, for a node in one word; NULL without a value. */
const struct house_series *view_foremost(const struct house_node *node);
bool view_needs_a_look(const struct view *view, const struct house_node *node);

/* ---- view_attention.c: what needs a look, worst first ---- */
/* Adds "attention" (left out when all is well), "headline" and "summary". */
void view_attention(const struct view *view, const struct house *house, cJSON *to);

/* ---- view_chart.c: a series through time ---- */
enum { VIEW_WITH_MAX = 6, VIEW_LEGEND_MAX = 12, VIEW_AXES_MAX = 2 };

struct view_range {
	const char *word;                               /* "last", "24h", "7d", "30d", "1y", "custom" */
	int64_t from_ms, to_ms;                         /* but for "last" */
	bool previous;                                  /* the span before is drawn too */
	const struct house_series *with[VIEW_WITH_MAX]; /* of other devices, to compare */
	size_t with_count;
};
/* Reads range, from and to of a query (NULL each when absent). Returns 0; -EINVAL for a span that is none (the range is then "last"). */
int view_range_parse(const char *range, const char *from, const char *to, int64_t now_ms, struct view_range *ret_range);

/* Reads "with" of a query: NODE/DEVICE/QUANTITY,...; what is no number or binary series of the house is left out. */
void view_range_with(const struct house *house, const char *with, struct view_range *range);
/* What a chart of a series shows: the series itself, the other number series of its device, those to compare with. Returns how many. */
size_t view_chart_series(const struct house_series *series, const struct view_range *range,
			 const struct house_series *list[VIEW_LEGEND_MAX]);

/* Adds "legend" (the series and the other number series of its device), "ranges", "stats", "figures" and the link of the CSV.
 * store   NULL when it can't be read: then only the live values
 * Returns 0, or the store's error. */
int view_chart(const struct view *view, struct store *store, const struct house_series *series, const struct view_range *range,
	       cJSON *to);
