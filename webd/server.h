/* webd's parts, joined: broker and store fill the house, pages and API show it, commands go out. */
#pragma once

#include <systemd/sd-event.h>

#include "settings.h"

struct server;

/* settings and its strings outlive the server. Returns 0 or a negative errno; why stands in the log. */
int server_open(sd_event *event, const struct settings *settings, struct server **ret_server);
void server_close(struct server *server);

/* The title and the language of the pages may change while running. 0 or a negative errno: then they stay. settings outlives the server or
 * the next call. */
int server_change_site(struct server *server, const struct settings *settings);

/* "http://HOST:PORT/", for people. */
const char *server_address(const struct server *server);
