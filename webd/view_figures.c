#include "view_figures.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history_read.h"
#include "wording.h"

enum { TEXTS_LOOKED_AT = 2000 };

struct span { /* points of one series */
	struct point *points;
	size_t count;
	int64_t resolution_ms, end_ms;
	bool is_binary;
};

static int read_span(const struct view *view, struct store *store, const struct house_series *series,
		     const struct view_range *range, struct span *ret_span)
{
	struct history_query query = { .last = range->to_ms ? 0 : VIEW_LAST,
				       .from_ms = range->from_ms,
				       .to_ms = range->to_ms,
				       .points = range->to_ms ? VIEW_POINTS : 0 };
	struct span span = { .end_ms = range->to_ms ? range->to_ms : view->now_ms };
	struct history_points points = { 0 };
	int r = history_read_points(store, &query, &series->name, &points);

	if (r < 0 && r != -ENOENT) /* not seen by the store: it has no readings yet */
		return r;
	if (span.end_ms > view->now_ms)
		span.end_ms = view->now_ms;
	span.points = points.list;
	span.count = points.count;
	span.resolution_ms = points.resolution_ms;
	span.is_binary = series->quantity->kind == QUANTITY_KIND_BINARY;
	*ret_span = span;
	return 0;
}

/* ---- gaps ----------------------------------------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const int64_t *one = a, *two = b;

	return *one < *two ? -1 : *one > *two;
}

/* The step that readings usually come in. */
static int64_t usual_step(const struct span *span)
{
	int64_t steps[VIEW_LAST];
	size_t count = 0;

	for (size_t i = 1; i < span->count && count < VIEW_LAST; i++)
		steps[count++] = span->points[i].time_ms - span->points[i - 1].time_ms;
	qsort(steps, count, sizeof(steps[0]), by_time);
	return count > 1 ? steps[count / 2] : 0;
}

/* Whether nothing came after point i until the next one: the store marks it in a span, the last readings tell by their times. */
static bool is_gap_after(const struct span *span, const struct view_range *range, int64_t step_ms, size_t i)
{
	if (i + 1 >= span->count)
		return false;
	if (range->to_ms)
		return span->points[i].count == 0;
	return step_ms > 0 && (span->points[i + 1].time_ms - span->points[i].time_ms) * 2 > step_ms * 5;
}

/* ---- statistics ----------------------------------------------------------------------------------------------------------------- */

struct sums {
	const struct point *lowest, *highest;
	double weighted, weight;
	double readings;
	size_t gaps, changes;
	int64_t gap_from_ms, gap_to_ms; /* the newest gap */
};

/* A reading counts as one; a state as long as it lasts. */
static double weight_of(const struct span *span, size_t i)
{
	if (!span->is_binary || span->resolution_ms > 0)
		return span->points[i].count;
	return (double)((i + 1 < span->count ? span->points[i + 1].time_ms : span->end_ms) - span->points[i].time_ms);
}

static struct sums sum_up(const struct span *span, const struct house_series *series, const struct view_range *range)
{
	int64_t step_ms = series->interval_ms > 0 ? series->interval_ms : usual_step(span);
	const struct point *before = NULL;
	struct sums sums = { 0 };

	for (size_t i = 0; i < span->count; i++) {
		const struct point *point = &span->points[i];

		if (!span->is_binary && is_gap_after(span, range, step_ms, i)) {
			sums.gaps++;
			sums.gap_from_ms = point->time_ms;
			sums.gap_to_ms = span->points[i + 1].time_ms;
		}
		if (point->count == 0 || isnan(point->mean))
			continue;
		if (!sums.lowest || point->min < sums.lowest->min)
			sums.lowest = point;
		if (!sums.highest || point->max > sums.highest->max)
			sums.highest = point;
		sums.changes += before && before->mean != point->mean;
		before = point;
		sums.readings += point->count;
		sums.weighted += point->mean * weight_of(span, i);
		sums.weight += weight_of(span, i);
	}
	return sums;
}

static cJSON *add_cell(cJSON *cells, const char *word, const char *name, const char *value, const char *sub)
{
	cJSON *cell = cJSON_CreateObject();

	cJSON_AddItemToArray(cells, cell);
	cJSON_AddStringToObject(cell, "word", word);
	cJSON_AddStringToObject(cell, "name", name);
	cJSON_AddStringToObject(cell, "value", value);
	if (sub)
		cJSON_AddStringToObject(cell, "sub", sub);
	return cell;
}

static void add_gaps(const struct view *view, cJSON *cells, const struct sums *sums)
{
	char n[WORDING_MAX], from[WORDING_MAX], to[WORDING_MAX], both[2 * WORDING_MAX + 8];

	if (!sums->gaps) {
		add_cell(cells, "gaps", view_text(view, "stat_gaps"), view_text(view, "stat_none"), NULL);
		return;
	}
	snprintf(both, sizeof(both), "%s – %s", wording_moment(view->strings, view->language, sums->gap_from_ms, from),
		 wording_moment(view->strings, view->language, sums->gap_to_ms, to));
	add_cell(cells, "gaps", view_text(view, "stat_gaps"), wording_number(view->language, (double)sums->gaps, 0, n), both);
}

static void add_number_cells(const struct view *view, cJSON *cells, const struct house_series *series, const struct sums *sums)
{
	int decimals = wording_decimals(series->quantity);
	char value[WORDING_MAX], when[WORDING_MAX];

	add_cell(cells, "min", view_text(view, "stat_min"), wording_number(view->language, sums->lowest->min, decimals, value),
		 wording_moment(view->strings, view->language, sums->lowest->time_ms, when));
	add_cell(cells, "mean", view_text(view, "stat_mean"),
		 wording_number(view->language, sums->weighted / sums->weight, decimals, value), NULL);
	add_cell(cells, "max", view_text(view, "stat_max"), wording_number(view->language, sums->highest->max, decimals, value),
		 wording_moment(view->strings, view->language, sums->highest->time_ms, when));
	add_cell(cells, "count", view_text(view, "stat_count"), wording_number(view->language, sums->readings, 0, value), NULL);
	add_gaps(view, cells, sums);
}

/* A state has no mean that anyone would say; it has the share of time that it was on. */
static void add_binary_cells(const struct view *view, cJSON *cells, const struct house_series *series, const struct sums *sums)
{
	const char *word = view->language == LANGUAGE_FR ? series->quantity->on_fr : series->quantity->on_en;
	char share[WORDING_MAX + 8], number[WORDING_MAX], what[128];

	snprintf(share, sizeof(share), "%s\xc2\xa0%%",
		 wording_number(view->language, sums->weight > 0 ? sums->weighted / sums->weight * 100 : 0, 0, number));
	strings_fill(view_text(view, "stat_on_of"), (struct strings_word[]){ { "word", word ? word : "1" }, { 0 } }, what,
		     sizeof(what));
	cJSON_AddNumberToObject(add_cell(cells, "mean", what, share, what), "columns", 3);
	wording_number(view->language, (double)sums->changes, 0, number);
	cJSON_AddNumberToObject(add_cell(cells, "count", view_text(view, "stat_changes"), number, view_text(view, "stat_changes")),
				"columns", 2);
}

int figures_add_stats(const struct view *view, struct store *store, const struct house_series *series,
		      const struct view_range *range, cJSON *to)
{
	const char *quantity = wording_quantity(view->language, series->quantity);
	char name[SERIES_TEXT_MAX + 1];
	struct span span;
	struct sums sums;
	int r = read_span(view, store, series, range, &span);
	cJSON *row;

	if (r < 0)
		return r;
	sums = sum_up(&span, series, range);
	row = cJSON_CreateObject();
	cJSON_AddItemToArray(to, row);
	cJSON_AddStringToObject(row, "series", series_format(&series->name, name));
	cJSON_AddStringToObject(row, "tint", view_tint(series));
	cJSON_AddStringToObject(row, "label", series->label[0] ? series->label : quantity[0] ? quantity : series->name.quantity);
	view_add_unit(series, row);
	if (!sums.lowest)
		cJSON_AddTrueToObject(row, "nothing");
	else if (span.is_binary)
		add_binary_cells(view, cJSON_AddArrayToObject(row, "cells"), series, &sums);
	else
		add_number_cells(view, cJSON_AddArrayToObject(row, "cells"), series, &sums);
	free(span.points);
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------ */

static cJSON *add_row(const struct view *view, cJSON *rows, int64_t time_ms)
{
	cJSON *row = cJSON_CreateObject();

	cJSON_AddItemToArray(rows, row);
	view_time(view, row, "time", time_ms);
	return row;
}

static void add_readings(const struct view *view, cJSON *rows, const struct house_series *series, const struct span *span)
{
	int decimals = wording_decimals(series->quantity);
	char value[WORDING_MAX], low[WORDING_MAX], high[WORDING_MAX], band[2 * WORDING_MAX + 8];

	for (size_t i = span->count; i-- > 0 && cJSON_GetArraySize(rows) < VIEW_ROWS;) {
		const struct point *point = &span->points[i];
		cJSON *row = add_row(view, rows, point->time_ms);

		if (point->count == 0 || isnan(point->mean)) {
			cJSON_AddTrueToObject(row, "gap");
			continue;
		}
		cJSON_AddStringToObject(row, "value", wording_number(view->language, point->mean, decimals, value));
		view_add_unit(series, row);
		if (span->resolution_ms > 0) {
			snprintf(band, sizeof(band), "%s – %s", wording_number(view->language, point->min, decimals, low),
				 wording_number(view->language, point->max, decimals, high));
			cJSON_AddStringToObject(row, "sub", band);
		}
	}
}

static void add_changes(const struct view *view, cJSON *rows, const struct house_series *series, const struct span *span)
{
	int64_t until_ms = span->end_ms;
	char text[VALUE_TEXT_MAX + 1], lasted[WORDING_MAX];

	for (size_t i = span->count; i-- > 0 && cJSON_GetArraySize(rows) < VIEW_ROWS;) {
		const struct point *point = &span->points[i];
		struct value value = value_of_number(point->mean);
		cJSON *row;

		if (isnan(point->mean) || (i > 0 && span->points[i - 1].mean == point->mean))
			continue;
		row = add_row(view, rows, point->time_ms);
		if (span->resolution_ms > 0) { /* a share of time, not a state */
			snprintf(text, sizeof(text), "%.0f\xc2\xa0%%", point->mean * 100);
			cJSON_AddStringToObject(row, "value", text);
			continue;
		}
		cJSON_AddStringToObject(row, "value", wording_value(view->language, series->quantity, &value, text));
		wording_span(view->strings, view->language, until_ms - point->time_ms, lasted);
		cJSON_AddStringToObject(row, "lasted", lasted);
		until_ms = point->time_ms;
	}
}

struct texts {
	const struct view *view;
	const struct house_series *series;
	cJSON *rows, *newest; /* newest: the row added last, of later readings */
	struct value value;   /* what it says */
};

/* Newest first. An output tells its text again and again: that is one row, at the time when it began. A badge read twice is two. */
static int add_text(void *context, const struct reading *reading)
{
	struct texts *texts = context;
	char text[VALUE_TEXT_MAX + 1];
	cJSON *row;

	if (texts->newest && texts->series->output == HOUSE_TEXT && value_equal(&texts->value, &reading->value)) {
		cJSON_DeleteItemFromObject(texts->newest, "time");
		view_time(texts->view, texts->newest, "time", reading->time_ms);
		return 0;
	}
	if (cJSON_GetArraySize(texts->rows) >= VIEW_ROWS)
		return 1;
	row = add_row(texts->view, texts->rows, reading->time_ms);
	texts->newest = row;
	texts->value = reading->value;
	wording_value(texts->view->language, texts->series->quantity, &reading->value, text);
	cJSON_AddStringToObject(row, "value", text[0] ? text : view_text(texts->view, "empty_text"));
	return 0;
}

static int read_texts(const struct view *view, struct store *store, const struct house_series *series,
		      const struct view_range *range, cJSON *rows)
{
	struct texts texts = { .view = view, .series = series, .rows = rows };
	struct store_scan scan = { range->from_ms, range->to_ms ? range->to_ms : INT64_MAX, TEXTS_LOOKED_AT, true };
	int r = store_each_reading(store, &series->name, &scan, add_text, &texts);

	return r == -ENOENT || r > 0 ? 0 : r;
}

int figures_add_table(const struct view *view, struct store *store, const struct house_series *series,
		      const struct view_range *range, cJSON *to)
{
	enum quantity_kind kind = series->quantity->kind;
	bool text = kind == QUANTITY_KIND_TEXT || (series->has_value && series->value.kind == VALUE_TEXT);
	cJSON *figures = cJSON_AddObjectToObject(to, "figures"), *rows = cJSON_AddArrayToObject(figures, "rows");
	char n[WORDING_MAX];
	struct span span;
	int r;

	r = text ? read_texts(view, store, series, range, rows) : read_span(view, store, series, range, &span);
	if (r < 0)
		return r;
	if (!text && kind == QUANTITY_KIND_BINARY)
		add_changes(view, rows, series, &span);
	else if (!text)
		add_readings(view, rows, series, &span);
	if (!text)
		free(span.points);
	cJSON_AddBoolToObject(figures, "is_state", kind == QUANTITY_KIND_BINARY);
	cJSON_AddBoolToObject(figures, "open", kind != QUANTITY_KIND_NUMBER || text);
	cJSON_AddBoolToObject(figures, "has_rows", rows->child != NULL);
	view_fill(view, figures, "title",
		  text                           ? "figures_texts"
		  : kind == QUANTITY_KIND_BINARY ? "figures_changes"
						 : "figures",
		  NULL);
	view_fill(view, figures, "column",
		  text                           ? "figure_text"
		  : kind == QUANTITY_KIND_BINARY ? "figure_state"
						 : "figure_value",
		  NULL);
	view_fill(view, figures, "kept", "figures_kept",
		  (struct strings_word[]){ { "n", wording_number(view->language, VIEW_ROWS, 0, n) }, { 0 } });
	cJSON_AddBoolToObject(figures, "full", cJSON_GetArraySize(rows) >= VIEW_ROWS);
	return 0;
}
