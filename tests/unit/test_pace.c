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
	pace_committed(&pace, 5050, 5050);
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
	pace_committed(&pace, 1, 1);
	for (int i = 0; i < BATCH / 2 - 1; i++)
		pace_message(&pace, 2, true);
	assert_true(pace_due_ms(&pace) > 2);
	pace_message(&pace, 2, true);
	assert_int_equal(0, pace_due_ms(&pace));
}

/* A commit that took took_ms, and so many messages of QoS 0 right after it. */
static struct pace flooded(int64_t now_ms, int64_t took_ms, int count)
{
	struct pace pace;

	pace_init(&pace, INTERVAL_MS, 20 * BATCH);
	pace_message(&pace, now_ms - took_ms, false);
	pace_committed(&pace, now_ms - took_ms, now_ms);
	for (int i = 0; i < count; i++)
		pace_message(&pace, now_ms, false);
	return pace;
}

static void a_flood_is_committed_by_the_half_thousand(void **state)
{
	struct pace less = flooded(10000, 0, 499), enough = flooded(10000, 0, 500);

	(void)state;
	assert_int_equal(10000 + INTERVAL_MS, pace_due_ms(&less));
	assert_int_equal(10000, pace_due_ms(&enough));
}

static void a_slow_card_rests_between_the_commits_of_a_flood(void **state)
{
	struct pace pace = flooded(10000, 200, 5000);

	(void)state;
	assert_int_equal(10800, pace_due_ms(&pace));
	for (int i = 0; i < 10 * BATCH; i++)
		pace_message(&pace, 10001, true);
	assert_int_equal(0, pace_due_ms(&pace)); /* but half of the window does not wait for it */
}

static void messages_of_qos_0_fill_no_window(void **state)
{
	struct pace pace = flooded(10000, 1000, 20 * BATCH);

	(void)state;
	assert_int_equal(14000, pace_due_ms(&pace));
}

static void the_rest_of_a_flood_is_committed_when_it_ends(void **state)
{
	struct pace pace = flooded(10000, 0, 500);

	(void)state;
	pace_committed(&pace, 10000, 10000);
	for (int i = 0; i < 7; i++)
		pace_message(&pace, 10001, false);
	assert_int_equal(10026, pace_due_ms(&pace));
	pace_committed(&pace, 10026, 10026);
	pace_message(&pace, 10500, false); /* and what is no flood waits again */
	assert_int_equal(10026 + INTERVAL_MS, pace_due_ms(&pace));
}

static void a_broker_that_waits_with_a_window_of_its_own_is_found_out(void **state)
{
	struct pace pace;
	int64_t now_ms = 1000;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, now_ms, true);
	pace_committed(&pace, now_ms, now_ms);
	for (int i = 0; i < 32; i++) /* it sends 32 and then nothing */
		pace_message(&pace, now_ms + 1, true);
	assert_in_range(pace_due_ms(&pace), now_ms + 2, now_ms + 100);
	now_ms = pace_due_ms(&pace);
	pace_committed(&pace, now_ms, now_ms);
	for (int i = 0; i < 15; i++) /* and goes on as soon as it may */
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
	pace_committed(&pace, now_ms, now_ms);
	for (int i = 0; i < 32; i++)
		pace_message(&pace, now_ms + 1, true);
	now_ms = pace_due_ms(&pace);
	pace_committed(&pace, now_ms, now_ms);
	for (int i = 0; i < 32; i++) /* the next burst comes a second later */
		pace_message(&pace, now_ms + 1000, true);
	assert_int_equal(now_ms + INTERVAL_MS, pace_due_ms(&pace));
}

/* A commit of the test for a window, made at `now_ms` with 32 messages that were not acknowledged. */
static struct pace after_a_trial(int64_t now_ms)
{
	struct pace pace;

	pace_init(&pace, INTERVAL_MS, BATCH);
	for (int i = 0; i < 32; i++)
		pace_message(&pace, now_ms - 100, true);
	pace_committed(&pace, now_ms, now_ms);
	return pace;
}

static void a_broker_on_a_slow_line_has_a_quarter_of_a_second_to_go_on(void **state)
{
	struct pace slow = after_a_trial(10000), over = after_a_trial(10000);

	(void)state;
	for (int i = 0; i < 16; i++)
		pace_message(&slow, 10250, true);
	assert_int_equal(0, pace_due_ms(&slow)); /* half of 32 */
	for (int i = 0; i < 16; i++)
		pace_message(&over, 10251, true);
	assert_int_equal(10000 + INTERVAL_MS, pace_due_ms(&over));
}

static void a_broker_that_sends_more_than_its_window_has_none(void **state)
{
	struct pace pace = after_a_trial(10000);

	(void)state;
	for (int i = 0; i < 32; i++) /* at once: it seems that it had waited */
		pace_message(&pace, 10001, true);
	assert_int_equal(0, pace_due_ms(&pace));
	pace_message(&pace, 10001, true); /* but it goes on */
	assert_int_equal(10000 + INTERVAL_MS, pace_due_ms(&pace));
	for (int i = 0; i < 65 - 33; i++)
		pace_message(&pace, 10001, true);
	assert_int_equal(10000 + INTERVAL_MS, pace_due_ms(&pace));
	pace_message(&pace, 10001, true); /* twice as many are worth another look */
	assert_int_equal(10026, pace_due_ms(&pace));
}

/* Every so many milliseconds for five minutes. Returns the commits. */
static int commits_of_a_steady_feed(int64_t every_ms)
{
	struct pace pace;
	int commits = 0;

	pace_init(&pace, INTERVAL_MS, BATCH);
	for (int64_t now_ms = 0; now_ms < 300000; now_ms += every_ms) {
		int64_t due_ms = pace_due_ms(&pace);

		if (due_ms <= now_ms) {
			pace_committed(&pace, due_ms, due_ms);
			commits++;
		}
		pace_message(&pace, now_ms, true);
	}
	return commits;
}

static void a_steady_feed_is_no_broker_that_waits(void **state)
{
	(void)state;
	assert_in_range(commits_of_a_steady_feed(200), 29, 31); /* one each 10 s */
	assert_in_range(commits_of_a_steady_feed(30), 29, 31);
	assert_in_range(commits_of_a_steady_feed(240), 29, 31);
}

static void a_pause_in_a_flood_does_not_hide_that_the_broker_waits(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, 1000, true);
	pace_committed(&pace, 1050, 1050);
	for (int i = 0; i < 200; i++)
		pace_message(&pace, 1100, true);
	for (int i = 0; i < 200; i++) /* a busy machine rested for half a second */
		pace_message(&pace, 1600, true);
	assert_int_equal(1625, pace_due_ms(&pace));
}

static void a_few_messages_after_a_trial_are_no_window_that_waited(void **state)
{
	struct pace pace = after_a_trial(10000);

	(void)state;
	for (int i = 0; i < 15; i++)
		pace_message(&pace, 10100, true);
	pace_message(&pace, 10300, true);
	assert_int_equal(10000 + INTERVAL_MS, pace_due_ms(&pace));
}

static void a_window_counts_for_one_connection(void **state)
{
	struct pace pace = after_a_trial(10000);

	(void)state;
	pace_message(&pace, 10001, true);
	pace_connected(&pace);
	assert_int_equal(INT64_MAX, pace_due_ms(&pace));
	for (int i = 0; i < 16; i++)
		pace_message(&pace, 11000, true);
	assert_int_equal(10000 + INTERVAL_MS, pace_due_ms(&pace));
}

static void fewer_messages_than_any_window_prove_nothing(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, INTERVAL_MS, BATCH);
	pace_message(&pace, 1000, true);
	pace_committed(&pace, 1050, 1050);
	for (int i = 0; i < 19; i++)
		pace_message(&pace, 2000, true);
	assert_int_equal(1050 + INTERVAL_MS, pace_due_ms(&pace));
	pace_message(&pace, 2000, true);
	assert_int_equal(2025, pace_due_ms(&pace));
}

static void without_an_interval_every_reading_is_committed_soon(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, 0, BATCH);
	pace_message(&pace, 1000, true);
	pace_committed(&pace, 1050, 1050);
	pace_message(&pace, 1051, true);
	assert_in_range(pace_due_ms(&pace), 1051, 1151);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reading_after_a_quiet_spell_is_committed_within_100_ms),
		cmocka_unit_test(the_next_one_waits_for_the_commit_interval),
		cmocka_unit_test(half_a_batch_is_committed_at_once_so_that_the_other_half_comes_meanwhile),
		cmocka_unit_test(a_flood_is_committed_by_the_half_thousand),
		cmocka_unit_test(a_slow_card_rests_between_the_commits_of_a_flood),
		cmocka_unit_test(messages_of_qos_0_fill_no_window),
		cmocka_unit_test(the_rest_of_a_flood_is_committed_when_it_ends),
		cmocka_unit_test(a_broker_that_waits_with_a_window_of_its_own_is_found_out),
		cmocka_unit_test(a_burst_that_was_merely_over_teaches_no_window),
		cmocka_unit_test(a_broker_on_a_slow_line_has_a_quarter_of_a_second_to_go_on),
		cmocka_unit_test(a_broker_that_sends_more_than_its_window_has_none),
		cmocka_unit_test(a_steady_feed_is_no_broker_that_waits),
		cmocka_unit_test(a_pause_in_a_flood_does_not_hide_that_the_broker_waits),
		cmocka_unit_test(a_few_messages_after_a_trial_are_no_window_that_waited),
		cmocka_unit_test(a_window_counts_for_one_connection),
		cmocka_unit_test(fewer_messages_than_any_window_prove_nothing),
		cmocka_unit_test(without_an_interval_every_reading_is_committed_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
