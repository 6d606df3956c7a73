#include "sampler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "sampler_slot.h"

enum { CLOSE_MS = 1200 }; /* how long the end waits for devices on workers; the whole program has 2 s */

/* ---- workers --------------------------------------------------------------------------------------------------------------------- */

/* The worker of a device, made when it is the first of its bus; NULL: the loop. */
static int find_worker(struct sampler *sampler, const struct device *device, struct worker **ret_worker)
{
	/* A 1-wire bus that hangs is nothing to the kernel's other sensors. */
	const char *bus = device->driver->i2c_addresses ? device->bus : device->driver->name;
	const char *name = strrchr(bus, '/') ? strrchr(bus, '/') + 1 : bus;
	struct bus_worker *kept = sampler->workers;
	int r;

	*ret_worker = NULL;
	if (!device->driver->blocks && !device->driver->i2c_addresses)
		return 0;
	while (kept && strcmp(kept->bus, bus) != 0)
		kept = kept->next;
	if (!kept) {
		char thread_name[16];

		kept = malloc(sizeof(*kept) + strlen(bus) + 1);
		if (!kept)
			return -ENOMEM;
		snprintf(thread_name, sizeof(thread_name), "%.15s", name);
		r = worker_open(sampler->event, thread_name, device->driver->i2c_addresses != NULL, &kept->worker);
		if (r < 0) {
			free(kept);
			return r;
		}
		strcpy(kept->bus, bus);
		kept->next = sampler->workers;
		sampler->workers = kept;
	}
	*ret_worker = kept->worker;
	return 0;
}

/* ---- slots ----------------------------------------------------------------------------------------------------------------------- */

static int64_t interval_of(const struct sampler *sampler, const struct device *device)
{
	const struct driver *driver = device->driver;
	int64_t interval_ms = device->interval_ms;

	if (!driver->fetch && !driver->read)
		return 0;
	if (driver->simulated && sampler->clock_rate > 1)
		interval_ms = (int64_t)((double)interval_ms / sampler->clock_rate);
	return interval_ms > 0 ? interval_ms : 1;
}

static int add_slot(struct sampler *sampler, struct device *device)
{
	struct slot **end = &sampler->slots, *slot = calloc(1, sizeof(*slot));
	int r;

	if (!slot)
		return -ENOMEM;
	slot->sampler = sampler;
	slot->device = device_ref(device);
	slot->fd = -1;
	slot->interval_ms = interval_of(sampler, device);
	device->services = &sampler_services;
	device->context = slot;
	while (*end)
		end = &(*end)->next;
	*end = slot;
	slot->values = calloc(device->channel_count + 1, sizeof(*slot->values));
	r = slot->values ? find_worker(sampler, device, &slot->worker) : -ENOMEM;
	if (r >= 0)
		r = sd_event_add_time(sampler->event, &slot->timer, CLOCK_BOOTTIME, 0, 0, slot_on_timer, slot);
	return r < 0 ? r : sd_event_source_set_enabled(slot->timer, SD_EVENT_OFF);
}

/* Nobody will run or wake it any more. */
static void free_slot(struct slot *slot)
{
	sd_event_source_disable_unref(slot->timer);
	sd_event_source_disable_unref(slot->wake_timer);
	sd_event_source_disable_unref(slot->beat_timer);
	sd_event_source_disable_unref(slot->watch);
	device_unref(slot->device);
	free(slot->values);
	free(slot);
}

void slot_free(struct slot *slot)
{
	struct slot **link = &slot->sampler->slots;

	while (*link != slot)
		link = &(*link)->next;
	*link = slot->next;
	free_slot(slot);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

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
	*ret_sampler = sampler;
	for (struct slot *slot = sampler->slots; slot; slot = slot->next)
		slot_turn(slot); /* opens it, so that outputs can be set from now on */
	return 0;
}

void sampler_start(struct sampler *sampler)
{
	if (sampler->started)
		return;
	sampler->started = true;
	for (struct slot *slot = sampler->slots; slot; slot = slot->next)
		slot_start(slot);
}

static bool has_device(const struct device *devices, const struct device *device)
{
	while (devices && devices != device)
		devices = devices->next;
	return devices;
}

static bool has_slot(const struct sampler *sampler, const struct device *device)
{
	for (const struct slot *slot = sampler->slots; slot; slot = slot->next)
		if (slot->device == device)
			return true;
	return false;
}

/* What goes lets go of its lines and chips before what comes takes them: on the loop at once, on a bus since its jobs keep their order. */
int sampler_change(struct sampler *sampler, struct device *devices)
{
	for (struct slot *slot = sampler->slots, *next; slot; slot = next) {
		next = slot->next;
		if (!slot->leaving && !has_device(devices, slot->device))
			slot_leave(slot);
	}
	for (struct device *device = devices; device; device = device->next) {
		struct slot *slot;
		int r;

		if (has_slot(sampler, device))
			continue;
		r = add_slot(sampler, device);
		if (r < 0)
			return r;
		slot = device->context;
		if (sampler->started)
			slot_start(slot);
		slot_turn(slot);
	}
	return 0;
}

static int run_last(void *context)
{
	slot_close_hooks(context);
	return 0;
}

static void close_slots(struct sampler *sampler)
{
	for (struct slot *slot = sampler->slots; slot; slot = slot->next) {
		slot_unwatch(slot);
		sd_event_source_set_enabled(slot->timer, SD_EVENT_OFF);
		if (slot->wake_timer)
			sd_event_source_set_enabled(slot->wake_timer, SD_EVENT_OFF);
		if (!slot->worker) {
			slot_close_hooks(slot);
			continue;
		}
		worker_cancel(slot->worker, &slot->turn.job);
		slot->last = (struct job){ .run = run_last, .context = slot };
		worker_submit(slot->worker, &slot->last, false);
	}
}

void sampler_close(struct sampler *sampler)
{
	int64_t deadline_ms = clock_boot_ms() + CLOSE_MS;
	bool all_ended = true;

	if (!sampler)
		return;
	close_slots(sampler);
	while (sampler->workers) {
		struct bus_worker *kept = sampler->workers;

		sampler->workers = kept->next;
		all_ended = worker_close(kept->worker, deadline_ms) && all_ended;
		free(kept);
	}
	if (!all_ended)
		return; /* a thread that hangs in a bus may still touch all of it */
	sampler_drop_orders(sampler);
	sampler_drop_notes(sampler);
	while (sampler->slots) {
		struct slot *slot = sampler->slots;

		sampler->slots = slot->next;
		free_slot(slot);
	}
	sd_event_unref(sampler->event);
	free(sampler);
}

/* ---- questions ------------------------------------------------------------------------------------------------------------------- */

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

bool sampler_silent(const struct sampler *sampler, const struct channel *channel)
{
	const struct slot *slot = slot_of(sampler, channel->device);

	return slot && slot->fault_code && (slot->fault_code != -ERANGE || slot->silent[channel - channel->device->channels]);
}

bool sampler_ready(const struct sampler *sampler, const struct device *device)
{
	const struct slot *slot = slot_of(sampler, device);

	return slot && slot->is_open && !slot->hung;
}

bool sampler_waits(const struct sampler *sampler, const struct device *device)
{
	const struct slot *slot = slot_of(sampler, device);

	return slot && slot->worker;
}
