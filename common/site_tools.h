/* webd's own file in the hands of the one in charge: a verified copy, one put back, a look through it. Errors are those of site.h; `error` (SITE_ERROR_MAX
 * bytes) tells a person what happened. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "site.h"

struct site_copy {
	int64_t bytes, users;
};

/* Whether the file at `path` is webd's own; false for what cannot be read. */
bool site_is_one(const char *path);

/* Copies the state of this moment to `to` while webd goes on: a plain file of mode 0600, of the same owner when root does it. It is looked through and its
 * rows are counted before it gets its name; on failure nothing is left. -ENOENT: there is none. */
int site_backup(const char *path, const char *to, struct site_copy *ret_copy, char *error);

/* Puts the copy `from` in the place of `path`, looked through and brought up to this version first. Sessions do not come back: who ended one since then
 * meant it. -EBUSY while webd runs.
 * ret_kept   where the file of before is now, "" when there was none; of `size` bytes */
int site_restore(const char *path, const char *from, char *ret_kept, size_t size, struct site_copy *ret_copy, char *error);

/* Looks through the file: -EUCLEAN when it is damaged. */
int site_check(const char *path, struct site_copy *ret_copy, char *error);
