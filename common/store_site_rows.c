/* Users, sessions, tokens, settings, notes and events of webd's own file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store_site.h"

enum { EVENTS_MAX = 10000 };

/* The callers' function behind a row's. */
struct call {
	int (*user)(void *context, const struct site_user *user);
	int (*session)(void *context, const struct site_session *session);
	int (*token)(void *context, const struct site_token *token);
	int (*setting)(void *context, const char *key, const char *value);
	int (*note)(void *context, const struct site_note *note);
	int (*event)(void *context, const struct site_event *event);
	void *context;
};

static int count_row(void *call, sqlite3_stmt *statement)
{
	*(int *)call = sqlite3_column_int(statement, 0);
	return 0;
}

static int add(struct site *site, int r, int64_t *ret_id)
{
	if (r < 0)
		return r;
	*ret_id = sqlite3_last_insert_rowid(site->db);
	return 0;
}

/* ---- users --------------------------------------------------------------------------------------------------------------------------- */

static int user_row(void *data, sqlite3_stmt *statement)
{
	const struct call *call = data;
	struct site_user user = { .id = sqlite3_column_int64(statement, 0),
				  .role = (enum site_role)sqlite3_column_int(statement, 2),
				  .made_ms = sqlite3_column_int64(statement, 4) };

	site_text(statement, 1, user.name, sizeof(user.name));
	site_text(statement, 3, user.hash, sizeof(user.hash));
	return call->user(call->context, &user);
}

int site_each_user(struct site *site, int (*fn)(void *context, const struct site_user *user), void *context)
{
	struct call call = { .user = fn, .context = context };

	return site_each(site, user_row, &call, "SELECT id, name, role, hash, made FROM user ORDER BY name", "");
}

static int copy_user(void *context, const struct site_user *user)
{
	*(struct site_user *)context = *user;
	return 1;
}

int site_find_user(struct site *site, const char *name, struct site_user *ret_user)
{
	struct call call = { .user = copy_user, .context = ret_user };

	return site_each(site, user_row, &call, "SELECT id, name, role, hash, made FROM user WHERE name = ?", "t", name);
}

int site_add_user(struct site *site, struct site_user *user)
{
	int count = 0, r = site_each(site, count_row, &count, "SELECT count(*) FROM user", "");

	if (r < 0)
		return r;
	if (count >= SITE_USERS_MAX) {
		snprintf(site->error, sizeof(site->error), "at most %d users", SITE_USERS_MAX);
		return -ENOSPC;
	}
	r = site_run(site, "INSERT INTO user(name, role, hash, made) VALUES(?, ?, ?, ?)", "titi", user->name, (int64_t)user->role,
		     user->hash, user->made_ms);
	return add(site, r, &user->id);
}

int site_change_user(struct site *site, const struct site_user *user)
{
	return site_run(site, "UPDATE user SET role = ?, hash = ? WHERE id = ?", "iti", (int64_t)user->role, user->hash, user->id);
}

int site_remove_user(struct site *site, int64_t id)
{
	return site_run(site, "DELETE FROM user WHERE id = ?", "i", id);
}

/* ---- sessions ------------------------------------------------------------------------------------------------------------------------ */

static void digest_column(sqlite3_stmt *statement, int column, uint8_t digest[SITE_DIGEST])
{
	const void *bytes = sqlite3_column_blob(statement, column);

	memset(digest, 0, SITE_DIGEST);
	if (bytes && sqlite3_column_bytes(statement, column) == SITE_DIGEST)
		memcpy(digest, bytes, SITE_DIGEST);
}

static int session_row(void *data, sqlite3_stmt *statement)
{
	const struct call *call = data;
	struct site_session session = { .id = sqlite3_column_int64(statement, 0),
					.user = sqlite3_column_int64(statement, 1),
					.keep = sqlite3_column_int(statement, 3) != 0,
					.made_ms = sqlite3_column_int64(statement, 4),
					.seen_ms = sqlite3_column_int64(statement, 5),
					.expires_ms = sqlite3_column_int64(statement, 6) };

	digest_column(statement, 2, session.digest);
	site_text(statement, 7, session.agent, sizeof(session.agent));
	site_text(statement, 8, session.address, sizeof(session.address));
	return call->session(call->context, &session);
}

int site_each_session(struct site *site, int (*fn)(void *context, const struct site_session *session), void *context)
{
	struct call call = { .session = fn, .context = context };

	return site_each(site, session_row, &call,
			 "SELECT id, user, digest, keep, made, seen, expires, agent, address FROM session ORDER BY id DESC", "");
}

int site_add_session(struct site *site, struct site_session *session)
{
	int r = site_run(site,
			 "INSERT INTO session(user, digest, keep, made, seen, expires, agent, address)"
			 " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
			 "idiiiitt", session->user, session->digest, (int64_t)session->keep, session->made_ms, session->seen_ms,
			 session->expires_ms, session->agent, session->address);

	return add(site, r, &session->id);
}

int site_touch_session(struct site *site, const struct site_session *session)
{
	return site_run(site, "UPDATE session SET seen = ?, expires = ? WHERE id = ?", "iii", session->seen_ms, session->expires_ms,
			session->id);
}

int site_remove_session(struct site *site, int64_t id)
{
	return site_run(site, "DELETE FROM session WHERE id = ?", "i", id);
}

int site_remove_sessions(struct site *site, int64_t user, int64_t but)
{
	return site_run(site, "DELETE FROM session WHERE user = ? AND id <> ?", "ii", user, but);
}

int site_expire_sessions(struct site *site, int64_t now_ms)
{
	return site_run(site, "DELETE FROM session WHERE expires < ?", "i", now_ms);
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------------------- */

static int token_row(void *data, sqlite3_stmt *statement)
{
	const struct call *call = data;
	struct site_token token = { .id = sqlite3_column_int64(statement, 0),
				    .role = (enum site_role)sqlite3_column_int(statement, 2),
				    .made_ms = sqlite3_column_int64(statement, 4),
				    .used_ms = sqlite3_column_int64(statement, 5) };

	site_text(statement, 1, token.name, sizeof(token.name));
	digest_column(statement, 3, token.digest);
	site_text(statement, 6, token.by, sizeof(token.by));
	return call->token(call->context, &token);
}

int site_each_token(struct site *site, int (*fn)(void *context, const struct site_token *token), void *context)
{
	struct call call = { .token = fn, .context = context };

	return site_each(site, token_row, &call, "SELECT id, name, role, digest, made, used, by FROM token ORDER BY name", "");
}

int site_add_token(struct site *site, struct site_token *token)
{
	int count = 0, r = site_each(site, count_row, &count, "SELECT count(*) FROM token", "");

	if (r < 0)
		return r;
	if (count >= SITE_TOKENS_MAX) {
		snprintf(site->error, sizeof(site->error), "at most %d tokens", SITE_TOKENS_MAX);
		return -ENOSPC;
	}
	r = site_run(site, "INSERT INTO token(name, role, digest, made, used, by) VALUES(?, ?, ?, ?, 0, ?)", "tidit", token->name,
		     (int64_t)token->role, token->digest, token->made_ms, token->by);
	return add(site, r, &token->id);
}

int site_touch_token(struct site *site, int64_t id, int64_t used_ms)
{
	return site_run(site, "UPDATE token SET used = ? WHERE id = ?", "ii", used_ms, id);
}

int site_remove_token(struct site *site, int64_t id)
{
	return site_run(site, "DELETE FROM token WHERE id = ?", "i", id);
}

/* ---- settings ------------------------------------------------------------------------------------------------------------------------ */

static int setting_row(void *data, sqlite3_stmt *statement)
{
	const struct call *call = data;
	const char *key = (const char *)sqlite3_column_text(statement, 0);
	const char *value = (const char *)sqlite3_column_text(statement, 1);

	return call->setting(call->context, key ? key : "", value ? value : "");
}

int site_each_setting(struct site *site, const char *prefix, int (*fn)(void *context, const char *key, const char *value),
		      void *context)
{
	struct call call = { .setting = fn, .context = context };

	return site_each(site, setting_row, &call,
			 "SELECT key, value FROM setting WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key", "t", prefix);
}

int site_set_setting(struct site *site, const char *key, const char *value)
{
	int r = value ? site_run(site, "INSERT OR REPLACE INTO setting(key, value) VALUES(?, ?)", "tt", key, value)
		      : site_run(site, "DELETE FROM setting WHERE key = ?", "t", key);

	return r < 0 ? r : 0;
}

/* ---- notes --------------------------------------------------------------------------------------------------------------------------- */

int site_add_note(struct site *site, struct site_note *note)
{
	int r = site_run(site, "INSERT INTO note(time, series, text, by) VALUES(?, ?, ?, ?)", "ittt", note->time_ms, note->series,
			 note->text, note->by);

	return add(site, r, &note->id);
}

int site_remove_note(struct site *site, int64_t id)
{
	return site_run(site, "DELETE FROM note WHERE id = ?", "i", id);
}

static int note_row(void *data, sqlite3_stmt *statement)
{
	const struct call *call = data;
	struct site_note note = { .id = sqlite3_column_int64(statement, 0), .time_ms = sqlite3_column_int64(statement, 1) };

	site_text(statement, 2, note.series, sizeof(note.series));
	site_text(statement, 3, note.text, sizeof(note.text));
	site_text(statement, 4, note.by, sizeof(note.by));
	return call->note(call->context, &note);
}

int site_each_note(struct site *site, const char *series, int64_t from_ms, int64_t to_ms, size_t limit,
		   int (*fn)(void *context, const struct site_note *note), void *context)
{
	struct call call = { .note = fn, .context = context };

	return site_each(site, note_row, &call,
			 "SELECT id, time, series, text, by FROM note WHERE time >= ? AND time < ? AND series IN (?, '')"
			 " ORDER BY time, id LIMIT ?",
			 "iiti", from_ms, to_ms, series, (int64_t)limit);
}

/* ---- events -------------------------------------------------------------------------------------------------------------------------- */

int site_add_event(struct site *site, const struct site_event *event)
{
	int r = site_run(site, "INSERT INTO event(time, what, who, text, address) VALUES(?, ?, ?, ?, ?)", "itttt", event->time_ms,
			 event->what, event->who, event->text, event->address);

	/* A few too many do no harm: only now and then are the oldest taken away. */
	if (r >= 0 && sqlite3_last_insert_rowid(site->db) % 100 == 0)
		r = site_run(site, "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?", "i", (int64_t)EVENTS_MAX);
	return r < 0 ? r : 0;
}

static int event_row(void *data, sqlite3_stmt *statement)
{
	const struct call *call = data;
	struct site_event event = { .id = sqlite3_column_int64(statement, 0), .time_ms = sqlite3_column_int64(statement, 1) };

	site_text(statement, 2, event.what, sizeof(event.what));
	site_text(statement, 3, event.who, sizeof(event.who));
	site_text(statement, 4, event.text, sizeof(event.text));
	site_text(statement, 5, event.address, sizeof(event.address));
	return call->event(call->context, &event);
}

int site_each_event(struct site *site, int64_t before_ms, size_t limit, int (*fn)(void *context, const struct site_event *event),
		    void *context)
{
	struct call call = { .event = fn, .context = context };

	return site_each(site, event_row, &call,
			 "SELECT id, time, what, who, text, address FROM event WHERE time < ? ORDER BY time DESC, id DESC LIMIT ?",
			 "ii", before_ms, (int64_t)limit);
}
