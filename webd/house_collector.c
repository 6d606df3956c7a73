/* What the collector says of itself. Anybody may publish it, as anything else. */
#include <cjson/cJSON.h>
#include <string.h>

#include "house_internal.h"

enum { RATE_MIN_MS = 500 }; /* two words closer than this tell no rate */

const struct house_collector *house_collector(const struct house *house)
{
	return &house->collector;
}

void house_collector_status(struct house *house, bool online, int64_t time_ms)
{
	struct house_collector *collector = &house->collector;

	if (collector->known && collector->online == online)
		return;
	collector->known = true;
	collector->online = online;
	collector->status_ms = time_ms;
	house->revision++;
}

void house_collector_health(struct house *house, const char *json, size_t len, int64_t now_ms)
{
	struct house_collector *collector = &house->collector;
	cJSON *health = house_parse_json(json, len);
	const char *store = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(health, "store"));
	int64_t stored, time_ms;

	if (!store) {
		cJSON_Delete(health);
		return;
	}
	stored = house_take_whole(health, "stored");
	time_ms = house_take_whole(health, "time");
	/* Readings a second since its word before, unless it has begun anew meanwhile. */
	if (time_ms - collector->time_ms >= RATE_MIN_MS && collector->time_ms > 0 && stored >= collector->stored)
		collector->rate = (double)(stored - collector->stored) * 1000 / (double)(time_ms - collector->time_ms);
	else if (stored < collector->stored)
		collector->rate = -1;
	collector->stored = stored;
	collector->time_ms = time_ms > 0 ? time_ms : now_ms;
	collector->uptime_s = house_take_whole(health, "uptime");
	collector->known_again = house_take_whole(health, "known");
	collector->rejected = house_take_whole(health, "rejected");
	collector->commits = house_take_whole(health, "commits");
	collector->has_health = true;
	collector->store_ok = strcmp(store, "ok") == 0;
	house_take_text(health, "error", collector->error, sizeof(collector->error) - 1);
	house->revision++;
	cJSON_Delete(health);
}
