/* The steps of a device: open, trigger, wait until it has settled, fetch, wait for the next turn; and close when it fails. Each step runs where the
 * device's hooks run, and its end comes back here. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "condition.h"
#include "i2c.h"
#include "sampler_slot.h"

enum {
	HANG_MS = 10000,       /* a step of a chip that takes longer: its bus hangs */
	BLOCK_HANG_MS = 20000, /* of what may wait for the kernel, which tries again by itself */
	EXACT_MS =
		2000, /* intervals up to this are kept to a millisecond; of longer ones a hundredth serves to wake for several at once */
	LOOSE_MS = 250,
	GROUPS = 5, /* of devices of one interval: so many wake-ups in it, not one for each device */
};

static void arm(struct slot *slot, int64_t when_ms, int64_t accuracy_ms)
{
	sd_event_source_set_time(slot->timer, when_ms > 0 ? (uint64_t)when_ms * 1000 : 0);
	/* The loop wakes as late as it may; and 0 would be its default, a quarter of a second. */
	sd_event_source_set_time_accuracy(slot->timer, accuracy_ms > 0 ? (uint64_t)accuracy_ms * 1000 : 1);
	sd_event_source_set_enabled(slot->timer, SD_EVENT_ONESHOT);
}

static int64_t accuracy(int64_t interval_ms)
{
	if (interval_ms <= EXACT_MS)
		return 0;
	return interval_ms / 100 < LOOSE_MS ? interval_ms / 100 : LOOSE_MS;
}

/* The turns of a device stay on its own grid of the monotonic clock: no drift, whatever a turn takes. */
static void next_turn(struct slot *slot)
{
	int64_t late_ms = clock_boot_ms() - slot->due_ms;

	if (slot->interval_ms <= 0)
		return;
	if (late_ms >= 0)
		slot->due_ms += slot->interval_ms * (late_ms / slot->interval_ms + 1);
	arm(slot, slot->due_ms, accuracy(slot->interval_ms));
}

/* ---- where hooks run ------------------------------------------------------------------------------------------------------------- */

int slot_keep_words(struct slot *slot, struct task *task, int r)
{
	snprintf(task->error, sizeof(task->error), "%s", r < 0 ? slot->device->error : "");
	slot->device->error[0] = '\0';
	return r;
}

void slot_run(struct slot *slot, struct task *task, int (*run)(void *slot), void (*done)(void *slot, int result), bool urgent)
{
	task->under_way = true;
	task->job.run = run;
	task->job.done = done;
	task->job.context = slot;
	if (slot->worker)
		worker_submit(slot->worker, &task->job, urgent);
	else
		done(slot, run(slot));
}

void slot_close_hooks(struct slot *slot)
{
	struct device *device = slot->device;

	if (!slot->hooks_open)
		return;
	slot->hooks_open = false;

	if (device->driver->close)
		device->driver->close(device);
	i2c_close(device->i2c);
	device->i2c = NULL;
}

static int open_hooks(struct slot *slot)
{
	struct device *device = slot->device;
	const struct driver *driver = device->driver;
	int r = 0;

	if (driver->i2c_addresses)
		r = i2c_open(device->bus, device->address, &device->i2c);
	if (r >= 0 && driver->open) {
		r = driver->open(device);
		if (r < 0) { /* open() leaves nothing behind */
			i2c_close(device->i2c);
			device->i2c = NULL;
		}
	}
	slot->hooks_open = r >= 0;
	if (r >= 0 && driver->watch) {
		slot->fd = driver->watch(device);
		if (slot->fd < 0) {
			r = slot->fd;
			slot_close_hooks(slot);
		}
	}
	return r < 0 ? r : 0;
}

/* Where the clock of simulated devices has come to when the real one shows now_ms. */
static int64_t simulated(const struct sampler *sampler, int64_t now_ms)
{
	return sampler->begin_ms + (int64_t)((double)(now_ms - sampler->begin_ms) * sampler->clock_rate);
}

static int fetch_hooks(struct slot *slot)
{
	struct device *device = slot->device;
	const struct driver *driver = device->driver;
	double numbers[CHANNELS_MAX];
	int r;

	for (size_t i = 0; i < CHANNELS_MAX; i++) {
		numbers[i] = NAN; /* a channel that the driver only tells */
		slot->fresh[i] = false;
	}
	slot->time_ms = clock_wall_ms() - device->late_ms;
	if (driver->read)
		return driver->read(device, driver->simulated ? simulated(slot->sampler, slot->time_ms) : slot->time_ms,
				    slot->values, slot->fresh);
	r = driver->fetch(device, numbers);
	for (size_t i = 0; r >= 0 && i < device->channel_count; i++) {
		slot->fresh[i] = !isnan(numbers[i]);
		slot->values[i] = value_of_number(numbers[i]);
	}
	return r;
}

static int run_step(void *context)
{
	struct slot *slot = context;
	const struct driver *driver = slot->device->driver;
	int r = 0;

	switch (slot->step) {
	case STEP_NONE:
		break;
	case STEP_OPEN:
		r = open_hooks(slot);
		break;
	case STEP_TRIGGER:
		r = driver->trigger(slot->device);
		break;
	case STEP_FETCH:
		r = fetch_hooks(slot);
		break;
	case STEP_CLOSE:
		slot_close_hooks(slot);
		break;
	}
	return slot_keep_words(slot, &slot->turn, r);
}

/* ---- what comes after what ------------------------------------------------------------------------------------------------------- */

static void step_done(void *context, int result);

static void begin(struct slot *slot, enum step step)
{
	slot->step = step;
	if (slot->worker) {
		slot->begun_ms = clock_boot_ms();
		arm(slot, slot->begun_ms + HANG_MS, LOOSE_MS);
	}
	slot_run(slot, &slot->turn, run_step, step_done, false);
}

void slot_turn(struct slot *slot)
{
	const struct driver *driver = slot->device->driver;

	if (!slot->is_open)
		begin(slot, STEP_OPEN);
	else if (!slot->sampler->started)
		return;
	else if (!slot->settling && driver->trigger)
		begin(slot, STEP_TRIGGER);
	else if (driver->fetch || driver->read)
		begin(slot, STEP_FETCH);
	else
		slot_end_fault(slot);
}

static void opened(struct slot *slot)
{
	const struct driver *driver = slot->device->driver;
	int r = slot_watch(slot);

	slot->is_open = true;
	slot->settling = false;
	for (size_t i = 0; i < slot->device->channel_count + slot->device->derived_count; i++)
		if (slot->device->channels[i].condition)
			condition_reset(slot->device->channels[i].condition);
	if (r < 0) {
		slot_fail(slot, r, "");
		return;
	}
	if (!driver->fetch && !driver->read)
		slot_end_fault(slot);
	if (slot->sampler->hooks.opened)
		slot->sampler->hooks.opened(slot->sampler->context, slot->device);
	if (slot->is_open && slot->step == STEP_NONE)
		slot_turn(slot);
}

static void fetched(struct slot *slot)
{
	char words[DEVICE_ERROR_MAX] = "";
	int r = slot_give_all(slot, words);

	if (r < 0)
		slot_begin_fault(slot, r, words);
	else
		slot_end_fault(slot);
	next_turn(slot);
}

static void closed(struct slot *slot)
{
	if (slot->leaving)
		slot_free(slot);
	else /* however long its interval is: an output that tells its state every five minutes is wanted before that */
		arm(slot, clock_boot_ms() + slot->retry_ms, slot->retry_ms / 20);
}

static void step_done(void *context, int result)
{
	struct slot *slot = context;
	enum step step = slot->step;

	slot->turn.under_way = false;
	slot->step = STEP_NONE;
	slot->hung = false;
	sd_event_source_set_enabled(slot->timer, SD_EVENT_OFF);
	sampler_take_notes(slot->sampler);
	if (step == STEP_CLOSE)
		closed(slot);
	else if (slot->leaving)
		slot_leave(slot);
	else if (step == STEP_OPEN && result < 0) {
		slot_begin_fault(slot, result == -ERANGE ? -EIO : result, slot->turn.error);
		closed(slot);
	} else if (step == STEP_OPEN)
		opened(slot);
	else if (!slot->is_open)
		begin(slot, STEP_CLOSE); /* another hook failed meanwhile */
	else if (result < 0) {
		slot->settling = false;
		slot_fail(slot, result, slot->turn.error);
		if (result == -ERANGE) {
			memset(slot->silent, true, sizeof(slot->silent));
			next_turn(slot);
		}
	} else if (step == STEP_FETCH) {
		slot->settling = false;
		fetched(slot);
	} else if (slot->device->driver->settle_ms > 0) {
		slot->settling = true;
		/* + 1: the millisecond has begun. It may rest a little longer, so that several are fetched at once. */
		arm(slot, clock_boot_ms() + slot->device->driver->settle_ms + 1, 1 + accuracy(slot->interval_ms) / 5);
	} else
		begin(slot, STEP_FETCH);
}

void slot_fail(struct slot *slot, int error, const char *words)
{
	if (!slot->is_open || slot->leaving)
		return; /* it is being closed already */
	slot_begin_fault(slot, error, words);
	if (error == -ERANGE)
		return;
	slot->is_open = slot->settling = false;
	slot_unwatch(slot);
	if (slot->wake_timer)
		sd_event_source_set_enabled(slot->wake_timer, SD_EVENT_OFF);
	if (slot->step == STEP_NONE)
		begin(slot, STEP_CLOSE);
}

/* ---- the timer ------------------------------------------------------------------------------------------------------------------- */

static struct slot *slot_of_job(const struct sampler *sampler, const struct job *job)
{
	struct slot *slot = sampler->slots;

	while (slot && job != &slot->turn.job && job != &slot->notice.job && job != &slot->wake.job)
		slot = slot->next;
	return slot;
}

/* The step under way has taken long: is it the device, or one before it in the queue? */
static void look_for_hang(struct slot *slot)
{
	int64_t since_ms, now_ms = clock_boot_ms();
	const struct job *job = worker_running(slot->worker, &since_ms);
	const struct slot *other = slot_of_job(slot->sampler, job);
	int64_t limit_ms = slot->device->driver->blocks ? BLOCK_HANG_MS : HANG_MS;
	char words[DEVICE_ERROR_MAX];

	arm(slot, now_ms + HANG_MS, LOOSE_MS);
	if (worker_flush(slot->worker, &slot->turn.job))
		return; /* it has ended, and comes back now */
	if (!job || now_ms - since_ms < limit_ms || slot->hung || slot->leaving)
		return;
	slot->hung = true;
	if (other && other != slot)
		snprintf(words, sizeof(words), "waits for %s, which does not come back", other->device->name);
	else if (slot->device->driver->i2c_addresses)
		snprintf(words, sizeof(words), "the bus %.40s hangs: no end of a transfer with 0x%02x", slot->device->bus,
			 (unsigned)slot->device->address);
	else
		snprintf(words, sizeof(words), "no answer for %d s", (int)(limit_ms / 1000));
	slot_begin_fault(slot, -ETIMEDOUT, words);
}

int slot_on_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct slot *slot = userdata;

	(void)source;
	(void)now_us;
	if (slot->step != STEP_NONE)
		look_for_hang(slot);
	else
		slot_turn(slot);
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

/* A place within the interval: one of a few that devices share, so that a bus is neither asked for all at once nor the machine woken for each. */
static int64_t spread(const struct device *device, int64_t interval_ms)
{
	unsigned hash = 2166136261U;

	for (const char *p = device->name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return (int64_t)(hash % GROUPS) * interval_ms / GROUPS;
}

void slot_start(struct slot *slot)
{
	int64_t now_ms = clock_boot_ms();

	if (slot->interval_ms > 0)
		slot->due_ms = now_ms - now_ms % slot->interval_ms + spread(slot->device, slot->interval_ms) - slot->interval_ms;
	if (slot->is_open && slot->step == STEP_NONE)
		slot_turn(slot); /* a first value at once, then on the grid */
}

void slot_leave(struct slot *slot)
{
	slot->leaving = true;
	slot->is_open = false;
	slot_unwatch(slot);
	if (slot->wake_timer)
		sd_event_source_set_enabled(slot->wake_timer, SD_EVENT_OFF);
	if (slot->step != STEP_NONE && !(slot->worker && worker_cancel(slot->worker, &slot->turn.job)))
		return; /* goes on when that step has ended */
	slot->step = STEP_NONE;
	if (slot->hooks_open)
		begin(slot, STEP_CLOSE);
	else
		slot_free(slot);
}
