/* The past of simulated devices, told through the outbox like any other readings: a month in seconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "driver.h"
#include "outbox.h"

struct backfill {
	struct device *devices;
	struct device *device; /* whose turn it is; NULL: all is told */
	int64_t from_ms, to_ms, now_ms;
	int64_t told;
	int percent;
};

/* From span_ms ago until now. Devices that are not simulated have no past. */
void backfill_init(struct backfill *backfill, struct device *devices, int64_t span_ms);

/* Adds as much as the outbox takes now. Returns false when all is told. */
bool backfill_step(struct backfill *backfill, struct outbox *outbox);
