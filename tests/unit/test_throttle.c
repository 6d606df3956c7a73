/* links: webd/throttle.c */
/* Tries per address: a few at once, one more each minute, and nobody pays for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../../webd/throttle.h"

#define MINUTE INT64_C(60000)
#define NOW INT64_C(5000000)

static int set_up(void **state)
{
	*state = throttle_open(5, MINUTE);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	throttle_close(*state);
	return 0;
}

static void spend(struct throttle *throttle, const char *address, unsigned tries)
{
	for (unsigned i = 0; i < tries; i++)
		assert_int_equal(0, throttle_take(throttle, address, NOW));
}

static void five_at_once_and_the_sixth_is_told_how_long_to_wait(void **state)
{
	spend(*state, "192.0.2.1", 5);
	assert_int_equal(MINUTE, throttle_take(*state, "192.0.2.1", NOW));
	assert_int_equal(MINUTE - 1000, throttle_take(*state, "192.0.2.1", NOW + 1000));
	assert_int_equal(0, throttle_take(*state, "192.0.2.1", NOW + MINUTE));
	assert_true(throttle_take(*state, "192.0.2.1", NOW + MINUTE) > 0);
}

static void a_refused_try_costs_nothing(void **state)
{
	spend(*state, "192.0.2.1", 5);
	for (int i = 0; i < 100; i++)
		assert_int_equal(MINUTE, throttle_take(*state, "192.0.2.1", NOW));
	assert_int_equal(0, throttle_take(*state, "192.0.2.1", NOW + MINUTE));
}

static void what_is_left_is_told_without_taking_it(void **state)
{
	assert_int_equal(5, throttle_left(*state, "192.0.2.1", NOW));
	spend(*state, "192.0.2.1", 2);
	assert_int_equal(3, throttle_left(*state, "192.0.2.1", NOW));
	assert_int_equal(3, throttle_left(*state, "192.0.2.1", NOW));
	spend(*state, "192.0.2.1", 3);
	assert_int_equal(0, throttle_left(*state, "192.0.2.1", NOW));
	assert_int_equal(2, throttle_left(*state, "192.0.2.1", NOW + 2 * MINUTE));
	assert_int_equal(5, throttle_left(*state, "192.0.2.1", NOW + 60 * MINUTE));
}

static void nobody_pays_for_another(void **state)
{
	spend(*state, "192.0.2.1", 5);
	assert_int_equal(0, throttle_take(*state, "192.0.2.2", NOW));
	assert_int_equal(0, throttle_take(*state, "2001:db8::1", NOW));
	assert_int_equal(0, throttle_take(*state, "::1", NOW));
	assert_int_equal(0, throttle_take(*state, "127.0.0.1", NOW));
}

static void an_address_that_proved_itself_begins_anew(void **state)
{
	spend(*state, "192.0.2.1", 5);
	throttle_forgive(*state, "192.0.2.1");
	throttle_forgive(*state, "192.0.2.77"); /* never seen: nothing to do */
	spend(*state, "192.0.2.1", 5);
}

/* RFC 4291, 2.5.4: the last 64 bits are the interface's; a host may take any of them. */
static void a_household_of_ipv6_is_one_address(void **state)
{
	spend(*state, "2001:db8:1:2::1", 3);
	spend(*state, "2001:db8:1:2:ffff:eeee:dddd:cccc", 2);
	assert_true(throttle_take(*state, "2001:db8:1:2::3", NOW) > 0);
	assert_int_equal(0, throttle_take(*state, "2001:db8:1:3::1", NOW));
}

static void ipv4_in_ipv6_is_the_same_address(void **state)
{
	spend(*state, "192.0.2.1", 5);
	assert_true(throttle_take(*state, "::ffff:192.0.2.1", NOW) > 0);
	assert_int_equal(0, throttle_take(*state, "::ffff:192.0.2.2", NOW));
}

static void what_is_no_address_shares_one_bucket(void **state)
{
	spend(*state, "", 2);
	spend(*state, "unknown", 3);
	assert_true(throttle_take(*state, "nonsense", NOW) > 0);
}

/* More addresses than there are places: all are served, and who tries on is held back still. */
static void a_crowd_of_addresses_is_bounded(void **state)
{
	char address[40];

	spend(*state, "192.0.2.1", 5);
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
		assert_int_equal(0, throttle_take(*state, address, NOW));
	}
	/* One try each is owed less long than five: the busiest stays known. */
	assert_true(throttle_take(*state, "192.0.2.1", NOW) > 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(five_at_once_and_the_sixth_is_told_how_long_to_wait),
		T(a_refused_try_costs_nothing),
		T(what_is_left_is_told_without_taking_it),
		T(nobody_pays_for_another),
		T(an_address_that_proved_itself_begins_anew),
		T(a_household_of_ipv6_is_one_address),
		T(ipv4_in_ipv6_is_the_same_address),
		T(what_is_no_address_shares_one_bucket),
		T(a_crowd_of_addresses_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
