#include "clock.h"

#include <sys/timex.h>
#include <time.h>

static int64_t read_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

bool clock_synced(void)
{
	struct timex timex = { .modes = 0 };

	return adjtimex(&timex) >= 0 && !(timex.status & STA_UNSYNC);
}
