/* A backup in the store's place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store_files.h"

struct restore {
	const char *target, *file, *forget;
	char fresh[STORE_PATH_MAX]; /* the copy, beside the store until it is exchanged */
	struct store_restored result;
	char *error;
};

static int say(struct restore *restore, int r, const char *path, const char *what)
{
	snprintf(restore->error, STORE_ERROR_MAX, "%.180s: %s", path, what);
	return r;
}

/* The writer's own lock (store.c): neither collector nor import may come between. */
static int take_lock(struct restore *restore)
{
	char path[STORE_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s.lock", restore->target);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return say(restore, -EIO, path, strerror(errno));
	store_file_give(restore->target, ".lock");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return say(restore, -EBUSY, restore->target, "another program writes to it");
	}
	return fd;
}

static int copy_file(struct restore *restore, const struct store_watch *watch)
{
	struct store from;
	int version = 0, r = store_file_open(&from, restore->file, SQLITE_OPEN_READONLY);

	if (r == 0)
		r = store_read_version(&from, &version);
	if (r < 0)
		snprintf(restore->error, STORE_ERROR_MAX, "%s", from.error);
	else if (version == 0)
		r = say(restore, -EUCLEAN, restore->file, "not a store of Foyer");
	else
		r = store_file_copy(&from, restore->fresh, watch, &restore->result.copy, restore->error);
	store_file_close(&from);
	return r;
}

/* A message of the copy is about the file that it was made of. */
static void name_file(struct restore *restore, const char *error)
{
	size_t len = strlen(restore->fresh);

	if (strncmp(error, restore->fresh, len) == 0)
		snprintf(restore->error, STORE_ERROR_MAX, "%.120s%s", restore->file, error + len);
	else
		snprintf(restore->error, STORE_ERROR_MAX, "%s", error);
}

/* Opened as the collector will: an older version is brought up to date, a newer one refused. */
static int adopt(struct restore *restore)
{
	char error[STORE_ERROR_MAX] = "";
	struct store *store = NULL, plain;
	int r = store_open(restore->fresh, STORE_WRITE, &store, error);

	if (r == 0 && restore->forget) {
		r = store_save_state(store, restore->forget, NULL, 0);
		if (r == 0)
			r = store_commit(store);
		if (r < 0)
			snprintf(error, sizeof(error), "%s", store_error(store));
	}
	store_close(store);
	if (r == 0) { /* one file again */
		r = store_file_open(&plain, restore->fresh, SQLITE_OPEN_READWRITE);
		if (r == 0)
			r = store_fail(&plain, sqlite3_exec(plain.db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL));
		snprintf(error, sizeof(error), "%s", plain.error);
		store_file_close(&plain);
	}
	if (r < 0)
		name_file(restore, error);
	return r;
}

static void take_owner_and_mode(struct restore *restore)
{
	struct stat st;

	if (stat(restore->target, &st) == 0) {
		if (chmod(restore->fresh, st.st_mode & 0777) < 0 ||
		    (geteuid() == 0 && chown(restore->fresh, st.st_uid, st.st_gid) < 0))
			errno = 0; /* a disk without owners */
		return;
	}
	chmod(restore->fresh, 0640);
	store_file_give(restore->fresh, "");
}

/* What the old store's log holds goes into it, where it is well enough for that. */
static void fold_log(const struct restore *restore)
{
	struct store old;

	if (store_file_open(&old, restore->target, SQLITE_OPEN_READWRITE) == 0)
		sqlite3_exec(old.db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	store_file_close(&old);
}

static void name_kept(struct restore *restore)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32] = "";

	for (int tries = 0; tries < 60; tries++, now++) {
		if (gmtime_r(&now, &tm))
			strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
		snprintf(restore->result.kept, sizeof(restore->result.kept), "%.*s.before-%s", STORE_PATH_MAX - 64, restore->target,
			 stamp);
		if (access(restore->result.kept, F_OK) < 0)
			return;
	}
}

/* A log that could not be folded in goes with the old file: left behind it would be taken for the new one's. */
static int move_log(struct restore *restore)
{
	char log[STORE_PATH_MAX + 8], kept[STORE_PATH_MAX + 8];
	struct stat st;

	snprintf(log, sizeof(log), "%s-wal", restore->target);
	snprintf(kept, sizeof(kept), "%s-wal", restore->result.kept);
	if (stat(log, &st) == 0 && (st.st_size > 0 ? rename(log, kept) : unlink(log)) < 0)
		return say(restore, -EIO, log, strerror(errno));
	snprintf(log, sizeof(log), "%s-shm", restore->target);
	unlink(log);
	return 0;
}

static int exchange(struct restore *restore)
{
	int r = 0;

	if (access(restore->target, F_OK) == 0) {
		fold_log(restore);
		name_kept(restore);
		/* A second name for the old file: at no moment is there none in its place. Not all disks know second names. */
		if (link(restore->target, restore->result.kept) < 0 && rename(restore->target, restore->result.kept) < 0)
			return say(restore, -EIO, restore->result.kept, strerror(errno));
		r = move_log(restore);
	}
	if (r == 0 && rename(restore->fresh, restore->target) < 0)
		r = say(restore, -EIO, restore->target, strerror(errno));
	if (r == 0 && store_file_sync_folder(restore->target) < 0)
		r = say(restore, -EIO, restore->target, "its folder cannot be made durable");
	return r;
}

int store_restore(const char *url, const char *path, const char *forget, const struct store_watch *watch,
		  struct store_restored *ret_restored, char *error)
{
	struct restore restore = { .file = path, .forget = forget, .error = error };
	int fd, r = store_check_url(url, error);

	if (r < 0)
		return r;
	restore.target = store_file_path(url);
	if (strlen(restore.target) + 64 > STORE_PATH_MAX)
		return say(&restore, -EINVAL, restore.target, "the path is too long");
	if (access(path, R_OK) < 0)
		return say(&restore, -ENOENT, path, strerror(errno));
	if (store_file_is_same(restore.target, path))
		return say(&restore, -EINVAL, path, "that is the store itself");
	fd = take_lock(&restore);
	if (fd < 0)
		return fd;
	snprintf(restore.fresh, sizeof(restore.fresh), "%s.restore", restore.target);
	store_file_remove(restore.fresh); /* of one that was killed: we have the lock */
	r = copy_file(&restore, watch);
	if (r == 0)
		r = adopt(&restore);
	if (r == 0) {
		take_owner_and_mode(&restore);
		r = exchange(&restore);
	}
	store_file_remove(restore.fresh);
	close(fd);
	if (r == 0)
		*ret_restored = restore.result;
	return r;
}
