#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "camera_internal.h"

enum {
	READ_BYTES = 32 * 1024,
	ANSWER_MS = 10000, /* without a byte the camera is away */
	RESOLVE_MS = 50,   /* looked whether the name is known by now */
	RETRY_FIRST_MS = 1000,
	RETRY_LAST_MS = 30000,
	SINGLE_MS = 1000, /* a URL of a single picture is asked so often */
};

struct camera_upstream {
	struct camera *camera;
	sd_event_source *io, *timer;
	struct gaicb name; /* being resolved */
	bool resolving;
	struct addrinfo hints;
	char host[256], port[8], path[1024], user[256]; /* user: USER:PASSWORD */
	int fd;
	bool connecting;
	struct mjpeg mjpeg;
	int64_t retry_ms;
	char *sending; /* the request, while it is not sent whole */
	size_t sent, to_send;
};

static int on_timer(sd_event_source *source, uint64_t now_us, void *context);

static void arm(struct camera_upstream *upstream, int64_t span_ms)
{
	sd_event_source_set_time_relative(upstream->timer, (uint64_t)span_ms * 1000);
	sd_event_source_set_enabled(upstream->timer, SD_EVENT_ONESHOT);
}

/* ---- the URL ------------------------------------------------------------------------------------------------------------------------------------------ */

static int split_url(const char *url, struct camera_upstream *ret, char *reason)
{
	static const char scheme[] = "http://";
	const char *rest = url + sizeof(scheme) - 1, *path, *at, *colon;
	size_t host_len;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0) {
		snprintf(reason, 160, "allowed is http://HOST[:PORT]/PATH of an MJPEG stream or a JPEG");
		return -EINVAL;
	}
	path = rest + strcspn(rest, "/");
	at = memchr(rest, '@', (size_t)(path - rest));
	if (at) {
		snprintf(ret->user, sizeof(ret->user), "%.*s", (int)(at - rest), rest);
		rest = at + 1;
	}
	colon = rest[0] == '[' ? memchr(rest, ']', (size_t)(path - rest)) : rest;
	colon = colon ? memchr(colon, ':', (size_t)(path - colon)) : NULL;
	host_len = (size_t)((colon ? colon : path) - rest);
	if (rest[0] == '[' && host_len > 2) { /* an IPv6 address without its brackets */
		rest++;
		host_len -= 2;
	}
	if (!host_len || host_len >= sizeof(ret->host) || strlen(path) >= sizeof(ret->path) || strpbrk(url, " \t\r\n")) {
		snprintf(reason, 160, "its host is missing or too long, or it holds spaces; allowed is http://HOST[:PORT]/PATH");
		return -EINVAL;
	}
	snprintf(ret->host, sizeof(ret->host), "%.*s", (int)host_len, rest);
	snprintf(ret->port, sizeof(ret->port), "%.*s", colon ? (int)(path - colon - 1) : 2, colon ? colon + 1 : "80");
	if (!ret->port[0] || strspn(ret->port, "0123456789") != strlen(ret->port) || atoi(ret->port) < 1 ||
	    atoi(ret->port) > 65535) {
		snprintf(reason, 160, "its port is no number from 1 to 65535");
		return -EINVAL;
	}
	snprintf(ret->path, sizeof(ret->path), "%s", path[0] ? path : "/");
	return 0;
}

int camera_check_url(const char *url, char *reason)
{
	struct camera_upstream *parts = calloc(1, sizeof(*parts));
	int r = parts ? split_url(url, parts, reason) : -ENOMEM;

	free(parts);
	return r;
}

static void base64(const char *text, char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)text;
	size_t len = strlen(text);

	for (; len > 0; in += 3, len -= len < 3 ? len : 3) {
		unsigned word = (unsigned)in[0] << 16 | (len > 1 ? (unsigned)in[1] << 8 : 0) | (len > 2 ? in[2] : 0);

		*out++ = letters[word >> 18 & 63];
		*out++ = letters[word >> 12 & 63];
		*out++ = len > 1 ? letters[word >> 6 & 63] : '=';
		*out++ = len > 2 ? letters[word & 63] : '=';
	}
	*out = '\0';
}

static int make_request(struct camera_upstream *upstream)
{
	char code[sizeof(upstream->user) * 4 / 3 + 8], login[sizeof(code) + 32] = "";
	bool six = strchr(upstream->host, ':') != NULL;
	int len;

	free(upstream->sending);
	upstream->sending = NULL;
	if (upstream->user[0]) {
		base64(upstream->user, code);
		snprintf(login, sizeof(login), "Authorization: Basic %s\r\n", code);
	}
	len = asprintf(&upstream->sending,
		       "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\n%sAccept: multipart/x-mixed-replace, image/jpeg\r\nConnection: "
		       "close\r\n\r\n",
		       upstream->path, six ? "[" : "", upstream->host, six ? "]" : "", upstream->port, login);
	explicit_bzero(code, sizeof(code));
	explicit_bzero(login, sizeof(login));
	if (len < 0) {
		upstream->sending = NULL;
		return -ENOMEM;
	}
	upstream->sent = 0;
	upstream->to_send = (size_t)len;
	return 0;
}

/* ---- the connection -------------------------------------------------------------------------------------------------------------------------------------- */

static void hang_up(struct camera_upstream *upstream)
{
	upstream->io = sd_event_source_disable_unref(upstream->io);
	if (upstream->fd >= 0)
		close(upstream->fd);
	upstream->fd = -1;
	mjpeg_done(&upstream->mjpeg);
}

static void fail(struct camera_upstream *upstream, const char *error)
{
	hang_up(upstream);
	upstream->retry_ms = upstream->retry_ms ? upstream->retry_ms * 2 : RETRY_FIRST_MS;
	if (upstream->retry_ms > RETRY_LAST_MS)
		upstream->retry_ms = RETRY_LAST_MS;
	arm(upstream, upstream->retry_ms);
	camera_take_fault(upstream->camera, error);
}

static void on_picture(void *context, const void *bytes, size_t len)
{
	struct camera_upstream *upstream = context;

	upstream->retry_ms = 0;
	camera_take_picture(upstream->camera, bytes, len);
}

static int send_request(struct camera_upstream *upstream)
{
	while (upstream->sent < upstream->to_send) {
		ssize_t n =
			send(upstream->fd, upstream->sending + upstream->sent, upstream->to_send - upstream->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		upstream->sent += (size_t)n;
	}
	return sd_event_source_set_io_events(upstream->io, EPOLLIN);
}

static void receive(struct camera_upstream *upstream)
{
	static char bytes[READ_BYTES]; /* one loop, one reader at a time */
	ssize_t n = recv(upstream->fd, bytes, sizeof(bytes), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		fail(upstream, strerror(errno));
	} else if (n == 0 && mjpeg_end(&upstream->mjpeg)) {
		hang_up(upstream);
		arm(upstream, SINGLE_MS);
	} else if (n == 0) {
		fail(upstream, "it has hung up");
	} else if (mjpeg_take(&upstream->mjpeg, bytes, (size_t)n) < 0) {
		char error[96];

		snprintf(error, sizeof(error), "%s", upstream->mjpeg.error);
		fail(upstream, error);
	} else if (upstream->mjpeg.whole) { /* not every camera hangs up by itself */
		hang_up(upstream);
		arm(upstream, SINGLE_MS);
	} else {
		arm(upstream, ANSWER_MS);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct camera_upstream *upstream = context;
	int error = 0, r = 0;
	socklen_t len = sizeof(error);

	(void)source;
	(void)events;
	if (upstream->connecting) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
		upstream->connecting = false;
		if (error) {
			fail(upstream, strerror(error));
			return 0;
		}
	}
	if (upstream->sent < upstream->to_send)
		r = send_request(upstream);
	if (r < 0)
		fail(upstream, strerror(-r));
	else if (upstream->sent == upstream->to_send)
		receive(upstream);
	return 0;
}

static void connect_to(struct camera_upstream *upstream, const struct addrinfo *address)
{
	int r;

	upstream->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = upstream->fd < 0 ? -errno : 0;
	if (r == 0 && connect(upstream->fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)
		r = -errno;
	if (r == 0)
		r = make_request(upstream);
	if (r == 0)
		r = sd_event_add_io(upstream->camera->cameras->event, &upstream->io, upstream->fd, EPOLLOUT, on_io, upstream);
	if (r < 0) {
		fail(upstream, strerror(-r));
		return;
	}
	upstream->connecting = true;
	mjpeg_init(&upstream->mjpeg, on_picture, upstream);
	arm(upstream, ANSWER_MS);
}

/* ---- the name ---------------------------------------------------------------------------------------------------------------------------------------------- */

/* A name server may take seconds: the library asks it on a thread of its own, and we look now and then. */
static void resolve(struct camera_upstream *upstream)
{
	struct gaicb *list[] = { &upstream->name };

	upstream->hints = (struct addrinfo){ .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	upstream->name = (struct gaicb){ .ar_name = upstream->host, .ar_service = upstream->port, .ar_request = &upstream->hints };
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
		fail(upstream, "its name can't be looked up");
		return;
	}
	upstream->resolving = true;
	arm(upstream, RESOLVE_MS / 10);
}

static void look_up(struct camera_upstream *upstream)
{
	int r = gai_error(&upstream->name);

	if (r == EAI_INPROGRESS) {
		arm(upstream, RESOLVE_MS);
		return;
	}
	upstream->resolving = false;
	if (r == 0)
		connect_to(upstream, upstream->name.ar_result);
	else
		fail(upstream, gai_strerror(r));
	if (upstream->name.ar_result)
		freeaddrinfo(upstream->name.ar_result);
	upstream->name.ar_result = NULL;
}

static int on_timer(sd_event_source *source, uint64_t now_us, void *context)
{
	struct camera_upstream *upstream = context;

	(void)source;
	(void)now_us;
	if (upstream->resolving)
		look_up(upstream);
	else if (upstream->fd >= 0)
		fail(upstream, upstream->connecting ? "it can't be reached" : "it sends nothing any more");
	else
		resolve(upstream);
	return 0;
}

int camera_upstream_open(struct camera *camera, struct camera_upstream **ret_upstream)
{
	struct camera_upstream *upstream = calloc(1, sizeof(*upstream));
	char reason[160];
	int r = -ENOMEM;

	if (upstream) {
		upstream->camera = camera;
		upstream->fd = -1;
		r = split_url(camera->settings->url, upstream, reason);
	}
	if (r == 0)
		r = sd_event_add_time_relative(camera->cameras->event, &upstream->timer, CLOCK_BOOTTIME, 0, 20000, on_timer,
					       upstream);
	if (r < 0) {
		camera_upstream_close(upstream);
		return r;
	}
	*ret_upstream = upstream;
	return 0;
}

void camera_upstream_close(struct camera_upstream *upstream)
{
	if (!upstream)
		return;
	if (upstream->resolving) {
		/* The library's thread may still write to it: asked to leave, else waited for. */
		const struct gaicb *list[] = { &upstream->name };

		if (gai_cancel(&upstream->name) == EAI_NOTCANCELED)
			while (gai_error(&upstream->name) == EAI_INPROGRESS)
				gai_suspend(list, 1, NULL);
		if (upstream->name.ar_result)
			freeaddrinfo(upstream->name.ar_result);
	}
	hang_up(upstream);
	sd_event_source_disable_unref(upstream->timer);
	free(upstream->sending);
	explicit_bzero(upstream->user, sizeof(upstream->user));
	free(upstream);
}
