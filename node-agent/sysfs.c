#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *sysfs_path(char buf[SYSFS_PATH_MAX], const char *format, ...)
{
	const char *root = getenv("FOYER_ROOT");
	int start = snprintf(buf, SYSFS_PATH_MAX, "%s", root ? root : ""), len = -1;
	va_list args;

	if (start < SYSFS_PATH_MAX) {
		va_start(args, format);
		len = vsnprintf(buf + start, SYSFS_PATH_MAX - (size_t)start, format, args);
		va_end(args);
	}
	if (len < 0 || start + len >= SYSFS_PATH_MAX)
		buf[0] = '\0';
	return buf;
}

const char *sysfs_file(char buf[SYSFS_PATH_MAX], const char *folder, const char *name)
{
	char path[SYSFS_PATH_MAX * 2];

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= SYSFS_PATH_MAX)
		path[0] = '\0';
	memcpy(buf, path, strlen(path) + 1);
	return buf;
}

int sysfs_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error;
	ssize_t len;

	if (fd < 0)
		return -errno;
	do
		len = read(fd, buf, size - 1);
	while (len < 0 && errno == EINTR);
	error = errno;
	close(fd);
	if (len < 0)
		return -error;
	while (len > 0 && strchr(" \t\r\n", buf[len - 1]))
		len--;
	buf[len] = '\0';
	return len > 0 ? (int)len : -ENODATA;
}

int sysfs_read_number(const char *path, double *ret_number)
{
	char text[SYSFS_TEXT_MAX], *end;
	int r = sysfs_read(path, text, sizeof(text));
	double number;

	if (r < 0)
		return r;
	number = strtod(text, &end);
	if (end == text || *end || !isfinite(number))
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_TRUNC), r = 0;
	size_t len = strlen(text);
	ssize_t written;

	if (fd < 0)
		return -errno;
	do
		written = write(fd, text, len);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		r = -errno;
	else if ((size_t)written != len)
		r = -EIO;
	close(fd);
	return r;
}

int sysfs_write_number(const char *path, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return sysfs_write(path, text);
}

int sysfs_find(const char *folder, int (*fits)(const char *path, void *context), void *context, char ret_path[SYSFS_PATH_MAX])
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, versionsort), r = 0;
	char path[SYSFS_PATH_MAX];

	if (count < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	for (int i = 0; i < count; i++) {
		if (r == 0 && entries[i]->d_name[0] != '.' && sysfs_file(path, folder, entries[i]->d_name)[0])
			r = fits(path, context);
		if (r == 1) {
			memcpy(ret_path, path, sizeof(path));
			r = 2; /* found: the rest is only freed */
		}
		free(entries[i]);
	}
	free(entries);
	return r == 2 ? 0 : r < 0 ? r : -ENOENT;
}
