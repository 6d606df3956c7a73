/* GET /api/v1/live: what happens in the house, to every browser that listens (Server-Sent Events). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../common/command.h"
#include "../common/reading.h"
#include "http.h"

struct live;

/* Returns 0 or -ENOMEM. */
int live_open(sd_event *event, struct live **ret_live);
void live_close(struct live *live); /* after the server of its listeners */

/* Where the stream is now: a page that shows what is known at this moment opens it with "?after=" and this, and misses nothing. Returns buf. */
const char *live_position(const struct live *live, char *buf, size_t size);

/* Answers a request with the stream. Last-Event-ID (or `after` of the query) resumes from a bounded memory of events; when that no longer reaches back, an
 * `event: reset` tells the page to read everything anew.
 * session: whose end also ends the stream; 0: nobody's. */
void live_attach(struct live *live, struct http_request *request, int64_t session);
/* Ends the streams of a session (0 is none's). */
void live_end_session(struct live *live, int64_t session);

void live_reading(struct live *live, const struct reading *reading);
void live_node(struct live *live, const char *node, bool online, int64_t time_ms);
void live_result(struct live *live, const struct command_result *result, int64_t latency_ms);
void live_broker(struct live *live, bool up);

unsigned live_listeners(const struct live *live);
