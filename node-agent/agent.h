/* A node at work: devices, outbox and bus joined. */
#pragma once

#include <systemd/sd-event.h>

#include "outbox.h"
#include "settings.h"

struct agent;

/* settings outlives the agent. outbox: what agent_close_but_outbox left of the one before, NULL for none; passes over in any case.
 * Returns 0 or a negative errno. */
int agent_open(sd_event *event, const struct settings *settings, struct outbox *outbox, struct agent **ret_agent);
/* Says offline, lets go of the devices, frees. NULL is fine. */
void agent_close(struct agent *agent);
/* The same, but readings that wait for their receipt are kept, for the agent that comes next. */
struct outbox *agent_close_but_outbox(struct agent *agent);
