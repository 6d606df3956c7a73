/* When a reading was. The boot clock never steps, so every moment is known by it; what it needs is when the boot began. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "../common/log.h"
#include "outbox_internal.h"

enum {
	LOOK_MS = 1000,
	SET_MS = 1000, /* a wall clock that moves by more was set; less may be a slew */
	ATOMIC_MS = 1, /* the two clocks are read within so long of each other */
	ATTEMPTS = 5,
	BACKWARDS_MS = 1000, /* a clock that is set back by less is waited for, so that readings stay in their order */
};

#define CLOCK_FLOOR_MS INT64_C(1735689600000) /* 2025-01-01: this program did not exist before */

/* ---- looking at the clock -------------------------------------------------------------------------------------------------------- */

/* When this boot began, as the wall clock has it. */
static int64_t measure(int64_t *ret_boot_ms)
{
	int64_t before_ms, wall_ms, after_ms;
	int attempts = 0;

	do {
		before_ms = clock_boot_ms();
		wall_ms = clock_wall_ms();
		after_ms = clock_boot_ms();
	} while (after_ms - before_ms > ATOMIC_MS && ++attempts < ATTEMPTS);
	*ret_boot_ms = after_ms;
	return wall_ms - after_ms;
}

static bool is_believable(const struct outbox *outbox, bool synced, int64_t boot_ms)
{
	if (synced)
		return true;
	if (outbox->measured_ms + boot_ms < CLOCK_FLOOR_MS)
		return false;
	return clock_battery() || boot_ms >= outbox->settings.clock_wait_ms;
}

/* It was believed by the kernel's word, and is now another without it: somebody or something set it wrong, as likely as not. */
static void doubt(struct outbox *outbox, int64_t boot_ms)
{
	if (!outbox->stepped_ms) {
		outbox->stepped_ms = boot_ms;
		log_warning("the clock was set by %" PRId64 " s without being synchronised: the time before goes on",
			    (outbox->measured_ms - outbox->begin_ms) / 1000);
	}
	if (boot_ms - outbox->stepped_ms < outbox->settings.clock_wait_ms)
		return;
	log_warning("the clock stays as it was set: it is believed now");
	outbox->begin_ms = outbox->measured_ms;
	outbox->was_synced = false;
	outbox->stepped_ms = 0;
}

static void follow(struct outbox *outbox, bool synced, int64_t boot_ms)
{
	int64_t moved_ms = outbox->measured_ms - outbox->begin_ms;
	bool was_set = moved_ms > SET_MS || moved_ms < -SET_MS;

	if (was_set && !synced && outbox->was_synced && outbox->settings.clock_wait_ms > 0) {
		doubt(outbox, boot_ms);
		return;
	}
	if (was_set)
		log_info("the clock was set by %" PRId64 " s", moved_ms / 1000);
	outbox->begin_ms = outbox->measured_ms;
	outbox->was_synced |= synced;
	outbox->stepped_ms = 0;
}

/* ---- held readings --------------------------------------------------------------------------------------------------------------- */

/* No two readings of a series at one time; that can only be where the clock has been before. */
static int64_t take_instant(struct outbox *outbox, struct kept_series *series, int64_t time_ms)
{
	unsigned hash = series_hash(&series->name);

	if (time_ms <= series->told_ms && series->told_ms - time_ms < BACKWARDS_MS)
		time_ms = series->told_ms + 1;
	while (time_ms <= series->high_ms && instants_taken(&outbox->instants, hash, time_ms))
		time_ms++;
	instants_take(&outbox->instants, hash, time_ms);
	series->told_ms = time_ms;
	if (time_ms > series->high_ms)
		series->high_ms = time_ms;
	return time_ms;
}

static void mend(struct outbox *outbox)
{
	struct queue *fresh = &outbox->fresh;
	size_t held = fresh->held;

	for (size_t i = 0; i < fresh->count && fresh->held > 0; i++) {
		struct entry *entry = queue_at(fresh, i);

		if (entry->state != ENTRY_HELD)
			continue;
		entry->time_ms = take_instant(outbox, entry->series, entry->time_ms + outbox->begin_ms);
		queue_set(fresh, i, ENTRY_WAITING);
		if (entry->seq == entry->series->newest_seq) {
			entry->series->newest_ms = entry->time_ms;
			entry->series->newest_held = false;
		}
	}
	for (struct kept_series *series = outbox->series; series; series = series->next) {
		if (series->newest_held) /* it is on disk by now */
			series->newest_ms += outbox->begin_ms;
		series->newest_held = false;
	}
	if (outbox->wait_told)
		log_info("the clock is %s: %zu readings in memory have their time now",
			 outbox->was_synced ? "synchronised"
					    : "believed as it is, it has been given enough time to be synchronised",
			 held);
	outbox_spill_mend(outbox);
	outbox_wake(outbox, OUTBOX_TICK_MS);
}

bool outbox_clock_look(struct outbox *outbox)
{
	bool synced = clock_synced();
	int64_t boot_ms;

	outbox->measured_ms = measure(&boot_ms);
	synced = synced && clock_synced(); /* set in between, it would be another clock */
	if (outbox->believed) {
		follow(outbox, synced, boot_ms);
		return true;
	}
	if (!is_believable(outbox, synced, boot_ms))
		return false;
	outbox->believed = true;
	outbox->was_synced = synced;
	outbox->begin_ms = outbox->measured_ms;
	mend(outbox);
	return true;
}

int64_t outbox_clock_stamp(struct outbox *outbox, struct kept_series *series, int64_t time_ms)
{
	int64_t measured_ms = outbox->measured_ms, boot_ms, moment_ms, other_ms;

	outbox_clock_look(outbox);
	boot_ms = clock_boot_ms();
	moment_ms = time_ms - outbox->measured_ms;
	other_ms = time_ms - measured_ms;
	/* Set between the reading and now: the reading is of now, give or take, on one of the two. */
	if (llabs(outbox->measured_ms - measured_ms) > SET_MS / 10 && llabs(boot_ms - other_ms) < llabs(boot_ms - moment_ms))
		moment_ms = other_ms;
	if (outbox->believed)
		return take_instant(outbox, series, moment_ms + outbox->begin_ms);
	if (moment_ms <= series->told_boot_ms)
		moment_ms = series->told_boot_ms + 1;
	series->told_boot_ms = moment_ms;
	return moment_ms;
}

/* After a clock was set back a little, readings have times that are still to come, one after the other; who starts next remembers nothing of them, and
 * must find them past. */
void outbox_clock_settle(struct outbox *outbox)
{
	int64_t now_ms = clock_boot_ms() + outbox->begin_ms, ahead_ms = 0;

	for (const struct kept_series *series = outbox->series; outbox->believed && series; series = series->next) {
		if (series->told_ms >= now_ms + ahead_ms && series->told_ms < now_ms + BACKWARDS_MS)
			ahead_ms = series->told_ms - now_ms + 1;
	}
	if (ahead_ms > 0)
		nanosleep(&(struct timespec){ .tv_sec = (time_t)(ahead_ms / 1000), .tv_nsec = (long)(ahead_ms % 1000) * 1000000 },
			  NULL);
}

/* ---- waiting --------------------------------------------------------------------------------------------------------------------- */

static int on_clock_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct outbox *outbox = userdata;

	(void)now_us;
	if (outbox_clock_look(outbox))
		return 0;
	if (!outbox->late_told && clock_boot_ms() >= outbox->settings.clock_wait_ms) {
		outbox->late_told = true;
		log_warning("the clock shows a time before 2025: readings wait until it is set");
	}
	outbox_arm(source, LOOK_MS, LOOK_MS / 10);
	return 0;
}

int outbox_clock_open(struct outbox *outbox)
{
	int r = sd_event_add_time_relative(outbox->event, &outbox->clock_timer, CLOCK_BOOTTIME, 0, 0, on_clock_timer, outbox);

	if (r < 0)
		return r;
	sd_event_source_set_enabled(outbox->clock_timer, SD_EVENT_OFF);
	clock_boot_name(outbox->boot);
	if (outbox_clock_look(outbox))
		return 0;
	log_info("the clock is not synchronised: readings are stamped by boot time, and held, until it is");
	outbox->wait_told = true;
	outbox_arm(outbox->clock_timer, LOOK_MS, LOOK_MS / 10);
	return 0;
}
