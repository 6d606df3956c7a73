#include "sampler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/reading.h"

enum { RETRY_FIRST_MS = 1000, RETRY_LAST_MS = 60000 };

struct slot {
	struct slot *next;
	struct sampler *sampler;
	struct device *device;
	sd_event_source *timer;
	int64_t interval_ms, due_ms; /* due: clock_boot_ms() of the next turn */
	int64_t retry_ms;
	bool is_open, settling;
	char fault[DEVICE_ERROR_MAX + 48];
	int fault_code; /* errno of it; 0: the device is well */
	int64_t fault_since_ms;
};

struct sampler {
	sd_event *event;
	struct sampler_hooks hooks;
	void *context;
	double clock_rate;
	int64_t begin_ms; /* from here on simulated time runs at its rate */
	bool started;
	struct slot *slots;
};

static void arm(struct slot *slot, int64_t delay_ms, int64_t accuracy_ms)
{
	sd_event_source_set_time_relative(slot->timer, (uint64_t)(delay_ms > 0 ? delay_ms : 0) * 1000);
	/* 0 would be the loop's default, a quarter of a second. */
	sd_event_source_set_time_accuracy(slot->timer, (uint64_t)(accuracy_ms > 0 ? accuracy_ms : 1) * 1000);
	sd_event_source_set_enabled(slot->timer, SD_EVENT_ONESHOT);
}

/* The turns of a device stay on its own grid of the monotonic clock: no drift, whatever a turn takes. */
static void next_turn(struct slot *slot)
{
	int64_t now_ms = clock_boot_ms(), late_ms = now_ms - slot->due_ms;

	slot->due_ms += slot->interval_ms * (late_ms > 0 ? late_ms / slot->interval_ms + 1 : 1);
	arm(slot, slot->due_ms - now_ms, slot->interval_ms / 100);
}

/* ---- faults --------------------------------------------------------------------------------------------------------------------- */

static void begin_fault(struct slot *slot, int error)
{
	bool news = slot->fault_code != error; /* the same fault in other words ("99 is over ...") is none */

	snprintf(slot->fault, sizeof(slot->fault), "%s", slot->device->error[0] ? slot->device->error : strerror(-error));
	slot->device->error[0] = '\0';
	if (!slot->fault_code)
		slot->fault_since_ms = clock_wall_ms();
	slot->fault_code = error;
	if (news)
		log_warning("%s: %s, trying again", slot->device->name, slot->fault);
	if (news && slot->sampler->hooks.health)
		slot->sampler->hooks.health(slot->sampler->context);
	if (error == -ERANGE)
		return; /* it answers: it stays on its turns */
	slot->retry_ms = slot->retry_ms ? slot->retry_ms * 2 : RETRY_FIRST_MS;
	if (slot->retry_ms > RETRY_LAST_MS)
		slot->retry_ms = RETRY_LAST_MS;
}

static void end_fault(struct slot *slot)
{
	slot->retry_ms = 0;
	if (!slot->fault_code)
		return;
	log_info("%s: answers again", slot->device->name);
	slot->fault[0] = '\0';
	slot->fault_code = 0;
	if (slot->sampler->hooks.health)
		slot->sampler->hooks.health(slot->sampler->context);
}

/* ---- a turn --------------------------------------------------------------------------------------------------------------------- */

static void give(struct slot *slot, size_t index, int64_t time_ms, const struct value *value)
{
	const struct channel *channel = &slot->device->channels[index];
	struct reading reading = { .series = channel->series, .time_ms = time_ms, .value = *value };
	char reason[READING_REASON_MAX];

	if (reading_check(&reading, time_ms, reason) < 0) {
		snprintf(slot->device->error, sizeof(slot->device->error), "%.24s: %.80s", channel->series.quantity, reason);
		return;
	}
	slot->sampler->hooks.reading(slot->sampler->context, channel, time_ms, value);
}

/* Where the clock of simulated devices has come to when the real one shows now_ms. */
static int64_t simulated(const struct sampler *sampler, int64_t now_ms)
{
	return sampler->begin_ms + (int64_t)((double)(now_ms - sampler->begin_ms) * sampler->clock_rate);
}

static int fetch(struct slot *slot)
{
	struct device *device = slot->device;
	const struct driver *driver = device->driver;
	struct value values[CHANNELS_MAX];
	double numbers[CHANNELS_MAX];
	bool fresh[CHANNELS_MAX];
	int64_t now_ms = clock_wall_ms() - device->late_ms;
	int r = driver->read ? driver->read(device, simulated(slot->sampler, now_ms), values, fresh)
			     : driver->fetch(device, numbers);

	if (r < 0)
		return r;
	for (size_t i = 0; i < device->channel_count; i++) {
		if (!driver->read)
			values[i] = value_of_number(numbers[i]);
		if (!driver->read || fresh[i])
			give(slot, i, now_ms, &values[i]);
	}
	return device->error[0] ? -ERANGE : 0; /* give() found what the quantity cannot be */
}

/* Opens, triggers or fetches, whatever is next; sets the timer for what comes after. */
static void turn(struct slot *slot)
{
	struct device *device = slot->device;
	const struct driver *driver = device->driver;
	int r = 0;

	if (!slot->is_open) {
		r = driver->open ? driver->open(device) : 0;
		slot->is_open = r >= 0;
	}
	if (r >= 0 && !slot->sampler->started)
		return;
	if (r >= 0 && !slot->settling && driver->trigger) {
		r = driver->trigger(device);
		if (r >= 0 && driver->settle_ms > 0) {
			slot->settling = true;
			arm(slot, driver->settle_ms, 1);
			return;
		}
	}
	slot->settling = false;
	if (r >= 0 && (driver->fetch || driver->read))
		r = fetch(slot);
	if (r >= 0) {
		end_fault(slot);
		next_turn(slot);
		return;
	}
	begin_fault(slot, r);
	if (r == -ERANGE) {
		next_turn(slot);
		return;
	}
	if (driver->open) {
		if (driver->close)
			driver->close(device);
		slot->is_open = false;
	}
	slot->due_ms = clock_boot_ms();
	if (slot->retry_ms > slot->interval_ms) {
		arm(slot, slot->retry_ms, slot->retry_ms / 20);
		slot->due_ms += slot->retry_ms;
	} else {
		next_turn(slot);
	}
}

static int on_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	(void)source;
	(void)now_us;
	turn(userdata);
	return 0;
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

/* A place within the interval that is a device's own. */
static int64_t spread(const struct device *device, int64_t interval_ms)
{
	unsigned hash = 2166136261U;

	for (const char *p = device->name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return (int64_t)(hash % (uint64_t)interval_ms);
}

static int add_slot(struct sampler *sampler, struct device *device)
{
	struct slot *slot = calloc(1, sizeof(*slot));
	int r;

	if (!slot)
		return -ENOMEM;
	slot->sampler = sampler;
	slot->device = device;
	slot->interval_ms = device->interval_ms;
	if (device->driver->read && sampler->clock_rate > 1)
		slot->interval_ms = (int64_t)((double)device->interval_ms / sampler->clock_rate);
	if (slot->interval_ms < 1)
		slot->interval_ms = 1;
	slot->next = sampler->slots;
	sampler->slots = slot;
	r = sd_event_add_time_relative(sampler->event, &slot->timer, CLOCK_BOOTTIME, 0, 0, on_timer, slot);
	return r < 0 ? r : sd_event_source_set_enabled(slot->timer, SD_EVENT_OFF);
}

int sampler_open(sd_event *event, struct device *devices, double clock_rate, const struct sampler_hooks *hooks, void *context,
		 struct sampler **ret_sampler)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	int r = 0;

	if (!sampler)
		return -ENOMEM;
	sampler->event = sd_event_ref(event);
	sampler->hooks = *hooks;
	sampler->context = context;
	sampler->clock_rate = clock_rate;
	sampler->begin_ms = clock_wall_ms();
	for (struct device *device = devices; r >= 0 && device; device = device->next)
		r = add_slot(sampler, device);
	if (r < 0) {
		sampler_close(sampler);
		return r;
	}
	for (struct slot *slot = sampler->slots; slot; slot = slot->next)
		turn(slot); /* opens it, so that outputs can be set from now on */
	*ret_sampler = sampler;
	return 0;
}

void sampler_start(struct sampler *sampler)
{
	int64_t now_ms = clock_boot_ms();

	if (sampler->started)
		return;
	sampler->started = true;
	for (struct slot *slot = sampler->slots; slot; slot = slot->next) {
		int64_t offset_ms = spread(slot->device, slot->interval_ms);

		turn(slot); /* a first value at once, then on the grid */
		if (slot->fault_code || slot->settling)
			continue;
		slot->due_ms = now_ms - now_ms % slot->interval_ms + offset_ms - slot->interval_ms;
		next_turn(slot);
	}
}

void sampler_close(struct sampler *sampler)
{
	if (!sampler)
		return;
	while (sampler->slots) {
		struct slot *slot = sampler->slots;

		sampler->slots = slot->next;
		if (slot->is_open && slot->device->driver->close)
			slot->device->driver->close(slot->device);
		sd_event_source_disable_unref(slot->timer);
		free(slot);
	}
	sd_event_unref(sampler->event);
	free(sampler);
}

static const struct slot *slot_of(const struct sampler *sampler, const struct device *device)
{
	const struct slot *slot = sampler->slots;

	while (slot && slot->device != device)
		slot = slot->next;
	return slot;
}

const char *sampler_fault(const struct sampler *sampler, const struct device *device, int64_t *ret_since_ms)
{
	const struct slot *slot = slot_of(sampler, device);

	*ret_since_ms = slot && slot->fault_code ? slot->fault_since_ms : 0;
	return slot ? slot->fault : "";
}

bool sampler_ready(const struct sampler *sampler, const struct device *device)
{
	const struct slot *slot = slot_of(sampler, device);

	return slot && slot->is_open;
}
