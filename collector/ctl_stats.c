/* foyerctl stats. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/wire.h"
#include "../common/written.h"
#include "ctl.h"

struct figures {
	struct store_stats store;
	int64_t written_a_day; /* -1: not known */
	int64_t readings, last_day, oldest_ms, newest_ms;
	struct store_series_figures *series;
	size_t count;
};

static int add_series(void *context, const struct store_series_figures *one)
{
	struct figures *figures = context;
	void *more = reallocarray(figures->series, figures->count + 1, sizeof(*figures->series));

	if (!more)
		return 1;
	figures->series = more;
	figures->series[figures->count++] = *one;
	figures->readings += one->readings;
	figures->last_day += one->last_day;
	if (one->oldest_ms != TIME_NONE && (figures->oldest_ms == TIME_NONE || one->oldest_ms < figures->oldest_ms))
		figures->oldest_ms = one->oldest_ms;
	if (one->newest_ms != TIME_NONE && (figures->newest_ms == TIME_NONE || one->newest_ms > figures->newest_ms))
		figures->newest_ms = one->newest_ms;
	return ctl_stopped;
}

static int read_figures(struct store *store, struct figures *figures)
{
	char text[WRITTEN_TEXT_MAX];
	struct written written;
	int r, len = store_load_state(store, WRITTEN_STATE, text, sizeof(text));

	written_parse(&written, text, len > 0 ? (size_t)len : 0);
	figures->written_a_day = written_a_day(&written);
	figures->oldest_ms = figures->newest_ms = TIME_NONE;
	r = store_read_stats(store, &figures->store);
	return r < 0 ? r : store_each_series(store, clock_wall_ms(), add_series, figures);
}

/* ---- for people ----------------------------------------------------------------------------------------------------------------- */

static void print_line(const char *what, const char *text)
{
	printf("%-22s %s\n", what, text);
}

static void print_total(const char *url, const struct figures *figures)
{
	int64_t bytes = figures->store.file_bytes + figures->store.wal_bytes;
	char text[80], buf[32], other[32];

	print_line("Store", url);
	snprintf(text, sizeof(text), "%s, and %s not yet folded in", ctl_bytes(figures->store.file_bytes, buf),
		 ctl_bytes(figures->store.wal_bytes, other));
	print_line("Size", text);
	snprintf(text, sizeof(text), "%lld", (long long)figures->store.schema_version);
	print_line("Schema version", text);
	snprintf(text, sizeof(text), "%lld of %lld nodes", (long long)figures->store.series, (long long)figures->store.nodes);
	print_line("Series", text);
	print_line("Readings", ctl_count(figures->readings, buf));
	if (figures->readings) {
		snprintf(text, sizeof(text), "%.1f bytes", (double)bytes / (double)figures->readings);
		print_line("A reading takes", text);
	}
	print_line("In the last 24 hours", ctl_count(figures->last_day, buf));
	print_line("Oldest", ctl_moment(figures->oldest_ms, buf));
	print_line("Newest", ctl_moment(figures->newest_ms, buf));
	print_line("Refused, ever", ctl_count(figures->store.rejected_total, buf));
	print_line("Written to disk a day", figures->written_a_day < 0 ? "not known yet (the collector has to run for an hour)"
								       : ctl_bytes(figures->written_a_day, buf));
}

static void print_series(const struct figures *figures)
{
	int width = 6;

	if (figures->count == 0)
		return;
	for (size_t i = 0; i < figures->count; i++) {
		char name[SERIES_TEXT_MAX + 1];
		int len = (int)strlen(series_format(&figures->series[i].series, name));

		width = len > width ? len : width;
	}
	printf("\n%-*s  %12s  %10s  %-19s  %-19s\n", width, "Series", "Readings", "Last 24 h", "Oldest", "Newest");
	for (size_t i = 0; i < figures->count; i++) {
		const struct store_series_figures *one = &figures->series[i];
		char name[SERIES_TEXT_MAX + 1], readings[32], day[32], oldest[32], newest[32];

		printf("%-*s  %12s  %10s  %-19s  %-19s\n", width, series_format(&one->series, name),
		       ctl_count(one->readings, readings), ctl_count(one->last_day, day), ctl_moment(one->oldest_ms, oldest),
		       ctl_moment(one->newest_ms, newest));
	}
}

/* ---- for programs --------------------------------------------------------------------------------------------------------------- */

static void add_time(cJSON *json, const char *key, int64_t time_ms)
{
	if (time_ms == TIME_NONE)
		cJSON_AddNullToObject(json, key);
	else
		cJSON_AddNumberToObject(json, key, (double)time_ms);
}

static void print_json(const struct figures *figures)
{
	cJSON *json = cJSON_CreateObject(), *list;
	char *text;

	cJSON_AddNumberToObject(json, "file_bytes", (double)figures->store.file_bytes);
	cJSON_AddNumberToObject(json, "wal_bytes", (double)figures->store.wal_bytes);
	cJSON_AddNumberToObject(json, "schema_version", (double)figures->store.schema_version);
	cJSON_AddNumberToObject(json, "nodes", (double)figures->store.nodes);
	cJSON_AddNumberToObject(json, "readings", (double)figures->readings);
	cJSON_AddNumberToObject(json, "readings_last_day", (double)figures->last_day);
	add_time(json, "oldest", figures->oldest_ms);
	add_time(json, "newest", figures->newest_ms);
	cJSON_AddNumberToObject(json, "rejected", (double)figures->store.rejected_total);
	if (figures->written_a_day < 0)
		cJSON_AddNullToObject(json, "bytes_written_a_day");
	else
		cJSON_AddNumberToObject(json, "bytes_written_a_day", (double)figures->written_a_day);
	list = cJSON_AddArrayToObject(json, "series");
	for (size_t i = 0; i < figures->count; i++) {
		const struct store_series_figures *one = &figures->series[i];
		char name[SERIES_TEXT_MAX + 1];
		cJSON *item = cJSON_CreateObject();

		cJSON_AddStringToObject(item, "series", series_format(&one->series, name));
		cJSON_AddNumberToObject(item, "readings", (double)one->readings);
		cJSON_AddNumberToObject(item, "readings_last_day", (double)one->last_day);
		add_time(item, "oldest", one->oldest_ms);
		add_time(item, "newest", one->newest_ms);
		cJSON_AddItemToArray(list, item);
	}
	text = cJSON_PrintUnformatted(json);
	puts(text ? text : "");
	cJSON_free(text);
	cJSON_Delete(json);
}

int ctl_stats(const struct ctl_options *options, const char *url)
{
	struct figures figures = { 0 };
	char error[STORE_ERROR_MAX];
	struct store *store;
	int r = store_open(url, STORE_READ, &store, error);

	if (r < 0)
		return ctl_failed(r, error);
	r = read_figures(store, &figures);
	if (r < 0) {
		ctl_failed(r, store_error(store));
	} else if (r > 0) {
		ctl_say(ctl_stopped ? "interrupted" : "out of memory");
	} else if (options->json) {
		print_json(&figures);
	} else {
		print_total(url, &figures);
		print_series(&figures);
	}
	free(figures.series);
	store_close(store);
	return r == 0 ? CTL_OK : CTL_FAILED;
}
