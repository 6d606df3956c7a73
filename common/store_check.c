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
	"WITH _raw AS (SELECT series, time / " SPAN " * " SPAN " AS span, count(*) AS n, min(value) AS low, max(value) AS high,"
	"  avg(value) AS mean FROM \"%w\" WHERE time >= ?1 AND time < ?2 GROUP BY span, series),"
	" _rolled AS (SELECT f.series AS series, f.time AS span, f.count AS n, f.min AS low, f.max AS high, f.mean AS mean"
	"  FROM series AS s CROSS JOIN \"%w_5min\" AS f ON f.series = s.id AND f.time >= ?1 AND f.time < ?2 WHERE s.quantity = ?3)"
	" SELECT _raw.span, _raw.series FROM _raw LEFT JOIN _rolled ON _rolled.series = _raw.series AND _rolled.span = _raw.span"
	"  WHERE _rolled.n IS NOT _raw.n OR (?4 >= 1 AND (_rolled.low IS NOT _raw.low OR _rolled.high IS NOT _raw.high))"
	"  OR (?4 >= 2 AND NOT abs(_rolled.mean - _raw.mean) <= 1e-9 * (abs(_raw.low) + abs(_raw.high)) + 1e-300)"
	" UNION SELECT _rolled.span, _rolled.series FROM _rolled LEFT JOIN _raw ON _rolled.series = _raw.series AND _rolled.span = "
	"_raw.span"
	"  WHERE _raw.n IS NULL";

/* Likewise of a level that is made of the one below it. */
#define ROLLED_TEXT(level, length, below)                                                                                          \
	"WITH parts AS (SELECT f.series AS series, f.time / " length " * " length                                                  \
	" AS span, sum(f.count) AS n, min(f.min) AS low,"                                                                          \
	"  max(f.max) AS high, sum(f.mean * f.count) / sum(f.count) AS mean"                                                       \
	"  FROM series AS s CROSS JOIN \"%w_" below "\" AS f ON f.series = s.id AND f.time >= ?1 AND f.time < ?2"                  \
	"  WHERE s.quantity = ?3 GROUP BY f.series, span),"                                                                        \
	" whole AS (SELECT h.series AS series, h.time AS span, h.count AS n, h.min AS low, h.max AS high, h.mean AS mean"          \
	"  FROM series AS s CROSS JOIN \"%w_" level "\" AS h ON h.series = s.id AND h.time >= ?1 AND h.time < ?2"                  \
	"  WHERE s.quantity = ?3)"                                                                                                 \
	" SELECT parts.span, parts.series FROM parts LEFT JOIN whole ON whole.series = parts.series AND whole.span = parts.span"   \
	"  WHERE whole.n IS NOT parts.n OR (?4 >= 1 AND (whole.low IS NOT parts.low OR whole.high IS NOT parts.high))"             \
	"  OR (?4 >= 2 AND NOT abs(whole.mean - parts.mean) <= 1e-9 * (abs(parts.low) + abs(parts.high)) + 1e-300)"                \
	" UNION SELECT whole.span, whole.series FROM whole LEFT JOIN parts ON parts.series = whole.series AND parts.span = "       \
	"whole.span"                                                                                                               \
	"  WHERE parts.n IS NULL"

static const struct level {
	int64_t length_ms;
	const char *name, *text;
	double share; /* of the time that it takes */
} levels[] = {
	{ FIVE_MIN_MS, "means of 5 minutes", five_min_text, 0.8 },
	{ HOUR_MS, "means of the hour", ROLLED_TEXT("hour", "3600000", "5min"), 0.17 },
	{ BLOCK_MS, "means of 8 hours", ROLLED_TEXT("8hour", "28800000", "hour"), 0.03 },
};

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

static int tell_span(struct work *work, const struct table *table, const struct level *level, int64_t span_ms, int64_t series)
{
	char text[200];
	int64_t late;
	int r = count_late(work, table, span_ms, span_ms + level->length_ms, &late);

	if (r < 0 || late > 0) /* known, and to be made again */
		return r;
	if (work->findings.differing++ < DIFFERENCES_TOLD) {
		snprintf(text, sizeof(text), "%s: the %s that begin at %lld ms UTC are not what the rows of series %lld say",
			 table->name, level->name, (long long)span_ms, (long long)series);
		work->fault(work->context, text);
	}
	if (work->check->mend && work->span_count < DIFFERING_MAX)
		work->spans[work->span_count++] = span_ms;
	return 0;
}

static int compare_slice(struct work *work, struct table *table, const struct level *level, sqlite3_stmt *statement,
			 int64_t from_ms, int64_t to_ms)
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
		r = tell_span(work, table, level, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1));
	sqlite3_reset(statement);
	work->findings.spans += (to_ms - from_ms) / level->length_ms;
	return r < 0 ? r : store_fail(work->store, step);
}

/* Where the first row lies that a level is compared with: a reading or, since these stay for ever, an hour. INT64_MAX: there is none. */
static int first_part(struct work *work, struct table *table, const struct level *level, int64_t *ret_ms)
{
	sqlite3_stmt *statement;
	int r = store_table_statement(work->store, table, level->length_ms == BLOCK_MS ? TABLE_NEXT_HOUR : TABLE_NEXT_TIME,
				      &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, 0);
	if (level->length_ms == BLOCK_MS)
		sqlite3_bind_text(statement, 2, table->name, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	*ret_ms = r == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0)
										      : INT64_MAX;
	sqlite3_reset(statement);
	return store_fail(work->store, r);
}

/* From when to when a level is looked at. */
static int level_span(struct work *work, struct table *table, const struct level *level, int64_t *ret_from_ms, int64_t *ret_end_ms)
{
	int64_t kept_ms = level->length_ms == BLOCK_MS  ? 0
			  : level->length_ms == HOUR_MS ? table->five_min_from_ms
							: table->raw_from_ms;
	int64_t end_ms = level->length_ms == BLOCK_MS ? table->blocks_ms : table->closed_ms / level->length_ms * level->length_ms;
	int64_t from_ms;
	int r = first_part(work, table, level, &from_ms);

	if (r < 0)
		return r;
	if (end_ms == TIME_NONE) /* no block is made yet */
		end_ms = 0;
	from_ms = (from_ms > kept_ms ? from_ms : kept_ms) / day_ms * day_ms;
	if (from_ms < kept_ms)
		from_ms = (kept_ms + level->length_ms - 1) / level->length_ms * level->length_ms;
	if (!work->check->full && from_ms < end_ms - QUICK_DAYS * day_ms)
		from_ms = (end_ms - QUICK_DAYS * day_ms) / level->length_ms * level->length_ms;
	*ret_from_ms = from_ms;
	*ret_end_ms = end_ms;
	return 0;
}

/* A day at once. done, part: for the bar. */
static int compare_level(struct work *work, struct table *table, const struct level *level, double done, double part)
{
	char *text = sqlite3_mprintf(level->text, table->name, table->name);
	int64_t from_ms = 0, begin_ms, end_ms = 0;
	sqlite3_stmt *statement = NULL;
	int r = text ? store_fail(work->store, sqlite3_prepare_v2(work->store->db, text, -1, &statement, NULL)) : -ENOMEM;

	sqlite3_free(text);
	if (r == 0)
		r = level_span(work, table, level, &from_ms, &end_ms);
	begin_ms = from_ms;
	while (r == 0 && from_ms < end_ms) {
		int64_t to_ms = from_ms + day_ms < end_ms ? from_ms + day_ms : end_ms;

		r = compare_slice(work, table, level, statement, from_ms, to_ms);
		from_ms = to_ms;
		if (!goes_on(work, done + part * (double)(from_ms - begin_ms) / (double)(end_ms - begin_ms)))
			r = r < 0 ? r : -EINTR;
	}
	sqlite3_finalize(statement);
	return r;
}

/* An hour and a block are made again with any of their spans, so their own beginning will do. */
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
	for (size_t i = 0; r == 0 && i < sizeof(levels) / sizeof(*levels); i++) {
		r = compare_level(work, table, &levels[i], done, part * levels[i].share);
		done += part * levels[i].share;
	}
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
