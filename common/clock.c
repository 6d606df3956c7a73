#include "clock.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { REHEARSAL_MAX = 255 };

static int64_t read_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The beginning of a file as text; "" when it can't be read. size is at least 1. */
static const char *read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[len > 0 ? len : 0] = '\0';
	return buf;
}

/* What FOYER_CLOCK_FILE says of a word ("offset="). Returns whether it says something. */
static bool rehearsed(const char *word, char *ret_value, size_t size)
{
	const char *path = getenv("FOYER_CLOCK_FILE");
	char text[REHEARSAL_MAX + 1], *rest = NULL;

	if (!path)
		return false;
	read_text(path, text, sizeof(text));
	for (char *found = strtok_r(text, " \t\r\n", &rest); found; found = strtok_r(NULL, " \t\r\n", &rest))
		if (strncmp(found, word, strlen(word)) == 0) {
			snprintf(ret_value, size, "%s", found + strlen(word));
			return true;
		}
	return false;
}

int64_t clock_wall_ms(void)
{
	char offset[32];

	return read_ms(CLOCK_REALTIME) + (rehearsed("offset=", offset, sizeof(offset)) ? strtoll(offset, NULL, 10) : 0);
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

bool clock_synced(void)
{
	struct timex timex = { .modes = 0 };
	char synced[8];

	if (rehearsed("synced=", synced, sizeof(synced)))
		return strcmp(synced, "yes") == 0;
	return adjtimex(&timex) >= 0 && !(timex.status & STA_UNSYNC);
}

/* A file of the kernel's, under FOYER_ROOT where a folder plays the kernel. */
static const char *kernel_path(char path[PATH_MAX], const char *name)
{
	const char *root = getenv("FOYER_ROOT");

	snprintf(path, PATH_MAX, "%s%s", root ? root : "", name);
	return path;
}

/* "1" in hctosys: the kernel set the wall clock from this one when it started. */
static bool set_by_battery(void)
{
	glob_t found = { 0 };
	char path[PATH_MAX], word[8];
	bool yes = false;

	if (glob(kernel_path(path, "/sys/class/rtc/rtc*/hctosys"), GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			yes |= read_text(found.gl_pathv[i], word, sizeof(word))[0] == '1';
	globfree(&found);
	return yes;
}

/* The host's clock is asked at the start wherever it is available, also when the kernel then counts by a faster one (tsc). */
static bool set_by_host(void)
{
	static const char *const guests[] = { "kvm-clock", "xen", "hyperv" };
	char path[PATH_MAX], sources[128], *rest = NULL;

	read_text(kernel_path(path, "/sys/devices/system/clocksource/clocksource0/available_clocksource"), sources,
		  sizeof(sources));
	for (char *source = strtok_r(sources, " \n", &rest); source; source = strtok_r(NULL, " \n", &rest))
		for (size_t i = 0; i < sizeof(guests) / sizeof(*guests); i++)
			if (strncmp(source, guests[i], strlen(guests[i])) == 0)
				return true;
	return false;
}

bool clock_battery(void)
{
	struct timex timex = { .modes = 0 };
	char synced[8];

	if (rehearsed("synced=", synced, sizeof(synced)))
		return strcmp(synced, "no") != 0;
	return adjtimex(&timex) < 0 || set_by_battery() || set_by_host();
}

const char *clock_boot_name(char *buf)
{
	if (!rehearsed("boot=", buf, CLOCK_BOOT_MAX + 1))
		read_text("/proc/sys/kernel/random/boot_id", buf, CLOCK_BOOT_MAX + 1);
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}
