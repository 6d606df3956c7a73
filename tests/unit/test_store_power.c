/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* The power goes at any moment: whatever stands in the file and its log between two writes opens, and holds all that was committed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/house.h"

#define AIR "salon/air/temperature"

/* ---- a file system that looks at itself after each write ------------------------------------------------------------------------- */

static sqlite3_io_methods methods[2]; /* of the file, and of its log, which takes no locks */
static sqlite3_vfs watcher, *real;
static int (*plain_write)(sqlite3_file *, const void *, int, sqlite3_int64);
static int (*plain_truncate)(sqlite3_file *, sqlite3_int64);
static void (*look)(void);

static int watched_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	int r = plain_write(file, data, len, offset);

	if (look)
		look();
	return r;
}

static int watched_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int r = plain_truncate(file, size);

	if (look)
		look();
	return r;
}

static int watched_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	int r = real->xOpen(real, name, file, flags, ret_flags);

	(void)vfs;
	if (r == SQLITE_OK && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) {
		sqlite3_io_methods *own = &methods[flags & SQLITE_OPEN_WAL ? 1 : 0];

		plain_write = file->pMethods->xWrite;
		plain_truncate = file->pMethods->xTruncate;
		*own = *file->pMethods;
		own->xWrite = watched_write;
		own->xTruncate = watched_truncate;
		file->pMethods = own;
	}
	return r;
}

/* ---- a house whose power fails --------------------------------------------------------------------------------------------------- */

static int committed, looked;

static void copy_file(const char *suffix)
{
	static char data[1 << 20];
	char from[300], name[32];
	int in, out;
	ssize_t len;

	snprintf(from, sizeof(from), "%s%s", house_path(), suffix);
	snprintf(name, sizeof(name), "cut.db%s", suffix);
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(folder_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while (in >= 0 && (len = read(in, data, sizeof(data))) > 0)
		assert_int_equal(len, write(out, data, (size_t)len));
	if (in >= 0)
		close(in);
	close(out);
}

static int count_one(void *context, const struct reading *reading)
{
	(void)reading;
	++*(int *)context;
	return 0;
}

static void cut(void)
{
	const struct store_scan scan = { INT64_MIN, INT64_MAX, 0, false };
	struct series series = house_series(AIR);
	char error[STORE_ERROR_MAX] = "";
	struct store *found;
	int count = 0;

	look = NULL; /* what we do ourselves is no house's */
	copy_file("");
	copy_file("-wal");
	unlink(folder_path("cut.db-shm"));
	if (store_open(folder_path("cut.db"), STORE_WRITE, &found, error) < 0)
		fail_msg("after %d writes: %s", looked, error);
	if (committed > 0)
		assert_int_equal(0, store_each_reading(found, &series, &scan, count_one, &count));
	if (count < committed)
		fail_msg("after %d writes: %d readings of %d", looked, count, committed);
	store_close(found);
	looked++;
	look = cut;
}

static int open_watched(void **state)
{
	real = sqlite3_vfs_find(NULL);
	watcher = *real;
	watcher.zName = "watcher";
	watcher.xOpen = watched_open;
	sqlite3_vfs_register(&watcher, 1);
	fake_wall_ms = TEN_OCLOCK + 100 * HOUR;
	return house_open(state);
}

static int close_watched(void **state)
{
	int r = house_close(state);

	sqlite3_vfs_unregister(&watcher);
	return r;
}

static void power_may_go_between_any_two_writes(void **state)
{
	const struct store_keep keep = { "", 3 * HOUR, 0 };
	static const int sizes[] = { 1, 40, 600, 500, 10 };
	int stored = 0;

	(void)state;
	look = cut;
	for (size_t batch = 0; batch < sizeof(sizes) / sizeof(*sizes);
	     batch++) { /* the small table fills, is moved, and used again */
		for (int i = 0; i < sizes[batch]; i++, stored++)
			house_append(AIR, TEN_OCLOCK + stored * SECOND, stored % 70);
		house_commit();
		committed = stored;
	}
	house_maintain(TEN_OCLOCK + 2 * HOUR); /* rollups */
	house_append(AIR, TEN_OCLOCK + 2 * HOUR, 1);
	house_append(AIR, TEN_OCLOCK - HOUR, 1); /* late */
	house_commit();
	committed += 2;
	house_maintain(TEN_OCLOCK + 2 * HOUR);
	house_execute("PRAGMA wal_checkpoint(TRUNCATE)");
	house_append(AIR, TEN_OCLOCK + 3 * HOUR, 1);
	house_commit();
	committed++;
	assert_true(looked > 100);
	assert_int_equal(committed, atoi(house_query("SELECT count(*) FROM temperature")));
	committed = 0; /* and when old rows go it opens all the same */
	store_set_keep(house, &keep, 1);
	house_maintain(TEN_OCLOCK + 20 * HOUR);
	look = NULL;
	assert_string_equal("0", house_query("SELECT count(*) FROM temperature"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(power_may_go_between_any_two_writes, open_watched, close_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
