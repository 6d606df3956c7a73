/* A clock that a test sets, in place of common/clock.c. The wall clock stands still; the boot clock runs for real unless it is set. */
#pragma once

#include "../../common/clock.h"

extern int64_t fake_wall_ms; /* 2026-01-01T12:00:00Z until set */
extern int64_t fake_boot_ms; /* -1: the real one */
extern bool fake_synced, fake_battery;
extern const char *fake_boot_name;
