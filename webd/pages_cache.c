#include "pages_cache.h"

void pages_cache_done(struct pages_cache *cache)
{
	for (size_t i = 0; i < PAGES_CACHE_SIZE; i++) {
		buffer_done(&cache->entries[i].html);
		buffer_done(&cache->entries[i].gzip);
	}
}

struct pages_cached *pages_cache_of(struct pages_cache *cache, unsigned variant)
{
	struct pages_cached *cached = &cache->entries[variant % PAGES_CACHE_SIZE];

	if (cached->variant != variant)
		buffer_clear(&cached->html);
	cached->variant = variant;
	return cached;
}

bool pages_cached_fits(const struct pages_cached *cached, uint64_t revision, int64_t second, bool broker_up)
{
	return cached->html.len > 0 && cached->revision == revision && cached->second == second && cached->broker_up == broker_up;
}

void pages_cached_reply(struct pages_cached *cached, struct http_request *request)
{
	static const char type[] = "text/html; charset=utf-8";

	http_add_header(request, "Vary", "Accept-Encoding, Accept-Language, Cookie");
	if (http_takes_gzip(request)) {
		if (!cached->gzip.len)
			http_gzip(cached->html.data, cached->html.len, &cached->gzip);
		if (cached->gzip.len) {
			http_add_header(request, "Content-Encoding", "gzip");
			http_reply(request, 200, type, cached->gzip.data, cached->gzip.len);
			return;
		}
	}
	http_reply(request, 200, type, cached->html.data, cached->html.len);
}
