/* The two clocks, and whether the wall clock can be believed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970 UTC. */
int64_t clock_wall_ms(void);

/* Milliseconds since boot, suspended time included (CLOCK_BOOTTIME); never steps. */
int64_t clock_boot_ms(void);

/* Whether the kernel says that the wall clock is synchronised (adjtimex: not STA_UNSYNC). */
bool clock_synced(void);
