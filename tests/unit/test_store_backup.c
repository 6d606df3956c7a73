/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* Copies of the store: whole and verified, or none; and one put back in its place. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../common/store_tools.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"

static char error[STORE_ERROR_MAX];

static void fill(int count, double value)
{
	for (int i = 0; i < count; i++)
		house_append(AIR, TEN_OCLOCK + i * 1000, value);
	house_commit();
}

static void close_house(void)
{
	store_close(house);
	house = NULL;
}

static void assert_absent(const char *path)
{
	if (access(path, F_OK) == 0)
		fail_msg("%s is there", path);
}

/* ---- backup --------------------------------------------------------------------------------------------------------------------- */

static void a_copy_has_what_was_committed_and_is_one_plain_file(void **state)
{
	struct store_copy copy;
	struct store *store;
	struct stat st;

	(void)state;
	fill(1000, 21.5);
	house_append_text("salon/screen/text", TEN_OCLOCK, "bonjour");
	house_commit();
	house_append(AIR, TEN_OCLOCK + 5000000, 1); /* open: not of this moment */
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	assert_int_equal(1001, copy.readings);
	assert_int_equal(0, stat(folder_path("copy.db"), &st));
	assert_int_equal(st.st_size, copy.bytes);
	assert_absent(folder_path("copy.db.part"));
	assert_absent(folder_path("copy.db-wal"));
	assert_int_equal(0, chmod(folder_path("copy.db"), 0400));
	assert_int_equal(0, store_open(folder_path("copy.db"), STORE_READ, &store, error));
	store_close(store);
	assert_absent(folder_path("copy.db-wal"));
}

static bool give_up(void *context, double share)
{
	int *left = context;

	(void)share;
	return (*left)-- > 0;
}

static void a_copy_that_is_given_up_leaves_nothing_and_the_one_of_before_stays(void **state)
{
	struct store_copy copy;

	(void)state;
	fill(20000, 21.5);
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	for (int patience = 0; patience < 2; patience++) {
		int left = patience;
		struct store_watch watch = { give_up, &left };

		assert_int_equal(-EINTR, store_backup(house_path(), folder_path("copy.db"), &watch, &copy, error));
		assert_absent(folder_path("copy.db.part"));
	}
	assert_int_equal(0, access(folder_path("copy.db"), F_OK));
}

struct writer {
	int written;
};

/* The collector commits between any two steps of the copy. */
static bool write_meanwhile(void *context, double share)
{
	struct writer *writer = context;

	(void)share;
	house_append(AIR, TEN_OCLOCK + HOUR + writer->written, 22);
	house_commit();
	writer->written++;
	return true;
}

static void a_writer_does_not_make_the_copy_begin_anew(void **state)
{
	struct writer writer = { 0 };
	struct store_watch watch = { write_meanwhile, &writer };
	struct store_copy copy;

	(void)state;
	fill(200000, 21.5);
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), &watch, &copy, error));
	assert_int_equal(200000, copy.readings);
	assert_true(writer.written > 1 && writer.written < 1000);
}

static void what_is_no_store_is_not_copied(void **state)
{
	struct store_copy copy;

	(void)state;
	folder_write("letter.db",
		     "this is a letter, not a database, and it is long enough to have a header of a hundred bytes or so");
	folder_write("empty.db", "");
	assert_int_equal(-EUCLEAN, store_backup(folder_path("letter.db"), folder_path("copy.db"), NULL, &copy, error));
	assert_non_null(strstr(error, "letter.db"));
	assert_int_equal(-EUCLEAN, store_backup(folder_path("empty.db"), folder_path("copy.db"), NULL, &copy, error));
	assert_non_null(strstr(error, "not a store of Foyer"));
	assert_int_equal(-ENOENT, store_backup(folder_path("absent.db"), folder_path("copy.db"), NULL, &copy, error));
	assert_absent(folder_path("copy.db"));
	assert_absent(folder_path("absent.db"));
	assert_absent(folder_path("copy.db.part"));
}

static void places_that_cannot_be_meant_are_refused(void **state)
{
	struct store_copy copy;

	(void)state;
	fill(1, 1);
	assert_int_equal(-EINVAL, store_backup(house_path(), house_path(), NULL, &copy, error));
	assert_non_null(strstr(error, "the store itself"));
	assert_int_equal(0, symlink(house_path(), folder_path("other.db")));
	assert_int_equal(-EINVAL, store_backup(house_path(), folder_path("other.db"), NULL, &copy, error));
	assert_int_equal(-EINVAL, store_backup(house_path(), folder_path(""), NULL, &copy, error));
	assert_int_equal(-ENOENT, store_backup(house_path(), folder_path("absent/copy.db"), NULL, &copy, error));
	assert_int_equal(-EINVAL, store_backup("mysql://x", folder_path("copy.db"), NULL, &copy, error));
	assert_string_equal("1", house_query("SELECT count(*) FROM temperature"));
}

static void two_backups_do_not_write_one_file(void **state)
{
	struct store_copy copy;
	int fd;

	(void)state;
	fill(1, 1);
	fd = open(folder_path("copy.db.part"), O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_true(store_backup_is_abandoned(folder_path("copy.db.part")));
	assert_int_equal(0, flock(fd, LOCK_EX));
	assert_false(store_backup_is_abandoned(folder_path("copy.db.part")));
	assert_int_equal(-EBUSY, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	close(fd);
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	assert_false(store_backup_is_abandoned(folder_path("copy.db.part")));
}

static void damage_is_found_before_the_copy_gets_its_name(void **state)
{
	struct store_copy copy;
	char rubbish[4096];
	int fd;

	(void)state;
	fill(50000, 21.5);
	house_execute("PRAGMA wal_checkpoint(TRUNCATE)");
	close_house();
	memset(rubbish, 0x55, sizeof(rubbish));
	fd = open(house_path(), O_WRONLY);
	assert_int_equal(sizeof(rubbish), pwrite(fd, rubbish, sizeof(rubbish), 300 * 1024));
	close(fd);
	assert_int_equal(-EUCLEAN, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	assert_absent(folder_path("copy.db"));
	assert_absent(folder_path("copy.db.part"));
}

/* ---- restore -------------------------------------------------------------------------------------------------------------------- */

static void a_backup_takes_the_place_of_the_store_and_that_one_is_kept(void **state)
{
	struct store_restored restored;
	struct store_copy copy;
	struct store *kept;
	struct store_stats stats;
	char data[8];

	(void)state;
	fill(10, 1);
	store_save_state(house, "bare", "abc", 3);
	store_save_state(house, "other", "abc", 3);
	house_commit();
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	house_append("salon/air/humidity", TEN_OCLOCK, 50);
	house_commit();
	close_house();
	assert_int_equal(0, store_restore(house_path(), folder_path("copy.db"), "bare", NULL, &restored, error));
	assert_int_equal(10, restored.copy.readings);
	house_reopen();
	assert_string_equal("0", house_query("SELECT count(*) FROM sqlite_master WHERE name = 'humidity'"));
	assert_string_equal("10", house_query("SELECT count(*) FROM temperature"));
	assert_int_equal(0, store_load_state(house, "bare", data, sizeof(data)));
	assert_int_equal(3, store_load_state(house, "other", data, sizeof(data)));
	assert_int_equal(0, store_open(restored.kept, STORE_READ, &kept, error));
	assert_int_equal(0, store_read_stats(kept, &stats));
	assert_int_equal(2, stats.series);
	store_close(kept);
	assert_absent(folder_path("foyer.db.restore"));
	assert_absent(folder_path("foyer.db.restore.lock"));
}

static void a_store_in_use_is_not_replaced(void **state)
{
	struct store_restored restored;
	struct store_copy copy;

	(void)state;
	fill(10, 1);
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	house_append(AIR, TEN_OCLOCK + HOUR, 1);
	house_commit();
	assert_int_equal(-EBUSY, store_restore(house_path(), folder_path("copy.db"), NULL, NULL, &restored, error));
	assert_string_equal("11", house_query("SELECT count(*) FROM temperature"));
}

static void what_is_damaged_no_store_or_too_new_is_not_put_there(void **state)
{
	char version[16], sql[64];
	struct store_restored restored;
	struct store_copy copy;

	(void)state;
	fill(10, 1);
	snprintf(version, sizeof(version), "%s", house_query("PRAGMA user_version"));
	house_execute("PRAGMA user_version = 99");
	assert_int_equal(0, store_backup(house_path(), folder_path("new.db"), NULL, &copy, error));
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %s", version);
	house_execute(sql);
	close_house();
	assert_int_equal(-EPROTO, store_restore(house_path(), folder_path("new.db"), NULL, NULL, &restored, error));
	assert_non_null(strstr(error, "new.db: schema version 99"));
	folder_write("letter.db",
		     "this is a letter, not a database, and it is long enough to have a header of a hundred bytes or so");
	assert_int_equal(-EUCLEAN, store_restore(house_path(), folder_path("letter.db"), NULL, NULL, &restored, error));
	assert_int_equal(-ENOENT, store_restore(house_path(), folder_path("absent.db"), NULL, NULL, &restored, error));
	assert_int_equal(-EINVAL, store_restore(house_path(), house_path(), NULL, NULL, &restored, error));
	assert_string_equal("10", house_query("SELECT count(*) FROM temperature"));
	assert_absent(folder_path("foyer.db.restore"));
}

/* What a store left in its log belongs to it: with another file in its place it would be read as that one's. */
static void the_log_of_the_old_store_does_not_reach_the_new_one(void **state)
{
	struct store_restored restored;
	struct store_copy copy;

	(void)state;
	fill(10, 1);
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	for (int i = 0; i < 50; i++) {
		house_append(AIR, TEN_OCLOCK + HOUR + i, 2);
		house_commit();
	}
	close_house();
	assert_int_equal(0, store_restore(house_path(), folder_path("copy.db"), NULL, NULL, &restored, error));
	assert_absent(folder_path("foyer.db-wal"));
	assert_absent(folder_path("foyer.db-shm"));
	house_reopen();
	assert_string_equal("10", house_query("SELECT count(*) FROM temperature"));
	assert_string_equal("ok", house_query("PRAGMA integrity_check"));
}

static void a_backup_is_put_where_no_store_is(void **state)
{
	struct store_restored restored;
	struct store_copy copy;
	struct store *store;

	(void)state;
	fill(10, 1);
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	assert_int_equal(0, store_restore(folder_path("else.db"), folder_path("copy.db"), NULL, NULL, &restored, error));
	assert_string_equal("", restored.kept);
	assert_int_equal(0, store_open(folder_path("else.db"), STORE_WRITE, &store, error));
	store_close(store);
}

static void a_damaged_store_is_replaced_all_the_same(void **state)
{
	struct store_restored restored;
	struct store_copy copy;
	struct stat st;

	(void)state;
	fill(10, 1);
	assert_int_equal(0, store_backup(house_path(), folder_path("copy.db"), NULL, &copy, error));
	close_house();
	folder_write("foyer.db", "this is a letter");
	assert_int_equal(0, store_restore(house_path(), folder_path("copy.db"), NULL, NULL, &restored, error));
	assert_int_equal(0, stat(restored.kept, &st));
	assert_int_equal(16, st.st_size);
	house_reopen();
	assert_string_equal("10", house_query("SELECT count(*) FROM temperature"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_open, house_close)
	const struct CMUnitTest tests[] = {
		TEST(a_copy_has_what_was_committed_and_is_one_plain_file),
		TEST(a_copy_that_is_given_up_leaves_nothing_and_the_one_of_before_stays),
		TEST(a_writer_does_not_make_the_copy_begin_anew),
		TEST(what_is_no_store_is_not_copied),
		TEST(places_that_cannot_be_meant_are_refused),
		TEST(two_backups_do_not_write_one_file),
		TEST(damage_is_found_before_the_copy_gets_its_name),
		TEST(a_backup_takes_the_place_of_the_store_and_that_one_is_kept),
		TEST(a_store_in_use_is_not_replaced),
		TEST(what_is_damaged_no_store_or_too_new_is_not_put_there),
		TEST(the_log_of_the_old_store_does_not_reach_the_new_one),
		TEST(a_backup_is_put_where_no_store_is),
		TEST(a_damaged_store_is_replaced_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
