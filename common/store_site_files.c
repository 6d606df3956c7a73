/* webd's own file as a file: copied, put back, looked through. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "site_tools.h"
#include "store_files.h"
#include "store_site.h"

static const char *const tables[] = { "user", "session", "token", "setting", "note", "event" };
enum { TABLES = sizeof(tables) / sizeof(*tables) };

static int say(char *error, int r, const char *path, const char *what)
{
	snprintf(error, SITE_ERROR_MAX, "%.150s: %.100s", path, what);
	return r;
}

/* ---- a file, opened as it is ------------------------------------------------------------------------------------------------------ */

/* close_file() in any case. */
static int open_file(struct site *site, const char *path, int flags, char *error)
{
	int r;

	memset(site, 0, sizeof(*site));
	if (access(path, R_OK) < 0)
		return say(error, errno == ENOENT ? -ENOENT : -EIO, path,
			   errno == ENOENT ? "there is no such file" : strerror(errno));
	site->path = strdup(path);
	if (!site->path)
		return say(error, -ENOMEM, path, "out of memory");
	r = sqlite3_open_v2(path, &site->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_busy_timeout(site->db, 2000);
	r = site_fail(site, r);
	if (r < 0)
		snprintf(error, SITE_ERROR_MAX, "%s", site->error);
	return r;
}

static void close_file(struct site *site)
{
	sqlite3_close(site->db);
	free(site->path);
}

static int on_text(void *buf, sqlite3_stmt *statement)
{
	site_text(statement, 0, buf, 64);
	return 0;
}

static int first_text(struct site *site, const char *sql, char buf[64])
{
	buf[0] = '\0';
	return site_each(site, on_text, buf, sql, "");
}

static int count_rows(struct site *site, const char *table, int64_t *ret_count)
{
	char sql[64], text[64];
	int r;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", table);
	r = first_text(site, sql, text);
	*ret_count = strtoll(text, NULL, 10);
	return r;
}

static int check_kind(struct site *site, char *error)
{
	char text[64];
	int r = first_text(site,
			   "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN"
			   " ('user', 'session', 'token', 'setting', 'note', 'event')",
			   text);

	if (r < 0)
		return snprintf(error, SITE_ERROR_MAX, "%s", site->error), r;
	return strtol(text, NULL, 10) == TABLES ? 0 : say(error, -EUCLEAN, site->path, "not webd's own file");
}

bool site_is_one(const char *path)
{
	char error[SITE_ERROR_MAX];
	struct site site;
	bool is = open_file(&site, path, SQLITE_OPEN_READONLY, error) == 0 && check_kind(&site, error) == 0;

	close_file(&site);
	return is;
}

/* name: of the file that people know. */
static int look_through(struct site *site, const char *name, char *error)
{
	char text[64];
	int r = first_text(site, "PRAGMA integrity_check(1)", text);

	if (r < 0)
		return snprintf(error, SITE_ERROR_MAX, "%s", site->error), r;
	return strcmp(text, "ok") == 0 ? 0 : say(error, -EUCLEAN, name, "the file is damaged");
}

/* ---- a copy ----------------------------------------------------------------------------------------------------------------------- */

static int copy_pages(struct site *from, struct site *to, char *error)
{
	sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
	char mode[64];
	int code = SQLITE_OK, r;

	if (!backup)
		return say(error, -EIO, to->path, sqlite3_errmsg(to->db));
	for (int tries = 0; tries < 100; tries++) { /* a small file: all at once */
		code = sqlite3_backup_step(backup, -1);
		if (code != SQLITE_BUSY && code != SQLITE_LOCKED)
			break;
		sqlite3_sleep(50);
	}
	sqlite3_backup_finish(backup);
	r = site_fail(code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? from : to, code);
	if (r == 0)
		r = first_text(to, "PRAGMA journal_mode = DELETE", mode); /* one plain file, which opens from a read-only disk */
	if (r < 0)
		snprintf(error, SITE_ERROR_MAX, "%s", from->error[0] ? from->error : to->error);
	return r;
}

static int compare(struct site *from, struct site *to, struct site_copy *copy, char *error)
{
	for (int i = 0; i < TABLES; i++) {
		int64_t here, there = -1;
		int r = count_rows(from, tables[i], &here);

		if (r == 0)
			r = count_rows(to, tables[i], &there);
		if (r < 0 || here != there)
			return say(error, r < 0 ? r : -EIO, to->path, "the copy is not what it should be");
		if (i == 0)
			copy->users = here;
	}
	return 0;
}

/* From the open file into the empty one at `path`; what is there is synced. The state is that of one moment, held until it is compared. */
static int copy_into(struct site *from, const char *path, struct site_copy *copy, char *error)
{
	struct site to;
	struct stat st;
	int fd, r = open_file(&to, path, SQLITE_OPEN_READWRITE, error);

	if (r == 0)
		r = site_fail(from, sqlite3_exec(from->db, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL));
	if (r == 0)
		r = copy_pages(from, &to, error);
	else if (from->error[0])
		snprintf(error, SITE_ERROR_MAX, "%s", from->error);
	if (r == 0)
		r = look_through(&to, from->path, error);
	if (r == 0)
		r = compare(from, &to, copy, error);
	close_file(&to);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0 || fstat(fd, &st) < 0)
		r = say(error, -EIO, path, strerror(errno));
	else
		copy->bytes = st.st_size;
	if (fd >= 0)
		close(fd);
	return r;
}

/* An empty file of nobody else's, ours while its lock is held. Returns its descriptor. */
static int take_part(const char *part, char *error)
{
	int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return say(error, errno == ENOENT ? -ENOENT : -EIO, part,
			   errno == ENOENT ? "the folder is missing" : strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0)
		return fd;
	say(error, -EBUSY, part, errno == EWOULDBLOCK ? "another one is writing it" : strerror(errno));
	close(fd);
	return -EBUSY;
}

static void give_like(int fd, const char *path)
{
	struct stat st;

	if (geteuid() == 0 && stat(path, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
		errno = 0; /* a disk without owners */
}

static int copy_to_part(const char *path, const char *part, struct site_copy *copy, char *error)
{
	struct site from;
	int r = open_file(&from, path, SQLITE_OPEN_READONLY, error);

	if (r == 0)
		r = check_kind(&from, error);
	if (r == 0)
		r = copy_into(&from, part, copy, error);
	close_file(&from);
	return r;
}

static int name_it(const char *part, const char *path, char *error)
{
	if (rename(part, path) < 0)
		return say(error, -EIO, path, strerror(errno));
	return store_file_sync_folder(path) < 0 ? say(error, -EIO, path, "its folder cannot be made durable") : 0;
}

int site_backup(const char *path, const char *to, struct site_copy *ret_copy, char *error)
{
	struct site_copy copy = { 0 };
	char part[STORE_PATH_MAX];
	int fd, r;

	if (access(path, R_OK) < 0)
		return say(error, errno == ENOENT ? -ENOENT : -EIO, path,
			   errno == ENOENT ? "there is no such file" : strerror(errno));
	if (store_file_is_same(path, to))
		return say(error, -EINVAL, to, "that is webd's own file itself");
	if (snprintf(part, sizeof(part), "%s.part", to) >= (int)sizeof(part))
		return say(error, -EINVAL, to, "the path is too long");
	r = fd = take_part(part, error);
	if (r < 0)
		return r;
	give_like(fd, path);
	r = copy_to_part(path, part, &copy, error);
	if (r == 0)
		r = name_it(part, to, error);
	if (r < 0)
		store_file_remove(part);
	close(fd);
	if (r == 0)
		*ret_copy = copy;
	return r;
}

/* ---- put back --------------------------------------------------------------------------------------------------------------------- */

/* Brought up to this version, without the sessions of then. */
static int adopt(const char *fresh, const char *from, char *error)
{
	struct site *site;
	int r = site_open(fresh, &site, error);

	if (r < 0)
		return r == -EPROTO ? say(error, r, from, "made by a newer webd") : r;
	r = site_run(site, "DELETE FROM session", "");
	if (r < 0)
		snprintf(error, SITE_ERROR_MAX, "%s", site_error(site));
	site_close(site);
	return r < 0 ? r : 0;
}

/* Nobody else has the file open: only then its log can be folded in and given up. The lock is held until close_file(). */
static int take_old(struct site *old, const char *path, char *error)
{
	char mode[64];
	int r = open_file(old, path, SQLITE_OPEN_READWRITE, error);

	if (r < 0)
		return r;
	r = first_text(old, "PRAGMA journal_mode = DELETE", mode);
	if (r == 0 && strcmp(mode, "delete") == 0)
		r = site_fail(old, sqlite3_exec(old->db, "BEGIN EXCLUSIVE", NULL, NULL, NULL));
	else if (r == 0)
		r = -EBUSY;
	if (r == -EBUSY)
		return say(error, r, path, "webd has it open: systemctl stop foyer-webd");
	return r == -EUCLEAN ? 0 : r < 0 ? say(error, r, path, old->error) : 0; /* a damaged one may go */
}

/* The log of a file too damaged to fold it in goes with it: left behind it would be taken for the new one's. */
static int move_log(const char *path, const char *kept, char *error)
{
	char log[STORE_PATH_MAX + 8], to[STORE_PATH_MAX + 8];

	snprintf(log, sizeof(log), "%s-wal", path);
	snprintf(to, sizeof(to), "%s-wal", kept);
	if (rename(log, to) < 0 && errno != ENOENT)
		return say(error, -EIO, log, strerror(errno));
	snprintf(log, sizeof(log), "%s-shm", path);
	unlink(log);
	return 0;
}

static int keep_old(const char *path, char *kept, size_t size, char *error)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	for (int tries = 0; tries < 60; tries++, now++) {
		gmtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
		if (snprintf(kept, size, "%s.before-%s", path, stamp) >= (int)size)
			return say(error, -EINVAL, path, "the path is too long");
		if (access(kept, F_OK) < 0)
			break;
	}
	/* A second name: at no moment is there none in its place. Not all disks know second names. */
	if (link(path, kept) < 0 && rename(path, kept) < 0)
		return say(error, -EIO, kept, strerror(errno));
	return move_log(path, kept, error);
}

static int exchange(const char *fresh, const char *path, char *kept, size_t size, char *error)
{
	struct site old = { 0 };
	int r = 0;

	kept[0] = '\0';
	if (access(path, F_OK) == 0) {
		r = take_old(&old, path, error);
		if (r == 0)
			r = keep_old(path, kept, size, error);
	}
	if (r == 0)
		r = name_it(fresh, path, error);
	close_file(&old);
	return r;
}

int site_restore(const char *path, const char *from, char *ret_kept, size_t size, struct site_copy *ret_copy, char *error)
{
	struct site_copy copy = { 0 };
	char fresh[STORE_PATH_MAX];
	int fd, r;

	if (store_file_is_same(path, from))
		return say(error, -EINVAL, from, "that is webd's own file itself");
	if (snprintf(fresh, sizeof(fresh), "%s.restore", path) >= (int)sizeof(fresh))
		return say(error, -EINVAL, path, "the path is too long");
	r = fd = take_part(fresh, error);
	if (r < 0)
		return r;
	r = copy_to_part(from, fresh, &copy, error);
	if (r == 0)
		r = adopt(fresh, from, error);
	if (r == 0) {
		store_file_give(fresh, ""); /* to the owner of the folder: webd's own */
		give_like(fd, path);
		r = exchange(fresh, path, ret_kept, size, error);
	}
	store_file_remove(fresh);
	close(fd);
	if (r == 0)
		*ret_copy = copy;
	return r;
}

/* ---- looked through --------------------------------------------------------------------------------------------------------------- */

int site_check(const char *path, struct site_copy *ret_copy, char *error)
{
	struct site_copy copy = { 0 };
	struct site site;
	struct stat st;
	int r = open_file(&site, path, SQLITE_OPEN_READONLY, error);

	if (r == 0)
		r = check_kind(&site, error);
	if (r == 0)
		r = look_through(&site, path, error);
	if (r == 0)
		r = count_rows(&site, "user", &copy.users);
	close_file(&site);
	if (r < 0)
		return r;
	copy.bytes = stat(path, &st) == 0 ? st.st_size : 0;
	*ret_copy = copy;
	return 0;
}
