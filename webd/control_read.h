/* What a request asks of an output: JSON and forms into a command, or the reason why not. */
#pragma once

#include "control.h"

enum { CONTROL_BACK_MAX = 512 }; /* bytes of the path that a form leads back to, without NUL */

/* Fill outcome->command, or its status (400, 404) and error. Return the status; 0 for a command. */
unsigned control_read_json(const char *body, size_t len, struct control_outcome *outcome);
unsigned control_read_form(const struct http_request *request, struct control_outcome *outcome);

/* The form's `back`: a path of ours without an outcome of before and without a fragment; "/" for anything else.
 * ret_back   CONTROL_BACK_MAX + 1 bytes */
void control_read_back(const struct http_request *request, char *ret_back);

/* Sets status and error; returns the status. */
unsigned control_refuse(struct control_outcome *outcome, unsigned status, const char *text);
