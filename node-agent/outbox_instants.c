/* Two Bloom filters: one fills while the other still remembers; then they change places. */
#include "outbox_instants.h"

#include <string.h>

enum { PROBES = 4, GENERATION = INSTANTS_BYTES * 8 / 10 }; /* 10 bits an instant: 1 in 80 free ones seems taken */

static uint64_t mix(unsigned series_hash, int64_t time_ms)
{
	uint64_t x = (uint64_t)time_ms * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)series_hash << 32;

	x = (x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 29;
}

static bool all_set(const uint8_t *bits, uint64_t hash)
{
	for (int i = 0; i < PROBES; i++, hash >>= 16) {
		unsigned bit = (unsigned)(hash % (INSTANTS_BYTES * 8));

		if (!(bits[bit / 8] >> bit % 8 & 1))
			return false;
	}
	return true;
}

bool instants_taken(const struct instants *instants, unsigned series_hash, int64_t time_ms)
{
	uint64_t hash = mix(series_hash, time_ms);

	return all_set(instants->bits[0], hash) || all_set(instants->bits[1], hash);
}

void instants_take(struct instants *instants, unsigned series_hash, int64_t time_ms)
{
	uint64_t hash = mix(series_hash, time_ms);
	uint8_t *bits;

	if (++instants->count > GENERATION) {
		instants->count = 1;
		instants->current ^= 1;
		memset(instants->bits[instants->current], 0, INSTANTS_BYTES);
	}
	bits = instants->bits[instants->current];
	for (int i = 0; i < PROBES; i++, hash >>= 16) {
		unsigned bit = (unsigned)(hash % (INSTANTS_BYTES * 8));

		bits[bit / 8] |= (uint8_t)(1U << bit % 8);
	}
}
