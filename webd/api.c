#include "api.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

enum { LATEST_MAX = 1000 }; /* series asked for at once */

/* ---- nodes and values -------------------------------------------------------------------------------------------------------- */

static void add_text_if(struct buffer *out, const char *key, const char *text)
{
	if (text[0])
		json_add_text_of(out, key, text);
}

static void add_number_of(struct buffer *out, const char *key, double number)
{
	json_add_key(out, key);
	json_add_number(out, number);
}

static void add_newest(struct buffer *out, const struct house_series *series)
{
	if (!series->has_value)
		return;
	json_add_whole_of(out, "time", series->time_ms);
	json_add_key(out, "value");
	json_add_value(out, &series->value);
}

static void add_quantity(struct buffer *out, const struct house_series *series)
{
	static const char *const outputs[] = { "", "switch", "range", "text", "button" };
	static const char *const kinds[] = { "number", "binary", "text" };

	json_add_comma(out);
	buffer_add_char(out, '{');
	json_add_text_of(out, "quantity", series->name.quantity);
	add_text_if(out, "label", series->label);
	add_text_if(out, "icon", series->icon);
	json_add_text_of(out, "kind", kinds[series->quantity->kind]);
	json_add_text_of(out, "unit", series->unit);
	add_text_if(out, "output", outputs[series->output]);
	if (series->has_limits) {
		add_number_of(out, "min", series->min);
		add_number_of(out, "max", series->max);
	}
	if (series->step > 0)
		add_number_of(out, "step", series->step);
	if (series->confirm) {
		json_add_key(out, "confirm");
		buffer_add_text(out, "true");
	}
	if (series->interval_ms)
		add_number_of(out, "interval", (double)series->interval_ms / 1000);
	add_newest(out, series);
	buffer_add_char(out, '}');
}

static void add_device(struct buffer *out, const struct house_device *device)
{
	json_add_comma(out);
	buffer_add_char(out, '{');
	json_add_text_of(out, "name", device->name);
	add_text_if(out, "label", device->label);
	add_text_if(out, "icon", device->icon);
	add_text_if(out, "driver", device->driver);
	if (device->fault[0]) {
		json_add_text_of(out, "error", device->fault);
		json_add_whole_of(out, "error_since", device->fault_since_ms);
	}
	json_add_key(out, "quantities");
	buffer_add_char(out, '[');
	for (const struct house_series *series = device->series; series; series = series->next)
		add_quantity(out, series);
	buffer_add_text(out, "]}");
}

static void add_node(struct buffer *out, const struct house_node *node)
{
	json_add_comma(out);
	buffer_add_char(out, '{');
	json_add_text_of(out, "name", node->name);
	add_text_if(out, "label", node->label);
	add_text_if(out, "icon", node->icon);
	add_text_if(out, "version", node->version);
	json_add_text_of(out, "status", !node->known_status ? "unknown" : node->online ? "online" : "offline");
	if (node->known_status)
		json_add_whole_of(out, "since", node->status_ms);
	if (node->seen_ms)
		json_add_whole_of(out, "seen", node->seen_ms);
	json_add_key(out, "devices");
	buffer_add_char(out, '[');
	for (const struct house_device *device = node->devices; device; device = device->next)
		add_device(out, device);
	buffer_add_text(out, "]}");
}

void api_nodes(const struct house *house, struct http_request *request)
{
	struct buffer out = BUFFER_EMPTY;

	buffer_add_text(&out, "{\"nodes\":[");
	for (const struct house_node *node = house_nodes(house); node; node = node->next)
		add_node(&out, node);
	buffer_add_text(&out, "]}");
	http_reply_tagged(request, "application/json", &out);
}

typedef void (*series_fn)(struct buffer *out, const struct house_series *series);

static void each_value(const struct house *house, series_fn fn, struct buffer *out)
{
	for (const struct house_node *node = house_nodes(house); node; node = node->next)
		for (const struct house_device *device = node->devices; device; device = device->next)
			for (const struct house_series *series = device->series; series; series = series->next)
				if (series->has_value)
					fn(out, series);
}

static void add_latest(struct buffer *out, const struct house_series *series)
{
	json_add_comma(out);
	buffer_add_char(out, '{');
	json_add_text_of(out, "node", series->name.node);
	json_add_text_of(out, "device", series->name.device);
	json_add_text_of(out, "quantity", series->name.quantity);
	json_add_text_of(out, "unit", series->unit);
	add_newest(out, series);
	buffer_add_char(out, '}');
}

/* One by one, in the order asked for; 404 for one that nobody knows. */
static bool add_asked(const struct house *house, const char *asked, struct buffer *out, struct http_request *request)
{
	size_t count = 0;

	for (const char *at = asked; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		size_t len = strcspn(at, ",");
		const struct house_series *series;
		struct series name;

		if (++count > LATEST_MAX || series_parse(at, len, &name) < 0) {
			http_error(request, 400, "series: wanted are NODE/DEVICE/QUANTITY, at most %d with commas between",
				   LATEST_MAX);
			return false;
		}
		series = house_series(house, &name);
		if (!series) {
			http_error(request, 404, "no such series: %.*s", (int)len, at);
			return false;
		}
		if (series->has_value)
			add_latest(out, series);
	}
	return true;
}

void api_latest(const struct house *house, struct http_request *request)
{
	const char *asked = http_query(request, "series");
	struct buffer out = BUFFER_EMPTY;

	buffer_add_text(&out, "{\"series\":[");
	if (!asked) {
		each_value(house, add_latest, &out);
	} else if (!add_asked(house, asked, &out, request)) {
		buffer_done(&out);
		return;
	}
	buffer_add_text(&out, "]}");
	http_reply_tagged(request, "application/json", &out);
}

/* ---- figures ----------------------------------------------------------------------------------------------------------------- */

static void add_head(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Names hold nothing that would need an escape. */
static void add_sample(struct buffer *out, const char *metric, const struct house_series *series, double number)
{
	char text[32];

	if (series->value.kind == VALUE_TEXT)
		return;
	value_format_number(number, text);
	buffer_printf(out, "%s{node=\"%s\",device=\"%s\",quantity=\"%s\"} %s\n", metric, series->name.node, series->name.device,
		      series->name.quantity, text);
}

static void add_reading(struct buffer *out, const struct house_series *series)
{
	add_sample(out, "foyer_reading", series, series->value.number);
}

static void add_reading_time(struct buffer *out, const struct house_series *series)
{
	add_sample(out, "foyer_reading_time_seconds", series, (double)series->time_ms / 1000);
}

static void add_nodes(const struct house *house, struct buffer *out)
{
	add_head(out, "foyer_node_up", "gauge", "Whether the node says that it is online.");
	for (const struct house_node *node = house_nodes(house); node; node = node->next)
		if (node->known_status)
			buffer_printf(out, "foyer_node_up{node=\"%s\"} %d\n", node->name, node->online);
	add_head(out, "foyer_node_outbox", "gauge", "Readings that the node keeps until they are receipted.");
	for (const struct house_node *node = house_nodes(house); node; node = node->next)
		if (node->outbox >= 0)
			buffer_printf(out, "foyer_node_outbox{node=\"%s\"} %lld\n", node->name, (long long)node->outbox);
}

static void add_figure(struct buffer *out, const char *name, const char *type, const char *help, uint64_t number)
{
	add_head(out, name, type, help);
	buffer_printf(out, "%s %llu\n", name, (unsigned long long)number);
}

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*s %lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void api_metrics(const struct house *house, const struct api_state *state, struct http_request *request)
{
	struct buffer out = BUFFER_EMPTY;

	add_head(&out, "foyer_reading", "gauge", "Newest value of a series, in its quantity's unit.");
	each_value(house, add_reading, &out);
	add_head(&out, "foyer_reading_time_seconds", "gauge", "When that value was read, seconds since 1970.");
	each_value(house, add_reading_time, &out);
	add_nodes(house, &out);
	add_figure(&out, "foyer_broker_up", "gauge", "Whether webd is connected to the broker.", state->broker_up);
	add_figure(&out, "foyer_store_up", "gauge", "Whether webd can read the store.", !state->store_error[0]);
	add_figure(&out, "foyer_collector_up", "gauge", "Whether the collector stores what comes.", !state->collector_error[0]);
	if (house_collector(house)->stored >= 0 && house_collector(house)->has_health) {
		add_figure(&out, "foyer_collector_stored_total", "counter", "Readings stored since the collector started.",
			   (uint64_t)house_collector(house)->stored);
		add_figure(&out, "foyer_collector_rejected_total", "counter", "Readings refused since the collector started.",
			   (uint64_t)(house_collector(house)->rejected > 0 ? house_collector(house)->rejected : 0));
	}
	add_figure(&out, "foyer_http_requests_total", "counter", "Requests answered.", state->requests);
	add_figure(&out, "foyer_http_connections", "gauge", "Open connections.", state->connections);
	add_figure(&out, "foyer_live_listeners", "gauge", "Browsers that listen to the event stream.", state->listeners);
	add_figure(&out, "process_resident_memory_bytes", "gauge", "Resident memory of webd.", resident_bytes());
	http_reply_buffer(request, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}

void api_health(const struct api_state *state, struct http_request *request)
{
	bool well = state->broker_up && !state->store_error[0] && !state->collector_error[0];
	struct buffer out = BUFFER_EMPTY;

	if (well)
		buffer_add_text(&out, "ok\n");
	if (!state->broker_up)
		buffer_add_text(&out, "broker: does not answer\n");
	if (state->store_error[0])
		buffer_printf(&out, "store: %s\n", state->store_error);
	if (state->collector_error[0])
		buffer_printf(&out, "collector: %s\n", state->collector_error);
	http_reply_buffer(request, well ? 200 : 503, "text/plain; charset=utf-8", &out);
}
