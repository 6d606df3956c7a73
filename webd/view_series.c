/* One series: as a tile with its newest value, or as a control with what became of the last wish. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view.h"
#include "wording.h"

bool view_is_stale(const struct view *view, const struct house_series *series)
{
	return series->output == HOUSE_SENSOR && series->quantity->kind != QUANTITY_KIND_TEXT && series->has_value &&
	       series->interval_ms > 0 && view->now_ms - series->time_ms > series->interval_ms * VIEW_STALE_INTERVALS;
}

const char *view_node_label(const struct house_node *node)
{
	return node->own_label[0] ? node->own_label : node->label[0] ? node->label : node->name;
}

const char *view_device_label(const struct house_device *device)
{
	return device->label[0] ? device->label : device->name;
}

/* Whether a neighbour that stands among the same kind (tiles, or controls) would be called the same. */
static bool is_ambiguous(const struct house_series *series)
{
	for (const struct house_device *device = series->device->node->devices; device; device = device->next)
		for (const struct house_series *other = device->series; other; other = other->next)
			if (other != series && other->device != series->device && !other->label[0] &&
			    (other->output == HOUSE_SENSOR) == (series->output == HOUSE_SENSOR) &&
			    !strcmp(other->name.quantity, series->name.quantity))
				return true;
	return false;
}

static bool is_alone(const struct house_series *series)
{
	return series->device->series == series && !series->next;
}

const char *view_series_label(const struct view *view, const struct house_series *series, char *buf)
{
	const char *quantity = wording_quantity(view->language, series->quantity);
	const char *device = view_device_label(series->device);

	if (!quantity[0])
		quantity = series->name.quantity;
	if (series->label[0])
		snprintf(buf, VIEW_LABEL_MAX, "%s", series->label);
	else if (is_alone(series) && (series->device->label[0] || series->output != HOUSE_SENSOR))
		snprintf(buf, VIEW_LABEL_MAX, "%s", device);
	else if (series->output != HOUSE_SENSOR || is_ambiguous(series))
		snprintf(buf, VIEW_LABEL_MAX, "%s · %s", device, quantity);
	else
		snprintf(buf, VIEW_LABEL_MAX, "%s", quantity);
	return buf;
}

const char *view_tint(const struct house_series *series)
{
	switch (quantity_find(series->name.quantity)) {
	case QUANTITY_TEMPERATURE:
	case QUANTITY_DEW_POINT:
		return "temperature";
	case QUANTITY_HUMIDITY:
	case QUANTITY_ABSOLUTE_HUMIDITY:
	case QUANTITY_MOISTURE:
	case QUANTITY_VOLUME:
	case QUANTITY_RAIN:
		return "humidity";
	case QUANTITY_PRESSURE:
	case QUANTITY_SEA_LEVEL_PRESSURE:
	case QUANTITY_VOLTAGE:
		return "pressure";
	case QUANTITY_ILLUMINANCE:
		return "light";
	case QUANTITY_DISTANCE:
	case QUANTITY_CURRENT:
	case QUANTITY_LEVEL:
	case QUANTITY_POSITION:
		return "distance";
	case QUANTITY_MOTION:
		return "motion";
	case QUANTITY_POWER:
	case QUANTITY_ENERGY:
	case QUANTITY_SWITCH:
	case QUANTITY_BUTTON:
		return "power";
	case QUANTITY_CO2:
	case QUANTITY_BATTERY:
		return "air";
	case QUANTITY_BADGE:
	case QUANTITY_TEXT:
		return "badge";
	case QUANTITY_NONE:
	case QUANTITY_CONTACT:
	case QUANTITY_RSSI:
	case QUANTITY_COUNTER:
	case QUANTITY_LOAD:
	case QUANTITY_MEMORY:
	case QUANTITY_DISK:
	case QUANTITY_COUNT:
		return "contact";
	}
	return "contact";
}

const char *view_unit(const struct house_series *series)
{
	return series->unit[0] ? series->unit : series->quantity->unit ? series->quantity->unit : "";
}

void view_add_unit(const struct house_series *series, cJSON *to)
{
	if (series->quantity->kind == QUANTITY_KIND_NUMBER && view_unit(series)[0])
		cJSON_AddStringToObject(to, "unit", view_unit(series));
}

const char *view_series_path(const struct series *series, char *buf)
{
	char name[SERIES_TEXT_MAX + 1];

	snprintf(buf, SERIES_TEXT_MAX + 16, "/series/%s", series_format(series, name));
	return buf;
}

static void add_name(cJSON *json, const struct series *series)
{
	char text[SERIES_TEXT_MAX + 16];

	cJSON_AddStringToObject(json, "series", series_format(series, text));
	cJSON_AddStringToObject(json, "href", view_series_path(series, text));
}

/* An open door looks open, whatever symbol it was given. */
static const char *icon_of(const struct view *view, const struct house_series *series)
{
	const char *own = series->icon[0] ? series->icon : series->device->icon;
	const char *usual = view_icon(view, own, series->quantity->icon, "chart");

	if (series->has_value && series->value.number != 0 && !strcmp(usual, "door") &&
	    series->quantity->kind == QUANTITY_KIND_BINARY)
		return view_icon(view, "door-open", NULL, usual);
	return usual;
}

static void add_words(const struct view *view, cJSON *json, const struct house_series *series)
{
	bool french = view->language == LANGUAGE_FR;
	const char *on = french ? series->quantity->on_fr : series->quantity->on_en;
	const char *off = french ? series->quantity->off_fr : series->quantity->off_en;

	cJSON_AddStringToObject(json, "on_word", on ? on : "1");
	cJSON_AddStringToObject(json, "off_word", off ? off : "0");
}

static bool shown_as_word(const struct house_series *series)
{
	return series->quantity->kind != QUANTITY_KIND_NUMBER || (series->has_value && series->value.kind == VALUE_TEXT);
}

static void add_value(const struct view *view, cJSON *json, const struct house_series *series)
{
	char text[VALUE_TEXT_MAX + 1];
	bool word = shown_as_word(series);

	cJSON_AddBoolToObject(json, "word", word);
	cJSON_AddBoolToObject(json, "has_value", series->has_value);
	cJSON_AddStringToObject(json, "value",
				series->has_value ? wording_value(view->language, series->quantity, &series->value, text) : "–");
	if (series->has_value && word && !text[0])
		cJSON_ReplaceItemInObject(json, "value", cJSON_CreateString(view_text(view, "empty_text")));
	if (!word)
		view_add_unit(series, json);
	cJSON_AddNumberToObject(json, "dec", wording_decimals(series->quantity));
	if (series->quantity->kind == QUANTITY_KIND_BINARY)
		add_words(view, json, series);
}

cJSON *view_tile(const struct view *view, const struct house_series *series)
{
	cJSON *json = cJSON_CreateObject();
	char label[VIEW_LABEL_MAX], span[WORDING_MAX];
	enum quantity_kind kind = series->quantity->kind;
	bool offline = series->device->node->known_status && !series->device->node->online;
	bool dated = series->has_value && !series->time_guessed;
	bool stale = view_is_stale(view, series) || (offline && dated && kind != QUANTITY_KIND_TEXT);

	add_name(json, &series->name);
	cJSON_AddStringToObject(json, "tint", view_tint(series));
	cJSON_AddStringToObject(json, "icon", icon_of(view, series));
	cJSON_AddStringToObject(json, "label", view_series_label(view, series, label));
	add_value(view, json, series);
	cJSON_AddBoolToObject(json, "binary", kind == QUANTITY_KIND_BINARY);
	cJSON_AddBoolToObject(json, "spark",
			      kind != QUANTITY_KIND_TEXT && !(series->has_value && series->value.kind == VALUE_TEXT));
	if (series->interval_ms > 0 && kind != QUANTITY_KIND_TEXT)
		cJSON_AddNumberToObject(json, "stale_s", ceil((double)(series->interval_ms * VIEW_STALE_INTERVALS) / 1000));
	cJSON_AddBoolToObject(json, "stale", stale);
	view_time(view, json, "time", dated ? series->time_ms : 0);
	cJSON_AddStringToObject(json, "undated", view_text(view, series->has_value ? "unknown_age" : "no_value"));
	if (stale) {
		wording_span(view->strings, view->language, view->now_ms - series->time_ms, span);
		view_fill(view, json, "silent", "ui_silent", (struct strings_word[]){ { "span", span }, { 0 } });
	}
	return json;
}

/* ---- controls ------------------------------------------------------------------------------------------------------------------- */

static void add_outcome(const struct view *view, cJSON *json, const struct house_series *series)
{
	const struct control_outcome *outcome = view->outcome;
	char key[16], text[COMMAND_ERROR_MAX + 64];
	bool ok;

	if (!outcome || !series_equal(&outcome->command.series, &series->name))
		return;
	ok = outcome->status == 200 && !outcome->error[0];
	cJSON_AddStringToObject(json, "state", ok ? "ok" : "failed");
	snprintf(key, sizeof(key), "ui_%u", outcome->status);
	if (ok && outcome->latency_ms >= 0)
		snprintf(text, sizeof(text), "%s · %" PRId64 " ms", view_text(view, "ui_done"), outcome->latency_ms);
	else if (ok)
		snprintf(text, sizeof(text), "%s", view_text(view, "ui_done"));
	else if (outcome->status == 404 || outcome->status == 409 || outcome->status == 503 || outcome->status == 504)
		snprintf(text, sizeof(text), "%s", view_text(view, key));
	else
		strings_fill(view_text(view, "ui_refused"), (struct strings_word[]){ { "reason", outcome->error }, { 0 } }, text,
			     sizeof(text));
	cJSON_AddStringToObject(json, "said", text);
}

static void add_range(cJSON *json, const struct house_series *series)
{
	double min = series->has_limits ? series->min : 0, max = series->has_limits ? series->max : 100;

	cJSON_AddNumberToObject(json, "min", min);
	cJSON_AddNumberToObject(json, "max", max);
	cJSON_AddNumberToObject(json, "step", series->step > 0 ? series->step : 1);
	cJSON_AddNumberToObject(json, "at", series->has_value ? series->value.number : min);
	cJSON_AddBoolToObject(json, "lamp", !strcmp(series->name.quantity, "level"));
}

/* The line below its name: what holds it up, or the state and how old that is. */
static void add_status(const struct view *view, cJSON *json, const struct house_series *series, bool offline)
{
	char text[VALUE_TEXT_MAX + 1];
	const char *status = NULL;

	if (offline)
		status = view_text(view, "ui_409");
	else if (!view->may_operate && series->output == HOUSE_BUTTON)
		status = view_text(view, "may_not");
	else if (series->output == HOUSE_BUTTON && series->confirm)
		status = view_text(view, "twice");
	else if (!series->has_value && series->output != HOUSE_BUTTON)
		status = view_text(view, "no_value");
	else if (series->output == HOUSE_SWITCH)
		status = wording_value(view->language, series->quantity, &series->value, text);
	if (status)
		cJSON_AddStringToObject(json, "status", status);
	cJSON_AddBoolToObject(json, "status_time",
			      !offline && series->has_value && !series->time_guessed &&
				      !(series->output == HOUSE_BUTTON && series->confirm));
}

static void add_kind(const struct view *view, cJSON *json, const struct house_series *series)
{
	static const char *const kinds[] = { "sensor", "switch", "range", "text", "button" };
	bool on = series->has_value && series->value.kind == VALUE_NUMBER && series->value.number != 0;

	cJSON_AddStringToObject(json, "kind", kinds[series->output]);
	cJSON_AddBoolToObject(json, "has_input", series->output == HOUSE_RANGE || series->output == HOUSE_TEXT);
	switch (series->output) {
	case HOUSE_SWITCH:
		cJSON_AddTrueToObject(json, "is_switch");
		cJSON_AddBoolToObject(json, "on", on);
		cJSON_AddBoolToObject(json, "lit", on);
		cJSON_AddStringToObject(json, "verb", view_text(view, on ? "switch_off" : "switch_on"));
		break;
	case HOUSE_RANGE:
		cJSON_AddTrueToObject(json, "is_range");
		add_range(json, series);
		cJSON_AddBoolToObject(json, "lit", on && !strcmp(series->name.quantity, "level"));
		break;
	case HOUSE_TEXT:
		cJSON_AddTrueToObject(json, "is_text");
		cJSON_AddStringToObject(json, "text",
					series->has_value && series->value.kind == VALUE_TEXT ? series->value.text : "");
		break;
	case HOUSE_BUTTON:
		cJSON_AddTrueToObject(json, "is_button");
		break;
	case HOUSE_SENSOR:
		break;
	}
}

cJSON *view_control(const struct view *view, const struct house_series *series)
{
	const struct house_node *node = series->device->node;
	bool offline = node->known_status && !node->online;
	cJSON *json = cJSON_CreateObject();
	char label[VIEW_LABEL_MAX];

	add_name(json, &series->name);
	cJSON_AddStringToObject(json, "node", series->name.node);
	cJSON_AddStringToObject(json, "device", series->name.device);
	cJSON_AddStringToObject(json, "quantity", series->name.quantity);
	cJSON_AddStringToObject(json, "back", view->back);
	cJSON_AddStringToObject(json, "icon", icon_of(view, series));
	cJSON_AddStringToObject(json, "label", view_series_label(view, series, label));
	add_value(view, json, series);
	add_kind(view, json, series);
	add_status(view, json, series, offline);
	cJSON_AddBoolToObject(json, "confirm", series->confirm);
	cJSON_AddBoolToObject(json, "offline", offline);
	cJSON_AddBoolToObject(json, "barred", offline || !view->may_operate);
	view_time(view, json, "time", series->has_value ? series->time_ms : 0);
	add_outcome(view, json, series);
	return json;
}
