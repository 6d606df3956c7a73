/* links: webd/events.c webd/csv.c webd/archive.c webd/history_cache.c webd/http.c webd/http_proxy.c webd/http_tls.c webd/http_request.c webd/http_route.c webd/http_reply.c webd/http_connection.c webd/http_stream.c */
/* The log of the house, from a real store and webd's own file: order, filters, pages, and who may see what. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../common/log.h"
#include "../../webd/events.h"
#include "web_client.h"

#define NOON INT64_C(1795521600000) /* 2026-11-24T12:00:00Z */

struct fixture {
	char folder[64], url[128];
	struct archive *archive;
	struct site *site;
	sd_event *event;
	struct http *http;
	bool changes;
};

static void json(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	events_json(fixture->archive, fixture->site, request, fixture->changes);
}

static void csv(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	events_csv(fixture->archive, fixture->site, request, fixture->changes);
}

static const struct http_route routes[] = { { "GET", "/api/v1/events", json, 0 }, { "GET", "/api/v1/events.csv", csv, 0 }, { 0 } };

static struct series series_of(const char *text)
{
	struct series series = { 0 };

	assert_int_equal(0, series_parse(text, strlen(text), &series));
	return series;
}

static void log_command(struct store *store, const char *series, int64_t time_ms, const char *id, const char *by)
{
	struct command command = { .series = series_of(series), .value = value_of_number(1) };

	snprintf(command.id, sizeof(command.id), "%s", id);
	snprintf(command.by, sizeof(command.by), "%s", by);
	assert_true(store_log_command(store, &command, time_ms) >= 0);
}

static void log_result(struct store *store, const char *series, int64_t time_ms, const char *id, const char *error)
{
	struct command_result result = {
		.series = series_of(series), .ok = !error, .has_value = !error, .value = value_of_number(1), .time_ms = time_ms
	};

	snprintf(result.id, sizeof(result.id), "%s", id);
	snprintf(result.error, sizeof(result.error), "%s", error ? error : "");
	assert_true(store_log_result(store, &result, time_ms) >= 0);
}

static void badge(struct store *store, const char *text, int64_t time_ms)
{
	struct reading reading = { .series = series_of("hall/door/badge"), .time_ms = time_ms };

	assert_int_equal(0, value_of_text(text, strlen(text), &reading.value));
	assert_int_equal(1, store_append(store, &reading));
}

static void change(struct site *site, const char *what, const char *who, const char *text, int64_t time_ms)
{
	struct site_event event = { .time_ms = time_ms, .address = "192.0.2.9" };

	snprintf(event.what, sizeof(event.what), "%s", what);
	snprintf(event.who, sizeof(event.who), "%s", who);
	snprintf(event.text, sizeof(event.text), "%s", text);
	assert_int_equal(0, site_add_event(site, &event));
}

/* +1 anna's command, done; +2 a badge; +3 a node comes; +4 bob's, refused; +5 a user added; +6 nobody's, no answer; +7 a failed log-in. */
static void fill(struct fixture *fixture)
{
	char error[STORE_ERROR_MAX];
	struct store *store;

	assert_int_equal(0, store_open(fixture->url, STORE_WRITE, &store, error));
	log_command(store, "salon/lamp/switch", NOON + 1, "c1", "anna");
	log_result(store, "salon/lamp/switch", NOON + 13, "c1", NULL);
	badge(store, "=cmd|'/c calc'", NOON + 2);
	assert_int_equal(1, store_node_status(store, "cave", true, NOON + 3));
	log_command(store, "salon/heater/switch", NOON + 4, "c2", "bob");
	log_result(store, "salon/heater/switch", NOON + 8, "c2", "fuse, \"blown\"");
	log_command(store, "cave/pump/switch", NOON + 6, "c3", "");
	assert_int_equal(0, store_commit(store));
	store_close(store);
	change(fixture->site, "user_added", "anna", "bob", NOON + 5);
	change(fixture->site, "login_failed", "", "", NOON + 7);
}

static int set_up_empty(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct http_settings settings = { .address = "127.0.0.1", .routes = routes, .context = fixture };
	char error[SITE_ERROR_MAX];

	*state = fixture;
	log_set_level(LOG_LEVEL_ERROR);
	fixture->changes = true;
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/foyer-events-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->url, sizeof(fixture->url), "sqlite://%s/foyer.db", fixture->folder);
	fixture->archive = archive_open(fixture->url);
	if (!fixture->archive || site_open(SITE_IN_MEMORY, &fixture->site, error) < 0 || sd_event_new(&fixture->event) < 0)
		return -1;
	return http_open(&settings, fixture->event, &fixture->http);
}

static int set_up(void **state)
{
	int r = set_up_empty(state);

	if (r == 0)
		fill(*state);
	return r;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];
	int r;

	http_close(fixture->http);
	archive_close(fixture->archive);
	site_close(fixture->site);
	sd_event_unref(fixture->event);
	snprintf(command, sizeof(command), "rm -r %s", fixture->folder);
	r = system(command);
	free(fixture);
	return r;
}

static const char *ask(const struct fixture *fixture, const char *query)
{
	char line[256];

	snprintf(line, sizeof(line), "GET /api/v1/events%s", query);
	return client_ask(fixture->event, fixture->http, line, "", "");
}

/* The milliseconds after noon of what a query gives: "7 6 5". */
static const char *times(const struct fixture *fixture, const char *query, int64_t *ret_before)
{
	static char text[512];
	const char *reply = ask(fixture, query), *body = strstr(reply, "\r\n\r\n");
	cJSON *object = body ? cJSON_Parse(body + 4) : NULL;
	const cJSON *event, *list = cJSON_GetObjectItemCaseSensitive(object, "events");
	const cJSON *before = cJSON_GetObjectItemCaseSensitive(object, "before");

	if (!cJSON_IsArray(list))
		fail_msg("no events in:\n%s", reply);
	text[0] = '\0';
	cJSON_ArrayForEach(event, list)
	{
		double time = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(event, "time"));

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%lld", text[0] ? " " : "",
			 (long long)time - (long long)NOON);
	}
	if (ret_before)
		*ret_before = before ? (int64_t)cJSON_GetNumberValue(before) : 0;
	cJSON_Delete(object);
	return text;
}

static void both_files_are_told_in_one_order(void **state)
{
	assert_string_equal("7 6 5 4 3 2 1", times(*state, "", NULL));
}

static void kinds_are_sifted(void **state)
{
	assert_string_equal("6 4 1", times(*state, "?kind=commands", NULL));
	assert_string_equal("6 4", times(*state, "?kind=failures", NULL));
	assert_string_equal("2", times(*state, "?kind=access", NULL));
	assert_string_equal("3", times(*state, "?kind=nodes", NULL));
	assert_string_equal("7 5", times(*state, "?kind=changes", NULL));
	assert_string_equal("7 6 5 4 3 2 1", times(*state, "?kind=", NULL));
	assert_string_equal("6 3", times(*state, "?node=cave", NULL));
	assert_string_equal("4 1", times(*state, "?node=salon&kind=commands", NULL));
	assert_string_equal("", times(*state, "?node=nobody", NULL));
}

static void pages_follow_one_another_without_a_gap(void **state)
{
	char query[96] = "?limit=3";
	int64_t before;

	assert_string_equal("7 6 5", times(*state, query, &before));
	assert_int_equal(NOON + 5, before);
	snprintf(query, sizeof(query), "?limit=3&before=%lld", (long long)before);
	assert_string_equal("4 3 2", times(*state, query, &before));
	snprintf(query, sizeof(query), "?limit=3&before=%lld", (long long)before);
	assert_string_equal("1", times(*state, query, &before));
	assert_int_equal(0, before);
}

/* A page that ended within a millisecond would lose the rest of it. */
static void events_of_one_moment_stay_together(void **state)
{
	struct fixture *fixture = *state;
	int64_t before;

	for (int i = 0; i < 5; i++)
		change(fixture->site, "setting_changed", "anna", "salon", NOON + 20);
	assert_string_equal("20 20 20 20 20", times(fixture, "?limit=2", &before));
	assert_int_equal(NOON + 20, before);
}

static void failures_are_found_behind_many_that_went_well(void **state)
{
	struct fixture *fixture = *state;
	char error[STORE_ERROR_MAX], id[16];
	struct store *store;

	assert_int_equal(0, store_open(fixture->url, STORE_WRITE, &store, error));
	for (int i = 0; i < 900; i++) {
		snprintf(id, sizeof(id), "w%d", i);
		log_command(store, "salon/lamp/switch", NOON + 100 + i, id, "anna");
		log_result(store, "salon/lamp/switch", NOON + 100 + i, id, NULL);
	}
	assert_int_equal(0, store_commit(store));
	store_close(store);
	assert_string_equal("6 4", times(fixture, "?kind=failures&limit=5", NULL));
}

static void a_command_tells_who_and_what_became_of_it(void **state)
{
	assert_has("{\"time\":1795521600001,\"kind\":\"command\",\"node\":\"salon\",\"series\":\"salon/lamp/switch\",\"value\":1,"
		   "\"by\":\"anna\",\"id\":\"c1\",\"result\":\"ok\",\"result_value\":1,\"latency_ms\":12}",
		   ask(*state, "?kind=commands"));
	assert_has("\"by\":\"bob\",\"id\":\"c2\",\"result\":\"refused\",\"error\":\"fuse, \\\"blown\\\"\"",
		   ask(*state, "?kind=commands"));
	assert_has("\"series\":\"cave/pump/switch\",\"value\":1,\"id\":\"c3\",\"result\":\"none\"}", ask(*state, "?kind=commands"));
	assert_has("{\"time\":1795521600003,\"kind\":\"node\",\"node\":\"cave\",\"status\":\"online\"}",
		   ask(*state, "?kind=nodes"));
	assert_has(
		"{\"time\":1795521600005,\"kind\":\"change\",\"what\":\"user_added\",\"by\":\"anna\",\"text\":\"bob\",\"address\":"
		"\"192.0.2.9\"}",
		ask(*state, "?kind=changes"));
}

static void who_may_not_see_changes_sees_none(void **state)
{
	struct fixture *fixture = *state;

	fixture->changes = false;
	assert_string_equal("6 4 3 2 1", times(fixture, "", NULL));
	assert_string_equal("", times(fixture, "?kind=changes", NULL));
	assert_null(strstr(ask(fixture, ".csv"), "user_added"));
	assert_null(strstr(ask(fixture, ""), "192.0.2.9"));
}

static void wrong_questions_say_what_is_allowed(void **state)
{
	static const char *const wrong[][2] = {
		{ "?kind=gossip", "commands, failures" },
		{ "?kind=Commands", "commands, failures" },
		{ "?before=yesterday", "before" },
		{ "?before=-1", "before" },
		{ "?before=99999999999999999999", "before" },
		{ "?limit=0", "1 to 1000" },
		{ "?limit=1001", "1 to 1000" },
		{ "?limit=ten", "1 to 1000" },
		{ "?node=Salon", "node" },
		{ "?node=a/b", "node" },
		{ "?limit=", "1 to 1000" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *reply = ask(*state, wrong[i][0]);

		assert_has(" 400 ", reply);
		assert_has(wrong[i][1], reply);
	}
}

/* RFC 4180; and a cell that a spreadsheet would reckon with is text. */
static void csv_is_safe_in_a_spreadsheet(void **state)
{
	const char *reply = ask(*state, ".csv");

	assert_has("Content-Disposition: attachment; filename=\"foyer-events.csv\"\r\n", reply);
	assert_has("\r\n\r\ntime,kind,node,series,what,status,value,by,result,result_value,error,latency_ms,text,id,address\r\n",
		   reply);
	assert_has("2026-11-24T12:00:00.002Z,badge,hall,hall/door/badge,,,\"'=cmd|'/c calc'\",,,,,,,,\r\n", reply);
	assert_has(",bob,refused,,\"fuse, \"\"blown\"\"\",", reply);
	assert_has("2026-11-24T12:00:00.005Z,change,,,user_added,,,anna,,,,,bob,,192.0.2.9\r\n", reply);
}

static void without_a_store_it_says_why(void **state)
{
	struct fixture *fixture = *state;

	assert_has(" 503 ", ask(fixture, ""));
	assert_has("foyer.db", ask(fixture, ""));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(both_files_are_told_in_one_order),
		T(kinds_are_sifted),
		T(pages_follow_one_another_without_a_gap),
		T(events_of_one_moment_stay_together),
		T(failures_are_found_behind_many_that_went_well),
		T(a_command_tells_who_and_what_became_of_it),
		T(who_may_not_see_changes_sees_none),
		T(wrong_questions_say_what_is_allowed),
		T(csv_is_safe_in_a_spreadsheet),
		cmocka_unit_test_setup_teardown(without_a_store_it_says_why, set_up_empty, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
