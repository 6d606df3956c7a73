/* links: webd/history.c webd/history_read.c webd/history_write.c webd/json.c webd/archive.c webd/history_cache.c webd/house.c webd/house_info.c webd/house_collector.c webd/house_rules.c webd/house_arrange.c webd/http.c webd/http_proxy.c webd/http_tls.c webd/http_request.c webd/http_route.c webd/http_reply.c webd/http_connection.c webd/http_stream.c */
/* Histories from a real store: what may be asked, and the JSON of DESIGN 6 to the letter. Values are counted by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../common/log.h"
#include "../../common/store.h"
#include "../../webd/history.h"
#include "../../webd/json.h"
#include "web_client.h"

#define NOON INT64_C(1795521600000) /* 2026-11-24T12:00:00Z */

struct fixture {
	char folder[64], url[128];
	struct house *house;
	struct archive *archive;
	sd_event *event;
	struct http *http;
};

static void json(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	history_json(fixture->archive, fixture->house, request);
}

static void csv(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	history_csv(fixture->archive, fixture->house, request);
}

static const struct http_route routes[] = { { "GET", "/api/v1/history", json, 0 },
					    { "GET", "/api/v1/history.csv", csv, 0 },
					    { 0 } };

static void append(struct store *store, const char *device, const char *quantity, int64_t time_ms, struct value value)
{
	struct reading reading = { .time_ms = time_ms, .value = value };

	assert_int_equal(0, series_make("salon", device, quantity, &reading.series));
	assert_int_equal(1, store_append(store, &reading));
}

/* Two holes: in the first the node was away. */
static void fill_cave(struct store *store)
{
	static const int seconds[] = { 0, 1, 2, 60, 61, 62, 120 };
	struct reading reading = { .series = { "cave", "air", "co2" } };

	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
		reading.time_ms = NOON + seconds[i] * 1000;
		reading.value = value_of_number(seconds[i] / 60 + 1);
		assert_int_equal(1, store_append(store, &reading));
	}
	assert_int_equal(1, store_node_status(store, "cave", false, NOON + 10000));
	assert_int_equal(1, store_node_status(store, "cave", true, NOON + 50000));
}

static void fill(const char *url)
{
	static const char *const badges[] = { "anna", "=1+1", "\"b\", <c>" };
	static const double lamp[] = { 0, 0, 1, 1, 1, 0 };
	char error[STORE_ERROR_MAX];
	struct store *store;
	struct value text;

	assert_int_equal(0, store_open(url, STORE_WRITE, &store, error));
	fill_cave(store);
	for (int i = 0; i < 10; i++)
		append(store, "air", "temperature", NOON + i * 1000, value_of_number(20 + i / 10.0));
	for (int i = 0; i < 6; i++)
		append(store, "lamp", "switch", NOON + i * 1000, value_of_number(lamp[i]));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(0, value_of_text(badges[i], strlen(badges[i]), &text));
		append(store, "door", "badge", NOON + i * 1000, text);
	}
	append(store, "air", "humidity", NOON, value_of_number(50));
	assert_int_equal(0, store_commit(store));
	store_close(store);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct http_settings settings = { .address = "127.0.0.1", .routes = routes, .context = fixture };

	*state = fixture;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/foyer-history-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->url, sizeof(fixture->url), "sqlite://%s/foyer.db", fixture->folder);
	fixture->house = house_open();
	fixture->archive = archive_open(fixture->url);
	if (!fixture->house || !fixture->archive || sd_event_new(&fixture->event) < 0)
		return -1;
	return http_open(&settings, fixture->event, &fixture->http);
}

static int set_up_filled(void **state)
{
	int r = set_up(state);

	if (r == 0)
		fill(((struct fixture *)*state)->url);
	return r;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];
	int r;

	http_close(fixture->http);
	archive_close(fixture->archive);
	house_close(fixture->house);
	sd_event_unref(fixture->event);
	snprintf(command, sizeof(command), "rm -r %s", fixture->folder);
	r = system(command);
	free(fixture);
	return r;
}

static const char *get(const struct fixture *fixture, const char *rest)
{
	char line[512];

	snprintf(line, sizeof(line), "GET /api/v1/history%s", rest);
	return client_ask(fixture->event, fixture->http, line, "", "");
}

/* ---- what may be asked ------------------------------------------------------------------------------------------------------- */

static struct history_query parsed(struct history_words words)
{
	struct history_query query;
	char reason[HISTORY_REASON_MAX] = "";

	words.series = words.series ? words.series : "a/b/temperature";
	if (history_parse(&words, NOON, &query, reason) < 0)
		fail_msg("%s", reason);
	return query;
}

static void queries_are_understood(void **state)
{
	struct history_query query = parsed((struct history_words){ .series = "a/b/level,c/d/switch" });

	(void)state;
	assert_int_equal(2, query.count);
	assert_string_equal("switch", query.series[1].quantity);
	assert_int_equal(100, query.last);
	assert_int_equal(10000, parsed((struct history_words){ .last = "10000" }).last);
	query = parsed((struct history_words){ .from = "2026-11-24T13:00:00+01:00", .to = "1795521600001", .points = "7" });
	assert_true(query.from_ms == NOON && query.to_ms == NOON + 1 && query.points == 7 && query.last == 0);
	query = parsed((struct history_words){ .from = "2026-11-24T12:30:00 01:00" }); /* '+' of a query is a space */
	assert_true(query.from_ms == NOON - 1800000 && query.to_ms == NOON + 1 && query.points == 500);
}

static void mistakes_are_told_with_what_is_allowed(void **state)
{
	static char many[129 * 6 + 1];
	static const struct {
		struct history_words words;
		const char *reason;
	} cases[] = {
		{ { .series = NULL }, "series: missing" },
		{ { .series = "" }, "series: missing" },
		{ { .series = "a/b" }, "series: \"a/b\" is no NODE/DEVICE/QUANTITY" },
		{ { .series = "a/b/level," }, "series: \"\" is no" },
		{ { .series = many }, "series: at most 128" },
		{ { .series = "a/b/c", .last = "" }, "last: \"\" is no whole number from 1 to 10000" },
		{ { .series = "a/b/c", .last = "0" }, "last: " },
		{ { .series = "a/b/c", .last = "-1" }, "last: " },
		{ { .series = "a/b/c", .last = "1e3" }, "last: " },
		{ { .series = "a/b/c", .last = "10001" }, "last: " },
		{ { .series = "a/b/c", .last = "18446744073709551617" }, "last: " },
		{ { .series = "a/b/c", .from = "yesterday" }, "from: \"yesterday\" is neither" },
		{ { .series = "a/b/c", .from = "-1" }, "from: " },
		{ { .series = "a/b/c", .from = "99999999999999999999" }, "from: " },
		{ { .series = "a/b/c", .from = "5", .to = "5" }, "from: must be before to" },
		{ { .series = "a/b/c", .from = "1795521600005" }, "from: must be before now" },
		{ { .series = "a/b/c", .to = "5" }, "from: missing" },
		{ { .series = "a/b/c", .from = "5", .points = "1" }, "points: " },
		{ { .series = "a/b/c", .from = "5", .last = "1" }, "last: goes without" },
		{ { .series = "a/b/c", .points = "5" }, "points: goes with from and to" },
		{ { .series = "a/b/c,a/b/c,a/b/c,a/b/c,a/b/c,a/b/c,a/b/c,a/b/c,a/b/c,a/b/c,a/b/c", .last = "10000" },
		  "last: at most 100000" },
	};
	struct history_query query = { .count = 77 };
	char reason[HISTORY_REASON_MAX];

	(void)state;
	for (int i = 0; i < 129; i++)
		strcat(many, i ? ",a/b/c" : "a/b/c");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(-EINVAL, history_parse(&cases[i].words, NOON, &query, reason));
		assert_has(cases[i].reason, reason);
	}
	assert_int_equal(77, query.count);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------------------- */

static void the_last_readings_come_oldest_first(void **state)
{
	assert_has("\r\n\r\n{\"series\":[{\"node\":\"salon\",\"device\":\"air\",\"quantity\":\"temperature\",\"unit\":\"°C\","
		   "\"resolution\":0,"
		   "\"points\":[[1795521607000,20.7],[1795521608000,20.8],[1795521609000,20.9]]}]}",
		   get(*state, "?series=salon/air/temperature&last=3"));
}

static void several_series_stand_side_by_side(void **state)
{
	const char *reply = get(*state, "?series=salon/air/temperature,salon/door/badge&last=1");

	assert_has("HTTP/1.1 200 ", reply);
	assert_has("Content-Type: application/json", reply);
	assert_has("\"points\":[[1795521609000,20.9]]},{\"node\":\"salon\",\"device\":\"door\",", reply);
}

static void a_switch_gives_its_changes(void **state)
{
	assert_has("\"points\":[[1795521600000,0],[1795521602000,1],[1795521605000,0]]}]}",
		   get(*state, "?series=salon/lamp/switch&last=100"));
	assert_has("\"points\":[[1795521602000,1],[1795521605000,0]]}]}", get(*state, "?series=salon/lamp/switch&last=2"));
	assert_has("\"resolution\":0,\"points\":[[1795521601000,0],[1795521602000,1]]}]}",
		   get(*state, "?series=salon/lamp/switch&from=1795521601000&to=1795521604000"));
}

static void texts_are_given_as_texts(void **state)
{
	assert_has("\"points\":[[1795521601000,\"=1+1\"],[1795521602000,\"\\\"b\\\", \\u003cc>\"]]}]}",
		   get(*state, "?series=salon/door/badge&last=2"));
	assert_has("\"points\":[[1795521600000,\"anna\"]]}]}",
		   get(*state, "?series=salon/door/badge&from=1795521600000&to=1795521601000"));
	assert_has("\"points\":[]}]}", get(*state, "?series=salon/door/badge&from=1&to=2"));
}

/* Ten readings over ten seconds in at most 4 points: buckets with mean, min and max. */
static void a_long_span_is_down_sampled(void **state)
{
	assert_has("\"resolution\":5000,\"points\":[[1795521600000,20.2,20,20.4],[1795521605000,20.7,20.5,20.9]]}]}",
		   get(*state, "?series=salon/air/temperature&from=1795521600000&to=1795521610000&points=4"));
}

static void number_series_of_one_question_share_their_resolution(void **state)
{
	const char *reply = get(*state, "?series=salon/air/temperature,salon/air/humidity,salon/lamp/switch&from=1795521600000"
					"&to=1795521610000&points=4");

	assert_has("\"quantity\":\"temperature\",\"unit\":\"°C\",\"resolution\":5000,", reply);
	assert_has("\"quantity\":\"humidity\",\"unit\":\"%\",\"resolution\":5000,\"points\":[[1795521600000,50,50,50]]", reply);
	assert_has("\"quantity\":\"switch\",\"unit\":\"\",\"resolution\":0,", reply);
}

static void a_gap_says_why(void **state)
{
	assert_has("\"points\":[[1795521600000,1],[1795521601000,1],[1795521602000,1],[1795521603000,null,\"offline\"],["
		   "1795521660000,2],"
		   "[1795521661000,2],[1795521662000,2],[1795521663000,null,\"silent\"],[1795521720000,3]]",
		   get(*state, "?series=cave/air/co2&last=7"));
	assert_has("[1795521603000,null,\"offline\"]",
		   get(*state, "?series=cave/air/co2&from=1795521600000&to=1795521800000&points=10"));
	assert_null(strstr(get(*state, ".csv?series=cave/air/co2&last=7"), "null"));
}

static void what_cannot_be_given_has_its_status(void **state)
{
	const char *reply = get(*state, "?series=salon/air/temperature,salon/nowhere/humidity");

	assert_has("HTTP/1.1 404 ", reply);
	assert_has("{\"error\":\"no such series: salon/nowhere/humidity\"}", reply);
	reply = get(*state, "?series=salon/air/temperature&last=many%22%0A");
	assert_has("HTTP/1.1 400 ", reply);
	assert_has("{\"error\":\"last: ", reply);
}

static void a_series_that_is_only_heard_of_is_empty(void **state)
{
	struct fixture *fixture = *state;
	struct reading reading = { .series = { "salon", "new", "humidity" }, .time_ms = NOON, .value = value_of_number(50) };

	house_reading(fixture->house, &reading);
	assert_has("\"quantity\":\"humidity\",\"unit\":\"%\",\"resolution\":0,\"points\":[]}]}",
		   get(fixture, "?series=salon/new/humidity"));
	assert_has("quantity,value,unit\n", get(fixture, ".csv?series=salon/new/humidity"));
}

static void without_a_store_it_is_503_until_there_is_one(void **state)
{
	struct fixture *fixture = *state;
	const char *reply = get(fixture, "?series=salon/air/temperature");

	assert_has("HTTP/1.1 503 ", reply);
	assert_has("foyer.db", reply);
	fill(fixture->url);
	usleep(1100000); /* it is looked for once a second */
	assert_has("HTTP/1.1 200 ", get(fixture, "?series=salon/air/temperature"));
}

/* ---- CSV --------------------------------------------------------------------------------------------------------------------- */

static void a_table_opens_in_a_spreadsheet(void **state)
{
	const char *reply = get(*state, ".csv?series=salon/air/temperature,salon/door/badge&last=2");

	assert_has("Content-Type: text/csv", reply);
	assert_has("\r\n\r\ntime,node,device,quantity,value,unit\n"
		   "2026-11-24T12:00:08.000Z,salon,air,temperature,20.8,°C\n"
		   "2026-11-24T12:00:09.000Z,salon,air,temperature,20.9,°C\n"
		   "2026-11-24T12:00:01.000Z,salon,door,badge,\"'=1+1\",\n"
		   "2026-11-24T12:00:02.000Z,salon,door,badge,\"\"\"b\"\", <c>\",\n",
		   reply);
}

static void a_table_of_buckets_has_their_columns(void **state)
{
	const char *reply =
		get(*state, ".csv?series=salon/door/badge,salon/air/temperature&from=1795521600000&to=1795521610000&points=4");

	assert_has("\r\n\r\ntime,node,device,quantity,mean,min,max,unit\n2026-11-24T12:00:00.000Z,salon,door,badge,\"anna\",,,\n",
		   reply);
	assert_has("2026-11-24T12:00:00.000Z,salon,air,temperature,20.2,20,20.4,°C\n", reply);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------------------- */

static void numbers_are_written_short_and_exact(void **state)
{
	struct buffer out = BUFFER_EMPTY;

	(void)state;
	json_add_number(&out, 21.4);
	json_add_comma(&out);
	json_add_number(&out, -0.5);
	json_add_comma(&out);
	json_add_number(&out, 1e300);
	json_add_comma(&out);
	json_add_number(&out, 1.0 / 0.0);
	json_add_comma(&out);
	json_add_whole(&out, INT64_MIN);
	json_add_comma(&out);
	json_add_whole(&out, 0);
	assert_string_equal("21.4,-0.5,1e+300,null,-9223372036854775808,0", buffer_text(&out));
	buffer_done(&out);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up_filled, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_understood),
		cmocka_unit_test(mistakes_are_told_with_what_is_allowed),
		WITH_STORE(the_last_readings_come_oldest_first),
		WITH_STORE(several_series_stand_side_by_side),
		WITH_STORE(a_switch_gives_its_changes),
		WITH_STORE(texts_are_given_as_texts),
		WITH_STORE(a_long_span_is_down_sampled),
		WITH_STORE(number_series_of_one_question_share_their_resolution),
		WITH_STORE(a_gap_says_why),
		WITH_STORE(what_cannot_be_given_has_its_status),
		WITH_STORE(a_series_that_is_only_heard_of_is_empty),
		cmocka_unit_test_setup_teardown(without_a_store_it_is_503_until_there_is_one, set_up, tear_down),
		WITH_STORE(a_table_opens_in_a_spreadsheet),
		WITH_STORE(a_table_of_buckets_has_their_columns),
		cmocka_unit_test(numbers_are_written_short_and_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
