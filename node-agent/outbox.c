#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/wire.h"
#include "serial.h"

enum {
	BATCH_READINGS = 200,
	BATCH_BYTES = 32 * 1024,
	WINDOW = 4000, /* waiting readings that are looked through for one batch of a series */
	TICK_MS = 50,
	BATCHES_PER_TICK = 20,
	IN_FLIGHT_MAX = 60, /* batches that the broker has not acknowledged */
	RANGES_MAX = 1000,
};

enum state { WAITING, SENT, DONE };

/* The series that readings wait of; they outlive the devices, which a new configuration replaces. */
struct kept_series {
	struct kept_series *next;
	struct series name;
};

struct entry {
	const struct kept_series *series;
	int64_t seq, time_ms;
	double number;
	char *text;      /* of a text quantity */
	int64_t sent_ms; /* clock_boot_ms(), when SENT */
	int publish_id;
	uint8_t state;
};

struct outbox {
	struct outbox_settings settings;
	struct serial serial;
	struct bus *bus;
	sd_event_source *tick;
	bool connected;
	bool receipts;     /* a collector has spoken: the broker's word is not enough any more */
	int64_t first_seq; /* of entries[head]; numbers have no holes, so a number tells its place */
	struct kept_series *series;
	struct entry *entries;
	size_t head, count, room;
	size_t waiting;            /* entries in state WAITING */
	size_t unsettled;          /* entries that are not DONE: those stay in their place until the ones before them are */
	int flying[IN_FLIGHT_MAX]; /* publish ids of batches */
	int in_flight;
	int64_t given_up;
};

static struct entry *at(const struct outbox *outbox, size_t index)
{
	return &outbox->entries[(outbox->head + index) % outbox->room];
}

static void finish(struct outbox *outbox, struct entry *entry)
{
	if (entry->state == WAITING)
		outbox->waiting--;
	if (entry->state != DONE)
		outbox->unsettled--;
	entry->state = DONE;
	free(entry->text);
	entry->text = NULL;
}

static void drop_done(struct outbox *outbox)
{
	while (outbox->count > 0 && at(outbox, 0)->state == DONE) {
		outbox->head = (outbox->head + 1) % outbox->room;
		outbox->count--;
		outbox->first_seq++;
	}
}

static struct reading reading_of(const struct entry *entry)
{
	struct reading reading = {
		.series = entry->series->name,
		.time_ms = entry->time_ms,
		.value = value_of_number(entry->number),
		.seq = entry->seq,
	};

	if (entry->text)
		value_of_text(entry->text, strlen(entry->text), &reading.value);
	return reading;
}

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

static void mark_sent(struct outbox *outbox, struct entry *entry, int publish_id)
{
	if (entry->state == WAITING)
		outbox->waiting--;
	entry->state = SENT;
	entry->sent_ms = clock_boot_ms();
	entry->publish_id = publish_id;
}

static void send_live(struct outbox *outbox, struct entry *entry)
{
	struct reading reading = reading_of(entry);
	char payload[WIRE_READING_MAX * 4];
	int id, len = wire_format_reading(&reading, payload, sizeof(payload));

	if (len > 0 && publish(outbox, &entry->series->name, payload, (size_t)len, true, &id) == 0)
		mark_sent(outbox, entry, id);
}

/* ---- batches -------------------------------------------------------------------------------------------------------------------- */

/* Sends the waiting readings of the series of entry `from`, as many as a batch holds. */
static int send_batch(struct outbox *outbox, size_t from)
{
	static char payload[BATCH_BYTES]; /* one thread, one batch at a time */
	const struct kept_series *series = at(outbox, from)->series;
	size_t chosen[BATCH_READINGS], count = 0, len = 0;
	size_t end = from + WINDOW < outbox->count ? from + WINDOW : outbox->count;
	int id, r;

	payload[len++] = '[';
	for (size_t i = from; i < end && count < BATCH_READINGS; i++) {
		struct entry *entry = at(outbox, i);
		struct reading reading;
		int n;

		if (entry->state != WAITING || entry->series != series)
			continue;
		reading = reading_of(entry);
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
		mark_sent(outbox, at(outbox, chosen[i]), id);
	return 0;
}

static void arm(struct outbox *outbox, int64_t delay_ms)
{
	sd_event_source_set_time_relative(outbox->tick, (uint64_t)delay_ms * 1000);
	sd_event_source_set_enabled(outbox->tick, SD_EVENT_ONESHOT);
}

static void send_waiting(struct outbox *outbox)
{
	size_t index = 0;

	for (int batches = 0; batches < BATCHES_PER_TICK && outbox->waiting > 0; batches++) {
		if (outbox->in_flight >= IN_FLIGHT_MAX)
			break;
		while (index < outbox->count && at(outbox, index)->state != WAITING)
			index++;
		if (index == outbox->count || send_batch(outbox, index) < 0)
			break;
	}
}

/* What was sent and not confirmed in time waits again. Returns when to look next. */
static int64_t expire(struct outbox *outbox)
{
	int64_t limit_ms = clock_boot_ms() - outbox->settings.resend_after_ms;
	int64_t next_ms = outbox->settings.resend_after_ms;

	for (size_t i = 0; i < outbox->count; i++) {
		struct entry *entry = at(outbox, i);

		if (entry->state != SENT)
			continue;
		if (entry->sent_ms > limit_ms) {
			if (entry->sent_ms - limit_ms < next_ms)
				next_ms = entry->sent_ms - limit_ms;
			break; /* later ones were sent later, or will be seen next time */
		}
		entry->state = WAITING;
		outbox->waiting++;
	}
	return next_ms + 100;
}

static int on_tick(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct outbox *outbox = userdata;
	int64_t next_ms;

	(void)source;
	(void)now_us;
	if (!outbox->connected)
		return 0;
	next_ms = expire(outbox);
	send_waiting(outbox);
	if (outbox->waiting > 0)
		next_ms = TICK_MS;
	if (outbox->count > 0)
		arm(outbox, next_ms);
	return 0;
}

static void wake(struct outbox *outbox, int64_t delay_ms)
{
	int enabled;

	if (outbox->connected && sd_event_source_get_enabled(outbox->tick, &enabled) >= 0 && enabled == SD_EVENT_OFF)
		arm(outbox, delay_ms);
}

/* ---- use ------------------------------------------------------------------------------------------------------------------------ */

static const struct kept_series *keep_series(struct outbox *outbox, const struct series *name)
{
	struct kept_series *series = outbox->series;

	while (series && !series_equal(&series->name, name))
		series = series->next;
	if (series)
		return series;
	series = malloc(sizeof(*series));
	if (!series)
		return NULL;
	*series = (struct kept_series){ outbox->series, *name };
	outbox->series = series;
	return series;
}

void outbox_add(struct outbox *outbox, const struct channel *channel, int64_t time_ms, const struct value *value, bool live)
{
	const struct kept_series *series = keep_series(outbox, &channel->series);
	struct entry *entry;

	if (!series) {
		outbox->given_up++;
		return;
	}
	if (outbox->count == outbox->room) {
		if (at(outbox, 0)->state != DONE)
			outbox->given_up++;
		if (outbox->given_up == 1)
			log_warning("the outbox is full (%zu readings): the oldest are given up", outbox->room);
		finish(outbox, at(outbox, 0));
		drop_done(outbox);
	}
	entry = at(outbox, outbox->count++);
	*entry = (struct entry){
		.series = series,
		.seq = serial_next(&outbox->serial),
		.time_ms = time_ms,
		.number = value->number,
		.text = value->kind == VALUE_TEXT ? strdup(value->text) : NULL,
		.state = WAITING,
	};
	if (outbox->count == 1)
		outbox->first_seq = entry->seq;
	outbox->waiting++;
	outbox->unsettled++;
	if (live && outbox->connected)
		send_live(outbox, entry);
	wake(outbox, entry->state == WAITING ? TICK_MS : outbox->settings.resend_after_ms);
	if (entry->state == WAITING && outbox->connected)
		arm(outbox, TICK_MS);
}

size_t outbox_free(const struct outbox *outbox)
{
	return outbox->room - outbox->count;
}

void outbox_use(struct outbox *outbox, struct bus *bus)
{
	outbox->bus = bus;
}

void outbox_configure(struct outbox *outbox, const struct outbox_settings *settings)
{
	outbox->settings = *settings;
}

static void all_wait_again(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->count; i++) {
		struct entry *entry = at(outbox, i);

		if (entry->state == SENT) {
			entry->state = WAITING;
			outbox->waiting++;
		}
	}
	outbox->in_flight = 0;
}

void outbox_connected(struct outbox *outbox)
{
	outbox->connected = true;
	all_wait_again(outbox);
	if (outbox->count > 0)
		arm(outbox, TICK_MS);
}

void outbox_disconnected(struct outbox *outbox)
{
	outbox->connected = false;
	all_wait_again(outbox);
}

void outbox_receipt(struct outbox *outbox, const void *payload, size_t len)
{
	struct wire_range ranges[RANGES_MAX];
	int count = wire_parse_receipt(payload, len, ranges, RANGES_MAX);

	if (count < 0)
		return;
	outbox->receipts = true;
	for (int i = 0; i < count; i++) {
		int64_t first = ranges[i].first - outbox->first_seq, last = ranges[i].last - outbox->first_seq;

		if (first < 0)
			first = 0;
		for (; first <= last && first < (int64_t)outbox->count; first++)
			if (at(outbox, (size_t)first)->state != DONE)
				finish(outbox, at(outbox, (size_t)first));
	}
	drop_done(outbox);
}

void outbox_acknowledged(struct outbox *outbox, int publish_id)
{
	for (int i = 0; i < outbox->in_flight; i++)
		if (outbox->flying[i] == publish_id) {
			outbox->flying[i] = outbox->flying[--outbox->in_flight];
			break;
		}
	if (outbox->receipts)
		return;
	for (size_t i = 0; i < outbox->count; i++)
		if (at(outbox, i)->state == SENT && at(outbox, i)->publish_id == publish_id)
			finish(outbox, at(outbox, i));
	drop_done(outbox);
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
	return (struct outbox_counts){
		.waiting = outbox->unsettled,
		.oldest_ms = outbox->count ? at(outbox, 0)->time_ms : TIME_NONE,
		.given_up = outbox->given_up,
	};
}

int outbox_open(sd_event *event, const struct outbox_settings *settings, struct outbox **ret_outbox)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));
	int r;

	if (!outbox)
		return -ENOMEM;
	outbox->settings = *settings;
	outbox->room = settings->room;
	outbox->entries = calloc(outbox->room, sizeof(*outbox->entries));
	r = outbox->entries ? 0 : -ENOMEM;
	if (r == 0)
		r = sd_event_add_time_relative(event, &outbox->tick, CLOCK_BOOTTIME, 0, 20000, on_tick, outbox);
	if (r < 0) {
		outbox_close(outbox);
		return r;
	}
	sd_event_source_set_enabled(outbox->tick, SD_EVENT_OFF);
	r = serial_init(&outbox->serial, settings->state_dir);
	if (r < 0)
		log_warning("%s: cannot keep serial numbers there (%s), the clock gives them", settings->state_dir, strerror(-r));
	*ret_outbox = outbox;
	return 0;
}

void outbox_close(struct outbox *outbox)
{
	if (!outbox)
		return;
	for (size_t i = 0; i < outbox->count; i++)
		free(at(outbox, i)->text);
	while (outbox->series) {
		struct kept_series *series = outbox->series;

		outbox->series = series->next;
		free(series);
	}
	sd_event_source_disable_unref(outbox->tick);
	serial_done(&outbox->serial);
	free(outbox->entries);
	free(outbox);
}
