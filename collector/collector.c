#include "collector.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/service.h"
#include "../common/wire.h"
#include "ingest.h"
#include "pace.h"
#include "receipts.h"
#include "repeats_store.h"
#include "wear.h"

enum {
	STORE_RETRY_MS = 2000,
	HEALTH_MS = 60000, /* at most this old while messages come */
	FRESH_MS = 25000,  /* without a store no ping can be written: a new connection in time instead */
	MAINTAIN_MS = 60000,
	MAINTAIN_NEXT_MS = 100,  /* between two slices of housekeeping */
	MAINTAIN_IDLE_MS = 5,    /* likewise, while nothing waits for a commit */
	MAINTAIN_LATE_MS = 1000, /* after the last late readings: until then charts do not show them */
	MAINTAIN_BUDGET_MS = 20,
};

struct collector {
	sd_event *event;
	sd_event_source *commit_timer, *retry_timer, *maintain_timer;
	const struct settings *settings;
	struct bus *bus;
	struct store *store; /* NULL while it can't be used */
	char store_error[STORE_ERROR_MAX];
	bool told_store; /* the log knows that it can't be used */
	struct ingest *ingest;
	struct receipts *receipts;
	struct repeats *repeats;
	struct wear *wear;
	struct pace pace;
	int64_t timer_ms; /* what commit_timer is set to; INT64_MAX: off */
	int64_t start_ms, health_ms, connected_ms, maintained_ms;
	int64_t late; /* late readings whose housekeeping is arranged */
	int64_t commits;
	bool maintain_due;
	char status_topic[WIRE_TOPIC_MAX + 1], health_topic[WIRE_TOPIC_MAX + 1];
};

static void arm(sd_event_source *timer, int64_t delay_ms, int64_t accuracy_ms)
{
	sd_event_source_set_time_relative(timer, (uint64_t)(delay_ms > 0 ? delay_ms : 0) * 1000);
	sd_event_source_set_time_accuracy(timer, (uint64_t)accuracy_ms * 1000);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* ---- what we say ---------------------------------------------------------------------------------------------------------------- */

static void publish_status(struct collector *collector, const char *status)
{
	struct bus_publication publication = {
		.topic = collector->status_topic,
		.payload = status,
		.len = strlen(status),
		.qos = 1,
		.retain = true,
	};

	bus_publish(collector->bus, &publication, NULL);
}

/* Of QoS 1, so that its acknowledgement proves ours: see repeats.h. Returns its id, -1 when it could not be sent. */
static int publish_health(struct collector *collector)
{
	const struct ingest_counts *counts = ingest_counts(collector->ingest);
	cJSON *json = cJSON_CreateObject();
	struct bus_publication publication = { .topic = collector->health_topic, .qos = 1, .retain = true };
	char *text;
	int id = -1;

	cJSON_AddStringToObject(json, "store", collector->store ? "ok" : "error");
	if (!collector->store)
		cJSON_AddStringToObject(json, "error", collector->store_error);
	cJSON_AddNumberToObject(json, "time", (double)clock_wall_ms());
	cJSON_AddNumberToObject(json, "uptime", (double)((clock_boot_ms() - collector->start_ms) / 1000));
	cJSON_AddNumberToObject(json, "stored", (double)counts->stored);
	cJSON_AddNumberToObject(json, "known", (double)counts->known);
	cJSON_AddNumberToObject(json, "rejected", (double)counts->rejected);
	cJSON_AddNumberToObject(json, "commits", (double)collector->commits);
	text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	if (!text)
		return -1;
	publication.payload = text;
	publication.len = strlen(text);
	if (bus_publish(collector->bus, &publication, &id) < 0)
		id = -1;
	cJSON_free(text);
	if (collector->store)
		service_status("%lld readings stored, %lld refused", (long long)counts->stored, (long long)counts->rejected);
	else
		service_status("%s", collector->store_error);
	collector->health_ms = clock_boot_ms();
	return id;
}

static void send_receipt(void *context, const char *node, const struct wire_range *ranges, size_t count)
{
	struct collector *collector = context;
	struct series series = { 0 };
	char topic[WIRE_TOPIC_MAX + 1];
	char payload[RECEIPTS_RANGES_MAX * 44 + 16];
	int len = wire_format_receipt(ranges, count, payload, sizeof(payload));
	struct bus_publication publication = { .topic = topic, .payload = payload, .qos = 1 };

	if (len < 0)
		return;
	strncpy(series.node, node, NAME_MAX_LEN);
	wire_format_topic(collector->settings->bus.base, WIRE_STORED, &series, topic);
	publication.len = (size_t)len;
	bus_publish(collector->bus, &publication, NULL); /* lost: the node sends again and is told then */
}

/* ---- the store ------------------------------------------------------------------------------------------------------------------ */

/* Nothing of the open batch counts: it is not acknowledged, so the broker keeps it for when the store is mended. */
static void give_up_store(struct collector *collector, const char *error)
{
	bool news = !collector->told_store;

	snprintf(collector->store_error, sizeof(collector->store_error), "%s", error);
	if (news)
		log_error("%s; nothing is acknowledged until it is mended", collector->store_error);
	collector->told_store = true;
	store_close(collector->store);
	collector->store = NULL;
	repeats_rolled_back(collector->repeats);
	receipts_clear(collector->receipts);
	arm(collector->retry_timer, STORE_RETRY_MS, 100);
	/* To say so: this connection may not write any more. */
	if (news || clock_boot_ms() - collector->connected_ms >= FRESH_MS)
		bus_reconnect(collector->bus, 0);
}

static int open_store(struct collector *collector)
{
	const struct settings *settings = collector->settings;
	char error[STORE_ERROR_MAX];
	int r = store_open(settings->store_url, STORE_WRITE, &collector->store, error);

	if (r < 0) {
		collector->store = NULL;
		give_up_store(collector, error);
		return r;
	}
	store_set_keep(collector->store, settings->keeps, settings->keep_count);
	repeats_restore(collector->repeats, collector->store);
	wear_load(collector->wear, collector->store);
	if (collector->told_store)
		log_info("%s: can be used again", settings->store_url);
	collector->told_store = false;
	return 0;
}

static int on_retry_store(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct collector *collector = userdata;

	(void)source;
	(void)now_us;
	if (open_store(collector) == 0)
		bus_reconnect(collector->bus, 0); /* the broker delivers what was not acknowledged */
	return 0;
}

static void maintain(struct collector *collector)
{
	int r = store_maintain(collector->store, clock_wall_ms(), MAINTAIN_BUDGET_MS);

	collector->maintain_due = false;
	collector->maintained_ms = clock_boot_ms();
	if (r < 0) {
		give_up_store(collector, store_error(collector->store));
		return;
	}
	if (r == 0)
		arm(collector->maintain_timer, MAINTAIN_MS, 5000);
	else
		arm(collector->maintain_timer, collector->pace.waiting ? MAINTAIN_NEXT_MS : MAINTAIN_IDLE_MS, 5);
}

/* Brings the housekeeping forward, unless late readings have put it off for long enough. */
static void note_late(struct collector *collector)
{
	int64_t late = ingest_counts(collector->ingest)->late;

	if (late == collector->late)
		return;
	collector->late = late;
	if (clock_boot_ms() - collector->maintained_ms < MAINTAIN_MS)
		arm(collector->maintain_timer, MAINTAIN_LATE_MS, 100);
}

static int on_maintain(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct collector *collector = userdata;

	(void)source;
	(void)now_us;
	if (collector->store && !store_dirty(collector->store))
		maintain(collector);
	else
		collector->maintain_due = true;
	return 0;
}

/* Store first, acknowledge then: the one place where both happen. */
static void commit(struct collector *collector)
{
	int64_t begun_ms = clock_boot_ms();
	int marker = -1, r;

	if (!collector->store)
		return;
	r = repeats_save(collector->repeats, collector->store);
	if (r >= 0 && store_dirty(collector->store)) {
		r = wear_note(collector->wear, collector->store);
		if (r >= 0)
			r = store_commit(collector->store);
		collector->commits++;
	}
	if (r < 0) {
		give_up_store(collector, store_error(collector->store));
		return;
	}
	receipts_send(collector->receipts, send_receipt, collector);
	pace_committed(&collector->pace, begun_ms, clock_boot_ms());
	if (repeats_unproven(collector->repeats) || clock_boot_ms() - collector->health_ms >= HEALTH_MS)
		marker = publish_health(collector);
	repeats_committed(collector->repeats, marker);
	bus_flush(collector->bus);
	note_late(collector);
	if (collector->maintain_due)
		maintain(collector);
}

/* ---- the bus -------------------------------------------------------------------------------------------------------------------- */

static void on_connected(void *context, bool session_present)
{
	struct collector *collector = context;

	collector->connected_ms = clock_boot_ms();
	pace_connected(&collector->pace);
	repeats_connected(collector->repeats, session_present);
	publish_status(collector, "online");
	publish_health(collector);
	/* Now, before anything is read: without a store there is no later moment to write. */
	bus_flush(collector->bus);
}

static void on_disconnected(void *context, const char *reason)
{
	struct collector *collector = context;

	(void)reason;
	if (collector->store && collector->pace.waiting)
		commit(collector); /* what is delivered again is then known */
	pace_connected(&collector->pace);
}

static void on_message(void *context, const struct bus_message *message)
{
	struct collector *collector = context;
	int64_t now_ms = clock_wall_ms();
	int r;

	if (!collector->store)
		return;
	r = ingest_message(collector->ingest, collector->store, message, now_ms);
	if (r == -ENOBUFS) {
		commit(collector);
		if (!collector->store)
			return;
		r = ingest_message(collector->ingest, collector->store, message, now_ms);
	}
	if (r == -ENOBUFS) {
		bus_reconnect(collector->bus, 0); /* it does not answer our markers: begin anew */
		return;
	}
	if (r < 0) {
		give_up_store(collector, store_error(collector->store));
		return;
	}
	if (message->qos > 0 || store_dirty(collector->store))
		pace_message(&collector->pace, clock_boot_ms(), message->qos > 0);
}

static void commit_when_due(struct collector *collector)
{
	int64_t due_ms = pace_due_ms(&collector->pace);
	int64_t now_ms = clock_boot_ms();

	if (due_ms <= now_ms) {
		commit(collector);
		due_ms = pace_due_ms(&collector->pace);
	}
	/* A timer that comes too early looks again; only one that would come too late is set anew. */
	if (due_ms < collector->timer_ms) {
		collector->timer_ms = due_ms;
		arm(collector->commit_timer, due_ms - now_ms, 5);
	}
}

static int on_commit_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct collector *collector = userdata;

	(void)source;
	(void)now_us;
	collector->timer_ms = INT64_MAX;
	commit_when_due(collector);
	return 0;
}

static void on_received(void *context)
{
	struct collector *collector = context;

	if (!collector->store)
		return;
	if (!collector->pace.waiting)
		bus_flush(collector->bus); /* nothing is held: pings and the like may go */
	else
		commit_when_due(collector);
}

static void on_acknowledged(void *context, int id)
{
	repeats_acknowledged(((struct collector *)context)->repeats, id);
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

static int add_timers(struct collector *collector)
{
	const uint64_t far_us = (uint64_t)MAINTAIN_MS * 1000;
	int r = sd_event_add_time_relative(collector->event, &collector->commit_timer, CLOCK_BOOTTIME, far_us, 0, on_commit_timer,
					   collector);

	if (r >= 0)
		r = sd_event_add_time_relative(collector->event, &collector->retry_timer, CLOCK_BOOTTIME, far_us, 0, on_retry_store,
					       collector);
	if (r >= 0)
		r = sd_event_add_time_relative(collector->event, &collector->maintain_timer, CLOCK_BOOTTIME, far_us / 10, 0,
					       on_maintain, collector);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(collector->commit_timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(collector->retry_timer, SD_EVENT_OFF);
	return 0;
}

static int open_bus(struct collector *collector)
{
	static const struct bus_handlers handlers = {
		.connected = on_connected,
		.disconnected = on_disconnected,
		.message = on_message,
		.acknowledged = on_acknowledged,
		.received = on_received,
	};
	const struct settings *settings = collector->settings;
	struct bus_options options = {
		.client_id = "foyer-collector",
		.persistent = true,
		.hold_acks = true,
		.receive_max = settings->batch,
		.will_topic = collector->status_topic,
		.will_payload = "offline",
	};
	char filter[WIRE_BASE_MAX + 3];
	int r;

	wire_format_topic(settings->bus.base, WIRE_COLLECTOR_STATUS, &(struct series){ 0 }, collector->status_topic);
	wire_format_topic(settings->bus.base, WIRE_COLLECTOR_HEALTH, &(struct series){ 0 }, collector->health_topic);
	r = bus_open(collector->event, &settings->bus, &options, &handlers, collector, &collector->bus);
	if (r < 0)
		return r;
	snprintf(filter, sizeof(filter), "%s/#", settings->bus.base);
	return bus_subscribe(collector->bus, filter, 1, BUS_RETAINED_WHEN_NEW);
}

int collector_open(sd_event *event, const struct settings *settings, struct collector **ret_collector)
{
	struct collector *collector = calloc(1, sizeof(*collector));
	int r = -ENOMEM;

	if (!collector)
		return -ENOMEM;
	collector->event = sd_event_ref(event);
	collector->settings = settings;
	collector->timer_ms = INT64_MAX;
	collector->start_ms = collector->maintained_ms = clock_boot_ms();
	pace_init(&collector->pace, settings->commit_interval_ms, (unsigned)settings->batch);
	collector->receipts = receipts_open();
	collector->repeats = repeats_open();
	collector->wear = wear_open();
	collector->ingest = ingest_open(settings->bus.base, collector->receipts, collector->repeats);
	if (!collector->receipts || !collector->repeats || !collector->wear || !collector->ingest)
		goto fail;
	r = add_timers(collector);
	if (r < 0)
		goto fail;
	open_store(collector);
	r = open_bus(collector);
	if (r < 0)
		goto fail;
	*ret_collector = collector;
	return 0;
fail:
	collector_close(collector);
	return r;
}

void collector_reload(struct collector *collector)
{
	const struct settings *settings = collector->settings;

	collector->pace.interval_ms = settings->commit_interval_ms;
	if (collector->store)
		store_set_keep(collector->store, settings->keeps, settings->keep_count);
}

void collector_close(struct collector *collector)
{
	if (!collector)
		return;
	if (collector->bus) {
		commit(collector);
		if (collector->store) {
			publish_status(collector, "offline");
			bus_flush(collector->bus);
		}
	}
	bus_close(collector->bus);
	store_close(collector->store);
	ingest_close(collector->ingest);
	repeats_close(collector->repeats);
	wear_close(collector->wear);
	receipts_close(collector->receipts);
	sd_event_source_disable_unref(collector->commit_timer);
	sd_event_source_disable_unref(collector->retry_timer);
	sd_event_source_disable_unref(collector->maintain_timer);
	sd_event_unref(collector->event);
	free(collector);
}
