/* Serial numbers of a batch, per node, gathered into ranges for `$stored`. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../common/series.h"
#include "../common/wire.h"

struct receipts;

struct receipts *receipts_open(void); /* NULL without memory */
void receipts_close(struct receipts *receipts);

/* A reading is settled (stored, known or rejected): its node may forget it. Returns 0 or -ENOMEM (the number is then not receipted and
 * the node sends it again). */
int receipts_add(struct receipts *receipts, const char *node, int64_t seq);

/* Calls send for each node, as often as its ranges need (`count` of at most RECEIPTS_RANGES_MAX), and empties. */
enum { RECEIPTS_RANGES_MAX = 500 };
void receipts_send(struct receipts *receipts,
		   void (*send)(void *context, const char *node, const struct wire_range *ranges, size_t count), void *context);

/* Forgets what was gathered: the batch was rolled back. */
void receipts_clear(struct receipts *receipts);
