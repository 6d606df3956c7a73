#include "agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/service.h"
#include "../common/wire.h"
#include "announce.h"
#include "backfill.h"
#include "hardware.h"
#include "outbox.h"

enum { BACKFILL_MS = 20, HEALTH_SOON_MS = 200 };

struct agent {
	sd_event *event;
	sd_event_source *health_timer, *backfill_timer;
	const struct settings *settings;
	struct bus *bus;
	struct outbox *outbox;
	struct hardware *hardware;
	struct backfill backfill;
	char status_topic[WIRE_TOPIC_MAX + 1], client_id[NAME_MAX_LEN + 16];
};

static void arm(sd_event_source *timer, int64_t delay_ms, int64_t accuracy_ms)
{
	sd_event_source_set_time_relative(timer, (uint64_t)delay_ms * 1000);
	sd_event_source_set_time_accuracy(timer, (uint64_t)accuracy_ms * 1000);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* ---- readings and health -------------------------------------------------------------------------------------------------------- */

static void on_reading(void *context, const struct channel *channel, int64_t time_ms, const struct value *value)
{
	outbox_add(((struct agent *)context)->outbox, channel, time_ms, value, true);
}

/* Soon, so that ten faults of one bus are told in one message. */
static void on_health_change(void *context)
{
	arm(((struct agent *)context)->health_timer, HEALTH_SOON_MS, 50);
}

static int on_health_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct agent *agent = userdata;
	int64_t interval_ms = agent->settings->health_interval_ms;

	(void)now_us;
	if (bus_connected(agent->bus))
		announce_health(agent->bus, agent->settings, hardware_sampler(agent->hardware), agent->outbox);
	arm(source, interval_ms, interval_ms / 20);
	return 0;
}

static int on_backfill_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct agent *agent = userdata;

	(void)now_us;
	if (!bus_connected(agent->bus))
		return 0; /* goes on with the connection */
	if (backfill_step(&agent->backfill, agent->outbox))
		arm(source, BACKFILL_MS, 1);
	else
		hardware_start(agent->hardware);
	return 0;
}

/* ---- the bus -------------------------------------------------------------------------------------------------------------------- */

static void on_connected(void *context, bool session_present)
{
	struct agent *agent = context;

	(void)session_present;
	announce_status(agent->bus, agent->settings, "online");
	announce_info(agent->bus, agent->settings);
	outbox_connected(agent->outbox);
	hardware_broker(agent->hardware, true);
	arm(agent->health_timer, HEALTH_SOON_MS, 50);
	if (agent->backfill.device)
		arm(agent->backfill_timer, BACKFILL_MS, 1);
	service_status("connected to %s:%d", agent->settings->bus.host, agent->settings->bus.port);
}

static void on_disconnected(void *context, const char *reason)
{
	struct agent *agent = context;

	outbox_disconnected(agent->outbox);
	hardware_broker(agent->hardware, false);
	service_status("no broker: %s", reason);
}

/* Its word is retained; deleted, there is none in the house any more. */
static void on_collector(struct agent *agent, const struct bus_message *message)
{
	bool online;

	if (message->len == 0)
		outbox_no_collector(agent->outbox);
	else if (wire_parse_status(message->payload, message->len, &online) == 0)
		outbox_collector(agent->outbox, online);
}

static void on_message(void *context, const struct bus_message *message)
{
	struct agent *agent = context;
	struct wire_topic topic;
	char reason[READING_REASON_MAX];

	if (wire_parse_topic(agent->settings->bus.base, message->topic, &topic, reason) < 0)
		return;
	if (topic.kind == WIRE_STORED && !message->retain)
		outbox_receipt(agent->outbox, message->payload, message->len);
	else if (topic.kind == WIRE_COLLECTOR_STATUS)
		on_collector(agent, message);
	else if (topic.kind == WIRE_SET)
		hardware_command(agent->hardware, &topic.series, message);
}

static void on_acknowledged(void *context, int publish_id)
{
	outbox_acknowledged(((struct agent *)context)->outbox, publish_id);
}

static int open_bus(struct agent *agent)
{
	static const struct bus_handlers handlers = {
		.connected = on_connected,
		.disconnected = on_disconnected,
		.message = on_message,
		.acknowledged = on_acknowledged,
	};
	const struct settings *settings = agent->settings;
	struct bus_options options = {
		.client_id = agent->client_id,
		.will_topic = agent->status_topic,
		.will_payload = "offline",
	};
	char filter[WIRE_TOPIC_MAX + 16];
	int r;

	snprintf(agent->client_id, sizeof(agent->client_id), "foyer-node-%s", settings->name);
	snprintf(agent->status_topic, sizeof(agent->status_topic), "%s/%s/$status", settings->bus.base, settings->name);
	r = bus_open(agent->event, &settings->bus, &options, &handlers, agent, &agent->bus);
	if (r < 0)
		return r;
	snprintf(filter, sizeof(filter), "%s/%s/+/+/set", settings->bus.base, settings->name);
	r = bus_subscribe(agent->bus, filter, 1, BUS_RETAINED_NEVER);
	if (r < 0)
		return r;
	snprintf(filter, sizeof(filter), "%s/%s/$stored", settings->bus.base, settings->name);
	r = bus_subscribe(agent->bus, filter, 1, BUS_RETAINED_NEVER);
	if (r < 0)
		return r;
	wire_format_topic(settings->bus.base, WIRE_COLLECTOR_STATUS, &(struct series){ 0 }, filter);
	return bus_subscribe(agent->bus, filter, 1, BUS_RETAINED_ALWAYS);
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

static int open_parts(struct agent *agent)
{
	static const struct hardware_hooks hooks = { .reading = on_reading, .health = on_health_change };
	const struct settings *settings = agent->settings;
	const struct outbox_settings outbox_settings = {
		.base = settings->bus.base,
		.node = settings->name,
		.state_dir = settings->state_dir,
		.room = (size_t)settings->outbox,
		.file_bytes = settings->outbox_disk,
		.file_age_ms = settings->outbox_age_ms,
		.spill_after_ms = settings->spill_after_ms,
		.clock_wait_ms = settings->clock_wait_ms,
		.resend_after_ms = settings->resend_after_ms,
	};
	int r = sd_event_add_time_relative(agent->event, &agent->health_timer, CLOCK_BOOTTIME, 0, 0, on_health_timer, agent);

	if (r >= 0)
		r = sd_event_add_time_relative(agent->event, &agent->backfill_timer, CLOCK_BOOTTIME, 0, 0, on_backfill_timer,
					       agent);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(agent->health_timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(agent->backfill_timer, SD_EVENT_OFF);
	if (agent->outbox)
		outbox_configure(agent->outbox, &outbox_settings);
	else
		r = outbox_open(agent->event, &outbox_settings, &agent->outbox);
	if (r >= 0 && agent->hardware)
		r = hardware_change(agent->hardware, settings, &hooks, agent);
	else if (r >= 0)
		r = hardware_open(agent->event, settings, &hooks, agent, &agent->hardware);
	if (r >= 0)
		r = open_bus(agent);
	if (r < 0)
		return r;
	outbox_use(agent->outbox, agent->bus);
	hardware_use(agent->hardware, agent->bus);
	backfill_init(&agent->backfill, settings->devices, settings->back_fill_ms);
	if (!agent->backfill.device)
		hardware_start(agent->hardware);
	return 0;
}

int agent_open(sd_event *event, const struct settings *settings, const struct agent_kept *kept, struct agent **ret_agent)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int r;

	if (!agent) {
		outbox_close(kept ? kept->outbox : NULL);
		hardware_close(kept ? kept->hardware : NULL);
		return -ENOMEM;
	}
	if (kept) {
		agent->outbox = kept->outbox;
		agent->hardware = kept->hardware;
	}
	agent->event = sd_event_ref(event);
	agent->settings = settings;
	r = open_parts(agent);
	if (r < 0) {
		agent_close(agent);
		return r;
	}
	*ret_agent = agent;
	return 0;
}

struct agent_kept agent_close_but_kept(struct agent *agent)
{
	struct agent_kept kept = { agent->outbox, agent->hardware };

	if (agent->bus)
		announce_status(agent->bus, agent->settings, "offline");
	bus_close(agent->bus);
	if (kept.outbox) {
		outbox_disconnected(kept.outbox);
		outbox_use(kept.outbox, NULL);
	}
	if (kept.hardware)
		hardware_detach(kept.hardware);
	sd_event_source_disable_unref(agent->health_timer);
	sd_event_source_disable_unref(agent->backfill_timer);
	sd_event_unref(agent->event);
	free(agent);
	return kept;
}

void agent_close(struct agent *agent)
{
	struct agent_kept kept;

	if (!agent)
		return;
	if (agent->hardware)
		hardware_stop(agent->hardware);
	kept = agent_close_but_kept(agent);
	hardware_close(kept.hardware);
	outbox_close(kept.outbox);
}
