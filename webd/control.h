/* Commands from pages and scripts: checked against the house, sent to the node, answered with the node's own word. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../common/command.h"
#include "house.h"
#include "http.h"

struct control;

struct control_hooks {
	/* Whether the broker is there: without it nobody knows how the nodes are. */
	bool (*broker_up)(void *context);
	/* Sends a command to its node; 0, -ENOTCONN without a broker, or another negative errno. */
	int (*send)(void *context, const struct command *command);
	/* A result came: also of commands that others gave. latency_ms: -1 when the command was not ours. */
	void (*result)(void *context, const struct command_result *result, int64_t latency_ms);
};

/* house outlives the control. Returns 0 or -ENOMEM. */
int control_open(sd_event *event, const struct house *house, const struct control_hooks *hooks, void *context,
		 struct control **ret_control);
void control_close(struct control *control); /* after the server whose requests wait */

/* by: who asks, for the log.
 * POST /api/v1/command: JSON in, JSON out; 200, 400, 404, 409, 503 (no broker), 504. */
void control_api(struct control *control, struct http_request *request, const char *by);
/* POST /command: a form with node, device, quantity, value and `back` (a path of ours); redirects to `back` with "outcome=ID" in its query. */
void control_form(struct control *control, struct http_request *request, const char *by);

/* What came on `.../result`. */
void control_result(struct control *control, const struct command_result *result);

/* What became of a form's command, for the page that it led back to. */
struct control_outcome {
	struct command command;
	unsigned status; /* as POST /api/v1/command would have answered */
	bool has_value;
	struct value value; /* the node's word */
	char error[COMMAND_ERROR_MAX + 1];
	int64_t latency_ms;
};
/* NULL for an unknown id (they are kept for a while: the newest 64). */
const struct control_outcome *control_outcome(const struct control *control, const char *id);
