/* The store as webd reads it: opened when it is there, looked for again while it is not. */
#pragma once

#include "../common/store.h"
#include "history_cache.h"

struct archive;

/* url must outlive the archive. Touches no file yet. NULL without memory. */
struct archive *archive_open(const char *url);
void archive_close(struct archive *archive);

/* The open store, or NULL while it can't be read (tried again at most once a second; told in the log when that begins and ends). A store that
 * failed since the last call is closed and opened anew. */
struct store *archive_store(struct archive *archive);
/* Histories that were read from it lately. */
struct history_cache *archive_cache(struct archive *archive);
/* A call on the store gave this (nothing to do unless it is a negative errno): -ENOENT, -EINVAL (an unknown series, a wrong span) are the caller's, all others make
 * the store be opened anew. */
void archive_failed(struct archive *archive, int error);
/* Why there is no store, for people; "" when there is one. */
const char *archive_error(const struct archive *archive);
