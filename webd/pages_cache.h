/* Pages that are still true: kept rendered and compressed, so that nobody renders the same page twice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

enum { PAGES_CACHE_SIZE = 8 };

struct pages_cached {
	unsigned variant;  /* language, theme and role */
	uint64_t revision; /* of the house */
	int64_t second;
	bool broker_up;
	struct buffer html, gzip; /* gzip: empty until somebody takes it */
};

struct pages_cache {
	struct pages_cached entries[PAGES_CACHE_SIZE];
};

void pages_cache_done(struct pages_cache *cache);
/* The place of a variant; what it holds is true only when pages_cached_fits. */
struct pages_cached *pages_cache_of(struct pages_cache *cache, unsigned variant);
bool pages_cached_fits(const struct pages_cached *cached, uint64_t revision, int64_t second, bool broker_up);
/* Answers with it, compressed for who takes that. */
void pages_cached_reply(struct pages_cached *cached, struct http_request *request);
