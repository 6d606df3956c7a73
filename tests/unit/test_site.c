/* webd's own file: what is written is there after opening it again, what breaks is told with what to do. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "../../common/site.h"

#define NOON INT64_C(1795521600000)

struct fixture {
	char folder[64], path[128];
	struct site *site;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char error[SITE_ERROR_MAX];

	*state = fixture;
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/foyer-site-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/webd.db", fixture->folder);
	return site_open(fixture->path, &fixture->site, error);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];
	int r;

	site_close(fixture->site);
	snprintf(command, sizeof(command), "rm -r %s", fixture->folder);
	r = system(command);
	free(fixture);
	return r;
}

static struct site *reopen(struct fixture *fixture)
{
	char error[SITE_ERROR_MAX];

	site_close(fixture->site);
	fixture->site = NULL;
	assert_int_equal(0, site_open(fixture->path, &fixture->site, error));
	return fixture->site;
}

static struct site_user add_user(struct site *site, const char *name, enum site_role role)
{
	struct site_user user = { .role = role, .made_ms = NOON };

	snprintf(user.name, sizeof(user.name), "%s", name);
	snprintf(user.hash, sizeof(user.hash), "$y$%s", name);
	assert_int_equal(0, site_add_user(site, &user));
	assert_true(user.id > 0);
	return user;
}

/* What an "each" tells, as a line of words. */
struct line {
	char text[4096];
	unsigned count, stop_at;
};

static int tell(struct line *line, const char *text)
{
	size_t len = strlen(line->text);

	snprintf(line->text + len, sizeof(line->text) - len, "%s%s", len ? " " : "", text);
	return ++line->count == line->stop_at ? 7 : 0;
}

static int on_user(void *context, const struct site_user *user)
{
	char text[400];

	snprintf(text, sizeof(text), "%s:%d:%s", user->name, (int)user->role, user->hash);
	return tell(context, text);
}

static const char *users(struct site *site)
{
	static struct line line;

	line = (struct line){ 0 };
	assert_int_equal(0, site_each_user(site, on_user, &line));
	return line.text;
}

static int on_session(void *context, const struct site_session *session)
{
	char text[64];

	snprintf(text, sizeof(text), "%lld:%lld:%02x", (long long)session->user, (long long)session->seen_ms, session->digest[31]);
	return tell(context, text);
}

static const char *sessions(struct site *site)
{
	static struct line line;

	line = (struct line){ 0 };
	assert_int_equal(0, site_each_session(site, on_session, &line));
	return line.text;
}

static struct site_session add_session(struct site *site, int64_t user, uint8_t mark, int64_t expires_ms)
{
	struct site_session session = { .user = user, .keep = true, .made_ms = NOON, .seen_ms = NOON, .expires_ms = expires_ms };

	memset(session.digest, 0, sizeof(session.digest)); /* zero bytes are part of it */
	session.digest[31] = mark;
	snprintf(session.agent, sizeof(session.agent), "Browser'; DROP TABLE session; --");
	snprintf(session.address, sizeof(session.address), "192.0.2.1");
	assert_int_equal(0, site_add_session(site, &session));
	return session;
}

/* ---- users --------------------------------------------------------------------------------------------------------------------------- */

static void users_stay_and_are_told_in_order_of_name(void **state)
{
	struct fixture *fixture = *state;

	add_user(fixture->site, "zoé", SITE_VIEW);
	add_user(fixture->site, "Anna", SITE_ADMINISTER);
	add_user(fixture->site, "bob", SITE_OPERATE);
	assert_string_equal("Anna:3:$y$Anna bob:2:$y$bob zoé:1:$y$zoé", users(reopen(fixture)));
}

static void a_name_is_taken_whatever_its_case(void **state)
{
	struct fixture *fixture = *state;
	struct site_user user = { .name = "ANNA", .role = SITE_VIEW, .hash = "x" }, found;

	add_user(fixture->site, "Anna", SITE_ADMINISTER);
	assert_int_equal(-EEXIST, site_add_user(fixture->site, &user));
	assert_int_equal(1, site_find_user(fixture->site, "aNNA", &found));
	assert_string_equal("Anna", found.name);
	assert_int_equal(NOON, found.made_ms);
	assert_int_equal(0, site_find_user(fixture->site, "ann", &found));
	assert_int_equal(0, site_find_user(fixture->site, "' OR 1=1 --", &found));
	assert_int_equal(0, site_find_user(fixture->site, "%", &found));
}

static void a_changed_user_has_another_role_and_hash(void **state)
{
	struct fixture *fixture = *state;
	struct site_user user = add_user(fixture->site, "anna", SITE_VIEW);

	user.role = SITE_OPERATE;
	strcpy(user.hash, "new");
	assert_int_equal(1, site_change_user(fixture->site, &user));
	assert_string_equal("anna:2:new", users(reopen(fixture)));
	user.id = 99;
	assert_int_equal(0, site_change_user(fixture->site, &user));
}

static void a_removed_user_takes_the_sessions_along(void **state)
{
	struct fixture *fixture = *state;
	struct site_user anna = add_user(fixture->site, "anna", SITE_VIEW), bob = add_user(fixture->site, "bob", SITE_VIEW);

	add_session(fixture->site, anna.id, 1, NOON + 1);
	add_session(fixture->site, bob.id, 2, NOON + 1);
	assert_int_equal(1, site_remove_user(fixture->site, anna.id));
	assert_int_equal(0, site_remove_user(fixture->site, anna.id));
	assert_string_equal("bob:1:$y$bob", users(reopen(fixture)));
	assert_non_null(strstr(sessions(fixture->site), ":02"));
	assert_null(strstr(sessions(fixture->site), ":01"));
}

static void users_and_tokens_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct site_user user = { .role = SITE_VIEW, .hash = "x" };
	struct site_token token = { .role = SITE_VIEW };

	for (int i = 0; i < SITE_USERS_MAX; i++) {
		snprintf(user.name, sizeof(user.name), "u%d", i);
		assert_int_equal(0, site_add_user(fixture->site, &user));
		snprintf(token.name, sizeof(token.name), "t%d", i);
		assert_int_equal(0, site_add_token(fixture->site, &token));
	}
	strcpy(user.name, "one more");
	assert_int_equal(-ENOSPC, site_add_user(fixture->site, &user));
	assert_non_null(strstr(site_error(fixture->site), "100"));
	strcpy(token.name, "one more");
	assert_int_equal(-ENOSPC, site_add_token(fixture->site, &token));
}

static void an_each_that_has_seen_enough_ends(void **state)
{
	struct fixture *fixture = *state;
	struct line line = { .stop_at = 2 };

	for (int i = 0; i < 5; i++)
		add_user(fixture->site, (char[]){ (char)('a' + i), 0 }, SITE_VIEW);
	assert_int_equal(7, site_each_user(fixture->site, on_user, &line));
	assert_int_equal(2, line.count);
}

/* ---- sessions ------------------------------------------------------------------------------------------------------------------------ */

static void sessions_are_newest_first_and_touched(void **state)
{
	struct fixture *fixture = *state;
	struct site_user anna = add_user(fixture->site, "anna", SITE_VIEW);
	struct site_session first = add_session(fixture->site, anna.id, 1, NOON + 5);
	char expected[128];

	add_session(fixture->site, anna.id, 2, NOON + 5);
	first.seen_ms = NOON + 3;
	assert_true(site_touch_session(fixture->site, &first) >= 0);
	snprintf(expected, sizeof(expected), "1:%lld:02 1:%lld:01", (long long)NOON, (long long)NOON + 3);
	assert_string_equal(expected, sessions(reopen(fixture)));
}

static void sessions_end_one_by_one_all_but_one_and_by_time(void **state)
{
	struct fixture *fixture = *state;
	struct site_user anna = add_user(fixture->site, "anna", SITE_VIEW), bob = add_user(fixture->site, "bob", SITE_VIEW);
	struct site_session kept;

	add_session(fixture->site, anna.id, 1, NOON);
	kept = add_session(fixture->site, anna.id, 2, NOON + 10);
	add_session(fixture->site, anna.id, 3, NOON + 10);
	add_session(fixture->site, bob.id, 4, NOON + 20);
	assert_int_equal(1, site_expire_sessions(fixture->site, NOON + 1));
	assert_null(strstr(sessions(fixture->site), ":01"));
	assert_int_equal(1, site_remove_sessions(fixture->site, anna.id, kept.id));
	assert_non_null(strstr(sessions(fixture->site), ":02"));
	assert_non_null(strstr(sessions(fixture->site), ":04"));
	assert_int_equal(1, site_remove_session(fixture->site, kept.id));
	assert_int_equal(0, site_remove_session(fixture->site, kept.id));
	assert_int_equal(0, site_remove_sessions(fixture->site, anna.id, 0));
}

static void a_session_of_nobody_is_not_kept(void **state)
{
	struct fixture *fixture = *state;
	struct site_session session = { .user = 4711, .expires_ms = NOON };

	assert_true(site_add_session(fixture->site, &session) < 0);
	assert_string_equal("", sessions(fixture->site));
}

/* ---- tokens, settings, notes ---------------------------------------------------------------------------------------------------------- */

static int on_token(void *context, const struct site_token *token)
{
	char text[128];

	snprintf(text, sizeof(text), "%s:%d:%02x:%lld:%s", token->name, (int)token->role, token->digest[0],
		 (long long)token->used_ms, token->by);
	return tell(context, text);
}

static void tokens_know_when_they_were_used(void **state)
{
	struct fixture *fixture = *state;
	struct site_token token = { .name = "backup", .role = SITE_OPERATE, .digest = { 0xab }, .made_ms = NOON, .by = "anna" };
	struct line line = { 0 };

	assert_int_equal(0, site_add_token(fixture->site, &token));
	assert_int_equal(-EEXIST, site_add_token(fixture->site, &token));
	assert_int_equal(0, site_each_token(fixture->site, on_token, &line));
	assert_string_equal("backup:2:ab:0:anna", line.text);
	assert_int_equal(1, site_touch_token(fixture->site, token.id, 5));
	line = (struct line){ 0 };
	assert_int_equal(0, site_each_token(reopen(fixture), on_token, &line));
	assert_string_equal("backup:2:ab:5:anna", line.text);
	assert_int_equal(1, site_remove_token(fixture->site, token.id));
	assert_int_equal(0, site_remove_token(fixture->site, token.id));
}

static int on_setting(void *context, const char *key, const char *value)
{
	char text[512];

	snprintf(text, sizeof(text), "%s=%s", key, value);
	return tell(context, text);
}

static void settings_go_by_their_prefix(void **state)
{
	struct fixture *fixture = *state;
	struct line line = { 0 };

	assert_int_equal(0, site_set_setting(fixture->site, "house.label.salon", "Le « salon »"));
	assert_int_equal(0, site_set_setting(fixture->site, "house.order.salon", "1"));
	assert_int_equal(0, site_set_setting(fixture->site, "house.order.salon", "2"));
	assert_int_equal(0, site_set_setting(fixture->site, "houseboat", "no"));
	assert_int_equal(0, site_set_setting(fixture->site, "h%", "no"));
	assert_int_equal(0, site_each_setting(reopen(fixture), "house.", on_setting, &line));
	assert_string_equal("house.label.salon=Le « salon » house.order.salon=2", line.text);
	assert_int_equal(0, site_set_setting(fixture->site, "house.label.salon", NULL));
	assert_int_equal(0, site_set_setting(fixture->site, "house.label.salon", NULL));
	line = (struct line){ 0 };
	assert_int_equal(0, site_each_setting(fixture->site, "h", on_setting, &line));
	assert_string_equal("h%=no house.order.salon=2 houseboat=no", line.text);
}

static int on_note(void *context, const struct site_note *note)
{
	return tell(context, note->text);
}

static void notes_belong_to_a_series_or_to_the_house(void **state)
{
	struct fixture *fixture = *state;
	static const struct site_note notes[] = {
		{ .time_ms = NOON + 2, .series = "salon/air/temperature", .text = "window" },
		{ .time_ms = NOON + 1, .series = "", .text = "storm" },
		{ .time_ms = NOON + 1, .series = "cave/air/temperature", .text = "other" },
		{ .time_ms = NOON + 9, .series = "salon/air/temperature", .text = "late" },
	};
	struct site_note note;
	struct line line = { 0 };

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		note = notes[i];
		assert_int_equal(0, site_add_note(fixture->site, &note));
	}
	assert_int_equal(0, site_each_note(fixture->site, "salon/air/temperature", NOON, NOON + 9, 10, on_note, &line));
	assert_string_equal("storm window", line.text);
	line = (struct line){ 0 };
	assert_int_equal(0, site_each_note(fixture->site, "salon/air/temperature", NOON, NOON + 10, 2, on_note, &line));
	assert_string_equal("storm window", line.text);
	assert_int_equal(1, site_remove_note(fixture->site, note.id));
	assert_int_equal(0, site_remove_note(fixture->site, note.id));
}

/* ---- events --------------------------------------------------------------------------------------------------------------------------- */

static int on_event(void *context, const struct site_event *event)
{
	char text[400];

	snprintf(text, sizeof(text), "%s/%s/%s/%s", event->what, event->who, event->text, event->address);
	return tell(context, text);
}

static void events_are_newest_first_and_before_a_time(void **state)
{
	struct fixture *fixture = *state;
	struct line line = { 0 };

	for (int i = 0; i < 4; i++) {
		struct site_event event = { .time_ms = NOON + i / 2, .what = "login", .who = "anna", .address = "::1" };

		snprintf(event.text, sizeof(event.text), "%d", i);
		assert_int_equal(0, site_add_event(fixture->site, &event));
	}
	assert_int_equal(0, site_each_event(reopen(fixture), INT64_MAX, 3, on_event, &line));
	assert_string_equal("login/anna/3/::1 login/anna/2/::1 login/anna/1/::1", line.text);
	line = (struct line){ 0 };
	assert_int_equal(0, site_each_event(fixture->site, NOON + 1, 10, on_event, &line));
	assert_string_equal("login/anna/1/::1 login/anna/0/::1", line.text);
}

static int on_count(void *context, const struct site_event *event)
{
	(void)event;
	++*(unsigned *)context;
	return 0;
}

/* In memory, so that ten thousand commits cost no disk. */
static void the_newest_ten_thousand_events_stay(void **state)
{
	char error[SITE_ERROR_MAX];
	unsigned count = 0;
	struct site *site;

	(void)state;
	assert_int_equal(0, site_open(SITE_IN_MEMORY, &site, error));
	for (int i = 0; i < 10300; i++) {
		const struct site_event event = { .time_ms = NOON + i, .what = "login" };

		assert_int_equal(0, site_add_event(site, &event));
	}
	assert_int_equal(0, site_each_event(site, INT64_MAX, 20000, on_count, &count));
	assert_in_range(count, 10000, 10100);
	count = 0;
	assert_int_equal(0, site_each_event(site, NOON + 200, 20000, on_count, &count));
	assert_int_equal(0, count); /* the oldest went */
	site_close(site);
}

/* ---- the file ------------------------------------------------------------------------------------------------------------------------- */

static void nobody_else_may_read_it(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;

	assert_int_equal(0, stat(fixture->path, &status));
	assert_int_equal(0600, status.st_mode & 0777);
	add_user(fixture->site, "anna", SITE_VIEW);
	char wal[160];

	snprintf(wal, sizeof(wal), "%s-wal", fixture->path);
	assert_int_equal(0, stat(wal, &status));
	assert_int_equal(0600, status.st_mode & 0777);
}

static int open_fails(const char *path, const char *why)
{
	char error[SITE_ERROR_MAX] = "";
	struct site *site = NULL;
	int r = site_open(path, &site, error);

	assert_true(r < 0);
	assert_null(site);
	if (!strstr(error, why) || !strstr(error, path))
		fail_msg("\"%s\" does not tell \"%s\" of %s", error, why, path);
	return r;
}

static void a_file_that_is_none_is_told_and_left_alone(void **state)
{
	struct fixture *fixture = *state;
	char path[128], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/letter", fixture->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("This is a letter to a friend, which no database should eat.", file);
	fclose(file);
	assert_int_equal(-EUCLEAN, open_fails(path, "damaged"));
	file = fopen(path, "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_memory_equal("This is a letter", text, 16);
}

static void a_file_of_a_newer_webd_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *db;

	site_close(fixture->site);
	fixture->site = NULL;
	assert_int_equal(SQLITE_OK, sqlite3_open(fixture->path, &db));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, "PRAGMA user_version = 77", NULL, NULL, NULL));
	sqlite3_close(db);
	assert_int_equal(-EPROTO, open_fails(fixture->path, "newer"));
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/none/webd.db", fixture->folder);
	assert_int_equal(-ENOENT, open_fails(path, "No such file"));
	assert_true(open_fails(fixture->folder, "") < 0);
}

static void another_writers_lock_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct site_event event = { .time_ms = NOON, .what = "login" };
	sqlite3 *db;

	assert_int_equal(SQLITE_OK, sqlite3_open(fixture->path, &db));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	assert_int_equal(-EBUSY, site_add_event(fixture->site, &event));
	assert_non_null(strstr(site_error(fixture->site), "lock"));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL));
	sqlite3_close(db);
	assert_int_equal(0, site_add_event(fixture->site, &event));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(users_stay_and_are_told_in_order_of_name),
		T(a_name_is_taken_whatever_its_case),
		T(a_changed_user_has_another_role_and_hash),
		T(a_removed_user_takes_the_sessions_along),
		T(users_and_tokens_are_bounded),
		T(an_each_that_has_seen_enough_ends),
		T(sessions_are_newest_first_and_touched),
		T(sessions_end_one_by_one_all_but_one_and_by_time),
		T(a_session_of_nobody_is_not_kept),
		T(tokens_know_when_they_were_used),
		T(settings_go_by_their_prefix),
		T(notes_belong_to_a_series_or_to_the_house),
		T(events_are_newest_first_and_before_a_time),
		cmocka_unit_test(the_newest_ten_thousand_events_stay),
		T(nobody_else_may_read_it),
		T(a_file_that_is_none_is_told_and_left_alone),
		T(a_file_of_a_newer_webd_is_left_alone),
		T(a_folder_that_is_not_there_is_told),
		T(another_writers_lock_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
