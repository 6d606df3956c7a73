#include "backfill.h"

#include "../common/clock.h"
#include "../common/log.h"

enum { STEP_READINGS = 20000, KEEP_FREE = 500 }; /* live readings need room too */

static struct device *simulated(struct device *device)
{
	while (device && !device->driver->simulated)
		device = device->next;
	return device;
}

static int64_t first_turn(const struct backfill *backfill, const struct device *device)
{
	return backfill->from_ms - backfill->from_ms % device->interval_ms + device->interval_ms;
}

void backfill_init(struct backfill *backfill, struct device *devices, int64_t span_ms)
{
	*backfill = (struct backfill){ .devices = devices, .to_ms = clock_wall_ms() };
	backfill->from_ms = backfill->to_ms - span_ms;
	backfill->now_ms = backfill->from_ms;
	backfill->device = span_ms > 0 ? simulated(devices) : NULL;
	if (backfill->device)
		log_info("telling the last %lld hours of the simulated devices", (long long)(span_ms / 3600000));
}

static size_t tell_moment(struct device *device, struct outbox *outbox, int64_t time_ms)
{
	struct value values[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX];
	size_t count = 0;

	if (device->driver->read(device, time_ms, values, fresh) < 0) {
		device->error[0] = '\0'; /* a fault of the past */
		return 0;
	}
	for (size_t i = 0; i < device->channel_count; i++) {
		const struct quantity_info *info = device->channels[i].info;

		if (!fresh[i] ||
		    (values[i].kind == VALUE_NUMBER && !(values[i].number >= info->min && values[i].number <= info->max)))
			continue;
		outbox_add(outbox, &device->channels[i], time_ms, &values[i], false);
		count++;
	}
	return count;
}

static void tell_progress(struct backfill *backfill)
{
	size_t all = 0, done = 0;
	int percent;

	for (struct device *device = simulated(backfill->devices); device; device = simulated(device->next)) {
		all++;
		if (device == backfill->device)
			done = all - 1;
	}
	if (!backfill->device)
		done = all;
	percent = all ? (int)(done * 100 / all) : 100;
	if (percent / 20 == backfill->percent / 20 && backfill->device)
		return;
	backfill->percent = percent;
	log_info("history: %d %% told, %lld readings", percent, (long long)backfill->told);
}

bool backfill_step(struct backfill *backfill, struct outbox *outbox)
{
	size_t added = 0, told;

	while (backfill->device && added < STEP_READINGS && outbox_free(outbox) > KEEP_FREE) {
		struct device *device = backfill->device;

		if (backfill->now_ms == backfill->from_ms)
			backfill->now_ms = first_turn(backfill, device);
		if (backfill->now_ms >= backfill->to_ms) {
			backfill->device = simulated(device->next);
			backfill->now_ms = backfill->from_ms;
			tell_progress(backfill);
			continue;
		}
		told = tell_moment(device, outbox, backfill->now_ms);
		added += told;
		backfill->told += (int64_t)told;
		backfill->now_ms += device->interval_ms;
	}
	return backfill->device != NULL;
}
