/* What happened in the house, newest first: commands and what became of them, nodes that came and went, badges, and who changed what here. From the
 * store, and from webd's own file. */
#pragma once

#include <cjson/cJSON.h>

#include "../common/site.h"
#include "archive.h"
#include "http.h"

enum { EVENTS_PAGE = 100, EVENTS_MAX = 1000 }; /* at once when nobody says; and at most */

enum events_kind { EVENTS_ALL, EVENTS_COMMANDS, EVENTS_FAILURES, EVENTS_ACCESS, EVENTS_NODES, EVENTS_CHANGES };

struct events_query {
	enum events_kind kind;
	int64_t before_ms;             /* older ones only; INT64_MAX: from the newest */
	char node[NAME_MAX_LEN + 1];   /* of one node; "" all */
	char device[NAME_MAX_LEN + 1]; /* of one of its devices; "" all */
	size_t limit;
	bool changes; /* who asks may see who changed what here */
};

/* Reads kind, before, node and limit of a request. Returns 0, or -EINVAL and says why, for people. */
int events_parse(const struct http_request *request, bool changes, struct events_query *ret_query, char *reason, size_t size);
/* "commands", "failures" ...; "" for all. */
const char *events_kind_word(enum events_kind kind);

/* Adds each as {"time","kind", ...} to a new array, newest first; those of one millisecond are never parted, so there may be a few more than
 * the limit.
 * ret_more: there are older ones. Returns 0 or the store's error (site_error or store_error tell). NULL store: webd's own alone. */
int events_collect(struct store *store, struct site *site, const struct events_query *query, cJSON **ret_events, bool *ret_more);

/* GET /api/v1/events and events.csv. */
void events_json(struct archive *archive, struct site *site, struct http_request *request, bool changes);
void events_csv(struct archive *archive, struct site *site, struct http_request *request, bool changes);
