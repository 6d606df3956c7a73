/* Who is connected, and how long a client may take: one that sends or reads too slowly makes room for others. */
#include <stdlib.h>
#include <sys/socket.h>

#include "../common/clock.h"
#include "http_internal.h"

enum { REQUEST_MS = 30000, ROOM_LEFT = 16 };

static void shut(struct http_connection *link)
{
	link->deadline_ms = 0;
	link->waits_request = false;
	shutdown(link->fd, SHUT_RDWR); /* the library sees the end and tidies up */
}

static void arm(struct http *http, int64_t due_ms)
{
	sd_event_source_set_time(http->sweep, (uint64_t)due_ms * 1000);
	sd_event_source_set_enabled(http->sweep, SD_EVENT_ONESHOT);
}

static int on_sweep(sd_event_source *source, uint64_t due, void *data)
{
	struct http *http = data;
	int64_t now_ms = clock_boot_ms(), next_ms = 0;

	(void)source;
	(void)due;
	for (struct http_connection *link = http->connections; link; link = link->next) {
		if (!link->deadline_ms)
			continue;
		if (link->deadline_ms <= now_ms)
			shut(link);
		else if (!next_ms || link->deadline_ms < next_ms)
			next_ms = link->deadline_ms;
	}
	if (next_ms)
		arm(http, next_ms);
	return 0;
}

/* The one that has kept us waiting for its request for the longest time goes when places are rare. */
static void make_room(struct http *http)
{
	struct http_connection *slowest = NULL;

	for (struct http_connection *link = http->connections; link; link = link->next)
		if (link->waits_request && (!slowest || link->deadline_ms < slowest->deadline_ms))
			slowest = link;
	if (slowest)
		shut(slowest);
}

int http_connection_add(struct http *http, int fd, struct http_connection **ret_link)
{
	struct http_connection *link = calloc(1, sizeof(*link));

	if (!link)
		return -1;
	if (http->connection_count + ROOM_LEFT >= http->connection_limit)
		make_room(http);
	link->fd = fd;
	link->previous = http->newest;
	if (http->newest)
		http->newest->next = link;
	else
		http->connections = link;
	http->newest = link;
	http->connection_count++;
	http_connection_waits(http, link, REQUEST_MS, true);
	*ret_link = link;
	return 0;
}

void http_connection_remove(struct http *http, struct http_connection *link)
{
	if (!link)
		return;
	if (link->previous)
		link->previous->next = link->next;
	else
		http->connections = link->next;
	if (link->next)
		link->next->previous = link->previous;
	else
		http->newest = link->previous;
	http->connection_count--;
	free(link);
}

void http_connection_waits(struct http *http, struct http_connection *link, int64_t span_ms, bool request)
{
	int enabled = SD_EVENT_OFF;

	link->waits_request = request;
	link->deadline_ms = span_ms ? clock_boot_ms() + span_ms : 0;
	if (!span_ms)
		return;
	if (!http->sweep && sd_event_add_time(http->event, &http->sweep, CLOCK_BOOTTIME, (uint64_t)link->deadline_ms * 1000, 500000,
					      on_sweep, http) < 0)
		return;
	sd_event_source_get_enabled(http->sweep, &enabled);
	if (enabled == SD_EVENT_OFF)
		arm(http, link->deadline_ms);
}
