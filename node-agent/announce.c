#include "announce.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/clock.h"
#include "../common/service.h"
#include "../common/wire.h"
#include "rules.h"

static void publish(struct bus *bus, const struct settings *settings, enum wire_kind kind, const char *payload, int qos)
{
	char topic[WIRE_TOPIC_MAX + 1];
	struct series series = { 0 };
	struct bus_publication publication = { .payload = payload, .len = strlen(payload), .qos = qos, .retain = true };

	strncat(series.node, settings->name, NAME_MAX_LEN);
	publication.topic = wire_format_topic(settings->bus.base, kind, &series, topic);
	bus_publish(bus, &publication, NULL);
}

static void publish_json(struct bus *bus, const struct settings *settings, enum wire_kind kind, cJSON *json, int qos)
{
	char *text = cJSON_PrintUnformatted(json);

	if (text)
		publish(bus, settings, kind, text, qos);
	cJSON_free(text);
	cJSON_Delete(json);
}

static void add_text(cJSON *json, const char *key, const char *text)
{
	if (text && text[0])
		cJSON_AddStringToObject(json, key, text);
}

static void add_channel(cJSON *quantities, const struct channel *channel)
{
	static const char *const outputs[] = { NULL, "switch", "range", "text", "button" };
	cJSON *json = cJSON_AddObjectToObject(quantities, channel->series.quantity);

	add_text(json, "label", channel->label);
	add_text(json, "icon", channel->icon);
	add_text(json, "unit", channel->info->unit);
	if (channel->beat_ms > 0)
		cJSON_AddNumberToObject(json, "interval", (double)channel->beat_ms / 1000);
	add_text(json, "output", outputs[channel->output]);
	if (channel->output == OUTPUT_RANGE) {
		cJSON_AddNumberToObject(json, "min", channel->min);
		cJSON_AddNumberToObject(json, "max", channel->max);
		cJSON_AddNumberToObject(json, "step", channel->step);
	}
	if (channel->confirm)
		cJSON_AddTrueToObject(json, "confirm");
}

/* What the node does by itself. */
static void add_rules(cJSON *json, const struct settings *settings)
{
	cJSON *rules = settings->rules ? cJSON_AddObjectToObject(json, "rules") : NULL;

	for (const struct rule *rule = settings->rules; rule; rule = rule->next) {
		cJSON *entry = cJSON_AddObjectToObject(rules, rule->name);

		add_text(entry, "when", rule->when_text);
		add_text(entry, "then", rule->then_text);
		add_text(entry, "else", rule->otherwise_text);
		add_text(entry, "times", rule->times_text);
	}
}

void announce_info(struct bus *bus, const struct settings *settings)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *devices;
	char boot[CLOCK_BOOT_MAX + 1];

	add_text(json, "label", settings->label ? settings->label : settings->name);
	add_text(json, "icon", settings->icon);
	cJSON_AddStringToObject(json, "version", foyer_version);
	cJSON_AddNumberToObject(json, "protocol", WIRE_PROTOCOL);
	add_text(json, "boot", clock_boot_name(boot));
	devices = cJSON_AddObjectToObject(json, "devices");
	for (const struct device *device = settings->devices; device; device = device->next) {
		cJSON *entry = cJSON_AddObjectToObject(devices, device->name);
		cJSON *quantities;

		add_text(entry, "label", device->label);
		add_text(entry, "icon", device->icon);
		add_text(entry, "stream", device->stream);
		cJSON_AddStringToObject(entry, "driver", device->driver->name);
		quantities = cJSON_AddObjectToObject(entry, "quantities");
		for (size_t i = 0; i < device->channel_count + device->derived_count; i++)
			add_channel(quantities, &device->channels[i]);
	}
	add_rules(json, settings);
	publish_json(bus, settings, WIRE_INFO, json, 1);
}

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void add_outbox(cJSON *json, const struct outbox *outbox)
{
	struct outbox_counts counts = outbox_counts(outbox);

	cJSON_AddStringToObject(json, "clock", counts.clock);
	cJSON_AddNumberToObject(json, "outbox", (double)counts.waiting);
	cJSON_AddNumberToObject(json, "spilled", (double)counts.spilled);
	cJSON_AddNumberToObject(json, "oldest", counts.oldest_ms == TIME_NONE ? 0 : (double)counts.oldest_ms);
	cJSON_AddNumberToObject(json, "given_up", (double)counts.given_up);
	if (counts.estimated > 0)
		cJSON_AddNumberToObject(json, "estimated", (double)counts.estimated);
	add_text(json, "outbox_error", counts.trouble);
}

/* The series that should have news and have none. */
static void add_silent(cJSON *json, const struct sampler *sampler, const struct device *device)
{
	cJSON *list = cJSON_AddArrayToObject(json, "silent");

	for (size_t i = 0; i < device->channel_count + device->derived_count; i++)
		if (sampler_silent(sampler, &device->channels[i]))
			cJSON_AddItemToArray(list, cJSON_CreateString(device->channels[i].series.quantity));
}

/* Whether rules are active, and what keeps them from acting. */
static void add_rule_states(cJSON *json, const struct settings *settings)
{
	cJSON *rules = settings->rules ? cJSON_AddObjectToObject(json, "rules") : NULL;
	int64_t now_ms = clock_boot_ms();

	for (const struct rule *rule = settings->rules; rule; rule = rule->next) {
		cJSON *entry = cJSON_AddObjectToObject(rules, rule->name);

		if (rule->is_event || rule->truth != TRUTH_UNKNOWN)
			cJSON_AddBoolToObject(entry, "active", rule->truth == TRUTH_TRUE);
		if (rule->since_ms > 0)
			cJSON_AddNumberToObject(entry, "since", (double)rule->since_ms);
		if (rule_held_ms(rule) > now_ms)
			cJSON_AddNumberToObject(entry, "held_until", (double)(clock_wall_ms() + rule_held_ms(rule) - now_ms));
		if (rule->paused_ms > now_ms)
			cJSON_AddTrueToObject(entry, "paused");
		if (rule->fault_from_ms > 0)
			cJSON_AddTrueToObject(entry, "fault");
	}
}

void announce_health(struct bus *bus, const struct settings *settings, const struct sampler *sampler, const struct outbox *outbox)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *devices;

	cJSON_AddNumberToObject(json, "uptime", (double)(clock_boot_ms() / 1000));
	add_outbox(json, outbox);
	cJSON_AddNumberToObject(json, "rss", resident_bytes());
	devices = cJSON_AddObjectToObject(json, "devices");
	for (const struct device *device = settings->devices; device; device = device->next) {
		cJSON *entry = cJSON_AddObjectToObject(devices, device->name);
		int64_t since_ms;
		const char *fault = sampler_fault(sampler, device, &since_ms);

		cJSON_AddBoolToObject(entry, "ok", !fault[0]);
		if (fault[0]) {
			cJSON_AddStringToObject(entry, "error", fault);
			cJSON_AddNumberToObject(entry, "since", (double)since_ms);
			add_silent(entry, sampler, device);
		}
	}
	add_rule_states(json, settings);
	publish_json(bus, settings, WIRE_HEALTH, json, 0);
}

void announce_status(struct bus *bus, const struct settings *settings, const char *status)
{
	publish(bus, settings, WIRE_STATUS, status, 1);
}
