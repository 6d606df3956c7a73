/* links: collector/repeats.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../collector/repeats.h"

#define TOPIC "foyer/salon/air/temperature"

static bool known(struct repeats *repeats, uint16_t id, const char *payload)
{
	return repeats_known(repeats, id, TOPIC, payload, strlen(payload));
}

static int add(struct repeats *repeats, uint16_t id, const char *payload)
{
	return repeats_add(repeats, id, TOPIC, payload, strlen(payload));
}

/* What a store holds. */
static struct {
	unsigned parts; /* that have something */
	char data[1 << 20];
	size_t ends[REPEATS_PARTS_MAX], skip;
	size_t written; /* bytes, ever */
} kept;

static void save(struct repeats *repeats)
{
	struct repeats_part part;
	size_t begin;

	if (!repeats_next_part(repeats, &part))
		return;
	if (part.whole) {
		assert_true(part.parts >= kept.parts); /* all that stand there are named */
		kept.parts = 1;
	} else {
		assert_int_equal(kept.parts + 1, part.parts);
		kept.parts = part.parts;
	}
	begin = kept.parts > 1 ? kept.ends[kept.parts - 2] : 0;
	assert_true(kept.parts <= REPEATS_PARTS_MAX && begin + part.len <= sizeof(kept.data));
	if (part.len > 0)
		memcpy(kept.data + begin, part.data, part.len);
	kept.ends[kept.parts - 1] = begin + part.len;
	kept.skip = part.skip;
	kept.written += part.len;
}

static size_t kept_entries(void)
{
	return kept.parts ? kept.ends[kept.parts - 1] / 6 - kept.skip : 0;
}

/* What the next process finds in the store after a kill -9. */
static struct repeats *reborn(struct repeats *repeats)
{
	struct repeats *next = repeats_open();

	repeats_close(repeats);
	repeats_load(next, kept.data, kept.parts ? kept.ends[kept.parts - 1] : 0, kept.skip);
	return next;
}

/* With the store, as the collector does it. */
static void commit(struct repeats *repeats, int marker)
{
	save(repeats);
	repeats_committed(repeats, marker);
}

static int empty_store(void **state)
{
	(void)state;
	memset(&kept, 0, sizeof(kept));
	return 0;
}

static void what_was_committed_is_known_after_a_crash(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	assert_int_equal(0, add(repeats, 1, "21.5"));
	assert_int_equal(0, add(repeats, 2, "21.5"));
	commit(repeats, -1);
	repeats = reborn(repeats);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 1, "21.5"));
	assert_true(known(repeats, 2, "21.5"));
	assert_false(known(repeats, 3, "21.5"));
	repeats_close(repeats);
}

static void the_same_id_with_another_value_is_news_and_ends_the_search(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	add(repeats, 1, "21.5");
	add(repeats, 2, "21.6");
	commit(repeats, -1);
	repeats_connected(repeats, true);
	assert_false(known(repeats, 1, "22"));
	assert_false(known(repeats, 2, "21.6"));
	repeats_close(repeats);
}

static void without_the_old_session_nothing_is_a_repeat(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	add(repeats, 1, "21.5");
	commit(repeats, -1);
	repeats_connected(repeats, false);
	assert_false(known(repeats, 1, "21.5"));
	save(repeats);
	assert_int_equal(0, kept_entries());
	repeats_close(repeats);
}

static void an_acknowledged_marker_proves_all_batches_before_it(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	add(repeats, 1, "1");
	commit(repeats, -1);
	add(repeats, 2, "2");
	commit(repeats, 77);
	add(repeats, 3, "3");
	commit(repeats, 78);
	repeats_acknowledged(repeats, 77);
	save(repeats);
	assert_int_equal(1, kept_entries());
	repeats_connected(repeats, true);
	assert_true(known(repeats, 3, "3"));
	repeats_close(repeats);
}

static void a_broker_that_answers_late_is_still_understood(void **state)
{
	struct repeats *repeats = repeats_open();
	int marker = 0, answered = 0;

	(void)state;
	for (uint16_t id = 1; id < 2000; id++) { /* commits come faster than answers */
		assert_int_equal(0, add(repeats, id, "x"));
		commit(repeats, repeats_unproven(repeats) ? ++marker : -1);
		if (id % 5 == 0 && answered < marker)
			repeats_acknowledged(repeats, ++answered);
	}
	while (answered < marker)
		repeats_acknowledged(repeats, ++answered);
	save(repeats);
	assert_true(kept_entries() < 16);
	repeats_close(repeats);
}

static void an_id_that_is_given_again_proves_what_came_before(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	for (int i = 0; i < 3000; i++) { /* no marker is ever answered, but the broker has only 16 ids */
		assert_int_equal(0, add(repeats, (uint16_t)(i % 16 + 1), "x"));
		if (i % 4 == 3)
			commit(repeats, repeats_unproven(repeats) ? i : -1);
	}
	save(repeats);
	assert_true(kept_entries() <= 16);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 9, "x")); /* i of 2984 to 2999: ids 9 to 16 and 1 to 8 */
	assert_true(known(repeats, 10, "x"));
	repeats_close(repeats);
}

static void a_marker_of_the_connection_before_proves_nothing(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	add(repeats, 1, "1");
	commit(repeats, 5);
	repeats_connected(repeats, true);
	repeats_acknowledged(repeats, 5);
	assert_true(known(repeats, 1, "1"));
	repeats_close(repeats);
}

static void a_rolled_back_batch_is_forgotten(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	add(repeats, 1, "1");
	commit(repeats, -1);
	add(repeats, 2, "2");
	repeats_rolled_back(repeats);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 1, "1"));
	assert_false(known(repeats, 2, "2"));
	repeats_close(repeats);
}

static void memory_is_bounded(void **state)
{
	struct repeats *repeats = repeats_open();
	int r = 0;

	(void)state;
	for (int i = 0; r == 0 && i < 1000000; i++) /* no broker does this before it is answered */
		r = add(repeats, 1, "1");
	assert_int_equal(-ENOSPC, r);
	repeats_close(repeats);
}

/* The ids go round three times and no marker is answered. */
static void a_broker_that_never_answers_does_not_stop_what_comes(void **state)
{
	struct repeats *repeats = repeats_open();
	int marker = 1;

	(void)state;
	for (long i = 0; i < 3 * UINT16_MAX; i++) {
		assert_int_equal(0, add(repeats, (uint16_t)(i % UINT16_MAX + 1), "1"));
		if (i % 50 == 0)
			commit(repeats, repeats_unproven(repeats) ? marker++ : -1);
	}
	repeats_close(repeats);
}

/* A thousand at each commit, and markers that are answered two commits later. */
static void of_many_only_what_is_new_is_written(void **state)
{
	struct repeats *repeats = repeats_open();
	uint16_t id = 0;

	(void)state;
	kept.written = 0;
	for (int i = 1; i <= 200; i++) {
		for (int k = 0; k < 1000; k++) {
			id = (uint16_t)(id % UINT16_MAX + 1);
			assert_int_equal(0, add(repeats, id, "x"));
		}
		save(repeats);
		repeats_committed(repeats, repeats_unproven(repeats) ? i : -1);
		repeats_acknowledged(repeats, i - 2);
	}
	assert_in_range(kept.written, 200L * 1000 * 6, 200L * 1000 * 6 * 3 / 2);
	assert_in_range(kept_entries(), 2000, 4000);
	repeats = reborn(repeats);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 198 * 1000 % UINT16_MAX + 1, "x")); /* the first of the last two commits */
	assert_true(known(repeats, id, "x"));
	assert_false(known(repeats, (uint16_t)(id + 1), "x"));
	repeats_close(repeats);
}

static void after_a_rollback_all_is_written_anew(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	for (uint16_t id = 1; id <= 2000; id++)
		add(repeats, id, "x");
	commit(repeats, 1);
	add(repeats, 2001, "y");
	save(repeats);
	kept.parts--; /* the transaction did not stand */
	repeats_rolled_back(repeats);
	add(repeats, 2001, "z");
	commit(repeats, -1);
	assert_int_equal(1, kept.parts);
	assert_int_equal(2001, kept_entries());
	repeats = reborn(repeats);
	repeats_connected(repeats, true);
	assert_true(known(repeats, 1, "x"));
	assert_true(known(repeats, 2001, "z"));
	repeats_close(repeats);
}

static void damaged_data_is_taken_as_none(void **state)
{
	struct repeats *repeats = repeats_open();

	(void)state;
	repeats_load(repeats, "seven!!", 7, 0);
	save(repeats);
	assert_int_equal(0, kept_entries());
	repeats_close(repeats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_committed_is_known_after_a_crash, empty_store),
		cmocka_unit_test_setup(the_same_id_with_another_value_is_news_and_ends_the_search, empty_store),
		cmocka_unit_test_setup(without_the_old_session_nothing_is_a_repeat, empty_store),
		cmocka_unit_test_setup(an_acknowledged_marker_proves_all_batches_before_it, empty_store),
		cmocka_unit_test_setup(a_broker_that_answers_late_is_still_understood, empty_store),
		cmocka_unit_test_setup(an_id_that_is_given_again_proves_what_came_before, empty_store),
		cmocka_unit_test_setup(a_marker_of_the_connection_before_proves_nothing, empty_store),
		cmocka_unit_test_setup(a_rolled_back_batch_is_forgotten, empty_store),
		cmocka_unit_test_setup(memory_is_bounded, empty_store),
		cmocka_unit_test_setup(a_broker_that_never_answers_does_not_stop_what_comes, empty_store),
		cmocka_unit_test_setup(of_many_only_what_is_new_is_written, empty_store),
		cmocka_unit_test_setup(after_a_rollback_all_is_written_anew, empty_store),
		cmocka_unit_test_setup(damaged_data_is_taken_as_none, empty_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
