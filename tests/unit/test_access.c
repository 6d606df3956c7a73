/* links: webd/access.c webd/secret.c webd/http.c webd/http_proxy.c webd/http_tls.c webd/http_request.c webd/http_route.c webd/http_reply.c webd/http_connection.c webd/http_stream.c */
/* Who may what: every role at every need, sessions and tokens as a browser and a script show them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../common/clock.h"
#include "../../common/log.h"
#include "../../webd/access.h"
#include "../../webd/secret.h"
#include "web_client.h"

struct fixture {
	sd_event *event;
	struct http *http;
	struct site *site;
	struct access *access;
	struct site_user user; /* who logs in at /in */
	bool keep;
	int64_t ended[16];
	unsigned ended_count;
};

static void who(struct http_request *request, void *context)
{
	struct fixture *fixture = context;
	struct access_who who = access_who(fixture->access, request);
	struct buffer text = BUFFER_EMPTY;

	buffer_printf(&text, "who=%s role=%d user=%lld", who.name, (int)who.role, (long long)who.user);
	http_reply_buffer(request, 200, "text/plain", &text);
}

static void log_in(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	assert_int_equal(0, access_log_in(fixture->access, request, &fixture->user, fixture->keep));
	http_reply(request, 200, "text/plain", "in", 2);
}

static void log_out(struct http_request *request, void *context)
{
	access_log_out(((struct fixture *)context)->access, request);
	http_reply(request, 200, "text/plain", "out", 3);
}

static bool guard(struct http_request *request, int need, void *context)
{
	return access_guard(((struct fixture *)context)->access, request, (enum site_role)need);
}

static const struct http_route routes[] = {
	{ "GET", "/nobody", who, SITE_NOBODY },   { "GET", "/view", who, SITE_VIEW },
	{ "GET", "/operate", who, SITE_OPERATE }, { "GET", "/administer", who, SITE_ADMINISTER },
	{ "GET", "/api/view", who, SITE_VIEW },   { "POST", "/operate", who, SITE_OPERATE },
	{ "GET", "/in", log_in, SITE_NOBODY },    { "GET", "/out", log_out, SITE_NOBODY },
	{ "GET", "/view/:node", who, SITE_VIEW }, { 0 },
};

static void on_end(void *context, int64_t session)
{
	struct fixture *fixture = context;

	fixture->ended[fixture->ended_count++ % 16] = session;
}

static int open_all(struct fixture *fixture, bool open)
{
	struct http_settings settings = { .address = "127.0.0.1", .routes = routes, .context = fixture, .guard = guard };
	char error[SITE_ERROR_MAX];

	log_set_level(LOG_LEVEL_ERROR);
	if (sd_event_new(&fixture->event) < 0 || site_open(SITE_IN_MEMORY, &fixture->site, error) < 0 ||
	    access_open(fixture->site, open, &fixture->access) < 0)
		return -1;
	access_on_end(fixture->access, on_end, fixture);
	return http_open(&settings, fixture->event, &fixture->http);
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return open_all(*state, false);
}

static int set_up_open(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return open_all(*state, true);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_close(fixture->http);
	access_close(fixture->access);
	site_close(fixture->site);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

static struct site_user add(struct fixture *fixture, const char *name, enum site_role role)
{
	struct site_user user = { .role = role, .hash = "x" };

	snprintf(user.name, sizeof(user.name), "%s", name);
	assert_int_equal(0, access_add_user(fixture->access, &user));
	return user;
}

static const char *ask(const struct fixture *fixture, const char *line, const char *headers)
{
	return client_ask(fixture->event, fixture->http, line, headers, "");
}

/* Logs in and gives the header that a browser then sends. */
static const char *cookie_of(struct fixture *fixture, const struct site_user *user)
{
	static char texts[8][128];
	static unsigned next;
	char *text = texts[next++ % 8];
	const char *reply, *at;

	fixture->user = *user;
	reply = ask(fixture, "GET /in", "");
	at = strstr(reply, "Set-Cookie: ");
	assert_non_null(at);
	snprintf(text, sizeof(texts[0]), "Cookie: other=1; %.*s\r\n", (int)strcspn(at + 12, ";"), at + 12);
	return text;
}

static const char *token_of(struct fixture *fixture, const char *name, enum site_role role, int64_t *ret_id)
{
	static char header[128];
	struct site_token token = { .role = role };
	char text[64];

	snprintf(token.name, sizeof(token.name), "%s", name);
	assert_int_equal(0, access_add_token(fixture->access, &token, text));
	assert_int_equal(SECRET_TEXT, strlen(text));
	snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", text);
	if (ret_id)
		*ret_id = token.id;
	return header;
}

static const char *const needs[] = { "/nobody", "/view", "/operate", "/administer" };

static void each_role_reaches_as_far_as_it_should(void **state)
{
	struct fixture *fixture = *state;

	for (int role = SITE_VIEW; role <= SITE_ADMINISTER; role++) {
		struct site_user user = add(fixture, (char[]){ (char)('a' + role), 0 }, (enum site_role)role);
		const char *cookie = cookie_of(fixture, &user);

		for (int need = SITE_NOBODY; need <= SITE_ADMINISTER; need++) {
			char line[32];

			snprintf(line, sizeof(line), "GET %s", needs[need]);
			assert_has(need <= role ? " 200 " : " 403 ", ask(fixture, line, cookie));
		}
	}
}

static void nobody_is_led_to_the_log_in_page_and_back(void **state)
{
	struct fixture *fixture = *state;

	assert_has(" 200 ", ask(fixture, "GET /nobody", ""));
	assert_has("who= role=0", ask(fixture, "GET /nobody", ""));
	assert_has("Location: /login?back=/view\r\n", ask(fixture, "GET /view", ""));
	assert_has("Location: /login?back=/view/a%2522b%3Fx%3D1%26y\r\n", ask(fixture, "GET /view/a%22b?x=1&y", ""));
	assert_has("Location: /login\r\n", ask(fixture, "POST /operate", ""));
	assert_has(" 401 ", ask(fixture, "GET /api/view", ""));
	assert_has("WWW-Authenticate: Bearer", ask(fixture, "GET /api/view", ""));
	assert_has(" 401 ", ask(fixture, "GET /view", "Accept: application/json\r\n"));
}

static void cookies_that_are_none_open_nothing(void **state)
{
	static const char *const wrong[] = {
		"Cookie: foyer_session=\r\n",
		"Cookie: foyer_session=x\r\n",
		"Cookie: foyer_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
		"Authorization: Bearer \r\n",
		"Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
		"Authorization: Basic YTpi\r\n",
		"Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
	};
	struct fixture *fixture = *state;
	struct site_user user = add(fixture, "anna", SITE_ADMINISTER);

	cookie_of(fixture, &user);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_has(" 401 ", ask(fixture, "GET /api/view", wrong[i]));
}

static void a_session_is_no_token_and_a_token_no_session(void **state)
{
	struct fixture *fixture = *state;
	struct site_user user = add(fixture, "anna", SITE_ADMINISTER);
	const char *cookie = cookie_of(fixture, &user), *token = token_of(fixture, "script", SITE_VIEW, NULL);
	char swapped[160];

	snprintf(swapped, sizeof(swapped), "Authorization: Bearer %.*s\r\n", SECRET_TEXT, strstr(cookie, "foyer_session=") + 14);
	assert_has(" 401 ", ask(fixture, "GET /api/view", swapped));
	snprintf(swapped, sizeof(swapped), "Cookie: foyer_session=%.*s\r\n", SECRET_TEXT, strstr(token, "Bearer ") + 7);
	assert_has(" 401 ", ask(fixture, "GET /api/view", swapped));
	/* A wrong token is not made good by a session: whoever sends one means it. */
	snprintf(swapped, sizeof(swapped), "%sAuthorization: Bearer x\r\n", cookie);
	assert_has(" 401 ", ask(fixture, "GET /api/view", swapped));
}

static void the_cookie_is_for_the_server_alone(void **state)
{
	struct fixture *fixture = *state;
	const char *reply;

	fixture->user = add(fixture, "anna", SITE_VIEW);
	reply = ask(fixture, "GET /in", "");
	assert_has("; Path=/; HttpOnly; SameSite=Lax\r\n", reply); /* not Secure: it came by plain HTTP */
	fixture->keep = true;
	assert_has("; Path=/; HttpOnly; SameSite=Lax; Max-Age=7776000\r\n", ask(fixture, "GET /in", ""));
}

static void logging_out_ends_the_session(void **state)
{
	struct fixture *fixture = *state;
	struct site_user user = add(fixture, "anna", SITE_VIEW);
	const char *cookie = cookie_of(fixture, &user);

	assert_has("who=anna role=1 user=1", ask(fixture, "GET /view", cookie));
	assert_has("Set-Cookie: foyer_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0\r\n", ask(fixture, "GET /out", cookie));
	assert_int_equal(1, fixture->ended_count);
	assert_has(" 303 ", ask(fixture, "GET /view", cookie));
	assert_has("out", ask(fixture, "GET /out", cookie)); /* again: nothing to end */
	assert_int_equal(1, fixture->ended_count);
}

static void sessions_end_by_their_owner_alone(void **state)
{
	struct fixture *fixture = *state;
	struct site_user anna = add(fixture, "anna", SITE_VIEW), bob = add(fixture, "bob", SITE_VIEW);
	char cookie[128], other[128];

	snprintf(cookie, sizeof(cookie), "%s", cookie_of(fixture, &anna));
	snprintf(other, sizeof(other), "%s", cookie_of(fixture, &anna));
	assert_int_equal(0, access_end_session(fixture->access, 1, bob.id));
	assert_has(" 200 ", ask(fixture, "GET /view", cookie));
	assert_int_equal(1, access_end_session(fixture->access, 1, anna.id));
	assert_has(" 303 ", ask(fixture, "GET /view", cookie));
	assert_has(" 200 ", ask(fixture, "GET /view", other));
	assert_int_equal(0, access_end_session(fixture->access, 1, anna.id));
	snprintf(cookie, sizeof(cookie), "%s", cookie_of(fixture, &anna));
	assert_true(access_end_sessions(fixture->access, anna.id, 2) >= 0);
	assert_has(" 303 ", ask(fixture, "GET /view", cookie));
	assert_has(" 200 ", ask(fixture, "GET /view", other));
	assert_int_equal(2, fixture->ended_count);
}

static void a_removed_user_is_out_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct site_user anna = add(fixture, "anna", SITE_ADMINISTER);
	const char *cookie = cookie_of(fixture, &anna);

	assert_int_equal(1, access_remove_user(fixture->access, anna.id));
	assert_has(" 303 ", ask(fixture, "GET /view", cookie));
	assert_int_equal(1, fixture->ended_count);
	assert_int_equal(0, access_administrators(fixture->access));
}

static void a_new_role_is_in_force_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct site_user anna = add(fixture, "anna", SITE_ADMINISTER);
	const char *cookie = cookie_of(fixture, &anna);

	assert_int_equal(1, access_administrators(fixture->access));
	anna.role = SITE_VIEW;
	assert_int_equal(1, access_change_user(fixture->access, &anna));
	assert_has(" 403 ", ask(fixture, "GET /operate", cookie));
	assert_has(" 200 ", ask(fixture, "GET /view", cookie));
	assert_int_equal(0, access_administrators(fixture->access));
}

static void sessions_and_tokens_outlive_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct site_user anna = add(fixture, "anna", SITE_OPERATE);
	char cookie[128], token[128];

	snprintf(cookie, sizeof(cookie), "%s", cookie_of(fixture, &anna));
	snprintf(token, sizeof(token), "%s", token_of(fixture, "script", SITE_OPERATE, NULL));
	access_close(fixture->access);
	assert_int_equal(0, access_open(fixture->site, false, &fixture->access));
	assert_null(access_setup_code(fixture->access));
	assert_has("who=anna role=2", ask(fixture, "GET /operate", cookie));
	assert_has("who=script role=2", ask(fixture, "GET /operate", token));
}

static void a_session_that_expired_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct site_session session = { .expires_ms = clock_wall_ms() - 1000 };
	char text[SECRET_TEXT + 1], cookie[96];

	session.user = add(fixture, "anna", SITE_VIEW).id;
	assert_int_equal(0, secret_make(text, session.digest));
	assert_int_equal(0, site_add_session(fixture->site, &session));
	access_close(fixture->access);
	assert_int_equal(0, access_open(fixture->site, false, &fixture->access));
	snprintf(cookie, sizeof(cookie), "Cookie: foyer_session=%s\r\n", text);
	assert_has(" 303 ", ask(fixture, "GET /view", cookie));
}

static void a_removed_token_is_out_of_force_at_once(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;
	const char *token = token_of(fixture, "script", SITE_OPERATE, &id);

	assert_has("who=script role=2 user=0", ask(fixture, "GET /operate", token));
	assert_has(" 403 ", ask(fixture, "GET /administer", token));
	assert_int_equal(1, access_remove_token(fixture->access, id));
	assert_has(" 303 ", ask(fixture, "GET /operate", token));
}

static void the_set_up_word_is_there_until_the_first_user(void **state)
{
	struct fixture *fixture = *state;
	char code[SECRET_TEXT + 1];

	assert_non_null(access_setup_code(fixture->access));
	snprintf(code, sizeof(code), "%s", access_setup_code(fixture->access));
	assert_true(access_is_setup_code(fixture->access, code));
	assert_false(access_is_setup_code(fixture->access, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	assert_false(access_is_setup_code(fixture->access, ""));
	assert_false(access_is_setup_code(fixture->access, NULL));
	add(fixture, "anna", SITE_ADMINISTER);
	assert_null(access_setup_code(fixture->access));
	assert_false(access_is_setup_code(fixture->access, code));
}

static void without_log_in_everybody_may_everything_under_this_machines_names(void **state)
{
	static const char *const here[] = { "localhost",    "localhost:8080", "127.0.0.1", "127.0.0.1:80",
					    "127.9.9.9:80", "[::1]:8080",     "LOCALHOST" };
	static const char *const elsewhere[] = {
		"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5", "x", "[::2]"
	};
	struct fixture *fixture = *state;
	char request[128];
	int fd;

	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]) + sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		bool good = i < sizeof(here) / sizeof(here[0]);
		const char *host = good ? here[i] : elsewhere[i - sizeof(here) / sizeof(here[0])];

		snprintf(request, sizeof(request), "GET /administer HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
		fd = client_connect(fixture->http);
		assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
		assert_has(good ? "who= role=3" : " 421 ", client_receive(fixture->event, fd, ""));
		close(fd);
	}
	assert_null(access_setup_code(fixture->access));
}

static int count_session(void *context, const struct site_session *session)
{
	(void)session;
	++*(unsigned *)context;
	return 0;
}

/* Somebody's script that logs in each minute fills no memory: the longest unused sessions make room. */
static void sessions_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	unsigned count = 0;
	const char *last = "";

	fixture->user = add(fixture, "anna", SITE_VIEW);
	for (int i = 0; i < 1005; i++)
		last = cookie_of(fixture, &fixture->user);
	assert_has(" 200 ", ask(fixture, "GET /view", last));
	assert_int_equal(0, site_each_session(fixture->site, count_session, &count));
	assert_int_equal(1000, count);
	assert_int_equal(5, fixture->ended_count);
}

static int on_event(void *context, const struct site_event *event)
{
	snprintf(context, 400, "%s/%s/%s/%s", event->what, event->who, event->text, event->address);
	return 1;
}

static void note(struct http_request *request, void *context)
{
	access_note(((struct fixture *)context)->access, request, "anna", "user_added", "bob");
	http_reply(request, 200, "text/plain", "", 0);
}

static void what_people_do_is_written_down(void **state)
{
	static const struct http_route note_routes[] = { { "GET", "/note", note, 0 }, { 0 } };
	struct fixture *fixture = *state;
	struct http_settings settings = { .address = "127.0.0.1", .routes = note_routes, .context = fixture };
	char text[400] = "";

	http_close(fixture->http);
	assert_int_equal(0, http_open(&settings, fixture->event, &fixture->http));
	assert_has(" 200 ", ask(fixture, "GET /note", ""));
	assert_int_equal(1, site_each_event(fixture->site, INT64_MAX, 1, on_event, text));
	assert_string_equal("user_added/anna/bob/127.0.0.1", text);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_role_reaches_as_far_as_it_should),
		T(nobody_is_led_to_the_log_in_page_and_back),
		T(cookies_that_are_none_open_nothing),
		T(a_session_is_no_token_and_a_token_no_session),
		T(the_cookie_is_for_the_server_alone),
		T(logging_out_ends_the_session),
		T(sessions_end_by_their_owner_alone),
		T(a_removed_user_is_out_at_once),
		T(a_new_role_is_in_force_at_once),
		T(sessions_and_tokens_outlive_a_restart),
		T(a_session_that_expired_is_gone),
		T(a_removed_token_is_out_of_force_at_once),
		T(the_set_up_word_is_there_until_the_first_user),
		cmocka_unit_test_setup_teardown(without_log_in_everybody_may_everything_under_this_machines_names, set_up_open,
						tear_down),
		T(sessions_are_bounded),
		T(what_people_do_is_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
