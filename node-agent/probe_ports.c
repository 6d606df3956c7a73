/* Serial lines and cameras. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_report.h"
#include "sysfs.h"
#include "tty.h"

enum { PATH_LEN = 320 };

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Lines that a person can have wired something to; the many ttyS of a PC are mostly not there. */
static int is_serial(const struct dirent *entry)
{
	static const char *const beginnings[] = { "serial", "ttyUSB", "ttyACM", "ttyAMA" };

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(entry->d_name, beginnings[i], strlen(beginnings[i])) == 0 && entry->d_type != DT_DIR)
			return 1;
	return 0;
}

static unsigned tell_serial(struct probe *probe, const char *folder, int (*fits)(const struct dirent *entry))
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, fits, versionsort);

	for (int i = 0; i < count; i++) {
		char path[PATH_LEN], target[PATH_LEN], text[DEVICE_ERROR_MAX];
		ssize_t len;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		if (access(path, R_OK | W_OK) < 0)
			probe_say(probe, "%s", tty_explain(path, -errno, text, sizeof(text)));
		else
			probe_say(probe, "%s%s%s", path, target[0] ? " -> " : "", target);
		free(entries[i]);
	}
	free(entries);
	return count > 0 ? (unsigned)count : 0;
}

static unsigned tell_cameras(struct probe *probe)
{
	char folder[SYSFS_PATH_MAX];
	struct dirent **entries = NULL;
	int count = scandir(sysfs_path(folder, "/sys/class/video4linux"), &entries, is_visible, versionsort);

	for (int i = 0; i < count; i++) {
		char path[SYSFS_PATH_MAX], name[SYSFS_TEXT_MAX];

		if (sysfs_read(sysfs_path(path, "/sys/class/video4linux/%s/name", entries[i]->d_name), name, sizeof(name)) < 0)
			name[0] = '\0';
		probe_say(probe, "/dev/%s: %s", entries[i]->d_name, name);
		free(entries[i]);
	}
	free(entries);
	return count > 0 ? (unsigned)count : 0;
}

void probe_ports(struct probe *probe)
{
	static const struct probe_key stream[] = { { "stream", "http://127.0.0.1:8081/" }, { NULL, NULL } };

	probe_head(probe, "serial lines");
	if (tell_serial(probe, "/dev/serial/by-id", is_visible) + tell_serial(probe, "/dev", is_serial) == 0)
		probe_say(probe, "none; that of a Pi's pins comes with enable_uart=1 in /boot/firmware/config.txt");
	probe_head(probe, "cameras");
	if (tell_cameras(probe) == 0) {
		probe_say(probe, "none");
		return;
	}
	probe_say(probe, "Pictures are another program's work (motion); tell the pages where they are:");
	probe_section(probe, "camera", "camera", stream, false);
}
