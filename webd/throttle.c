#include "throttle.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 1024, WAYS = 8 };

struct bucket {
	unsigned char address[8]; /* zero: free */
	int64_t full_ms;          /* when it would be full again: the tries taken are the time until then */
};

struct throttle {
	int64_t burst_ms, per_ms;
	struct bucket buckets[PLACES]; /* a row of WAYS for each hash */
};

struct throttle *throttle_open(unsigned burst, int64_t per_ms)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (throttle) {
		throttle->per_ms = per_ms;
		throttle->burst_ms = (int64_t)burst * per_ms;
	}
	return throttle;
}

void throttle_close(struct throttle *throttle)
{
	free(throttle);
}

/* An address that is none by its form (behind a proxy that tells nonsense) shares the bucket of all such. */
static void key_of(const char *address, unsigned char key[8])
{
	unsigned char bytes[16] = { 0 };

	memset(key, 0xff, 8);
	if (strncmp(address, "::ffff:", 7) == 0 && strchr(address, '.'))
		address += 7;
	if (inet_pton(AF_INET, address, bytes) == 1)
		memcpy(key + 4, bytes, 4);
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		memcpy(key, bytes, 8);
	if (memcmp(key, "\0\0\0\0\0\0\0", 8) == 0)
		key[7] = 1; /* ::1 */
}

static unsigned row_of(const unsigned char key[8])
{
	unsigned hash = 2166136261U; /* FNV-1a */

	for (int i = 0; i < 8; i++)
		hash = (hash ^ key[i]) * 16777619U;
	return hash % (PLACES / WAYS) * WAYS;
}

static struct bucket *find(struct throttle *throttle, const unsigned char key[8])
{
	struct bucket *row = &throttle->buckets[row_of(key)];

	for (int i = 0; i < WAYS; i++)
		if (memcmp(row[i].address, key, 8) == 0)
			return &row[i];
	return NULL;
}

static struct bucket *place(struct throttle *throttle, const unsigned char key[8])
{
	struct bucket *bucket = find(throttle, key);
	struct bucket *row = &throttle->buckets[row_of(key)];

	if (bucket)
		return bucket;
	bucket = row;
	for (int i = 1; i < WAYS; i++)
		if (row[i].full_ms < bucket->full_ms)
			bucket = &row[i];
	memcpy(bucket->address, key, 8);
	bucket->full_ms = 0;
	return bucket;
}

int64_t throttle_take(struct throttle *throttle, const char *address, int64_t now_ms)
{
	unsigned char key[8];
	struct bucket *bucket;
	int64_t full_ms;

	key_of(address, key);
	bucket = place(throttle, key);
	full_ms = (bucket->full_ms > now_ms ? bucket->full_ms : now_ms) + throttle->per_ms;
	if (full_ms - now_ms > throttle->burst_ms)
		return full_ms - now_ms - throttle->burst_ms;
	bucket->full_ms = full_ms;
	return 0;
}

unsigned throttle_left(const struct throttle *throttle, const char *address, int64_t now_ms)
{
	unsigned char key[8];
	const struct bucket *bucket;

	key_of(address, key);
	bucket = find((struct throttle *)throttle, key);
	if (!bucket || bucket->full_ms <= now_ms)
		return (unsigned)(throttle->burst_ms / throttle->per_ms);
	return (unsigned)((throttle->burst_ms - (bucket->full_ms - now_ms)) / throttle->per_ms);
}

void throttle_forgive(struct throttle *throttle, const char *address)
{
	unsigned char key[8];
	struct bucket *bucket;

	key_of(address, key);
	bucket = find(throttle, key);
	if (bucket)
		bucket->full_ms = 0;
}
