/* links: webd/secret.c */
/* Secrets by RFC 4648, 5 and FIPS 180-4; the digest was made with sha256sum. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../webd/secret.h"

static void a_secret_is_43_letters_and_none_like_another(void **state)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char texts[50][SECRET_TEXT + 1];
	uint8_t digest[SECRET_DIGEST], again[SECRET_DIGEST];

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(0, secret_make(texts[i], digest));
		assert_int_equal(SECRET_TEXT, strlen(texts[i]));
		assert_int_equal(SECRET_TEXT, strspn(texts[i], letters));
		assert_int_equal(0, secret_digest(texts[i], again));
		assert_true(secret_equal(digest, again));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(texts[i], texts[j]);
	}
}

/* printf AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA | sha256sum */
static void what_is_kept_is_the_sha_256_of_the_letters(void **state)
{
	uint8_t digest[SECRET_DIGEST];
	char hex[2 * SECRET_DIGEST + 1];

	(void)state;
	assert_int_equal(0, secret_digest("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", digest));
	for (int i = 0; i < SECRET_DIGEST; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal("0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a", hex);
}

static void what_is_no_secret_by_its_form_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"a",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+/",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xc3\xa9",
	};
	uint8_t digest[SECRET_DIGEST];

	(void)state;
	assert_int_equal(-EINVAL, secret_digest(NULL, digest));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(-EINVAL, secret_digest(texts[i], digest));
}

static void one_bit_makes_it_another(void **state)
{
	uint8_t a[SECRET_DIGEST] = { 0 }, b[SECRET_DIGEST] = { 0 };

	(void)state;
	assert_true(secret_equal(a, b));
	for (int i = 0; i < SECRET_DIGEST * 8; i++) {
		b[i / 8] = (uint8_t)(1 << i % 8);
		assert_false(secret_equal(a, b));
		b[i / 8] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_43_letters_and_none_like_another),
		cmocka_unit_test(what_is_kept_is_the_sha_256_of_the_letters),
		cmocka_unit_test(what_is_no_secret_by_its_form_is_refused),
		cmocka_unit_test(one_bit_makes_it_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
