#include "actuator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/reading.h"
#include "../common/wire.h"
#include "output.h"

enum {
	PENDING_MAX = 64,
	RESPONSE_TOPIC_MAX = 255,
	CORRELATION_MAX = 128,
	ORDER_EXPIRY_S = 10,
	PATIENCE_MS = 5000, /* for a device on a bus that others hold up; then the command is refused, and not obeyed later */
};

/* A command that an output still works on. */
struct pending {
	struct actuator *actuator;
	struct pending *next;
	sd_event_source *timer; /* when it is done; before that, when patience ends */
	bool is_taken;          /* the device works on it, until the timer says that it is done */
	bool is_own;            /* of this node: a rule's, a safe state's */
	bool is_last;           /* done even when nobody waits for it any more */
	struct value value;
	actuator_done_fn done; /* of is_own; may be NULL */
	void *done_context;
	bool answered; /* refused, but the device may do it all the same */
	const struct channel *channel;
	struct command_result result;
	char response_topic[RESPONSE_TOPIC_MAX + 1];
	unsigned char correlation[CORRELATION_MAX];
	size_t correlation_len;
};

struct actuator {
	sd_event *event;
	const char *base;
	struct device *devices;
	struct sampler *sampler;
	struct actuator_hooks hooks;
	void *context;
	struct bus *bus;
	struct pending *pending;
	size_t pending_count;
	unsigned own_count; /* numbers the ids of own orders */
};

static struct channel *find_output(struct actuator *actuator, const struct series *series)
{
	for (struct device *device = actuator->devices; device; device = device->next) {
		if (strcmp(device->name, series->device) != 0)
			continue;
		for (size_t i = 0; i < device->channel_count; i++)
			if (device->channels[i].output != OUTPUT_NONE &&
			    strcmp(device->channels[i].series.quantity, series->quantity) == 0)
				return &device->channels[i];
	}
	return NULL;
}

/* ---- answers -------------------------------------------------------------------------------------------------------------------- */

static void answer(struct actuator *actuator, struct pending *pending)
{
	actuator_done_fn done = pending->done;
	char topic[WIRE_TOPIC_MAX + 1], payload[1024];
	struct bus_publication publication = { .payload = payload, .qos = 1 };
	int len;

	pending->result.time_ms = clock_wall_ms();
	pending->done = NULL;
	if (done)
		done(pending->done_context, pending->channel, pending->result.ok, pending->result.error);
	len = wire_format_result(&pending->result, payload, sizeof(payload));
	if (len < 0 || !actuator->bus)
		return;
	publication.len = (size_t)len;
	publication.topic = wire_format_topic(actuator->base, WIRE_RESULT, &pending->result.series, topic);
	bus_publish(actuator->bus, &publication, NULL);
	if (!pending->response_topic[0] || strcmp(pending->response_topic, topic) == 0)
		return;
	publication.topic = pending->response_topic;
	publication.correlation = pending->correlation;
	publication.correlation_len = pending->correlation_len;
	bus_publish(actuator->bus, &publication, NULL);
}

static void tell(struct pending *pending)
{
	struct actuator *actuator = pending->actuator;

	actuator->hooks.reading(actuator->context, pending->channel, clock_wall_ms(), &pending->result.value);
}

static void obeyed(struct pending *pending)
{
	struct actuator *actuator = pending->actuator;

	if (actuator->hooks.obeyed)
		actuator->hooks.obeyed(actuator->context, pending->channel, &pending->value, pending->is_own);
}

/* The new state first, then the word that it is done: who waits for the result finds the state there already. */
static void complete(struct actuator *actuator, struct pending *pending)
{
	if (pending->result.ok)
		tell(pending);
	answer(actuator, pending);
}

static void drop(struct pending *pending)
{
	struct actuator *actuator = pending->actuator;
	struct pending **link = &actuator->pending;

	sampler_set_forget(actuator->sampler, pending, !pending->is_last);
	while (*link != pending)
		link = &(*link)->next;
	*link = pending->next;
	actuator->pending_count--;
	sd_event_source_disable_unref(pending->timer);
	free(pending);
}

static void fail(struct pending *pending, const char *error)
{
	pending->result.ok = pending->result.has_value = false;
	snprintf(pending->result.error, sizeof(pending->result.error), "%s", error);
	answer(pending->actuator, pending);
}

static int on_done(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct pending *pending = userdata;

	(void)source;
	(void)now_us;
	complete(pending->actuator, pending);
	drop(pending);
	return 0;
}

static int on_impatient(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct pending *pending = userdata;

	(void)source;
	(void)now_us;
	fail(pending, "the device does not answer");
	if (sampler_set_cancel(pending->actuator->sampler, pending))
		drop(pending);
	else
		pending->answered = true;
	return 0;
}

static int arm(struct pending *pending, int64_t delay_ms, sd_event_time_handler_t handler)
{
	pending->timer = sd_event_source_disable_unref(pending->timer);
	return sd_event_add_time_relative(pending->actuator->event, &pending->timer, CLOCK_BOOTTIME, (uint64_t)delay_ms * 1000,
					  1000, handler, pending);
}

/* ---- commands ------------------------------------------------------------------------------------------------------------------- */

static void on_set(void *context, int result, const struct value *value, const char *error)
{
	struct pending *pending = context;

	if (result < 0) {
		if (!pending->answered)
			fail(pending, error);
		drop(pending);
		return;
	}
	obeyed(pending);
	pending->result.ok = pending->result.has_value = true;
	pending->result.value = *value;
	if (result == 0 && pending->answered)
		tell(pending); /* late, but it is so now */
	else if (result == 0)
		complete(pending->actuator, pending);
	else if (result != SET_SILENT && !pending->answered && arm(pending, result, on_done) >= 0) {
		pending->is_taken = true;
		return;
	}
	drop(pending);
}

static const char *fault_of(const struct actuator *actuator, const struct device *device)
{
	int64_t since_ms;
	const char *fault = sampler_fault(actuator->sampler, device, &since_ms);

	return fault[0] ? fault : "not ready yet";
}

/* An output that still works on an order takes the later one in its place. */
static void replace(struct actuator *actuator, const struct channel *channel)
{
	for (struct pending *pending = actuator->pending, *next; pending; pending = next) {
		next = pending->next;
		if (pending->channel != channel || !pending->is_taken)
			continue;
		fail(pending, "a later command took its place");
		drop(pending);
	}
}

static void obey(struct actuator *actuator, const struct pending *given, const struct value *value)
{
	struct pending *pending = malloc(sizeof(*pending));
	const struct device *device = given->channel->device;
	int r = 0;

	if (!pending)
		return;
	replace(actuator, given->channel);
	*pending = *given;
	pending->value = *value;
	pending->next = actuator->pending;
	actuator->pending = pending;
	if (++actuator->pending_count > PENDING_MAX)
		r = -EBUSY;
	else if (sampler_waits(actuator->sampler, device))
		r = arm(pending, PATIENCE_MS, on_impatient);
	if (r >= 0)
		r = sampler_set(actuator->sampler, pending->channel, value, on_set, pending);
	if (r >= 0)
		return;
	fail(pending, r == -EBUSY ? "too many commands at once" : r == -ENOTSUP ? "it cannot be set" : fault_of(actuator, device));
	drop(pending);
}

static void take_response(struct pending *pending, const struct bus_message *message)
{
	if (!message->response_topic || strlen(message->response_topic) > RESPONSE_TOPIC_MAX ||
	    strpbrk(message->response_topic, "+#") || message->correlation_len > CORRELATION_MAX)
		return;
	strcpy(pending->response_topic, message->response_topic);
	pending->correlation_len = message->correlation_len;
	if (message->correlation_len > 0)
		memcpy(pending->correlation, message->correlation, message->correlation_len);
}

void actuator_command(struct actuator *actuator, const struct series *series, const struct bus_message *message)
{
	struct pending pending = { .actuator = actuator, .result.series = *series };
	struct channel *channel = find_output(actuator, series);
	struct command command;
	char reason[COMMAND_ERROR_MAX + 1]; /* READING_REASON_MAX is one less */
	int r;

	if (message->retain || message->len == 0)
		return;
	take_response(&pending, message);
	r = wire_parse_command(series, message->payload, message->len, &command, reason);
	strcpy(pending.result.id, command.id);
	pending.channel = channel;
	if (r < 0)
		fail(&pending, reason);
	else if (!channel)
		fail(&pending, "no such output");
	else if (output_check(channel, &command.value, reason) < 0)
		fail(&pending, reason);
	else
		obey(actuator, &pending, &command.value);
}

/* Told where commands are told, so that the log of the house knows who did it. We do not hear it ourselves (bus.h). */
static void tell_order(struct actuator *actuator, const struct command *command)
{
	char topic[WIRE_TOPIC_MAX + 1], payload[1024];
	struct bus_publication publication = { .payload = payload, .qos = 1, .expiry_s = ORDER_EXPIRY_S };
	int len = wire_format_command(command, payload, sizeof(payload));

	if (len < 0 || !actuator->bus || !bus_connected(actuator->bus))
		return;
	publication.len = (size_t)len;
	publication.topic = wire_format_topic(actuator->base, WIRE_SET, &command->series, topic);
	bus_publish(actuator->bus, &publication, NULL);
}

void actuator_order(struct actuator *actuator, const struct channel *channel, const struct value *value, const char *by,
		    actuator_done_fn done, void *context)
{
	struct pending pending = { .actuator = actuator,
				   .channel = channel,
				   .is_own = true,
				   .done = done,
				   .done_context = context,
				   .result.series = channel->series };
	struct command command = { .series = channel->series, .value = *value };

	snprintf(command.by, sizeof(command.by), "%s", by);
	snprintf(command.id, sizeof(command.id), "%.32s-%llx-%u", channel->series.node, (unsigned long long)clock_wall_ms(),
		 ++actuator->own_count);
	strcpy(pending.result.id, command.id);
	tell_order(actuator, &command);
	obey(actuator, &pending, value);
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

int actuator_open(sd_event *event, const char *base, struct device *devices, struct sampler *sampler,
		  const struct actuator_hooks *hooks, void *context, struct actuator **ret_actuator)
{
	struct actuator *actuator = calloc(1, sizeof(*actuator));

	if (!actuator)
		return -ENOMEM;
	actuator->event = sd_event_ref(event);
	actuator->base = base;
	actuator->devices = devices;
	actuator->sampler = sampler;
	actuator->hooks = *hooks;
	actuator->context = context;
	*ret_actuator = actuator;
	return 0;
}

static bool has_device(const struct device *devices, const struct device *device)
{
	while (devices && devices != device)
		devices = devices->next;
	return devices;
}

void actuator_change(struct actuator *actuator, const char *base, struct device *devices)
{
	actuator->base = base;
	actuator->devices = devices;
	for (struct pending *pending = actuator->pending, *next; pending; pending = next) {
		next = pending->next;
		if (!has_device(devices, pending->channel->device))
			drop(pending);
	}
}

static void on_stopped(void *context, int result, const struct value *value, const char *error)
{
	struct pending *pending = context;

	(void)error;
	pending->result.value = *value;
	if (result == 0)
		tell(pending);
	drop(pending);
}

void actuator_stop(struct actuator *actuator, const struct channel *channel, const struct value *value)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return;
	replace(actuator, channel);
	pending->actuator = actuator;
	pending->channel = channel;
	pending->next = actuator->pending;
	actuator->pending = pending;
	actuator->pending_count++;
	pending->is_last = true;
	if (sampler_set(actuator->sampler, channel, value, on_stopped, pending) < 0)
		drop(pending);
}

void actuator_use(struct actuator *actuator, struct bus *bus)
{
	actuator->bus = bus;
}

void actuator_close(struct actuator *actuator)
{
	if (!actuator)
		return;
	while (actuator->pending)
		drop(actuator->pending);
	sd_event_unref(actuator->event);
	free(actuator);
}
