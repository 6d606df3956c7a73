/* links: collector/pace.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../collector/pace.h"

enum { INTERVAL_MS = 10000, BATCH = 1000 };

static void a_reading_after_a_quiet_spell_is_committed_within_100_ms(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	assert_int_equal(INT64_MAX, pace_due_ms(&pace));
	pace_message(&pace, 5000, true);
	assert_in_range(pace_due_ms(&pace), 5000, 5100);
}

static void the_next_one_waits_for_the_commit_interval(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, 5000, true);
	pace_committed(&pace, 5050);
	assert_int_equal(INT64_MAX, pace_due_ms(&pace));
	pace_message(&pace, 6000, true);
	assert_int_equal(5050 + INTERVAL_MS, pace_due_ms(&pace));
}

static void half_a_batch_is_committed_at_once_so_that_the_other_half_comes_meanwhile(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, 1, true);
	pace_committed(&pace, 1);
	for (int i = 0; i < BATCH / 2 - 1; i++)
		pace_message(&pace, 2, true);
	assert_true(pace_due_ms(&pace) > 2);
	pace_message(&pace, 2, true);
	assert_int_equal(0, pace_due_ms(&pace));
}

static void messages_of_qos_0_fill_no_window(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, 1, false);
	pace_committed(&pace, 1);
	for (int i = 0; i < 10 * BATCH; i++)
		pace_message(&pace, 2, false);
	assert_int_equal(1 + INTERVAL_MS, pace_due_ms(&pace));
}

static void a_broker_that_waits_with_a_window_of_its_own_is_found_out(void **state)
{
	struct pace pace;
	int64_t now_ms = 1000;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, now_ms, true);
	pace_committed(&pace, now_ms);
	for (int i = 0; i < 32; i++)		/* it sends 32 and then nothing */
		pace_message(&pace, now_ms + 1, true);
	assert_in_range(pace_due_ms(&pace), now_ms + 2, now_ms + 100);
	now_ms = pace_due_ms(&pace);
	pace_committed(&pace, now_ms);
	for (int i = 0; i < 15; i++)		/* and goes on as soon as it may */
		pace_message(&pace, now_ms + 1, true);
	assert_true(pace_due_ms(&pace) > now_ms + 1);
	pace_message(&pace, now_ms + 1, true);
	assert_int_equal(0, pace_due_ms(&pace));
}

static void a_burst_that_was_merely_over_teaches_no_window(void **state)
{
	struct pace pace;
	int64_t now_ms = 1000;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, now_ms, true);
	pace_committed(&pace, now_ms);
	for (int i = 0; i < 32; i++)
		pace_message(&pace, now_ms + 1, true);
	now_ms = pace_due_ms(&pace);
	pace_committed(&pace, now_ms);
	for (int i = 0; i < 32; i++)		/* the next burst comes a second later */
		pace_message(&pace, now_ms + 1000, true);
	assert_int_equal(now_ms + INTERVAL_MS, pace_due_ms(&pace));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reading_after_a_quiet_spell_is_committed_within_100_ms),
		cmocka_unit_test(the_next_one_waits_for_the_commit_interval),
		cmocka_unit_test(half_a_batch_is_committed_at_once_so_that_the_other_half_comes_meanwhile),
		cmocka_unit_test(messages_of_qos_0_fill_no_window),
		cmocka_unit_test(a_broker_that_waits_with_a_window_of_its_own_is_found_out),
		cmocka_unit_test(a_burst_that_was_merely_over_teaches_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
