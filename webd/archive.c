#include "archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"

enum {
	RETRY_MS = 1000,
	FRESH_MS = 60000, /* a file that another took the place of (a backup) would be read for ever: opened anew after this */
};

struct archive {
	const char *url;
	struct store *store;
	struct history_cache *cache;
	int64_t tried_ms; /* since boot; 0 never */
	bool failed, told;
	char error[STORE_ERROR_MAX];
};

struct archive *archive_open(const char *url)
{
	struct archive *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return NULL;
	archive->cache = history_cache_open();
	if (!archive->cache) {
		free(archive);
		return NULL;
	}
	archive->url = url;
	snprintf(archive->error, sizeof(archive->error), "not looked at yet");
	return archive;
}

void archive_close(struct archive *archive)
{
	if (!archive)
		return;
	store_close(archive->store);
	history_cache_close(archive->cache);
	free(archive);
}

static void try_open(struct archive *archive)
{
	if (store_open(archive->url, STORE_READ, &archive->store, archive->error) < 0) {
		archive->store = NULL;
		if (!archive->told)
			log_warning("%s; history waits for it", archive->error);
		archive->told = true;
		return;
	}
	archive->error[0] = '\0';
	if (archive->told)
		log_info("%s: can be read", archive->url);
	archive->told = false;
}

struct store *archive_store(struct archive *archive)
{
	int64_t now_ms = clock_boot_ms();
	bool stale = archive->store && now_ms - archive->tried_ms >= FRESH_MS;

	if (archive->store && !archive->failed && !stale)
		return archive->store;
	if (!archive->store && archive->tried_ms && now_ms - archive->tried_ms < RETRY_MS)
		return NULL;
	store_close(archive->store);
	history_cache_close(archive->cache); /* another file may have another past */
	archive->cache = history_cache_open();
	archive->store = NULL;
	archive->failed = false;
	archive->tried_ms = now_ms;
	try_open(archive);
	return archive->store;
}

struct history_cache *archive_cache(struct archive *archive)
{
	return archive->cache;
}

void archive_failed(struct archive *archive, int error)
{
	if (error >= 0 || error == -ENOENT || error == -EINVAL || !archive->store)
		return;
	snprintf(archive->error, sizeof(archive->error), "%s", store_error(archive->store));
	archive->failed = true;
	if (!archive->told)
		log_warning("%s; opened anew", archive->error);
	archive->told = true;
}

const char *archive_error(const struct archive *archive)
{
	return archive->error;
}
