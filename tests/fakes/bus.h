/* A bus without a broker, in place of common/bus.c: it remembers what was published. */
#pragma once

#include "../../common/bus.h"

enum { FAKE_PUBLICATIONS_MAX = 4096 };

struct fake_publication {
	char topic[256];
	char *payload; /* NUL-terminated */
	int qos, id;
	bool retain;
	unsigned expiry_s;
	char response_topic[256], correlation[64];
	size_t correlation_len;
};

extern struct fake_publication fake_published[FAKE_PUBLICATIONS_MAX];
extern int fake_count;
extern int fake_publish_error; /* what bus_publish gives back; 0: it works */

/* The one bus there is; bus_open gives it too. */
struct bus *fake_bus(void);
void fake_bus_reset(void);
/* The last publication; there must be one. */
const struct fake_publication *fake_last(void);
