/* Whether a store is whole, and its rollups are what its rows say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "store_files.h"

enum {
	FAULTS_TOLD = 20,
	DIFFERENCES_TOLD = 10,
	QUICK_DAYS = 7,
	DIFFERING_MAX = 1 << 20, /* spans to be marked in one go */
};

static const int64_t day_ms = 86400000;

struct work {
	struct store *store;
	const struct store_check *check;
	const struct store_watch *watch;
	void (*fault)(void *context, const char *text);
	void *context;
	struct store_findings findings;
	int64_t *spans; /* of the quantity at hand, that differ */
	size_t span_count;
};

/* What differs in a slice of time: spans that have rows and no such rollup, and spans that have a rollup and no rows. A mean may differ by
 * what adding in another order makes; that of a binary quantity is something else. ?4: numbers have a mean. */
#define SPAN "300000"
static const char five_min_text[] =
	"WITH raw AS (SELECT series, time / " SPAN " * " SPAN " AS span, count(*) AS n, min(value) AS low, max(value) AS high,"
	"  avg(value) AS mean FROM \"%w\" WHERE time >= ?1 AND time < ?2 GROUP BY span, series),"
	" rolled AS (SELECT f.series AS series, f.time AS span, f.count AS n, f.min AS low, f.max AS high, f.mean AS mean"
	"  FROM series AS s CROSS JOIN \"%w_5min\" AS f ON f.series = s.id AND f.time >= ?1 AND f.time < ?2 WHERE s.quantity = ?3)"
	" SELECT raw.span, raw.series FROM raw LEFT JOIN rolled ON rolled.series = raw.series AND rolled.span = raw.span"
	"  WHERE rolled.n IS NOT raw.n OR (?4 >= 1 AND (rolled.low IS NOT raw.low OR rolled.high IS NOT raw.high))"
	"  OR (?4 >= 2 AND NOT abs(rolled.mean - raw.mean) <= 1e-9 * (abs(raw.low) + abs(raw.high)) + 1e-300)"
	" UNION SELECT rolled.span, rolled.series FROM rolled LEFT JOIN raw ON rolled.series = raw.series AND rolled.span = "
	"raw.span"
	"  WHERE raw.n IS NULL";

static const char hour_text[] =
	"WITH parts AS (SELECT f.series AS series, f.time / 3600000 * 3600000 AS span, sum(f.count) AS n, min(f.min) AS low,"
	"  max(f.max) AS high, sum(f.mean * f.count) / sum(f.count) AS mean"
	"  FROM series AS s CROSS JOIN \"%w_5min\" AS f ON f.series = s.id AND f.time >= ?1 AND f.time < ?2 WHERE s.quantity = ?3"
	"  GROUP BY f.series, span),"
	" hours AS (SELECT h.series AS series, h.time AS span, h.count AS n, h.min AS low, h.max AS high, h.mean AS mean"
	"  FROM series AS s CROSS JOIN \"%w_hour\" AS h ON h.series = s.id AND h.time >= ?1 AND h.time < ?2 WHERE s.quantity = ?3)"
	" SELECT parts.span, parts.series FROM parts LEFT JOIN hours ON hours.series = parts.series AND hours.span = parts.span"
	"  WHERE hours.n IS NOT parts.n OR (?4 >= 1 AND (hours.low IS NOT parts.low OR hours.high IS NOT parts.high))"
	"  OR (?4 >= 2 AND NOT abs(hours.mean - parts.mean) <= 1e-9 * (abs(parts.low) + abs(parts.high)) + 1e-300)"
	" UNION SELECT hours.span, hours.series FROM hours LEFT JOIN parts ON hours.series = parts.series AND hours.span = "
	"parts.span"
	"  WHERE parts.n IS NULL";

static const char late_text[] = "SELECT count(*) FROM meta_late WHERE quantity = ?1 AND span >= ?2 AND span < ?3";

static bool goes_on(const struct work *work, double share)
{
	return !work->watch || work->watch->go_on(work->watch->context, share);
}

/* ---- the file ------------------------------------------------------------------------------------------------------------------- */

static int check_file(struct work *work)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(work->store->db, work->check->full ? "PRAGMA integrity_check(1000)" : "PRAGMA quick_check(1000)",
				   -1, &statement, NULL);

	while (r == SQLITE_OK || r == SQLITE_ROW) {
		const char *text;

		r = sqlite3_step(statement);
		if (r != SQLITE_ROW)
			break;
		text = (const char *)sqlite3_column_text(statement, 0);
		if (text && strcmp(text, "ok") != 0 && work->findings.faults++ < FAULTS_TOLD)
			work->fault(work->context, text);
	}
	sqlite3_finalize(statement);
	return store_fail(work->store, r);
}

/* ---- rollups -------------------------------------------------------------------------------------------------------------------- */

static int count_late(struct work *work, const struct table *table, int64_t from_ms, int64_t to_ms, int64_t *ret_count)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(work->store->db, late_text, -1, &statement, NULL);

	if (r == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, from_ms);
		sqlite3_bind_int64(statement, 3, to_ms);
		r = sqlite3_step(statement);
	}
	*ret_count = r == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return store_fail(work->store, r);
}

static int tell_span(struct work *work, const struct table *table, int64_t span_ms, int64_t length_ms, int64_t series)
{
	char text[200];
	int64_t late;
	int r = count_late(work, table, span_ms, span_ms + length_ms, &late);

	if (r < 0 || late > 0) /* known, and to be made again */
		return r;
	if (work->findings.differing++ < DIFFERENCES_TOLD) {
		snprintf(text, sizeof(text), "%s: the %s that begin at %lld ms UTC are not what the rows of series %lld say",
			 table->name, length_ms == HOUR_MS ? "means of the hour" : "means of 5 minutes", (long long)span_ms,
			 (long long)series);
		work->fault(work->context, text);
	}
	if (work->check->mend && work->span_count < DIFFERING_MAX)
		work->spans[work->span_count++] = span_ms;
	return 0;
}

static int compare_slice(struct work *work, struct table *table, sqlite3_stmt *statement, int64_t from_ms, int64_t to_ms,
			 int64_t length_ms)
{
	int step = SQLITE_DONE, r = 0;

	sqlite3_bind_int64(statement, 1, from_ms);
	sqlite3_bind_int64(statement, 2, to_ms);
	sqlite3_bind_text(statement, 3, table->name, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 4,
			 table->info->kind == QUANTITY_KIND_NUMBER   ? 2
			 : table->info->kind == QUANTITY_KIND_BINARY ? 1
								     : 0);
	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
		r = tell_span(work, table, sqlite3_column_int64(statement, 0), length_ms, sqlite3_column_int64(statement, 1));
	sqlite3_reset(statement);
	work->findings.spans += (to_ms - from_ms) / length_ms;
	return r < 0 ? r : store_fail(work->store, step);
}

/* From the first row to where the spans are closed, a day at once. done, part: for the bar. */
static int compare_level(struct work *work, struct table *table, int64_t length_ms, double done, double part)
{
	int64_t end_ms = table->closed_ms / length_ms * length_ms;
	int64_t kept_ms = length_ms == HOUR_MS ? table->five_min_from_ms : table->raw_from_ms, from_ms, begin_ms;
	char *text = sqlite3_mprintf(length_ms == HOUR_MS ? hour_text : five_min_text, table->name, table->name);
	sqlite3_stmt *statement = NULL, *first;
	int r = text ? store_fail(work->store, sqlite3_prepare_v2(work->store->db, text, -1, &statement, NULL)) : -ENOMEM;

	sqlite3_free(text);
	if (r == 0)
		r = store_table_statement(work->store, table, TABLE_NEXT_TIME, &first);
	if (r < 0) {
		sqlite3_finalize(statement);
		return r;
	}
	sqlite3_bind_int64(first, 1, 0);
	from_ms = sqlite3_step(first) == SQLITE_ROW && sqlite3_column_type(first, 0) != SQLITE_NULL ? sqlite3_column_int64(first, 0)
												    : end_ms;
	sqlite3_reset(first);
	from_ms = (from_ms > kept_ms ? from_ms : kept_ms) / day_ms * day_ms;
	if (from_ms < kept_ms)
		from_ms = (kept_ms + length_ms - 1) / length_ms * length_ms;
	if (!work->check->full && from_ms < end_ms - QUICK_DAYS * day_ms)
		from_ms = (end_ms - QUICK_DAYS * day_ms) / length_ms * length_ms;
	begin_ms = from_ms;
	while (r == 0 && from_ms < end_ms) {
		int64_t to_ms = from_ms + day_ms < end_ms ? from_ms + day_ms : end_ms;

		r = compare_slice(work, table, statement, from_ms, to_ms, length_ms);
		from_ms = to_ms;
		if (!goes_on(work, done + part * (double)(from_ms - begin_ms) / (double)(end_ms - begin_ms)))
			r = r < 0 ? r : -EINTR;
	}
	sqlite3_finalize(statement);
	return r;
}

/* An hour is made again with any of its spans, so its own beginning will do. */
static int mark_spans(struct work *work, const struct table *table)
{
	for (size_t i = 0; i < work->span_count; i++) {
		sqlite3_stmt *statement;
		int r = store_begin(work->store);

		if (r == 0)
			r = store_prepare(work->store, SQL_MARK_LATE, &statement);
		if (r < 0)
			return r;
		sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, work->spans[i]);
		r = store_run(work->store, statement);
		if (r < 0)
			return r;
		work->findings.marked++;
	}
	work->span_count = 0;
	return 0;
}

static int check_quantity(struct work *work, const char *quantity, double done, double part)
{
	struct table *table;
	int64_t late;
	int r = store_find_table(work->store, quantity, false, &table);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = count_late(work, table, INT64_MIN, INT64_MAX, &late);
	work->findings.waiting += late;
	if (r < 0 || table->closed_ms == TIME_NONE)
		return r;
	r = compare_level(work, table, FIVE_MIN_MS, done, part * 0.8);
	if (r == 0)
		r = compare_level(work, table, HOUR_MS, done + part * 0.8, part * 0.2);
	return r == 0 ? mark_spans(work, table) : r;
}

static int check_rollups(struct work *work)
{
	char(*quantities)[QUANTITY_NAME_MAX + 1] = NULL;
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	int r = store_fail(work->store,
			   sqlite3_prepare_v2(work->store->db, "SELECT DISTINCT quantity FROM series ORDER BY quantity", -1,
					      &statement, NULL));

	while (r == 0 && sqlite3_step(statement) == SQLITE_ROW) {
		void *more = reallocarray(quantities, count + 1, sizeof(*quantities));

		if (!more) {
			r = -ENOMEM;
			break;
		}
		quantities = more;
		store_column_text(statement, 0, quantities[count++], sizeof(*quantities));
	}
	sqlite3_finalize(statement);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_quantity(work, quantities[i], 0.5 + 0.5 * (double)i / (double)count, 0.5 / (double)count);
	free(quantities);
	return r;
}

int store_check(struct store *store, const struct store_check *check, const struct store_watch *watch,
		void (*fault)(void *context, const char *text), void *context, struct store_findings *ret_findings)
{
	struct work work = { .store = store, .check = check, .watch = watch, .fault = fault, .context = context };
	int r = 0;

	if (check->mend)
		work.spans = calloc(DIFFERING_MAX, sizeof(*work.spans));
	if (check->mend && !work.spans)
		return -ENOMEM;
	store_hold(store);
	store_file_watch(store, watch);
	r = check_file(&work);
	if (r == 0 && work.findings.faults == 0)
		r = check_rollups(&work);
	store_file_watch(store, NULL);
	store_release(store);
	free(work.spans);
	if (r < 0 && !goes_on(&work, -1))
		r = -EINTR;
	if (r == 0)
		*ret_findings = work.findings;
	return r;
}
