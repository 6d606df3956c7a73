/* What nodes say of themselves: $info and $health. Anybody may publish them, so each word is looked at before it is kept. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "../common/wire.h"
#include "house_internal.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53: beyond it doubles skip whole numbers */

/* ---- words ------------------------------------------------------------------------------------------------------------------- */

static const cJSON *child(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Copies the string of a key as far as `max` bytes reach, without control characters and what is no UTF-8. Absent is "". */
void house_take_text(const cJSON *object, const char *key, char *ret_text, size_t max)
{
	const char *text = cJSON_GetStringValue(child(object, key));
	size_t size = text ? strlen(text) : 0, len = 0;
	struct value character;

	for (size_t at = 0, n; at < size; at += n) {
		for (n = 1; n <= 4 && n <= size - at && value_of_text(text + at, n, &character) < 0;)
			n++;
		if (n > 4 || n > size - at) {
			n = 1; /* a stray byte */
			continue;
		}
		if (len + n > max)
			break;
		memcpy(ret_text + len, text + at, n);
		len += n;
	}
	ret_text[len] = '\0';
}

/* A word that becomes part of an address (icon, driver): letters, digits, '_', '-'. */
static void take_word(const cJSON *object, const char *key, char *ret_word, size_t max)
{
	const char *word = cJSON_GetStringValue(child(object, key));
	size_t len = word ? strlen(word) : 0;

	ret_word[0] = '\0';
	if (len <= max && len > 0 && series_name_valid(word, len))
		strcpy(ret_word, word);
}

static bool take_number(const cJSON *object, const char *key, double *ret_number)
{
	const cJSON *json = child(object, key);

	if (!cJSON_IsNumber(json) || !isfinite(json->valuedouble))
		return false;
	*ret_number = json->valuedouble;
	return true;
}

int64_t house_take_whole(const cJSON *object, const char *key)
{
	double number;

	return take_number(object, key, &number) && number >= 0 && number <= WHOLE_MAX ? (int64_t)number : -1;
}

cJSON *house_parse_json(const char *json, size_t len)
{
	cJSON *object = len <= WIRE_PAYLOAD_MAX ? cJSON_ParseWithLength(json, len) : NULL;

	if (cJSON_IsObject(object))
		return object;
	cJSON_Delete(object);
	return NULL;
}

/* ---- $info ------------------------------------------------------------------------------------------------------------------- */

static enum house_output output_of(const cJSON *json)
{
	static const char *const words[] = {
		[HOUSE_SWITCH] = "switch", [HOUSE_RANGE] = "range", [HOUSE_TEXT] = "text", [HOUSE_BUTTON] = "button"
	};
	const char *word = cJSON_GetStringValue(child(json, "output"));

	for (int i = HOUSE_SWITCH; word && i <= HOUSE_BUTTON; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum house_output)i;
	return HOUSE_SENSOR;
}

/* The limits that $info gives, or for a slider those of the quantity. */
static void take_limits(const cJSON *json, struct house_series *series)
{
	double min = series->quantity->min, max = series->quantity->max, step = 0;
	bool given = take_number(json, "min", &min);

	given = take_number(json, "max", &max) || given;
	series->has_limits = (given || series->output == HOUSE_RANGE) && isfinite(min) && isfinite(max) && min < max;
	if (!series->has_limits)
		return;
	series->min = min;
	series->max = max;
	series->step = take_number(json, "step", &step) && step > 0 && step <= max - min ? step : 0;
}

static void take_quantity(struct house_entry *entry, const cJSON *json)
{
	struct house_series *series = &entry->series;
	double interval_s;

	entry->told = true;
	house_take_text(json, "label", series->label, HOUSE_LABEL_MAX);
	take_word(json, "icon", series->icon, HOUSE_ICON_MAX);
	if (!series->quantity->name[0])
		house_take_text(json, "unit", series->unit, UNIT_MAX);
	series->output = output_of(json);
	take_limits(json, series);
	series->confirm = cJSON_IsTrue(child(json, "confirm"));
	series->interval_ms = take_number(json, "interval", &interval_s) && interval_s > 0 && interval_s < WHOLE_MAX / 1000
				      ? (int64_t)(interval_s * 1000)
				      : 0;
}

static void take_device(struct house *house, const char *node, const cJSON *json)
{
	struct house_entry *entry = NULL;
	const cJSON *quantity;

	cJSON_ArrayForEach(quantity, child(json, "quantities"))
	{
		struct series name;
		int r;

		if (!cJSON_IsObject(quantity) || !quantity->string || series_make(node, json->string, quantity->string, &name) < 0)
			continue;
		entry = house_make_series(house, &name, &r);
		if (!entry)
			return;
		take_quantity(entry, quantity);
	}
	if (!entry)
		return; /* a device without quantities has nothing to show */
	house_take_text(json, "label", entry->series.device->label, HOUSE_LABEL_MAX);
	take_word(json, "icon", entry->series.device->icon, HOUSE_ICON_MAX);
	take_word(json, "driver", entry->series.device->driver, NAME_MAX_LEN);
}

/* A new $info replaces all of the one before: an output that it does not name any more is none. */
static void forget_info(struct house_node *node)
{
	for (struct house_device *device = node->devices; device; device = device->next) {
		device->label[0] = device->icon[0] = device->driver[0] = '\0';
		for (struct house_series *series = device->series; series; series = series->next) {
			struct house_entry *entry = (struct house_entry *)series;

			entry->told = false;
			series->label[0] = series->icon[0] = '\0';
			strcpy(series->unit, series->quantity->unit);
			series->output = HOUSE_SENSOR;
			series->has_limits = series->confirm = false;
			series->min = series->max = series->step = 0;
			series->interval_ms = 0;
		}
	}
}

int house_info(struct house *house, const char *name, const char *json, size_t len)
{
	cJSON *info = house_parse_json(json, len);
	struct house_node *node;
	const cJSON *device;
	int r = 0;

	node = info ? house_make_node(house, name, &r) : NULL;
	if (!node) {
		cJSON_Delete(info);
		return r;
	}
	forget_info(node);
	house_take_text(info, "label", node->label, HOUSE_LABEL_MAX);
	take_word(info, "icon", node->icon, HOUSE_ICON_MAX);
	house_take_text(info, "version", node->version, HOUSE_ICON_MAX);
	cJSON_ArrayForEach(device, child(info, "devices")) if (cJSON_IsObject(device) && device->string)
		take_device(house, name, device);
	house_take_rules(node, child(info, "rules"));
	house_forget_untold(house, node);
	node->has_info = true;
	house->revision++;
	cJSON_Delete(info);
	return 1;
}

/* ---- $health ----------------------------------------------------------------------------------------------------------------- */

static void take_fault(struct house_device *device, const cJSON *json)
{
	device->fault[0] = '\0';
	device->fault_since_ms = 0;
	if (!cJSON_IsFalse(child(json, "ok")))
		return;
	house_take_text(json, "error", device->fault, COMMAND_ERROR_MAX);
	if (!device->fault[0])
		strcpy(device->fault, "not ok");
	device->fault_since_ms = house_take_whole(json, "since");
	if (device->fault_since_ms < 0)
		device->fault_since_ms = 0;
}

int house_health(struct house *house, const char *name, const char *json, size_t len)
{
	cJSON *health = house_parse_json(json, len);
	const char *clock = cJSON_GetStringValue(child(health, "clock"));
	struct house_node *node;
	int r = 0;

	node = health ? house_make_node(house, name, &r) : NULL;
	if (!node) {
		cJSON_Delete(health);
		return r;
	}
	node->has_health = true;
	node->clock_synced = clock && strcmp(clock, "synced") == 0;
	node->uptime_s = house_take_whole(health, "uptime");
	node->outbox = house_take_whole(health, "outbox");
	node->oldest_ms = house_take_whole(health, "oldest");
	node->given_up = house_take_whole(health, "given_up");
	node->rss = house_take_whole(health, "rss");
	for (struct house_device *device = node->devices; device; device = device->next)
		take_fault(device, child(child(health, "devices"), device->name));
	house_take_rule_states(node, child(health, "rules"));
	house->revision++;
	cJSON_Delete(health);
	return 1;
}
