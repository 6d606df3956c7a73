/* foyerctl import. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/clock.h"
#include "ctl_files.h"

enum {
	COMMIT_ROWS = 50000,  /* a transaction */
	LOOK_ROWS = 4096,     /* between two looks at bar and signals */
	TOLD_MAX = 20,        /* lines that are told one by one */
	KEPT_CONFLICTS = 100, /* conflicts that are kept in the store's list of what it could not take */
	SLICE_MS = 200,       /* of housekeeping */
};

struct import {
	const struct ctl_options *options;
	struct store *store; /* NULL: a dry run */
	struct ctl_bar bar;
	const char *path;
	FILE *file;
	int64_t line, bytes, read; /* of the file at hand; bytes 0: nobody knows how many */
	int64_t now_ms;
	int64_t stored, known, conflicts, bad, passed; /* readings; passed: the filters do not mean them */
	int64_t open_rows;                             /* in the transaction */
};

static const char *shown_path(const struct import *import)
{
	return strcmp(import->path, "-") ? import->path : "standard input";
}

static void tell_line(const struct import *import, int64_t count, const char *reason)
{
	if (count <= TOLD_MAX)
		fprintf(stderr, "%s%s:%lld: %s\n", import->bar.drawn ? "\r\x1b[K" : "", shown_path(import), (long long)import->line,
			reason);
	else if (count == TOLD_MAX + 1)
		fprintf(stderr, "%s: and more, no longer told one by one\n", shown_path(import));
}

/* ---- readings ------------------------------------------------------------------------------------------------------------------- */

static int commit(struct import *import)
{
	import->open_rows = 0;
	return import->store ? store_commit(import->store) : 0;
}

static int conflict(struct import *import, const struct reading *reading, int64_t now_ms)
{
	char topic[SERIES_TEXT_MAX + 16], series[SERIES_TEXT_MAX + 1], value[VALUE_TEXT_MAX + 1], reason[READING_REASON_MAX];

	import->conflicts++;
	series_format(&reading->series, series);
	if (reading->value.kind == VALUE_TEXT)
		strcpy(value, reading->value.text);
	else
		value_format_number(reading->value.number, value);
	snprintf(reason, sizeof(reason), "%s has another value at %lld; the first stays", series, (long long)reading->time_ms);
	tell_line(import, import->conflicts, reason);
	if (import->conflicts > KEPT_CONFLICTS)
		return 0;
	snprintf(topic, sizeof(topic), "import/%s", series);
	return store_reject(import->store, now_ms, topic, value, strlen(value), reason);
}

static int take(struct import *import, const struct reading *reading)
{
	const struct ctl_options *options = import->options;
	int r;

	if (reading->time_ms < options->from_ms || reading->time_ms >= options->to_ms || !ctl_wanted(options, &reading->series)) {
		import->passed++;
		return 0;
	}
	if (!import->store) {
		import->stored++;
		return 0;
	}
	r = store_append(import->store, reading);
	if (r == -EEXIST)
		return conflict(import, reading, import->now_ms);
	if (r < 0)
		return r;
	import->stored += r > 0;
	import->known += r == 0;
	return ++import->open_rows >= COMMIT_ROWS ? commit(import) : 0;
}

/* 0, or -EINVAL for a bad line that ends the import, or the store's error. */
static int take_line(struct import *import, struct ctl_reader *reader, char *line, size_t len)
{
	char reason[READING_REASON_MAX];
	struct reading reading;
	int r = ctl_row_read(reader, line, len, import->now_ms, &reading, reason);

	if (r > 0)
		return take(import, &reading);
	if (r == 0)
		return 0;
	import->bad++;
	tell_line(import, import->bad, reason);
	/* Without names of columns no line can be read. */
	return import->options->keep_going && (reader->form != CTL_ROW_CSV || reader->fields > 0) ? 0 : -EINVAL;
}

/* ---- files ---------------------------------------------------------------------------------------------------------------------- */

static size_t without_end(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return len;
}

static int read_lines(struct import *import, struct ctl_reader *reader)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && !ctl_stopped && (n = getline(&line, &size, import->file)) >= 0) {
		size_t len = without_end(line, (size_t)n), mark = 0;

		import->read += n;
		if (import->line++ == 0 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
			mark = 3; /* as Windows begins a file */
		r = take_line(import, reader, line + mark, len - mark);
		if (import->line % LOOK_ROWS == 0)
			ctl_bar_go_on(&import->bar, import->bytes > 0 ? (double)import->read / (double)import->bytes : -1);
	}
	free(line);
	if (r == 0 && !ctl_stopped && ferror(import->file)) {
		ctl_say("%s: %s", shown_path(import), strerror(errno));
		return -EINVAL;
	}
	return ctl_stopped ? -EINTR : r;
}

static int read_file(struct import *import, const char *path)
{
	struct ctl_reader reader = { 0 };
	struct stat st;
	int r;

	import->path = path;
	import->line = import->read = import->bytes = 0;
	if (ctl_form_of(import->options, path, &reader.form) < 0)
		return -EINVAL;
	import->file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!import->file) {
		ctl_say("%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	if (fstat(fileno(import->file), &st) == 0 && S_ISDIR(st.st_mode)) {
		ctl_say("%s: that is a folder", path);
		fclose(import->file);
		return -EINVAL;
	}
	if (S_ISREG(st.st_mode))
		import->bytes = st.st_size;
	ctl_bar_begin(&import->bar, "importing", import->options->quiet || !import->bytes);
	r = read_lines(import, &reader);
	ctl_bar_end(&import->bar);
	if (import->file != stdin)
		fclose(import->file);
	return r;
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------------- */

/* Means of the spans that changed. Whoever breaks it off: the collector goes on with it. */
static int make_means(struct import *import)
{
	int64_t rounds = 0;
	int r;

	ctl_bar_begin(&import->bar, "means", import->options->quiet);
	while ((r = store_maintain(import->store, clock_wall_ms(), SLICE_MS)) > 0)
		if (!ctl_bar_go_on(&import->bar, 1 - 1 / (1 + 0.1 * (double)++rounds)))
			break;
	ctl_bar_end(&import->bar);
	return r < 0 ? r : 0;
}

static void summarize(const struct import *import)
{
	char count[32];

	if (import->options->quiet)
		return;
	ctl_say("%s readings %s", ctl_count(import->stored, count), import->store ? "imported" : "could be imported");
	if (import->known)
		ctl_say("%s were there already", ctl_count(import->known, count));
	if (import->passed)
		ctl_say("%s are not meant by the filters", ctl_count(import->passed, count));
	if (import->conflicts)
		ctl_say("%s refused: another value stands at their instant", ctl_count(import->conflicts, count));
	if (import->bad)
		ctl_say("%s bad line%s", ctl_count(import->bad, count), import->bad == 1 ? "" : "s");
}

/* What was read until then stays: it is stored, and known when it comes again. */
static int finish(struct import *import, int r)
{
	bool broken = r < 0 && r != -EINVAL && r != -EINTR;
	int status = r < 0 || import->bad || import->conflicts ? CTL_FAILED : CTL_OK;

	if (!broken && commit(import) < 0)
		broken = true;
	if (broken) {
		ctl_failed(r, store_error(import->store));
		fputs("What was imported before is stored; the import can be repeated.\n", stderr);
		return CTL_FAILED;
	}
	if (import->store && !ctl_stopped && import->stored > 0 && make_means(import) < 0)
		return ctl_failed(-EIO, store_error(import->store));
	summarize(import);
	if (r < 0)
		ctl_say("%s%s", r == -EINTR ? "interrupted" : "ended there",
			import->store ? "; what stands before it is stored, and is known when it is imported again"
				      : "; --keep-going tells the other bad lines too");
	return status;
}

int ctl_import(const struct ctl_options *options, const char *url)
{
	struct import import = { .options = options, .now_ms = clock_wall_ms() };
	char error[STORE_ERROR_MAX];
	int status, r = 0;

	for (int i = 0; i < options->word_count; i++) {
		enum ctl_row_form form;

		if (ctl_form_of(options, options->words[i], &form) < 0)
			return CTL_USAGE;
	}
	if (!options->dry_run) {
		r = store_open(url, STORE_WRITE, &import.store, error);
		if (r < 0)
			return ctl_failed(r, error);
		store_hand_over(url);
	}
	for (int i = 0; r == 0 && i < options->word_count; i++)
		r = read_file(&import, options->words[i]);
	status = finish(&import, r);
	store_close(import.store);
	if (!options->dry_run)
		store_hand_over(url);
	return status;
}
