/* Events are kept as they are sent, in a ring of bytes: every listener has a place in it, and a resumed one begins where it stopped. */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/clock.h"
#include "json.h"

enum {
	EVENTS = 2048, /* remembered; a house of 5 readings a second: nearly seven minutes */
	RING_BYTES = 256 * 1024,
	EVENT_MAX = 4096,
	AHEAD_MAX = 32 * 1024, /* bytes handed to a listener that it has not read */
	CATCH_UP_MS = 250,
	STALLED_MS = 10000, /* reads nothing of what waits: it is gone */
	COMMENT_MS = 15000,
};

struct slot {
	uint32_t at, len;
};

struct listener {
	struct listener *previous, *next;
	struct live *live;
	int64_t session;
	struct http_stream *stream; /* NULL once it is being closed */
	uint64_t wanted;            /* number of the next event for it */
	size_t waiting;             /* bytes that waited when we last looked */
	int64_t moved_ms;           /* when it last read, while it is behind */
};

struct live {
	sd_event_source *comment, *catch_up;
	struct listener *listeners;
	unsigned count;
	bool up;
	char boot[12];        /* tells our events from those of a webd that ran before */
	uint64_t first, next; /* numbers of the oldest remembered event and of the one to come */
	uint32_t head;
	struct slot slots[EVENTS];
	struct buffer event;
	char ring[RING_BYTES];
};

/* ---- the ring ---------------------------------------------------------------------------------------------------------------- */

static const struct slot *slot_of(const struct live *live, uint64_t number)
{
	return &live->slots[number % EVENTS];
}

/* Makes room for len bytes at the head by forgetting the oldest events. */
static void make_room(struct live *live, uint32_t len)
{
	if (live->next - live->first == EVENTS)
		live->first++;
	if (live->head + len > RING_BYTES) {
		while (live->first < live->next && slot_of(live, live->first)->at >= live->head)
			live->first++;
		live->head = 0;
	}
	while (live->first < live->next && slot_of(live, live->first)->at >= live->head &&
	       slot_of(live, live->first)->at < live->head + len)
		live->first++;
}

static void remember(struct live *live, const char *bytes, uint32_t len)
{
	make_room(live, len);
	memcpy(live->ring + live->head, bytes, len);
	live->slots[live->next % EVENTS] = (struct slot){ live->head, len };
	live->head += len;
	live->next++;
}

/* ---- listeners --------------------------------------------------------------------------------------------------------------- */

static void cut(struct listener *listener)
{
	http_stream_close(listener->stream);
	listener->stream = NULL; /* the hook comes */
}

static void say(struct listener *listener, const char *bytes, size_t len)
{
	if (listener->stream && http_stream_send(listener->stream, bytes, len) < 0)
		listener->stream = NULL;
}

static bool behind(const struct listener *listener)
{
	return listener->stream && listener->wanted < listener->live->next;
}

/* Hands over what the listener has not had, as far as it reads. */
static void feed(struct listener *listener)
{
	struct live *live = listener->live;

	if (listener->stream && listener->wanted < live->first)
		cut(listener); /* overtaken: it comes back with its last id, and is told to read everything anew */
	while (behind(listener) && http_stream_waiting(listener->stream) < AHEAD_MAX) {
		const struct slot *slot = slot_of(live, listener->wanted++);

		say(listener, live->ring + slot->at, slot->len);
	}
}

static void arm(sd_event_source *timer, int64_t delay_ms, int64_t accuracy_ms)
{
	sd_event_source_set_time_relative(timer, (uint64_t)delay_ms * 1000);
	sd_event_source_set_time_accuracy(timer, (uint64_t)accuracy_ms * 1000);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static void feed_all(struct live *live)
{
	bool late = false;

	for (struct listener *listener = live->listeners; listener; listener = listener->next) {
		feed(listener);
		late = late || behind(listener);
	}
	if (late)
		arm(live->catch_up, CATCH_UP_MS, 50);
}

static int on_catch_up(sd_event_source *source, uint64_t now_us, void *data)
{
	struct live *live = data;
	int64_t now_ms = clock_boot_ms();

	(void)source;
	(void)now_us;
	for (struct listener *listener = live->listeners; listener; listener = listener->next) {
		size_t waiting = behind(listener) ? http_stream_waiting(listener->stream) : 0;

		if (waiting < listener->waiting || !waiting || !listener->moved_ms)
			listener->moved_ms = now_ms;
		else if (now_ms - listener->moved_ms >= STALLED_MS)
			cut(listener);
		feed(listener);
		listener->waiting = behind(listener) ? http_stream_waiting(listener->stream) : 0;
	}
	feed_all(live);
	return 0;
}

/* So that a connection which broke without a word is noticed, by both ends. */
static int on_comment(sd_event_source *source, uint64_t now_us, void *data)
{
	struct live *live = data;

	(void)now_us;
	for (struct listener *listener = live->listeners; listener; listener = listener->next)
		say(listener, ":\n\n", 3);
	if (live->listeners)
		arm(source, COMMENT_MS, 500);
	return 0;
}

static void on_closed(struct http_stream *stream, void *data)
{
	struct listener *listener = data;
	struct live *live = listener->live;

	(void)stream;
	if (listener->previous)
		listener->previous->next = listener->next;
	else
		live->listeners = listener->next;
	if (listener->next)
		listener->next->previous = listener->previous;
	live->count--;
	free(listener);
}

/* The number behind a Last-Event-ID of ours; false when it is another's or no longer remembered. */
static bool resumes_at(const struct live *live, const char *last, uint64_t *ret_number)
{
	size_t len = strlen(live->boot);
	unsigned long long number;
	char *end;

	if (strncmp(last, live->boot, len) != 0 || last[len] != '-' || last[len + 1] < '0' || last[len + 1] > '9')
		return false;
	errno = 0;
	number = strtoull(last + len + 1, &end, 10);
	if (*end || errno || number + 1 < live->first || number >= live->next)
		return false;
	*ret_number = number + 1;
	return true;
}

/* How things stand, under the id of the last event that the listener has. */
static void greet(struct listener *listener, bool reset)
{
	const struct live *live = listener->live;
	char text[160];
	int len = snprintf(text, sizeof(text), "retry: 2000\n%sid: %s-%llu\nevent: broker\ndata: {\"up\":%s}\n\n",
			   reset ? "event: reset\ndata: {}\n\n" : "", live->boot, (unsigned long long)(listener->wanted - 1),
			   live->up ? "true" : "false");

	say(listener, text, (size_t)len);
}

const char *live_position(const struct live *live, char *buf, size_t size)
{
	snprintf(buf, size, "%s-%llu", live->boot, (unsigned long long)(live->next - 1));
	return buf;
}

void live_attach(struct live *live, struct http_request *request, int64_t session)
{
	const char *last = http_header(request, "Last-Event-ID"), *after = http_query(request, "after");
	struct listener *listener = calloc(1, sizeof(*listener));
	bool resumed;

	if (!listener) {
		http_error(request, 503, "out of memory");
		return;
	}
	last = last ? last : after; /* a stream that was cut knows better than the page that opened it */
	listener->live = live;
	listener->session = session;
	listener->wanted = live->next;
	resumed = !last || resumes_at(live, last, &listener->wanted);
	listener->stream = http_stream_open(request, on_closed, listener);
	if (!listener->stream) {
		free(listener);
		return;
	}
	listener->next = live->listeners;
	if (listener->next)
		listener->next->previous = listener;
	live->listeners = listener;
	if (live->count++ == 0)
		arm(live->comment, COMMENT_MS, 500);
	greet(listener, !resumed);
	feed_all(live);
}

void live_end_session(struct live *live, int64_t session)
{
	for (struct listener *listener = live->listeners; session && listener; listener = listener->next)
		if (listener->session == session && listener->stream)
			cut(listener);
}

unsigned live_listeners(const struct live *live)
{
	return live->count;
}

/* ---- events ------------------------------------------------------------------------------------------------------------------ */

static struct buffer *begin(struct live *live, const char *kind)
{
	buffer_clear(&live->event);
	buffer_printf(&live->event, "id: %s-%llu\nevent: %s\ndata: {", live->boot, (unsigned long long)live->next, kind);
	return &live->event;
}

static void finish(struct live *live)
{
	buffer_add_text(&live->event, "}\n\n");
	if (live->event.error)
		return; /* without memory or over EVENT_MAX, which no event can be */
	remember(live, live->event.data, (uint32_t)live->event.len);
	feed_all(live);
}

static void add_series(struct buffer *event, const struct series *series)
{
	char text[SERIES_TEXT_MAX + 1];

	json_add_text_of(event, "series", series_format(series, text));
}

void live_reading(struct live *live, const struct reading *reading)
{
	struct buffer *event = begin(live, "reading");

	add_series(event, &reading->series);
	json_add_whole_of(event, "time", reading->time_ms);
	json_add_key(event, "value");
	json_add_value(event, &reading->value);
	finish(live);
}

void live_node(struct live *live, const char *node, bool online, int64_t time_ms)
{
	struct buffer *event = begin(live, "node");

	json_add_text_of(event, "node", node);
	json_add_text_of(event, "status", online ? "online" : "offline");
	json_add_whole_of(event, "time", time_ms);
	finish(live);
}

void live_result(struct live *live, const struct command_result *result, int64_t latency_ms)
{
	struct buffer *event = begin(live, "result");

	add_series(event, &result->series);
	json_add_text_of(event, "id", result->id);
	json_add_key(event, "ok");
	buffer_add_text(event, result->ok ? "true" : "false");
	if (result->has_value) {
		json_add_key(event, "value");
		json_add_value(event, &result->value);
	}
	if (!result->ok)
		json_add_text_of(event, "error", result->error);
	if (latency_ms >= 0)
		json_add_whole_of(event, "latency_ms", latency_ms);
	finish(live);
}

void live_broker(struct live *live, bool up)
{
	struct buffer *event;

	if (live->up == up)
		return;
	live->up = up;
	event = begin(live, "broker");
	json_add_key(event, "up");
	buffer_add_text(event, up ? "true" : "false");
	finish(live);
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

static int add_timer(sd_event *event, sd_event_time_handler_t handler, struct live *live, sd_event_source **ret_source)
{
	int r = sd_event_add_time_relative(event, ret_source, CLOCK_BOOTTIME, 0, 0, handler, live);

	return r < 0 ? r : sd_event_source_set_enabled(*ret_source, SD_EVENT_OFF);
}

int live_open(sd_event *event, struct live **ret_live)
{
	struct live *live = calloc(1, sizeof(*live));
	uint32_t word = 0;
	int r = -ENOMEM;

	if (!live)
		return r;
	if (getrandom(&word, sizeof(word), GRND_NONBLOCK) < 0)
		word = (uint32_t)clock_wall_ms();
	snprintf(live->boot, sizeof(live->boot), "%08x", word);
	live->first = live->next = 1;
	live->event = BUFFER_LIMITED(EVENT_MAX);
	r = add_timer(event, on_comment, live, &live->comment);
	if (r >= 0)
		r = add_timer(event, on_catch_up, live, &live->catch_up);
	if (r < 0) {
		live_close(live);
		return r;
	}
	*ret_live = live;
	return 0;
}

void live_close(struct live *live)
{
	if (!live)
		return;
	sd_event_source_disable_unref(live->comment);
	sd_event_source_disable_unref(live->catch_up);
	buffer_done(&live->event);
	free(live);
}
