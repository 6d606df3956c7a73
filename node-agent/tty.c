#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "door.h"

static int speed_code(int speed, speed_t *ret_code)
{
	static const struct {
		int speed;
		speed_t code;
	} table[] = {
		{ 1200, B1200 },     { 2400, B2400 },     { 4800, B4800 },     { 9600, B9600 },
		{ 19200, B19200 },   { 38400, B38400 },   { 57600, B57600 },   { 115200, B115200 },
		{ 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].speed == speed) {
			*ret_code = table[i].code;
			return 0;
		}
	return -EINVAL;
}

static int set_up(int fd, int speed)
{
	struct termios settings;
	speed_t code;
	int r = speed_code(speed, &code);

	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (tcgetattr(fd, &settings) < 0)
		return -errno;
	cfmakeraw(&settings);
	settings.c_cflag |= CLOCAL | CREAD;
	settings.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL); /* HUPCL would reset an Arduino at each close */
	settings.c_cc[VMIN] = 0;
	settings.c_cc[VTIME] = 0;
	if (cfsetspeed(&settings, code) < 0 || tcsetattr(fd, TCSANOW, &settings) < 0)
		return -errno;
	tcflush(fd, TCIOFLUSH);
	return 0;
}

int tty_open(const char *path, int speed)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	r = set_up(fd, speed);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* With VMIN 0 a line without news reads 0 just as one that hung up does; poll tells them apart. */
static int hung_up(int fd)
{
	struct pollfd wanted = { .fd = fd, .events = POLLIN };

	return poll(&wanted, 1, 0) > 0 && (wanted.revents & (POLLHUP | POLLERR | POLLNVAL));
}

int tty_read(int fd, uint8_t *ret_bytes, size_t len)
{
	ssize_t count;

	do
		count = read(fd, ret_bytes, len);
	while (count < 0 && errno == EINTR);
	if (count > 0)
		return (int)count;
	if (count < 0 && errno == EAGAIN)
		return 0;
	if (count < 0)
		return errno == EIO || errno == ENXIO ? -ENODEV : -errno;
	return hung_up(fd) ? -ENODEV : 0;
}

int tty_write(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t count = write(fd, bytes, len);

		if (count >= 0) {
			bytes += count;
			len -= (size_t)count;
		} else if (errno != EINTR) {
			return errno == EIO || errno == ENXIO ? -ENODEV : -errno;
		}
	}
	return 0;
}

void tty_drop_input(int fd)
{
	tcflush(fd, TCIFLUSH);
}

const char *tty_explain(const char *path, int error, char *buf, size_t size)
{
	const char *hint = "`ls /dev/serial/by-id` shows USB adapters; a Pi's own: enable_uart=1 in config.txt";

	switch (-error) {
	case ENOTTY:
		snprintf(buf, size, "%s is no serial line", path);
		return buf;
	case ENXIO:
	case ENODEV:
	case EIO:
		snprintf(buf, size, "%s is gone", path);
		return buf;
	default:
		return door_explain(path, error, "dialout", hint, buf, size);
	}
}
