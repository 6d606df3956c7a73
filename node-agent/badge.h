/* Badges: how their numbers are written, and what is told instead of them where they are to stay secret. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { BADGE_UID_MAX = 10, BADGE_TEXT_MAX = 64, BADGE_SALT_MIN = 8, BADGE_SALT_MAX = 16 };

/* "04a1b2c3": two digits a byte. buf: BADGE_TEXT_MAX bytes. Returns buf. */
char *badge_text(const uint8_t *uid, size_t len, char *buf);

/* Reads the salt, the first line of a file: 8 characters or more of [A-Za-z0-9./+=], of which the first 16 count.
 * ret_salt   BADGE_SALT_MAX + 1 bytes
 * Returns 0, -EINVAL when that is not in it, or the errno of reading. */
int badge_read_salt(const char *path, char *ret_salt);

/* The salted hash of a badge: the last part of libcrypt's sha256crypt ("$5$", crypt(5)) with 1000 rounds, 43 characters. The same
 * badge gives the same hash wherever the same salt is used. A badge's number is short (four bytes mostly), so who knows the salt
 * can try them all in hours: keep its file secret.
 * hash   BADGE_TEXT_MAX bytes
 * Returns 0, or -EIO when libcrypt cannot. */
int badge_hash(const char *text, const char *salt, char *ret_hash);
