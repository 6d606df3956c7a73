/* The collector at work: bus and store joined so that a message is acknowledged only when it is durable (DESIGN 3.1). */
#pragma once

#include <systemd/sd-event.h>

#include "settings.h"

struct collector;

/* Opens the store (a failure is told and tried again) and begins to connect. settings must outlive the collector.
 * Returns 0 or a negative errno of the bus. */
int collector_open(sd_event *event, const struct settings *settings, struct collector **ret_collector);

/* Commits, acknowledges, says offline, frees. NULL is fine. */
void collector_close(struct collector *collector);

/* Takes commit interval, batch and keep times anew from the settings. */
void collector_reload(struct collector *collector);
