/* A node at work: devices, outbox and bus joined. */
#pragma once

#include <systemd/sd-event.h>

#include "settings.h"

struct agent;

/* settings outlives the agent. Returns 0 or a negative errno. */
int agent_open(sd_event *event, const struct settings *settings, struct agent **ret_agent);
/* Says offline, lets go of the devices, frees. NULL is fine. */
void agent_close(struct agent *agent);
