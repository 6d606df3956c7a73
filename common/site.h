/* What is webd's own, in a small file beside the store: users, sessions, tokens for scripts, settings, notes on the time axis, and the log of who
 * changed what. One process writes it. Nobody outside common/store*.c knows its language.
 *
 * Errors as in store.h: -ENOSPC, -EROFS, -ENOENT, -EUCLEAN, -EPROTO of a newer version, -EBUSY, -EIO, -ENOMEM; site_error() tells a person. What
 * returned 0 is durable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct site;

enum {
	SITE_NAME_MAX = 32,    /* bytes of a user's or a token's name */
	SITE_HASH_MAX = 255,   /* of a hashed password (crypt(5)) */
	SITE_DIGEST = 32,      /* of a session's or a token's secret: SHA-256 */
	SITE_AGENT_MAX = 120,  /* what a browser says it is, cut */
	SITE_ADDRESS_MAX = 45, /* a numeric address */
	SITE_TEXT_MAX = 256,   /* of a note, or of what an event tells */
	SITE_ERROR_MAX = 256,
	SITE_USERS_MAX = 100,
	SITE_TOKENS_MAX = 100,
};

#define SITE_IN_MEMORY ":memory:" /* instead of a path: nothing is kept */

/* Opens the file at `path`, making it (mode 0600) or bringing it to this version. On failure an explanation stands in `error` (SITE_ERROR_MAX
 * bytes). */
int site_open(const char *path, struct site **ret_site, char *error);
void site_close(struct site *site);
/* What the last failing call met, for people. Never NULL. */
const char *site_error(const struct site *site);

/* ---- users ------------------------------------------------------------------------------------------------------------------------ */

enum site_role { SITE_NOBODY, SITE_VIEW, SITE_OPERATE, SITE_ADMINISTER };

struct site_user {
	int64_t id;
	char name[SITE_NAME_MAX + 1]; /* unique, whatever its case */
	enum site_role role;
	char hash[SITE_HASH_MAX + 1];
	int64_t made_ms;
};
/* In order of name. A non-zero return of fn ends and comes back. */
int site_each_user(struct site *site, int (*fn)(void *context, const struct site_user *user), void *context);
/* Returns 1, or 0 when there is none of that name (any case). */
int site_find_user(struct site *site, const char *name, struct site_user *ret_user);
/* user->id is written. -EEXIST for a name that is taken, -ENOSPC for more than SITE_USERS_MAX. */
int site_add_user(struct site *site, struct site_user *user);
/* Role and hash of user->id. Returns 1, or 0 when it is gone. */
int site_change_user(struct site *site, const struct site_user *user);
/* With all its sessions. Returns 1, or 0 when it is gone. */
int site_remove_user(struct site *site, int64_t id);

/* ---- sessions --------------------------------------------------------------------------------------------------------------------- */

struct site_session {
	int64_t id, user;
	uint8_t digest[SITE_DIGEST]; /* of the cookie: the file gives no session away */
	bool keep;                   /* outlives the browser */
	int64_t made_ms, seen_ms, expires_ms;
	char agent[SITE_AGENT_MAX + 1];
	char address[SITE_ADDRESS_MAX + 1];
};
/* Newest first. */
int site_each_session(struct site *site, int (*fn)(void *context, const struct site_session *session), void *context);
int site_add_session(struct site *site, struct site_session *session); /* session->id is written */
/* seen_ms and expires_ms of session->id. */
int site_touch_session(struct site *site, const struct site_session *session);
int site_remove_session(struct site *site, int64_t id);
/* All of a user's but one (0: all). */
int site_remove_sessions(struct site *site, int64_t user, int64_t but);
/* Those that expired before now_ms. */
int site_expire_sessions(struct site *site, int64_t now_ms);

/* ---- tokens for scripts ------------------------------------------------------------------------------------------------------------- */

struct site_token {
	int64_t id;
	char name[SITE_NAME_MAX + 1]; /* unique */
	enum site_role role;
	uint8_t digest[SITE_DIGEST];
	int64_t made_ms;
	int64_t used_ms; /* 0: never */
	char by[SITE_NAME_MAX + 1];
};
int site_each_token(struct site *site, int (*fn)(void *context, const struct site_token *token), void *context);
int site_add_token(struct site *site, struct site_token *token); /* -EEXIST, -ENOSPC */
int site_touch_token(struct site *site, int64_t id, int64_t used_ms);
int site_remove_token(struct site *site, int64_t id);

/* ---- settings: small texts by key ---------------------------------------------------------------------------------------------------- */

/* Calls fn once for each key that begins with `prefix`, in order. */
int site_each_setting(struct site *site, const char *prefix, int (*fn)(void *context, const char *key, const char *value),
		      void *context);
/* value NULL: the key goes. */
int site_set_setting(struct site *site, const char *key, const char *value);

/* ---- notes on the time axis ---------------------------------------------------------------------------------------------------------- */

struct site_note {
	int64_t id, time_ms;
	char series[100]; /* NODE/DEVICE/QUANTITY; "": of the whole house */
	char text[SITE_TEXT_MAX + 1];
	char by[SITE_NAME_MAX + 1];
};
int site_add_note(struct site *site, struct site_note *note);
int site_remove_note(struct site *site, int64_t id);
/* Those of a series (and of the whole house) from from_ms on and before to_ms, oldest first; at most `limit`. */
int site_each_note(struct site *site, const char *series, int64_t from_ms, int64_t to_ms, size_t limit,
		   int (*fn)(void *context, const struct site_note *note), void *context);

/* ---- who changed what ---------------------------------------------------------------------------------------------------------------- */

struct site_event {
	int64_t id, time_ms;
	char what[24];                /* a word: "login", "login_failed", "user_added" ... */
	char who[SITE_NAME_MAX + 1];  /* "": nobody known */
	char text[SITE_TEXT_MAX + 1]; /* the user, token, setting that it is about */
	char address[SITE_ADDRESS_MAX + 1];
};
/* The newest 10 000 stay. */
int site_add_event(struct site *site, const struct site_event *event);
/* Newest first, before before_ms. */
int site_each_event(struct site *site, int64_t before_ms, size_t limit, int (*fn)(void *context, const struct site_event *event),
		    void *context);
