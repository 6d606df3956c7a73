/* A browser's side of a server that runs on the same loop, for the tests of webd. Include cmocka.h before. */
#pragma once

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../webd/http.h"

static inline int client_connect(const struct http *http)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(http_port(http)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* Sends a request ("GET /x HTTP/1.1"; 1.0 for a stream without chunks); the body's length is told in a header. */
static inline void client_send(int fd, const char *line, const char *headers, const char *body)
{
	char request[4096];
	int len = snprintf(request, sizeof(request), "%s\r\nHost: foyer\r\nContent-Length: %zu\r\n%s\r\n%s", line, strlen(body),
			   headers, body);

	assert_true(len > 0 && (size_t)len < sizeof(request));
	assert_int_equal(len, send(fd, request, (size_t)len, MSG_NOSIGNAL));
}

/* Runs the loop and reads until `until` is there, or the end ("" means the end); at most for 20 seconds. */
static inline const char *client_receive(sd_event *event, int fd, const char *until)
{
	static char text[65536];
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < 2000 && !(*until && strstr(text, until)); i++) {
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);

		if (n == 0)
			break;
		if (n < 0)
			assert_true(sd_event_run(event, 10000) >= 0);
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
	}
	return text;
}

static inline const char *client_ask(sd_event *event, const struct http *http, const char *line, const char *headers,
				     const char *body)
{
	char full[1024], more[1024];
	const char *reply;
	int fd = client_connect(http);

	snprintf(full, sizeof(full), "%s HTTP/1.1", line);
	snprintf(more, sizeof(more), "Connection: close\r\n%s", headers);
	client_send(fd, full, more, body);
	reply = client_receive(event, fd, "");
	close(fd);
	return reply;
}

static inline void assert_has(const char *part, const char *reply)
{
	if (!strstr(reply, part))
		fail_msg("no \"%s\" in:\n%s", part, reply);
}
