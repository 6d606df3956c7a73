/* libmosquitto on an sd_event loop. Each try to connect gets a fresh handle, so nothing of a lost connection (a command that nobody should
 * obey any more) is sent again behind our caller's back. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus_mosquitto.h"
#include "clock.h"
#include "log.h"

static void lost(struct bus *bus);
static int open_connection(struct bus *bus);

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
		snprintf(bus->reason, sizeof(bus->reason), "%s", bus_explain(rc));
	lost(bus);
	return -1;
}

/* Writes what is queued. The library hands each packet to the kernel by itself; held together until the last one, thousands of PUBACKs go in a few
 * segments, and the broker is woken a few times, not at each. */
static int write_queue(struct bus *bus)
{
	int fd = mosquitto_socket(bus->mosq), on = 1, off = 0, rc;

	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	rc = mosquitto_loop_write(bus->mosq, 1);
	fd = mosquitto_socket(bus->mosq);
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	return rc;
}

static int write_all(struct bus *bus)
{
	return settle(bus, write_queue(bus));
}

/* Acknowledges at TCP's level what was read: a broker without set_tcp_nodelay (Mosquitto's default) holds its next message back until then, and
 * the kernel would let it wait for 40 ms. The kernel forgets the wish (tcp(7)), so it is told after each read. */
static void hurry(struct bus *bus)
{
	int on = 1, fd = mosquitto_socket(bus->mosq);

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static int read_all(struct bus *bus)
{
	int64_t end_ms = clock_boot_ms() + READ_MS;

	for (int i = 0; i < PACKETS_PER_READ && clock_boot_ms() <= end_ms; i++) {
		int rc;

		errno = 0;
		rc = mosquitto_loop_read(bus->mosq, 1);
		if (rc || bus->dropping || mosquitto_socket(bus->mosq) < 0)
			return settle(bus, rc);
		if (errno == EAGAIN) /* the library's success hides that the socket is empty */
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
		hurry(bus);
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
	if (bus->options.hold_acks && bus->up && !bus->flushing && mosquitto_want_write(bus->mosq) && bus->handlers.received)
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
				    bus->up ? "lost the broker at" : "no broker at", bus->settings->host, bus->settings->port,
				    reason[0] ? reason : "no reason given");
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

/* Watches the socket by a descriptor of our own: the library closes its one before we know, and as long as a child of ours held a copy of that, the
 * kernel would go on telling events of it to who is gone. For the same reason no program that we start inherits it. */
static int watch_socket(struct bus *bus)
{
	int fd = mosquitto_socket(bus->mosq), own, r;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return -errno;
	r = sd_event_add_io(bus->event, &bus->io, own, POLLIN, on_io, bus);
	if (r < 0)
		close(own);
	else
		sd_event_source_set_io_fd_own(bus->io, true);
	return r;
}

/* ---- opening and closing -------------------------------------------------------------------------------------------------------- */

static int open_connection(struct bus *bus)
{
	const struct bus_settings *settings = bus->settings;
	int rc, r = bus_make_handle(bus);

	if (r < 0) {
		snprintf(bus->reason, sizeof(bus->reason), "%s", strerror(-r));
		return r;
	}
	bus_watch_events(bus);
	rc = mosquitto_connect_async(bus->mosq, settings->host, settings->port, (int)(settings->keepalive_ms / 1000));
	if (rc) {
		snprintf(bus->reason, sizeof(bus->reason), "%s", bus_explain(rc));
		lost(bus);
		return 0;
	}
	r = watch_socket(bus);
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
	r = bus_make_handle(bus); /* only to see that files can be read */
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
		if (mosquitto_loop_write(bus->mosq, 1) || mosquitto_socket(bus->mosq) < 0 || !mosquitto_want_write(bus->mosq) ||
		    poll(&socket, 1, CLOSE_MS) <= 0)
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
		bus_send_subscription(bus, subscription);
		watch(bus);
	}
	return 0;
}

static int add_properties(const struct bus_publication *publication, mosquitto_property **properties)
{
	int rc = 0;

	if (publication->expiry_s)
		rc = mosquitto_property_add_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, publication->expiry_s);
	if (!rc && publication->response_topic)
		rc = mosquitto_property_add_string(properties, MQTT_PROP_RESPONSE_TOPIC, publication->response_topic);
	if (!rc && publication->correlation_len > 0)
		rc = publication->correlation_len > UINT16_MAX
			     ? MOSQ_ERR_PAYLOAD_SIZE
			     : mosquitto_property_add_binary(properties, MQTT_PROP_CORRELATION_DATA, publication->correlation,
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
		rc = mosquitto_publish_v5(bus->mosq, &id, publication->topic, (int)publication->len, publication->payload,
					  publication->qos, publication->retain, properties);
	mosquitto_property_free_all(&properties);
	if (rc)
		return bus_errno_of(rc);
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
	if (write_queue(bus) || mosquitto_socket(bus->mosq) < 0) {
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
