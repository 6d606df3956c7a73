/* The two clocks, and whether the wall clock can be believed.
 *
 * For tests and rehearsals, the environment variable FOYER_CLOCK_FILE names a file of words that are looked up at each call (so a clock is
 * stepped by writing the file; write it beside and rename it, so that nobody reads half of it). Without the file, or without a word, all is
 * as the kernel says:
 *
 *     offset=3600000   the wall clock shows so many milliseconds more (negative: less)
 *     synced=no        the wall clock is not synchronised, on a machine without a battery clock; synced=yes: it is
 *     boot=second      another boot than the one before (the boot clock runs on all the same)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970 UTC. */
int64_t clock_wall_ms(void);

/* Milliseconds since boot, suspended time included (CLOCK_BOOTTIME); never steps. */
int64_t clock_boot_ms(void);

/* Whether the kernel says that the wall clock is synchronised (adjtimex: not STA_UNSYNC). */
bool clock_synced(void);

/* Whether the wall clock was right from the start, synchronised or not: set from a battery clock, or by the host of a virtual machine
 * (the kernel's small files in /sys, or those under FOYER_ROOT, say so).
 * Also where the kernel does not say whether it is synchronised, since nobody would ever know better. Not so on a Raspberry Pi. */
bool clock_battery(void);

/* The kernel's name of this boot (a UUID): moments of two boots can't be compared. Returns buf, "" when there is none.
 * buf   CLOCK_BOOT_MAX + 1 bytes */
enum { CLOCK_BOOT_MAX = 47 };
const char *clock_boot_name(char *buf);
