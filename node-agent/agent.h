/* A node at work: devices, outbox and bus joined. */
#pragma once

#include <systemd/sd-event.h>

#include "hardware.h"
#include "outbox.h"
#include "settings.h"

struct agent;

/* What lives on when the configuration is read again: readings that wait for their receipt, and devices that did not change. */
struct agent_kept {
	struct outbox *outbox;
	struct hardware *hardware;
};

/* settings outlives the agent. kept: what agent_close_but_kept left of the one before, NULL for nothing; passes over in any case.
 * Returns 0 or a negative errno. */
int agent_open(sd_event *event, const struct settings *settings, const struct agent_kept *kept, struct agent **ret_agent);
/* Says offline, lets go of the devices, frees. NULL is fine. */
void agent_close(struct agent *agent);
/* The same, but these are kept, for the agent that comes next. */
struct agent_kept agent_close_but_kept(struct agent *agent);
