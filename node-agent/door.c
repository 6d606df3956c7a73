#include "door.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who this process runs as: the one that has to join a group. */
static const char *user(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry && entry->pw_name ? entry->pw_name : "USER";
}

/* As on a Debian without rules for udev: then no group helps. */
static bool is_roots(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && !(file.st_mode & S_IWGRP);
}

const char *door_explain(const char *path, int error, const char *group, const char *hint, char *buf, size_t size)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
		snprintf(buf, size, "no %s%s%s", path, hint ? ": " : "", hint ? hint : "");
		break;
	case EACCES:
	case EPERM:
		if (group)
			snprintf(buf, size, "may not open %s: join group %s (sudo usermod -aG %s %s)%s", path, group, group, user(),
				 is_roots(path) ? "; its udev rule is missing, too" : "");
		else
			snprintf(buf, size, "may not open %s: only root may, without a udev rule for it", path);
		break;
	case EBUSY:
		snprintf(buf, size, "%s is in use by another program", path);
		break;
	default:
		snprintf(buf, size, "%s: %s", path, strerror(-error));
	}
	return buf;
}
