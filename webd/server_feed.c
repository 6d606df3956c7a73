/* What comes from the broker and the store, into the house and to who listens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/service.h"
#include "../common/wire.h"
#include "server_internal.h"

enum {
	BURST_MS = 1000,    /* bare readings that came within one millisecond lie no further ahead than this */
	SETTLED_MS = 15000, /* after this the collector has committed what the broker had kept for us, and its times can be read */
};

/* ---- the store --------------------------------------------------------------------------------------------------------------- */

static int take_node(void *context, const struct store_node *node)
{
	struct server *server = context;
	struct house *house = server->parts.house;
	const struct house_node *known = house_node(house, node->name);

	if (!series_name_valid(node->name, strlen(node->name)))
		return 0;
	if (node->info[0] && !(known && known->has_info)) /* the node's own word at the broker is newer */
		house_info(house, node->name, node->info, strlen(node->info));
	if (node->status_ms != TIME_NONE)
		house_status(house, node->name, node->online, node->status_ms);
	if (node->seen_ms != TIME_NONE)
		house_seen(house, node->name, node->seen_ms);
	return 0;
}

static int take_latest(void *context, const struct reading *reading)
{
	struct server *server = context;

	if (house_reading(server->parts.house, reading) == 1)
		live_reading(server->parts.live, reading);
	return 0;
}

bool server_fill(struct server *server)
{
	struct store *store = archive_store(server->parts.archive);
	int r;

	if (!store)
		return false;
	r = store_each_node(store, take_node, server);
	if (r == 0)
		r = store_each_latest(store, take_latest, server);
	if (r < 0)
		archive_failed(server->parts.archive, r);
	return r >= 0;
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------- */

struct arrival {
	struct server *server;
	bool retained;
	int64_t now_ms;
	bool has_news;
	struct reading news; /* of a batch the last one alone is worth an event: the others were true once */
};

/* Of a bare reading: moved on where its series has that instant already, as the collector does. */
static int64_t moment_of_arrival(const struct house *house, const struct series *name, int64_t now_ms)
{
	const struct house_series *series = house_series(house, name);

	if (!series || !series->has_value || series->time_ms < now_ms || series->time_ms - now_ms >= BURST_MS)
		return now_ms;
	return series->time_ms + 1;
}

static int take_reading(void *context, const struct reading *given, const char *unit)
{
	struct arrival *arrival = context;
	struct house *house = arrival->server->parts.house;
	struct reading reading = *given;
	char reason[READING_REASON_MAX];
	int r;

	(void)unit;
	if (reading_check(&reading, arrival->now_ms, reason) < 0) {
		log_debug("%s/%s/%s: %s", reading.series.node, reading.series.device, reading.series.quantity, reason);
		return 0; /* the collector tells it, and keeps it as rejected */
	}
	if (reading.time_ms == TIME_NONE && arrival->retained) {
		r = house_retained(house, &reading, arrival->now_ms);
	} else {
		if (reading.time_ms == TIME_NONE)
			reading.time_ms = moment_of_arrival(house, &reading.series, arrival->now_ms);
		r = house_reading(house, &reading);
	}
	if (r == 1) {
		arrival->has_news = true;
		arrival->news = reading;
	}
	return 0;
}

static void take_refused(void *context, const char *element, size_t len, const char *reason)
{
	(void)context;
	(void)element;
	(void)len;
	(void)reason; /* likewise the collector's to tell */
}

static void take_status(const struct arrival *arrival, const char *node, const struct bus_message *message)
{
	const struct parts *parts = &arrival->server->parts;
	bool online;

	if (wire_parse_status(message->payload, message->len, &online) < 0)
		return;
	if (house_status(parts->house, node, online, arrival->now_ms) == 1)
		live_node(parts->live, node, online, arrival->now_ms);
}

/* It says something new of itself: pages that show it are to be read anew. */
static void tell_node(const struct arrival *arrival, const char *name)
{
	const struct house_node *node = house_node(arrival->server->parts.house, name);

	if (node && node->known_status)
		live_node(arrival->server->parts.live, name, node->online, arrival->now_ms);
}

static void take_collector(const struct arrival *arrival, const struct bus_message *message)
{
	bool online;

	if (wire_parse_status(message->payload, message->len, &online) == 0)
		house_collector_status(arrival->server->parts.house, online, arrival->now_ms);
}

static void take_result(const struct arrival *arrival, const struct series *series, const struct bus_message *message)
{
	struct command_result result;

	if (!arrival->retained && wire_parse_result(series, message->payload, message->len, &result) == 0)
		control_result(arrival->server->parts.control, &result);
}

static void on_message(void *context, const struct bus_message *message)
{
	struct server *server = context;
	struct arrival arrival = { .server = server, .retained = message->retain, .now_ms = clock_wall_ms() };
	struct house *house = server->parts.house;
	struct wire_topic topic;
	char reason[READING_REASON_MAX];

	if (wire_parse_topic(server->settings->bus.base, message->topic, &topic, reason) < 0 || !message->len)
		return; /* an empty payload clears what the broker kept: no news */
	switch (topic.kind) {
	case WIRE_READING:
		wire_parse_readings(&topic.series, message->payload, message->len, take_reading, take_refused, &arrival);
		if (arrival.has_news)
			live_reading(server->parts.live, &arrival.news);
		break;
	case WIRE_STATUS:
		take_status(&arrival, topic.series.node, message);
		break;
	case WIRE_INFO:
		if (house_info(house, topic.series.node, message->payload, message->len) == 1 && !message->retain)
			tell_node(&arrival, topic.series.node);
		break;
	case WIRE_HEALTH:
		house_health(house, topic.series.node, message->payload, message->len);
		break;
	case WIRE_RESULT:
		take_result(&arrival, &topic.series, message);
		break;
	case WIRE_OTHER:
	case WIRE_SET:
	case WIRE_STORED:
		return;
	case WIRE_COLLECTOR_STATUS:
		take_collector(&arrival, message);
		return;
	case WIRE_COLLECTOR_HEALTH:
		house_collector_health(house, message->payload, message->len, arrival.now_ms);
		return;
	}
	if (!message->retain)
		house_seen(house, topic.series.node, arrival.now_ms);
}

/* ---- the connection ---------------------------------------------------------------------------------------------------------- */

/* The store first: it knows the times of bare values that the broker is about to deliver again. And once more when the collector has
 * committed what came while we were away. */
static void on_connected(void *context, bool session_present)
{
	struct server *server = context;

	(void)session_present;
	server_fill(server);
	server_fill_later(server, SETTLED_MS);
	live_broker(server->parts.live, true);
	service_status("%s", server->address);
}

static void on_disconnected(void *context, const char *reason)
{
	struct server *server = context;

	live_broker(server->parts.live, false);
	service_status("%s, without a broker (%s)", server->address, reason);
}

static int subscribe(struct server *server)
{
	static const struct {
		const char *filter;
		int qos;
	} wanted[] = { { "+/$status", 1 }, { "+/$info", 1 }, { "+/$health", 0 }, { "+/+/+", 1 }, { "+/+/+/result", 1 } };
	char filter[WIRE_BASE_MAX + 32];
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(wanted) / sizeof(*wanted); i++) {
		snprintf(filter, sizeof(filter), "%s/%s", server->settings->bus.base, wanted[i].filter);
		r = bus_subscribe(server->parts.bus, filter, wanted[i].qos, BUS_RETAINED_ALWAYS);
	}
	return r;
}

int server_open_bus(struct server *server)
{
	static const struct bus_handlers handlers = {
		.connected = on_connected,
		.disconnected = on_disconnected,
		.message = on_message,
	};
	const struct bus_options options = { .client_id = server->client_id };
	uint32_t word = 0;
	int r;

	if (getrandom(&word, sizeof(word), GRND_NONBLOCK) < 0)
		word = (uint32_t)getpid();
	snprintf(server->client_id, sizeof(server->client_id), "foyer-webd-%08x", word); /* several may run */
	r = bus_open(server->event, &server->settings->bus, &options, &handlers, server, &server->parts.bus);
	return r < 0 ? r : subscribe(server);
}

int server_send_command(void *context, const struct command *command)
{
	struct server *server = context;
	int64_t left_ms = command->expires_ms - clock_wall_ms();
	char topic[WIRE_TOPIC_MAX + 1], payload[1024];
	struct bus_publication publication = { .topic = topic, .payload = payload, .qos = 1 };
	int len = wire_format_command(command, payload, sizeof(payload));

	if (len < 0)
		return len;
	wire_format_topic(server->settings->bus.base, WIRE_SET, &command->series, topic);
	publication.len = (size_t)len;
	publication.expiry_s = left_ms > 1000 ? (unsigned)((left_ms + 500) / 1000) : 1;
	return bus_publish(server->parts.bus, &publication, NULL);
}
