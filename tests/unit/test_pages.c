/* links: webd/pages.c webd/pages_series.c webd/chart_svg.c webd/pages_cameras.c webd/camera.c webd/camera_mjpeg.c webd/camera_upstream.c webd/pages_device.c webd/pages_common.c webd/pages_events.c webd/events.c webd/csv.c webd/access.c webd/secret.c webd/pages_cache.c webd/reader.c webd/strings.c webd/wording.c webd/view.c webd/view_series.c webd/view_node.c webd/view_attention.c webd/view_chart.c webd/view_figures.c webd/history_read.c webd/archive.c webd/history_cache.c webd/control.c webd/control_read.c webd/house.c webd/house_info.c webd/house_collector.c webd/house_rules.c webd/house_arrange.c webd/house_command.c webd/json.c webd/render.c webd/template_files.c webd/template_parse.c webd/static.c webd/http.c webd/http_proxy.c webd/http_tls.c webd/http_request.c webd/http_route.c webd/http_reply.c webd/http_connection.c webd/http_stream.c */
/* The pages as a browser gets them: the real templates, a house that the test furnishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../common/clock.h"
#include "../../common/log.h"
#include "../../webd/pages.h"
#include "web_client.h"

#define HOSTILE "<img src=x onerror=alert(1)>\\\"'&{{site}}"

struct fixture {
	sd_event *event;
	struct http *http;
	struct house *house;
	struct control *control;
	struct archive *archive;
	struct static_files *files;
	struct site *site;
	struct access *access;
	struct pages *pages;
	bool broker_down;
	char store[64];
};

static bool broker_up(void *context)
{
	return !((struct fixture *)context)->broker_down;
}

static void overview(struct http_request *request, void *context)
{
	pages_overview(((struct fixture *)context)->pages, request);
}

static void node(struct http_request *request, void *context)
{
	pages_node(((struct fixture *)context)->pages, request);
}

static void series(struct http_request *request, void *context)
{
	pages_series(((struct fixture *)context)->pages, request);
}

static int error_page(struct http_request *request, unsigned status, const char *text, struct buffer *out, void *context)
{
	return pages_error(((struct fixture *)context)->pages, request, status, text, out);
}

static const struct http_route routes[] = {
	{ "GET", "/", overview, 0 },
	{ "GET", "/node/:node", node, 0 },
	{ "GET", "/series/:node/:device/:quantity", series, 0 },
	{ 0 },
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct control_hooks hooks = { .broker_up = broker_up };
	struct pages_settings settings = { .web_dir = "web",
					   .title = "Foyer",
					   .language = "auto",
					   .broker = "foyer.local:1883",
					   .base = "foyer",
					   .broker_up = broker_up,
					   .context = fixture };

	char error[SITE_ERROR_MAX];

	strcpy(fixture->store, "/tmp/foyer-test-pages-XXXXXX");
	assert_non_null(mkdtemp(fixture->store));
	strcat(fixture->store, "/foyer.db");
	assert_true(sd_event_new(&fixture->event) >= 0);
	settings.house = fixture->house = house_open();
	settings.archive = fixture->archive = archive_open(fixture->store);
	assert_int_equal(0, control_open(fixture->event, fixture->house, &hooks, fixture, &fixture->control));
	assert_int_equal(0, static_open(&fixture->files));
	assert_int_equal(0, site_open(SITE_IN_MEMORY, &fixture->site, error));
	assert_int_equal(0, access_open(fixture->site, true, &fixture->access));
	settings.site = fixture->site;
	settings.access = fixture->access;
	settings.control = fixture->control;
	settings.files = fixture->files;
	assert_int_equal(0, pages_open(&settings, &fixture->pages));
	const struct http_settings http = {
		.address = "127.0.0.1", .routes = routes, .context = fixture, .error_page = error_page
	};
	assert_int_equal(0, http_open(&http, fixture->event, &fixture->http));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const rests[] = { "", "-wal", "-shm" };
	struct fixture *fixture = *state;
	char path[80];

	http_close(fixture->http);
	pages_close(fixture->pages);
	access_close(fixture->access);
	site_close(fixture->site);
	control_close(fixture->control);
	static_close(fixture->files);
	archive_close(fixture->archive);
	house_close(fixture->house);
	sd_event_unref(fixture->event);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", fixture->store, rests[i]);
		unlink(path);
	}
	*strrchr(fixture->store, '/') = '\0';
	rmdir(fixture->store);
	free(fixture);
	return 0;
}

static const char *ask(struct fixture *fixture, const char *path, const char *headers)
{
	char line[512];

	snprintf(line, sizeof(line), "GET %s", path);
	return client_ask(fixture->event, fixture->http, line, headers, "");
}

static struct reading number(const char *name, double value, int64_t age_ms)
{
	struct reading reading = { .time_ms = clock_wall_ms() - age_ms, .value = value_of_number(value) };

	assert_int_equal(0, series_parse(name, strlen(name), &reading.series));
	return reading;
}

static void tell(struct fixture *fixture, const char *name, double value, int64_t age_ms)
{
	struct reading reading = number(name, value, age_ms);

	assert_int_equal(1, house_reading(fixture->house, &reading));
}

static void info(struct fixture *fixture, const char *name, const char *json)
{
	assert_int_equal(1, house_info(fixture->house, name, json, strlen(json)));
}

static void assert_lacks(const char *part, const char *reply)
{
	if (strstr(reply, part))
		fail_msg("\"%s\" is in:\n%s", part, reply);
}

/* ---- an empty house -------------------------------------------------------------------------------------------------------------- */

static void a_silent_house_says_what_to_type(void **state)
{
	const char *page = ask(*state, "/", "");

	assert_has("HTTP/1.1 200", page);
	assert_has("<pre id=\"try\" tabindex=\"0\">mosquitto_pub -h foyer.local -t foyer/salon/bme280/temperature -m 24</pre>",
		   page);
	assert_has("<html lang=\"fr\"", page);
}

static void the_reader_s_language_counts_in_this_order(void **state)
{
	assert_has("<html lang=\"en\"", ask(*state, "/", "Accept-Language: en-GB\r\n"));
	assert_has("<html lang=\"fr\"", ask(*state, "/", "Accept-Language: en-GB\r\nCookie: lang=fr\r\n"));
	assert_has("<html lang=\"fr\" data-theme=\"dark\"", ask(*state, "/", "Cookie: theme=dark\r\n"));
	assert_has("<html lang=\"fr\" data-now", ask(*state, "/", "Cookie: theme=\"><script>\r\n"));
}

static void a_link_changes_language_and_comes_back(void **state)
{
	const char *reply;

	tell(*state, "salon/bme280/temperature", 21.4, 0);
	reply = ask(*state, "/series/salon/bme280/temperature?range=24h&lang=en", "");
	assert_has("HTTP/1.1 303", reply);
	assert_has("Set-Cookie: lang=en; Path=/; Max-Age=31536000; SameSite=Lax", reply);
	assert_has("Location: /series/salon/bme280/temperature?range=24h\r\n", reply);
	assert_has("Location: /\r\n", ask(*state, "/?theme=dark", ""));
}

/* ---- a furnished house ----------------------------------------------------------------------------------------------------------- */

static void a_reading_is_in_the_page_with_unit_and_age(void **state)
{
	tell(*state, "salon/bme280/temperature", 21.44, 8500);
	assert_has("<span data-dec=\"1\">21,4</span> <span class=\"unit\">°C</span>", ask(*state, "/", ""));
	assert_has(">il y a 8\xc2\xa0s</time>", ask(*state, "/node/salon", ""));
	assert_has("<h1>Tout va bien</h1>", ask(*state, "/", ""));
}

static void a_page_is_rendered_anew_when_the_house_changes(void **state)
{
	tell(*state, "salon/bme280/temperature", 21.4, 1000);
	assert_has(">21,4<", ask(*state, "/", ""));
	tell(*state, "salon/bme280/temperature", 19.5, 0);
	assert_has(">19,5<", ask(*state, "/", ""));
}

static void hostile_texts_never_become_markup(void **state)
{
	static const char *const paths[] = { "/", "/node/salon", "/series/salon/lamp/switch", "/series/salon/nfc/badge" };
	struct fixture *fixture = *state;
	struct reading badge = number("salon/nfc/badge", 0, 0);

	info(fixture, "salon",
	     "{\"label\":\"" HOSTILE "\",\"icon\":\"x\\\"><script>\",\"version\":\"" HOSTILE
	     "\",\"devices\":{\"lamp\":{\"driver\":\"sim\",\"label\":\"" HOSTILE
	     "\",\"icon\":\"'><b>\",\"quantities\":{\"switch\":{\"output\":\"switch\",\"label\":\"" HOSTILE
	     "\"},\"strange\":{\"unit\":\"<i>\"}}},"
	     "\"nfc\":{\"quantities\":{\"badge\":{}}}}}");
	assert_int_equal(0, value_of_text("</a><script>alert(1)</script>", 29, &badge.value));
	assert_int_equal(1, house_reading(fixture->house, &badge));
	tell(fixture, "salon/lamp/switch", 1, 0);
	tell(fixture, "salon/lamp/strange", 3, 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *page = ask(fixture, paths[i], "");

		assert_has("HTTP/1.1 200", page);
		assert_has("&lt;", page);
		assert_lacks("<img src", page); /* the chart's picture has a class first */
		assert_lacks("<script>", page);
		assert_lacks("<i>", page);
		assert_lacks("'>", page);
		assert_lacks("#i-x", page);
	}
}

static void a_hostile_address_is_told_but_not_believed(void **state)
{
	const char *page = ask(*state, "/node/%3Cscript%3Ealert(1)%3C/script%3E?x=%22%3E%3Cimg%3E", "");

	assert_has("HTTP/1.1 404", page);
	assert_has("Cette page n’existe pas", page);
	assert_lacks("<script>alert", page);
	assert_lacks("<img", page);
	assert_has("HTTP/1.1 404", ask(*state, "/series/salon/bme280/nothing", ""));
	assert_has("HTTP/1.1 404", ask(*state, "/series/Salon/../x", ""));
}

static void what_needs_a_look_is_counted_and_named(void **state)
{
	struct fixture *fixture = *state;

	info(fixture, "garage",
	     "{\"label\":\"Garage\",\"devices\":{\"sht31\":{\"quantities\":{\"temperature\":{\"interval\":10}}}}}");
	tell(fixture, "garage/sht31/temperature", 11.8, 59000);
	assert_has("<h1>Tout va bien</h1>", ask(fixture, "/", "")); /* five intervals and a bit */
	tell(fixture, "cuisine/dht22/battery", 14, 0);
	assert_has("<h1>Un point à voir</h1>", ask(fixture, "/", ""));
	assert_int_equal(1, house_status(fixture->house, "garage", false, clock_wall_ms() - 120000));
	assert_has("<h1>Deux points à voir</h1>", ask(fixture, "/", ""));
	assert_has("<b>Garage hors ligne</b><span class=\"ctl-s\">Plus de nouvelles depuis 2\xc2\xa0min</span>",
		   ask(fixture, "/", ""));
	fixture->broker_down = true;
	assert_has("<h1>Un point à voir</h1>", ask(fixture, "/", "")); /* without the broker nobody can be heard */
}

static void a_silent_sensor_does_not_look_fresh(void **state)
{
	struct fixture *fixture = *state;
	const char *page;

	info(fixture, "jardin", "{\"devices\":{\"bh1750\":{\"quantities\":{\"illuminance\":{\"interval\":10}}}}}");
	tell(fixture, "jardin/bh1750/illuminance", 312, 61000);
	page = ask(fixture, "/", "");
	assert_has("data-stale=\"60\" data-state=\"stale\"", page);
	assert_has("muet depuis 1\xc2\xa0min", page);
	assert_has("ne parle plus", page);
}

static void controls_are_forms_with_the_opposite_value(void **state)
{
	struct fixture *fixture = *state;
	const char *page;

	info(fixture, "salon",
	     "{\"devices\":{\"lamp\":{\"quantities\":{\"switch\":{\"output\":\"switch\"}}},"
	     "\"servo\":{\"quantities\":{\"position\":{\"output\":\"range\",\"min\":0,\"max\":180,\"step\":5}}},"
	     "\"siren\":{\"quantities\":{\"button\":{\"output\":\"button\",\"confirm\":true}}}}}");
	tell(fixture, "salon/lamp/switch", 1, 0);
	tell(fixture, "salon/servo/position", 90, 0);
	page = ask(fixture, "/node/salon", "");
	assert_has("<input type=\"hidden\" name=\"node\" value=\"salon\"><input type=\"hidden\" name=\"device\" value=\"lamp\">",
		   page);
	assert_has("<input type=\"hidden\" name=\"back\" value=\"/node/salon\">", page);
	assert_has("role=\"switch\" name=\"value\" value=\"0\" aria-checked=\"true\"", page);
	assert_has("type=\"range\" min=\"0\" max=\"180\" step=\"5\" value=\"90\"", page);
	assert_has("<input type=\"checkbox\" required>", page);
	assert_int_equal(1, house_status(fixture->house, "salon", false, clock_wall_ms()));
	assert_has("aria-labelledby=\"n/salon/lamp/switch\" title=\"Éteindre\" disabled>", ask(fixture, "/node/salon", ""));
}

/* ---- a series -------------------------------------------------------------------------------------------------------------------- */

static void store_readings(struct fixture *fixture, const char *name, size_t count, double from)
{
	char error[STORE_ERROR_MAX];
	struct store *store;

	assert_int_equal(0, store_open(fixture->store, STORE_WRITE, &store, error));
	for (size_t i = 0; i < count; i++) {
		struct reading reading = number(name, from + (double)i, (int64_t)(count - i) * 10000);

		assert_int_equal(1, store_append(store, &reading));
	}
	assert_int_equal(0, store_commit(store));
	store_close(store);
}

static void a_series_page_has_its_figures_and_its_neighbours(void **state)
{
	struct fixture *fixture = *state;
	const char *page;

	store_readings(fixture, "salon/bme280/temperature", 5, 20); /* 20 to 24 */
	tell(fixture, "salon/bme280/humidity", 46, 0);
	tell(fixture, "salon/bme280/temperature", 24, 10000);
	page = ask(fixture, "/series/salon/bme280/temperature", "");
	assert_has("<h1>Température et humidité</h1>", page);
	assert_has("data-c=\"min\" data-l=\"Minimum\">20,0<", page);
	assert_has("data-c=\"mean\" data-l=\"Moyenne\">22,0<", page);
	assert_has("data-c=\"max\" data-l=\"Maximum\">24,0<", page);
	assert_has("data-c=\"count\" data-l=\"Mesures\">5<", page);
	assert_has("data-c=\"gaps\" data-l=\"Coupures\">aucune<", page);
	assert_has("series=salon/bme280/temperature,salon/bme280/humidity&amp;last=100", page);
	assert_has("<td class=\"r\">24,0 °C</td>", page);
}

static void without_a_store_the_page_says_why_and_shows_what_is_live(void **state)
{
	struct fixture *fixture = *state;
	const char *page;

	tell(fixture, "salon/bme280/temperature", 21.4, 0);
	page = ask(fixture, "/series/salon/bme280/temperature", "");
	assert_has("HTTP/1.1 200", page);
	assert_has("L’historique ne peut pas être lu", page);
	assert_has("<b>21,4 °C</b>", page);
}

static void a_span_that_is_none_is_refused(void **state)
{
	tell(*state, "salon/bme280/temperature", 21.4, 0);
	assert_has("HTTP/1.1 400", ask(*state, "/series/salon/bme280/temperature?from=2000&to=1000", ""));
	assert_has("HTTP/1.1 400", ask(*state, "/series/salon/bme280/temperature?from=x", ""));
	assert_has("HTTP/1.1 200", ask(*state, "/series/salon/bme280/temperature?from=1000&to=2000", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_silent_house_says_what_to_type, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_reader_s_language_counts_in_this_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_link_changes_language_and_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_reading_is_in_the_page_with_unit_and_age, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_page_is_rendered_anew_when_the_house_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_texts_never_become_markup, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hostile_address_is_told_but_not_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_needs_a_look_is_counted_and_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_silent_sensor_does_not_look_fresh, set_up, tear_down),
		cmocka_unit_test_setup_teardown(controls_are_forms_with_the_opposite_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_series_page_has_its_figures_and_its_neighbours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_store_the_page_says_why_and_shows_what_is_live, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_span_that_is_none_is_refused, set_up, tear_down),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
