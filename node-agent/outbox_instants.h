/* Which instants of which series were told lately, in little memory, for a clock that was set back: it passes the same hours again, and no two readings
 * of a series may have one time. The last 13 000 to 26 000 instants are remembered for certain; now and then one seems taken that is free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { INSTANTS_BYTES = 16384 };

struct instants {
	uint8_t bits[2][INSTANTS_BYTES];
	unsigned count, current;
};

bool instants_taken(const struct instants *instants, unsigned series_hash, int64_t time_ms);
void instants_take(struct instants *instants, unsigned series_hash, int64_t time_ms);
