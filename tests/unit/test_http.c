/* links: webd/http.c webd/http_proxy.c webd/http_tls.c webd/http_request.c webd/http_route.c webd/http_reply.c webd/http_connection.c webd/http_stream.c webd/static.c */
/* A server and its clients on one loop, on a port that the kernel chooses. Expectations are from RFC 9110 and RFC 3986. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../webd/static.h"

struct fixture {
	sd_event *event;
	struct http *http;
	struct static_files *files;
	char folder[64];
	struct http_request *waiting;
	struct http_stream *stream;
	unsigned closed, cancelled, revision;
	size_t to_pull, pulls; /* bytes that the pulled stream still gives; how often it was asked */
};

static void show(struct http_request *request, void *context)
{
	struct buffer text = BUFFER_EMPTY;
	const char *node = http_param(request, "node"), *q = http_query(request, "q");

	(void)context;
	buffer_printf(&text, "node=%s q=%s", node ? node : "-", q ? q : "-");
	http_reply_buffer(request, 200, "text/plain; charset=utf-8", &text);
}

static void post(struct http_request *request, void *context)
{
	const char *a = http_form(request, "a");

	(void)context;
	http_reply(request, 200, "text/plain", a ? a : "-", a ? strlen(a) : 1);
}

static void cancelled(struct http_request *request, void *data)
{
	struct fixture *fixture = data;

	(void)request;
	fixture->cancelled++;
}

static void later(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	fixture->waiting = request;
	http_later(request, cancelled, fixture);
}

static void closed(struct http_stream *stream, void *data)
{
	struct fixture *fixture = data;

	assert_ptr_equal(fixture->stream, stream);
	fixture->stream = NULL;
	fixture->closed++;
}

static void who(struct http_request *request, void *context)
{
	struct buffer text = BUFFER_EMPTY;

	(void)context;
	buffer_printf(&text, "from %s%s", http_client(request), http_is_secure(request) ? " by HTTPS" : "");
	http_reply_buffer(request, 200, "text/plain", &text);
}

static void tagged(struct http_request *request, void *context)
{
	const struct fixture *fixture = context;
	struct buffer text = BUFFER_EMPTY;

	buffer_printf(&text, "revision %u", fixture->revision);
	http_reply_tagged(request, "text/plain", &text);
}

static ssize_t pull(void *data, char *buf, size_t max)
{
	struct fixture *fixture = data;
	size_t len = fixture->to_pull < max ? fixture->to_pull : max;

	memset(buf, 'p', len);
	fixture->to_pull -= len;
	fixture->pulls++;
	return (ssize_t)len;
}

static void pulled(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	fixture->stream = http_stream_open_pulled(request, "multipart/x-mixed-replace; boundary=x", pull, closed, fixture);
}

static void live(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	fixture->stream = http_stream_open(request, closed, fixture);
}

static void file(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	static_reply(fixture->files, request);
}

static const struct http_route routes[] = {
	{ "GET", "/", show, 0 },
	{ "GET", "/node/:node", show, 0 },
	{ "POST", "/form", post, 0 },
	{ "GET", "/later", later, 0 },
	{ "GET", "/live", live, 0 },
	{ "GET", "/static/*", file, 0 },
	{ "POST", "/api/form", post, 0 },
	{ "GET", "/who", who, 0 },
	{ "GET", "/tagged", tagged, 0 },
	{ "GET", "/pulled", pulled, 0 },
	{ 0 },
};

static int set_up_behind(void **state, const char *trusted_proxy)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct http_settings settings = {
		.address = "127.0.0.1", .routes = routes, .context = fixture, .trusted_proxy = trusted_proxy
	};
	char path[128];
	FILE *out;

	*state = fixture;
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/foyer-http-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.css", fixture->folder);
	out = fopen(path, "w");
	if (!out || fputs("body{}", out) < 0 || fclose(out))
		return -1;
	snprintf(path, sizeof(path), "%s/link", fixture->folder);
	if (symlink("/etc/passwd", path) < 0 || sd_event_new(&fixture->event) < 0 || static_open(&fixture->files) < 0 ||
	    static_mount(fixture->files, "/static/", fixture->folder) < 0)
		return -1;
	return http_open(&settings, fixture->event, &fixture->http);
}

static int set_up(void **state)
{
	return set_up_behind(state, NULL);
}

static int set_up_proxy(void **state)
{
	return set_up_behind(state, "127.0.0.1 192.0.2.1, 2001:db8::1");
}

static int set_up_other_proxy(void **state)
{
	return set_up_behind(state, "192.0.2.1 127.0.0.11");
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];
	int r;

	http_close(fixture->http);
	static_close(fixture->files);
	sd_event_unref(fixture->event);
	snprintf(command, sizeof(command), "rm -r %s", fixture->folder);
	r = system(command);
	free(fixture);
	return r;
}

static int connect_to(const struct fixture *fixture)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(http_port(fixture->http)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static void turn(const struct fixture *fixture)
{
	assert_true(sd_event_run(fixture->event, 10000) >= 0);
}

/* Reads until `until` is there, or the end ("" means the end); at most ten seconds. */
static const char *receive(const struct fixture *fixture, int fd, const char *until)
{
	static char text[16384];
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < 1000 && !(*until && strstr(text, until)); i++) {
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);

		if (n == 0)
			break;
		if (n < 0)
			turn(fixture);
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
	}
	return text;
}

static const char *ask(const struct fixture *fixture, const char *line, const char *headers, const char *body)
{
	char request[1024];
	const char *reply;
	int fd = connect_to(fixture);
	int len = snprintf(request, sizeof(request),
			   "%s HTTP/1.1\r\nHost: foyer\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s", line, strlen(body),
			   headers, body);

	assert_int_equal(len, send(fd, request, (size_t)len, MSG_NOSIGNAL));
	reply = receive(fixture, fd, "");
	close(fd);
	return reply;
}

static void assert_has(const char *part, const char *reply)
{
	if (!strstr(reply, part))
		fail_msg("no \"%s\" in:\n%s", part, reply);
}

static void paths_and_queries_are_decoded_and_hostile_ones_refused(void **state)
{
	const struct fixture *fixture = *state;

	assert_has("node=salon q=\xc3\xa9 x", ask(fixture, "GET /node/sal%6fn?q=%C3%A9+x", "", ""));
	assert_has("node=a/b q=-", ask(fixture, "GET /node/a%2Fb", "", ""));
	assert_has(" 400 ", ask(fixture, "GET /node/a%00b", "", ""));
	assert_has(" 400 ", ask(fixture, "GET /node/%ff", "", ""));
	assert_has(" 400 ", ask(fixture, "GET /?q=%zz", "", ""));
	assert_has(" 400 ", ask(fixture, "GET /?q=%c0%af", "", ""));
}

static void unknown_paths_and_methods_are_told_apart(void **state)
{
	const struct fixture *fixture = *state;

	assert_has(" 404 ", ask(fixture, "GET /nowhere", "", ""));
	assert_has(" 404 ", ask(fixture, "GET /node/", "", ""));
	assert_has("{\"error\":", ask(fixture, "GET /api/nowhere", "", ""));
	assert_has(" 405 ", ask(fixture, "DELETE /form", "", ""));
	assert_has("Allow: POST\r\n", ask(fixture, "GET /form", "", ""));
	assert_has("Allow: GET, HEAD\r\n", ask(fixture, "POST /", "", ""));
}

static void a_head_has_the_headers_of_a_get_without_its_body(void **state)
{
	const char *reply = ask(*state, "HEAD /", "", "");

	assert_has("Content-Length: 10\r\n", reply);
	assert_null(strstr(reply, "node="));
}

static void every_reply_has_careful_headers(void **state)
{
	static const char *const lines[] = { "GET /", "GET /nowhere", "GET /api/nowhere", "GET /static/a.css" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *reply = ask(*state, lines[i], "", "");

		assert_has("Content-Security-Policy: default-src 'self'", reply);
		assert_has("X-Content-Type-Options: nosniff\r\n", reply);
		assert_has("frame-ancestors 'none'", reply);
		assert_has("Referrer-Policy: same-origin\r\n", reply);
		assert_null(strstr(reply, "unsafe-inline"));
	}
}

static void a_form_from_another_site_is_refused(void **state)
{
	static const char form[] = "Content-Type: application/x-www-form-urlencoded\r\n";
	const struct fixture *fixture = *state;
	char headers[256];

	assert_has("b c!", ask(fixture, "POST /form", form, "x=1&a=b+c%21"));
	snprintf(headers, sizeof(headers), "%sOrigin: http://foyer\r\n", form);
	assert_has(" 200 ", ask(fixture, "POST /form", headers, "a=1"));
	snprintf(headers, sizeof(headers), "%sOrigin: http://elsewhere\r\n", form);
	assert_has(" 403 ", ask(fixture, "POST /form", headers, "a=1"));
	snprintf(headers, sizeof(headers), "%sSec-Fetch-Site: cross-site\r\n", form);
	assert_has(" 403 ", ask(fixture, "POST /form", headers, "a=1"));
	assert_has(" 400 ", ask(fixture, "POST /form", form, "a=%ff"));
}

static void a_body_over_64_kib_is_413(void **state)
{
	static const char head[] = "POST /api/form HTTP/1.1\r\nHost: foyer\r\nContent-Length: 65537\r\n\r\n";
	const struct fixture *fixture = *state;
	int fd = connect_to(fixture);

	assert_true(send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) > 0);
	assert_has(" 413 ", receive(fixture, fd, "{\"error\""));
	close(fd);
}

static void files_have_tags_and_nothing_outside_is_reached(void **state)
{
	const struct fixture *fixture = *state;
	const char *reply = ask(fixture, "GET /static/a.css", "", ""), *tag;
	char headers[128];

	assert_has("Content-Type: text/css; charset=utf-8\r\n", reply);
	assert_has("body{}", reply);
	tag = strstr(reply, "ETag: ");
	assert_non_null(tag);
	snprintf(headers, sizeof(headers), "If-None-Match: %.*s\r\n", (int)strcspn(tag + 6, "\r"), tag + 6);
	assert_has(" 304 ", ask(fixture, "GET /static/a.css", headers, ""));
	assert_has(" 404 ", ask(fixture, "GET /static/link", "", ""));
	assert_has(" 404 ", ask(fixture, "GET /static/../../../etc/passwd", "", ""));
	assert_has(" 404 ", ask(fixture, "GET /static/%2e%2e/%2e%2e/etc/passwd", "", ""));
	assert_has(" 404 ", ask(fixture, "GET /static/..%2f..%2fetc%2fpasswd", "", ""));
	assert_has(" 405 ", ask(fixture, "POST /static/a.css", "", ""));
}

static void a_reply_may_come_later(void **state)
{
	static const char head[] = "GET /later HTTP/1.1\r\nHost: foyer\r\n\r\n";
	struct fixture *fixture = *state;
	int fd = connect_to(fixture);

	assert_true(send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) > 0);
	while (!fixture->waiting)
		turn(fixture);
	http_reply(fixture->waiting, 200, "text/plain", "now", 3);
	assert_has("\r\n\r\nnow", receive(fixture, fd, "now"));
	assert_int_equal(0, fixture->cancelled);
	close(fd);
}

static void a_reply_owed_at_the_end_is_cancelled(void **state)
{
	static const char head[] = "GET /later HTTP/1.1\r\nHost: foyer\r\n\r\n";
	struct fixture *fixture = *state;
	int fd = connect_to(fixture);

	assert_true(send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) > 0);
	while (!fixture->waiting)
		turn(fixture);
	http_close(fixture->http);
	fixture->http = NULL;
	assert_int_equal(1, fixture->cancelled);
	close(fd);
}

static int open_stream(struct fixture *fixture)
{
	static const char head[] = "GET /live HTTP/1.1\r\nHost: foyer\r\n\r\n";
	int fd = connect_to(fixture);

	assert_true(send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) > 0);
	while (!fixture->stream)
		turn(fixture);
	return fd;
}

static void a_stream_sends_events_until_its_client_leaves(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_stream(fixture);

	assert_has("text/event-stream", receive(fixture, fd, "\r\n\r\n"));
	assert_int_equal(0, http_stream_send(fixture->stream, "data: 1\n\n", 9));
	assert_has("data: 1\n\n", receive(fixture, fd, "data: 1\n\n"));
	assert_int_equal(0, http_stream_send(fixture->stream, "data: 2\n\n", 9));
	assert_has("data: 2\n\n", receive(fixture, fd, "data: 2\n\n"));
	close(fd);
	while (!fixture->closed)
		turn(fixture);
	assert_int_equal(1, fixture->closed);
}

static void a_stream_whose_client_does_not_read_is_closed(void **state)
{
	static char block[8192];
	struct fixture *fixture = *state;
	int fd = open_stream(fixture);

	memset(block, 'x', sizeof(block));
	while (fixture->stream) {
		http_stream_send(fixture->stream, block, sizeof(block));
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
	}
	assert_int_equal(1, fixture->closed);
	close(fd);
}

/* ---- behind a proxy ---------------------------------------------------------------------------------------------------------- */

static void a_trusted_proxy_tells_the_client(void **state)
{
	static const char *const heads[][2] = {
		{ "", "from 127.0.0.1" },
		{ "X-Forwarded-For: 203.0.113.5\r\n", "from 203.0.113.5" },
		{ "X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-Proto: https\r\n", "from 203.0.113.5 by HTTPS" },
		{ "X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-Proto: http\r\n", "from 203.0.113.5" },
		{ "X-Forwarded-For: 2001:db8::7\r\n", "from 2001:db8::7" },
		/* The last one is whom the proxy saw; what is before it anybody may have written. */
		{ "X-Forwarded-For: 10.0.0.1, 203.0.113.5\r\n", "from 203.0.113.5" },
		{ "X-Forwarded-For: 10.0.0.1,203.0.113.5 , 192.0.2.1\r\n", "from 203.0.113.5" },
		{ "X-Forwarded-For: 203.0.113.5, 2001:db8::1, 192.0.2.1\r\n", "from 203.0.113.5" },
		{ "X-Forwarded-For: 192.0.2.1\r\n", "from 192.0.2.1" },
		{ "X-Forwarded-For: unknown\r\n", "from 127.0.0.1" },
		{ "X-Forwarded-For: 203.0.113.5, unknown\r\n", "from 127.0.0.1" },
		{ "X-Forwarded-For: 203.0.113.5,\r\n", "from 127.0.0.1" },
		{ "X-Forwarded-For: ,,,\r\n", "from 127.0.0.1" },
		{ "X-Forwarded-For: 203.0.113.5:4711\r\n", "from 127.0.0.1" },
		{ "X-Forwarded-For: <script>alert(1)</script>\r\n", "from 127.0.0.1" },
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		const char *reply = ask(*state, "GET /who", heads[i][0], ""), *body = strstr(reply, "\r\n\r\n");

		assert_non_null(body);
		assert_string_equal(heads[i][1], body + 4);
	}
}

static void a_stranger_is_not_believed(void **state)
{
	const char *reply = ask(*state, "GET /who", "X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-Proto: https\r\n", "");

	assert_string_equal("from 127.0.0.1", strstr(reply, "from "));
}

/* ---- tags of what is made ------------------------------------------------------------------------------------------------------ */

static void what_a_client_has_already_is_not_sent_again(void **state)
{
	struct fixture *fixture = *state;
	const char *reply = ask(fixture, "GET /tagged", "", ""), *at = strstr(reply, "ETag: ");
	char tag[64], headers[160];

	assert_non_null(at);
	snprintf(tag, sizeof(tag), "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
	assert_has("Cache-Control: private, no-cache\r\n", reply);
	snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n", tag);
	reply = ask(fixture, "GET /tagged", headers, "");
	assert_has(" 304 ", reply);
	assert_has(tag, reply);
	assert_null(strstr(reply, "revision"));
	snprintf(headers, sizeof(headers), "If-None-Match: \"x\", W/%s\r\n", tag);
	assert_has(" 304 ", ask(fixture, "HEAD /tagged", headers, ""));
	assert_has(" 304 ", ask(fixture, "GET /tagged", "If-None-Match: *\r\n", ""));
	assert_has("revision 0", ask(fixture, "GET /tagged", "If-None-Match: \"x\"\r\n", ""));
	fixture->revision++;
	snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n", tag);
	assert_has("revision 1", ask(fixture, "GET /tagged", headers, ""));
}

/* ---- streams that are pulled ---------------------------------------------------------------------------------------------------- */

static int open_pulled(struct fixture *fixture)
{
	static const char head[] = "GET /pulled HTTP/1.1\r\nHost: foyer\r\n\r\n";
	int fd = connect_to(fixture);

	assert_true(send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) > 0);
	while (!fixture->stream)
		turn(fixture);
	return fd;
}

static void a_pulled_stream_sleeps_until_it_is_woken(void **state)
{
	struct fixture *fixture = *state;
	size_t pulls;
	int fd = open_pulled(fixture);

	assert_has("multipart/x-mixed-replace; boundary=x", receive(fixture, fd, "\r\n\r\n"));
	while (!fixture->pulls)
		turn(fixture);
	pulls = fixture->pulls;
	for (int i = 0; i < 20; i++) /* nothing to give: it is not asked all the time */
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
	assert_true(fixture->pulls <= pulls + 1);
	fixture->to_pull = 3;
	http_stream_wake(fixture->stream);
	assert_has("ppp", receive(fixture, fd, "ppp"));
	fixture->to_pull = 5;
	http_stream_wake(fixture->stream);
	assert_has("ppppp", receive(fixture, fd, "ppppp"));
	http_stream_close(fixture->stream);
	while (!fixture->closed)
		turn(fixture);
	close(fd);
}

static void who_does_not_read_pulls_no_more_than_fits(void **state)
{
	struct fixture *fixture = *state;
	size_t left;
	int fd, small = 4096;

	fd = open_pulled(fixture);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	fixture->to_pull = (size_t)1 << 30;
	http_stream_wake(fixture->stream);
	do { /* until nothing moves any more */
		left = fixture->to_pull;
		for (int i = 0; i < 50; i++)
			assert_true(sd_event_run(fixture->event, 2000) >= 0);
	} while (left != fixture->to_pull);
	assert_true(fixture->to_pull > ((size_t)1 << 30) - (32 << 20)); /* the kernel's buffers, not a gigabyte of ours */
	assert_non_null(fixture->stream);                               /* and it is not sent away for it */
	assert_has(" 200 ", ask(fixture, "GET /", "", ""));             /* others are served */
	close(fd);
	while (!fixture->closed)
		turn(fixture);
}

#define WITH_PROXY(test) cmocka_unit_test_setup_teardown(test, set_up_proxy, tear_down)
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(paths_and_queries_are_decoded_and_hostile_ones_refused),
		WITH_SERVER(unknown_paths_and_methods_are_told_apart),
		WITH_SERVER(a_head_has_the_headers_of_a_get_without_its_body),
		WITH_SERVER(every_reply_has_careful_headers),
		WITH_SERVER(a_form_from_another_site_is_refused),
		WITH_SERVER(a_body_over_64_kib_is_413),
		WITH_SERVER(files_have_tags_and_nothing_outside_is_reached),
		WITH_SERVER(a_reply_may_come_later),
		WITH_SERVER(a_reply_owed_at_the_end_is_cancelled),
		WITH_SERVER(a_stream_sends_events_until_its_client_leaves),
		WITH_SERVER(a_stream_whose_client_does_not_read_is_closed),
		WITH_PROXY(a_trusted_proxy_tells_the_client),
		WITH_SERVER(a_stranger_is_not_believed),
		cmocka_unit_test_setup_teardown(a_stranger_is_not_believed, set_up_other_proxy, tear_down),
		WITH_SERVER(what_a_client_has_already_is_not_sent_again),
		WITH_SERVER(a_pulled_stream_sleeps_until_it_is_woken),
		WITH_SERVER(who_does_not_read_pulls_no_more_than_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
