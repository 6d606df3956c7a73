/* The cameras: each picture, live while somebody looks at it. */
#include <stdio.h>
#include <string.h>

#include "pages_internal.h"
#include "wording.h"

static void add_motion(const struct pages *pages, const struct view *view, const char *device, cJSON *json)
{
	char name[SERIES_TEXT_MAX + 1];
	const struct house_series *series;
	struct series key;

	snprintf(name, sizeof(name), "%s/motion", device);
	series = series_parse(name, strlen(name), &key) == 0 ? house_series(pages->settings.house, &key) : NULL;
	if (!series || !series->has_value)
		return;
	cJSON_AddStringToObject(json, "motion_series", name);
	cJSON_AddBoolToObject(json, "moving", series->value.number != 0);
	view_time(view, json, "motion", series->time_ms);
}

cJSON *pages_camera(const struct pages *pages, const struct view *view, const struct camera *camera)
{
	struct camera_state state = camera_state(camera);
	const struct camera_settings *settings = state.settings;
	cJSON *json = cJSON_CreateObject();
	char rate[WORDING_MAX];

	cJSON_AddStringToObject(json, "name", settings->name);
	cJSON_AddStringToObject(json, "label", settings->label ? settings->label : settings->name);
	if (state.since_ms) {
		cJSON_AddTrueToObject(json, "away");
		cJSON_AddStringToObject(json, "error", state.error);
		view_time(view, json, "since", state.since_ms);
	}
	view_time(view, json, "picture", state.picture_ms);
	if (state.up && state.rate > 0) {
		wording_number(view->language, state.rate, state.rate < 10, rate);
		view_fill(view, json, "rate", "cam_rate", (const struct strings_word[]){ { "n", rate }, { 0 } });
	}
	if (settings->device)
		add_motion(pages, view, settings->device, json);
	return json;
}

void pages_cameras(struct pages *pages, struct http_request *request)
{
	struct visit visit = pages_visit(pages, request);
	cJSON *data, *list;

	if (reader_choose(request))
		return;
	data = pages_data(pages, request, &visit);
	cJSON_AddTrueToObject(data, "is_cameras");
	cJSON_AddStringToObject(data, "headline", view_text(&visit.view, "cameras"));
	list = cJSON_AddArrayToObject(data, "cameras");
	for (const struct camera *camera = cameras_first(pages->settings.cameras); camera; camera = camera_next(camera))
		cJSON_AddItemToArray(list, pages_camera(pages, &visit.view, camera));
	cJSON_AddBoolToObject(data, "nothing", cJSON_GetArraySize(list) == 0);
	pages_reply(pages, request, 200, "cameras", data);
}
