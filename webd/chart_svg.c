#include "chart_svg.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history_read.h"
#include "view_figures.h"
#include "wording.h"

enum { WIDTH = 960, HEIGHT = 360, LEFT = 64, RIGHT = 64, TOP = 16, BOTTOM = 32, POINTS = 480, TICKS_Y = 4, TICKS_X = 6 };

struct axis {
	const char *unit;
	bool binary;
	double min, max;
};

struct line {
	const struct house_series *series;
	struct history_points points;
	size_t axis;
};

struct drawing {
	const struct view *view;
	struct buffer *out;
	struct line lines[VIEW_LEGEND_MAX];
	size_t count;
	struct axis axes[VIEW_AXES_MAX];
	size_t axis_count;
	int64_t from_ms, to_ms;
	bool dark;
};

/* The tokens of style.css: a picture has no access to them. */
static const char *colour(const struct drawing *drawing, const char *tint)
{
	static const struct {
		const char *tint, *light, *dark;
	} table[] = {
		{ "temperature", "#c2410c", "#ff9a62" }, { "humidity", "#1f62ad", "#7ab8ff" }, { "pressure", "#6a4ba6", "#bda8f3" },
		{ "light", "#8d6400", "#efcb66" },       { "distance", "#0f7068", "#6fd0c4" }, { "motion", "#a03763", "#f291b6" },
		{ "power", "#8a3b9c", "#dd9ff0" },       { "air", "#3f6b1f", "#a9d47a" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].tint, tint) == 0)
			return drawing->dark ? table[i].dark : table[i].light;
	return drawing->dark ? "#b3bcc5" : "#4f5b66";
}

static double place_x(const struct drawing *drawing, int64_t time_ms)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * (double)(time_ms - drawing->from_ms) / (double)(drawing->to_ms - drawing->from_ms);
}

static double place_y(const struct axis *axis, double value)
{
	return TOP + (HEIGHT - TOP - BOTTOM) * (axis->max - value) / (axis->max - axis->min);
}

/* ---- data --------------------------------------------------------------------------------------------------------------------------------- */

static size_t axis_of(struct drawing *drawing, const struct house_series *series)
{
	bool binary = series->quantity->kind == QUANTITY_KIND_BINARY;
	const char *unit = view_unit(series);
	size_t i = 0;

	while (i < drawing->axis_count && (drawing->axes[i].binary != binary || strcmp(drawing->axes[i].unit, unit) != 0))
		i++;
	if (i == drawing->axis_count && i < VIEW_AXES_MAX)
		drawing->axes[drawing->axis_count++] = (struct axis){ unit, binary, INFINITY, -INFINITY };
	return i;
}

static int read_line(struct drawing *drawing, struct store *store, const struct house_series *series,
		     const struct view_range *range)
{
	const struct history_query query = { .last = range->to_ms ? 0 : VIEW_LAST,
					     .from_ms = range->from_ms,
					     .to_ms = range->to_ms,
					     .points = range->to_ms ? POINTS : 0 };
	struct line *line = &drawing->lines[drawing->count];
	size_t axis = axis_of(drawing, series);
	int r;

	if (axis >= VIEW_AXES_MAX)
		return 0;
	r = history_read_points(store, &query, &series->name, &line->points);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	line->series = series;
	line->axis = axis;
	drawing->count++;
	return 0;
}

/* A round step that parts a span into about `parts`: 1, 2 or 5 times a power of ten. */
static double round_step(double span, int parts)
{
	double rough = span / parts, power = pow(10, floor(log10(rough)));

	return rough <= power ? power : rough <= 2 * power ? 2 * power : rough <= 5 * power ? 5 * power : 10 * power;
}

static void fit_axes(struct drawing *drawing)
{
	for (size_t i = 0; i < drawing->count; i++) {
		struct axis *axis = &drawing->axes[drawing->lines[i].axis];
		const struct history_points *points = &drawing->lines[i].points;

		for (size_t k = 0; k < points->count; k++)
			if (points->list[k].count) {
				axis->min = fmin(axis->min, points->list[k].min);
				axis->max = fmax(axis->max, points->list[k].max);
			}
	}
	for (size_t i = 0; i < drawing->axis_count; i++) {
		struct axis *axis = &drawing->axes[i];
		double step;

		if (axis->binary || axis->min > axis->max) {
			axis->min = 0;
			axis->max = axis->binary ? 1.1 : 1;
			continue;
		}
		if (axis->max - axis->min < 1e-9 * fmax(1, fabs(axis->max))) {
			axis->min -= 1;
			axis->max += 1;
		}
		step = round_step(axis->max - axis->min, TICKS_Y);
		axis->min = floor(axis->min / step) * step;
		axis->max = ceil(axis->max / step) * step;
	}
}

static void fit_time(struct drawing *drawing, const struct view_range *range)
{
	drawing->from_ms = range->from_ms;
	drawing->to_ms = range->to_ms;
	if (range->to_ms)
		return;
	drawing->from_ms = INT64_MAX;
	for (size_t i = 0; i < drawing->count; i++) {
		const struct history_points *points = &drawing->lines[i].points;

		if (!points->count)
			continue;
		if (points->list[0].time_ms < drawing->from_ms)
			drawing->from_ms = points->list[0].time_ms;
		if (points->list[points->count - 1].time_ms > drawing->to_ms)
			drawing->to_ms = points->list[points->count - 1].time_ms;
	}
	if (drawing->from_ms >= drawing->to_ms) {
		drawing->to_ms = drawing->view->now_ms;
		drawing->from_ms = drawing->to_ms - 3600000;
	}
}

/* ---- ink ------------------------------------------------------------------------------------------------------------------------------------ */

static void add_escaped(struct buffer *out, const char *text)
{
	for (; *text; text++)
		if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
			buffer_printf(out, "&#%d;", *text);
		else
			buffer_add_char(out, *text);
}

static void draw_text(const struct drawing *drawing, double x, double y, const char *anchor, const char *fill, const char *text)
{
	buffer_printf(drawing->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">", x, y, anchor, fill);
	add_escaped(drawing->out, text);
	buffer_add_text(drawing->out, "</text>\n");
}

static void draw_axis(const struct drawing *drawing, size_t index, const char *grid)
{
	const struct axis *axis = &drawing->axes[index];
	double step = axis->binary ? 1 : round_step(axis->max - axis->min, TICKS_Y);
	const char *fill = NULL;
	char text[WORDING_MAX + UNIT_MAX + 4], number[WORDING_MAX];
	int decimals = step >= 1 ? 0 : (int)ceil(-log10(step));

	for (size_t i = 0; !fill && i < drawing->count; i++)
		if (drawing->lines[i].axis == index)
			fill = colour(drawing, view_tint(drawing->lines[i].series));
	for (double value = axis->min; value <= axis->max + step / 1000 && fill; value += step) {
		double y = place_y(axis, value);

		if (index == 0)
			buffer_printf(drawing->out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", LEFT,
				      WIDTH - RIGHT, y, y, grid);
		wording_number(drawing->view->language, value, decimals, number);
		snprintf(text, sizeof(text), "%.80s%s%s", number, axis->unit[0] ? " " : "", axis->unit);
		draw_text(drawing, index == 0 ? LEFT - 8 : WIDTH - RIGHT + 8, y + 4, index == 0 ? "end" : "start", fill, text);
	}
}

static void draw_times(const struct drawing *drawing, const char *ink)
{
	char text[WORDING_MAX];

	for (int i = 0; i <= TICKS_X; i++) {
		int64_t time_ms = drawing->from_ms + (drawing->to_ms - drawing->from_ms) * i / TICKS_X;

		wording_moment(drawing->view->strings, drawing->view->language, time_ms, text);
		draw_text(drawing, place_x(drawing, time_ms), HEIGHT - 8,
			  i == 0         ? "start"
			  : i == TICKS_X ? "end"
					 : "middle",
			  ink, text);
	}
}

/* From minimum to maximum, run by run between gaps. */
static void draw_band(const struct drawing *drawing, const struct line *line, const char *fill)
{
	const struct axis *axis = &drawing->axes[line->axis];
	const struct history_points *points = &line->points;

	for (size_t begin = 0, end; begin < points->count; begin = end + 1) {
		for (end = begin; end < points->count && points->list[end].count;)
			end++;
		if (end - begin < 2)
			continue;
		buffer_printf(drawing->out, "<path fill=\"%s\" fill-opacity=\".18\" d=\"M", fill);
		for (size_t i = begin; i < end; i++)
			buffer_printf(drawing->out, "%.1f %.1f ", place_x(drawing, points->list[i].time_ms),
				      place_y(axis, points->list[i].max));
		for (size_t i = end; i-- > begin;)
			buffer_printf(drawing->out, "%.1f %.1f ", place_x(drawing, points->list[i].time_ms),
				      place_y(axis, points->list[i].min));
		buffer_add_text(drawing->out, "z\"/>\n");
	}
}

static void draw_line(const struct drawing *drawing, const struct line *line)
{
	const struct axis *axis = &drawing->axes[line->axis];
	const char *stroke = colour(drawing, view_tint(line->series));
	bool stepped = axis->binary && !line->points.resolution_ms, pen = false;
	double before = 0;

	if (line->points.resolution_ms && !axis->binary)
		draw_band(drawing, line, stroke);
	buffer_printf(drawing->out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\" d=\"", stroke);
	for (size_t i = 0; i < line->points.count; i++) {
		const struct point *point = &line->points.list[i];
		double x = place_x(drawing, point->time_ms), y = place_y(axis, point->mean);

		if (!point->count) {
			pen = false;
			continue;
		}
		if (pen && stepped)
			buffer_printf(drawing->out, "L%.1f %.1f", x, before);
		buffer_printf(drawing->out, "%c%.1f %.1f", pen ? 'L' : 'M', x, y);
		pen = true;
		before = y;
	}
	if (pen && stepped)
		buffer_printf(drawing->out, "H%d", WIDTH - RIGHT);
	buffer_add_text(drawing->out, "\"/>\n");
}

int chart_svg(const struct view *view, struct store *store, const struct house_series *series, const struct view_range *range,
	      bool dark, struct buffer *out)
{
	struct drawing drawing = { .view = view, .out = out, .dark = dark };
	const struct house_series *list[VIEW_LEGEND_MAX];
	size_t count = view_chart_series(series, range, list);
	const char *ink = dark ? "#a9b1b8" : "#5b5f58", *grid = dark ? "#34393e" : "#dedcd4";
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = read_line(&drawing, store, list[i], range);
	fit_axes(&drawing);
	fit_time(&drawing, range);
	buffer_printf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"system-ui, sans-serif\" "
		      "font-size=\"12\">\n",
		      WIDTH, HEIGHT);
	for (size_t i = 0; i < drawing.axis_count; i++)
		draw_axis(&drawing, i, grid);
	draw_times(&drawing, ink);
	for (size_t i = drawing.count; i-- > 0;) {
		draw_line(&drawing, &drawing.lines[i]);
		free(drawing.lines[i].points.list);
	}
	buffer_add_text(out, "</svg>\n");
	return r;
}
