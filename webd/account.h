/* Coming in and going out, and what people change about themselves and others: log-in, the first set-up, passwords, users, sessions, tokens. */
#pragma once

#include <systemd/sd-event.h>

#include "access.h"
#include "house.h"
#include "pages.h"

struct account;

/* access and site outlive the account. Returns 0 or a negative errno. */
int account_open(sd_event *event, struct site *site, struct access *access, struct account **ret_account);
void account_close(struct account *account); /* after the server whose requests wait */
/* The pages to answer with; they may change while running. */
void account_use(struct account *account, struct pages *pages);

void account_log_in_page(struct account *account, struct http_request *request); /* GET /login */
void account_log_in(struct account *account, struct http_request *request);      /* POST /login: user, password, keep, back */
void account_log_out(struct account *account, struct http_request *request);     /* POST /logout */
void account_setup_page(struct account *account, struct http_request *request);  /* GET /setup/:code */
void account_setup(struct account *account, struct http_request *request);       /* POST /setup/:code: user, password */
void account_settings(struct account *account, struct http_request *request);    /* GET /settings */
void account_change(struct account *account, struct http_request *request);      /* POST /settings/:what, for oneself */
void account_arrange(struct account *account, struct house *house, struct http_request *request); /* POST /settings/house/room */
void account_administer(struct account *account, struct http_request *request);                   /* POST /settings/house/:what */
