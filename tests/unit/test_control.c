/* links: webd/control.c webd/control_read.c webd/house.c webd/house_info.c webd/house_collector.c webd/house_rules.c webd/house_arrange.c webd/house_command.c webd/json.c webd/http.c webd/http_proxy.c webd/http_tls.c webd/http_request.c webd/http_route.c webd/http_reply.c webd/http_connection.c webd/http_stream.c */
/* Commands by HTTP, with a real server; the broker and the node are played by the test. Statuses are those of DESIGN 6. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../common/log.h"
#include "../../common/reading.h"
#include "../../webd/control.h"
#include "web_client.h"

#define NOON INT64_C(1795521600000)
#define JSON "Content-Type: application/json\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

struct fixture {
	sd_event *event;
	struct http *http;
	struct house *house;
	struct control *control;
	bool broker_down;
	int send_error; /* what the broker does */
	unsigned sent;
	struct command command; /* the last one sent */
	bool answers;           /* the node does, at once after the loop turned */
	struct command_result result;
	unsigned results;
	int64_t latency_ms;
	sd_event_source *node;
};

static int on_node(sd_event_source *source, void *data)
{
	struct fixture *fixture = data;

	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	fixture->result.series = fixture->command.series;
	strcpy(fixture->result.id, fixture->command.id);
	fixture->result.time_ms = NOON;
	control_result(fixture->control, &fixture->result);
	return 0;
}

static bool broker_up(void *context)
{
	return !((struct fixture *)context)->broker_down;
}

static int send_command(void *context, const struct command *command)
{
	struct fixture *fixture = context;

	fixture->sent++;
	fixture->command = *command;
	if (fixture->answers && fixture->send_error == 0)
		sd_event_source_set_enabled(fixture->node, SD_EVENT_ON);
	return fixture->send_error;
}

static void on_result(void *context, const struct command_result *result, int64_t latency_ms)
{
	struct fixture *fixture = context;

	(void)result;
	fixture->results++;
	fixture->latency_ms = latency_ms;
}

static void api(struct http_request *request, void *context)
{
	control_api(((struct fixture *)context)->control, request, "web");
}

static void form(struct http_request *request, void *context)
{
	control_form(((struct fixture *)context)->control, request, "web");
}

static const struct http_route routes[] = { { "POST", "/api/v1/command", api, 0 }, { "POST", "/command", form, 0 }, { 0 } };

static int set_up(void **state)
{
	static const struct control_hooks hooks = { broker_up, send_command, on_result };
	static const char info[] =
		"{\"devices\":{\"lamp\":{\"quantities\":{\"switch\":{\"output\":\"switch\"}}},\"servo\":{\"quantities\":"
		"{\"position\":{\"output\":\"range\",\"min\":0,\"max\":180}}},\"board\":{\"quantities\":{\"text\":"
		"{\"output\":\"text\"}}},\"air\":{\"quantities\":{\"temperature\":{}}}}}";
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct http_settings settings = { .address = "127.0.0.1", .routes = routes, .context = fixture };

	*state = fixture;
	fixture->answers = true;
	fixture->result.ok = fixture->result.has_value = true;
	fixture->result.value = value_of_number(1);
	fixture->house = house_open();
	if (!fixture->house || sd_event_new(&fixture->event) < 0 ||
	    sd_event_add_defer(fixture->event, &fixture->node, on_node, fixture) < 0 ||
	    control_open(fixture->event, fixture->house, &hooks, fixture, &fixture->control) < 0)
		return -1;
	sd_event_source_set_enabled(fixture->node, SD_EVENT_OFF);
	house_info(fixture->house, "salon", info, strlen(info));
	house_status(fixture->house, "salon", true, NOON);
	return http_open(&settings, fixture->event, &fixture->http);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_close(fixture->http);
	control_close(fixture->control);
	house_close(fixture->house);
	sd_event_source_disable_unref(fixture->node);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

static const char *ask(const struct fixture *fixture, const char *body)
{
	return client_ask(fixture->event, fixture->http, "POST /api/v1/command", JSON, body);
}

static const char *fill_in(const struct fixture *fixture, const char *body)
{
	return client_ask(fixture->event, fixture->http, "POST /command", FORM, body);
}

/* The id behind "outcome=" in a redirect. */
static const struct control_outcome *outcome_of(const struct fixture *fixture, const char *reply)
{
	const char *at = strstr(reply, "outcome=");
	char id[COMMAND_ID_MAX + 1];

	assert_non_null(at);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(at + 8, "\r\n"), at + 8);
	return control_outcome(fixture->control, id);
}

#define LAMP "{\"node\":\"salon\",\"device\":\"lamp\",\"quantity\":\"switch\",\"value\":1}"

static void the_node_s_own_word_is_the_answer(void **state)
{
	struct fixture *fixture = *state;
	const char *reply = ask(fixture, LAMP);

	assert_has("HTTP/1.1 200 ", reply);
	assert_has("{\"ok\":true,\"value\":1,\"id\":\"", reply);
	assert_has(fixture->command.id, reply);
	assert_has("\"time\":1795521600000,\"latency_ms\":", reply);
	assert_string_equal("web", fixture->command.by);
	assert_true(fixture->command.expires_ms > 0);
	assert_int_equal(1, fixture->results);
	assert_true(fixture->latency_ms >= 0 && fixture->latency_ms < 5000);
}

static void a_refusal_by_the_node_is_400_with_its_reason(void **state)
{
	struct fixture *fixture = *state;
	const char *reply;

	fixture->result = (struct command_result){ .ok = false, .error = "too \"hot\"" };
	reply = ask(fixture, LAMP);
	assert_has("HTTP/1.1 400 ", reply);
	assert_has("\"ok\":false,\"error\":\"too \\\"hot\\\"\"", reply);
}

static void what_cannot_be_is_told_without_asking_the_node(void **state)
{
	static const struct {
		const char *body, *status, *reason;
	} cases[] = {
		{ "{\"node\":\"salon\",\"device\":\"lamp\",\"quantity\":\"switch\",\"value\":2}", " 400 ", "neither 0 nor 1" },
		{ "{\"node\":\"salon\",\"device\":\"lamp\",\"quantity\":\"switch\",\"value\":\"blue\"}", " 400 ", "neither 1/0" },
		{ "{\"node\":\"salon\",\"device\":\"lamp\",\"quantity\":\"switch\",\"value\":null}", " 400 ", "value is not" },
		{ "{\"node\":\"salon\",\"device\":\"servo\",\"quantity\":\"position\",\"value\":200}", " 400 ", "200 is over 180" },
		{ "{\"node\":\"salon\",\"device\":\"servo\",\"quantity\":\"position\",\"value\":1e999}", " 400 ", "finite" },
		{ "{\"node\":\"salon\",\"device\":\"lamp\",\"quantity\":\"switch\"}", " 400 ", "\\\"value\\\" is missing" },
		{ "{\"node\":\"salon\",\"device\":7,\"quantity\":\"switch\",\"value\":1}", " 400 ", "\\\"device\\\" is missing" },
		{ "{\"node\":\"salon\",\"device\":\"air\",\"quantity\":\"temperature\",\"value\":1}", " 404 ", "no such output" },
		{ "{\"node\":\"x\",\"device\":\"lamp\",\"quantity\":\"switch\",\"value\":1}", " 404 ", "no such output" },
		{ "{\"node\":\"../x\",\"device\":\"lamp\",\"quantity\":\"switch\",\"value\":1}", " 404 ", "no such output" },
		{ "[1]", " 400 ", "no JSON object" },
		{ "", " 400 ", "no JSON object" },
		{ LAMP " x", " 400 ", "no JSON object" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *reply = ask(fixture, cases[i].body);

		assert_has(cases[i].status, reply);
		assert_has(cases[i].reason, reply);
	}
	assert_int_equal(0, fixture->sent);
}

static void only_json_is_taken_since_a_foreign_form_cannot_send_it(void **state)
{
	struct fixture *fixture = *state;

	assert_has(" 415 ",
		   client_ask(fixture->event, fixture->http, "POST /api/v1/command", "Content-Type: text/plain\r\n", LAMP));
	assert_has(" 415 ", client_ask(fixture->event, fixture->http, "POST /api/v1/command", "", LAMP));
	assert_has(" 415 ",
		   client_ask(fixture->event, fixture->http, "POST /api/v1/command", "Content-Type: application/jsonx\r\n", LAMP));
	assert_has(" 403 ",
		   client_ask(fixture->event, fixture->http, "POST /api/v1/command", JSON "Origin: http://evil\r\n", LAMP));
	assert_int_equal(0, fixture->sent);
	assert_has(" 200 ", client_ask(fixture->event, fixture->http, "POST /api/v1/command",
				       "Content-Type: Application/JSON; charset=utf-8\r\n", LAMP));
}

static void a_node_that_is_offline_is_409(void **state)
{
	struct fixture *fixture = *state;
	const char *reply;

	house_status(fixture->house, "salon", false, NOON + 1);
	reply = ask(fixture, LAMP);
	assert_has(" 409 ", reply);
	assert_has("salon is offline since 2026-11-24T12:00:00.001Z", reply);
	assert_int_equal(0, fixture->sent);
}

static void without_a_broker_it_is_503(void **state)
{
	struct fixture *fixture = *state;

	fixture->send_error = -ENOTCONN; /* it goes this moment */
	assert_has(" 503 ", ask(fixture, LAMP));
	fixture->send_error = -EAGAIN;
	assert_has(" 503 ", ask(fixture, LAMP));
	fixture->broker_down = true;
	house_status(fixture->house, "salon", false, NOON + 1); /* its last will: nobody knows how it is */
	fixture->sent = 0;
	assert_has("the broker does not answer", ask(fixture, LAMP));
	assert_int_equal(0, fixture->sent);
}

static void without_an_answer_it_is_504_after_five_seconds(void **state)
{
	struct fixture *fixture = *state;
	struct command_result late;
	const char *reply;

	fixture->answers = false;
	reply = ask(fixture, LAMP);
	assert_has(" 504 ", reply);
	assert_has("no answer from salon within 5 s", reply);
	late = (struct command_result){ .series = fixture->command.series, .ok = true };
	strcpy(late.id, fixture->command.id);
	control_result(fixture->control, &late); /* nobody waits any more */
	assert_true(fixture->latency_ms == -1);
}

static void other_people_s_results_answer_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct command_result other = { .series = { "salon", "lamp", "switch" }, .id = "theirs", .ok = true };
	int fd = client_connect(fixture->http);

	fixture->answers = false;
	client_send(fd, "POST /api/v1/command HTTP/1.1", JSON, LAMP);
	while (!fixture->sent)
		assert_true(sd_event_run(fixture->event, 1000000) >= 0);
	control_result(fixture->control, &other);
	assert_true(fixture->latency_ms == -1);
	strcpy(other.id, fixture->command.id);
	strcpy(other.series.device, "servo"); /* the right id from the wrong output */
	control_result(fixture->control, &other);
	assert_true(fixture->latency_ms == -1);
	strcpy(other.series.device, "lamp");
	control_result(fixture->control, &other);
	assert_true(fixture->latency_ms >= 0);
	assert_has(" 200 ", client_receive(fixture->event, fd, "latency_ms"));
	close(fd);
}

static void a_client_that_leaves_and_an_end_in_between_are_harmless(void **state)
{
	struct fixture *fixture = *state;
	int gone = client_connect(fixture->http), waiting = client_connect(fixture->http);

	fixture->answers = false;
	client_send(gone, "POST /api/v1/command HTTP/1.1", JSON, LAMP);
	client_send(waiting, "POST /api/v1/command HTTP/1.1", JSON, LAMP);
	while (fixture->sent < 2)
		assert_true(sd_event_run(fixture->event, 1000000) >= 0);
	close(gone);
	http_close(fixture->http);
	fixture->http = NULL;
	on_node(fixture->node, fixture); /* the word comes when nobody is there */
	assert_true(fixture->latency_ms >= 0);
	close(waiting);
}

static void more_than_256_at_once_are_503(void **state)
{
	struct fixture *fixture = *state;
	int fds[256];

	fixture->answers = false;
	for (size_t i = 0; i < 256; i++) {
		fds[i] = client_connect(fixture->http);
		client_send(fds[i], "POST /api/v1/command HTTP/1.1", JSON, LAMP);
		while (fixture->sent <= i)
			assert_true(sd_event_run(fixture->event, 1000000) >= 0);
	}
	assert_has(" 503 ", ask(fixture, LAMP));
	assert_int_equal(256, fixture->sent);
	for (size_t i = 0; i < 256; i++)
		close(fds[i]);
}

/* ---- forms ------------------------------------------------------------------------------------------------------------------- */

static void a_form_leads_back_with_what_became_of_it(void **state)
{
	struct fixture *fixture = *state;
	const char *reply = fill_in(fixture, "node=salon&device=lamp&quantity=switch&value=on&back=/node/salon%3Fa%3D1");
	const struct control_outcome *outcome;

	assert_has("HTTP/1.1 303 ", reply);
	assert_has("Location: /node/salon?a=1&outcome=web-", reply);
	outcome = outcome_of(fixture, reply);
	assert_non_null(outcome);
	assert_int_equal(200, outcome->status);
	assert_true(outcome->has_value && outcome->latency_ms >= 0);
	assert_string_equal("lamp", outcome->command.series.device);
	reply = fill_in(fixture, "node=salon&device=servo&quantity=position&value=200&back=/?outcome=old");
	assert_has("Location: /?outcome=web-", reply);
	assert_null(strstr(reply, "old"));
	outcome = outcome_of(fixture, reply);
	assert_int_equal(400, outcome->status);
	assert_string_equal("200 is over 180", outcome->error);
	assert_null(control_outcome(fixture->control, "unknown"));
}

static void a_form_leads_nowhere_else(void **state)
{
	static const char *const backs[] = { "", "//evil/", "http://evil/", "/%5Cevil", "%5C%5Cevil", "x" };
	struct fixture *fixture = *state;
	char body[256];

	for (size_t i = 0; i < sizeof(backs) / sizeof(*backs); i++) {
		snprintf(body, sizeof(body), "node=salon&device=lamp&quantity=switch&value=1&back=%s", backs[i]);
		assert_has("Location: /?outcome=", fill_in(fixture, body));
	}
	assert_has("Location: /?outcome=", fill_in(fixture, "node=salon"));
	assert_has("Location: /?outcome=", fill_in(fixture, ""));
}

static void a_text_that_looks_like_json_is_a_text(void **state)
{
	struct fixture *fixture = *state;

	fill_in(fixture, "node=salon&device=board&quantity=text&value=%7B%22value%22%3A1%7D");
	assert_string_equal("{\"value\":1}", fixture->command.value.text);
}

static void the_newest_64_outcomes_are_kept(void **state)
{
	struct fixture *fixture = *state;
	const char *reply = fill_in(fixture, "node=salon&device=lamp&quantity=switch&value=1");
	char first[COMMAND_ID_MAX + 1];

	strcpy(first, outcome_of(fixture, reply)->command.id);
	for (int i = 0; i < 63; i++)
		fill_in(fixture, "node=salon&device=lamp&quantity=switch&value=1");
	assert_non_null(control_outcome(fixture->control, first));
	fill_in(fixture, "node=salon&device=lamp&quantity=switch&value=1");
	assert_null(control_outcome(fixture->control, first));
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(the_node_s_own_word_is_the_answer),
		WITH_SERVER(a_refusal_by_the_node_is_400_with_its_reason),
		WITH_SERVER(what_cannot_be_is_told_without_asking_the_node),
		WITH_SERVER(only_json_is_taken_since_a_foreign_form_cannot_send_it),
		WITH_SERVER(a_node_that_is_offline_is_409),
		WITH_SERVER(without_a_broker_it_is_503),
		WITH_SERVER(without_an_answer_it_is_504_after_five_seconds),
		WITH_SERVER(other_people_s_results_answer_nobody),
		WITH_SERVER(a_client_that_leaves_and_an_end_in_between_are_harmless),
		WITH_SERVER(more_than_256_at_once_are_503),
		WITH_SERVER(a_form_leads_back_with_what_became_of_it),
		WITH_SERVER(a_form_leads_nowhere_else),
		WITH_SERVER(a_text_that_looks_like_json_is_a_text),
		WITH_SERVER(the_newest_64_outcomes_are_kept),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
