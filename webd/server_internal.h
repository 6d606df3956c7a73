/* What the two halves of the server share. */
#pragma once

#include "../common/series.h"
#include "routes.h"
#include "server.h"

struct server {
	sd_event *event;
	sd_event_source *fill_timer;
	const struct settings *settings;
	struct parts parts;
	char client_id[32];
	char broker[300]; /* "host:port" */
	char address[128];
	char zone[64]; /* the household's; "" unknown */
};

/* Subscribes to all that the house is made of. */
int server_open_bus(struct server *server);
/* Fills the house from the store; false when it can't be read. */
bool server_fill(struct server *server);
/* Fills it after this time (and goes on trying while the store can't be read). */
void server_fill_later(struct server *server, int64_t delay_ms);
int server_send_command(void *context, const struct command *command);
