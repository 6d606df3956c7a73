/* What was asked, taken apart: path, query, form. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_internal.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of one character by its first byte, and the least that so many bytes may say. */
bool http_valid_utf8(const char *text)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		unsigned len = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
		unsigned code = len == 1 ? *at : *at & (0x7fU >> len);

		if (!len)
			return false;
		for (unsigned i = 1; i < len; i++) {
			if (at[i] >> 6 != 2)
				return false;
			code = code << 6 | (at[i] & 0x3fU);
		}
		if (code < least[len] || code > 0x10ffff || code >> 11 == 27) /* 27: surrogates */
			return false;
		at += len;
	}
	return true;
}

bool http_decode(char *text, bool plus)
{
	char *out = text;

	for (const char *at = text; *at; at++) {
		if (*at == '%') {
			int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);

			if (low < 0 || (high | low) == 0)
				return false;
			*out++ = (char)(high << 4 | low);
			at += 2;
		} else {
			*out++ = plus && *at == '+' ? ' ' : *at;
		}
	}
	*out = '\0';
	return http_valid_utf8(text);
}

/* Takes the text over. */
static bool parse_fields(struct http_fields *fields, char *text)
{
	char *rest = text, *pair;

	fields->text = text;
	while ((pair = strsep(&rest, "&"))) {
		char *value = strchr(pair, '=');

		if (!*pair)
			continue;
		if (fields->count == HTTP_FIELDS_MAX)
			return false;
		if (value)
			*value++ = '\0';
		else
			value = pair + strlen(pair);
		if (!http_decode(pair, true) || !http_decode(value, true))
			return false;
		fields->list[fields->count++] = (struct http_field){ pair, value };
	}
	return true;
}

static const char *find_field(const struct http_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (!strcmp(fields->list[i].name, name))
			return fields->list[i].value;
	return NULL;
}

static bool split_path(struct http_request *request)
{
	char *rest = request->words + 1, *segment;

	if (!*rest)
		return true;
	while ((segment = strsep(&rest, "/"))) {
		if (request->segment_count == HTTP_SEGMENTS_MAX)
			return false;
		request->raw_offset[request->segment_count] = (size_t)(segment - request->words);
		request->segments[request->segment_count++] = segment;
	}
	for (size_t i = 0; i < request->segment_count; i++)
		if (!http_decode(request->segments[i], false))
			return false;
	return true;
}

struct http_request *http_request_new(struct http *http, const char *target)
{
	struct http_request *request = calloc(1, sizeof(*request));
	size_t path_len = strcspn(target, "?");
	char *query = NULL;

	if (!request)
		return NULL;
	request->http = http;
	request->body.limit = HTTP_BODY_MAX;
	request->target = strdup(target);
	request->path = strndup(target, path_len);
	request->words = strndup(target, path_len);
	if (target[path_len])
		query = strdup(target + path_len + 1);
	if (!request->target || !request->path || !request->words || (target[path_len] && !query)) {
		free(query);
		http_request_free(request);
		return NULL;
	}
	if (query && !parse_fields(&request->query, query))
		request->error = 400;
	if (target[0] != '/' || !split_path(request) || !http_decode(request->path, false))
		request->error = 400;
	return request;
}

void http_request_free(struct http_request *request)
{
	if (!request)
		return;
	for (size_t i = 0; i < request->header_count; i++) {
		free((char *)request->headers[i].name);
		free((char *)request->headers[i].value);
	}
	buffer_done(&request->body);
	free(request->query.text);
	free(request->form.text);
	free(request->rest);
	free(request->words);
	free(request->path);
	free(request->target);
	free(request);
}

void http_request_parse_form(struct http_request *request)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = http_header(request, "Content-Type");
	char *text;

	if (!type || strncasecmp(type, form, sizeof(form) - 1) || !request->body.len)
		return;
	text = strdup(buffer_text(&request->body));
	if (!text)
		request->error = 503;
	else if (!parse_fields(&request->form, text) || strlen(buffer_text(&request->body)) < request->body.len)
		request->error = 400;
}

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->path;
}

const char *http_target(const struct http_request *request)
{
	return request->target;
}

const char *http_client(const struct http_request *request)
{
	return request->client;
}

bool http_is_secure(const struct http_request *request)
{
	return request->secure;
}

const char *http_query(const struct http_request *request, const char *name)
{
	return find_field(&request->query, name);
}

const char *http_form(const struct http_request *request, const char *name)
{
	return find_field(&request->form, name);
}

const char *http_param(const struct http_request *request, const char *name)
{
	size_t len = strlen(name);

	if (!strcmp(name, "*"))
		return request->rest;
	for (size_t i = 0; i < request->param_count; i++) {
		const char *own = request->params[i].name;

		if (!strncmp(own, name, len) && (own[len] == '/' || !own[len]))
			return request->params[i].value;
	}
	return NULL;
}

const char *http_body(const struct http_request *request, size_t *ret_len)
{
	*ret_len = request->body.len;
	return buffer_text(&request->body);
}

bool http_wants_json(const struct http_request *request)
{
	const char *accept = http_header(request, "Accept");

	if (!strncmp(request->path, "/api/", 5))
		return true;
	return accept && strstr(accept, "application/json") && !strstr(accept, "text/html");
}
