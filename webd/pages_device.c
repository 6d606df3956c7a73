/* One device: what it measures and what it obeys, each as large as it deserves, and what it last did. */
#include <stdio.h>
#include <string.h>

#include "pages_internal.h"
#include "wording.h"

static const struct house_device *find(const struct house *house, const char *node_name, const char *name)
{
	const struct house_node *node = node_name ? house_node(house, node_name) : NULL;
	const struct house_device *device = node ? node->devices : NULL;

	while (device && name && strcmp(device->name, name) != 0)
		device = device->next;
	return name ? device : NULL;
}

static void add_series(const struct view *view, const struct house_device *device, cJSON *data)
{
	cJSON *tiles = cJSON_AddArrayToObject(data, "tiles"), *controls = cJSON_AddArrayToObject(data, "controls");
	cJSON *links = cJSON_AddArrayToObject(data, "links");
	char path[SERIES_TEXT_MAX + 16];

	for (const struct house_series *series = device->series; series; series = series->next) {
		const char *quantity = wording_quantity(view->language, series->quantity);
		cJSON *link = cJSON_CreateObject();

		cJSON_AddItemToArray(series->output == HOUSE_SENSOR ? tiles : controls,
				     series->output == HOUSE_SENSOR ? view_tile(view, series) : view_control(view, series));
		cJSON_AddItemToArray(links, link);
		cJSON_AddStringToObject(link, "href", view_series_path(&series->name, path));
		cJSON_AddStringToObject(link, "text",
					series->label[0] ? series->label
					: quantity[0]    ? quantity
							 : series->name.quantity);
	}
	cJSON_AddBoolToObject(data, "has_tiles", cJSON_GetArraySize(tiles) > 0);
	cJSON_AddBoolToObject(data, "has_controls", cJSON_GetArraySize(controls) > 0);
}

static void add_fact(const struct view *view, cJSON *facts, const char *key, const char *value)
{
	cJSON *fact = cJSON_CreateObject();

	cJSON_AddItemToArray(facts, fact);
	cJSON_AddStringToObject(fact, "name", view_text(view, key));
	cJSON_AddStringToObject(fact, "value", value);
}

static void add_facts(const struct view *view, const struct house_device *device, cJSON *data)
{
	cJSON *facts = cJSON_AddArrayToObject(data, "facts");
	char text[NAME_MAX_LEN * 2 + 4], span[WORDING_MAX];
	int64_t interval_ms = 0;

	snprintf(text, sizeof(text), "%s/%s", device->node->name, device->name);
	add_fact(view, facts, "fact_name", text);
	if (device->driver[0])
		add_fact(view, facts, "fact_driver", device->driver);
	for (const struct house_series *series = device->series; series; series = series->next)
		interval_ms = series->interval_ms > interval_ms ? series->interval_ms : interval_ms;
	if (interval_ms >= 1000)
		add_fact(view, facts, "fact_interval", wording_span(view->strings, view->language, interval_ms, span));
	if (device->fault[0]) {
		cJSON_AddStringToObject(data, "fault", device->fault);
		view_time(view, data, "fault_since", device->fault_since_ms);
	}
}

/* The camera whose device it is, if the configuration says so. */
static void add_camera(const struct pages *pages, const struct view *view, const struct house_device *device, cJSON *data)
{
	char name[NAME_MAX_LEN * 2 + 2];

	snprintf(name, sizeof(name), "%s/%s", device->node->name, device->name);
	for (const struct camera *camera = pages->settings.cameras ? cameras_first(pages->settings.cameras) : NULL; camera;
	     camera = camera_next(camera)) {
		const char *own = camera_state(camera).settings->device;

		if (own && strcmp(own, name) == 0)
			cJSON_AddItemToObject(data, "camera", pages_camera(pages, view, camera));
	}
}

void pages_device(struct pages *pages, struct http_request *request)
{
	const struct house_device *device = find(pages->settings.house, http_param(request, "node"), http_param(request, "device"));
	struct visit visit;
	char path[NAME_MAX_LEN + 8];
	cJSON *data;

	if (!device) {
		http_error(request, 404, "no such device");
		return;
	}
	if (reader_choose(request))
		return;
	visit = pages_visit(pages, request);
	data = pages_data(pages, request, &visit);
	snprintf(path, sizeof(path), "/node/%.*s", NAME_MAX_LEN, device->node->name);
	cJSON_AddTrueToObject(data, "is_device");
	cJSON_AddStringToObject(data, "headline", view_device_label(device));
	cJSON_AddStringToObject(data, "node_href", path);
	cJSON_AddStringToObject(data, "node_label", view_node_label(device->node));
	cJSON_AddStringToObject(data, "part", device->node->name);
	cJSON_AddBoolToObject(data, "is_offline", device->node->known_status && !device->node->online);
	if (device->node->known_status && !device->node->online)
		view_time(&visit.view, data, "offline", device->node->status_ms);
	add_series(&visit.view, device, data);
	add_facts(&visit.view, device, data);
	add_camera(pages, &visit.view, device, data);
	pages_device_log(pages, &visit, device, data);
	pages_reply(pages, request, 200, "device", data);
}
