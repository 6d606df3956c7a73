/* A reverse proxy before us: whose word we take, and what it says of the client. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_internal.h"

static bool is_trusted(const char *list, const char *address, size_t len)
{
	for (const char *at = list; *at;) {
		size_t word = strcspn(at, " ,");

		if (word == len && strncmp(at, address, len) == 0)
			return true;
		at += word;
		at += strspn(at, " ,");
	}
	return false;
}

void http_look_behind_proxy(struct http_request *request)
{
	const char *list = request->http->settings.trusted_proxy;
	const char *chain = http_header(request, "X-Forwarded-For"), *protocol = http_header(request, "X-Forwarded-Proto");
	size_t end;

	if (!list || !is_trusted(list, request->client, strlen(request->client)))
		return;
	request->secure = protocol && strcasecmp(protocol, "https") == 0;
	/* Each proxy adds whom it saw at the end; before the last one that is trusted, anybody may have written anything. */
	for (end = chain ? strlen(chain) : 0; end;) {
		size_t begin = end, len;
		char address[INET6_ADDRSTRLEN];
		unsigned char bytes[sizeof(struct in6_addr)];

		while (begin && chain[begin - 1] != ',')
			begin--;
		len = end - begin;
		end = begin ? begin - 1 : 0;
		while (len && chain[begin] == ' ')
			begin++, len--;
		while (len && chain[begin + len - 1] == ' ')
			len--;
		if (!len || len >= sizeof(address))
			return;
		snprintf(address, sizeof(address), "%.*s", (int)len, chain + begin);
		if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
			return;
		strcpy(request->client, address);
		if (!is_trusted(list, address, len))
			return;
	}
}
