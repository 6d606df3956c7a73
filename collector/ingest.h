/* From a message to rows: readings, what nodes say of themselves, commands and their results. */
#pragma once

#include <stdint.h>

#include "../common/bus.h"
#include "../common/store.h"
#include "receipts.h"
#include "repeats.h"

struct ingest_counts {
	int64_t stored, known, rejected; /* readings since the start */
	int64_t late;                    /* of the stored: they tell of a time whose rollups are made already */
};

struct ingest;

/* Neither receipts nor repeats are freed by ingest_close. NULL without memory. */
struct ingest *ingest_open(const char *base, struct receipts *receipts, struct repeats *repeats);
void ingest_close(struct ingest *ingest);

/* Takes a message into the store's open transaction. now_ms: wall clock.
 * Returns 0 also for what is refused (it is kept as rejected), -ENOBUFS when the batch must be committed before this message can be taken,
 * or the store's error: then nothing of the batch can be trusted. */
int ingest_message(struct ingest *ingest, struct store *store, const struct bus_message *message, int64_t now_ms);

const struct ingest_counts *ingest_counts(const struct ingest *ingest);
