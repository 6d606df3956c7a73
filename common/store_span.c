/* A span of a series as points for a chart: which level is read, buckets, shares of time, gaps. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "store_sqlite.h"

enum {
	ROWS_PER_POINT = 10,
	ROWS_ALWAYS = 5000,            /* this many raw rows are read whatever is asked: about a millisecond */
	BLOCKS_FROM_MS = 12 * HOUR_MS, /* buckets at least this long are made of blocks of 8 hours */
};

struct plan {
	struct store *store;
	struct known_series *series;
	const struct store_span *span;
	int64_t end_ms; /* the span's, but not in the future: nobody knows what a switch will do */
	int64_t bucket_ms;
	int64_t from_ms, to_ms; /* of the bucket under way */
	struct point *points;
	size_t count, room;
};

/* ---- rows of one level ------------------------------------------------------------------------------------------------------------ */

struct row {
	int64_t time_ms, length_ms; /* length 0: a single reading */
	unsigned count;
	double mean, min, max, last;
};

/* A non-zero return ends. */
typedef int (*level_fn)(void *context, const struct row *row);

static int each_raw(struct plan *plan, int64_t from_ms, int64_t to_ms, level_fn fn, void *context)
{
	sqlite3_stmt *statement;
	int stop = 0, r = store_table_query(plan->store, plan->series->table, TABLE_ROWS, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, from_ms);
	sqlite3_bind_int64(statement, 2, to_ms);
	sqlite3_bind_int64(statement, 3, plan->series->id);
	sqlite3_bind_int64(statement, 4, -1);
	while (!stop && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		double value = sqlite3_column_double(statement, 1);
		struct row row = { sqlite3_column_int64(statement, 0), 0, 1, value, value, value, value };

		stop = fn(context, &row);
	}
	sqlite3_reset(statement);
	return stop ? stop : store_fail(plan->store, r);
}

static int each_rolled(struct plan *plan, enum table_statement level, int64_t from_ms, int64_t to_ms, level_fn fn, void *context)
{
	sqlite3_stmt *statement;
	int stop = 0, r = from_ms < to_ms ? store_table_statement(plan->store, plan->series->table, level, &statement) : 1;

	if (r > 0)
		return 0;
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, plan->series->id);
	sqlite3_bind_int64(statement, 2, from_ms);
	sqlite3_bind_int64(statement, 3, to_ms);
	while (!stop && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		struct row row = {
			.time_ms = sqlite3_column_int64(statement, 0),
			.length_ms = level == TABLE_BLOCK  ? BLOCK_MS
				     : level == TABLE_HOUR ? HOUR_MS
							   : FIVE_MIN_MS,
			.count = (unsigned)sqlite3_column_int64(statement, 1),
			.mean = sqlite3_column_double(statement, 2),
			.min = sqlite3_column_double(statement, 3),
			.max = sqlite3_column_double(statement, 4),
			.last = sqlite3_column_double(statement, 5),
		};

		stop = fn(context, &row);
	}
	sqlite3_reset(statement);
	return stop ? stop : store_fail(plan->store, r);
}

/* Hours; in their place blocks where they are made and lie within the span as a whole. */
static int each_hour(struct plan *plan, bool blocks, int64_t from_ms, int64_t to_ms, level_fn fn, void *context)
{
	int64_t begin_ms = store_floor(plan->span->from_ms + BLOCK_MS - 1, BLOCK_MS), end_ms = plan->series->table->blocks_ms;
	int r;

	if (end_ms > to_ms)
		end_ms = store_floor(to_ms, BLOCK_MS);
	if (!blocks || begin_ms >= end_ms)
		return each_rolled(plan, TABLE_HOUR, from_ms, to_ms, fn, context);
	r = each_rolled(plan, TABLE_HOUR, from_ms, begin_ms, fn, context);
	if (r == 0)
		r = each_rolled(plan, TABLE_BLOCK, begin_ms, end_ms, fn, context);
	return r == 0 ? each_rolled(plan, TABLE_HOUR, end_ms, to_ms, fn, context) : r;
}

/* The span from the coarsest level that serves down to what is not rolled up yet. length_ms: of the level, 0 for raw. */
static int each_row(struct plan *plan, int64_t length_ms, level_fn fn, void *context)
{
	int64_t from_ms = plan->span->from_ms, to_ms = plan->span->to_ms, closed_ms = plan->series->table->closed_ms;
	int r = 0;

	if (closed_ms == TIME_NONE || length_ms == 0)
		return each_raw(plan, from_ms, to_ms, fn, context);
	if (closed_ms > to_ms)
		closed_ms = store_floor(to_ms + FIVE_MIN_MS - 1, FIVE_MIN_MS);
	from_ms = store_floor(from_ms, length_ms < HOUR_MS ? length_ms : HOUR_MS);
	if (length_ms >= HOUR_MS && from_ms < store_floor(closed_ms, HOUR_MS)) {
		r = each_hour(plan, length_ms == BLOCK_MS, from_ms, store_floor(closed_ms, HOUR_MS), fn, context);
		from_ms = store_floor(closed_ms, HOUR_MS);
	}
	if (r == 0 && from_ms < closed_ms) {
		r = each_rolled(plan, TABLE_FIVE_MIN, from_ms, closed_ms, fn, context);
		from_ms = closed_ms;
	}
	return r == 0 && from_ms < to_ms ? each_raw(plan, from_ms, to_ms, fn, context) : r;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------------------------- */

static int add_raw(void *context, const struct row *row)
{
	struct plan *plan = context;

	if (plan->count == plan->span->max)
		return 1; /* they don't fit: buckets then */
	plan->points[plan->count++] =
		(struct point){ .time_ms = row->time_ms, .mean = row->mean, .min = row->min, .max = row->max, .count = 1 };
	return 0;
}

/* The rows of the level below a row's own. */
static int each_below(struct plan *plan, const struct row *row, level_fn fn, void *context)
{
	return each_rolled(plan, row->length_ms == BLOCK_MS ? TABLE_HOUR : TABLE_FIVE_MIN, row->time_ms,
			   row->time_ms + row->length_ms, fn, context);
}

/* Where a bucket begins; asked for each row, and a day is dear to find. */
static int64_t bucket_of(struct plan *plan, int64_t time_ms)
{
	if (time_ms < plan->from_ms || time_ms >= plan->to_ms) {
		plan->from_ms = store_bucket_of(time_ms, plan->bucket_ms);
		plan->to_ms = store_bucket_after(plan->from_ms, plan->bucket_ms);
	}
	return plan->from_ms;
}

static int add_to_bucket(void *context, const struct row *row)
{
	struct plan *plan = context;
	int64_t start_ms = bucket_of(plan, row->time_ms);
	struct point *point = plan->count ? &plan->points[plan->count - 1] : NULL;

	if (row->count == 0)
		return 0;
	/* A block around midnight belongs to two days: its hours do not. Where the zone's midnight is not at a whole hour of UTC, the hour around
	 * it does, and its five minutes don't. */
	if (row->time_ms + row->length_ms > plan->to_ms &&
	    (row->length_ms == BLOCK_MS || (row->length_ms == HOUR_MS && row->time_ms >= plan->series->table->five_min_from_ms)))
		return each_below(plan, row, add_to_bucket, plan);
	if (!point || point->time_ms != start_ms) {
		if (plan->count == plan->room)
			return 0;
		plan->points[plan->count++] = (struct point){
			.time_ms = start_ms, .mean = row->mean, .min = row->min, .max = row->max, .count = row->count
		};
		return 0;
	}
	point->mean += (row->mean - point->mean) * row->count / (point->count + row->count);
	point->min = fmin(point->min, row->min);
	point->max = fmax(point->max, row->max);
	point->count += row->count;
	return 0;
}

/* ---- binary: changes, or shares of time on ------------------------------------------------------------------------------------------- */

static int add_change(void *context, const struct row *row)
{
	struct plan *plan = context;
	const struct point *before = plan->count ? &plan->points[plan->count - 1] : NULL;

	if (before && !(before->mean < row->mean) && !(before->mean > row->mean))
		return 0;
	return add_raw(context, row);
}

struct shares {
	struct plan *plan;
	double state; /* -1 unknown */
	int64_t since_ms;
};

static void add_share(struct plan *plan, int64_t from_ms, int64_t to_ms, double share)
{
	if (share < 0)
		return;
	while (from_ms < to_ms) {
		int64_t start_ms = bucket_of(plan, from_ms), end_ms = plan->to_ms;
		struct point *point = plan->count ? &plan->points[plan->count - 1] : NULL;
		double length_ms;

		if (end_ms > to_ms)
			end_ms = to_ms;
		length_ms = (double)(end_ms - from_ms);
		if (!point || point->time_ms != start_ms) {
			if (plan->count == plan->room)
				return;
			point = &plan->points[plan->count++];
			*point = (struct point){ .time_ms = start_ms, .count = 1 };
		}
		point->mean += share * length_ms; /* ms on, and ms known in max: made shares at the end */
		point->max += length_ms;
		from_ms = end_ms;
	}
}

static int add_state(void *context, const struct row *row)
{
	struct shares *shares = context;
	int64_t time_ms = row->time_ms > shares->since_ms ? row->time_ms : shares->since_ms;
	int64_t end_ms = row->time_ms + row->length_ms;

	/* Nor is a block known as a whole that has an end of the future, or that nobody knows the state of at its beginning. */
	bucket_of(shares->plan, row->time_ms);
	if (row->length_ms == BLOCK_MS && (shares->state < 0 || end_ms > shares->plan->to_ms || end_ms > shares->plan->end_ms))
		return each_below(shares->plan, row, add_state, context);
	add_share(shares->plan, shares->since_ms, time_ms, shares->state);
	if (end_ms > shares->plan->end_ms)
		end_ms = shares->plan->end_ms;
	if (row->length_ms > 0)
		add_share(shares->plan, time_ms, end_ms, row->mean);
	shares->since_ms = row->length_ms > 0 && end_ms > time_ms ? end_ms : time_ms;
	shares->state = row->last > 0;
	return 0;
}

static int read_shares(struct plan *plan, int64_t length_ms, double state)
{
	struct shares shares = { plan, state, plan->span->from_ms };
	int r = each_row(plan, length_ms, add_state, &shares);

	if (r < 0)
		return r;
	add_share(plan, shares.since_ms, plan->end_ms, shares.state);
	for (size_t i = 0; i < plan->count; i++) {
		struct point *point = &plan->points[i];

		point->mean = point->max > 0 ? point->mean / point->max : 0;
		point->min = point->mean < 1 ? 0 : 1;
		point->max = point->mean > 0 ? 1 : 0;
	}
	return 0;
}

static int read_binary(struct plan *plan, int64_t length_ms, int64_t *ret_resolution_ms)
{
	struct point before;
	double state;
	int known = store_read_last(plan->store, &plan->series->name, plan->span->from_ms, 1, &before);
	int r;

	if (known < 0)
		return known;
	if (length_ms == 0) {
		if (known > 0) {
			before.time_ms = plan->span->from_ms;
			plan->points[plan->count++] = before;
		}
		r = each_row(plan, 0, add_change, plan);
		if (r <= 0) {
			*ret_resolution_ms = 0;
			return r;
		}
		plan->count = 0;
	}
	*ret_resolution_ms = plan->bucket_ms;
	if (known > 0)
		return read_shares(plan, length_ms, before.mean);
	r = store_state_before(plan->store, plan->series->table, plan->series->id, plan->span->from_ms, &state);
	return r < 0 ? r : read_shares(plan, length_ms, state);
}

static int read_numbers(struct plan *plan, int64_t length_ms, int64_t *ret_resolution_ms)
{
	int64_t bucket_ms = plan->bucket_ms;
	int gaps, r = 1;

	if (length_ms == 0 && plan->span->bucket_ms == 0) {
		plan->bucket_ms = 0;
		r = each_row(plan, 0, add_raw, plan);
	}
	if (r > 0) {
		plan->count = 0;
		plan->bucket_ms = bucket_ms;
		r = each_row(plan, length_ms, add_to_bucket, plan);
	}
	if (r < 0)
		return r;
	gaps = store_add_gaps(plan->store, plan->series, plan->span->interval_ms, plan->bucket_ms, plan->points, plan->count,
			      plan->span->max / 2 + 2);
	if (gaps < 0)
		return gaps;
	plan->count += (size_t)gaps;
	*ret_resolution_ms = plan->bucket_ms;
	return 0;
}

/* ---- the level -------------------------------------------------------------------------------------------------------------------- */

/* Raw rows of all series lie together, so their number counts, not that of this series. */
static int count_raw(struct plan *plan, bool *ret_few)
{
	const struct store_span *span = plan->span;
	int64_t limit = (int64_t)span->max * ROWS_PER_POINT > ROWS_ALWAYS ? (int64_t)span->max * ROWS_PER_POINT : ROWS_ALWAYS;
	struct table *table = plan->series->table;
	sqlite3_stmt *statement;
	int r = store_table_query(plan->store, table, TABLE_COUNT_ROWS, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, span->from_ms);
	sqlite3_bind_int64(statement, 2, span->to_ms);
	sqlite3_bind_int64(statement, 3, limit);
	r = sqlite3_step(statement);
	*ret_few = r == SQLITE_ROW && sqlite3_column_int64(statement, 0) < limit;
	store_table_done(table, TABLE_COUNT_ROWS, statement);
	return store_fail(plan->store, r);
}

/* Which level is read, 0 for raw rows, FIVE_MIN_MS, HOUR_MS or BLOCK_MS; and how long buckets are if rows don't fit as they are. */
static int choose_level(struct plan *plan, int64_t *ret_length_ms)
{
	const struct store_span *span = plan->span;
	const struct table *table = plan->series->table;
	bool few = false;
	int r = span->from_ms < table->raw_from_ms ? 0 : count_raw(plan, &few);

	if (r < 0)
		return r;
	/* One bucket less than asked for: they begin at round times, so a span touches one more. */
	plan->bucket_ms = store_bucket_length((span->to_ms - span->from_ms) / ((int64_t)span->max - 1) + 1);
	if (plan->bucket_ms < span->bucket_ms)
		plan->bucket_ms = store_bucket_length(span->bucket_ms);
	*ret_length_ms = 0;
	if (few)
		return 0;
	*ret_length_ms = plan->bucket_ms >= HOUR_MS || span->from_ms < table->five_min_from_ms ? HOUR_MS : FIVE_MIN_MS;
	if (plan->bucket_ms < *ret_length_ms)
		plan->bucket_ms = *ret_length_ms;
	if (plan->bucket_ms >= BLOCKS_FROM_MS)
		*ret_length_ms = BLOCK_MS;
	return 0;
}

static int read_span(struct store *store, const struct series *name, const struct store_span *span, struct point *ret_points,
		     int64_t *ret_resolution_ms)
{
	struct plan plan = { .store = store, .span = span, .points = ret_points, .room = span->max + 1 };
	int64_t length_ms = 0, now_ms = clock_wall_ms();
	int r;

	if (span->from_ms >= span->to_ms || span->max < 2 || span->max > 10000)
		return -EINVAL;
	r = store_find_series(store, name, false, &plan.series);
	if (r == 0 && plan.series->table->info->kind == QUANTITY_KIND_TEXT)
		r = -EINVAL;
	if (r == 0)
		r = choose_level(&plan, &length_ms);
	if (r < 0)
		return r;
	plan.end_ms = span->to_ms < now_ms ? span->to_ms : now_ms;
	r = plan.series->table->info->kind == QUANTITY_KIND_BINARY ? read_binary(&plan, length_ms, ret_resolution_ms)
								   : read_numbers(&plan, length_ms, ret_resolution_ms);
	return r < 0 ? r : (int)plan.count;
}

int store_read_span(struct store *store, const struct series *name, const struct store_span *span, struct point *ret_points,
		    int64_t *ret_resolution_ms)
{
	int r;

	store_hold(store);
	r = read_span(store, name, span, ret_points, ret_resolution_ms);
	store_release(store);
	return r;
}

/* Whether the series' own rows fit. */
static int rows_fit(struct plan *plan, bool *ret_fit)
{
	struct table *table = plan->series->table;
	sqlite3_stmt *statement;
	size_t count = 0;
	int step, r = store_table_query(plan->store, table, TABLE_ROWS, &statement);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, plan->span->from_ms);
	sqlite3_bind_int64(statement, 2, plan->span->to_ms);
	sqlite3_bind_int64(statement, 3, plan->series->id);
	sqlite3_bind_int64(statement, 4, (int64_t)plan->span->max + 1);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW)
		count++;
	r = store_fail(plan->store, step);
	store_table_done(table, TABLE_ROWS, statement);
	*ret_fit = count <= plan->span->max;
	return r;
}

static int choose_bucket(struct store *store, const struct series *name, const struct store_span *span, int64_t *ret_bucket_ms)
{
	struct plan plan = { .store = store, .span = span };
	int64_t length_ms = 0;
	bool fit = false;
	int r = store_find_series(store, name, false, &plan.series);

	*ret_bucket_ms = 0;
	if (r < 0 || plan.series->table->info->kind != QUANTITY_KIND_NUMBER)
		return r == -ENOENT ? 0 : r;
	r = choose_level(&plan, &length_ms);
	if (r == 0 && length_ms == 0)
		r = rows_fit(&plan, &fit);
	if (r == 0 && !fit)
		*ret_bucket_ms = plan.bucket_ms;
	return r;
}

int store_choose_bucket(struct store *store, const struct series *series, size_t count, const struct store_span *span,
			int64_t *ret_bucket_ms)
{
	int64_t longest_ms = 0;
	int r = span->from_ms >= span->to_ms || span->max < 2 || span->max > 10000 ? -EINVAL : 0;

	store_hold(store);
	for (size_t i = 0; r == 0 && i < count; i++) {
		int64_t bucket_ms;

		r = choose_bucket(store, &series[i], span, &bucket_ms);
		if (r == 0 && bucket_ms > longest_ms)
			longest_ms = bucket_ms;
	}
	store_release(store);
	if (r == 0)
		*ret_bucket_ms = longest_ms;
	return r;
}
