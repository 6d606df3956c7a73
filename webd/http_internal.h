/* What the files of the HTTP room share. libmicrohttpd itself is known to http.c alone. */
#pragma once

#include <netinet/in.h>

#include "http.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum { HTTP_SEGMENTS_MAX = 32 }; /* of a path; deeper ones are unknown */

struct http_field {
	const char *name, *value;
};

struct http_fields {
	char *text; /* the names and values point into it */
	struct http_field list[HTTP_FIELDS_MAX];
	size_t count;
};

/* A connection while it waits for its client; shut when that takes too long. */
struct http_connection {
	struct http_connection *previous, *next;
	int fd;
	int64_t deadline_ms; /* since boot; 0: waits for us, not for the client */
	bool waits_request;
};

struct http {
	struct MHD_Daemon *daemon;
	struct http_settings settings;
	struct http_tls *tls; /* NULL: plain HTTP */
	sd_event_source *io, *timer, *sweep;
	sd_event *event;
	struct http_connection *connections; /* oldest first */
	struct http_connection *newest;
	unsigned connection_count, connection_limit;
	struct http_request *requests;
	uint64_t request_count;
	uint16_t port;
	bool closing;
	bool woken; /* a sleeping request has work: the library must run again */
};

struct http_request {
	struct http_request *previous, *next;
	struct http *http;
	struct MHD_Connection *connection;
	struct http_connection *link;
	const char *method;
	bool head;
	int error;    /* status of what is wrong with it; 0 fine */
	char *target; /* as sent */
	char *path;   /* decoded */
	char *words;  /* the path's segments, decoded */
	char *segments[HTTP_SEGMENTS_MAX];
	size_t raw_offset[HTTP_SEGMENTS_MAX]; /* of each in the target */
	size_t segment_count;
	struct http_fields query, form;
	struct http_field params[HTTP_PARAMS_MAX]; /* name: a pattern's, with what follows it */
	size_t param_count;
	char *rest; /* what "*" took */
	char client[INET6_ADDRSTRLEN];
	bool secure;
	struct buffer body;
	size_t body_len; /* seen, kept or not */
	bool started, dispatched, later, suspended;
	void (*cancelled)(struct http_request *request, void *data);
	void *data;
	struct http_stream *stream;
	struct http_field headers[HTTP_HEADERS_MAX + 12]; /* the careful ones beside */
	size_t header_count;
	struct MHD_Response *response;
	unsigned status;
};

/* http_request.c: the target into path, query and segments. Returns NULL without memory; bad bytes set error. */
struct http_request *http_request_new(struct http *http, const char *target);
void http_request_free(struct http_request *request);
void http_request_parse_form(struct http_request *request);
/* Whether a text is UTF-8, without NUL by its nature. */
bool http_valid_utf8(const char *text);
/* Decodes %XX (and '+' in fields) in place; false when it holds a NUL, is no UTF-8 or has a broken %XX. */
bool http_decode(char *text, bool plus);

/* http_route.c: calls the handler, or answers 404 or 405. */
void http_dispatch(struct http_request *request);
/* Whether a request that changes something comes from a page of ours (or from no page at all). */
bool http_same_origin(const struct http_request *request);

/* http_proxy.c: who the client is when a trusted proxy brings it; `client` holds the proxy's address before, if it is one. */
void http_look_behind_proxy(struct http_request *request);

/* http_reply.c: what a reply is made of. */
struct http_answer {
	unsigned status;
	const char *type;
	void *body; /* malloc'ed, passes over */
	size_t len;
};
void http_careful_headers(struct http_request *request, const char *type);

/* http_connection.c */
int http_connection_add(struct http *http, int fd, struct http_connection **ret_link);
void http_connection_remove(struct http *http, struct http_connection *link);
void http_connection_waits(struct http *http, struct http_connection *link, int64_t span_ms, bool request);

/* http.c: hands a reply to the client, now or by waking the request. */
void http_answer(struct http_request *request, struct http_answer *answer);
int http_answer_stream(struct http_request *request, struct http_stream *stream, const char *type);
void http_sleep(struct http_request *request);
void http_wake(struct http_request *request);

/* http_stream.c: the next bytes for the client: their number, 0 nothing now, -1 the end. */
ssize_t http_stream_read(struct http_stream *stream, char *buf, size_t max);
void http_stream_free(struct http_stream *stream);
