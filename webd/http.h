/* HTTP for the rest of webd: a request in, a reply or a stream of events out, on the daemon's one sd_event loop. Alone knows libmicrohttpd. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "../common/buffer.h"

enum {
	HTTP_BODY_MAX = 64 * 1024,         /* a larger body is answered 413 */
	HTTP_STREAM_QUEUE_MAX = 64 * 1024, /* bytes a stream's client may lag behind before it is closed */
	HTTP_PARAMS_MAX = 8,               /* of a path */
	HTTP_FIELDS_MAX = 64,              /* of a query or a form; more are answered 400 */
	HTTP_HEADERS_MAX = 12,             /* added to a reply */
};

struct http;         /* a listening server */
struct http_request; /* valid from the handler's call until its reply (or its cancelled hook) */
struct http_stream;  /* an event stream, valid until its closed hook returns */

/* A row per URL. Answers before it returns (http_reply, http_error ...), or calls http_later or http_stream_open. */
typedef void http_handler(struct http_request *request, void *context);

struct http_route {
	const char *method;  /* "GET" (HEAD comes with it), "POST" ...; NULL ends a table */
	const char *pattern; /* "/node/:node"; a last "*" takes all that is left, slashes too */
	http_handler *handler;
	int need; /* what the guard is asked for: the right that a visitor must have */
};

struct http_settings {
	const char *address;             /* "127.0.0.1", "::" (IPv4 as well), "0.0.0.0"; NULL is "::", or 0.0.0.0 without IPv6 */
	uint16_t port;                   /* 0: the kernel chooses */
	const struct http_route *routes; /* the first row that fits wins; lives as long as the server */
	void *context;                   /* for handlers and hooks */
	/* PEM files, for HTTPS; both or none. Read anew when they change. */
	const char *cert_file, *key_file;
	/* Addresses of proxies before us, separated by spaces; of requests from there X-Forwarded-For tells the client, X-Forwarded-Proto
	 * whether it came by HTTPS. NULL: none. */
	const char *trusted_proxy;
	/* Writes the page of an error (404, 403 ...) into out; NULL or a failure: a plain page. Not asked for paths below /api/,
	 * which get {"error":text}. */
	int (*error_page)(struct http_request *request, unsigned status, const char *text, struct buffer *out, void *context);
	/* Sees every request that has a route before its handler does, for sessions and rights: true lets it pass, false when it has answered.
	 * need: the route's. NULL: all pass. */
	bool (*guard)(struct http_request *request, int need, void *context);
};

/* Listens. Returns 0, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL (no numeric address), -EKEYREJECTED (certificate or key: told in the log),
 * -ENOMEM ... The caller closes, before the loop goes. */
int http_open(const struct http_settings *settings, sd_event *event, struct http **ret_http);
/* Ends everything at once; hooks of what is open are called. NULL is fine. */
void http_close(struct http *http);
uint16_t http_port(const struct http *http);
/* Connections open now, and requests answered since the start, for /metrics. */
unsigned http_connections(const struct http *http);
uint64_t http_requests(const struct http *http);

/* What was asked. All texts are percent-decoded valid UTF-8 without NUL (anything else was answered 400 already), owned by the request.
 * Hostile nonetheless: check them before use. NULL when absent. */
const char *http_method(const struct http_request *request);                  /* "GET" also of a HEAD request */
const char *http_path(const struct http_request *request);                    /* decoded, without the query */
const char *http_target(const struct http_request *request);                  /* as sent: path and query, not decoded */
const char *http_param(const struct http_request *request, const char *name); /* "node" of :node; "*" the rest */
const char *http_query(const struct http_request *request, const char *name);
const char *http_form(const struct http_request *request,
		      const char *name); /* field of an application/x-www-form-urlencoded body */
const char *http_header(const struct http_request *request, const char *name); /* raw bytes */
const char *http_cookie(const struct http_request *request, const char *name); /* raw bytes */
const char *http_client(const struct http_request *request);                   /* numeric address, for logs */
bool http_is_secure(const struct http_request *request);                       /* it came by HTTPS, here or at the proxy */
/* The body as it came, "" when empty, a NUL after it. */
const char *http_body(const struct http_request *request, size_t *ret_len);
/* Whether Accept prefers JSON to HTML, or the path is below /api/. */
bool http_wants_json(const struct http_request *request);

/* Adds a header to the reply to come (Location, Set-Cookie, Cache-Control ...). Control characters in it make it left out.
 * Content-Security-Policy and the other careful headers are there by themselves; naming one here replaces it.
 * Returns 0, -EINVAL, -ENOSPC, -ENOMEM. */
int http_add_header(struct http_request *request, const char *name, const char *value);

/* Answers; the request is then no longer ours. Compressed where it pays and the client can. Without Cache-Control "no-store" is sent.
 * type   "text/html; charset=utf-8" ... */
void http_reply(struct http_request *request, unsigned status, const char *type, const void *body, size_t len);
/* The same, with a buffer whose memory passes over (it is empty afterwards). A buffer with an error answers 500. */
void http_reply_buffer(struct http_request *request, unsigned status, const char *type, struct buffer *body);
/* The same with 200 and an ETag of the body: 304 and no body to a client that has it already (If-None-Match). */
void http_reply_tagged(struct http_request *request, const char *type, struct buffer *body);
/* For bodies that are kept compressed: whether the client takes gzip, and the making of it (added to out; returns 0 or -ENOSPC when it does not
 * shrink, -ENOMEM). A reply with a Content-Encoding is sent as it is. */
bool http_takes_gzip(const struct http_request *request);
int http_gzip(const void *body, size_t len, struct buffer *out);
/* {"error":text} below /api/, an error page elsewhere. */
void http_error(struct http_request *request, unsigned status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* 303 See Other to a path of ours ("/node/salon"); one that leaves this host ("//x", "http://x", control characters) becomes "/". */
void http_redirect(struct http_request *request, const char *path);

/* The reply comes after the handler has returned. If the server goes first, `cancelled` is called instead and the request is
 * gone (NULL only when nobody keeps it). A client that left meanwhile is noticed at the reply. Set a timer of your own: nothing here
 * ends the wait. */
void http_later(struct http_request *request, void (*cancelled)(struct http_request *request, void *data), void *data);

/* Answers 200 with an endless text/event-stream. `closed` is called once, from the loop (or http_close), when the client left, lagged too far
 * or the stream was closed; never within http_stream_send. Returns NULL without memory (500 is answered). */
struct http_stream *http_stream_open(struct http_request *request, void (*closed)(struct http_stream *stream, void *data),
				     void *data);
/* The same with another type, for what is made when the client is ready for it: `pull` writes up to `max` bytes at buf and returns how many; 0: nothing
 * now, it is asked again after http_stream_wake. Never closed for lagging: a client that does not read pulls nothing. */
struct http_stream *http_stream_open_pulled(struct http_request *request, const char *type,
					    ssize_t (*pull)(void *data, char *buf, size_t max),
					    void (*closed)(struct http_stream *stream, void *data), void *data);
void http_stream_wake(struct http_stream *stream);
/* Queues bytes as they shall arrive ("event: reading\ndata: {...}\n\n"). Returns 0; -ENOBUFS when the client lags: the stream
 * is being closed, its hook will come. */
int http_stream_send(struct http_stream *stream, const void *bytes, size_t len);
/* Bytes queued that the client has not taken. */
size_t http_stream_waiting(const struct http_stream *stream);
/* Ends a stream: the hook is called from the loop. */
void http_stream_close(struct http_stream *stream);
