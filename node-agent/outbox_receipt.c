/* Who takes the readings: the collector by its receipts, or, where there is none, the broker. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common/log.h"
#include "outbox_internal.h"

enum { KEPT_MS = 600000 }; /* that long after the broker took it a collector may still appear for it */

/* ---- whether there is a collector ------------------------------------------------------------------------------------------------ */

/* A file by whose presence the next start knows it: otherwise the broker's word would count until the first receipt. */
static void remember(const struct outbox *outbox, bool known)
{
	char *path = NULL;
	int fd;

	if (!outbox->settings.state_dir || asprintf(&path, "%s/collector", outbox->settings.state_dir) < 0)
		return;
	if (known) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
		if (fd >= 0)
			close(fd);
	} else {
		unlink(path);
	}
	free(path);
}

void outbox_receipt_open(struct outbox *outbox)
{
	char *path = NULL;

	if (!outbox->settings.state_dir || asprintf(&path, "%s/collector", outbox->settings.state_dir) < 0)
		return;
	/* Whether it is there now is told at once on the bus. */
	outbox->collector = access(path, F_OK) == 0 ? COLLECTOR_HERE : COLLECTOR_NEVER;
	free(path);
}

/* What the broker had taken in good faith is the collector's to receipt: it may have it already, so it has time to say so. */
static void ask_for_kept(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->fresh.count; i++)
		if (queue_at(&outbox->fresh, i)->state == ENTRY_KEPT) {
			queue_set(&outbox->fresh, i, ENTRY_SENT);
			queue_at(&outbox->fresh, i)->sent_ms = clock_boot_ms();
		}
}

static void set_collector(struct outbox *outbox, enum collector collector)
{
	enum collector before = outbox->collector;

	outbox->collector = collector;
	if ((before == COLLECTOR_NEVER) != (collector == COLLECTOR_NEVER))
		remember(outbox, collector != COLLECTOR_NEVER);
	if (before == COLLECTOR_NEVER && collector != COLLECTOR_NEVER)
		ask_for_kept(outbox);
}

/* What was sent while it was away waits for it at the broker: its time to be receipted begins anew. */
static void begin_anew(struct queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		if (queue_at(queue, i)->state == ENTRY_SENT)
			queue_at(queue, i)->sent_ms = clock_boot_ms();
}

void outbox_collector(struct outbox *outbox, bool online)
{
	bool back = online && outbox->collector != COLLECTOR_HERE;

	set_collector(outbox, online ? COLLECTOR_HERE : COLLECTOR_AWAY);
	if (!back)
		return;
	outbox->patience = 0;
	outbox->connected_ms = outbox->heard_ms = clock_boot_ms();
	begin_anew(&outbox->fresh);
	begin_anew(&outbox->window);
	outbox_wake(outbox, OUTBOX_TICK_MS);
}

void outbox_no_collector(struct outbox *outbox)
{
	if (outbox->collector == COLLECTOR_NEVER)
		return;
	log_info("there is no collector any more: the broker's word counts");
	set_collector(outbox, COLLECTOR_NEVER);
	outbox_send_again(outbox);
	outbox_wake(outbox, OUTBOX_TICK_MS);
}

/* ---- settling -------------------------------------------------------------------------------------------------------------------- */

static void settle_range(struct queue *queue, const struct wire_range *range)
{
	for (size_t i = queue_find(queue, range->first); i < queue->count && queue_at(queue, i)->seq <= range->last; i++)
		if (queue_at(queue, i)->state != ENTRY_HELD) /* was never sent */
			queue_set(queue, i, ENTRY_DONE);
}

void outbox_receipt(struct outbox *outbox, const void *payload, size_t len)
{
	struct wire_range ranges[OUTBOX_RANGES_MAX];
	int count = wire_parse_receipt(payload, len, ranges, OUTBOX_RANGES_MAX);

	if (count < 0)
		return;
	if (outbox->collector == COLLECTOR_NEVER)
		set_collector(outbox, COLLECTOR_HERE);
	outbox->patience = 0;
	outbox->heard_ms = clock_boot_ms();
	for (int i = 0; i < count; i++) {
		settle_range(&outbox->fresh, &ranges[i]);
		settle_range(&outbox->window, &ranges[i]);
		outbox_spill_receipt(outbox, &ranges[i]);
	}
	outbox_settled(outbox);
	if (outbox_spill_count(outbox) > 0 || outbox->file)
		outbox_wake(outbox, OUTBOX_TICK_MS);
}

/* The broker's word is enough: of old readings for good, of new ones for a while. */
static void settle_by_broker(struct queue *queue, int publish_id, enum entry_state state)
{
	for (size_t i = 0; i < queue->count; i++)
		if (queue_at(queue, i)->state == ENTRY_SENT && queue_at(queue, i)->publish_id == publish_id) {
			queue_set(queue, i, state);
			queue_at(queue, i)->sent_ms = clock_boot_ms();
		}
}

void outbox_acknowledged(struct outbox *outbox, int publish_id)
{
	if (outbox->collector == COLLECTOR_NEVER) {
		settle_by_broker(&outbox->fresh, publish_id, ENTRY_KEPT);
		settle_by_broker(&outbox->window, publish_id, ENTRY_DONE);
		outbox_drop_kept(outbox);
		outbox_settled(outbox);
	}
	outbox_send_acknowledged(outbox, publish_id);
	if (outbox->collector == COLLECTOR_NEVER && outbox->file)
		outbox_wake(outbox, OUTBOX_TICK_MS);
}

void outbox_drop_kept(struct outbox *outbox)
{
	struct queue *fresh = &outbox->fresh;
	int64_t limit_ms = clock_boot_ms() - KEPT_MS;

	while (fresh->count > 0 && queue_at(fresh, 0)->state == ENTRY_KEPT &&
	       (queue_at(fresh, 0)->sent_ms <= limit_ms || fresh->count > fresh->max / 2)) {
		queue_set(fresh, 0, ENTRY_DONE);
		queue_trim(fresh);
	}
}
