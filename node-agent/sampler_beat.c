/* The heartbeat of devices whose values come when they come: a program that stays and prints changes. What it said last is told again at its
 * greatest age (`report = change max AGE`), as long as the device is well. Others need none: they are read at least so often. */
#include "../common/clock.h"
#include "condition.h"
#include "sampler_slot.h"

enum { ACCURACY_MS = 100 };

static int64_t too_old_ms(const struct slot *slot, size_t channel)
{
	const struct condition *condition = slot->device->channels[channel].condition;

	return condition ? condition_too_old_ms(condition) : 0;
}

static int on_beat(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct slot *slot = userdata;
	struct device *device = slot->device;
	const struct sampler_hooks *hooks = &slot->sampler->hooks;
	int64_t now_ms = clock_boot_ms();

	(void)source;
	(void)now_us;
	if (!slot->is_open || slot->fault_code || slot->leaving)
		return 0; /* silence is the truth; the next value begins anew */
	for (size_t i = 0; i < device->channel_count; i++) {
		struct condition *condition = device->channels[i].condition;

		if (too_old_ms(slot, i) == 0 || too_old_ms(slot, i) > now_ms)
			continue;
		condition_was_told(condition, &condition->told, now_ms);
		hooks->reading(slot->sampler->context, &device->channels[i], clock_wall_ms() - device->late_ms, &condition->told);
	}
	slot_beat(slot);
	return 0;
}

void slot_beat(struct slot *slot)
{
	int64_t next_ms = 0;
	uint64_t next_us;

	for (size_t i = 0; slot->device->sporadic && i < slot->device->channel_count; i++) {
		int64_t old_ms = too_old_ms(slot, i);

		if (old_ms > 0 && (next_ms == 0 || old_ms < next_ms))
			next_ms = old_ms;
	}
	if (next_ms == 0)
		return;
	next_us = (uint64_t)next_ms * 1000;
	if (!slot->beat_timer) {
		sd_event_add_time(slot->sampler->event, &slot->beat_timer, CLOCK_BOOTTIME, next_us, ACCURACY_MS * 1000, on_beat,
				  slot);
		return;
	}
	sd_event_source_set_time(slot->beat_timer, next_us);
	sd_event_source_set_enabled(slot->beat_timer, SD_EVENT_ONESHOT);
}
