/* foyerctl export. */
#include "ctl_files.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_BYTES = 256 << 10 };

/* ---- what the words say --------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), n = strlen(end);

	return len > n && strcasecmp(path + len - n, end) == 0;
}

int ctl_form_of(const struct ctl_options *options, const char *path, enum ctl_row_form *ret_form)
{
	enum ctl_format format = options->format;

	if (format == CTL_FORMAT_BY_NAME && (ends_with(path, ".jsonl") || ends_with(path, ".ndjson")))
		format = CTL_FORMAT_JSONL;
	if (format == CTL_FORMAT_BY_NAME && (ends_with(path, ".csv") || strcmp(path, "-") == 0))
		format = CTL_FORMAT_CSV;
	if (format == CTL_FORMAT_BY_NAME) {
		ctl_say("%s: the name says no format: end it in .csv or .jsonl, or give --format csv|jsonl", path);
		return -EINVAL;
	}
	*ret_form = format == CTL_FORMAT_CSV ? CTL_ROW_CSV : CTL_ROW_JSONL;
	return 0;
}

static bool matches(const struct ctl_patterns *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->list[i], text, 0) == 0)
			return true;
	return patterns->count == 0;
}

bool ctl_wanted(const struct ctl_options *options, const struct series *series)
{
	char text[SERIES_TEXT_MAX + 1];

	return matches(&options->nodes, series->node) && matches(&options->quantities, series->quantity) &&
	       (options->series.count == 0 || matches(&options->series, series_format(series, text)));
}

/* ---- the file ------------------------------------------------------------------------------------------------------------------- */

struct output {
	const struct ctl_options *options;
	enum ctl_row_form form;
	const char *path; /* "-": standard output */
	char *part;       /* until it is whole */
	int fd;
	struct buffer buffer;
	int64_t rows;
	int64_t series; /* that the filters let through */
	int error;      /* of writing, positive */
};

static int flush(struct output *output)
{
	size_t at = 0;

	while (at < output->buffer.len) {
		ssize_t n = write(output->fd, output->buffer.data + at, output->buffer.len - at);

		if (n < 0 && errno == EINTR && !ctl_stopped)
			continue;
		if (n < 0) {
			output->error = errno;
			return -errno;
		}
		at += (size_t)n;
	}
	buffer_clear(&output->buffer);
	return 0;
}

static int write_row(void *context, const struct reading *reading)
{
	struct output *output = context;

	ctl_row_write(output->form, reading, &output->buffer);
	output->rows++;
	if (output->buffer.len < WRITE_BYTES)
		return 0;
	return output->buffer.error ? output->buffer.error : flush(output);
}

static bool wanted(void *context, const struct series *series)
{
	struct output *output = context;
	bool yes = ctl_wanted(output->options, series);

	output->series += yes;
	return yes;
}

static int open_output(struct output *output)
{
	struct stat st;

	output->fd = STDOUT_FILENO;
	if (strcmp(output->path, "-") == 0)
		return 0;
	/* A pipe or a device is written as it stands; a file gets its name when it is whole. */
	if (stat(output->path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		output->fd = open(output->path, O_WRONLY | O_CLOEXEC);
	else if (asprintf(&output->part, "%s.part", output->path) >= 0)
		output->fd = open(output->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (output->fd >= 0)
		return 0;
	output->error = errno;
	return -errno;
}

/* r: how the writing went. Nothing of a file that is not whole stays. */
static int close_output(struct output *output, int r)
{
	if (r == 0)
		r = output->buffer.error ? output->buffer.error : flush(output);
	if (output->part) {
		if (r == 0 && (fsync(output->fd) < 0 || rename(output->part, output->path) < 0)) {
			output->error = errno;
			r = -errno;
		}
		if (r < 0)
			unlink(output->part);
	}
	if (output->fd > STDERR_FILENO)
		close(output->fd);
	free(output->part);
	buffer_done(&output->buffer);
	return r;
}

static int write_all(struct store *store, struct output *output)
{
	const struct ctl_options *options = output->options;
	struct store_filter filter = { wanted, output, options->from_ms, options->to_ms };
	struct ctl_bar bar;
	struct store_watch watch = { ctl_bar_go_on, &bar };
	int r;

	ctl_bar_begin(&bar, "exporting", options->quiet);
	ctl_row_write_header(output->form, &output->buffer);
	r = store_each_row(store, &filter, &watch, write_row, output);
	ctl_bar_end(&bar);
	return r;
}

static int finish(struct store *store, struct output *output, int r)
{
	const struct ctl_options *options = output->options;
	char count[32];

	if (output->error && !ctl_stopped) {
		ctl_say("%s: %s", strcmp(output->path, "-") ? output->path : "standard output", strerror(output->error));
		return CTL_FAILED;
	}
	if (r < 0)
		return ctl_failed(ctl_stopped ? -EINTR : r, store_error(store));
	if (output->series == 0 && (options->series.count || options->nodes.count || options->quantities.count)) {
		ctl_say("no series is meant by these filters; \"foyerctl stats\" lists those that there are");
		return CTL_FAILED;
	}
	if (!options->quiet && output->part == NULL && isatty(STDOUT_FILENO))
		return CTL_OK;
	if (!options->quiet)
		ctl_say("%s readings exported", ctl_count(output->rows, count));
	return CTL_OK;
}

int ctl_export(const struct ctl_options *options, const char *url)
{
	struct output output = { .options = options, .path = options->words[0], .buffer = BUFFER_EMPTY };
	char error[STORE_ERROR_MAX];
	struct store *store;
	int status, r;

	if (ctl_form_of(options, output.path, &output.form) < 0)
		return CTL_USAGE;
	r = store_open(url, STORE_READ, &store, error);
	if (r < 0)
		return ctl_failed(r, error);
	r = open_output(&output);
	if (r == 0)
		r = close_output(&output, write_all(store, &output));
	output.part = NULL;
	status = finish(store, &output, r);
	store_close(store);
	return status;
}
