#include "repeats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MARKERS_MAX = 4, /* on their way at once: a busy broker answers late, and an answer must find its batch still there */
	/* Entries that are not proven have different ids, those of the open batch have as well: no broker leaves more, however late it answers. (Seen
	 * with Mosquitto 2.0.11 under a flood: it reads one of our packets for some of each publisher, and a marker takes tens of windows.) */
	ENTRIES_MAX = 2 * (UINT16_MAX + 1),
	WHOLE_MAX = 512, /* so many are written anew at each commit: less than what a part of its own costs */
};

struct entry {
	uint32_t hash;
	uint16_t packet_id;
} __attribute__((packed)); /* as it stands in the store: 6 bytes */

struct batch {
	int marker; /* -1: none was published */
	size_t count;
};

struct repeats {
	struct entry *entries; /* those of batches[], oldest first, then those of the open batch */
	size_t count, size;
	struct batch batches[MARKERS_MAX + 1]; /* committed but not proven; the last may be without a marker */
	size_t batch_count;
	size_t committed;  /* entries of batches[] */
	size_t proven;     /* of those, from the oldest on, as their ids show */
	uint32_t dropped;  /* entries ever dropped: entry i is number dropped + i */
	uint32_t *numbers; /* of the newest entry of each id */
	bool changed;      /* since the last part */
	size_t saved;      /* entries that the parts hold */
	size_t skip;       /* entries dropped since the first part was made */
	unsigned parts;    /* in the store, at most */
	bool searching;
	size_t next_known; /* repeats come in their old order: the search goes on here */
};

struct repeats *repeats_open(void)
{
	struct repeats *repeats = calloc(1, sizeof(*repeats));

	if (!repeats)
		return NULL;
	repeats->parts = REPEATS_PARTS_MAX;
	repeats->numbers = calloc(UINT16_MAX + 1, sizeof(*repeats->numbers));
	if (repeats->numbers)
		return repeats;
	free(repeats);
	return NULL;
}

void repeats_close(struct repeats *repeats)
{
	if (!repeats)
		return;
	free(repeats->entries);
	free(repeats->numbers);
	free(repeats);
}

/* FNV-1a over topic, NUL and payload. */
static uint32_t hash_message(const char *topic, const void *payload, size_t len)
{
	const unsigned char *bytes = payload;
	uint32_t hash = 2166136261U;

	do
		hash = (hash ^ (unsigned char)*topic) * 16777619U;
	while (*topic++);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 16777619U;
	return hash;
}

static int reserve(struct repeats *repeats, size_t count)
{
	size_t size = repeats->size ? repeats->size : 32;
	struct entry *entries;

	if (count > ENTRIES_MAX)
		return -ENOSPC;
	if (count <= repeats->size)
		return 0;
	while (size < count)
		size *= 2;
	entries = reallocarray(repeats->entries, size, sizeof(*entries));
	if (!entries)
		return -ENOSPC;
	repeats->entries = entries;
	repeats->size = size;
	return 0;
}

static void drop_oldest(struct repeats *repeats, size_t count)
{
	if (count == 0)
		return;
	memmove(repeats->entries, repeats->entries + count, (repeats->count - count) * sizeof(*repeats->entries));
	repeats->dropped += (uint32_t)count;
	repeats->count -= count;
	repeats->committed -= count;
	repeats->proven -= repeats->proven < count ? repeats->proven : count;
	repeats->next_known -= repeats->next_known < count ? repeats->next_known : count;
	repeats->saved -= repeats->saved < count ? repeats->saved : count;
	repeats->skip += count;
	repeats->changed = true;
}

/* A broker gives an id to another message only when it has the acknowledgement of the one before; and with that all that left before it. */
static void drop_proven(struct repeats *repeats)
{
	size_t left = repeats->proven;

	drop_oldest(repeats, left);
	for (size_t i = 0; i < repeats->batch_count && left > 0; i++) {
		size_t part = left < repeats->batches[i].count ? left : repeats->batches[i].count;

		repeats->batches[i].count -= part;
		left -= part;
	}
}

static void note_id(struct repeats *repeats, uint16_t packet_id)
{
	uint32_t before = repeats->numbers[packet_id] - repeats->dropped;

	if (before >= repeats->proven && before < repeats->committed && repeats->entries[before].packet_id == packet_id)
		repeats->proven = before + 1;
	repeats->numbers[packet_id] = repeats->dropped + (uint32_t)repeats->count;
}

void repeats_load(struct repeats *repeats, const void *data, size_t len, size_t skip)
{
	size_t count = len / sizeof(struct entry);

	repeats->count = repeats->committed = repeats->proven = repeats->batch_count = 0;
	repeats->saved = repeats->skip = 0;
	repeats->parts = REPEATS_PARTS_MAX;
	repeats->changed = false;
	if (count <= skip || len % sizeof(struct entry) || reserve(repeats, count - skip) < 0)
		return;
	memcpy(repeats->entries, (const struct entry *)data + skip, (count - skip) * sizeof(struct entry));
	for (; repeats->count < count - skip; repeats->count++)
		note_id(repeats, repeats->entries[repeats->count].packet_id);
	repeats->committed = repeats->count;
	repeats->batches[repeats->batch_count++] = (struct batch){ .marker = -1, .count = repeats->count };
}

void repeats_connected(struct repeats *repeats, bool session_present)
{
	repeats->searching = session_present && repeats->committed > 0;
	repeats->next_known = 0;
	if (!session_present) {
		drop_oldest(repeats, repeats->committed);
		repeats->batch_count = 0;
	}
	for (size_t i = 0; i < repeats->batch_count; i++) /* ids of the connection before mean nothing now */
		repeats->batches[i].marker = -1;
}

bool repeats_known(struct repeats *repeats, uint16_t packet_id, const char *topic, const void *payload, size_t len)
{
	uint32_t hash;

	if (!repeats->searching)
		return false;
	hash = hash_message(topic, payload, len);
	for (size_t i = repeats->next_known; i < repeats->committed; i++)
		if (repeats->entries[i].packet_id == packet_id && repeats->entries[i].hash == hash) {
			repeats->next_known = i + 1;
			return true;
		}
	repeats->searching = false;
	return false;
}

int repeats_add(struct repeats *repeats, uint16_t packet_id, const char *topic, const void *payload, size_t len)
{
	int r;

	if (repeats->count == ENTRIES_MAX)
		drop_proven(repeats);
	r = reserve(repeats, repeats->count + 1);
	if (r < 0)
		return r;
	note_id(repeats, packet_id);
	repeats->entries[repeats->count++] = (struct entry){
		.hash = hash_message(topic, payload, len),
		.packet_id = packet_id,
	};
	repeats->changed = true;
	return 0;
}

bool repeats_next_part(struct repeats *repeats, struct repeats_part *ret_part)
{
	bool whole;
	size_t first;

	drop_proven(repeats);
	if (!repeats->changed)
		return false;
	whole = repeats->count <= WHOLE_MAX || repeats->saved == 0 || repeats->parts == REPEATS_PARTS_MAX;
	first = whole ? 0 : repeats->saved;
	if (whole) {
		repeats->skip = 0;
		ret_part->parts = repeats->parts;
		repeats->parts = 1;
	} else {
		ret_part->parts = ++repeats->parts;
	}
	ret_part->whole = whole;
	ret_part->skip = repeats->skip;
	ret_part->data = repeats->count > first ? repeats->entries + first : NULL;
	ret_part->len = (repeats->count - first) * sizeof(*repeats->entries);
	repeats->saved = repeats->count;
	repeats->changed = false;
	return true;
}

void repeats_committed(struct repeats *repeats, int marker)
{
	size_t fresh = repeats->count - repeats->committed;
	struct batch *last = repeats->batch_count ? &repeats->batches[repeats->batch_count - 1] : NULL;

	repeats->committed = repeats->count;
	/* Our acknowledgements leave before the marker, so it proves all batches up to here. */
	if (last && last->marker < 0) {
		last->count += fresh;
		last->marker = marker;
	} else if (repeats->batch_count <= MARKERS_MAX && (fresh > 0 || marker >= 0)) {
		repeats->batches[repeats->batch_count++] = (struct batch){ .marker = marker, .count = fresh };
	} else if (fresh > 0) { /* a marker that nobody asked for */
		last->count += fresh;
		last->marker = marker;
	}
}

void repeats_rolled_back(struct repeats *repeats)
{
	repeats->count = repeats->committed;
	repeats->saved = 0; /* of the parts nobody knows which are there: next time all */
	repeats->parts = REPEATS_PARTS_MAX;
	repeats->changed = true;
}

void repeats_acknowledged(struct repeats *repeats, int marker)
{
	for (size_t i = 0; i < repeats->batch_count; i++) {
		size_t proven = 0;

		if (repeats->batches[i].marker != marker)
			continue;
		for (size_t k = 0; k <= i; k++)
			proven += repeats->batches[k].count;
		drop_oldest(repeats, proven);
		repeats->batch_count -= i + 1;
		memmove(repeats->batches, repeats->batches + i + 1, repeats->batch_count * sizeof(struct batch));
		return;
	}
}

bool repeats_unproven(const struct repeats *repeats)
{
	size_t markers = 0;

	for (size_t i = 0; i < repeats->batch_count; i++)
		markers += repeats->batches[i].marker >= 0;
	return repeats->count > 0 && markers < MARKERS_MAX;
}
