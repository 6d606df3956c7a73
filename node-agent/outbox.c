#include "outbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log.h"
#include "outbox_internal.h"

/* ---- what the rooms share -------------------------------------------------------------------------------------------------------- */

void outbox_arm(sd_event_source *timer, int64_t delay_ms, int64_t accuracy_ms)
{
	sd_event_source_set_time_relative(timer, (uint64_t)(delay_ms > 0 ? delay_ms : 0) * 1000);
	sd_event_source_set_time_accuracy(timer, (uint64_t)accuracy_ms * 1000);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

struct kept_series *outbox_series(struct outbox *outbox, const struct series *name)
{
	struct kept_series *series = outbox->series;

	while (series && !series_equal(&series->name, name))
		series = series->next;
	if (series)
		return series;
	series = malloc(sizeof(*series));
	if (!series)
		return NULL;
	*series = (struct kept_series){
		.next = outbox->series,
		.name = *name,
		.told_ms = INT64_MIN,
		.high_ms = INT64_MIN,
		.told_boot_ms = INT64_MIN,
	};
	outbox->series = series;
	return series;
}

struct reading outbox_reading(const struct entry *entry)
{
	struct reading reading = { .series = entry->series->name, .time_ms = entry->time_ms, .seq = entry->seq };

	if (entry->is_text)
		value_of_text(entry->text, strlen(entry->text), &reading.value);
	else
		reading.value = value_of_number(entry->number);
	return reading;
}

void outbox_give_up(struct outbox *outbox, int64_t count)
{
	if (count > 0 && outbox->given_up == outbox->given_up_told)
		log_warning("the outbox is full: the oldest readings are given up");
	outbox->given_up += count;
}

/* There is room again: what was given up meanwhile is known, and the next time is news. */
static void tell_given_up(struct outbox *outbox)
{
	if (outbox->given_up == outbox->given_up_told || outbox->file || outbox->window.unsettled > 0 ||
	    outbox->fresh.unsettled > outbox->fresh.max / 4)
		return;
	log_warning("the outbox has room again; %" PRId64 " readings were given up", outbox->given_up - outbox->given_up_told);
	outbox->given_up_told = outbox->given_up;
}

/* ---- adding ---------------------------------------------------------------------------------------------------------------------- */

static void forget_oldest(struct outbox *outbox)
{
	struct queue *fresh = &outbox->fresh;

	if (queue_at(fresh, 0)->state < ENTRY_KEPT)
		outbox_give_up(outbox, 1);
	queue_set(fresh, 0, ENTRY_DONE);
	queue_trim(fresh);
}

static bool is_full(const struct outbox *outbox)
{
	return outbox->fresh.count >= outbox->fresh.max || outbox->fresh.text_bytes > OUTBOX_TEXT_BYTES_MAX;
}

static void make_room(struct outbox *outbox)
{
	struct queue *fresh = &outbox->fresh;

	while (is_full(outbox) && fresh->count > 0 && queue_at(fresh, 0)->state == ENTRY_KEPT)
		forget_oldest(outbox);
	if (is_full(outbox) && !outbox_spill_half(outbox))
		while (is_full(outbox) && fresh->count > 0)
			forget_oldest(outbox);
}

static void remember_newest(struct kept_series *series, const struct entry *entry)
{
	free(series->newest_text);
	series->newest_text = entry->is_text ? strdup(entry->text) : NULL;
	series->newest_number = entry->is_text ? 0 : entry->number;
	series->newest_ms = entry->time_ms;
	series->newest_held = entry->state == ENTRY_HELD;
	series->newest_seq = entry->is_text && !series->newest_text ? 0 : entry->seq;
}

static int fill(struct outbox *outbox, struct entry *entry, struct kept_series *series, const struct value *value)
{
	entry->series = series;
	entry->seq = serial_next(&outbox->serial);
	entry->added_ms = clock_boot_ms();
	entry->is_text = value->kind == VALUE_TEXT;
	if (!entry->is_text) {
		entry->number = value->number;
		return 0;
	}
	entry->text = strdup(value->text);
	if (!entry->text)
		return -ENOMEM;
	outbox->fresh.text_bytes += OUTBOX_TEXT_BYTES(entry->text);
	return 0;
}

/* The one record of what was measured that neither broker nor outbox has a part in yet. */
static void log_made(const struct series *series, int64_t time_ms, const struct value *value)
{
	if (value->kind != VALUE_TEXT)
		log_debug("made %s/%s/%s %.17g at %" PRId64 " (boot %" PRId64 ")", series->node, series->device, series->quantity,
			  value->number, time_ms, clock_boot_ms());
}

void outbox_add(struct outbox *outbox, const struct channel *channel, int64_t time_ms, const struct value *value, bool live)
{
	struct kept_series *series = outbox_series(outbox, &channel->series);
	struct queue *fresh = &outbox->fresh;
	struct entry *entry;

	if (series && live)
		time_ms = outbox_clock_stamp(outbox, series, time_ms);
	log_made(&channel->series, time_ms, value);
	outbox_drop_kept(outbox);
	make_room(outbox);
	entry = series ? queue_push(fresh, live && !outbox->believed ? ENTRY_HELD : ENTRY_WAITING) : NULL;
	if (!entry) {
		outbox_give_up(outbox, 1);
		return;
	}
	entry->time_ms = time_ms;
	if (fill(outbox, entry, series, value) < 0) {
		queue_set(fresh, fresh->count - 1, ENTRY_DONE);
		outbox_give_up(outbox, 1);
		return;
	}
	if (live)
		remember_newest(series, entry);
	if (live && outbox->believed)
		outbox_send_live(outbox, fresh, fresh->count - 1);
	outbox_wake(outbox, entry->state == ENTRY_WAITING ? OUTBOX_TICK_MS : outbox->settings.resend_after_ms);
	outbox_spill_wake(outbox);
}

size_t outbox_free(const struct outbox *outbox)
{
	return outbox_spill_count(outbox) > 0 ? 0 : outbox->fresh.max - outbox->fresh.count;
}

/* ---- the bus --------------------------------------------------------------------------------------------------------------------- */

void outbox_use(struct outbox *outbox, struct bus *bus)
{
	outbox->bus = bus;
}

void outbox_configure(struct outbox *outbox, const struct outbox_settings *settings)
{
	outbox->settings = *settings;
	outbox->fresh.max = settings->room > outbox->fresh.count ? settings->room : outbox->fresh.count;
	outbox_clock_look(outbox);
}

void outbox_connected(struct outbox *outbox)
{
	outbox->connected = true;
	outbox->patience = 0;
	outbox->connected_ms = outbox->heard_ms = clock_boot_ms();
	outbox_send_again(outbox);
	outbox_wake(outbox, OUTBOX_TICK_MS);
}

void outbox_disconnected(struct outbox *outbox)
{
	if (!outbox->connected)
		return;
	outbox->connected = false;
	outbox_send_again(outbox);
	outbox_spill_wake(outbox);
}

void outbox_settled(struct outbox *outbox)
{
	queue_trim(&outbox->fresh);
	queue_trim(&outbox->window);
	tell_given_up(outbox);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static int64_t oldest_ms(const struct outbox *outbox)
{
	const struct queue *fresh = &outbox->fresh;

	if (outbox_spill_count(outbox) > 0)
		return outbox_spill_oldest(outbox);
	for (size_t i = 0; i < fresh->count; i++) {
		const struct entry *entry = queue_at(fresh, i);

		if (entry->state == ENTRY_HELD)
			return TIME_NONE;
		if (entry->state < ENTRY_KEPT)
			return entry->time_ms;
	}
	return TIME_NONE;
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
	return (struct outbox_counts){
		.waiting = (int64_t)outbox->fresh.unsettled + outbox_spill_count(outbox),
		.spilled = outbox_spill_count(outbox),
		.oldest_ms = oldest_ms(outbox),
		.given_up = outbox->given_up,
		.estimated = outbox->estimated,
		.clock = !outbox->believed ? "waiting"
			 : clock_synced()  ? "synced"
					   : "unsynced",
		.trouble = outbox->trouble,
	};
}

static int open_rooms(struct outbox *outbox)
{
	int r = outbox_send_open(outbox);

	if (r >= 0)
		r = outbox_spill_open(outbox);
	if (r < 0)
		return r;
	r = serial_init(&outbox->serial, outbox->settings.state_dir);
	if (r < 0)
		log_warning("%s: cannot keep serial numbers there (%s), the clock gives them", outbox->settings.state_dir,
			    strerror(-r));
	if (outbox->file) /* a lost file of numbers, a clock of 1970: still above all that were given */
		serial_raise(&outbox->serial, store_outbox_newest(outbox->file) + 1);
	outbox_receipt_open(outbox);
	return outbox_clock_open(outbox);
}

int outbox_open(sd_event *event, const struct outbox_settings *settings, struct outbox **ret_outbox)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));
	int r;

	if (!outbox)
		return -ENOMEM;
	outbox->event = sd_event_ref(event);
	outbox->settings = *settings;
	outbox->fresh.max = settings->room;
	outbox->window.max = OUTBOX_WINDOW;
	outbox->lock_fd = -1;
	r = open_rooms(outbox);
	if (r < 0) {
		outbox_close(outbox);
		return r;
	}
	*ret_outbox = outbox;
	return 0;
}

static void free_series(struct kept_series *series)
{
	while (series) {
		struct kept_series *next = series->next;

		free(series->newest_text);
		free(series);
		series = next;
	}
}

void outbox_close(struct outbox *outbox)
{
	if (!outbox)
		return;
	outbox_spill_close(outbox);
	outbox_clock_settle(outbox);
	sd_event_source_disable_unref(outbox->tick);
	sd_event_source_disable_unref(outbox->clock_timer);
	serial_done(&outbox->serial);
	queue_done(&outbox->fresh);
	queue_done(&outbox->window);
	free_series(outbox->series);
	sd_event_unref(outbox->event);
	free(outbox);
}
