/* What the files of the account room share. */
#pragma once

#include "account.h"
#include "hasher.h"
#include "throttle.h"

struct account {
	struct site *site;
	struct access *access;
	struct pages *pages;
	struct hasher *hasher;
	struct throttle *throttle; /* of log-ins, by address */
};

/* A request that waits for a password's hash. */
struct account_wait {
	struct account *account;
	struct http_request *request; /* NULL: its client, or the server, has gone */
	struct site_user user;        /* id 0: a new one, or nobody */
	char shown[SITE_NAME_MAX + 1];
	bool keep;
	char back[512];
	char new_password[HASHER_PASSWORD_MAX + 1];
	void (*next)(struct account_wait *wait, bool ok, const char *hash); /* the request is there */
};

/* Lets the request wait for hasher_check (hash NULL: of nobody) or, with `make`, for a new hash of the password; then next() is called. The wait
 * passes over and is freed after next(), or at once when there is no room (503 is answered). */
void account_hash(struct account_wait *wait, bool make, const char *password, const char *hash);
/* A wait for a request; NULL without memory (503 is answered). */
struct account_wait *account_wait_new(struct account *account, struct http_request *request,
				      void (*next)(struct account_wait *wait, bool ok, const char *hash));

/* What is wrong with a name or a new password: a key of the catalogue, NULL when they are fine. */
const char *account_name_fault(const char *name);
const char *account_password_fault(const char *password, const char *again);
/* "view", "operate", "administer" of a form; SITE_NOBODY for anything else. */
enum site_role account_role(const char *word);
