/* links: collector/repeats.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../collector/repeats.h"

enum { ROOM = 8 };
#define TOPIC "foyer/salon/air/temperature"

static bool known(struct repeats *repeats, uint16_t id, const char *payload)
{
	return repeats_known(repeats, id, TOPIC, payload, strlen(payload));
}

static int add(struct repeats *repeats, uint16_t id, const char *payload)
{
	return repeats_add(repeats, id, TOPIC, payload, strlen(payload));
}

/* What the next process finds in the store after a kill -9. */
static struct repeats *reborn(struct repeats *repeats)
{
	struct repeats *next = repeats_open(ROOM);
	bool changed;
	size_t len;
	const void *data = repeats_data(repeats, &len, &changed);

	repeats_load(next, data, len);
	repeats_close(repeats);
	return next;
}

static void what_was_committed_is_known_after_a_crash(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);

	(void)state;
	assert_int_equal(0, add(repeats, 1, "21.5"));
	assert_int_equal(0, add(repeats, 2, "21.5"));
	repeats_committed(repeats, -1);
	repeats = reborn(repeats);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 1, "21.5"));
	assert_true(known(repeats, 2, "21.5"));
	assert_false(known(repeats, 3, "21.5"));
	repeats_close(repeats);
}

static void the_same_id_with_another_value_is_news_and_ends_the_search(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);

	(void)state;
	add(repeats, 1, "21.5");
	add(repeats, 2, "21.6");
	repeats_committed(repeats, -1);
	repeats_connected(repeats, true);
	assert_false(known(repeats, 1, "22"));
	assert_false(known(repeats, 2, "21.6"));
	repeats_close(repeats);
}

static void without_the_old_session_nothing_is_a_repeat(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);
	bool changed;
	size_t len;

	(void)state;
	add(repeats, 1, "21.5");
	repeats_committed(repeats, -1);
	repeats_connected(repeats, false);
	assert_false(known(repeats, 1, "21.5"));
	assert_null(repeats_data(repeats, &len, &changed));
	repeats_close(repeats);
}

static void an_acknowledged_marker_proves_all_batches_before_it(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);
	bool changed;
	size_t len;

	(void)state;
	add(repeats, 1, "1");
	repeats_committed(repeats, -1);
	add(repeats, 2, "2");
	repeats_committed(repeats, 77);
	add(repeats, 3, "3");
	repeats_committed(repeats, 78);
	repeats_acknowledged(repeats, 77);
	repeats_data(repeats, &len, &changed);
	assert_int_equal(6, len);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 3, "3"));
	repeats_close(repeats);
}

static void a_broker_that_answers_late_is_still_understood(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);
	int marker = 0, answered = 0;
	bool changed;
	size_t len;

	(void)state;
	for (uint16_t id = 1; id < 2000; id++) { /* commits come faster than answers */
		assert_int_equal(0, add(repeats, id, "x"));
		repeats_committed(repeats, repeats_unproven(repeats) ? ++marker : -1);
		if (id % 5 == 0 && answered < marker)
			repeats_acknowledged(repeats, ++answered);
	}
	while (answered < marker)
		repeats_acknowledged(repeats, ++answered);
	repeats_data(repeats, &len, &changed);
	assert_true(len < 16 * 6);
	repeats_close(repeats);
}

static void an_id_that_is_given_again_proves_what_came_before(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);
	bool changed;
	size_t len;

	(void)state;
	for (int i = 0; i < 3000; i++) { /* no marker is ever answered, but the broker has only 16 ids */
		assert_int_equal(0, add(repeats, (uint16_t)(i % 16 + 1), "x"));
		if (i % 4 == 3)
			repeats_committed(repeats, repeats_unproven(repeats) ? i : -1);
	}
	repeats_data(repeats, &len, &changed);
	assert_true(len <= 16 * 6);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 9, "x")); /* i of 2984 to 2999: ids 9 to 16 and 1 to 8 */
	assert_true(known(repeats, 10, "x"));
	repeats_close(repeats);
}

static void a_marker_of_the_connection_before_proves_nothing(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);

	(void)state;
	add(repeats, 1, "1");
	repeats_committed(repeats, 5);
	repeats_connected(repeats, true);
	repeats_acknowledged(repeats, 5);
	assert_true(known(repeats, 1, "1"));
	repeats_close(repeats);
}

static void a_rolled_back_batch_is_forgotten(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);

	(void)state;
	add(repeats, 1, "1");
	repeats_committed(repeats, -1);
	add(repeats, 2, "2");
	repeats_rolled_back(repeats);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 1, "1"));
	assert_false(known(repeats, 2, "2"));
	repeats_close(repeats);
}

static void memory_is_bounded(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);
	int r = 0;

	(void)state;
	for (uint16_t id = 1; r == 0 && id < 1000; id++)
		r = add(repeats, id, "1");
	assert_int_equal(-ENOSPC, r);
	repeats_close(repeats);
}

static void damaged_data_is_taken_as_none(void **state)
{
	struct repeats *repeats = repeats_open(ROOM);
	bool changed;
	size_t len;

	(void)state;
	repeats_load(repeats, "seven!!", 7);
	assert_null(repeats_data(repeats, &len, &changed));
	repeats_close(repeats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_committed_is_known_after_a_crash),
		cmocka_unit_test(the_same_id_with_another_value_is_news_and_ends_the_search),
		cmocka_unit_test(without_the_old_session_nothing_is_a_repeat),
		cmocka_unit_test(an_acknowledged_marker_proves_all_batches_before_it),
		cmocka_unit_test(a_broker_that_answers_late_is_still_understood),
		cmocka_unit_test(an_id_that_is_given_again_proves_what_came_before),
		cmocka_unit_test(a_marker_of_the_connection_before_proves_nothing),
		cmocka_unit_test(a_rolled_back_batch_is_forgotten),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(damaged_data_is_taken_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
