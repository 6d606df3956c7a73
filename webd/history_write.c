/* Points as JSON and as CSV. A chart of a month has tens of thousands of numbers, so they are put straight into the buffer. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common/wire.h"
#include "history_read.h"
#include "json.h"

enum {
	POINT_MAX = 160,       /* bytes of a point in JSON: a time and three numbers of at most 31 */
	MEAN_DECIMALS_MAX = 4, /* as many as value_format_number writes without a search */
};

struct writer {
	struct buffer *out;
	const struct series *series;
	const struct quantity_info *info;
	const char *unit;
	struct history_hint hint;
	double scale; /* means are rounded to a whole number of 1/scale; 0: not */
	bool wide;    /* CSV with mean, min, max */
};

static struct writer writer_of(const struct house *house, const struct series *series, struct buffer *out)
{
	static const double powers[] = { 1, 10, 100, 1000, 10000 };
	const struct house_series *known = house_series(house, series);
	struct writer writer = { .out = out, .series = series, .info = quantity_info_of(series->quantity) };
	int decimals = writer.info->decimals + 2;

	writer.hint.interval_ms = known ? known->interval_ms : 0;
	writer.unit = known ? known->unit : writer.info->unit;
	if (writer.info->kind == QUANTITY_KIND_BINARY || decimals > MEAN_DECIMALS_MAX)
		decimals = MEAN_DECIMALS_MAX;
	if (writer.info->name[0]) /* of an unknown quantity nobody knows how small its numbers are */
		writer.scale = powers[decimals];
	return writer;
}

/* The mean of a bucket is no reading: digits beyond what the sensor can mean are left out. */
static double rounded(const struct writer *writer, double mean)
{
	return writer->scale > 0 ? nearbyint(mean * writer->scale) / writer->scale : mean;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------------------- */

static char *put_number(char *at, double number)
{
	if (!isfinite(number))
		return stpcpy(at, "null");
	return at + value_format_number(number, at);
}

static void add_point(const struct writer *writer, const struct point *point, bool bucket)
{
	char *start = buffer_reserve(writer->out, POINT_MAX), *at = start;

	if (!start)
		return;
	*at++ = '[';
	at += json_put_whole(point->time_ms, at);
	*at++ = ',';
	if (!point->count) {
		at = stpcpy(at, point->gap == POINT_GAP_OFFLINE ? "null,\"offline\"" : "null,\"silent\"");
	} else if (!bucket) {
		at = put_number(at, point->mean);
	} else {
		at = put_number(at, rounded(writer, point->mean));
		*at++ = ',';
		at = put_number(at, point->min);
		*at++ = ',';
		at = put_number(at, point->max);
	}
	*at++ = ']';
	writer->out->len += (size_t)(at - start);
	writer->out->data[writer->out->len] = '\0';
}

static int add_text(void *context, const struct reading *reading)
{
	const struct writer *writer = context;

	json_add_comma(writer->out);
	buffer_add_char(writer->out, '[');
	json_add_whole(writer->out, reading->time_ms);
	buffer_add_char(writer->out, ',');
	json_add_text(writer->out, reading->value.text);
	buffer_add_char(writer->out, ']');
	return 0;
}

static void begin_json(const struct writer *writer, int64_t resolution_ms)
{
	json_add_comma(writer->out);
	buffer_add_char(writer->out, '{');
	json_add_text_of(writer->out, "node", writer->series->node);
	json_add_text_of(writer->out, "device", writer->series->device);
	json_add_text_of(writer->out, "quantity", writer->series->quantity);
	json_add_text_of(writer->out, "unit", writer->unit);
	json_add_whole_of(writer->out, "resolution", resolution_ms);
	json_add_key(writer->out, "points");
	buffer_add_char(writer->out, '[');
}

static int write_json(struct store *store, const struct history_query *query, struct writer *writer)
{
	struct history_points points;
	int r;

	if (writer->info->kind == QUANTITY_KIND_TEXT) {
		begin_json(writer, 0);
		return history_read_texts(store, query, writer->series, add_text, writer);
	}
	r = history_read_points_with(store, query, writer->series, &writer->hint, &points);
	if (r < 0) {
		if (r == -ENOENT)
			begin_json(writer, 0);
		return r;
	}
	begin_json(writer, points.resolution_ms);
	for (size_t i = 0; i < points.count; i++) {
		if (i)
			buffer_add_char(writer->out, ',');
		add_point(writer, &points.list[i], points.resolution_ms > 0);
	}
	free(points.list);
	return 0;
}

/* A series of which the house heard, but whose first reading is not committed yet, is empty. */
static bool only_new(const struct house *house, const struct series *series, int error)
{
	return error == -ENOENT && house_series(house, series);
}

int history_write_json(struct store *store, const struct house *house, const struct history_query *query, struct buffer *out,
		       const struct series **ret_failed)
{
	int64_t resolution_ms;
	int r = history_read_resolution(store, query, &resolution_ms);

	if (r < 0) {
		*ret_failed = &query->series[0];
		return r;
	}
	buffer_add_text(out, "{\"series\":[");
	for (size_t i = 0; i < query->count; i++) {
		struct writer writer = writer_of(house, &query->series[i], out);

		writer.hint.resolution_ms = resolution_ms;
		r = write_json(store, query, &writer);
		if (r < 0 && !only_new(house, &query->series[i], r)) {
			*ret_failed = &query->series[i];
			return r;
		}
		buffer_add_text(out, "]}");
	}
	buffer_add_text(out, "]}");
	return 0;
}

/* ---- CSV (RFC 4180, with plain line feeds) ----------------------------------------------------------------------------------- */

static void begin_row(const struct writer *writer, int64_t time_ms)
{
	char time[32];

	buffer_printf(writer->out, "%s,%s,%s,%s,", wire_format_time(time_ms, time), writer->series->node, writer->series->device,
		      writer->series->quantity);
}

static void add_cell(struct buffer *out, const char *text)
{
	buffer_add_char(out, '"');
	if (text[0] && strchr("=+-@", text[0]))
		buffer_add_char(out, '\''); /* so that no spreadsheet takes a badge for a formula */
	for (; *text; text++) {
		if (*text == '"')
			buffer_add_char(out, '"');
		buffer_add_char(out, *text);
	}
	buffer_add_char(out, '"');
}

static void end_row(const struct writer *writer)
{
	buffer_add_char(writer->out, ',');
	if (strpbrk(writer->unit, ",\"=+-@"))
		add_cell(writer->out, writer->unit);
	else
		buffer_add_text(writer->out, writer->unit);
	buffer_add_char(writer->out, '\n');
}

static int add_text_row(void *context, const struct reading *reading)
{
	const struct writer *writer = context;

	begin_row(writer, reading->time_ms);
	add_cell(writer->out, reading->value.text);
	if (writer->wide)
		buffer_add(writer->out, ",,", 2);
	end_row(writer);
	return 0;
}

static void add_row(const struct writer *writer, const struct point *point, bool bucket)
{
	if (!point->count)
		return; /* a gap: no row */
	begin_row(writer, point->time_ms);
	json_add_number(writer->out, bucket ? rounded(writer, point->mean) : point->mean);
	if (writer->wide) {
		buffer_add_char(writer->out, ',');
		json_add_number(writer->out, point->min);
		buffer_add_char(writer->out, ',');
		json_add_number(writer->out, point->max);
	}
	end_row(writer);
}

/* Returns 1 when buckets need more columns than there are. */
static int write_csv(struct store *store, const struct history_query *query, struct writer *writer)
{
	struct history_points points;
	int r;

	if (writer->info->kind == QUANTITY_KIND_TEXT)
		return history_read_texts(store, query, writer->series, add_text_row, writer);
	r = history_read_points_with(store, query, writer->series, &writer->hint, &points);
	if (r < 0)
		return r;
	if (points.resolution_ms && !writer->wide)
		r = 1;
	for (size_t i = 0; r == 0 && i < points.count; i++)
		add_row(writer, &points.list[i], points.resolution_ms > 0);
	free(points.list);
	return r;
}

static int write_table(struct store *store, const struct house *house, const struct history_query *query, bool wide,
		       struct buffer *out, const struct series **ret_failed)
{
	int64_t resolution_ms;
	int r = history_read_resolution(store, query, &resolution_ms);

	*ret_failed = &query->series[0];
	if (r < 0)
		return r;
	buffer_add_text(out, wide ? "time,node,device,quantity,mean,min,max,unit\n" : "time,node,device,quantity,value,unit\n");
	for (size_t i = 0; i < query->count; i++) {
		struct writer writer = writer_of(house, &query->series[i], out);

		writer.hint.resolution_ms = resolution_ms;
		writer.wide = wide;
		r = write_csv(store, query, &writer);
		if (only_new(house, &query->series[i], r))
			continue;
		*ret_failed = &query->series[i];
		if (r != 0)
			return r;
	}
	return 0;
}

int history_write_csv(struct store *store, const struct house *house, const struct history_query *query, struct buffer *out,
		      const struct series **ret_failed)
{
	int r = write_table(store, house, query, false, out, ret_failed);

	if (r <= 0)
		return r;
	buffer_clear(out); /* one of the series is down-sampled: all get its columns */
	return write_table(store, house, query, true, out, ret_failed);
}
