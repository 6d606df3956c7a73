/* libmicrohttpd on the daemon's loop: its epoll descriptor and its timeout are ours to watch, no thread is its own. */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "http_internal.h"
#include "http_tls.h"

enum {
	CONNECTIONS_MAX = 1000,
	DESCRIPTORS_LEFT = 64,     /* for the rest of the daemon */
	IDLE_S = 30,               /* without a byte */
	REQUEST_MS = 30000,        /* for a whole request */
	REPLY_MS = 120000,         /* to read a whole reply */
	POOL = 16 * 1024,          /* per connection: all headers of a request and a reply */
	DISCARD_MAX = 1024 * 1024, /* of a body too large, before the connection is cut */
	STREAM_BLOCK = 2048,
	RUNS = 16, /* of the library before other sources have their turn */
};

static void run(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
	uint64_t now_us = 0;

	for (int i = 0; i < RUNS; i++) {
		bool pending;

		http->woken = false;
		MHD_run(http->daemon);
		pending = MHD_get_timeout(http->daemon, &timeout_ms) == MHD_YES;
		if (http->woken) { /* by a handler; the library's timeout does not know */
			timeout_ms = 0;
			continue;
		}
		if (!pending) {
			sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
			return;
		}
		if (timeout_ms)
			break;
	}
	sd_event_now(http->event, CLOCK_MONOTONIC, &now_us);
	sd_event_source_set_time_accuracy(http->timer, timeout_ms ? 250000 : 1);
	sd_event_source_set_time(http->timer, now_us + timeout_ms * 1000);
	sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)source;
	(void)fd;
	(void)events;
	run(data);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t due, void *data)
{
	(void)source;
	(void)due;
	run(data);
	return 0;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = data;
	const union MHD_ConnectionInfo *info;
	struct http_connection *link = NULL;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_connection_remove(http, *socket_context);
		*socket_context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info && http_connection_add(http, info->connect_fd, &link) == 0)
		*socket_context = link;
}

static void *on_target(void *data, const char *target, struct MHD_Connection *connection)
{
	struct http *http = data;
	struct http_request *request = http_request_new(http, target);

	if (!request)
		return NULL;
	request->connection = connection;
	request->next = http->requests;
	if (request->next)
		request->next->previous = request;
	http->requests = request;
	return request;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode code)
{
	struct http *http = data;
	struct http_request *request = *context;

	(void)connection;
	(void)code;
	*context = NULL;
	if (!request)
		return;
	if (request->previous)
		request->previous->next = request->next;
	else
		http->requests = request->next;
	if (request->next)
		request->next->previous = request->previous;
	if (request->later && !request->response && request->cancelled)
		request->cancelled(request, request->data);
	http_stream_free(request->stream);
	if (request->response)
		MHD_destroy_response(request->response);
	if (request->link)
		http_connection_waits(http, request->link, REQUEST_MS, true);
	http_request_free(request);
}

static enum MHD_Result send_response(struct http_request *request)
{
	enum MHD_Result result;

	http_connection_waits(request->http, request->link, request->stream ? 0 : REPLY_MS, false);
	request->http->request_count++;
	result = MHD_queue_response(request->connection, request->status, request->response);
	MHD_destroy_response(request->response);
	request->response = NULL;
	request->later = false;
	return result;
}

static void find_client(struct http_request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	socklen_t len = info && info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (!info || getnameinfo(info->client_addr, len, request->client, sizeof(request->client), NULL, 0, NI_NUMERICHOST))
		snprintf(request->client, sizeof(request->client), "?");
	if (!strncmp(request->client, "::ffff:", 7))
		memmove(request->client, request->client + 7, strlen(request->client + 7) + 1);
	request->secure = request->http->tls != NULL;
	http_look_behind_proxy(request);
}

/* The headers are there, the body is not. */
static enum MHD_Result start(struct http_request *request, const char *method)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const char *length = http_header(request, "Content-Length");

	request->link = info ? info->socket_context : NULL;
	if (!request->link)
		return MHD_NO;
	request->started = true;
	request->head = !strcmp(method, "HEAD");
	request->method = request->head ? "GET" : method;
	find_client(request);
	if (!length || strtoull(length, NULL, 10) <= HTTP_BODY_MAX)
		return MHD_YES;
	http_error(request, 413, "the body is over %d bytes", HTTP_BODY_MAX);
	return send_response(request);
}

static enum MHD_Result take_body(struct http_request *request, const char *data, size_t len)
{
	request->body_len += len;
	if (request->body_len > DISCARD_MAX)
		return MHD_NO;
	if (!request->error && buffer_add(&request->body, data, len) < 0)
		request->error = request->body.error == -EMSGSIZE ? 413 : 503;
	return MHD_YES;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_len, void **context)
{
	struct http *http = data;
	struct http_request *request = *context;

	(void)connection;
	(void)url;
	(void)version;
	if (!request || http->closing)
		return MHD_NO;
	if (request->response)
		return send_response(request);
	if (!request->started)
		return start(request, method);
	if (*upload_len) {
		size_t len = *upload_len;

		*upload_len = 0;
		return take_body(request, upload, len);
	}
	if (!request->dispatched) {
		http_connection_waits(http, request->link, 0, false);
		http_dispatch(request);
	}
	if (!request->response && !request->later)
		http_error(request, 500, "no answer");
	if (request->response)
		return send_response(request);
	http_sleep(request);
	return MHD_YES;
}

void http_sleep(struct http_request *request)
{
	request->suspended = true;
	MHD_suspend_connection(request->connection);
}

void http_wake(struct http_request *request)
{
	if (!request->suspended)
		return;
	request->suspended = false;
	request->http->woken = true;
	MHD_resume_connection(request->connection);
	sd_event_source_set_time_accuracy(request->http->timer, 1); /* the library tells its descriptor nothing */
	sd_event_source_set_time(request->http->timer, 0);
	sd_event_source_set_enabled(request->http->timer, SD_EVENT_ONESHOT);
}

void http_later(struct http_request *request, void (*cancelled)(struct http_request *request, void *data), void *data)
{
	request->later = true;
	request->cancelled = cancelled;
	request->data = data;
}

static int add_headers(const struct http_request *request, struct MHD_Response *response)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (MHD_add_response_header(response, request->headers[i].name, request->headers[i].value) != MHD_YES)
			return -ENOMEM;
	return 0;
}

void http_answer(struct http_request *request, struct http_answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->len, answer->body, answer->body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

	if (!response) {
		free(answer->body);
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		answer->status = 503;
	}
	if (response && add_headers(request, response) < 0)
		answer->status = 503;
	if (request->response) /* the first answer stands */
		MHD_destroy_response(response);
	else
		request->response = response;
	request->status = answer->status;
	http_wake(request);
}

static ssize_t on_read(void *data, uint64_t pos, char *buf, size_t max)
{
	ssize_t n = http_stream_read(data, buf, max);

	(void)pos;
	return n < 0 ? MHD_CONTENT_READER_END_WITH_ERROR : n;
}

int http_answer_stream(struct http_request *request, struct http_stream *stream, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_read, stream, NULL);

	if (!response)
		return -ENOMEM;
	http_careful_headers(request, type);
	if (add_headers(request, response) < 0) {
		MHD_destroy_response(response);
		return -ENOMEM;
	}
	request->response = response;
	request->stream = stream;
	request->status = 200;
	return 0;
}

static int listen_on(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;
	const int one = 1, zero = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 256) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static int listen_at(const char *name, uint16_t port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *address;
	char service[8];
	int fd;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(name ? name : "::", service, &hints, &address))
		return -EINVAL;
	fd = listen_on(address);
	freeaddrinfo(address);
	return fd == -EAFNOSUPPORT && !name ? listen_at("0.0.0.0", port) : fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 address = { 0 }; /* the port stands at the same place in both families */
	socklen_t len = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &len);
	return ntohs(address.sin6_port);
}

static unsigned most_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > CONNECTIONS_MAX + DESCRIPTORS_LEFT)
		return CONNECTIONS_MAX;
	return limit.rlim_cur > 2 * DESCRIPTORS_LEFT ? (unsigned)limit.rlim_cur - DESCRIPTORS_LEFT : DESCRIPTORS_LEFT;
}

static int start_daemon(struct http *http, int fd)
{
	const struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
	const struct MHD_OptionItem tls[] = { { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)http_tls_choose },
					      { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)HTTP_TLS_PRIORITIES },
					      { MHD_OPTION_END, 0, NULL } };
	const union MHD_DaemonInfo *info;
	int r;

	http->connection_limit = most_connections();
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (http->tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
					on_request, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_ARRAY, http->tls ? tls : plain,
					MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED,
					on_completed, http, MHD_OPTION_URI_LOG_CALLBACK, on_target, http,
					MHD_OPTION_CONNECTION_LIMIT, http->connection_limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
					(size_t)POOL, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
	if (!http->daemon) {
		close(fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EIO;
	r = sd_event_add_io(http->event, &http->io, info->epoll_fd, EPOLLIN, on_io, http);
	if (r >= 0)
		r = sd_event_add_time(http->event, &http->timer, CLOCK_MONOTONIC, 0, 0, on_timer, http);
	return r < 0 ? r : 0;
}

int http_open(const struct http_settings *settings, sd_event *event, struct http **ret_http)
{
	struct http *http = calloc(1, sizeof(*http));
	int fd, r;

	if (!http)
		return -ENOMEM;
	http->settings = *settings;
	http->event = sd_event_ref(event);
	r = settings->cert_file ? http_tls_open(event, settings->cert_file, settings->key_file, &http->tls) : 0;
	fd = r < 0 ? r : listen_at(settings->address, settings->port);
	r = fd < 0 ? fd : 0;
	if (r == 0) {
		http->port = port_of(fd);
		r = start_daemon(http, fd);
	}
	if (r < 0) {
		http_close(http);
		return r;
	}
	*ret_http = http;
	return 0;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	http->closing = true;
	for (struct http_request *request = http->requests; request; request = request->next)
		http_wake(request); /* the library stops only with everybody awake */
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	sd_event_source_disable_unref(http->io);
	sd_event_source_disable_unref(http->timer);
	sd_event_source_disable_unref(http->sweep);
	http_tls_close(http->tls);
	sd_event_unref(http->event);
	free(http);
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}

unsigned http_connections(const struct http *http)
{
	return http->connection_count;
}

uint64_t http_requests(const struct http *http)
{
	return http->request_count;
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);
}
