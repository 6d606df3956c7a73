/* Histories of series for charts and spreadsheets: what a request asks, and the points as JSON or CSV. */
#pragma once

#include "archive.h"
#include "house.h"
#include "http.h"

enum {
	HISTORY_SERIES_MAX = 128,
	HISTORY_POINTS_MAX = 10000, /* of one series */
	HISTORY_TOTAL_MAX = 100000, /* of all together */
	HISTORY_REASON_MAX = 256,
};

struct history_query {
	struct series series[HISTORY_SERIES_MAX];
	size_t count;
	size_t last;            /* the newest so many; 0: a span */
	int64_t from_ms, to_ms; /* UTC; to is not included */
	size_t points;          /* of a span, at most */
};

/* The words of a request, NULL where absent. */
struct history_words {
	const char *series, *last, *from, *to, *points;
};

/* Returns 0, or -EINVAL with reason: which parameter, why, what is allowed. */
int history_parse(const struct history_words *words, int64_t now_ms, struct history_query *ret_query, char *reason);

/* Append all series of a query to out; its number series share one resolution. In JSON a gap is [TIME_MS,null,"offline"] when the node was away,
 * [TIME_MS,null,"silent"] when only the sensor said nothing. A series that the house knows but the store does not yet is empty.
 * Return 0, or the store's error and the series that met it: -ENOENT unknown, -EINVAL, others the store's. */
int history_write_json(struct store *store, const struct house *house, const struct history_query *query, struct buffer *out,
		       const struct series **ret_failed);
int history_write_csv(struct store *store, const struct house *house, const struct history_query *query, struct buffer *out,
		      const struct series **ret_failed);

/* GET /api/v1/history and /api/v1/history.csv: 200, 400, 404, 503. */
void history_json(struct archive *archive, const struct house *house, struct http_request *request);
void history_csv(struct archive *archive, const struct house *house, struct http_request *request);
