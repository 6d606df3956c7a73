#include "history_cache.h"

#include <stdlib.h>
#include <string.h>

struct answer {
	char key[HISTORY_CACHE_KEY_MAX + 1];
	int64_t store_revision;
	uint64_t house_revision, used;
	struct buffer body;
};

struct history_cache {
	uint64_t uses;
	struct answer answers[HISTORY_CACHE_PLACES];
};

struct history_cache *history_cache_open(void)
{
	return calloc(1, sizeof(struct history_cache));
}

void history_cache_close(struct history_cache *cache)
{
	for (size_t i = 0; cache && i < HISTORY_CACHE_PLACES; i++)
		buffer_done(&cache->answers[i].body);
	free(cache);
}

static struct answer *find(struct history_cache *cache, const char *key)
{
	for (size_t i = 0; i < HISTORY_CACHE_PLACES; i++)
		if (cache->answers[i].used && strcmp(cache->answers[i].key, key) == 0)
			return &cache->answers[i];
	return NULL;
}

bool history_cache_get(struct history_cache *cache, const char *key, int64_t store_revision, uint64_t house_revision,
		       struct buffer *out)
{
	struct answer *answer = find(cache, key);

	if (!answer || answer->store_revision != store_revision || answer->house_revision != house_revision)
		return false;
	answer->used = ++cache->uses;
	return buffer_add(out, answer->body.data, answer->body.len) == 0;
}

void history_cache_put(struct history_cache *cache, const char *key, int64_t store_revision, uint64_t house_revision,
		       const struct buffer *body)
{
	struct answer *answer = find(cache, key);

	if (body->error || !body->len || body->len > HISTORY_CACHE_BODY_MAX || strlen(key) > HISTORY_CACHE_KEY_MAX)
		return;
	if (!answer) { /* the place that nobody asked for the longest */
		answer = cache->answers;
		for (size_t i = 1; i < HISTORY_CACHE_PLACES; i++)
			if (cache->answers[i].used < answer->used)
				answer = &cache->answers[i];
	}
	buffer_clear(&answer->body);
	strcpy(answer->key, key);
	answer->store_revision = store_revision;
	answer->house_revision = house_revision;
	answer->used = ++cache->uses;
	if (buffer_add(&answer->body, body->data, body->len) < 0)
		answer->used = 0;
}
