#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/clock.h"

enum { BLOCK = 100000 }; /* one small write for so many readings */

/* A name is durable when its folder is. */
static int sync_folder(const char *path)
{
	char *folder = strndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(folder);
	return r;
}

/* Durable before the first number of the block is given. */
static int reserve(struct serial *serial)
{
	char text[32], *fresh = NULL;
	int64_t reserved = serial->next + BLOCK;
	int fd, len, r = 0;

	if (asprintf(&fresh, "%s.new", serial->path) < 0)
		return -ENOMEM;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0) {
		r = -errno;
		free(fresh);
		return r;
	}
	len = snprintf(text, sizeof(text), "%lld\n", (long long)reserved);
	errno = 0;
	if (write(fd, text, (size_t)len) != len || fsync(fd) < 0)
		r = errno ? -errno : -EIO;
	close(fd);
	if (r == 0 && rename(fresh, serial->path) < 0)
		r = -errno;
	free(fresh);
	if (r == 0)
		r = sync_folder(serial->path);
	if (r == 0)
		serial->reserved = reserved;
	return r;
}

static int64_t remembered(const char *path)
{
	FILE *file = fopen(path, "re");
	long long number = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lld", &number) != 1 || number < 0)
		number = 0;
	fclose(file);
	return number;
}

int serial_init(struct serial *serial, const char *state_dir)
{
	int r;

	*serial = (struct serial){ .next = clock_wall_ms() * 1000, .reserved = INT64_MAX };
	if (!state_dir)
		return 0;
	if (asprintf(&serial->path, "%s/serial", state_dir) < 0) {
		serial->path = NULL;
		return -ENOMEM;
	}
	/* Beyond the clock as well: a lost file must not bring old numbers back. */
	if (remembered(serial->path) > serial->next)
		serial->next = remembered(serial->path);
	r = reserve(serial);
	if (r < 0) {
		free(serial->path);
		serial->path = NULL;
	}
	return r;
}

void serial_done(struct serial *serial)
{
	free(serial->path);
	serial->path = NULL;
}

int64_t serial_next(struct serial *serial)
{
	if (serial->path && serial->next >= serial->reserved && reserve(serial) < 0)
		serial->reserved = serial->next + BLOCK; /* a full disk: tried again a block later */
	return serial->next++;
}
