#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../common/clock.h"

enum {
	BLOCK = 100000, /* one small write for so many readings */
	RETRY = 1000,   /* numbers until a folder that could not be written is tried again */
};

#define NUMBER_MAX INT64_C(4503599627370496)  /* 2^52; JSON keeps whole numbers to 2^53 */
#define LEAP INT64_C(4294967296)              /* beyond all that a restart could give from an old file */
#define CLOCK_FLOOR_MS INT64_C(1735689600000) /* 2025-01-01: an earlier clock was never set */

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
	if (fscanf(file, "%lld", &number) != 1 || number < 0 || number > NUMBER_MAX)
		number = 0;
	fclose(file);
	return number;
}

/* Where to begin without a memory: at the clock's microseconds, which pass faster than readings; without a clock anywhere below them. */
static int64_t first_number(void)
{
	int64_t now_ms = clock_wall_ms();
	uint64_t any = 0;

	if (now_ms >= CLOCK_FLOOR_MS && now_ms < NUMBER_MAX / 1000)
		return now_ms * 1000;
	if (getrandom(&any, sizeof(any), GRND_NONBLOCK) != sizeof(any))
		any = (uint64_t)clock_boot_ms();
	return (int64_t)(any % (uint64_t)(CLOCK_FLOOR_MS * 1000 / 2)) + 1;
}

int serial_init(struct serial *serial, const char *state_dir)
{
	int64_t number = 0, clock = first_number();
	int r;

	*serial = (struct serial){ .next = clock, .reserved = INT64_MAX };
	if (!state_dir)
		return 0;
	if (asprintf(&serial->path, "%s/serial", state_dir) < 0) {
		serial->path = NULL;
		return -ENOMEM;
	}
	number = remembered(serial->path);
	/* Beyond the clock as well: a lost file must not bring old numbers back. */
	if (number > clock || (number > 0 && clock < CLOCK_FLOOR_MS * 1000))
		serial->next = number;
	r = reserve(serial);
	if (r < 0) {
		free(serial->path);
		serial->path = NULL;
		serial->reserved = INT64_MAX;
		serial->next += number > 0 ? LEAP : 0; /* what the file says can't be kept up */
	}
	return r;
}

void serial_done(struct serial *serial)
{
	free(serial->path);
	serial->path = NULL;
}

void serial_raise(struct serial *serial, int64_t next)
{
	if (next <= serial->next || next > NUMBER_MAX)
		return;
	serial->next = next;
	if (serial->path && reserve(serial) < 0)
		serial->reserved = next; /* tried again with the first number */
}

int64_t serial_next(struct serial *serial)
{
	/* In good time, so that a full disk may be mended before the block ends. */
	if (serial->path && serial->next + BLOCK / 2 >= serial->reserved && serial->next >= serial->retry && reserve(serial) < 0)
		serial->retry = serial->next + RETRY;
	if (serial->path && serial->next >= serial->reserved) {
		/* A restart will begin at the number in the file: far away from here. */
		serial->next += LEAP;
		serial->reserved = serial->next + BLOCK;
	}
	return serial->next++;
}
