/* What libmosquitto calls, turned into our handlers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus_mosquitto.h"
#include "log.h"

void bus_send_subscription(struct bus *bus, const struct subscription *subscription)
{
	int rc = mosquitto_subscribe_v5(bus->mosq, NULL, subscription->filter, subscription->qos, subscription->options, NULL);

	if (rc)
		log_warning("mqtt: cannot subscribe to %s: %s", subscription->filter, bus_explain(rc));
}

static void on_connect(struct mosquitto *mosq, void *userdata, int code, int flags, const mosquitto_property *properties)
{
	struct bus *bus = userdata;

	(void)mosq;
	(void)properties;
	if (code) {
		snprintf(bus->reason, sizeof(bus->reason), "%s", mosquitto_reason_string(code));
		bus->dropping = true;
		bus->drop_delay_ms = -1;
		return;
	}
	bus->up = true;
	bus->delay_ms = FIRST_DELAY_MS;
	bus->told_down = false;
	log_info("mqtt: connected to %s:%d", bus->settings->host, bus->settings->port);
	for (size_t i = 0; i < bus->subscription_count; i++)
		bus_send_subscription(bus, &bus->subscriptions[i]);
	if (bus->handlers.connected)
		bus->handlers.connected(bus->context, flags & 1);
}

static void on_disconnect(struct mosquitto *mosq, void *userdata, int code, const mosquitto_property *properties)
{
	struct bus *bus = userdata;

	(void)mosq;
	(void)properties;
	if (!bus->reason[0]) /* codes of the library are below 128, the broker's reasons above */
		snprintf(bus->reason, sizeof(bus->reason), "%s", code >= 128 ? mosquitto_reason_string(code) : bus_explain(code));
}

static void on_message(struct mosquitto *mosq, void *userdata, const struct mosquitto_message *from,
		       const mosquitto_property *properties)
{
	struct bus *bus = userdata;
	struct bus_message message = {
		.topic = from->topic,
		.payload = from->payload,
		.len = (size_t)from->payloadlen,
		.qos = from->qos,
		.retain = from->retain,
		.packet_id = (uint16_t)from->mid,
	};
	char *response = NULL;
	void *correlation = NULL;
	uint16_t correlation_len = 0;

	(void)mosq;
	bus->held = true;
	if (bus->dropping || !bus->handlers.message)
		return;
	if (properties) {
		mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &response, false);
		mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation, &correlation_len, false);
		message.response_topic = response;
		message.correlation = correlation;
		message.correlation_len = correlation_len;
	}
	bus->handlers.message(bus->context, &message);
	free(response);
	free(correlation);
}

static void on_publish(struct mosquitto *mosq, void *userdata, int id, int code, const mosquitto_property *properties)
{
	struct bus *bus = userdata;
	unsigned char bit = (unsigned char)(1U << (id % CHAR_BIT));

	(void)mosq;
	(void)properties;
	if (id < 0 || id > UINT16_MAX || !(bus->waits_ack[id / CHAR_BIT] & bit))
		return; /* QoS 0: only handed to the socket */
	bus->waits_ack[id / CHAR_BIT] &= (unsigned char)~bit;
	bus->unacknowledged--;
	if (code >= 128) {
		if (!bus->refusal_told)
			log_warning("mqtt: the broker refuses a message of ours: %s", mosquitto_reason_string(code));
		bus->refusal_told = true;
		return;
	}
	if (bus->handlers.acknowledged)
		bus->handlers.acknowledged(bus->context, id);
}

static void on_subscribe(struct mosquitto *mosq, void *userdata, int id, int count, const int *granted,
			 const mosquitto_property *properties)
{
	(void)mosq;
	(void)userdata;
	(void)id;
	(void)properties;
	for (int i = 0; i < count; i++)
		if (granted[i] >= 128)
			log_warning("mqtt: the broker refuses a subscription: %s", mosquitto_reason_string(granted[i]));
}

void bus_watch_events(struct bus *bus)
{
	mosquitto_connect_v5_callback_set(bus->mosq, on_connect);
	mosquitto_disconnect_v5_callback_set(bus->mosq, on_disconnect);
	mosquitto_message_v5_callback_set(bus->mosq, on_message);
	mosquitto_publish_v5_callback_set(bus->mosq, on_publish);
	mosquitto_subscribe_v5_callback_set(bus->mosq, on_subscribe);
}
