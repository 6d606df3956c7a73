/* links: webd/live.c webd/json.c webd/http.c webd/http_proxy.c webd/http_tls.c webd/http_request.c webd/http_route.c webd/http_reply.c webd/http_connection.c webd/http_stream.c */
/* The event stream, with a real server and real connections. Its format is that of HTML Living Standard 9.2 (server-sent events). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../common/series.h"
#include "../../webd/live.h"
#include "web_client.h"

#define NOON INT64_C(1795521600000)

struct fixture {
	sd_event *event;
	struct http *http;
	struct live *live;
};

static void attach(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	live_attach(fixture->live, request, 0);
}

static const struct http_route routes[] = { { "GET", "/live", attach, 0 }, { 0 } };

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct http_settings settings = { .address = "127.0.0.1", .routes = routes, .context = fixture };

	*state = fixture;
	if (sd_event_new(&fixture->event) < 0 || live_open(fixture->event, &fixture->live) < 0)
		return -1;
	return http_open(&settings, fixture->event, &fixture->http);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_close(fixture->http);
	live_close(fixture->live);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

static void tell(const struct fixture *fixture, double number)
{
	struct reading reading = { .series = { "salon", "air", "temperature" }, .time_ms = NOON, .value = value_of_number(number) };

	live_reading(fixture->live, &reading);
}

/* Listens with a Last-Event-ID ("" without); the greeting is read. */
static int listen_from(const struct fixture *fixture, const char *last, char *ret_greeting, size_t size)
{
	char headers[128] = "";
	int fd = client_connect(fixture->http);

	if (*last)
		snprintf(headers, sizeof(headers), "Last-Event-ID: %s\r\n", last);
	client_send(fd, "GET /live HTTP/1.0", headers, "");
	snprintf(ret_greeting, size, "%s", client_receive(fixture->event, fd, "\"up\":"));
	return fd;
}

/* The last "id:" of a text. */
static void last_id(const char *text, char *ret_id, size_t size)
{
	const char *found = NULL;

	for (const char *at = strstr(text, "id: "); at; at = strstr(at + 1, "id: "))
		found = at + 4;
	assert_non_null(found);
	snprintf(ret_id, size, "%.*s", (int)strcspn(found, "\r\n"), found);
}

static void a_listener_hears_how_things_stand_and_what_happens(void **state)
{
	const struct fixture *fixture = *state;
	struct command_result result = {
		.series = { "salon", "lamp", "switch" }, .id = "7f", .ok = true, .has_value = true, .value = value_of_number(1)
	};
	struct reading badge = { .series = { "salon", "door", "badge" }, .time_ms = NOON };
	char greeting[4096];
	const char *text;
	int fd;

	live_broker(fixture->live, true);
	fd = listen_from(fixture, "", greeting, sizeof(greeting));
	assert_has("Content-Type: text/event-stream", greeting);
	assert_has("event: broker\ndata: {\"up\":true", greeting);
	assert_null(strstr(greeting, "event: reset"));
	assert_int_equal(1, live_listeners(fixture->live));
	tell(fixture, 21.4);
	assert_int_equal(0, value_of_text("a\"<b\\", 5, &badge.value));
	live_reading(fixture->live, &badge);
	live_node(fixture->live, "salon", false, NOON);
	live_result(fixture->live, &result, 12);
	result.ok = result.has_value = false;
	strcpy(result.error, "over 180");
	live_result(fixture->live, &result, -1);
	live_broker(fixture->live, false);
	text = client_receive(fixture->event, fd, "\"up\":false");
	assert_has("event: reading\ndata: {\"series\":\"salon/air/temperature\",\"time\":1795521600000,\"value\":21.4}\n\n", text);
	assert_has("\"value\":\"a\\\"\\u003cb\\\\\"}", text);
	assert_has("event: node\ndata: {\"node\":\"salon\",\"status\":\"offline\",\"time\":1795521600000}\n\n", text);
	assert_has("event: result\ndata: "
		   "{\"series\":\"salon/lamp/switch\",\"id\":\"7f\",\"ok\":true,\"value\":1,\"latency_ms\":12}\n\n",
		   text);
	assert_has("data: {\"series\":\"salon/lamp/switch\",\"id\":\"7f\",\"ok\":false,\"error\":\"over 180\"}\n\n", text);
	close(fd);
	while (live_listeners(fixture->live))
		assert_true(sd_event_run(fixture->event, 10000) >= 0);
}

static void a_listener_that_comes_back_misses_nothing_and_hears_nothing_twice(void **state)
{
	const struct fixture *fixture = *state;
	char greeting[4096], id[64];
	const char *text;
	int fd = listen_from(fixture, "", greeting, sizeof(greeting));

	tell(fixture, 1);
	last_id(client_receive(fixture->event, fd, "\"value\":1}"), id, sizeof(id));
	close(fd);
	tell(fixture, 2);
	tell(fixture, 3);
	fd = listen_from(fixture, id, greeting, sizeof(greeting));
	assert_null(strstr(greeting, "event: reset"));
	tell(fixture, 4);
	text = client_receive(fixture->event, fd, "\"value\":4}");
	if (!strstr(text, "\"value\":2}")) /* came with the greeting */
		text = greeting;
	assert_has("\"value\":2}", text);
	assert_has("\"value\":3}", text);
	assert_null(strstr(text, "\"value\":1}"));
	close(fd);
}

static void who_left_before_the_first_event_resumes_too(void **state)
{
	const struct fixture *fixture = *state;
	char greeting[4096], id[64];
	int fd = listen_from(fixture, "", greeting, sizeof(greeting));

	last_id(greeting, id, sizeof(id));
	close(fd);
	tell(fixture, 1);
	fd = listen_from(fixture, id, greeting, sizeof(greeting));
	assert_null(strstr(greeting, "event: reset"));
	if (!strstr(greeting, "\"value\":1}"))
		assert_has("\"value\":1}", client_receive(fixture->event, fd, "\"value\":1}"));
	close(fd);
}

static void a_foreign_or_forgotten_id_is_told_to_begin_anew(void **state)
{
	static const char *const foreign[] = { "1", "00000000-1", "00000000-0", "x", "-", "99999999999999999999999" };
	const struct fixture *fixture = *state;
	char greeting[4096], id[64], other[80];
	int fd = listen_from(fixture, "", greeting, sizeof(greeting));

	last_id(greeting, id, sizeof(id));
	close(fd);
	tell(fixture, 1);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		fd = listen_from(fixture, foreign[i], greeting, sizeof(greeting));
		assert_has("event: reset\n", greeting);
		close(fd);
	}
	snprintf(other, sizeof(other), "%.8s-1000", id); /* ours, but of the future */
	fd = listen_from(fixture, other, greeting, sizeof(greeting));
	assert_has("event: reset\n", greeting);
	close(fd);
	for (int i = 0; i < 5000; i++)
		tell(fixture, i);
	fd = listen_from(fixture, id, greeting, sizeof(greeting));
	assert_has("event: reset\n", greeting);
	close(fd);
}

/* A phone that slept: more than the stream's queue holds, in order and whole. */
static void a_long_absence_is_caught_up(void **state)
{
	enum { MISSED = 1500, SIZE = 512 * 1024 };
	const struct fixture *fixture = *state;
	char greeting[4096], id[64], wanted[32], *text = calloc(1, SIZE), *at;
	int fd = listen_from(fixture, "", greeting, sizeof(greeting));
	size_t len = 0;

	last_id(greeting, id, sizeof(id));
	close(fd);
	for (int i = 1; i <= MISSED; i++)
		tell(fixture, i);
	fd = client_connect(fixture->http);
	snprintf(greeting, sizeof(greeting), "Last-Event-ID: %s\r\n", id);
	client_send(fd, "GET /live HTTP/1.0", greeting, "");
	snprintf(wanted, sizeof(wanted), "\"value\":%d}", MISSED);
	while (!strstr(len > 4096 ? text + len - 4096 : text, wanted)) {
		ssize_t n = recv(fd, text + len, SIZE - 1 - len, MSG_DONTWAIT);

		assert_int_not_equal(0, n);
		if (n < 0)
			assert_true(sd_event_run(fixture->event, 10000) >= 0);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_true(len > HTTP_STREAM_QUEUE_MAX);
	at = text;
	for (int i = 1; i <= MISSED; i++) {
		snprintf(wanted, sizeof(wanted), "\"value\":%d}", i);
		at = strstr(at, "\"value\":");
		assert_non_null(at);
		assert_memory_equal(wanted, at, strlen(wanted));
		at++;
	}
	close(fd);
	free(text);
}

static void who_does_not_read_is_cut_off_and_the_others_hear_on(void **state)
{
	const struct fixture *fixture = *state;
	char greeting[4096];
	int deaf = listen_from(fixture, "", greeting, sizeof(greeting)), fd = listen_from(fixture, "", greeting, sizeof(greeting));
	char wanted[32];

	for (int i = 0; i < 200000 && live_listeners(fixture->live) == 2; i++) {
		tell(fixture, i);
		if (i % 100)
			continue;
		snprintf(wanted, sizeof(wanted), "\"value\":%d}", i);
		assert_has(wanted, client_receive(fixture->event, fd, wanted));
	}
	assert_int_equal(1, live_listeners(fixture->live));
	close(fd);
	close(deaf);
}

static void open_streams_do_not_hinder_the_end(void **state)
{
	struct fixture *fixture = *state;
	char greeting[4096];
	int fd = listen_from(fixture, "", greeting, sizeof(greeting));

	http_close(fixture->http);
	fixture->http = NULL;
	assert_int_equal(0, live_listeners(fixture->live));
	close(fd);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(a_listener_hears_how_things_stand_and_what_happens),
		WITH_SERVER(a_listener_that_comes_back_misses_nothing_and_hears_nothing_twice),
		WITH_SERVER(who_left_before_the_first_event_resumes_too),
		WITH_SERVER(a_foreign_or_forgotten_id_is_told_to_begin_anew),
		WITH_SERVER(a_long_absence_is_caught_up),
		WITH_SERVER(who_does_not_read_is_cut_off_and_the_others_hear_on),
		WITH_SERVER(open_streams_do_not_hinder_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
