/* From a request to its handler. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

/* Whether the path fits a pattern; params are then filled. */
static bool fits(struct http_request *request, const char *pattern)
{
	const char *at = pattern + 1; /* behind the slash */
	size_t i = 0;

	request->param_count = 0;
	for (; *at; i++) {
		size_t len = strcspn(at, "/");

		if (len == 1 && *at == '*') {
			if (i >= request->segment_count)
				return false;
			free(request->rest);
			request->rest = strdup(request->target + request->raw_offset[i]);
			if (!request->rest)
				return false;
			request->rest[strcspn(request->rest, "?")] = '\0';
			return http_decode(request->rest, false);
		}
		if (i >= request->segment_count)
			return false;
		if (*at == ':' && request->segments[i][0] && request->param_count < HTTP_PARAMS_MAX)
			request->params[request->param_count++] = (struct http_field){ at + 1, request->segments[i] };
		else if (strlen(request->segments[i]) != len || strncmp(request->segments[i], at, len))
			return false;
		at += len;
		at += *at == '/';
	}
	return i == request->segment_count;
}

static void refuse_method(struct http_request *request, const char *allowed)
{
	http_add_header(request, "Allow", allowed);
	http_error(request, 405, "this address takes %s, not what was asked", allowed);
}

static const struct http_route *find_route(struct http_request *request, char *allowed, size_t size)
{
	const struct http_route *route = request->http->settings.routes;
	size_t len = 0;

	allowed[0] = '\0';
	for (; route->method; route++) {
		int n;

		if (!fits(request, route->pattern))
			continue;
		if (!strcmp(route->method, request->method))
			return route;
		n = snprintf(allowed + len, size - len, "%s%s%s", len ? ", " : "", route->method,
			     strcmp(route->method, "GET") ? "" : ", HEAD");
		len = (size_t)n < size - len ? len + (size_t)n : len;
	}
	return NULL;
}

bool http_same_origin(const struct http_request *request)
{
	const char *site = http_header(request, "Sec-Fetch-Site");
	const char *origin = http_header(request, "Origin");
	const char *host = http_header(request, "Host");
	const char *behind;

	if (site)
		return !strcmp(site, "same-origin") || !strcmp(site, "none");
	if (!origin)
		return true; /* no browser, so nobody's session is borrowed */
	behind = strstr(origin, "://");
	return behind && host && !strcmp(behind + 3, host);
}

void http_dispatch(struct http_request *request)
{
	const struct http_settings *settings = &request->http->settings;
	const struct http_route *route;
	char allowed[64];

	request->dispatched = true;
	http_request_parse_form(request);
	if (request->error == 413) {
		http_error(request, 413, "the body is over %d bytes", HTTP_BODY_MAX);
		return;
	}
	if (request->error) {
		http_error(request, (unsigned)request->error,
			   "the address or the form is not UTF-8, is wrongly encoded or has too many fields");
		return;
	}
	route = find_route(request, allowed, sizeof(allowed));
	if (!route && allowed[0])
		refuse_method(request, allowed);
	else if (!route)
		http_error(request, 404, "there is nothing at this address");
	else if (strcmp(request->method, "GET") && !http_same_origin(request))
		http_error(request, 403, "this came from a page of another site");
	else if (!settings->guard || settings->guard(request, route->need, settings->context))
		route->handler(request, settings->context);
}
