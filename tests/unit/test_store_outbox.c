/* links: tests/fakes/folder.c */
/* The node's file of readings that wait: what goes in comes out, in order; bounds; boots; damage. common/store_outbox.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../common/store_outbox.h"
#include "../fakes/folder.h"

static struct store_outbox *file;
static char error[STORE_OUTBOX_ERROR_MAX];
static struct reading taken[1000];
static int taken_count;

static int open_it(void)
{
	return store_outbox_open(folder_path("outbox.db"), &file, error);
}

static int begin(void **state)
{
	(void)state;
	folder_make();
	return open_it();
}

static int end(void **state)
{
	(void)state;
	store_outbox_close(file);
	file = NULL;
	folder_remove();
	return 0;
}

static int take(void *context, const struct reading *reading)
{
	(void)context;
	if (taken_count < 1000)
		taken[taken_count] = *reading;
	taken_count++;
	return 0;
}

static int read_after(int64_t after, size_t limit)
{
	taken_count = 0;
	return store_outbox_read(file, after, limit, take, NULL);
}

static struct reading number(int64_t seq, int64_t time_ms, double value)
{
	struct reading reading = { .seq = seq, .time_ms = time_ms, .value = value_of_number(value) };

	series_make("salon", "air", "temperature", &reading.series);
	return reading;
}

static void add(int64_t seq, int64_t time_ms, const char *boot)
{
	struct reading reading = number(seq, time_ms, (double)seq);

	assert_int_equal(0, store_outbox_add(file, &reading, boot));
}

static void what_goes_in_comes_out_in_order(void **state)
{
	struct reading text = { .seq = 12, .time_ms = 1200 };

	(void)state;
	series_make("salon", "door", "badge", &text.series);
	value_of_text("04:a2 \"x\" é", 12, &text.value);
	add(13, 1300, NULL);
	add(11, 1100, NULL);
	assert_int_equal(0, store_outbox_add(file, &text, NULL));
	assert_int_equal(0, store_outbox_commit(file));
	store_outbox_close(file);
	assert_int_equal(0, open_it());
	assert_int_equal(3, store_outbox_count(file));
	assert_int_equal(3, read_after(0, 10));
	assert_int_equal(11, taken[0].seq);
	assert_int_equal(1100, taken[0].time_ms);
	assert_float_equal(11, taken[0].value.number, 0);
	assert_string_equal("air", taken[0].series.device);
	assert_string_equal("temperature", taken[0].series.quantity);
	assert_string_equal("", taken[0].series.node);
	assert_string_equal("04:a2 \"x\" é", taken[1].value.text);
	assert_int_equal(13, taken[2].seq);
	assert_int_equal(1, read_after(11, 1));
	assert_int_equal(12, taken[0].seq);
	assert_int_equal(13, store_outbox_newest(file));
}

static void what_is_not_committed_is_not_there(void **state)
{
	(void)state;
	add(1, 100, NULL);
	assert_int_equal(0, store_outbox_commit(file));
	add(2, 200, NULL);
	store_outbox_close(file);
	assert_int_equal(0, open_it());
	assert_int_equal(1, store_outbox_count(file));
	assert_int_equal(1, read_after(0, 10));
}

static void forgotten_ranges_leave_the_others(void **state)
{
	int64_t time_ms;

	(void)state;
	for (int i = 1; i <= 10; i++)
		add(i, i * 100, NULL);
	assert_int_equal(0, store_outbox_forget(file, 0, 3));
	assert_int_equal(0, store_outbox_forget(file, 6, 7));
	assert_int_equal(0, store_outbox_commit(file));
	assert_int_equal(5, store_outbox_count(file));
	assert_int_equal(4, store_outbox_oldest(file, &time_ms));
	assert_int_equal(400, time_ms);
	assert_int_equal(5, read_after(0, 10));
	assert_int_equal(8, taken[2].seq);
}

static void shrinking_gives_up_the_oldest(void **state)
{
	int64_t given_up = 0;

	(void)state;
	for (int i = 1; i <= 5000; i++)
		add(i, i, NULL);
	assert_int_equal(0, store_outbox_shrink(file, 65536, &given_up));
	assert_int_equal(0, store_outbox_commit(file));
	assert_in_range(given_up, 2000, 4500);
	assert_int_equal(5000 - given_up, store_outbox_count(file));
	assert_int_equal(given_up + 1, store_outbox_oldest(file, NULL));
	assert_int_equal(5000, store_outbox_newest(file));
	assert_int_equal(0, store_outbox_shrink(file, 1 << 20, &given_up));
	assert_int_equal(0, given_up);
}

static void what_was_marked_long_ago_is_given_up(void **state)
{
	int64_t given_up = 0;

	(void)state;
	add(1, 1, NULL);
	add(2, 2, NULL);
	store_outbox_mark(file, 1000);
	store_outbox_commit(file);
	add(3, 3, NULL);
	store_outbox_mark(file, 2000);
	store_outbox_commit(file);
	assert_int_equal(0, store_outbox_expire(file, 1000, &given_up));
	assert_int_equal(0, given_up);
	assert_int_equal(0, store_outbox_expire(file, 1500, &given_up));
	assert_int_equal(2, given_up);
	assert_int_equal(0, store_outbox_commit(file));
	assert_int_equal(3, store_outbox_oldest(file, NULL));
}

static void a_boots_readings_have_no_time_until_it_is_known(void **state)
{
	int64_t estimated = -1, time_ms = 0;

	(void)state;
	add(1, 777000, NULL);
	add(2, 5000, "this");
	add(3, 6000, "this");
	assert_int_equal(0, store_outbox_commit(file));
	assert_int_equal(1, read_after(0, 10));
	assert_int_equal(0, store_outbox_mend(file, "this", 1000000, &estimated));
	assert_int_equal(0, store_outbox_commit(file));
	assert_int_equal(0, estimated);
	assert_int_equal(3, read_after(0, 10));
	assert_int_equal(1005000, taken[1].time_ms);
	assert_int_equal(1006000, taken[2].time_ms);
	/* Once told it stays: a later word on the same boot changes nothing. */
	assert_int_equal(0, store_outbox_mend(file, "this", 2000000, &estimated));
	store_outbox_forget(file, 1, 1);
	store_outbox_commit(file);
	store_outbox_oldest(file, &time_ms);
	assert_int_equal(1005000, time_ms);
}

/* Boots a and b were never known: b ended (9 s after it began) when this one began, a (4 s) when b began. */
static void boots_that_were_never_known_end_when_the_next_begins(void **state)
{
	int64_t estimated = 0;

	(void)state;
	add(1, 3000, "a");
	add(2, 4000, "a");
	add(3, 9000, "b");
	store_outbox_commit(file);
	assert_int_equal(0, store_outbox_mend(file, "c", 1000000, &estimated));
	assert_int_equal(0, store_outbox_commit(file));
	assert_int_equal(3, estimated);
	assert_int_equal(3, read_after(0, 10));
	assert_int_equal(1000000, taken[2].time_ms);
	assert_int_equal(1000000 - 9000, taken[1].time_ms);
	assert_int_equal(1000000 - 9000 - 1000, taken[0].time_ms);
}

static void a_second_program_is_kept_out(void **state)
{
	struct store_outbox *second = NULL;

	(void)state;
	add(1, 1, NULL);
	store_outbox_commit(file);
	assert_int_equal(-EBUSY, store_outbox_open(folder_path("outbox.db"), &second, error));
	assert_non_null(strstr(error, "another program"));
}

static void damage_is_seen_and_set_aside(void **state)
{
	char aside[256];

	(void)state;
	store_outbox_close(file);
	file = NULL;
	folder_write("outbox.db",
		     "this has never been a database, however long one looks at it: it is text, and no more than that");
	assert_int_equal(-EUCLEAN, open_it());
	assert_non_null(strstr(error, "damaged"));
	assert_int_equal(0, store_outbox_set_aside(folder_path("outbox.db"), aside, sizeof(aside)));
	assert_string_equal(folder_path("outbox.db.damaged-1"), aside);
	folder_write("outbox.db", "another");
	assert_int_equal(0, store_outbox_set_aside(folder_path("outbox.db"), aside, sizeof(aside)));
	assert_string_equal(folder_path("outbox.db.damaged-2"), aside);
	assert_int_equal(0, open_it());
}

static void removed_it_leaves_nothing(void **state)
{
	(void)state;
	add(1, 1, NULL);
	store_outbox_commit(file);
	store_outbox_remove(file);
	file = NULL;
	assert_int_equal(-1, access(folder_path("outbox.db"), F_OK));
	assert_int_equal(-1, access(folder_path("outbox.db-wal"), F_OK));
}

static void without_its_folder_it_says_so(void **state)
{
	struct store_outbox *none = NULL;

	(void)state;
	assert_int_equal(-ENOENT, store_outbox_open(folder_path("absent/outbox.db"), &none, error));
	assert_non_null(strstr(error, "folder is missing"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_goes_in_comes_out_in_order),
		TEST(what_is_not_committed_is_not_there),
		TEST(forgotten_ranges_leave_the_others),
		TEST(shrinking_gives_up_the_oldest),
		TEST(what_was_marked_long_ago_is_given_up),
		TEST(a_boots_readings_have_no_time_until_it_is_known),
		TEST(boots_that_were_never_known_end_when_the_next_begins),
		TEST(a_second_program_is_kept_out),
		TEST(damage_is_seen_and_set_aside),
		TEST(removed_it_leaves_nothing),
		TEST(without_its_folder_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
