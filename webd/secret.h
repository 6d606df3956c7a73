/* Secrets that webd gives out: cookies of sessions, tokens for scripts, the link of the first start. 256 random bits as 43 letters of base64url
 * (RFC 4648, 5); kept by their SHA-256 alone, so that a copy of the file opens nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SECRET_TEXT = 43, SECRET_DIGEST = 32 };

/* Makes a new one. Returns 0 or a negative errno (no randomness). */
int secret_make(char ret_text[SECRET_TEXT + 1], uint8_t ret_digest[SECRET_DIGEST]);
/* The digest of one that somebody shows. -EINVAL when it is none by its form (NULL too). */
int secret_digest(const char *text, uint8_t ret_digest[SECRET_DIGEST]);
/* Takes the same time whether they differ early or late. */
bool secret_equal(const uint8_t a[SECRET_DIGEST], const uint8_t b[SECRET_DIGEST]);
