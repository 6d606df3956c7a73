#include "history.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/wire.h"

enum { SHOWN_MAX = 64, LAST_DEFAULT = 100, POINTS_DEFAULT = 500 };

static const int64_t year_10000_ms = 253402300800000;

/* ---- what is asked ----------------------------------------------------------------------------------------------------------- */

static int refuse(char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, HISTORY_REASON_MAX, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* What was given, for a message; cutting it might cut a character. */
static const char *shown(const char *given)
{
	return strlen(given) <= SHOWN_MAX ? given : "(a long text)";
}

static int parse_whole(const char *key, const char *given, size_t min, size_t max, size_t *ret_number, char *reason)
{
	size_t number = 0, len = strlen(given);

	for (size_t i = 0; i < len; i++)
		number = given[i] >= '0' && given[i] <= '9' && number <= max ? number * 10 + (size_t)(given[i] - '0') : max + 1;
	if (!len || number < min || number > max)
		return refuse(reason, "%s: \"%s\" is no whole number from %zu to %zu", key, shown(given), min, max);
	*ret_number = number;
	return 0;
}

static int parse_time(const char *key, const char *given, int64_t *ret_ms, char *reason)
{
	char text[SHOWN_MAX + 1], *end;
	long long number;

	if (strlen(given) <= SHOWN_MAX) {
		strcpy(text, given);
		errno = 0;
		number = strtoll(text, &end, 10);
		if (*text >= '0' && *text <= '9' && !*end && !errno && number < year_10000_ms) {
			*ret_ms = number;
			return 0;
		}
		for (end = text; *end; end++) /* "+01:00" that nobody encoded came as a space */
			if (*end == ' ')
				*end = '+';
		if (wire_parse_time(text, ret_ms) == 0)
			return 0;
	}
	return refuse(reason, "%s: \"%s\" is neither milliseconds since 1970 nor RFC 3339 with a zone (2026-11-24T15:04:05Z)", key,
		      shown(given));
}

static int parse_series(const char *given, struct history_query *query, char *reason)
{
	if (!given || !*given)
		return refuse(reason, "series: missing; wanted is NODE/DEVICE/QUANTITY, several with commas between");
	for (const char *at = given; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		size_t len = strcspn(at, ",");

		if (query->count == HISTORY_SERIES_MAX)
			return refuse(reason, "series: at most %d", HISTORY_SERIES_MAX);
		if (series_parse(at, len, &query->series[query->count++]) < 0)
			return refuse(reason, "series: \"%.*s\" is no NODE/DEVICE/QUANTITY", len <= SHOWN_MAX ? (int)len : 0, at);
	}
	return 0;
}

static int parse_span(const struct history_words *words, int64_t now_ms, struct history_query *query, char *reason)
{
	int r;

	if (words->last)
		return refuse(reason, "last: goes without from and to");
	if (!words->from)
		return refuse(reason, "from: missing beside to");
	query->to_ms = now_ms + 1;
	query->points = POINTS_DEFAULT;
	r = parse_time("from", words->from, &query->from_ms, reason);
	if (r == 0 && words->to)
		r = parse_time("to", words->to, &query->to_ms, reason);
	if (r == 0 && query->from_ms >= query->to_ms)
		r = refuse(reason, "from: must be before %s", words->to ? "to" : "now, or give to");
	if (r == 0 && words->points)
		r = parse_whole("points", words->points, 2, HISTORY_POINTS_MAX, &query->points, reason);
	return r;
}

int history_parse(const struct history_words *words, int64_t now_ms, struct history_query *ret_query, char *reason)
{
	struct history_query query = { 0 };
	int r = parse_series(words->series, &query, reason);

	if (r < 0)
		return r;
	if (words->from || words->to) {
		r = parse_span(words, now_ms, &query, reason);
	} else {
		query.last = LAST_DEFAULT;
		if (words->points)
			r = refuse(reason, "points: goes with from and to; last=N gives the newest N");
		else if (words->last)
			r = parse_whole("last", words->last, 1, HISTORY_POINTS_MAX, &query.last, reason);
	}
	if (r == 0 && query.count * (query.last + query.points) > HISTORY_TOTAL_MAX)
		r = refuse(reason, "%s: at most %d points of all %zu series together", query.last ? "last" : "points",
			   HISTORY_TOTAL_MAX, query.count);
	if (r == 0)
		*ret_query = query;
	return r;
}

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

typedef int (*write_fn)(struct store *store, const struct house *house, const struct history_query *query, struct buffer *out,
			const struct series **ret_failed);

static void answer_failure(struct archive *archive, struct http_request *request, int error, const struct series *series)
{
	char name[SERIES_TEXT_MAX + 1];

	archive_failed(archive, error);
	if (error == -ENOENT)
		http_error(request, 404, "no such series: %s", series_format(series, name));
	else if (error == -EINVAL)
		http_error(request, 400, "from, to: the store can't read this span");
	else
		http_error(request, 503, "%s", archive_error(archive));
}

/* Makes the answer, or takes the one that was made before and still holds; what ends with this moment is another each time. */
static int make_answer(struct archive *archive, struct store *store, const struct house *house, struct http_request *request,
		       const struct history_query *query, bool repeatable, write_fn write, struct buffer *body,
		       const struct series **ret_failed)
{
	struct history_cache *cache = archive_cache(archive);
	int64_t store_now = cache && repeatable ? store_revision(store) : -1;
	uint64_t house_now = house_revision(house);
	int r;

	if (store_now >= 0 && history_cache_get(cache, http_target(request), store_now, house_now, body))
		return 0;
	r = write(store, house, query, body, ret_failed);
	/* A commit between the two makes it look older than it is: then it is made once more than need be. */
	if (r >= 0 && store_now >= 0)
		history_cache_put(cache, http_target(request), store_now, house_now, body);
	return r;
}

static void answer(struct archive *archive, const struct house *house, struct http_request *request, write_fn write,
		   const char *type)
{
	const struct history_words words = {
		http_query(request, "series"), http_query(request, "last"),   http_query(request, "from"),
		http_query(request, "to"),     http_query(request, "points"),
	};
	struct buffer body = BUFFER_EMPTY;
	const struct series *failed = NULL;
	char reason[HISTORY_REASON_MAX];
	struct history_query query;
	struct store *store;
	int r;

	if (history_parse(&words, clock_wall_ms(), &query, reason) < 0) {
		http_error(request, 400, "%s", reason);
		return;
	}
	store = archive_store(archive);
	if (!store) {
		http_error(request, 503, "%s", archive_error(archive));
		return;
	}
	r = make_answer(archive, store, house, request, &query, !words.from || words.to, write, &body, &failed);
	if (r >= 0) {
		if (write == history_write_csv)
			http_add_header(request, "Content-Disposition", "attachment; filename=\"foyer-history.csv\"");
		http_reply_tagged(request, type, &body);
		return;
	}
	buffer_done(&body);
	answer_failure(archive, request, r, failed);
}

void history_json(struct archive *archive, const struct house *house, struct http_request *request)
{
	answer(archive, house, request, history_write_json, "application/json");
}

void history_csv(struct archive *archive, const struct house *house, struct http_request *request)
{
	answer(archive, house, request, history_write_csv, "text/csv; charset=utf-8");
}
