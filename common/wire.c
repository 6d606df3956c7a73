/* Topics and readings, both ways. The usual payloads (a bare number; a flat object of value, time, unit and seq) are read without building a JSON
 * tree: that is what a flood consists of. Everything else goes through cJSON. */
#include "wire.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "unit.h"
#include "wire_json.h"

/* ---- topics --------------------------------------------------------------------------------------------------------------------- */

static const struct {
	enum wire_kind kind;
	const char *word;
} node_words[] = {
	{ WIRE_STATUS, "$status" },
	{ WIRE_INFO, "$info" },
	{ WIRE_HEALTH, "$health" },
	{ WIRE_STORED, "$stored" },
};

enum { LEVELS_MAX = 4, WORD_SHOWN = 40 };

struct level {
	const char *text;
	size_t len;
};

/* The levels below the base; 0 when there are more than the notation has. */
static size_t split(const char *rest, struct level *levels)
{
	size_t count = 0;

	for (;;) {
		size_t len = strcspn(rest, "/");

		if (count == LEVELS_MAX)
			return 0;
		levels[count++] = (struct level){ rest, len };
		if (!rest[len])
			return count;
		rest += len + 1;
	}
}

static bool level_is(const struct level *level, const char *word)
{
	return strlen(word) == level->len && memcmp(level->text, word, level->len) == 0;
}

static int bad_name(char *reason, const char *what, const struct level *level)
{
	char shown[WORD_SHOWN + 1];

	value_show(level->text, level->len, shown, sizeof(shown));
	if (strcmp(what, "quantity") == 0)
		snprintf(reason, READING_REASON_MAX, "quantity \"%s\": allowed is [a-z][a-z0-9_]{0,31}, and no name of the schema",
			 shown);
	else
		snprintf(reason, READING_REASON_MAX, "%s \"%s\": allowed is [a-z0-9][a-z0-9_-]{0,31}", what, shown);
	return -EINVAL;
}

static int take_word(const struct level *level, const char *what, char *ret_word, char *reason)
{
	bool valid = strcmp(what, "quantity") == 0 ? quantity_name_valid(level->text, level->len)
						   : series_name_valid(level->text, level->len);

	if (!valid)
		return bad_name(reason, what, level);
	memcpy(ret_word, level->text, level->len);
	ret_word[level->len] = '\0';
	return 0;
}

static int parse_node_topic(const struct level *levels, struct wire_topic *topic, char *reason)
{
	bool collector = level_is(&levels[0], "$collector");

	for (size_t i = 0; i < sizeof(node_words) / sizeof(*node_words); i++) {
		if (!level_is(&levels[1], node_words[i].word))
			continue;
		topic->kind = node_words[i].kind;
		if (!collector)
			return take_word(&levels[0], "node", topic->series.node, reason);
		if (topic->kind == WIRE_STATUS)
			topic->kind = WIRE_COLLECTOR_STATUS;
		else if (topic->kind == WIRE_HEALTH)
			topic->kind = WIRE_COLLECTOR_HEALTH;
		else
			topic->kind = WIRE_OTHER;
		return topic->kind == WIRE_OTHER ? -ENOENT : 0;
	}
	return -ENOENT;
}

int wire_parse_topic(const char *base, const char *text, struct wire_topic *ret_topic, char *reason)
{
	size_t base_len = strlen(base), count;
	struct level levels[LEVELS_MAX];
	int r;

	memset(ret_topic, 0, sizeof(*ret_topic));
	if (strncmp(text, base, base_len) != 0 || text[base_len] != '/')
		return -ENOENT;
	count = split(text + base_len + 1, levels);
	if (count == 2)
		return parse_node_topic(levels, ret_topic, reason);
	if (count == 4 && level_is(&levels[3], "set"))
		ret_topic->kind = WIRE_SET;
	else if (count == 4 && level_is(&levels[3], "result"))
		ret_topic->kind = WIRE_RESULT;
	else if (count == 3)
		ret_topic->kind = WIRE_READING;
	else
		return -ENOENT;
	r = take_word(&levels[0], "node", ret_topic->series.node, reason);
	if (r == 0)
		r = take_word(&levels[1], "device", ret_topic->series.device, reason);
	if (r == 0)
		r = take_word(&levels[2], "quantity", ret_topic->series.quantity, reason);
	return r;
}

const char *wire_format_topic(const char *base, enum wire_kind kind, const struct series *series, char *buf)
{
	char *end = buf + snprintf(buf, WIRE_BASE_MAX + 2, "%s/", base);
	char words[SERIES_TEXT_MAX + 1];

	switch (kind) {
	case WIRE_READING:
		strcpy(end, series_format(series, words));
		break;
	case WIRE_SET:
	case WIRE_RESULT:
		strcpy(stpcpy(end, series_format(series, words)), kind == WIRE_SET ? "/set" : "/result");
		break;
	case WIRE_STATUS:
	case WIRE_INFO:
	case WIRE_HEALTH:
	case WIRE_STORED:
		strcpy(stpcpy(stpcpy(end, series->node), "/"), node_words[kind - WIRE_STATUS].word);
		break;
	case WIRE_COLLECTOR_STATUS:
		strcpy(end, "$collector/$status");
		break;
	case WIRE_COLLECTOR_HEALTH:
		strcpy(end, "$collector/$health");
		break;
	case WIRE_OTHER:
		*end = '\0';
		break;
	}
	return buf;
}

/* ---- values --------------------------------------------------------------------------------------------------------------------- */

static int binary_word(const char *text, size_t len, double *ret_number)
{
	static const struct {
		const char *word;
		double number;
	} words[] = { { "on", 1 }, { "off", 0 }, { "true", 1 }, { "false", 0 }, { "open", 1 }, { "closed", 0 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i].word) == len && strncasecmp(words[i].word, text, len) == 0) {
			*ret_number = words[i].number;
			return 0;
		}
	return -EINVAL;
}

/* A value that came as text: a bare payload, or a JSON string. */
static int text_value(const struct quantity_info *info, const char *text, size_t len, bool bare, struct value *ret_value,
		      char *reason)
{
	char shown[WORD_SHOWN + 1];
	double number;

	if (info->kind == QUANTITY_KIND_TEXT) {
		if (value_of_text(text, len, ret_value) == 0)
			return 0;
		snprintf(reason, READING_REASON_MAX, "a text is at most %d bytes of UTF-8 without control characters",
			 VALUE_TEXT_MAX);
		return -EINVAL;
	}
	if (info->kind == QUANTITY_KIND_BINARY && binary_word(text, len, &number) == 0) {
		*ret_value = value_of_number(number);
		return 0;
	}
	if (bare && len > 0 && wire_scan_number(text, len, &number) == len) {
		*ret_value = value_of_number(number);
		return 0;
	}
	snprintf(reason, READING_REASON_MAX,
		 info->kind == QUANTITY_KIND_BINARY ? "\"%s\" is neither 1/0, true/false, on/off nor open/closed"
						    : "\"%s\" is not a finite number",
		 value_show(text, len, shown, sizeof(shown)));
	return -EINVAL;
}

static int json_value(const struct quantity_info *info, const cJSON *json, struct value *ret_value, char *reason)
{
	if (cJSON_IsString(json))
		return text_value(info, json->valuestring, strlen(json->valuestring), false, ret_value, reason);
	if (cJSON_IsBool(json) && info->kind == QUANTITY_KIND_BINARY)
		*ret_value = value_of_number(cJSON_IsTrue(json) ? 1 : 0);
	else if (cJSON_IsNumber(json) && isfinite(json->valuedouble) && info->kind != QUANTITY_KIND_TEXT)
		*ret_value = value_of_number(json->valuedouble);
	else {
		snprintf(reason, READING_REASON_MAX, "value is not %s",
			 info->kind == QUANTITY_KIND_TEXT ? "a string" : "a finite number");
		return -EINVAL;
	}
	return 0;
}

static int convert(const struct series *series, const char *unit, struct value *value, char *reason)
{
	enum quantity quantity = quantity_find(series->quantity);
	char units[96], shown[UNIT_MAX + 1];

	if (value->kind == VALUE_TEXT || !unit[0])
		return 0;
	if (unit_convert(quantity, unit, &value->number) == 0)
		return 0;
	snprintf(reason, READING_REASON_MAX, "unit \"%s\" is not known for %s; allowed: %s",
		 value_show(unit, strlen(unit), shown, sizeof(shown)), series->quantity, unit_list(quantity, units, sizeof(units)));
	return -EINVAL;
}

/* ---- readings ------------------------------------------------------------------------------------------------------------------- */

struct parse {
	const struct series *series;
	const struct quantity_info *info;
	wire_reading_fn fn;
	wire_refused_fn refused;
	void *context;
	int taken;
};

static int give(struct parse *parse, const struct reading *reading, const char *unit)
{
	int r = parse->fn(parse->context, reading, unit);

	if (r < 0)
		return r;
	parse->taken++;
	return 0;
}

static int json_time(const cJSON *json, int64_t *ret_ms, char *reason)
{
	if (!json) {
		*ret_ms = TIME_NONE;
		return 0;
	}
	if (cJSON_IsNumber(json) && fabs(json->valuedouble) <= 9007199254740992.0 &&
	    !(floor(json->valuedouble) < json->valuedouble)) {
		*ret_ms = (int64_t)json->valuedouble;
		return 0;
	}
	if (cJSON_IsString(json) && wire_parse_time(json->valuestring, ret_ms) == 0)
		return 0;
	snprintf(reason, READING_REASON_MAX, "time is neither whole milliseconds since 1970 nor RFC 3339 with a zone");
	return -EINVAL;
}

static int json_seq(const cJSON *json, int64_t *ret_seq, char *reason)
{
	*ret_seq = 0;
	if (!json)
		return 0;
	if (!cJSON_IsNumber(json) || json->valuedouble < 1 || json->valuedouble > 9007199254740992.0 ||
	    floor(json->valuedouble) < json->valuedouble) {
		snprintf(reason, READING_REASON_MAX, "seq is no whole number from 1 to 2^53");
		return -EINVAL;
	}
	*ret_seq = (int64_t)json->valuedouble;
	return 0;
}

static int json_reading(struct parse *parse, const cJSON *json, struct reading *reading, const char **ret_unit, char *reason)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
	const cJSON *unit = cJSON_GetObjectItemCaseSensitive(json, "unit");

	*ret_unit = "";
	if (!cJSON_IsObject(json) || !value) {
		snprintf(reason, READING_REASON_MAX, "no object with a \"value\"");
		return -EINVAL;
	}
	if (unit && (!cJSON_IsString(unit) || strlen(unit->valuestring) > UNIT_MAX)) {
		snprintf(reason, READING_REASON_MAX, "unit is not a string of at most %d bytes", UNIT_MAX);
		return -EINVAL;
	}
	if (unit)
		*ret_unit = unit->valuestring;
	if (json_value(parse->info, value, &reading->value, reason) < 0 ||
	    convert(parse->series, *ret_unit, &reading->value, reason) < 0 ||
	    json_time(cJSON_GetObjectItemCaseSensitive(json, "time"), &reading->time_ms, reason) < 0)
		return -EINVAL;
	return json_seq(cJSON_GetObjectItemCaseSensitive(json, "seq"), &reading->seq, reason);
}

static int take_element(struct parse *parse, const cJSON *json)
{
	struct reading reading = { .series = *parse->series };
	char reason[READING_REASON_MAX];
	const char *unit;
	char *text;

	if (json_reading(parse, json, &reading, &unit, reason) == 0)
		return give(parse, &reading, unit);
	text = cJSON_PrintUnformatted(json);
	parse->refused(parse->context, text ? text : "", text ? strlen(text) : 0, reason);
	cJSON_free(text);
	return 0;
}

static int take_json(struct parse *parse, const char *text, size_t len)
{
	const char *end = NULL;
	cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, false);
	int r = 0;

	/* A NUL inside would hide what follows from a C string. */
	if (!json || wire_skip_space(text, len, (size_t)(end - text)) != len || memchr(text, '\0', len)) {
		parse->refused(parse->context, text, len, "not valid JSON");
		cJSON_Delete(json);
		return 0;
	}
	if (cJSON_IsArray(json)) {
		const cJSON *element;

		cJSON_ArrayForEach(element, json)
		{
			r = take_element(parse, element);
			if (r < 0)
				break;
		}
	} else {
		r = take_element(parse, json);
	}
	cJSON_Delete(json);
	return r;
}

/* The flat object that nodes send. Returns 1 taken, 0 when it is anything else, or fn's error. */
static int take_flat(struct parse *parse, const char *text, size_t len)
{
	struct wire_flat flat;
	struct reading reading;
	char reason[READING_REASON_MAX];
	int r;

	if (parse->info->kind == QUANTITY_KIND_TEXT || !wire_scan_flat(text, len, &flat))
		return 0;
	reading = (struct reading){
		.series = *parse->series,
		.time_ms = flat.has_time ? flat.time_ms : TIME_NONE,
		.value = { .kind = VALUE_NUMBER, .number = flat.value },
		.seq = flat.seq,
	};
	if (convert(parse->series, flat.unit, &reading.value, reason) < 0)
		return 0; /* the slow way says why */
	r = give(parse, &reading, flat.unit);
	return r < 0 ? r : 1;
}

int wire_parse_readings(const struct series *series, const void *payload, size_t len, wire_reading_fn fn, wire_refused_fn refused,
			void *context)
{
	struct parse parse = { series, quantity_info_of(series->quantity), fn, refused, context, 0 };
	const char *text = payload;
	struct reading reading;
	char reason[READING_REASON_MAX];
	size_t start, end = len;
	int r;

	if (len > WIRE_PAYLOAD_MAX) {
		refused(context, text, len, "over 64 KiB");
		return 0;
	}
	start = wire_skip_space(text, len, 0);
	if (start < len && text[start] == '{') {
		r = take_flat(&parse, text, len);
		if (r == 0)
			r = take_json(&parse, text, len);
		return r < 0 ? r : parse.taken;
	}
	if (start < len && text[start] == '[' && (parse.info->kind != QUANTITY_KIND_TEXT || text[len - 1] == ']')) {
		r = take_json(&parse, text, len);
		return r < 0 ? r : parse.taken;
	}
	while (end > start && memchr(" \t\r\n", text[end - 1], 4))
		end--;
	reading = (struct reading){ .series = *series, .time_ms = TIME_NONE };
	if (text_value(parse.info, text + start, end - start, true, &reading.value, reason) < 0) {
		refused(context, text, len, reason);
		return 0;
	}
	r = give(&parse, &reading, "");
	return r < 0 ? r : parse.taken;
}

int wire_format_reading(const struct reading *reading, char *buf, size_t size)
{
	const char *unit = quantity_info_of(reading->series.quantity)->unit;
	char number[32];
	size_t len;

	if (reading->value.kind == VALUE_TEXT) {
		len = wire_put(buf, size, 0, "{\"value\":");
		len = wire_put_string(buf, size, len, reading->value.text);
	} else {
		value_format_number(reading->value.number, number);
		len = wire_put(buf, size, 0, "{\"value\":%s", number);
	}
	if (reading->time_ms != TIME_NONE)
		len = wire_put(buf, size, len, ",\"time\":%lld", (long long)reading->time_ms);
	if (unit[0])
		len = wire_put(buf, size, len, ",\"unit\":\"%s\"", unit);
	if (reading->seq > 0)
		len = wire_put(buf, size, len, ",\"seq\":%lld", (long long)reading->seq);
	len = wire_put(buf, size, len, "}");
	return len < size ? (int)len : -ENOSPC;
}

/* ---- for commands, which hold the same values ------------------------------------------------------------------------------------ */

int wire_bare_value(const struct series *series, const char *text, size_t len, struct value *ret_value, char *reason)
{
	return text_value(quantity_info_of(series->quantity), text, len, true, ret_value, reason);
}

int wire_json_value(const struct series *series, const cJSON *json, struct value *ret_value, char *reason)
{
	return json_value(quantity_info_of(series->quantity), json, ret_value, reason);
}
