#include <stdlib.h>

#include "outbox_internal.h"

enum { ROOM_FIRST = 64 };

struct entry *queue_at(const struct queue *queue, size_t index)
{
	size_t place = queue->head + index;

	return &queue->entries[place < queue->room ? place : place - queue->room];
}

/* In order from the beginning of a larger array. */
static bool grow(struct queue *queue)
{
	size_t room = queue->room ? queue->room * 2 : ROOM_FIRST;
	struct entry *entries;

	if (room > queue->max)
		room = queue->max;
	if (room == queue->room)
		return false;
	entries = malloc(room * sizeof(*entries));
	if (!entries)
		return false;
	for (size_t i = 0; i < queue->count; i++)
		entries[i] = *queue_at(queue, i);
	free(queue->entries);
	queue->entries = entries;
	queue->head = 0;
	queue->room = room;
	return true;
}

static void count_state(struct queue *queue, enum entry_state state, size_t change)
{
	queue->waiting += state == ENTRY_WAITING ? change : 0;
	queue->held += state == ENTRY_HELD ? change : 0;
	queue->unsettled += state < ENTRY_KEPT ? change : 0;
}

struct entry *queue_push(struct queue *queue, enum entry_state state)
{
	struct entry *entry;

	if (queue->count == queue->room && !grow(queue))
		return NULL;
	entry = queue_at(queue, queue->count++);
	*entry = (struct entry){ .state = (uint8_t)state };
	count_state(queue, state, 1);
	return entry;
}

size_t queue_find(const struct queue *queue, int64_t seq)
{
	size_t low = 0, high = queue->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (queue_at(queue, middle)->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void queue_set(struct queue *queue, size_t index, enum entry_state state)
{
	struct entry *entry = queue_at(queue, index);

	count_state(queue, (enum entry_state)entry->state, (size_t)-1);
	count_state(queue, state, 1);
	entry->state = (uint8_t)state;
	if (state == ENTRY_WAITING && index < queue->first_waiting)
		queue->first_waiting = index;
	if (state == ENTRY_DONE && entry->is_text && entry->text) {
		queue->text_bytes -= OUTBOX_TEXT_BYTES(entry->text);
		free(entry->text);
		entry->text = NULL;
	}
}

void queue_trim(struct queue *queue)
{
	while (queue->count > 0 && queue_at(queue, 0)->state == ENTRY_DONE) {
		queue->head = queue->head + 1 < queue->room ? queue->head + 1 : 0;
		queue->count--;
		if (queue->first_waiting > 0)
			queue->first_waiting--;
	}
	if (queue->count == 0) /* the same few pages again */
		queue->head = queue->first_waiting = 0;
}

void queue_rest(struct queue *queue)
{
	if (queue->count > 0 || queue->room <= ROOM_FIRST)
		return;
	free(queue->entries);
	queue->entries = NULL;
	queue->room = 0;
}

void queue_done(struct queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		queue_set(queue, i, ENTRY_DONE);
	free(queue->entries);
	*queue = (struct queue){ .max = queue->max };
}
