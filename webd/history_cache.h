/* Answers that are still true: the newest few histories that were asked for, kept while neither the store nor the house changes. A wall of tablets
 * that shows the same chart asks the same again and again. */
#pragma once

#include <stdint.h>

#include "../common/buffer.h"

enum { HISTORY_CACHE_PLACES = 32, HISTORY_CACHE_KEY_MAX = 500, HISTORY_CACHE_BODY_MAX = 16 * 1024 };

struct history_cache;

struct history_cache *history_cache_open(void); /* NULL without memory */
void history_cache_close(struct history_cache *cache);

/* Adds the answer to out. False: there is none that holds for these revisions. */
bool history_cache_get(struct history_cache *cache, const char *key, int64_t store_revision, uint64_t house_revision,
		       struct buffer *out);
/* Keeps a copy of an answer; one that is too long, or has an error, is not kept. */
void history_cache_put(struct history_cache *cache, const char *key, int64_t store_revision, uint64_t house_revision,
		       const struct buffer *body);
