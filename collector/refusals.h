/* What the log says of readings that could not be taken: each cause with its topic, once a minute. */
#pragma once

#include <stdint.h>

struct refusals;

struct refusals *refusals_open(void); /* NULL without memory */
void refusals_close(struct refusals *refusals);

/* One was refused at now_ms (clock_boot_ms). A cause is a topic and a reason, whatever the numbers and quotations in it. When there are more causes
 * in a minute than a person reads, the others are told as their number. */
void refusals_tell(struct refusals *refusals, const char *topic, const char *reason, int64_t now_ms);
