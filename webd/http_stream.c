/* Streams of events: a bounded queue each, asleep while it is empty. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http_internal.h"

struct http_stream {
	struct http_request *request;
	struct buffer queue;
	sd_event_source *watch;
	bool ended;
	ssize_t (*pull)(void *data, char *buf, size_t max); /* NULL: from the queue */
	void (*closed)(struct http_stream *stream, void *data);
	void *data;
};

/* A sleeping connection is not looked at by the library, so we look ourselves whether its client leaves. */
static int on_left(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct http_stream *stream = data;

	(void)fd;
	(void)events;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	http_stream_close(stream);
	return 0;
}

static struct http_stream *open_stream(struct http_request *request, const char *type, const struct http_stream *settings)
{
	struct http_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		goto fail;
	*stream = *settings;
	stream->request = request;
	stream->queue = BUFFER_LIMITED(HTTP_STREAM_QUEUE_MAX);
	stream->closed = NULL; /* not before it is open */
	http_add_header(request, "X-Accel-Buffering", "no");
	if (sd_event_add_io(request->http->event, &stream->watch, request->link->fd, EPOLLRDHUP, on_left, stream) < 0 ||
	    http_answer_stream(request, stream, type) < 0)
		goto fail;
	stream->closed = settings->closed;
	return stream;
fail:
	http_stream_free(stream);
	http_error(request, 500, "out of memory");
	return NULL;
}

struct http_stream *http_stream_open(struct http_request *request, void (*closed)(struct http_stream *stream, void *data),
				     void *data)
{
	const struct http_stream settings = { .closed = closed, .data = data };

	return open_stream(request, "text/event-stream", &settings);
}

struct http_stream *http_stream_open_pulled(struct http_request *request, const char *type,
					    ssize_t (*pull)(void *data, char *buf, size_t max),
					    void (*closed)(struct http_stream *stream, void *data), void *data)
{
	const struct http_stream settings = { .pull = pull, .closed = closed, .data = data };

	return open_stream(request, type, &settings);
}

void http_stream_free(struct http_stream *stream)
{
	if (!stream)
		return;
	sd_event_source_disable_unref(stream->watch);
	if (stream->closed)
		stream->closed(stream, stream->data);
	buffer_done(&stream->queue);
	free(stream);
}

ssize_t http_stream_read(struct http_stream *stream, char *buf, size_t max)
{
	size_t len = stream->queue.len < max ? stream->queue.len : max;

	if (stream->ended)
		return -1;
	if (stream->pull) {
		ssize_t n = stream->pull(stream->data, buf, max);

		if (n == 0)
			http_sleep(stream->request);
		return n;
	}
	if (!len) {
		buffer_done(&stream->queue);
		http_sleep(stream->request);
		return 0;
	}
	memcpy(buf, stream->queue.data, len);
	buffer_drop(&stream->queue, len);
	return (ssize_t)len;
}

int http_stream_send(struct http_stream *stream, const void *bytes, size_t len)
{
	if (stream->ended)
		return -ENOBUFS;
	if (buffer_add(&stream->queue, bytes, len) < 0) {
		http_stream_close(stream);
		return -ENOBUFS;
	}
	http_wake(stream->request);
	return 0;
}

void http_stream_wake(struct http_stream *stream)
{
	http_wake(stream->request);
}

size_t http_stream_waiting(const struct http_stream *stream)
{
	return stream->queue.len;
}

void http_stream_close(struct http_stream *stream)
{
	if (stream->ended)
		return;
	stream->ended = true;
	shutdown(stream->request->link->fd, SHUT_RDWR);
	http_wake(stream->request);
}
