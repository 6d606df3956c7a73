/* libmosquitto on an sd_event loop. Each try to connect gets a fresh handle, so nothing of a lost connection (a command that nobody should
 * obey any more) is sent again behind our caller's back. */
#include "bus.h"

#include <errno.h>
#include <limits.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "log.h"

enum {
	SUBSCRIPTIONS_MAX = 16,
	FILTER_MAX = 255,
	FIRST_DELAY_MS = 500,
	LAST_DELAY_MS = 30000,
	QUEUE_BYTES_MAX = 8 << 20,
	QUEUE_COUNT_MAX = 20000,
	PASSWORD_MAX = 255,
	PACKETS_PER_READ = 4096,	/* then others on the loop have their turn */
	CLOSE_MS = 1000,
};

struct subscription {
	char filter[FILTER_MAX + 1];
	int qos;
	int options;
};

struct bus {
	sd_event *event;
	sd_event_source *io, *keepalive, *retry;
	const struct bus_settings *settings;
	struct bus_options options;
	struct bus_handlers handlers;
	void *context;

	struct mosquitto *mosq;
	bool up;			/* between CONNACK and the end */
	bool told_down;			/* the log knows that there is no broker */
	bool refusal_told;
	bool held;			/* hold_acks: messages were read since the last flush */
	bool flushing;			/* hold_acks: a flush did not fit into the socket; nothing is read till it has */
	bool dropping;			/* bus_reconnect was called */
	int64_t drop_delay_ms;
	int64_t delay_ms;		/* of the next try */
	char reason[128];		/* why the connection ended */

	struct subscription subscriptions[SUBSCRIPTIONS_MAX];
	size_t subscription_count;
	size_t queued_bytes;		/* handed over since the socket had all */
	unsigned unacknowledged;
	unsigned char waits_ack[(UINT16_MAX + 1) / CHAR_BIT];	/* packet ids of our QoS 1 messages */
};

static void lost(struct bus *bus);
static int open_connection(struct bus *bus);

static int errno_of(int rc)
{
	switch (rc) {
	case MOSQ_ERR_SUCCESS:
		return 0;
	case MOSQ_ERR_NOMEM:
		return -ENOMEM;
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_CONN_LOST:
		return -ENOTCONN;
	case MOSQ_ERR_PAYLOAD_SIZE:
	case MOSQ_ERR_OVERSIZE_PACKET:
		return -EMSGSIZE;
	default:
		return -EINVAL;
	}
}

static const char *explain(int rc)
{
	return rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc);
}

/* Which way the socket is watched: with held acknowledgements only a flush may write, and it ends before more is read. */
static void watch(struct bus *bus)
{
	bool may_write = !bus->options.hold_acks || !bus->up || bus->flushing;
	uint32_t events = bus->flushing ? 0 : POLLIN;

	if (!bus->io)
		return;
	if (may_write && mosquitto_want_write(bus->mosq))
		events |= POLLOUT;
	sd_event_source_set_io_events(bus->io, events);
}

/* ---- what libmosquitto calls; nothing here ends the connection itself ---------------------------------------------------------- */

static void send_subscription(struct bus *bus, const struct subscription *subscription)
{
	int rc = mosquitto_subscribe_v5(bus->mosq, NULL, subscription->filter, subscription->qos,
					subscription->options, NULL);

	if (rc)
		log_warning("mqtt: cannot subscribe to %s: %s", subscription->filter, explain(rc));
}

static void on_connect(struct mosquitto *mosq, void *userdata, int code, int flags,
		       const mosquitto_property *properties)
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
		send_subscription(bus, &bus->subscriptions[i]);
	if (bus->handlers.connected)
		bus->handlers.connected(bus->context, flags & 1);
}

static void on_disconnect(struct mosquitto *mosq, void *userdata, int code,
			  const mosquitto_property *properties)
{
	struct bus *bus = userdata;

	(void)mosq;
	(void)properties;
	if (!bus->reason[0])	/* codes of the library are below 128, the broker's reasons above */
		snprintf(bus->reason, sizeof(bus->reason), "%s",
			 code >= 128 ? mosquitto_reason_string(code) : explain(code));
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
		mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
					       &correlation_len, false);
		message.response_topic = response;
		message.correlation = correlation;
		message.correlation_len = correlation_len;
	}
	bus->handlers.message(bus->context, &message);
	free(response);
	free(correlation);
}

static void on_publish(struct mosquitto *mosq, void *userdata, int id, int code,
		       const mosquitto_property *properties)
{
	struct bus *bus = userdata;
	unsigned char bit = (unsigned char)(1U << (id % CHAR_BIT));

	(void)mosq;
	(void)properties;
	if (id < 0 || id > UINT16_MAX || !(bus->waits_ack[id / CHAR_BIT] & bit))
		return;		/* QoS 0: only handed to the socket */
	bus->waits_ack[id / CHAR_BIT] &= (unsigned char)~bit;
	bus->unacknowledged--;
	if (code >= 128) {
		if (!bus->refusal_told)
			log_warning("mqtt: the broker refuses a message of ours: %s",
				    mosquitto_reason_string(code));
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
			log_warning("mqtt: the broker refuses a subscription: %s",
				    mosquitto_reason_string(granted[i]));
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------------- */

/* After a call into the library: 0 when the connection stands, -1 when it ended (and is being tried again). */
static int settle(struct bus *bus, int rc)
{
	if (!rc && !bus->dropping && mosquitto_socket(bus->mosq) >= 0) {
		if (!mosquitto_want_write(bus->mosq)) {
			bus->queued_bytes = 0;
			bus->flushing = false;
		}
		return 0;
	}
	if (rc && !bus->reason[0])
		snprintf(bus->reason, sizeof(bus->reason), "%s", explain(rc));
	lost(bus);
	return -1;
}

static int write_all(struct bus *bus)
{
	return settle(bus, mosquitto_loop_write(bus->mosq, 1));
}

static int read_all(struct bus *bus)
{
	for (int i = 0; i < PACKETS_PER_READ; i++) {
		int rc;

		errno = 0;
		rc = mosquitto_loop_read(bus->mosq, 1);
		if (rc || bus->dropping || mosquitto_socket(bus->mosq) < 0)
			return settle(bus, rc);
		if (errno == EAGAIN)	/* the library's success hides that the socket is empty */
			break;
	}
	return settle(bus, 0);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct bus *bus = userdata;

	(void)source;
	(void)fd;
	if ((events & POLLOUT) && write_all(bus) < 0)
		return 0;
	if (!bus->flushing && (events & (POLLIN | POLLHUP | POLLERR))) {
		if (read_all(bus) < 0)
			return 0;
		if (bus->up && bus->handlers.received)
			bus->handlers.received(bus->context);
		if (bus->dropping && settle(bus, 0) < 0)
			return 0;
	}
	if (!bus->options.hold_acks && mosquitto_want_write(bus->mosq) && write_all(bus) < 0)
		return 0;
	watch(bus);
	return 0;
}

static void arm(sd_event_source *timer, int64_t delay_ms, int64_t accuracy_ms)
{
	sd_event_source_set_time_relative(timer, (uint64_t)delay_ms * 1000);
	sd_event_source_set_time_accuracy(timer, (uint64_t)accuracy_ms * 1000);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* A quarter of the keep-alive time keeps the ping within the half that the broker allows beyond it. */
static int on_keepalive(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct bus *bus = userdata;
	int64_t period_ms = bus->settings->keepalive_ms / 4;

	(void)now_us;
	if (!bus->io)
		return 0;
	arm(source, period_ms, period_ms / 8);
	if (settle(bus, mosquitto_loop_misc(bus->mosq)) < 0)
		return 0;
	if (bus->options.hold_acks && bus->up && !bus->flushing && mosquitto_want_write(bus->mosq) &&
	    bus->handlers.received)
		bus->handlers.received(bus->context);
	if (!bus->dropping || settle(bus, 0) == 0)
		watch(bus);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct bus *bus = userdata;

	(void)source;
	(void)now_us;
	if (open_connection(bus) < 0)
		lost(bus);
	return 0;
}

/* Between half and the whole of a delay, so that a house full of nodes does not come back in one instant. */
static int64_t jittered(int64_t delay_ms)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)(uintptr_t)&random;
	return delay_ms / 2 + (int64_t)(random % (uint64_t)(delay_ms / 2 + 1));
}

/* The connection ended or a try failed: lets go of it and sets the time of the next. */
static void lost(struct bus *bus)
{
	bool wanted = bus->dropping && bus->drop_delay_ms >= 0;
	int64_t delay_ms = wanted ? bus->drop_delay_ms : jittered(bus->delay_ms);
	char reason[sizeof(bus->reason)];

	memcpy(reason, bus->reason, sizeof(reason));
	bus->io = sd_event_source_disable_unref(bus->io);
	mosquitto_destroy(bus->mosq);
	bus->mosq = NULL;
	if (!wanted) {
		if (!bus->told_down)
			log_warning("mqtt: %s %s:%d (%s), trying again until it answers",
				    bus->up ? "lost the broker at" : "no broker at", bus->settings->host,
				    bus->settings->port, reason[0] ? reason : "no reason given");
		bus->told_down = true;
		bus->delay_ms = bus->delay_ms * 2 < LAST_DELAY_MS ? bus->delay_ms * 2 : LAST_DELAY_MS;
	}
	bus->up = bus->dropping = bus->held = bus->flushing = bus->refusal_told = false;
	bus->reason[0] = '\0';
	bus->queued_bytes = 0;
	bus->unacknowledged = 0;
	memset(bus->waits_ack, 0, sizeof(bus->waits_ack));
	arm(bus->retry, delay_ms, 50);
	if (bus->handlers.disconnected)
		bus->handlers.disconnected(bus->context, reason);
}

/* ---- opening -------------------------------------------------------------------------------------------------------------------- */

static int read_password(const char *path, char *buf)
{
	FILE *file = fopen(path, "re");
	int r = 0;

	if (!file)
		return -errno;
	if (fgets(buf, PASSWORD_MAX + 1, file))
		buf[strcspn(buf, "\r\n")] = '\0';
	else
		r = -EINVAL;
	fclose(file);
	return r;
}

static int set_credentials(struct bus *bus)
{
	const struct bus_settings *settings = bus->settings;
	char password[PASSWORD_MAX + 1] = "";
	int rc = 0;

	if (settings->password_file) {
		int r = read_password(settings->password_file, password);

		if (r < 0) {
			log_error("mqtt: cannot read a password from %s: %s", settings->password_file,
				  r == -EINVAL ? "the file is empty" : strerror(-r));
			return r == -EINVAL ? -ENOENT : r;
		}
	}
	if (settings->username)
		rc = mosquitto_username_pw_set(bus->mosq, settings->username,
					       settings->password_file ? password : NULL);
	explicit_bzero(password, sizeof(password));
	if (!rc && settings->ca_file) {
		rc = mosquitto_tls_set(bus->mosq, settings->ca_file, NULL, settings->cert_file,
				       settings->key_file, NULL);
		if (rc) {
			log_error("mqtt: cannot use ca_file, cert_file or key_file: %s", explain(rc));
			return -ENOENT;
		}
	}
	return errno_of(rc);
}

static int set_options(struct bus *bus)
{
	const struct bus_options *options = &bus->options;
	struct mosquitto *mosq = bus->mosq;
	int rc = mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);

	if (!rc)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	if (!rc && options->receive_max > 0)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_RECEIVE_MAXIMUM, options->receive_max);
	if (!rc)	/* ours; the broker's own limit holds besides */
		rc = mosquitto_int_option(mosq, MOSQ_OPT_SEND_MAXIMUM, 1000);
	if (!rc && options->hold_acks)	/* queue what is to be written, write only in loop_write */
		rc = mosquitto_threaded_set(mosq, true);
	if (!rc && options->will_topic)
		rc = mosquitto_will_set_v5(mosq, options->will_topic, (int)strlen(options->will_payload),
					   options->will_payload, 1, true, NULL);
	mosquitto_connect_v5_callback_set(mosq, on_connect);
	mosquitto_disconnect_v5_callback_set(mosq, on_disconnect);
	mosquitto_message_v5_callback_set(mosq, on_message);
	mosquitto_publish_v5_callback_set(mosq, on_publish);
	mosquitto_subscribe_v5_callback_set(mosq, on_subscribe);
	return errno_of(rc);
}

/* Only the blocking call to connect takes properties, and it keeps them for all later ones before it looks at the port: asked with an
 * impossible port it does nothing else. */
static int keep_session(struct bus *bus)
{
	mosquitto_property *properties = NULL;
	int rc = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, UINT32_MAX);

	if (!rc)
		mosquitto_connect_bind_v5(bus->mosq, bus->settings->host, -1, 60, NULL, properties);
	mosquitto_property_free_all(&properties);
	return errno_of(rc);
}

static int open_connection(struct bus *bus)
{
	const struct bus_settings *settings = bus->settings;
	const char *id = settings->client_id ? settings->client_id : bus->options.client_id;
	int rc, r;

	bus->mosq = mosquitto_new(id, !bus->options.persistent, bus);
	if (!bus->mosq)
		return -ENOMEM;
	r = set_options(bus);
	if (r == 0)
		r = set_credentials(bus);
	if (r == 0 && bus->options.persistent)
		r = keep_session(bus);
	if (r < 0) {
		snprintf(bus->reason, sizeof(bus->reason), "%s", strerror(-r));
		return r;
	}
	rc = mosquitto_connect_async(bus->mosq, settings->host, settings->port,
				     (int)(settings->keepalive_ms / 1000));
	if (rc) {
		snprintf(bus->reason, sizeof(bus->reason), "%s", explain(rc));
		lost(bus);
		return 0;
	}
	r = sd_event_add_io(bus->event, &bus->io, mosquitto_socket(bus->mosq), POLLIN, on_io, bus);
	if (r < 0)
		return r;
	arm(bus->keepalive, settings->keepalive_ms / 4, settings->keepalive_ms / 32);
	watch(bus);
	return 0;
}

int bus_open(sd_event *event, const struct bus_settings *settings, const struct bus_options *options,
	     const struct bus_handlers *handlers, void *context, struct bus **ret_bus)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return -ENOMEM;
	mosquitto_lib_init();
	bus->event = sd_event_ref(event);
	bus->settings = settings;
	bus->options = *options;
	bus->handlers = *handlers;
	bus->context = context;
	bus->delay_ms = FIRST_DELAY_MS;
	r = sd_event_add_time_relative(event, &bus->keepalive, CLOCK_BOOTTIME, 0, 0, on_keepalive, bus);
	if (r < 0)
		goto fail;
	sd_event_source_set_enabled(bus->keepalive, SD_EVENT_OFF);
	/* The first try comes from the loop, when the caller has its bus. */
	r = sd_event_add_time_relative(event, &bus->retry, CLOCK_BOOTTIME, 0, 1, on_retry, bus);
	if (r < 0)
		goto fail;
	bus->mosq = mosquitto_new(NULL, true, bus);	/* only to see that files can be read */
	r = bus->mosq ? set_credentials(bus) : -ENOMEM;
	mosquitto_destroy(bus->mosq);
	bus->mosq = NULL;
	if (r < 0)
		goto fail;
	*ret_bus = bus;
	return 0;
fail:
	bus_close(bus);
	return r;
}

static void say_goodbye(struct bus *bus)
{
	struct pollfd socket = { .fd = mosquitto_socket(bus->mosq), .events = POLLOUT };

	if (socket.fd < 0 || !bus->up || (bus->options.hold_acks && (bus->held || bus->flushing)))
		return;
	mosquitto_disconnect_v5(bus->mosq, 0, NULL);
	while (mosquitto_socket(bus->mosq) >= 0 && mosquitto_want_write(bus->mosq))
		if (mosquitto_loop_write(bus->mosq, 1) || mosquitto_socket(bus->mosq) < 0 ||
		    !mosquitto_want_write(bus->mosq) || poll(&socket, 1, CLOSE_MS) <= 0)
			break;
}

void bus_close(struct bus *bus)
{
	if (!bus)
		return;
	memset(&bus->handlers, 0, sizeof(bus->handlers));
	if (bus->mosq)
		say_goodbye(bus);
	sd_event_source_disable_unref(bus->io);
	sd_event_source_disable_unref(bus->keepalive);
	sd_event_source_disable_unref(bus->retry);
	mosquitto_destroy(bus->mosq);
	sd_event_unref(bus->event);
	free(bus);
	mosquitto_lib_cleanup();
}

/* ---- use ------------------------------------------------------------------------------------------------------------------------ */

bool bus_connected(const struct bus *bus)
{
	return bus && bus->up && !bus->dropping;
}

int bus_subscribe(struct bus *bus, const char *filter, int qos, enum bus_retained retained)
{
	struct subscription *subscription = &bus->subscriptions[bus->subscription_count];

	if (bus->subscription_count == SUBSCRIPTIONS_MAX)
		return -ENOSPC;
	if (strlen(filter) > FILTER_MAX || mosquitto_sub_topic_check(filter) || qos < 0 || qos > 1)
		return -EINVAL;
	strcpy(subscription->filter, filter);
	subscription->qos = qos;
	switch (retained) {
	case BUS_RETAINED_ALWAYS:
		subscription->options = MQTT_SUB_OPT_NO_LOCAL | MQTT_SUB_OPT_SEND_RETAIN_ALWAYS;
		break;
	case BUS_RETAINED_WHEN_NEW:
		subscription->options = MQTT_SUB_OPT_NO_LOCAL | MQTT_SUB_OPT_SEND_RETAIN_NEW;
		break;
	case BUS_RETAINED_NEVER:
		subscription->options = MQTT_SUB_OPT_NO_LOCAL | MQTT_SUB_OPT_SEND_RETAIN_NEVER;
		break;
	}
	bus->subscription_count++;
	if (bus_connected(bus)) {
		send_subscription(bus, subscription);
		watch(bus);
	}
	return 0;
}

static int add_properties(const struct bus_publication *publication, mosquitto_property **properties)
{
	int rc = 0;

	if (publication->expiry_s)
		rc = mosquitto_property_add_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
						  publication->expiry_s);
	if (!rc && publication->response_topic)
		rc = mosquitto_property_add_string(properties, MQTT_PROP_RESPONSE_TOPIC,
						   publication->response_topic);
	if (!rc && publication->correlation_len > 0)
		rc = publication->correlation_len > UINT16_MAX ?
			     MOSQ_ERR_PAYLOAD_SIZE :
			     mosquitto_property_add_binary(properties, MQTT_PROP_CORRELATION_DATA,
							   publication->correlation,
							   (uint16_t)publication->correlation_len);
	return rc;
}

int bus_publish(struct bus *bus, const struct bus_publication *publication, int *ret_id)
{
	mosquitto_property *properties = NULL;
	int id = 0, rc;

	if (!bus_connected(bus))
		return -ENOTCONN;
	if (bus->queued_bytes + publication->len > QUEUE_BYTES_MAX || bus->unacknowledged >= QUEUE_COUNT_MAX)
		return -EAGAIN;
	if (publication->len > INT_MAX)
		return -EMSGSIZE;
	rc = add_properties(publication, &properties);
	if (!rc)
		rc = mosquitto_publish_v5(bus->mosq, &id, publication->topic, (int)publication->len,
					  publication->payload, publication->qos, publication->retain,
					  properties);
	mosquitto_property_free_all(&properties);
	if (rc)
		return errno_of(rc);
	bus->queued_bytes = mosquitto_want_write(bus->mosq) ? bus->queued_bytes + publication->len : 0;
	if (publication->qos > 0) {
		bus->waits_ack[id / CHAR_BIT] |= (unsigned char)(1U << (id % CHAR_BIT));
		bus->unacknowledged++;
	}
	if (ret_id)
		*ret_id = id;
	watch(bus);
	return 0;
}

void bus_flush(struct bus *bus)
{
	if (!bus->options.hold_acks || !bus_connected(bus) || bus->flushing)
		return;
	bus->held = false;
	if (!mosquitto_want_write(bus->mosq))
		return;
	bus->flushing = true;
	/* Errors are found by the loop: the caller may stand inside one of our handlers. */
	if (mosquitto_loop_write(bus->mosq, 1) || mosquitto_socket(bus->mosq) < 0) {
		bus_reconnect(bus, 0);
		return;
	}
	if (!mosquitto_want_write(bus->mosq)) {
		bus->flushing = false;
		bus->queued_bytes = 0;
	}
	watch(bus);
}

void bus_reconnect(struct bus *bus, int64_t delay_ms)
{
	if (!bus || !bus->mosq || bus->dropping)
		return;
	bus->dropping = true;
	bus->drop_delay_ms = delay_ms;
	snprintf(bus->reason, sizeof(bus->reason), "reconnecting");
	/* From outside a handler nobody would look; the keep-alive timer does, at once. */
	arm(bus->keepalive, 0, 1);
}
