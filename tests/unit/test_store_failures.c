/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* A store that is missing, full, not writable, damaged, taken or too new: nothing counts as stored, the message says what to do, and it goes on
 * when it is mended. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"

enum { NOBODY = 65534 };

static void assert_not_opened(const char *path, enum store_mode mode, int error, const char *part_of_message)
{
	struct store *store;
	char message[STORE_ERROR_MAX] = "";
	int r = store_open(path, mode, &store, message);

	if (r != error || !strstr(message, part_of_message))
		fail_msg("%s: %d instead of %d, \"%s\"", path, r, error, message);
}

static void a_folder_that_is_missing_is_named(void **state)
{
	(void)state;
	assert_not_opened(folder_path("absent/foyer.db"), STORE_WRITE, -ENOENT,
			  "absent/foyer.db: the file or its folder is missing");
}

static void a_reader_waits_for_the_collector_to_make_the_file(void **state)
{
	(void)state;
	assert_not_opened(folder_path("other.db"), STORE_READ, -ENOENT, "the collector makes it");
	assert_int_equal(-1, access(folder_path("other.db"), F_OK));
	folder_write("empty.db", "");
	assert_not_opened(folder_path("empty.db"), STORE_READ, -ENOENT, "not ready yet");
}

static void a_second_writer_is_refused_until_the_first_is_gone(void **state)
{
	struct store *second;
	char error[STORE_ERROR_MAX];

	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	assert_not_opened(house_path(), STORE_WRITE, -EBUSY, "another collector");
	house_commit();
	store_close(house);
	house = NULL;
	assert_int_equal(0, store_open(house_path(), STORE_WRITE, &second, error));
	store_close(second);
}

static void a_newer_schema_is_left_alone(void **state)
{
	(void)state;
	store_close(house);
	house = NULL;
	house_execute("PRAGMA user_version = 99");
	assert_not_opened(house_path(), STORE_WRITE, -EPROTO, "install the newer Foyer");
	assert_not_opened(house_path(), STORE_READ, -EPROTO, "99");
	assert_string_equal("99", house_query("PRAGMA user_version"));
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	char text[16] = "";
	FILE *file;

	(void)state;
	folder_write("letter.db",
		     "Dear Zoé, this is no database, but it is long enough to look like one might. Yours, a person.\n"
		     "Dear Zoé, this is no database, but it is long enough to look like one might. Yours, a person.\n");
	assert_not_opened(folder_path("letter.db"), STORE_WRITE, -EUCLEAN, "damaged");
	file = fopen(folder_path("letter.db"), "r");
	assert_non_null(file);
	assert_int_equal(4, fread(text, 1, 4, file));
	fclose(file);
	assert_string_equal("Dear", text);
}

static void a_damaged_page_is_found_at_start(void **state)
{
	char rubbish[4096];
	int fd;

	(void)state;
	for (int i = 0; i < 5000; i++)
		house_append(AIR, TEN_OCLOCK + i * SECOND, i);
	house_commit();
	store_close(house);
	house = NULL;
	house_execute("PRAGMA wal_checkpoint(TRUNCATE)");
	memset(rubbish, 0xa5, sizeof(rubbish));
	fd = open(house_path(), O_WRONLY | O_CLOEXEC);
	assert_int_equal(sizeof(rubbish), pwrite(fd, rubbish, sizeof(rubbish), 40960));
	close(fd);
	assert_not_opened(house_path(), STORE_WRITE, -EUCLEAN, "put a backup in its place");
}

/* ---- full ------------------------------------------------------------------------------------------------------------------------ */

static void limit_files(rlim_t bytes)
{
	const struct rlimit limit = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
}

/* A limit on the size of files is met as a full disk would be: write() fails. */
static void a_full_disk_loses_the_batch_as_a_whole_and_goes_on_when_there_is_room(void **state)
{
	int r = 0, stored = 0;

	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	house_commit();
	limit_files(300 * 1024);
	for (int batch = 0; r == 0 && batch < 100; batch++) {
		for (int i = 0; r >= 0 && i < 1000; i++)
			r = house_append(AIR, TEN_OCLOCK + 1 + stored + i, i);
		if (r >= 0)
			r = store_commit(house);
		if (r == 0)
			stored += 1000;
	}
	if (r != -ENOSPC)
		fail_msg("%d: %s", r, store_error(house));
	assert_non_null(strstr(store_error(house), "no space left"));
	store_rollback(house);
	limit_files(RLIM_INFINITY);
	assert_int_equal(stored + 1, atoi(house_query("SELECT count(*) FROM temperature")));
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + HOUR, 7));
	house_commit();
	assert_int_equal(stored + 2, atoi(house_query("SELECT count(*) FROM temperature")));
	assert_string_equal("ok", house_query("PRAGMA integrity_check"));
}

static void a_store_can_not_be_made_on_a_full_disk(void **state)
{
	(void)state;
	limit_files(0);
	assert_not_opened(folder_path("other.db"), STORE_WRITE, -ENOSPC, "no space left");
	limit_files(RLIM_INFINITY);
}

/* ---- not writable ---------------------------------------------------------------------------------------------------------------- */

/* As somebody without rights; root has them all. */
static void as_nobody(bool nobody)
{
	if (getuid() == 0)
		assert_int_equal(0, seteuid(nobody ? NOBODY : 0));
}

static void a_file_of_somebody_else_is_not_written(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	house_commit();
	store_close(house);
	house = NULL;
	chmod(house_path(), 0444);
	chmod(folder_path("."), 0555);
	as_nobody(true);
	assert_not_opened(house_path(), STORE_WRITE, -EROFS, "not allowed to write there");
	as_nobody(false);
	chmod(folder_path("."), 0755);
}

static void a_file_without_the_right_to_write_is_told_before_readings_are_lost(void **state)
{
	(void)state;
	store_close(house);
	house = NULL;
	chmod(house_path(), 0444);
	chmod(folder_path("."), 0777);
	chmod(folder_path("foyer.db.lock"), 0666);
	as_nobody(true);
	assert_not_opened(house_path(), STORE_WRITE, -EROFS, "not allowed to write there");
	as_nobody(false);
}

static void who_may_not_write_can_still_read(void **state)
{
	struct series series = house_series(AIR);
	struct store *reader;
	struct reading reading;
	char error[STORE_ERROR_MAX] = "";

	(void)state;
	house_append(AIR, TEN_OCLOCK, 21);
	house_commit();
	chmod(folder_path("."), 0755);
	chmod(house_path(), 0644);
	chmod(folder_path("foyer.db-wal"), 0644);
	chmod(folder_path("foyer.db-shm"), 0644);
	for (int running = 1; running >= 0; running--) { /* while the collector runs, and when it is gone */
		as_nobody(true);
		if (store_open(house_path(), STORE_READ, &reader, error) < 0)
			fail_msg("%s", error);
		assert_int_equal(1, store_read_latest(reader, &series, &reading));
		store_close(reader);
		as_nobody(false);
		store_close(house);
		house = NULL;
	}
}

static void a_file_that_was_deleted_takes_no_more_readings(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	house_commit();
	unlink(house_path());
	house_append(AIR, TEN_OCLOCK + 1, 2);
	assert_int_equal(-ENOENT, store_commit(house));
	assert_false(store_dirty(house));
	assert_non_null(strstr(store_error(house), "missing"));
	house_reopen();
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + 1, 2));
	house_commit();
}

static void a_file_that_was_replaced_takes_no_more_readings(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	rename(house_path(), folder_path("old.db"));
	folder_write("foyer.db", "");
	assert_int_equal(-ENOENT, store_commit(house));
	assert_non_null(strstr(store_error(house), "replaced"));
}

static void a_lock_that_another_program_holds_too_long_is_told_and_waited_out(void **state)
{
	(void)state;
	house_append(AIR, TEN_OCLOCK, 1);
	house_commit();
	house_hold();
	assert_int_equal(-EBUSY, house_append(AIR, TEN_OCLOCK + 1, 2));
	assert_non_null(strstr(store_error(house), "lock"));
	house_let_go();
	assert_int_equal(1, house_append(AIR, TEN_OCLOCK + 1, 2));
	house_commit();
}

static void closing_what_is_half_made_is_fine(void **state)
{
	(void)state;
	store_close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_open, house_close)
	const struct CMUnitTest tests[] = {
		TEST(a_folder_that_is_missing_is_named),
		TEST(a_reader_waits_for_the_collector_to_make_the_file),
		TEST(a_second_writer_is_refused_until_the_first_is_gone),
		TEST(a_newer_schema_is_left_alone),
		TEST(a_file_that_is_no_database_is_left_alone),
		TEST(a_damaged_page_is_found_at_start),
		TEST(a_full_disk_loses_the_batch_as_a_whole_and_goes_on_when_there_is_room),
		TEST(a_store_can_not_be_made_on_a_full_disk),
		TEST(a_file_of_somebody_else_is_not_written),
		TEST(a_file_without_the_right_to_write_is_told_before_readings_are_lost),
		TEST(who_may_not_write_can_still_read),
		TEST(a_file_that_was_deleted_takes_no_more_readings),
		TEST(a_file_that_was_replaced_takes_no_more_readings),
		TEST(a_lock_that_another_program_holds_too_long_is_told_and_waited_out),
		TEST(closing_what_is_half_made_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
