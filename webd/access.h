/* Who asks, and what they may: sessions by cookie, tokens by "Authorization: Bearer", three roles. Sessions outlive a restart; every log-in, refusal and
 * change is written down with who did it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../common/site.h"
#include "http.h"

struct access;

struct access_who {
	enum site_role role;          /* SITE_NOBODY: nobody that we know */
	char name[SITE_NAME_MAX + 1]; /* of the user or the token; "" without log-in */
	int64_t user, session;        /* 0: a token, or no log-in */
};

/* site    webd's own file; outlives the access
 * open    nobody logs in and everybody may everything: for a loopback address alone (names of other hosts are then refused)
 * Returns 0 or a negative errno (site_error says why). */
int access_open(struct site *site, bool open, struct access **ret_access);
void access_close(struct access *access);

/* Whether everybody may everything. */
bool access_is_open(const struct access *access);
/* The word of the set-up link while there is no user: made anew at each start. NULL when there are users, or no log-in. */
const char *access_setup_code(const struct access *access);
/* Whether that is the word. */
bool access_is_setup_code(const struct access *access, const char *code);

/* Who sent a request. */
struct access_who access_who(struct access *access, struct http_request *request);
/* Whether a request may do what needs `need`. False: it has been answered (to the log-in page, 401, 403, 421). */
bool access_guard(struct access *access, struct http_request *request, enum site_role need);

/* Begins a session: its cookie goes with the reply to come. keep: it outlives the browser (90 days after the last visit, else 12 hours). */
int access_log_in(struct access *access, struct http_request *request, const struct site_user *user, bool keep);
/* Ends the session of a request, if it has one. */
void access_log_out(struct access *access, struct http_request *request);
/* Ends a session, if it is that user's (user 0: whoever's). Returns 1, or 0 when there is none such. */
int access_end_session(struct access *access, int64_t session, int64_t user);
/* Ends all of a user's but one (0: all). */
int access_end_sessions(struct access *access, int64_t user, int64_t but);

/* Users, passwords and tokens changed by way of the access, so that what is in force follows at once. As their namesakes in site.h. */
int access_add_user(struct access *access, struct site_user *user);
int access_change_user(struct access *access, const struct site_user *user);
int access_remove_user(struct access *access, int64_t id);
/* Makes a token: ret_text is shown once and never again. */
int access_add_token(struct access *access, struct site_token *token, char *ret_text);
int access_remove_token(struct access *access, int64_t id);
/* How many users administer. */
unsigned access_administrators(const struct access *access);

/* Calls `ended` with the id of each session that ends (whatever way), so that its event streams end too. */
void access_on_end(struct access *access, void (*ended)(void *context, int64_t session), void *context);

/* Writes down what somebody did: a word ("login", "user_added" ...) and what it is about. A file that can't be written is told in the log. */
void access_note(struct access *access, struct http_request *request, const char *who, const char *what, const char *text);
