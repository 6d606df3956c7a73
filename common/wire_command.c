/* Commands, results, receipts and status, both ways. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "wire.h"
#include "wire_json.h"

/* Copies a JSON string that fits and is clean; false otherwise. Absent is "". */
static bool take_string(const cJSON *json, char *ret_text, size_t max)
{
	struct value checked;

	ret_text[0] = '\0';
	if (!json)
		return true;
	if (!cJSON_IsString(json) || strlen(json->valuestring) > max ||
	    value_of_text(json->valuestring, strlen(json->valuestring), &checked) < 0)
		return false;
	strcpy(ret_text, json->valuestring);
	return true;
}

static int parse_json_command(const cJSON *json, struct command *command, char *reason)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");

	if (!take_string(cJSON_GetObjectItemCaseSensitive(json, "id"), command->id, COMMAND_ID_MAX) ||
	    !take_string(cJSON_GetObjectItemCaseSensitive(json, "by"), command->by, COMMAND_BY_MAX)) {
		snprintf(reason, READING_REASON_MAX, "id and by are texts of at most %d bytes", COMMAND_ID_MAX);
		return -EINVAL;
	}
	if (!value) {
		snprintf(reason, READING_REASON_MAX, "a command is a value or an object with a \"value\"");
		return -EINVAL;
	}
	return wire_json_value(&command->series, value, &command->value, reason);
}

int wire_parse_command(const struct series *series, const void *payload, size_t len, struct command *ret_command, char *reason)
{
	struct command command = { .series = *series };
	const char *text = payload;
	size_t start, end = len;
	int r;

	*ret_command = command;
	if (len > WIRE_PAYLOAD_MAX) {
		snprintf(reason, READING_REASON_MAX, "over 64 KiB");
		return -EINVAL;
	}
	start = wire_skip_space(text, len, 0);
	if (start < len && text[start] == '{' && !memchr(text, '\0', len)) {
		cJSON *json = cJSON_ParseWithLength(text, len);

		if (json) {
			r = parse_json_command(json, &command, reason);
			cJSON_Delete(json);
			*ret_command = command;
			return r;
		}
	}
	while (end > start && memchr(" \t\r\n", text[end - 1], 4))
		end--;
	r = wire_bare_value(series, text + start, end - start, &command.value, reason);
	*ret_command = command;
	return r;
}

static size_t put_value(char *buf, size_t size, size_t len, const struct value *value)
{
	char number[32];

	if (value->kind == VALUE_TEXT)
		return wire_put_string(buf, size, len, value->text);
	value_format_number(value->number, number);
	return wire_put(buf, size, len, "%s", number);
}

int wire_format_command(const struct command *command, char *buf, size_t size)
{
	size_t len = put_value(buf, size, wire_put(buf, size, 0, "{\"value\":"), &command->value);

	if (command->id[0])
		len = wire_put_string(buf, size, wire_put(buf, size, len, ",\"id\":"), command->id);
	if (command->by[0])
		len = wire_put_string(buf, size, wire_put(buf, size, len, ",\"by\":"), command->by);
	len = wire_put(buf, size, len, "}");
	return len < size ? (int)len : -ENOSPC;
}

static int read_result(const cJSON *json, struct command_result *result)
{
	const cJSON *ok = cJSON_GetObjectItemCaseSensitive(json, "ok");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
	const cJSON *time = cJSON_GetObjectItemCaseSensitive(json, "time");
	char reason[READING_REASON_MAX];

	if (!cJSON_IsBool(ok) || !take_string(cJSON_GetObjectItemCaseSensitive(json, "id"), result->id, COMMAND_ID_MAX) ||
	    !take_string(cJSON_GetObjectItemCaseSensitive(json, "error"), result->error, COMMAND_ERROR_MAX))
		return -EINVAL;
	result->ok = cJSON_IsTrue(ok);
	result->has_value = value && wire_json_value(&result->series, value, &result->value, reason) == 0;
	result->time_ms =
		cJSON_IsNumber(time) && fabs(time->valuedouble) <= 9007199254740992.0 ? (int64_t)time->valuedouble : TIME_NONE;
	return 0;
}

int wire_parse_result(const struct series *series, const void *payload, size_t len, struct command_result *ret_result)
{
	struct command_result result = { .series = *series };
	cJSON *json = len <= WIRE_PAYLOAD_MAX ? cJSON_ParseWithLength(payload, len) : NULL;
	int r = cJSON_IsObject(json) ? read_result(json, &result) : -EINVAL;

	cJSON_Delete(json);
	if (r == 0)
		*ret_result = result;
	return r;
}

int wire_format_result(const struct command_result *result, char *buf, size_t size)
{
	size_t len = wire_put(buf, size, 0, "{");

	if (result->id[0]) {
		len = wire_put_string(buf, size, wire_put(buf, size, len, "\"id\":"), result->id);
		len = wire_put(buf, size, len, ",");
	}
	len = wire_put(buf, size, len, "\"ok\":%s", result->ok ? "true" : "false");
	if (result->has_value)
		len = put_value(buf, size, wire_put(buf, size, len, ",\"value\":"), &result->value);
	if (!result->ok)
		len = wire_put_string(buf, size, wire_put(buf, size, len, ",\"error\":"), result->error);
	if (result->time_ms != TIME_NONE)
		len = wire_put(buf, size, len, ",\"time\":%lld", (long long)result->time_ms);
	len = wire_put(buf, size, len, "}");
	return len < size ? (int)len : -ENOSPC;
}

/* ---- receipts ------------------------------------------------------------------------------------------------------------------- */

static bool read_range(const cJSON *json, struct wire_range *range)
{
	const cJSON *first = cJSON_GetArrayItem(json, 0), *last = cJSON_GetArrayItem(json, 1);

	if (cJSON_GetArraySize(json) != 2 || !cJSON_IsNumber(first) || !cJSON_IsNumber(last) || first->valuedouble < 1 ||
	    last->valuedouble < first->valuedouble || last->valuedouble > 9007199254740992.0)
		return false;
	range->first = (int64_t)first->valuedouble;
	range->last = (int64_t)last->valuedouble;
	return true;
}

int wire_parse_receipt(const void *payload, size_t len, struct wire_range *ret_ranges, size_t max)
{
	cJSON *json = len <= WIRE_PAYLOAD_MAX ? cJSON_ParseWithLength(payload, len) : NULL;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "seq");
	const cJSON *element;
	size_t count = 0;
	int r = cJSON_IsArray(list) ? 0 : -EINVAL;

	cJSON_ArrayForEach(element, list)
	{
		if (count == max)
			r = -ENOSPC;
		else if (!read_range(element, &ret_ranges[count]))
			r = -EINVAL;
		if (r < 0)
			break;
		count++;
	}
	cJSON_Delete(json);
	return r < 0 ? r : (int)count;
}

int wire_format_receipt(const struct wire_range *ranges, size_t count, char *buf, size_t size)
{
	size_t len = wire_put(buf, size, 0, "{\"seq\":[");

	for (size_t i = 0; i < count; i++)
		len = wire_put(buf, size, len, "%s[%lld,%lld]", i ? "," : "", (long long)ranges[i].first,
			       (long long)ranges[i].last);
	len = wire_put(buf, size, len, "]}");
	return len < size ? (int)len : -ENOSPC;
}

int wire_parse_status(const void *payload, size_t len, bool *ret_online)
{
	if (len == 6 && memcmp(payload, "online", 6) == 0)
		*ret_online = true;
	else if (len == 7 && memcmp(payload, "offline", 7) == 0)
		*ret_online = false;
	else
		return -EINVAL;
	return 0;
}
