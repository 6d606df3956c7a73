/* To disk and back. Few writes: what waits goes out in one transaction now and then, and what is settled is deleted together with the next reading. */
#include "outbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "../common/footprint.h"
#include "../common/log.h"

enum {
	RETRY_MS = 10000,
	DRAIN_AFTER_MS = 3000, /* first the receipts of what the broker had kept */
	PRESENT_FACTOR = 10,   /* while receipts come, a reading may wait so many times as long */
};

/* ---- trouble --------------------------------------------------------------------------------------------------------------------- */

static void set_aside(struct outbox *outbox, const char *error)
{
	char aside[512];

	store_outbox_close(outbox->file);
	outbox->file = NULL;
	outbox->loaded = 0;
	outbox->forgotten_count = 0;
	if (store_outbox_set_aside(outbox->path, aside, sizeof(aside)) == 0)
		log_warning("%s: it is set aside as %s (sqlite3 FILE .recover shows what can be read), a new one is begun", error,
			    aside);
	else
		log_warning("%s, and cannot be set aside", error);
}

/* r: what the file's room gave back. It may be mended: tried again later. */
static void meet_trouble(struct outbox *outbox, int r, const char *text)
{
	char error[STORE_OUTBOX_ERROR_MAX];

	snprintf(error, sizeof(error), "%s", text);
	outbox->retry_ms = clock_boot_ms() + RETRY_MS;
	if (r == -EUCLEAN || r == -EPROTO) {
		set_aside(outbox, error);
		outbox->retry_ms = 0;
		return;
	}
	if (!outbox->trouble[0])
		log_warning("%s: readings wait in memory alone", error);
	memcpy(outbox->trouble, error, sizeof(error));
}

static void trouble_ended(struct outbox *outbox)
{
	if (outbox->trouble[0])
		log_info("%s: can be used again", outbox->path);
	outbox->trouble[0] = '\0';
	outbox->retry_ms = 0;
}

static bool open_file(struct outbox *outbox)
{
	char error[STORE_OUTBOX_ERROR_MAX];
	int r;

	if (outbox->file)
		return true;
	if (!outbox->path || clock_boot_ms() < outbox->retry_ms)
		return false;
	r = store_outbox_open(outbox->path, &outbox->file, error);
	if (r == -EUCLEAN || r == -EPROTO) {
		outbox->file = NULL;
		meet_trouble(outbox, r, error);
		r = store_outbox_open(outbox->path, &outbox->file, error);
	}
	if (r < 0) {
		outbox->file = NULL;
		meet_trouble(outbox, r, error);
	} else if (outbox->believed) {
		outbox_spill_mend(outbox);
	}
	return outbox->file != NULL;
}

/* ---- out ------------------------------------------------------------------------------------------------------------------------- */

/* Deletes what is settled: all before the window, and what receipts named beyond it.
 * ret_loaded   how many rows of before the window's end are left when that is committed */
static int flush_settled(struct outbox *outbox, int64_t *ret_loaded)
{
	int64_t before = store_outbox_count(outbox->file);
	int64_t first = outbox->window.count > 0 ? queue_at(&outbox->window, 0)->seq : outbox->read_seq + 1;
	int r = store_outbox_forget(outbox->file, 0, first - 1);

	if (r < 0)
		return r;
	*ret_loaded = outbox->loaded - (before - store_outbox_count(outbox->file));
	for (size_t i = 0; r == 0 && i < outbox->forgotten_count; i++)
		r = store_outbox_forget(outbox->file, outbox->forgotten[i].first, outbox->forgotten[i].last);
	return r;
}

/* What was given up in the file is not sent any more. Returns how many of the rows were settled already. */
static int64_t leave_window(struct outbox *outbox, int64_t oldest_seq)
{
	struct queue *window = &outbox->window;
	int64_t settled = 0;

	if (outbox->loaded == 0) /* they are of a file that was set aside */
		return 0;
	while (window->count > 0 && queue_at(window, 0)->seq < oldest_seq) {
		settled += queue_at(window, 0)->state == ENTRY_DONE;
		queue_set(window, 0, ENTRY_DONE);
		outbox->loaded--;
		/* By itself, so that each is counted. */
		for (size_t before = window->count; before == window->count;)
			queue_trim(window);
	}
	return settled;
}

static int bound(struct outbox *outbox, int64_t *ret_given_up)
{
	int64_t by_size = 0, by_age = 0;
	int r = store_outbox_shrink(outbox->file, outbox->settings.file_bytes, &by_size);

	if (r == 0 && outbox->settings.file_age_ms > 0 && outbox->believed && clock_synced())
		r = store_outbox_expire(outbox->file, clock_wall_ms() - outbox->settings.file_age_ms, &by_age);
	*ret_given_up = by_size + by_age;
	return r;
}

static int write_out(struct outbox *outbox, size_t count, int64_t *ret_given_up)
{
	struct queue *fresh = &outbox->fresh;
	int64_t loaded = outbox->loaded;
	int r = flush_settled(outbox, &loaded);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct entry *entry = queue_at(fresh, i);
		struct reading reading;

		if (entry->state >= ENTRY_KEPT)
			continue;
		reading = outbox_reading(entry);
		r = store_outbox_add(outbox->file, &reading, entry->state == ENTRY_HELD ? outbox->boot : NULL);
	}
	if (r == 0 && outbox->believed)
		r = store_outbox_mark(outbox->file, outbox->begin_ms + clock_boot_ms());
	if (r == 0)
		r = bound(outbox, ret_given_up);
	if (r == 0)
		r = store_outbox_commit(outbox->file);
	if (r == 0) {
		outbox->loaded = loaded;
		outbox->forgotten_count = 0;
	}
	return r;
}

/* The oldest `count` of fresh go to the file; none does when that fails. */
static bool move_out(struct outbox *outbox, size_t count)
{
	int64_t given_up = 0, oldest;
	int r;

	if (outbox->settings.file_bytes == 0 || clock_boot_ms() < outbox->retry_ms || !open_file(outbox))
		return false;
	r = write_out(outbox, count, &given_up);
	if (r < 0) {
		meet_trouble(outbox, r, store_outbox_error(outbox->file));
		return false;
	}
	trouble_ended(outbox);
	for (size_t i = 0; i < count; i++)
		if (queue_at(&outbox->fresh, i)->state != ENTRY_KEPT)
			queue_set(&outbox->fresh, i, ENTRY_DONE);
	queue_trim(&outbox->fresh);
	oldest = store_outbox_oldest(outbox->file, &outbox->file_oldest_ms);
	if (given_up > 0)
		outbox_give_up(outbox, given_up - leave_window(outbox, oldest ? oldest : INT64_MAX));
	outbox->file_blocked = false;
	return true;
}

bool outbox_spill_half(struct outbox *outbox)
{
	return outbox->fresh.unsettled > 0 && move_out(outbox, (outbox->fresh.count + 1) / 2);
}

/* ---- when ------------------------------------------------------------------------------------------------------------------------ */

static const struct entry *oldest_unsettled(const struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->fresh.count; i++)
		if (queue_at(&outbox->fresh, i)->state < ENTRY_KEPT)
			return queue_at(&outbox->fresh, i);
	return NULL;
}

/* How long a reading may wait in memory. */
static int64_t patience_ms(const struct outbox *outbox)
{
	int64_t after_ms = outbox->settings.spill_after_ms;
	bool absent = !outbox->connected || outbox->collector == COLLECTOR_AWAY || outbox->fresh.held > 0 ||
		      (outbox->collector == COLLECTOR_HERE && clock_boot_ms() - outbox->heard_ms >= after_ms);

	return absent ? after_ms : after_ms * PRESENT_FACTOR;
}

static int on_spill_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct outbox *outbox = userdata;
	const struct entry *oldest = oldest_unsettled(outbox);
	int64_t left_ms;

	(void)now_us;
	if (!oldest)
		return 0;
	left_ms = oldest->added_ms + patience_ms(outbox) - clock_boot_ms();
	if (left_ms <= 0) {
		move_out(outbox, outbox->fresh.count);
		left_ms = outbox->settings.spill_after_ms;
	}
	/* The server may go meanwhile. */
	if (left_ms > outbox->settings.spill_after_ms)
		left_ms = outbox->settings.spill_after_ms;
	outbox_arm(source, left_ms, 20);
	return 0;
}

void outbox_spill_wake(struct outbox *outbox)
{
	int enabled;

	if (outbox->path && sd_event_source_get_enabled(outbox->spill_timer, &enabled) >= 0 && enabled == SD_EVENT_OFF)
		outbox_arm(outbox->spill_timer, outbox->settings.spill_after_ms, 1000);
}

/* ---- back ------------------------------------------------------------------------------------------------------------------------ */

static int take_back(void *context, const struct reading *reading)
{
	struct outbox *outbox = context;
	struct series name = reading->series;
	struct kept_series *series;
	struct entry *entry;

	/* Under the name that the node has now: nobody else would hear its receipts. */
	strcpy(name.node, outbox->settings.node);
	series = outbox_series(outbox, &name);
	entry = series ? queue_push(&outbox->window, ENTRY_WAITING) : NULL;
	if (!entry)
		return -ENOMEM;
	entry->series = series;
	entry->seq = reading->seq;
	entry->time_ms = reading->time_ms;
	entry->added_ms = clock_boot_ms();
	entry->is_text = reading->value.kind == VALUE_TEXT;
	if (entry->is_text)
		entry->text = strdup(reading->value.text);
	else
		entry->number = reading->value.number;
	if (entry->is_text && !entry->text) {
		queue_set(&outbox->window, outbox->window.count - 1, ENTRY_DONE);
		return -ENOMEM; /* it stays in the file, for the next start */
	}
	if (entry->is_text)
		outbox->window.text_bytes += OUTBOX_TEXT_BYTES(entry->text);
	outbox->read_seq = reading->seq;
	outbox->loaded++;
	return 0;
}

static void remove_file(struct outbox *outbox)
{
	store_outbox_remove(outbox->file);
	outbox->file = NULL;
	outbox->read_seq = outbox->loaded = 0;
	outbox->forgotten_count = 0;
	queue_done(&outbox->window);
	outbox_settled(outbox);
	footprint_trim(); /* a library that is not needed for long, as a rule */
}

static void read_more(struct outbox *outbox)
{
	int64_t loaded = outbox->loaded;
	int r = flush_settled(outbox, &loaded);

	if (r == 0)
		r = store_outbox_commit(outbox->file);
	if (r == 0) {
		outbox->loaded = loaded;
		outbox->forgotten_count = 0;
	}
	/* A full disk: it can be read all the same. */
	if (r != -EUCLEAN)
		r = store_outbox_read(outbox->file, outbox->read_seq, OUTBOX_WINDOW - outbox->window.count, take_back, outbox);
	if (r < 0) {
		meet_trouble(outbox, r, store_outbox_error(outbox->file));
		return;
	}
	outbox->file_blocked = r == 0;
	store_outbox_oldest(outbox->file, &outbox->file_oldest_ms);
	if (r == 0 && outbox->believed && store_outbox_count(outbox->file) > outbox->loaded)
		set_aside(outbox, "the outbox's file does not have what it says");
}

void outbox_spill_refill(struct outbox *outbox)
{
	int64_t patience = outbox->settings.resend_after_ms / 10;

	if (!outbox->file || outbox->collector == COLLECTOR_AWAY || outbox->window.count > OUTBOX_WINDOW / 2)
		return;
	if (patience > DRAIN_AFTER_MS)
		patience = DRAIN_AFTER_MS;
	if (clock_boot_ms() - outbox->connected_ms < patience || clock_boot_ms() < outbox->retry_ms)
		return;
	if (store_outbox_count(outbox->file) > outbox->loaded && !outbox->file_blocked)
		read_more(outbox);
	if (outbox->file && outbox->window.count == 0 && store_outbox_count(outbox->file) <= outbox->loaded)
		remove_file(outbox);
}

void outbox_spill_receipt(struct outbox *outbox, const struct wire_range *range)
{
	struct wire_range rest = *range;

	if (!outbox->file || store_outbox_count(outbox->file) <= outbox->loaded)
		return;
	if (rest.first <= outbox->read_seq)
		rest.first = outbox->read_seq + 1;
	if (rest.last >= outbox->serial.next) /* never given: nobody can have it */
		rest.last = outbox->serial.next - 1;
	if (rest.first > rest.last)
		return;
	for (size_t i = 0; i < outbox->forgotten_count; i++) {
		struct wire_range *known = &outbox->forgotten[i];

		if (rest.first > known->last + 1 || rest.last < known->first - 1)
			continue;
		known->first = rest.first < known->first ? rest.first : known->first;
		known->last = rest.last > known->last ? rest.last : known->last;
		return;
	}
	if (outbox->forgotten_count < OUTBOX_FORGOTTEN_MAX) /* else it is sent, and receipted, once more */
		outbox->forgotten[outbox->forgotten_count++] = rest;
}

void outbox_spill_mend(struct outbox *outbox)
{
	int64_t estimated = 0;
	int r;

	if (!outbox->file)
		return;
	r = store_outbox_mend(outbox->file, outbox->boot, outbox->begin_ms, &estimated);
	if (r == 0)
		r = store_outbox_commit(outbox->file);
	if (r < 0) {
		meet_trouble(outbox, r, store_outbox_error(outbox->file));
		return;
	}
	outbox->file_blocked = false;
	outbox->estimated += estimated;
	if (estimated > 0)
		log_warning("%" PRId64
			    " readings are of an earlier boot whose clock was never right: they are put as late as they can "
			    "have been, right before the next boot",
			    estimated);
	store_outbox_oldest(outbox->file, &outbox->file_oldest_ms);
}

int64_t outbox_spill_count(const struct outbox *outbox)
{
	int64_t rest = outbox->file ? store_outbox_count(outbox->file) - outbox->loaded : 0;

	return (rest > 0 ? rest : 0) + (int64_t)outbox->window.unsettled;
}

int64_t outbox_spill_oldest(const struct outbox *outbox)
{
	return outbox->window.count > 0 ? queue_at(&outbox->window, 0)->time_ms : outbox->file_oldest_ms;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

/* Two agents would give the same numbers, and send the same file. */
static int lock_folder(struct outbox *outbox, const char *folder)
{
	char *path = NULL;
	int r = 0;

	if (asprintf(&path, "%s/lock", folder) < 0)
		return -ENOMEM;
	outbox->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (outbox->lock_fd < 0)
		r = -errno;
	else if (flock(outbox->lock_fd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (r == -EBUSY)
		log_error("%s: another node-agent uses this folder; each needs a state_dir of its own", folder);
	free(path);
	return r;
}

int outbox_spill_open(struct outbox *outbox)
{
	const char *folder = outbox->settings.state_dir;
	int r = sd_event_add_time_relative(outbox->event, &outbox->spill_timer, CLOCK_BOOTTIME, 0, 0, on_spill_timer, outbox);

	if (r < 0)
		return r;
	sd_event_source_set_enabled(outbox->spill_timer, SD_EVENT_OFF);
	if (!folder)
		return 0;
	r = lock_folder(outbox, folder);
	if (r == -EBUSY)
		return r;
	if (r < 0)
		snprintf(outbox->trouble, sizeof(outbox->trouble), "%s: %s", folder, strerror(-r));
	if (r < 0 || asprintf(&outbox->path, "%s/outbox.db", folder) < 0) {
		outbox->path = NULL;
		return 0;
	}
	if (access(outbox->path, F_OK) == 0 && open_file(outbox) && store_outbox_count(outbox->file) > 0)
		log_info("%" PRId64 " readings of before wait to be sent", store_outbox_count(outbox->file));
	if (outbox->file)
		store_outbox_oldest(outbox->file, &outbox->file_oldest_ms);
	return 0;
}

void outbox_spill_close(struct outbox *outbox)
{
	size_t left = outbox->fresh.unsettled;

	outbox->retry_ms = 0; /* the last moment to try */
	if (left > 0 && move_out(outbox, outbox->fresh.count))
		left = 0;
	if (left > 0)
		log_warning("%zu readings have no receipt yet, and %s", left,
			    outbox->path ? "could not be written for the next start" : "there is no state_dir for them to wait in");
	if (outbox->file && outbox_spill_count(outbox) == 0)
		remove_file(outbox);
	if (outbox->file && flush_settled(outbox, &outbox->loaded) == 0)
		store_outbox_commit(outbox->file);
	store_outbox_close(outbox->file);
	outbox->file = NULL;
	sd_event_source_disable_unref(outbox->spill_timer);
	if (outbox->lock_fd >= 0)
		close(outbox->lock_fd);
	free(outbox->path);
}
