#include "repeats_store.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_SIZE = 16,
	PART_MAX = 1 << 20, /* bytes: more than all packet ids of twice a broker's window */
};

static const char *name_of(unsigned number, char name[NAME_SIZE])
{
	if (number == 0)
		return "bare";
	snprintf(name, NAME_SIZE, "bare.%u", number);
	return name;
}

/* A further part is its skip, 4 bytes in the machine's order, and its entries. */
static int save_further(struct store *store, const struct repeats_part *part)
{
	char name[NAME_SIZE];
	uint32_t skip = (uint32_t)part->skip;
	size_t len = sizeof(skip) + part->len;
	char *data = malloc(len);
	int r;

	if (!data)
		return -ENOMEM;
	memcpy(data, &skip, sizeof(skip));
	if (part->len > 0)
		memcpy(data + sizeof(skip), part->data, part->len);
	r = store_save_state(store, name_of(part->parts - 1, name), data, len);
	free(data);
	return r;
}

int repeats_save(struct repeats *repeats, struct store *store)
{
	struct repeats_part part;
	char name[NAME_SIZE];
	int r = 0;

	if (!repeats_next_part(repeats, &part))
		return 0;
	if (!part.whole)
		return save_further(store, &part);
	for (unsigned i = 1; r == 0 && i < part.parts; i++)
		r = store_save_state(store, name_of(i, name), NULL, 0);
	return r < 0 ? r : store_save_state(store, name_of(0, name), part.data, part.len);
}

void repeats_restore(struct repeats *repeats, struct store *store)
{
	char *data = malloc(PART_MAX), name[NAME_SIZE];
	uint32_t skip = 0;
	size_t len = 0;

	for (unsigned i = 0; data && i < REPEATS_PARTS_MAX; i++) {
		int r = store_load_state(store, name_of(i, name), data + len, PART_MAX - len);

		if (r <= 0 || (i > 0 && (size_t)r < sizeof(skip)))
			break; /* none further */
		if (i > 0) {
			memcpy(&skip, data + len, sizeof(skip));
			memmove(data + len, data + len + sizeof(skip), (size_t)r - sizeof(skip));
			r -= (int)sizeof(skip);
		}
		len += (size_t)r;
	}
	repeats_load(repeats, data, len, skip);
	free(data);
}
