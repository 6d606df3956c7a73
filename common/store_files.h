/* Files of the store as files: what backup and restore share. */
#pragma once

#include "store_sqlite.h"
#include "store_tools.h"

/* A file opened without looking at its version, with the messages of store_fail. flags: SQLITE_OPEN_... Close it in any case. */
int store_file_open(struct store *file, const char *path, int flags);
void store_file_close(struct store *file);

/* The path in a URL that store_check_url takes. */
const char *store_file_path(const char *url);

/* Copies `from` (open, in one snapshot) into an empty file, and compares: looked through, rows counted. to_path is synced, and of no use
 * when this fails. */
int store_file_copy(struct store *from, const char *to_path, const struct store_watch *watch, struct store_copy *ret_copy,
		    char *error);

/* Removes a file and those that SQLite puts beside it. */
void store_file_remove(const char *path);
/* Makes the names of a folder durable: that of `path`. */
int store_file_sync_folder(const char *path);
/* Gives a file to the owner of its folder, when we are root. */
void store_file_give(const char *path, const char *suffix);
bool store_file_is_same(const char *a, const char *b);

/* Queries of a file are ended where the watcher gives up; NULL watch ends that. */
void store_file_watch(struct store *file, const struct store_watch *watch);
