/* The pages of coming in, and of what people change about themselves and others. */
#pragma once

#include "access.h"
#include "pages.h"

struct log_in_page {
	const char *back, *name;
	bool keep, is_new; /* is_new: there is no user yet */
	bool failed;
	unsigned tries; /* left, when it failed */
	int64_t wait_s; /* over 0: too many tries */
};
void pages_log_in(struct pages *pages, struct http_request *request, unsigned status, const struct log_in_page *page);

/* fault: a key of the catalogue, NULL without. */
void pages_setup(struct pages *pages, struct http_request *request, unsigned status, const char *name, const char *fault);

struct settings_page {
	const char *done, *fault; /* keys of the catalogue: what was done, what is wrong; NULL without */
	const char *part;         /* where on the page it stands: "password", "users" ... */
	const char *token;        /* a new token: shown this once; NULL without */
	const char *token_name;
};
void pages_settings(struct pages *pages, struct http_request *request, unsigned status, struct site *site,
		    const struct settings_page *page);
