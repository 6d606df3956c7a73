/* links: webd/hasher.c */
/* Passwords hashed beside the loop. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../webd/hasher.h"

enum { WAITING_MAX = 16 }; /* as in hasher.c */

struct fixture {
	sd_event *event;
	struct hasher *hasher;
	unsigned count, fit;
	char hash[SITE_HASH_MAX + 1];
	char order[64]; /* a letter for each that is done */
};

struct one {
	struct fixture *fixture;
	char letter;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || sd_event_new(&fixture->event) < 0)
		return -1;
	return hasher_open(fixture->event, &fixture->hasher);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	hasher_close(fixture->hasher);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

static void on_done(void *context, bool ok, const char *hash)
{
	struct fixture *fixture = context;

	fixture->count++;
	fixture->fit += ok;
	snprintf(fixture->hash, sizeof(fixture->hash), "%s", hash);
}

static void on_one(void *context, bool ok, const char *hash)
{
	struct one *one = context;

	one->fixture->order[one->fixture->count] = one->letter;
	on_done(one->fixture, ok, hash);
}

static void wait_for(struct fixture *fixture, unsigned count)
{
	while (fixture->count < count)
		assert_true(sd_event_run(fixture->event, 30000000) > 0);
}

static bool fits(struct fixture *fixture, const char *password, const char *hash)
{
	fixture->count = fixture->fit = 0;
	assert_int_equal(0, hasher_check(fixture->hasher, password, hash, on_done, fixture));
	wait_for(fixture, 1);
	assert_string_equal("", fixture->hash);
	return fixture->fit == 1;
}

static void a_password_fits_its_own_hash_and_no_other(void **state)
{
	struct fixture *fixture = *state;
	char hash[SITE_HASH_MAX + 1];

	assert_int_equal(0, hasher_make(fixture->hasher, "correct horse", on_done, fixture));
	assert_int_equal(0, fixture->count); /* not before the loop turns */
	wait_for(fixture, 1);
	assert_int_equal(1, fixture->fit);
	assert_memory_equal("$y$", fixture->hash, 3);
	strcpy(hash, fixture->hash);
	assert_true(fits(fixture, "correct horse", hash));
	assert_false(fits(fixture, "correct horsf", hash));
	assert_false(fits(fixture, "", hash));
	assert_false(fits(fixture, "correct horse ", hash));
}

static void the_same_password_is_salted_each_time(void **state)
{
	struct fixture *fixture = *state;
	char first[SITE_HASH_MAX + 1];

	assert_int_equal(0, hasher_make(fixture->hasher, "correct horse", on_done, fixture));
	wait_for(fixture, 1);
	strcpy(first, fixture->hash);
	assert_int_equal(0, hasher_make(fixture->hasher, "correct horse", on_done, fixture));
	wait_for(fixture, 2);
	assert_string_not_equal(first, fixture->hash);
}

static void nobody_and_a_broken_hash_fit_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_false(fits(fixture, "correct horse", NULL));
	assert_false(fits(fixture, "correct horse", ""));
	assert_false(fits(fixture, "correct horse", "*0"));
	assert_false(fits(fixture, "*0", "*0"));
	assert_false(fits(fixture, "x", "$y$j9T$"));
	assert_false(fits(fixture, "x", "plain"));
}

static void a_password_beyond_the_maximum_fits_nothing(void **state)
{
	struct fixture *fixture = *state;
	char longest[HASHER_PASSWORD_MAX + 2], hash[SITE_HASH_MAX + 1];

	memset(longest, 'x', sizeof(longest));
	longest[HASHER_PASSWORD_MAX] = '\0';
	assert_int_equal(0, hasher_make(fixture->hasher, longest, on_done, fixture));
	wait_for(fixture, 1);
	strcpy(hash, fixture->hash);
	assert_true(fits(fixture, longest, hash));
	longest[HASHER_PASSWORD_MAX] = 'x';
	longest[HASHER_PASSWORD_MAX + 1] = '\0';
	assert_false(fits(fixture, longest, hash));
}

static void they_are_done_in_order_and_only_so_many_wait(void **state)
{
	struct fixture *fixture = *state;
	struct one ones[WAITING_MAX];

	for (int i = 0; i < WAITING_MAX; i++) {
		ones[i] = (struct one){ fixture, (char)('a' + i) };
		assert_int_equal(0, hasher_check(fixture->hasher, "x", NULL, on_one, &ones[i]));
	}
	assert_int_equal(-EAGAIN, hasher_check(fixture->hasher, "x", NULL, on_one, &ones[0]));
	assert_int_equal(-EAGAIN, hasher_make(fixture->hasher, "x", on_one, &ones[0]));
	wait_for(fixture, WAITING_MAX);
	assert_string_equal("abcdefghijklmnop", fixture->order);
	assert_true(fits(fixture, "x", NULL) == false); /* there is room again */
}

/* Each caller hears of its job, exactly once, so that nothing that waits is lost. */
static void closing_tells_all_that_wait(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < WAITING_MAX; i++)
		assert_int_equal(0, hasher_make(fixture->hasher, "correct horse", on_done, fixture));
	hasher_close(fixture->hasher);
	fixture->hasher = NULL;
	assert_int_equal(WAITING_MAX, fixture->count);
	assert_int_equal(0, fixture->fit);
}

static void closing_one_that_never_worked_is_fine(void **state)
{
	struct fixture *fixture = *state;

	hasher_close(fixture->hasher);
	fixture->hasher = NULL;
	hasher_close(NULL);
	assert_int_equal(0, fixture->count);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_password_fits_its_own_hash_and_no_other),    T(the_same_password_is_salted_each_time),
		T(nobody_and_a_broken_hash_fit_nothing),         T(a_password_beyond_the_maximum_fits_nothing),
		T(they_are_done_in_order_and_only_so_many_wait), T(closing_tells_all_that_wait),
		T(closing_one_that_never_worked_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
