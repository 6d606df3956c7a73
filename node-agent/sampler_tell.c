/* Values on their way out, and what hooks may ask for: on the loop at once, from a worker by a note that the loop takes when the hook has ended. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/reading.h"
#include "condition.h"
#include "derive.h"
#include "sampler_slot.h"

/* ---- values ---------------------------------------------------------------------------------------------------------------------- */

/* Returns whether it is one that the channel can be; words say why not. ret_number: what it came to, when it is a number. */
static bool give(struct slot *slot, size_t index, int64_t time_ms, const struct value *value, double *ret_number, char *ret_words)
{
	const struct channel *channel = &slot->device->channels[index];
	const struct sampler_hooks *hooks = &slot->sampler->hooks;
	struct reading reading = { .series = channel->series, .time_ms = time_ms, .value = *value };
	char reason[READING_REASON_MAX];
	int r = 0;

	if (channel->condition && value->kind == VALUE_NUMBER && isfinite(value->number))
		r = condition_take(channel->condition, &reading.value.number, clock_boot_ms(), reason);
	if (r >= 0)
		r = reading_check(&reading, time_ms, reason);
	slot->silent[index] = r < 0;
	if (r < 0) {
		snprintf(ret_words, DEVICE_ERROR_MAX, "%.24s: %.80s", channel->series.quantity, reason);
		return false;
	}
	*ret_number = reading.value.number;
	if (hooks->seen)
		hooks->seen(slot->sampler->context, channel, &reading.value);
	if (!channel->condition ||
	    condition_is_due(channel->condition, &reading.value, clock_boot_ms(), slot->device->sporadic ? 0 : slot->interval_ms)) {
		hooks->reading(slot->sampler->context, channel, time_ms, &reading.value);
		slot_beat(slot);
	}
	return true;
}

void slot_was_told(struct slot *slot, size_t channel, const struct value *value)
{
	struct condition *condition = slot->device->channels[channel].condition;

	if (condition)
		condition_was_told(condition, value, clock_boot_ms());
}

/* What follows from the values of one turn. */
static void give_derived(struct slot *slot, const double numbers[])
{
	struct device *device = slot->device;

	for (size_t i = 0; i < device->derived_count; i++) {
		enum derived kind = (enum derived)device->derived[i];
		double inputs[2] = { NAN, NAN }, number;
		char words[DEVICE_ERROR_MAX];
		struct value value;

		for (size_t j = 0; j < device->channel_count; j++)
			for (int k = 0; k < 2; k++)
				if (derive_needs(kind, k) &&
				    strcmp(derive_needs(kind, k), device->channels[j].series.quantity) == 0)
					inputs[k] = numbers[j];
		number = derive(kind, inputs[0], inputs[1], device->altitude);
		if (isnan(number))
			continue;
		value = value_of_number(number);
		give(slot, device->channel_count + i, slot->time_ms, &value, &number, words);
	}
}

int slot_give_all(struct slot *slot, char *ret_words)
{
	double numbers[CHANNELS_MAX];
	int r = 0;

	for (size_t i = 0; i < slot->device->channel_count; i++) {
		numbers[i] = NAN;
		if (slot->fresh[i] && !give(slot, i, slot->time_ms, &slot->values[i], &numbers[i], ret_words))
			r = -ERANGE;
	}
	give_derived(slot, numbers);
	return r;
}

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* mono_ns 0: now. */
static int64_t wall_of(int64_t mono_ns)
{
	int64_t ago_ns = mono_ns > 0 ? monotonic_ns() - mono_ns : 0;

	return clock_wall_ms() - (ago_ns > 0 ? ago_ns : 0) / 1000000;
}

/* ---- notes ----------------------------------------------------------------------------------------------------------------------- */

struct note {
	struct note *next;
	struct slot *slot;
	bool is_wake;
	size_t channel;
	int64_t after_ms; /* of a wake */
	int64_t time_ms;  /* of a value */
	struct value value;
};

static void tell_now(struct slot *slot, size_t channel, int64_t time_ms, const struct value *value)
{
	char words[DEVICE_ERROR_MAX];
	double number;

	if (channel >= slot->device->channel_count || slot->leaving)
		return;
	if (!give(slot, channel, time_ms, value, &number, words))
		slot_begin_fault(slot, -ERANGE, words);
	else if (slot->fault_code == -ERANGE && !slot->interval_ms)
		slot_end_fault(slot);
}

static int on_wake(sd_event_source *source, uint64_t now_us, void *userdata);

static void wake_later(struct slot *slot, int64_t after_ms)
{
	sd_event *event = slot->sampler->event;
	uint64_t when_us = (uint64_t)(clock_boot_ms() + (after_ms > 0 ? after_ms : 0)) * 1000;

	if (after_ms < 0 || slot->leaving) {
		if (slot->wake_timer)
			sd_event_source_set_enabled(slot->wake_timer, SD_EVENT_OFF);
		return;
	}
	if (!slot->wake_timer) {
		if (sd_event_add_time(event, &slot->wake_timer, CLOCK_BOOTTIME, when_us, 1000, on_wake, slot) < 0)
			log_error("%s: no timer", slot->device->name);
		return;
	}
	sd_event_source_set_time(slot->wake_timer, when_us);
	sd_event_source_set_enabled(slot->wake_timer, SD_EVENT_ONESHOT);
}

static void obey(struct note *note)
{
	if (note->is_wake)
		wake_later(note->slot, note->after_ms);
	else
		tell_now(note->slot, note->channel, note->time_ms, &note->value);
}

/* The list is the one thing that workers write to as well; newest first. */
static void add_note(struct note note)
{
	struct sampler *sampler = note.slot->sampler;
	struct note *kept;

	if (!worker_is_here()) {
		obey(&note);
		return;
	}
	kept = malloc(sizeof(*kept));
	if (!kept)
		return;
	*kept = note;
	kept->next = __atomic_load_n(&sampler->notes, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&sampler->notes, &kept->next, kept, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

/* Those of a list, oldest first. */
static struct note *in_order(struct note *newest)
{
	struct note *oldest = NULL;

	while (newest) {
		struct note *note = newest;

		newest = note->next;
		note->next = oldest;
		oldest = note;
	}
	return oldest;
}

void sampler_take_notes(struct sampler *sampler)
{
	struct note *note = in_order(__atomic_exchange_n(&sampler->notes, NULL, __ATOMIC_ACQUIRE));

	while (note) {
		struct note *next = note->next;

		obey(note);
		free(note);
		note = next;
	}
}

void sampler_drop_notes(struct sampler *sampler)
{
	struct note *note = __atomic_exchange_n(&sampler->notes, NULL, __ATOMIC_ACQUIRE);

	while (note) {
		struct note *next = note->next;

		free(note);
		note = next;
	}
}

static void tell(struct device *device, size_t channel, int64_t mono_ns, const struct value *value)
{
	add_note((struct note){
		.slot = device->context, .channel = channel, .time_ms = wall_of(mono_ns) - device->late_ms, .value = *value });
}

static void wake(struct device *device, int64_t after_ms)
{
	add_note((struct note){ .slot = device->context, .is_wake = true, .after_ms = after_ms });
}

const struct device_services sampler_services = { .tell = tell, .wake = wake };

/* ---- wake() and notice() --------------------------------------------------------------------------------------------------------- */

static int run_wake(void *context)
{
	struct slot *slot = context;

	return slot_keep_words(slot, &slot->wake, slot->device->driver->wake(slot->device));
}

static void wake_done(void *context, int result)
{
	struct slot *slot = context;

	slot->wake.under_way = false;
	sampler_take_notes(slot->sampler);
	if (result < 0)
		slot_fail(slot, result, slot->wake.error);
}

static int on_wake(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct slot *slot = userdata;

	(void)source;
	(void)now_us;
	if (!slot->is_open || !slot->device->driver->wake)
		return 0;
	if (slot->wake.under_way)
		wake_later(slot, 1);
	else
		slot_run(slot, &slot->wake, run_wake, wake_done, true);
	return 0;
}

static int run_notice(void *context)
{
	struct slot *slot = context;

	return slot_keep_words(slot, &slot->notice, slot->device->driver->notice(slot->device));
}

static void notice_done(void *context, int result)
{
	struct slot *slot = context;

	slot->notice.under_way = false;
	sampler_take_notes(slot->sampler);
	if (result < 0)
		slot_fail(slot, result, slot->notice.error);
	else if (slot->watch)
		sd_event_source_set_enabled(slot->watch, SD_EVENT_ON);
}

static int on_watch(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct slot *slot = userdata;

	(void)fd;
	if (!(events & (EPOLLIN | EPOLLPRI))) {
		/* It has only its end to tell, and would do so for ever. */
		slot_fail(slot, -ENODEV, "");
		return 0;
	}
	if (slot->worker)
		sd_event_source_set_enabled(source, SD_EVENT_OFF); /* until it has been noticed */
	slot_run(slot, &slot->notice, run_notice, notice_done, true);
	return 0;
}

int slot_watch(struct slot *slot)
{
	return slot->fd < 0 ? 0 : sd_event_add_io(slot->sampler->event, &slot->watch, slot->fd, EPOLLIN | EPOLLPRI, on_watch, slot);
}

void slot_unwatch(struct slot *slot)
{
	slot->watch = sd_event_source_disable_unref(slot->watch);
	slot->fd = -1;
}
