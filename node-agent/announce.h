/* What a node says of itself: $info, $health. */
#pragma once

#include "../common/bus.h"
#include "outbox.h"
#include "sampler.h"
#include "settings.h"

/* Publishes $info, retained. */
void announce_info(struct bus *bus, const struct settings *settings);

/* Publishes $health, retained. */
void announce_health(struct bus *bus, const struct settings *settings, const struct sampler *sampler, const struct outbox *outbox);

/* Publishes $status, retained: "online", "offline". */
void announce_status(struct bus *bus, const struct settings *settings, const char *status);
