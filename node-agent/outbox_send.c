/* Live readings by themselves, everything else in batches behind them. */
#include <string.h>

#include "outbox_internal.h"

enum {
	BATCH_READINGS = 200,
	BATCH_BYTES = 32 * 1024,
	BATCH_WINDOW = 4000, /* waiting readings that are looked through for one batch of a series */
	FILE_TICK_MS = 1000, /* how often it is seen whether the file can be read on */
	PATIENCE_MAX = 6,    /* sent again after up to 2^6 times resend_after */
	IN_FLIGHT_MAX = sizeof(((struct outbox *)NULL)->flying) / sizeof(int),
};

static int publish(struct outbox *outbox, const struct series *series, const char *payload, size_t len, bool retain, int *ret_id)
{
	char topic[WIRE_TOPIC_MAX + 1];
	struct bus_publication publication = {
		.topic = wire_format_topic(outbox->settings.base, WIRE_READING, series, topic),
		.payload = payload,
		.len = len,
		.qos = 1,
		.retain = retain,
	};

	return bus_publish(outbox->bus, &publication, ret_id);
}

static void mark_sent(struct queue *queue, size_t index, int publish_id)
{
	struct entry *entry = queue_at(queue, index);

	queue_set(queue, index, ENTRY_SENT);
	entry->sent_ms = clock_boot_ms();
	entry->publish_id = publish_id;
}

/* ---- live ------------------------------------------------------------------------------------------------------------------------ */

static int publish_retained(struct outbox *outbox, struct kept_series *series, const struct reading *reading)
{
	char payload[WIRE_READING_MAX * 4];
	int id, len = wire_format_reading(reading, payload, sizeof(payload));

	if (len < 0 || publish(outbox, &series->name, payload, (size_t)len, true, &id) < 0)
		return -1;
	series->shown_seq = reading->seq;
	series->shown_id = id;
	return id;
}

void outbox_send_live(struct outbox *outbox, struct queue *queue, size_t index)
{
	struct entry *entry = queue_at(queue, index);
	struct reading reading;
	int id;

	if (!outbox->connected)
		return;
	reading = outbox_reading(entry);
	id = publish_retained(outbox, entry->series, &reading);
	if (id >= 0)
		mark_sent(queue, index, id);
}

/* Returns whether it was sent from there. */
static bool show_from_memory(struct outbox *outbox, const struct kept_series *series)
{
	size_t index = queue_find(&outbox->fresh, series->newest_seq);

	if (index == outbox->fresh.count || queue_at(&outbox->fresh, index)->seq != series->newest_seq ||
	    queue_at(&outbox->fresh, index)->state != ENTRY_WAITING)
		return false;
	outbox_send_live(outbox, &outbox->fresh, index);
	return true;
}

/* After a time without the broker, or without a clock, the newest of each series goes first, so that everybody sees how things are now. */
static void show_newest(struct outbox *outbox)
{
	for (struct kept_series *series = outbox->series; series; series = series->next) {
		struct reading reading = { .series = series->name, .time_ms = series->newest_ms, .seq = series->newest_seq };

		if (!series->newest_seq || series->newest_held || series->shown_seq == series->newest_seq ||
		    show_from_memory(outbox, series))
			continue;
		if (series->newest_text)
			value_of_text(series->newest_text, strlen(series->newest_text), &reading.value);
		else
			reading.value = value_of_number(series->newest_number);
		if (publish_retained(outbox, series, &reading) < 0)
			break; /* next time */
	}
}

/* ---- batches --------------------------------------------------------------------------------------------------------------------- */

/* Sends the waiting readings of the series of entry `from`, as many as a batch holds. */
static int send_batch(struct outbox *outbox, struct queue *queue, size_t from)
{
	static char payload[BATCH_BYTES]; /* one thread, one batch at a time */
	const struct kept_series *series = queue_at(queue, from)->series;
	size_t chosen[BATCH_READINGS], count = 0, len = 0;
	size_t end = from + BATCH_WINDOW < queue->count ? from + BATCH_WINDOW : queue->count;
	int id, r;

	payload[len++] = '[';
	for (size_t i = from; i < end && count < BATCH_READINGS; i++) {
		const struct entry *entry = queue_at(queue, i);
		struct reading reading;
		int n;

		if (entry->state != ENTRY_WAITING || entry->series != series)
			continue;
		reading = outbox_reading(entry);
		n = wire_format_reading(&reading, payload + len, sizeof(payload) - len - 2);
		if (n < 0)
			break;
		len += (size_t)n;
		payload[len++] = ',';
		chosen[count++] = i;
	}
	payload[len - 1] = ']';
	r = publish(outbox, &series->name, payload, len, false, &id);
	if (r < 0)
		return r;
	outbox->flying[outbox->in_flight++] = id;
	for (size_t i = 0; i < count; i++)
		mark_sent(queue, chosen[i], id);
	return 0;
}

/* Few batches are under way at a time: a live reading that comes meanwhile waits for no more than those on the line. */
static void send_waiting(struct outbox *outbox, struct queue *queue)
{
	size_t index = queue->first_waiting;

	while (queue->waiting > 0 && outbox->in_flight < IN_FLIGHT_MAX) {
		while (index < queue->count && queue_at(queue, index)->state != ENTRY_WAITING)
			index++;
		queue->first_waiting = index;
		if (index == queue->count || send_batch(outbox, queue, index) < 0)
			break;
	}
}

/* What was sent and not confirmed in time waits again. Returns how long until some will. */
static int64_t expire(struct outbox *outbox, struct queue *queue, int64_t after_ms)
{
	int64_t limit_ms = clock_boot_ms() - after_ms, next_ms = after_ms;
	bool any = false;

	for (size_t i = 0; i < queue->count; i++) {
		const struct entry *entry = queue_at(queue, i);

		if (entry->state != ENTRY_SENT)
			continue;
		if (entry->sent_ms > limit_ms) {
			next_ms = entry->sent_ms - limit_ms;
			break; /* later ones were sent later, or will be seen next time */
		}
		queue_set(queue, i, ENTRY_WAITING);
		any = true;
	}
	if (any && outbox->patience < PATIENCE_MAX)
		outbox->patience++;
	return next_ms;
}

/* A collector that is away is not told twice: the broker keeps the first time for it. */
static int64_t expire_all(struct outbox *outbox)
{
	int64_t after_ms = outbox->settings.resend_after_ms << outbox->patience, next_ms, other_ms;

	if (outbox->collector == COLLECTOR_AWAY)
		return after_ms;
	next_ms = expire(outbox, &outbox->fresh, after_ms);
	other_ms = expire(outbox, &outbox->window, after_ms);
	return (next_ms < other_ms ? next_ms : other_ms) + OUTBOX_TICK_MS;
}

static void send_all(struct outbox *outbox)
{
	outbox_spill_refill(outbox);
	send_waiting(outbox, &outbox->fresh);
	send_waiting(outbox, &outbox->window);
}

static int on_tick(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct outbox *outbox = userdata;
	int64_t next_ms;

	(void)source;
	(void)now_us;
	if (!outbox->connected)
		return 0;
	next_ms = expire_all(outbox);
	outbox_drop_kept(outbox);
	show_newest(outbox);
	send_all(outbox);
	queue_rest(&outbox->fresh);
	if (outbox->fresh.waiting + outbox->window.waiting > 0)
		next_ms = OUTBOX_TICK_MS;
	else if (outbox->file && next_ms > FILE_TICK_MS && outbox->collector != COLLECTOR_AWAY)
		next_ms = FILE_TICK_MS;
	if (outbox->fresh.count + outbox->window.count > 0 || outbox->file)
		outbox_arm(outbox->tick, next_ms, 20);
	return 0;
}

void outbox_wake(struct outbox *outbox, int64_t delay_ms)
{
	int enabled;

	if (!outbox->connected || sd_event_source_get_enabled(outbox->tick, &enabled) < 0)
		return;
	if (enabled == SD_EVENT_OFF || delay_ms <= OUTBOX_TICK_MS)
		outbox_arm(outbox->tick, delay_ms, 20);
}

void outbox_send_again(struct outbox *outbox)
{
	struct queue *const queues[] = { &outbox->fresh, &outbox->window };

	for (size_t q = 0; q < 2; q++)
		for (size_t i = 0; i < queues[q]->count; i++)
			if (queue_at(queues[q], i)->state == ENTRY_SENT)
				queue_set(queues[q], i, ENTRY_WAITING);
	for (struct kept_series *series = outbox->series; series; series = series->next) {
		if (series->shown_id)
			series->shown_seq = 0; /* nobody knows whether the broker got it */
		series->shown_id = 0;
	}
	outbox->in_flight = 0;
}

void outbox_send_acknowledged(struct outbox *outbox, int publish_id)
{
	for (struct kept_series *series = outbox->series; series; series = series->next)
		if (series->shown_id == publish_id)
			series->shown_id = 0;
	for (int i = 0; i < outbox->in_flight; i++)
		if (outbox->flying[i] == publish_id) {
			outbox->flying[i] = outbox->flying[--outbox->in_flight];
			if (outbox->fresh.waiting + outbox->window.waiting > 0)
				send_all(outbox);
			return;
		}
}

int outbox_send_open(struct outbox *outbox)
{
	int r = sd_event_add_time_relative(outbox->event, &outbox->tick, CLOCK_BOOTTIME, 0, 20000, on_tick, outbox);

	return r < 0 ? r : sd_event_source_set_enabled(outbox->tick, SD_EVENT_OFF);
}
