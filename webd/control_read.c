#include "control_read.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "../common/wire_json.h"

unsigned control_refuse(struct control_outcome *outcome, unsigned status, const char *text)
{
	outcome->status = status;
	snprintf(outcome->error, sizeof(outcome->error), "%s", text);
	return status;
}

static bool read_words(const cJSON *json, struct control_outcome *outcome)
{
	const char *words[3];
	static const char *const keys[] = { "node", "device", "quantity" };

	for (size_t i = 0; i < 3; i++) {
		words[i] = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, keys[i]));
		if (!words[i]) {
			snprintf(outcome->error, sizeof(outcome->error),
				 "\"%s\" is missing or no string; wanted: {\"node\",\"device\",\"quantity\",\"value\"}", keys[i]);
			outcome->status = 400;
			return false;
		}
	}
	if (series_make(words[0], words[1], words[2], &outcome->command.series) == 0)
		return true;
	control_refuse(outcome, 404, "no such output: names are [a-z0-9][a-z0-9_-]{0,31}");
	return false;
}

static unsigned read_command(const cJSON *json, struct control_outcome *outcome)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
	char reason[READING_REASON_MAX];

	if (!cJSON_IsObject(json))
		return control_refuse(outcome, 400, "the body is no JSON object {\"node\",\"device\",\"quantity\",\"value\"}");
	if (!read_words(json, outcome))
		return outcome->status;
	if (!value)
		return control_refuse(outcome, 400, "\"value\" is missing");
	if (wire_json_value(&outcome->command.series, value, &outcome->command.value, reason) < 0)
		return control_refuse(outcome, 400, reason);
	return 0;
}

unsigned control_read_json(const char *body, size_t len, struct control_outcome *outcome)
{
	/* A NUL would hide what follows it. */
	cJSON *json = strlen(body) == len ? cJSON_ParseWithOpts(body, NULL, true) : NULL;
	unsigned status = read_command(json, outcome);

	cJSON_Delete(json);
	return status;
}

unsigned control_read_form(const struct http_request *request, struct control_outcome *outcome)
{
	const char *node = http_form(request, "node"), *device = http_form(request, "device");
	const char *quantity = http_form(request, "quantity"), *value = http_form(request, "value");
	char reason[READING_REASON_MAX];

	if (!node || !device || !quantity || !value)
		return control_refuse(outcome, 400, "a form has node, device, quantity and value");
	if (series_make(node, device, quantity, &outcome->command.series) < 0)
		return control_refuse(outcome, 404, "no such output: names are [a-z0-9][a-z0-9_-]{0,31}");
	if (wire_bare_value(&outcome->command.series, value, strlen(value), &outcome->command.value, reason) < 0)
		return control_refuse(outcome, 400, reason);
	return 0;
}

void control_read_back(const struct http_request *request, char *ret_back)
{
	const char *given = http_form(request, "back");
	char *query, *at;

	snprintf(ret_back, CONTROL_BACK_MAX + 1, "%s",
		 given && given[0] == '/' && given[1] != '/' && given[1] != '\\' && strlen(given) <= CONTROL_BACK_MAX ? given
														      : "/");
	ret_back[strcspn(ret_back, "#")] = '\0';
	query = strchr(ret_back, '?');
	at = query ? strstr(query, "outcome=") : NULL;
	if (at && (at[-1] == '?' || at[-1] == '&')) /* ours is always the last */
		at[-1] = '\0';
}
