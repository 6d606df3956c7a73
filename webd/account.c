#include "account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/value.h"
#include "account_internal.h"
#include "pages_account.h"

enum { TRIES = 5, TRY_EVERY_MS = 60000 };

/* ---- waiting for a hash ----------------------------------------------------------------------------------------------------------------- */

static void free_wait(struct account_wait *wait)
{
	explicit_bzero(wait->new_password, sizeof(wait->new_password));
	free(wait);
}

static void on_cancelled(struct http_request *request, void *data)
{
	struct account_wait *wait = data;

	(void)request;
	wait->request = NULL;
}

static void on_hashed(void *context, bool ok, const char *hash)
{
	struct account_wait *wait = context;

	if (wait->request)
		wait->next(wait, ok, hash);
	free_wait(wait);
}

struct account_wait *account_wait_new(struct account *account, struct http_request *request,
				      void (*next)(struct account_wait *wait, bool ok, const char *hash))
{
	struct account_wait *wait = calloc(1, sizeof(*wait));

	if (!wait) {
		http_error(request, 503, "out of memory");
		return NULL;
	}
	wait->account = account;
	wait->request = request;
	wait->next = next;
	return wait;
}

void account_hash(struct account_wait *wait, bool make, const char *password, const char *hash)
{
	struct hasher *hasher = wait->account->hasher;
	int r = make ? hasher_make(hasher, password, on_hashed, wait) : hasher_check(hasher, password, hash, on_hashed, wait);

	if (r < 0) {
		http_error(wait->request, 503, "too many passwords wait to be checked: try again in a moment");
		free_wait(wait);
		return;
	}
	http_later(wait->request, on_cancelled, wait);
}

/* ---- what is allowed --------------------------------------------------------------------------------------------------------------------- */

const char *account_name_fault(const char *name)
{
	size_t len = name ? strlen(name) : 0;
	struct value checked;

	if (len < 1 || len > SITE_NAME_MAX || value_of_text(name, len, &checked) < 0 || name[0] == ' ' || name[len - 1] == ' ')
		return "fault_name";
	return NULL;
}

const char *account_password_fault(const char *password, const char *again)
{
	size_t len = password ? strlen(password) : 0;

	if (len < HASHER_PASSWORD_MIN)
		return "fault_short";
	if (len > HASHER_PASSWORD_MAX)
		return "fault_long";
	return again && strcmp(password, again) != 0 ? "fault_again" : NULL;
}

enum site_role account_role(const char *word)
{
	static const char *const words[] = { "", "view", "operate", "administer" };

	for (int role = SITE_VIEW; word && role <= SITE_ADMINISTER; role++)
		if (strcmp(word, words[role]) == 0)
			return (enum site_role)role;
	return SITE_NOBODY;
}

/* ---- log-in ------------------------------------------------------------------------------------------------------------------------------ */

static void show_log_in(struct account *account, struct http_request *request, unsigned status, const struct log_in_page *page)
{
	pages_log_in(account->pages, request, status, page);
}

void account_log_in_page(struct account *account, struct http_request *request)
{
	const char *back = http_query(request, "back");
	struct log_in_page page = { .back = back ? back : "/", .keep = true };

	if (access_is_open(account->access) || access_who(account->access, request).user) {
		http_redirect(request, page.back);
		return;
	}
	page.is_new = access_setup_code(account->access) != NULL;
	show_log_in(account, request, 200, &page);
}

static void after_check(struct account_wait *wait, bool ok, const char *hash)
{
	struct account *account = wait->account;
	const char *client = http_client(wait->request);
	struct log_in_page page = { .back = wait->back, .name = wait->shown, .keep = wait->keep, .failed = true };

	(void)hash;
	if (!ok) {
		page.tries = throttle_left(account->throttle, client, clock_boot_ms());
		log_warning("a log-in%s%s from %s failed", wait->user.id ? " as " : "", wait->user.name, client);
		/* A name that nobody has may be a password in the wrong field: it is not written down. */
		access_note(account->access, wait->request, wait->user.name, "login_failed", "");
		show_log_in(account, wait->request, 401, &page);
		return;
	}
	throttle_forgive(account->throttle, client);
	if (access_log_in(account->access, wait->request, &wait->user, wait->keep) < 0) {
		http_error(wait->request, 503, "the session can't be kept: see the log");
		return;
	}
	access_note(account->access, wait->request, wait->user.name, "login", "");
	http_redirect(wait->request, wait->back);
}

void account_log_in(struct account *account, struct http_request *request)
{
	const char *name = http_form(request, "user"), *password = http_form(request, "password"),
		   *back = http_form(request, "back");
	int64_t wait_ms;
	struct account_wait *wait;
	bool known;

	if (access_is_open(account->access)) {
		http_redirect(request, "/");
		return;
	}
	if (!name || !password) {
		http_error(request, 400, "a form has user and password");
		return;
	}
	/* Taken before the check, so that many at once get no more tries than one after the other. */
	wait_ms = throttle_take(account->throttle, http_client(request), clock_boot_ms());
	if (wait_ms) {
		const struct log_in_page page = { .back = back ? back : "/", .keep = true, .wait_s = (wait_ms + 999) / 1000 };
		char seconds[24];

		snprintf(seconds, sizeof(seconds), "%lld", (long long)page.wait_s);
		http_add_header(request, "Retry-After", seconds);
		show_log_in(account, request, 429, &page);
		return;
	}
	wait = account_wait_new(account, request, after_check);
	if (!wait)
		return;
	known = strlen(name) <= SITE_NAME_MAX && site_find_user(account->site, name, &wait->user) == 1;
	wait->keep = http_form(request, "keep") != NULL;
	snprintf(wait->shown, sizeof(wait->shown), "%s", strlen(name) <= SITE_NAME_MAX ? name : "");
	snprintf(wait->back, sizeof(wait->back), "%s", back && strlen(back) < sizeof(wait->back) ? back : "/");
	account_hash(wait, false, password, known ? wait->user.hash : NULL);
}

void account_log_out(struct account *account, struct http_request *request)
{
	struct access_who who = access_who(account->access, request);

	if (who.session)
		access_note(account->access, request, who.name, "logout", "");
	access_log_out(account->access, request);
	http_redirect(request, access_is_open(account->access) ? "/" : "/login");
}

/* ---- the first administrator -------------------------------------------------------------------------------------------------------------- */

static bool may_set_up(struct account *account, struct http_request *request)
{
	if (access_is_setup_code(account->access, http_param(request, "code")))
		return true;
	http_error(request, 404,
		   "this link is not valid any more: while there is no user, webd writes a new one to its log at each start");
	return false;
}

void account_setup_page(struct account *account, struct http_request *request)
{
	if (may_set_up(account, request))
		pages_setup(account->pages, request, 200, "", NULL);
}

static void after_setup(struct account_wait *wait, bool ok, const char *hash)
{
	struct account *account = wait->account;
	struct site_user *user = &wait->user;

	if (!ok) {
		http_error(wait->request, 503, "the password can't be hashed");
		return;
	}
	if (!access_setup_code(account->access)) { /* somebody was faster */
		http_redirect(wait->request, "/login");
		return;
	}
	snprintf(user->hash, sizeof(user->hash), "%s", hash);
	user->made_ms = clock_wall_ms();
	user->role = SITE_ADMINISTER;
	if (access_add_user(account->access, user) < 0 || access_log_in(account->access, wait->request, user, true) < 0) {
		http_error(wait->request, 503, "the user can't be kept: see the log");
		return;
	}
	log_info("the first administrator is %s", user->name);
	access_note(account->access, wait->request, user->name, "user_added", user->name);
	http_redirect(wait->request, "/");
}

void account_setup(struct account *account, struct http_request *request)
{
	const char *name = http_form(request, "user"), *password = http_form(request, "password");
	const char *fault;
	struct account_wait *wait;

	if (!may_set_up(account, request))
		return;
	fault = account_name_fault(name);
	if (!fault)
		fault = account_password_fault(password, http_form(request, "again"));
	if (fault) {
		pages_setup(account->pages, request, 400, name ? name : "", fault);
		return;
	}
	wait = account_wait_new(account, request, after_setup);
	if (!wait)
		return;
	snprintf(wait->user.name, sizeof(wait->user.name), "%s", name);
	account_hash(wait, true, password, NULL);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

int account_open(sd_event *event, struct site *site, struct access *access, struct account **ret_account)
{
	struct account *account = calloc(1, sizeof(*account));
	int r = -ENOMEM;

	if (account)
		account->throttle = throttle_open(TRIES, TRY_EVERY_MS);
	if (account && account->throttle)
		r = hasher_open(event, &account->hasher);
	if (r < 0) {
		account_close(account);
		return r;
	}
	account->site = site;
	account->access = access;
	*ret_account = account;
	return 0;
}

void account_close(struct account *account)
{
	if (!account)
		return;
	hasher_close(account->hasher);
	throttle_close(account->throttle);
	free(account);
}

void account_use(struct account *account, struct pages *pages)
{
	account->pages = pages;
}
