#include "access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "secret.h"

#define HOUR_MS ((int64_t)3600000)
#define KEEP_MS (90 * 24 * HOUR_MS)
#define VISIT_MS (12 * HOUR_MS)
#define TOUCH_MS HOUR_MS /* the file learns of a visit so often, to spare the card */

enum { SESSIONS_MAX = 1000 };

struct session {
	struct session *next;
	struct site_session row;
};

struct access {
	struct site *site;
	bool open;
	char setup_code[SECRET_TEXT + 1];
	struct site_user users[SITE_USERS_MAX];
	size_t user_count;
	struct site_token tokens[SITE_TOKENS_MAX];
	size_t token_count;
	struct session *sessions; /* newest first */
	size_t session_count;
	void (*ended)(void *context, int64_t session);
	void *context;
	bool failing; /* the file can't be written: told once */
};

static const char cookie_name[] = "foyer_session";

/* ---- what is in force ------------------------------------------------------------------------------------------------------------------ */

static int take_user(void *context, const struct site_user *user)
{
	struct access *access = context;

	if (access->user_count < SITE_USERS_MAX)
		access->users[access->user_count++] = *user;
	return 0;
}

static int load_users(struct access *access)
{
	access->user_count = 0;
	return site_each_user(access->site, take_user, access);
}

static int take_token(void *context, const struct site_token *token)
{
	struct access *access = context;

	if (access->token_count < SITE_TOKENS_MAX)
		access->tokens[access->token_count++] = *token;
	return 0;
}

static int load_tokens(struct access *access)
{
	access->token_count = 0;
	return site_each_token(access->site, take_token, access);
}

static struct session *remember(struct access *access, const struct site_session *row)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->row = *row;
	session->next = access->sessions;
	access->sessions = session;
	access->session_count++;
	return session;
}

static int take_session(void *context, const struct site_session *row)
{
	struct access *access = context;

	if (access->session_count < SESSIONS_MAX && !remember(access, row))
		return -ENOMEM;
	return 0;
}

static const struct site_user *user_of(const struct access *access, int64_t id)
{
	for (size_t i = 0; i < access->user_count; i++)
		if (access->users[i].id == id)
			return &access->users[i];
	return NULL;
}

/* A call on the file gave r: told when it begins to fail, and when it works again. */
static int told(struct access *access, int r)
{
	if (r < 0 && r != -EEXIST && !access->failing)
		log_error("%s", site_error(access->site));
	if (r >= 0 && access->failing)
		log_info("webd's own file can be written again");
	access->failing = r < 0 && r != -EEXIST;
	return r;
}

static void forget(struct access *access, struct session **place)
{
	struct session *session = *place;

	*place = session->next;
	access->session_count--;
	if (access->ended)
		access->ended(access->context, session->row.id);
	free(session);
}

static void drop_expired(struct access *access)
{
	int64_t now_ms = clock_wall_ms();

	told(access, site_expire_sessions(access->site, now_ms));
	for (struct session **place = &access->sessions; *place;)
		if ((*place)->row.expires_ms < now_ms)
			forget(access, place);
		else
			place = &(*place)->next;
}

/* ---- who ------------------------------------------------------------------------------------------------------------------------------- */

static struct session *session_of(struct access *access, const char *cookie)
{
	uint8_t digest[SECRET_DIGEST];

	if (secret_digest(cookie, digest) < 0)
		return NULL;
	for (struct session *session = access->sessions; session; session = session->next)
		if (secret_equal(session->row.digest, digest))
			return session;
	return NULL;
}

static void touch(struct access *access, struct session *session, int64_t now_ms)
{
	if (now_ms - session->row.seen_ms < TOUCH_MS)
		return;
	session->row.seen_ms = now_ms;
	session->row.expires_ms = now_ms + (session->row.keep ? KEEP_MS : VISIT_MS);
	told(access, site_touch_session(access->site, &session->row));
}

static struct access_who by_token(struct access *access, const char *text)
{
	struct access_who who = { .role = SITE_NOBODY };
	int64_t now_ms = clock_wall_ms();
	uint8_t digest[SECRET_DIGEST];

	if (secret_digest(text, digest) < 0)
		return who;
	for (size_t i = 0; i < access->token_count; i++) {
		struct site_token *token = &access->tokens[i];

		if (!secret_equal(token->digest, digest))
			continue;
		who.role = token->role;
		snprintf(who.name, sizeof(who.name), "%s", token->name);
		if (now_ms - token->used_ms >= TOUCH_MS) {
			token->used_ms = now_ms;
			told(access, site_touch_token(access->site, token->id, now_ms));
		}
		return who;
	}
	return who;
}

struct access_who access_who(struct access *access, struct http_request *request)
{
	static const char bearer[] = "Bearer ";
	struct access_who who = { .role = access->open ? SITE_ADMINISTER : SITE_NOBODY };
	const char *authorization = http_header(request, "Authorization");
	int64_t now_ms = clock_wall_ms();
	const struct site_user *user;
	struct session *session;

	if (access->open)
		return who;
	if (authorization && strncasecmp(authorization, bearer, sizeof(bearer) - 1) == 0)
		return by_token(access, authorization + sizeof(bearer) - 1);
	session = session_of(access, http_cookie(request, cookie_name));
	if (!session || session->row.expires_ms < now_ms)
		return who;
	user = user_of(access, session->row.user);
	if (!user)
		return who;
	touch(access, session, now_ms);
	who.role = user->role;
	who.user = user->id;
	who.session = session->row.id;
	snprintf(who.name, sizeof(who.name), "%s", user->name);
	return who;
}

/* ---- what they may --------------------------------------------------------------------------------------------------------------------- */

/* Without log-in the address is all that protects: a page of another name that leads here (DNS rebinding) is not this machine's own. */
static bool host_is_here(const struct http_request *request)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = http_header(request, "Host");

	if (!host)
		return true; /* HTTP/1.0: no browser */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(host, names[i], len) == 0 && (!host[len] || host[len] == ':'))
			return true;
	}
	return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.:") == strlen(host);
}

static void to_log_in(struct access *access, struct http_request *request)
{
	static const char keep[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/";
	const char *target = http_target(request);
	struct buffer path = BUFFER_LIMITED(2048);

	(void)access;
	if (http_wants_json(request)) {
		http_add_header(request, "WWW-Authenticate", "Bearer realm=\"foyer\"");
		http_error(request, 401, "this needs a session (log in at /login) or a token: Authorization: Bearer TOKEN");
		return;
	}
	buffer_add_text(&path, "/login");
	if (strcmp(http_method(request), "GET") == 0 && strcmp(target, "/") != 0) {
		buffer_add_text(&path, "?back=");
		for (const char *at = target; *at; at++)
			if (strchr(keep, *at))
				buffer_add_char(&path, *at);
			else
				buffer_printf(&path, "%%%02X", (unsigned char)*at);
	}
	http_redirect(request, path.error ? "/login" : buffer_text(&path));
	buffer_done(&path);
}

bool access_guard(struct access *access, struct http_request *request, enum site_role need)
{
	static const char *const words[] = { "", "see", "operate", "administer" };
	struct access_who who;

	if (access->open && !host_is_here(request)) {
		http_error(request, 421, "this site is for this machine alone: ask for it as localhost");
		return false;
	}
	if (need == SITE_NOBODY)
		return true;
	who = access_who(access, request);
	if (who.role >= need)
		return true;
	if (who.role == SITE_NOBODY)
		to_log_in(access, request);
	else
		http_error(request, 403, "%s may not %s here", who.name, words[need]);
	return false;
}

/* ---- sessions -------------------------------------------------------------------------------------------------------------------------- */

static void set_cookie(struct http_request *request, const char *value, int64_t seconds)
{
	char cookie[160], age[40] = "";

	if (seconds >= 0)
		snprintf(age, sizeof(age), "; Max-Age=%lld", (long long)seconds);
	snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", cookie_name, value, age,
		 http_is_secure(request) ? "; Secure" : "");
	http_add_header(request, "Set-Cookie", cookie);
}

int access_log_in(struct access *access, struct http_request *request, const struct site_user *user, bool keep)
{
	int64_t now_ms = clock_wall_ms();
	struct site_session row = { .user = user->id,
				    .keep = keep,
				    .made_ms = now_ms,
				    .seen_ms = now_ms,
				    .expires_ms = now_ms + (keep ? KEEP_MS : VISIT_MS) };
	const char *agent = http_header(request, "User-Agent");
	char text[SECRET_TEXT + 1];
	struct site_session *oldest = NULL;
	int r;

	drop_expired(access);
	if (access->session_count >= SESSIONS_MAX) {
		for (struct session *session = access->sessions; session; session = session->next)
			if (!oldest || session->row.seen_ms < oldest->seen_ms)
				oldest = &session->row;
		if (oldest)
			access_end_session(access, oldest->id, 0);
	}
	for (size_t i = 0; agent && agent[i] && i < SITE_AGENT_MAX; i++)
		row.agent[i] = agent[i] >= ' ' && agent[i] < 0x7f ? agent[i] : '?';
	snprintf(row.address, sizeof(row.address), "%s", http_client(request));
	r = secret_make(text, row.digest);
	if (r == 0)
		r = told(access, site_add_session(access->site, &row));
	if (r == 0 && !remember(access, &row))
		r = -ENOMEM;
	if (r == 0)
		set_cookie(request, text, keep ? KEEP_MS / 1000 : -1);
	explicit_bzero(text, sizeof(text));
	return r;
}

int access_end_session(struct access *access, int64_t id, int64_t user)
{
	for (struct session **place = &access->sessions; *place; place = &(*place)->next) {
		const struct site_session *row = &(*place)->row;

		if (row->id != id || (user && row->user != user))
			continue;
		told(access, site_remove_session(access->site, id));
		forget(access, place);
		return 1;
	}
	return 0;
}

int access_end_sessions(struct access *access, int64_t user, int64_t but)
{
	int r = told(access, site_remove_sessions(access->site, user, but));

	for (struct session **place = &access->sessions; *place;)
		if ((*place)->row.user == user && (*place)->row.id != but)
			forget(access, place);
		else
			place = &(*place)->next;
	return r;
}

void access_log_out(struct access *access, struct http_request *request)
{
	struct access_who who = access_who(access, request);

	if (who.session)
		access_end_session(access, who.session, 0);
	set_cookie(request, "", 0);
}

/* ---- users and tokens ------------------------------------------------------------------------------------------------------------------ */

int access_add_user(struct access *access, struct site_user *user)
{
	int r = told(access, site_add_user(access->site, user));

	if (r < 0)
		return r;
	access->setup_code[0] = '\0';
	return told(access, load_users(access));
}

int access_change_user(struct access *access, const struct site_user *user)
{
	int r = told(access, site_change_user(access->site, user));

	if (r >= 0)
		told(access, load_users(access));
	return r;
}

int access_remove_user(struct access *access, int64_t id)
{
	int r = told(access, site_remove_user(access->site, id));

	if (r < 0)
		return r;
	access_end_sessions(access, id, 0);
	told(access, load_users(access));
	return r;
}

int access_add_token(struct access *access, struct site_token *token, char *ret_text)
{
	char text[SECRET_TEXT + 1];
	int r = secret_make(text, token->digest);

	if (r == 0)
		r = told(access, site_add_token(access->site, token));
	if (r == 0)
		r = told(access, load_tokens(access));
	if (r == 0)
		strcpy(ret_text, text);
	explicit_bzero(text, sizeof(text));
	return r;
}

int access_remove_token(struct access *access, int64_t id)
{
	int r = told(access, site_remove_token(access->site, id));

	if (r >= 0)
		told(access, load_tokens(access));
	return r;
}

unsigned access_administrators(const struct access *access)
{
	unsigned count = 0;

	for (size_t i = 0; i < access->user_count; i++)
		count += access->users[i].role == SITE_ADMINISTER;
	return count;
}

void access_note(struct access *access, struct http_request *request, const char *who, const char *what, const char *text)
{
	struct site_event event = { .time_ms = clock_wall_ms() };

	snprintf(event.what, sizeof(event.what), "%s", what);
	snprintf(event.who, sizeof(event.who), "%s", who);
	snprintf(event.text, sizeof(event.text), "%s", text);
	snprintf(event.address, sizeof(event.address), "%s", http_client(request));
	told(access, site_add_event(access->site, &event));
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

bool access_is_open(const struct access *access)
{
	return access->open;
}

const char *access_setup_code(const struct access *access)
{
	return access->setup_code[0] ? access->setup_code : NULL;
}

bool access_is_setup_code(const struct access *access, const char *code)
{
	uint8_t shown[SECRET_DIGEST], own[SECRET_DIGEST];

	return access->setup_code[0] && secret_digest(code, shown) == 0 && secret_digest(access->setup_code, own) == 0 &&
	       secret_equal(shown, own);
}

void access_on_end(struct access *access, void (*ended)(void *context, int64_t session), void *context)
{
	access->ended = ended;
	access->context = context;
}

int access_open(struct site *site, bool open, struct access **ret_access)
{
	struct access *access = calloc(1, sizeof(*access));
	uint8_t digest[SECRET_DIGEST];
	int r = -ENOMEM;

	if (!access)
		return r;
	access->site = site;
	access->open = open;
	r = load_users(access);
	if (r >= 0)
		r = load_tokens(access);
	if (r >= 0)
		r = site_each_session(site, take_session, access);
	if (r >= 0 && !open && !access->user_count)
		r = secret_make(access->setup_code, digest);
	if (r < 0) {
		access_close(access);
		return r;
	}
	drop_expired(access);
	*ret_access = access;
	return 0;
}

void access_close(struct access *access)
{
	if (!access)
		return;
	access->ended = NULL;
	while (access->sessions)
		forget(access, &access->sessions);
	explicit_bzero(access->setup_code, sizeof(access->setup_code));
	free(access);
}
