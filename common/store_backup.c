/* A copy of the store under its own name, all at once or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_files.h"

static int say(char *error, int r, const char *path, const char *what)
{
	snprintf(error, STORE_ERROR_MAX, "%.120s: %.130s", path, what);
	return r;
}

/* The unfinished file, ours as long as the lock is held. Returns its descriptor. */
static int take_part(const char *part, char *error)
{
	int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0)
		return say(error, errno == ENOENT ? -ENOENT : -EIO, part,
			   errno == ENOENT ? "the folder is missing" : strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return say(error, -EBUSY, part, "another backup is writing it");
	}
	if (ftruncate(fd, 0) < 0) {
		int r = say(error, -EIO, part, strerror(errno));

		close(fd);
		return r;
	}
	return fd;
}

bool store_backup_is_abandoned(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool abandoned = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

	if (fd >= 0)
		close(fd);
	return abandoned;
}

/* A file that is none of ours must not be taken for a store without a reading. */
static int check_kind(struct store *file, char *error)
{
	int version = 0, r = store_read_version(file, &version);

	if (r < 0) {
		snprintf(error, STORE_ERROR_MAX, "%s", file->error);
		return r;
	}
	return version > 0 ? 0 : say(error, -EUCLEAN, file->path, "not a store of Foyer");
}

static int check_places(const char *from, const char *to, char *error)
{
	struct stat st;

	if (access(from, F_OK) < 0)
		return say(error, -ENOENT, from, errno == ENOENT ? "there is no such file" : strerror(errno));
	if (store_file_is_same(from, to))
		return say(error, -EINVAL, to, "that is the store itself");
	if (stat(to, &st) == 0 && !S_ISREG(st.st_mode))
		return say(error, -EINVAL, to, "that is no ordinary file");
	return 0;
}

static int write_part(const char *from_path, const char *part, const struct store_watch *watch, struct store_copy *ret_copy,
		      char *error)
{
	struct store from;
	int r = store_file_open(&from, from_path, SQLITE_OPEN_READONLY);

	if (r < 0)
		snprintf(error, STORE_ERROR_MAX, "%s", from.error);
	else
		r = check_kind(&from, error);
	if (r == 0)
		r = store_file_copy(&from, part, watch, ret_copy, error);
	store_file_close(&from);
	return r;
}

int store_backup(const char *url, const char *path, const struct store_watch *watch, struct store_copy *ret_copy, char *error)
{
	struct store_copy copy = { 0 };
	char *part = NULL;
	int fd = -1, r = store_check_url(url, error);

	if (r < 0)
		return r;
	if (asprintf(&part, "%s.part", path) < 0)
		return say(error, -ENOMEM, path, "out of memory");
	r = check_places(store_file_path(url), path, error);
	if (r == 0)
		r = fd = take_part(part, error);
	if (r >= 0) {
		r = write_part(store_file_path(url), part, watch, &copy, error);
		if (r == 0 && rename(part, path) < 0)
			r = say(error, -EIO, path, strerror(errno));
		if (r == 0 && store_file_sync_folder(path) < 0)
			r = say(error, -EIO, path, "its folder cannot be made durable");
		if (r < 0)
			store_file_remove(part);
		close(fd);
	}
	if (r == 0)
		*ret_copy = copy;
	free(part);
	return r;
}
