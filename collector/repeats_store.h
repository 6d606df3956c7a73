/* The repeats' place in the store: "bare" is the first part, "bare.1" and so on are the others. */
#pragma once

#include "../common/store.h"
#include "repeats.h"

/* Puts what has changed into the open transaction. Returns 0 or the store's error. */
int repeats_save(struct repeats *repeats, struct store *store);

/* Reads what stands there; what can't be read is taken as none. */
void repeats_restore(struct repeats *repeats, struct store *store);
