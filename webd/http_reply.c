/* A reply: its body, compressed where it pays, and the headers of a careful site. */
#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "http_internal.h"

enum { WORTH_COMPRESSING = 1024, GZIP_LEVEL = 5, GZIP_WINDOW = 15 + 16 };

static const struct http_field careful[] = {
	{ "Content-Security-Policy", "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
				     "form-action 'self'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
	{ "Cache-Control", "no-store" },
};

static bool has_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (!strcasecmp(request->headers[i].name, name))
			return true;
	return false;
}

int http_add_header(struct http_request *request, const char *name, const char *value)
{
	size_t places = sizeof(request->headers) / sizeof(request->headers[0]);
	struct http_field *header = &request->headers[request->header_count];

	for (const char *at = value; *at; at++)
		if (iscntrl((unsigned char)*at))
			return -EINVAL;
	if (request->header_count == places)
		return -ENOSPC;
	*header = (struct http_field){ strdup(name), strdup(value) };
	if (!header->name || !header->value) {
		free((char *)header->name);
		free((char *)header->value);
		return -ENOMEM;
	}
	request->header_count++;
	return 0;
}

static bool compressible(const char *type)
{
	return !strncmp(type, "text/", 5) || strstr(type, "json") || strstr(type, "javascript") || strstr(type, "xml");
}

bool http_takes_gzip(const struct http_request *request)
{
	const char *accept = http_header(request, "Accept-Encoding");
	const char *found = accept ? strcasestr(accept, "gzip") : NULL;

	if (!found)
		return false;
	found += strlen("gzip");
	found += strspn(found, " ");
	return strncmp(found, ";q=0", 4) || (found[4] == '.' && strspn(found + 5, "0") < strcspn(found + 5, ", "));
}

int http_gzip(const void *body, size_t len, struct buffer *out)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)body, .avail_in = (uInt)len };
	char *room = buffer_reserve(out, len); /* not worth it when it would not shrink */
	int r;

	if (!room || deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	stream.next_out = (Bytef *)room;
	stream.avail_out = (uInt)len;
	r = deflate(&stream, Z_FINISH);
	deflateEnd(&stream);
	if (r != Z_STREAM_END)
		return -ENOSPC;
	out->len += len - stream.avail_out;
	return 0;
}

void http_careful_headers(struct http_request *request, const char *type)
{
	if (type && !has_header(request, "Content-Type"))
		http_add_header(request, "Content-Type", type);
	for (size_t i = 0; i < sizeof(careful) / sizeof(careful[0]); i++)
		if (!has_header(request, careful[i].name))
			http_add_header(request, careful[i].name, careful[i].value);
}

/* Takes over answer->body. */
static void answer_with(struct http_request *request, struct http_answer *answer)
{
	struct buffer small = BUFFER_EMPTY;

	if (answer->type && compressible(answer->type) && !has_header(request, "Content-Encoding")) {
		if (!has_header(request, "Vary"))
			http_add_header(request, "Vary", "Accept-Encoding");
		if (answer->len > WORTH_COMPRESSING && http_takes_gzip(request) &&
		    http_gzip(answer->body, answer->len, &small) == 0) {
			free(answer->body);
			answer->body = small.data;
			answer->len = small.len;
			http_add_header(request, "Content-Encoding", "gzip");
		} else {
			buffer_done(&small);
		}
	}
	http_careful_headers(request, answer->type);
	http_answer(request, answer);
}

void http_reply(struct http_request *request, unsigned status, const char *type, const void *body, size_t len)
{
	struct buffer copy = BUFFER_EMPTY;

	if (len)
		buffer_add(&copy, body, len);
	http_reply_buffer(request, status, type, &copy);
}

void http_reply_buffer(struct http_request *request, unsigned status, const char *type, struct buffer *body)
{
	struct http_answer answer = { .status = status, .type = type, .body = body->data, .len = body->len };

	if (body->error) {
		buffer_done(body);
		answer = (struct http_answer){ .status = 500, .type = "text/plain; charset=utf-8" };
	}
	*body = BUFFER_LIMITED(body->limit);
	answer_with(request, &answer);
}

/* Weak, since compression may come between (RFC 9110, 8.8.3): FNV-1a of 64 bits, and the length. */
static void make_tag(const struct buffer *body, char *tag, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < body->len; i++)
		hash = (hash ^ (unsigned char)body->data[i]) * 0x100000001b3U;
	snprintf(tag, size, "W/\"%016llx-%zx\"", (unsigned long long)hash, body->len);
}

/* Whether If-None-Match names a tag, weakly compared. */
static bool has_it(const struct http_request *request, const char *tag)
{
	const char *given = http_header(request, "If-None-Match");

	return given && (strcmp(given, "*") == 0 || strstr(given, tag + 2)); /* without the W/ */
}

void http_reply_tagged(struct http_request *request, const char *type, struct buffer *body)
{
	char tag[48];

	if (body->error) {
		http_reply_buffer(request, 500, type, body);
		return;
	}
	make_tag(body, tag, sizeof(tag));
	http_add_header(request, "ETag", tag);
	http_add_header(request, "Cache-Control", "private, no-cache");
	if (has_it(request, tag)) {
		buffer_done(body);
		http_reply(request, 304, NULL, "", 0);
		return;
	}
	http_reply_buffer(request, 200, type, body);
}

static void error_json(struct http_request *request, unsigned status, const char *text)
{
	cJSON *object = cJSON_CreateObject();
	char *json;

	cJSON_AddStringToObject(object, "error", text);
	json = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	http_reply(request, status, "application/json", json ? json : "{}", json ? strlen(json) : 2);
	cJSON_free(json);
}

void http_error(struct http_request *request, unsigned status, const char *format, ...)
{
	const struct http_settings *settings = &request->http->settings;
	struct buffer page = BUFFER_EMPTY;
	va_list arguments;
	char text[512];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (http_wants_json(request)) {
		error_json(request, status, text);
		return;
	}
	if (settings->error_page && settings->error_page(request, status, text, &page, settings->context) >= 0) {
		http_reply_buffer(request, status, "text/html; charset=utf-8", &page);
		return;
	}
	buffer_clear(&page);
	buffer_printf(&page, "%u: %s\n", status, text);
	http_reply_buffer(request, status, "text/plain; charset=utf-8", &page);
}

void http_redirect(struct http_request *request, const char *path)
{
	bool ours = path[0] == '/' && path[1] != '/' && path[1] != '\\';

	if (!ours || http_add_header(request, "Location", path) < 0)
		http_add_header(request, "Location", "/");
	http_reply(request, 303, "text/plain; charset=utf-8", "", 0);
}
