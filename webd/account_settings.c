/* What people change: their own password and sessions; as administrators, users and tokens. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/value.h"
#include "account_internal.h"
#include "pages_account.h"

static void answer(struct account *account, struct http_request *request, unsigned status, const struct settings_page *page)
{
	char path[64];

	/* What was done leads back by a redirect, so that a reload does nothing twice. */
	if (page->done && !page->token) {
		snprintf(path, sizeof(path), "/settings?done=%s#%s", page->done, page->part);
		http_redirect(request, path);
		return;
	}
	pages_settings(account->pages, request, status, account->site, page);
}

static void refuse(struct account *account, struct http_request *request, const char *part, const char *fault)
{
	const struct settings_page page = { .part = part, .fault = fault };

	answer(account, request, 400, &page);
}

static void done(struct account *account, struct http_request *request, const char *part, const char *what)
{
	const struct settings_page page = { .part = part, .done = what };

	answer(account, request, 303, &page);
}

static const char *fault_of(int r)
{
	return r == -EEXIST ? "fault_taken" : r == -ENOSPC ? "fault_many" : "fault_file";
}

static int64_t id_of(const struct http_request *request)
{
	const char *text = http_form(request, "id");
	char *end;
	long long id = text ? strtoll(text, &end, 10) : 0;

	return text && *text && !*end && id > 0 ? id : 0;
}

static int find(void *context, const struct site_user *user)
{
	struct site_user *wanted = context;

	if (user->id != wanted->id)
		return 0;
	*wanted = *user;
	return 1;
}

static bool user_by_id(struct account *account, int64_t id, struct site_user *ret_user)
{
	*ret_user = (struct site_user){ .id = id };
	return id && site_each_user(account->site, find, ret_user) == 1;
}

void account_settings(struct account *account, struct http_request *request)
{
	static const char *const known[] = { "done_password", "done_session", "done_sessions",   "done_user",
					     "done_role",     "done_gone",    "done_token_gone", "done_house" };
	const char *word = http_query(request, "done");
	struct settings_page page = { 0 };

	for (size_t i = 0; word && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(word, known[i]) == 0)
			page.done = known[i];
	pages_settings(account->pages, request, 200, account->site, &page);
}

/* ---- oneself ----------------------------------------------------------------------------------------------------------------------------- */

static void after_new_password(struct account_wait *wait, bool ok, const char *hash)
{
	struct account *account = wait->account;
	struct access_who who = access_who(account->access, wait->request);

	snprintf(wait->user.hash, sizeof(wait->user.hash), "%s", hash);
	if (!ok || access_change_user(account->access, &wait->user) != 1) {
		refuse(account, wait->request, "password", "fault_file");
		return;
	}
	/* Who knew the old one is out; oneself stays. */
	access_end_sessions(account->access, wait->user.id, who.user == wait->user.id ? who.session : 0);
	access_note(account->access, wait->request, who.name, "password_changed", wait->user.name);
	done(account, wait->request, who.user == wait->user.id ? "password" : "users", "done_password");
}

static void after_old_password(struct account_wait *wait, bool ok, const char *hash)
{
	struct account_wait *second;

	(void)hash;
	if (!ok) {
		refuse(wait->account, wait->request, "password", "fault_old");
		return;
	}
	throttle_forgive(wait->account->throttle, http_client(wait->request));
	second = account_wait_new(wait->account, wait->request, after_new_password);
	if (!second)
		return;
	second->user = wait->user;
	account_hash(second, true, wait->new_password, NULL);
}

static void change_password(struct account *account, struct http_request *request, const struct access_who *who)
{
	const char *old = http_form(request, "old"), *password = http_form(request, "password");
	const char *fault = account_password_fault(password, http_form(request, "again"));
	struct account_wait *wait;
	struct site_user user;

	if (!old || !user_by_id(account, who->user, &user))
		fault = "fault_old";
	else if (!fault && throttle_take(account->throttle, http_client(request), clock_boot_ms()))
		fault = "fault_tries";
	if (fault) {
		refuse(account, request, "password", fault);
		return;
	}
	wait = account_wait_new(account, request, after_old_password);
	if (!wait)
		return;
	wait->user = user;
	snprintf(wait->new_password, sizeof(wait->new_password), "%s", password);
	account_hash(wait, false, old, user.hash);
}

void account_change(struct account *account, struct http_request *request)
{
	struct access_who who = access_who(account->access, request);
	const char *what = http_param(request, "what");

	if (!who.user)
		http_error(request, 403, "this is for people with a password: a token and a site without log-in have none");
	else if (strcmp(what, "password") == 0)
		change_password(account, request, &who);
	else if (strcmp(what, "session") == 0 && access_end_session(account->access, id_of(request), who.user) == 1)
		done(account, request, "sessions", "done_session");
	else if (strcmp(what, "session") == 0)
		refuse(account, request, "sessions", "fault_gone");
	else if (strcmp(what, "sessions") == 0 && access_end_sessions(account->access, who.user, who.session) >= 0)
		done(account, request, "sessions", "done_sessions");
	else
		http_error(request, 404, "there is nothing at this address");
}

/* ---- others ------------------------------------------------------------------------------------------------------------------------------ */

static void after_user_hash(struct account_wait *wait, bool ok, const char *hash)
{
	struct account *account = wait->account;
	struct access_who who = access_who(account->access, wait->request);
	int r;

	snprintf(wait->user.hash, sizeof(wait->user.hash), "%s", hash);
	wait->user.made_ms = clock_wall_ms();
	r = ok ? access_add_user(account->access, &wait->user) : -EIO;
	if (r < 0) {
		refuse(account, wait->request, "users", fault_of(r));
		return;
	}
	access_note(account->access, wait->request, who.name, "user_added", wait->user.name);
	done(account, wait->request, "users", "done_user");
}

static void add_user(struct account *account, struct http_request *request)
{
	const char *name = http_form(request, "user"), *password = http_form(request, "password");
	enum site_role role = account_role(http_form(request, "role"));
	const char *fault = account_name_fault(name);
	struct account_wait *wait;

	if (!fault)
		fault = account_password_fault(password, NULL);
	if (!fault && role == SITE_NOBODY)
		fault = "fault_role";
	if (fault) {
		refuse(account, request, "users", fault);
		return;
	}
	wait = account_wait_new(account, request, after_user_hash);
	if (!wait)
		return;
	snprintf(wait->user.name, sizeof(wait->user.name), "%s", name);
	wait->user.role = role;
	account_hash(wait, true, password, NULL);
}

/* The last one who administers stays one: nobody else could make another. */
static bool is_last(const struct account *account, const struct site_user *user)
{
	return user->role == SITE_ADMINISTER && access_administrators(account->access) == 1;
}

static void change_role(struct account *account, struct http_request *request, struct site_user *user)
{
	static const char *const words[] = { "", "view", "operate", "administer" };
	enum site_role role = account_role(http_form(request, "role"));
	char text[SITE_TEXT_MAX + 1];

	if (role == SITE_NOBODY) {
		refuse(account, request, "users", "fault_role");
		return;
	}
	if (role != SITE_ADMINISTER && is_last(account, user)) {
		refuse(account, request, "users", "fault_last");
		return;
	}
	user->role = role;
	if (access_change_user(account->access, user) != 1) {
		refuse(account, request, "users", "fault_file");
		return;
	}
	snprintf(text, sizeof(text), "%s: %s", user->name, words[role]);
	access_note(account->access, request, access_who(account->access, request).name, "role_changed", text);
	done(account, request, "users", "done_role");
}

static void set_password(struct account *account, struct http_request *request, const struct site_user *user)
{
	const char *password = http_form(request, "password");
	const char *fault = account_password_fault(password, NULL);
	struct account_wait *wait;

	if (fault) {
		refuse(account, request, "users", fault);
		return;
	}
	wait = account_wait_new(account, request, after_new_password);
	if (!wait)
		return;
	wait->user = *user;
	account_hash(wait, true, password, NULL);
}

static void remove_user(struct account *account, struct http_request *request, const struct site_user *user)
{
	if (is_last(account, user)) {
		refuse(account, request, "users", "fault_last");
		return;
	}
	/* Before: afterwards who did it may be gone. */
	access_note(account->access, request, access_who(account->access, request).name, "user_removed", user->name);
	if (access_remove_user(account->access, user->id) < 0)
		refuse(account, request, "users", "fault_file");
	else
		done(account, request, "users", "done_gone");
}

static void add_token(struct account *account, struct http_request *request)
{
	struct access_who who = access_who(account->access, request);
	const char *name = http_form(request, "name"), *fault = account_name_fault(name);
	struct site_token token = { .role = account_role(http_form(request, "role")), .made_ms = clock_wall_ms() };
	struct settings_page page = { .part = "tokens", .done = "done_token" };
	char text[64];
	int r;

	if (!fault && token.role == SITE_NOBODY)
		fault = "fault_role";
	if (fault) {
		refuse(account, request, "tokens", fault);
		return;
	}
	snprintf(token.name, sizeof(token.name), "%s", name);
	snprintf(token.by, sizeof(token.by), "%s", who.name);
	r = access_add_token(account->access, &token, text);
	if (r < 0) {
		refuse(account, request, "tokens", fault_of(r));
		return;
	}
	access_note(account->access, request, who.name, "token_added", token.name);
	page.token = text;
	page.token_name = token.name;
	answer(account, request, 200, &page);
	explicit_bzero(text, sizeof(text));
}

static int find_token(void *context, const struct site_token *token)
{
	struct site_token *wanted = context;

	if (token->id != wanted->id)
		return 0;
	*wanted = *token;
	return 1;
}

static void remove_token(struct account *account, struct http_request *request)
{
	struct site_token token = { .id = id_of(request) };

	if (site_each_token(account->site, find_token, &token) != 1) {
		refuse(account, request, "tokens", "fault_gone");
		return;
	}
	access_note(account->access, request, access_who(account->access, request).name, "token_removed", token.name);
	if (access_remove_token(account->access, token.id) < 0)
		refuse(account, request, "tokens", "fault_file");
	else
		done(account, request, "tokens", "done_token_gone");
}

/* ---- the house: names, order, what is hidden and pinned ------------------------------------------------------------------------------------ */

/* Keeps a wish (NULL: none), and shows it. */
static int wish(struct account *account, struct house *house, const char *value, const char *format, ...)
{
	char key[160], kept[168];
	va_list words;
	int r;

	va_start(words, format);
	vsnprintf(key, sizeof(key), format, words);
	va_end(words);
	snprintf(kept, sizeof(kept), "house.%s", key);
	r = site_set_setting(account->site, kept, value);
	return r < 0 ? r : house_arrange(house, key, value);
}

static int arrange_device(struct account *account, struct house *house, const struct http_request *request,
			  const struct house_device *device)
{
	char field[SERIES_TEXT_MAX + 16], name[SERIES_TEXT_MAX + 1];
	bool hide;
	int r = 0;

	snprintf(field, sizeof(field), "hide:%s", device->name);
	hide = http_form(request, field) != NULL;
	if (hide != device->hidden)
		r = wish(account, house, hide ? "1" : NULL, "hidden.%s/%s", device->node->name, device->name);
	for (const struct house_series *series = device->series; r >= 0 && series; series = series->next) {
		bool pin;

		series_format(&series->name, name);
		snprintf(field, sizeof(field), "pin:%s", name);
		pin = http_form(request, field) != NULL;
		if (pin != series->pinned)
			r = wish(account, house, pin ? "1" : NULL, "pinned.%s", name);
	}
	return r;
}

void account_arrange(struct account *account, struct house *house, struct http_request *request)
{
	const char *name = http_form(request, "node"), *label = http_form(request, "label"), *order = http_form(request, "order");
	const struct house_node *node = name ? house_node(house, name) : NULL;
	struct value checked;
	char *end = NULL;
	long rank = order && order[0] ? strtol(order, &end, 10) : HOUSE_RANK_LAST;
	int r;

	if (!node) {
		refuse(account, request, "rooms", "fault_gone");
		return;
	}
	if (!label || strlen(label) > HOUSE_LABEL_MAX || value_of_text(label, strlen(label), &checked) < 0) {
		refuse(account, request, "rooms", "fault_label");
		return;
	}
	if ((end && *end) || rank < 1 || rank > HOUSE_RANK_LAST) {
		refuse(account, request, "rooms", "fault_order");
		return;
	}
	r = wish(account, house, label[0] ? label : NULL, "label.%s", node->name);
	if (r >= 0)
		r = wish(account, house, rank < HOUSE_RANK_LAST ? order : NULL, "order.%s", node->name);
	for (const struct house_device *device = node->devices; r >= 0 && device; device = device->next)
		r = arrange_device(account, house, request, device);
	if (r < 0) {
		refuse(account, request, "rooms", fault_of(r));
		return;
	}
	access_note(account->access, request, access_who(account->access, request).name, "setting_changed", node->name);
	done(account, request, "rooms", "done_house");
}

void account_administer(struct account *account, struct http_request *request)
{
	const char *what = http_param(request, "what");
	struct site_user user;
	bool about_user = strcmp(what, "role") == 0 || strcmp(what, "password") == 0 || strcmp(what, "remove") == 0;

	if (about_user && !user_by_id(account, id_of(request), &user))
		refuse(account, request, "users", "fault_gone");
	else if (strcmp(what, "user") == 0)
		add_user(account, request);
	else if (strcmp(what, "role") == 0)
		change_role(account, request, &user);
	else if (strcmp(what, "password") == 0)
		set_password(account, request, &user);
	else if (strcmp(what, "remove") == 0)
		remove_user(account, request, &user);
	else if (strcmp(what, "token") == 0)
		add_token(account, request);
	else if (strcmp(what, "forget") == 0)
		remove_token(account, request);
	else
		http_error(request, 404, "there is nothing at this address");
}
