#include "secret.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/random.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int secret_digest(const char *text, uint8_t ret_digest[SECRET_DIGEST])
{
	if (!text || strlen(text) != SECRET_TEXT || strspn(text, letters) != SECRET_TEXT)
		return -EINVAL;
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, text, SECRET_TEXT, ret_digest) == 0 ? 0 : -ENOMEM;
}

int secret_make(char ret_text[SECRET_TEXT + 1], uint8_t ret_digest[SECRET_DIGEST])
{
	uint8_t bytes[33] = { 0 }; /* 32, and zero bits that fill the last letter */
	char text[SECRET_TEXT + 2];
	int r;

	if (getrandom(bytes, 32, 0) != 32)
		return -errno;
	for (size_t i = 0; i < 11; i++) {
		unsigned long word = (unsigned long)bytes[i * 3] << 16 | (unsigned long)bytes[i * 3 + 1] << 8 | bytes[i * 3 + 2];

		for (size_t k = 0; k < 4; k++)
			text[i * 4 + k] = letters[word >> (18 - 6 * k) & 63];
	}
	text[SECRET_TEXT] = '\0';
	r = secret_digest(text, ret_digest);
	if (r == 0)
		strcpy(ret_text, text);
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(text, sizeof(text));
	return r;
}

bool secret_equal(const uint8_t a[SECRET_DIGEST], const uint8_t b[SECRET_DIGEST])
{
	return gnutls_memcmp(a, b, SECRET_DIGEST) == 0;
}
