#include "store_files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STEP_BYTES = 2 << 20,  /* copied at once */
	TICKS = 200000,        /* of SQLite's machine, between two looks at the watcher */
	SHARE_OF_COPY_PER = 2, /* half of the time goes into the copy, the rest into looking through it */
};

/* ---- files ---------------------------------------------------------------------------------------------------------------------- */

const char *store_file_path(const char *url)
{
	static const char scheme[] = "sqlite://";

	return strncmp(url, scheme, sizeof(scheme) - 1) == 0 ? url + sizeof(scheme) - 1 : url;
}

int store_file_open(struct store *file, const char *path, int flags)
{
	int r;

	memset(file, 0, sizeof(*file));
	file->lock_fd = -1;
	file->mode = STORE_READ;
	file->path = strdup(path);
	if (!file->path)
		return -ENOMEM;
	r = sqlite3_open_v2(path, &file->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK) {
		sqlite3_extended_result_codes(file->db, 1);
		sqlite3_busy_timeout(file->db, 5000);
	}
	return store_fail(file, r);
}

void store_file_close(struct store *file)
{
	sqlite3_close(file->db);
	free(file->path);
	file->db = NULL;
	file->path = NULL;
}

static void remove_beside(const char *path, const char *suffix)
{
	char *name;

	if (asprintf(&name, "%s%s", path, suffix) < 0)
		return;
	unlink(name);
	free(name);
}

void store_file_remove(const char *path)
{
	static const char *const suffixes[] = { "-journal", "-wal", "-shm", ".lock", "" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		remove_beside(path, suffixes[i]);
}

static int open_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(copy);
	return fd;
}

int store_file_sync_folder(const char *path)
{
	int fd = open_folder(path), r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

void store_file_give(const char *path, const char *suffix)
{
	struct stat st;
	char *name = NULL;
	int fd;

	if (geteuid() != 0)
		return;
	fd = open_folder(path);
	if (fd >= 0 && fstat(fd, &st) == 0 && asprintf(&name, "%s%s", path, suffix) >= 0) {
		if (lchown(name, st.st_uid, st.st_gid) < 0)
			errno = 0; /* not there, or not possible on this disk: the collector would say so */
		free(name);
	}
	if (fd >= 0)
		close(fd);
}

void store_hand_over(const char *url)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		store_file_give(store_file_path(url), suffixes[i]);
}

bool store_file_is_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- watching ------------------------------------------------------------------------------------------------------------------- */

static int look_up(void *context)
{
	const struct store_watch *watch = context;

	return !watch->go_on(watch->context, -1);
}

void store_file_watch(struct store *file, const struct store_watch *watch)
{
	sqlite3_progress_handler(file->db, watch ? TICKS : 0, watch ? look_up : NULL, (void *)watch);
}

static bool goes_on(const struct store_watch *watch, double share)
{
	return !watch || watch->go_on(watch->context, share);
}

/* ---- copies --------------------------------------------------------------------------------------------------------------------- */

/* Which of the two files a failed step speaks of. */
static int copy_failed(struct store *from, struct store *to, int code)
{
	bool source = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB || code == SQLITE_IOERR_READ ||
		      code == SQLITE_IOERR_SHORT_READ;
	int r = store_fail(source ? from : to, code);

	if (!source)
		snprintf(from->error, sizeof(from->error), "%.*s", STORE_ERROR_MAX - 1,
			 r == -ENOSPC ? "no space left for the copy" : to->error);
	return r;
}

static int copy_pages(struct store *from, struct store *to, const struct store_watch *watch)
{
	sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
	int code = SQLITE_OK, pages = 64;

	if (!backup)
		return copy_failed(from, to, sqlite3_extended_errcode(to->db));
	while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) {
		double total;

		if (code != SQLITE_OK)
			sqlite3_sleep(50);
		code = sqlite3_backup_step(backup, pages);
		pages = STEP_BYTES / 1024;
		total = sqlite3_backup_pagecount(backup) + 1.0;
		if (!goes_on(watch, (total - sqlite3_backup_remaining(backup) - 1) / total / SHARE_OF_COPY_PER)) {
			sqlite3_backup_finish(backup);
			return -EINTR;
		}
	}
	sqlite3_backup_finish(backup);
	return code == SQLITE_DONE ? 0 : copy_failed(from, to, code);
}

static int first_text(struct store *store, const char *sql, char *buf, size_t size)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

	buf[0] = '\0';
	if (r == SQLITE_OK)
		r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		store_column_text(statement, 0, buf, size);
	sqlite3_finalize(statement);
	return store_fail(store, r);
}

static int count_rows(struct store *store, const char *table, int64_t *ret_count)
{
	char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", table), text[32];
	int r = sql ? first_text(store, sql, text, sizeof(text)) : -ENOMEM;

	sqlite3_free(sql);
	*ret_count = r == 0 ? strtoll(text, NULL, 10) : 0;
	return r;
}

static int compare_table(struct store *from, struct store *to, const char *table, struct store_copy *copy)
{
	int64_t here, there;
	int r = count_rows(from, table, &here);

	if (r < 0)
		return r;
	r = count_rows(to, table, &there);
	if (r < 0 || here != there) {
		snprintf(from->error, sizeof(from->error), "the copy is not what it should be: %.64s", r < 0 ? to->error : table);
		return -EIO;
	}
	if (strncmp(table, "_raw_", 5) == 0)
		copy->readings += here;
	return 0;
}

static int compare(struct store *from, struct store *to, struct store_copy *copy)
{
	char found[160];
	sqlite3_stmt *statement = NULL;
	int step, r = first_text(to, "PRAGMA quick_check(1)", found, sizeof(found));

	if (r < 0 || strcmp(found, "ok") != 0) {
		snprintf(from->error, sizeof(from->error), "%.100s: damaged, so is the copy: %.120s", from->path,
			 r < 0 ? to->error : found);
		return -EUCLEAN;
	}
	step = sqlite3_prepare_v2(from->db,
				  "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'", -1,
				  &statement, NULL);
	if (step != SQLITE_OK)
		return store_fail(from, step);
	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
		r = compare_table(from, to, (const char *)sqlite3_column_text(statement, 0), copy);
	sqlite3_finalize(statement);
	if (r == 0)
		r = store_fail(from, step);
	if (r == 0)
		r = first_text(from, "SELECT count(*) FROM _recent WHERE turn = (SELECT value FROM meta WHERE name = '_turn')",
			       found, sizeof(found));
	if (r == 0)
		copy->readings += strtoll(found, NULL, 10);
	return r;
}

/* The snapshot is held from the first page to the last count: a writer does not make the copy begin anew. */
static int copy_and_compare(struct store *from, struct store *to, const struct store_watch *watch, struct store_copy *copy)
{
	char mode[16];
	int r = store_fail(from, sqlite3_exec(from->db, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL));

	if (r == 0) /* nobody sees it before it is whole */
		r = store_fail(to, sqlite3_exec(to->db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL));
	if (r == 0)
		r = copy_pages(from, to, watch);
	if (r == 0) {
		r = first_text(to, "PRAGMA journal_mode = DELETE", mode, sizeof(mode));
		if (r < 0 || strcmp(mode, "delete") != 0)
			r = copy_failed(from, to, SQLITE_IOERR);
	}
	if (r < 0)
		return r;
	store_file_watch(from, watch);
	store_file_watch(to, watch);
	r = compare(from, to, copy);
	store_file_watch(from, NULL);
	sqlite3_exec(from->db, "ROLLBACK", NULL, NULL, NULL);
	return r < 0 && !goes_on(watch, -1) ? -EINTR : r;
}

static int sync_file(const char *path, int64_t *ret_bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = fd < 0 || fsync(fd) < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0)
		*ret_bytes = st.st_size;
	if (fd >= 0)
		close(fd);
	return r;
}

int store_file_copy(struct store *from, const char *to_path, const struct store_watch *watch, struct store_copy *ret_copy,
		    char *error)
{
	struct store_copy copy = { 0 };
	struct store to;
	int r = store_file_open(&to, to_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	if (r < 0)
		snprintf(error, STORE_ERROR_MAX, "%s", to.error);
	else if ((r = copy_and_compare(from, &to, watch, &copy)) < 0)
		snprintf(error, STORE_ERROR_MAX, "%s", r == -EINTR ? "interrupted" : from->error);
	store_file_close(&to);
	if (r < 0)
		return r;
	r = sync_file(to_path, &copy.bytes);
	if (r < 0)
		snprintf(error, STORE_ERROR_MAX, "%.200s: %s", to_path, strerror(-r));
	else
		*ret_copy = copy;
	return r;
}
