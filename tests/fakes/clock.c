#include "clock.h"

#include <stdio.h>
#include <time.h>

int64_t fake_wall_ms = 1767268800000;
int64_t fake_boot_ms = -1;
bool fake_synced = true, fake_battery = false;
const char *fake_boot_name = "boot-1";

int64_t clock_wall_ms(void)
{
	return fake_wall_ms;
}

int64_t clock_boot_ms(void)
{
	struct timespec now;

	if (fake_boot_ms >= 0)
		return fake_boot_ms;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool clock_synced(void)
{
	return fake_synced;
}

bool clock_battery(void)
{
	return fake_battery;
}

const char *clock_boot_name(char *buf)
{
	snprintf(buf, CLOCK_BOOT_MAX + 1, "%s", fake_boot_name);
	return buf;
}
