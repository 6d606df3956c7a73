/* How long a chart waits: makes a store of many rows, and asks it what pages ask.
 *
 *     spans fill FILE ROWS        ten years of 100 series, ROWS raw rows in all; prints {"rows":...,"seconds":...,"file":...}
 *     spans ask FILE REPEATS      prints, for each question, milliseconds warm (median of REPEATS) and cold (worst of 3, the file's pages given
 *                                 up by the kernel, in a store opened anew)
 *
 * Old rows: nine years, each hour in 10 of the series, each day in the others; that is 1.1 million. The last year has the rest, spread evenly,
 * in all series but one: that died a year ago. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../common/store.h"

enum { SERIES = 100, HOURLY = 10, DEAD = 5, QUANTITIES = 5, POINTS = 1000, COMMIT_ROWS = 20000, ASKED_MAX = 1001 };

#define HOUR_MS 3600000LL
#define DAY_MS (24 * HOUR_MS)
#define YEAR_MS (365 * DAY_MS)
#define END_MS 1767225600000LL /* 2026-01-01T00:00:00Z */
#define BEGIN_MS (END_MS - 10 * YEAR_MS)

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct store *open_store(const char *path, enum store_mode mode)
{
	char error[STORE_ERROR_MAX];
	struct store *store;

	if (store_open(path, mode, &store, error) < 0) {
		fprintf(stderr, "spans: %s\n", error);
		exit(EXIT_FAILURE);
	}
	return store;
}

static void check(struct store *store, int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "spans: %s: %s (%s)\n", what, strerror(-r), store_error(store));
	exit(EXIT_FAILURE);
}

static struct series name_of(int number)
{
	static const char *const quantities[QUANTITIES] = { "temperature", "humidity", "pressure", "illuminance", "power" };
	struct series series = { .node = "salon" };

	snprintf(series.device, sizeof(series.device), "d%02d", number / QUANTITIES);
	snprintf(series.quantity, sizeof(series.quantity), "%s", quantities[number % QUANTITIES]);
	return series;
}

/* ---- filling ------------------------------------------------------------------------------------------------------------------------ */

struct filler {
	struct store *store;
	struct series names[SERIES];
	long rows, open_rows;
};

static void add(struct filler *filler, int number, int64_t time_ms)
{
	struct reading reading = {
		.series = filler->names[number],
		.time_ms = time_ms,
		.value = value_of_number(300 + (double)(filler->rows * 7919 % 200) / 10),
	};

	check(filler->store, store_append(filler->store, &reading), "append");
	filler->rows++;
	filler->open_rows++;
}

static void commit(struct filler *filler)
{
	check(filler->store, store_commit(filler->store), "commit");
	filler->open_rows = 0;
}

static void maintain(struct filler *filler, int64_t now_ms)
{
	int r = 1;

	commit(filler);
	while (r > 0) {
		r = store_maintain(filler->store, now_ms, 1000);
		check(filler->store, r, "housekeeping");
	}
}

static void fill_old(struct filler *filler)
{
	for (int64_t hour = 0; BEGIN_MS + hour * HOUR_MS < END_MS - YEAR_MS; hour++) {
		int64_t time_ms = BEGIN_MS + hour * HOUR_MS + 1234567;

		for (int number = 0; number < SERIES; number++)
			if (number < HOURLY || hour % 24 == number % 24)
				add(filler, number, time_ms + number);
		if (hour % (30 * 24) == 0) /* less often than in life: it is only to be there */
			maintain(filler, time_ms);
	}
}

static void fill_year(struct filler *filler, long rows)
{
	int64_t begin_ms = END_MS - YEAR_MS, kept_ms = begin_ms;
	long turns = (rows - filler->rows) / (SERIES - 1);

	for (long turn = 0; turn < turns; turn++) {
		int64_t time_ms = begin_ms + (int64_t)((double)turn / (double)turns * (double)YEAR_MS);

		for (int number = 0; number < SERIES; number++)
			if (number != DEAD)
				add(filler, number, time_ms + number);
		if (filler->open_rows >= COMMIT_ROWS)
			commit(filler);
		if (time_ms - kept_ms >= DAY_MS) {
			maintain(filler, time_ms);
			kept_ms = time_ms;
		}
	}
	maintain(filler, END_MS);
}

static int fill(const char *path, long rows)
{
	struct filler filler = { .store = open_store(path, STORE_WRITE) };
	double begin = now_s();
	struct stat file;

	for (int number = 0; number < SERIES; number++)
		filler.names[number] = name_of(number);
	fill_old(&filler);
	fill_year(&filler, rows);
	store_close(filler.store);
	if (stat(path, &file) < 0)
		return EXIT_FAILURE;
	printf("{\"rows\":%ld,\"seconds\":%.1f,\"file\":%lld}\n", filler.rows, now_s() - begin, (long long)file.st_size);
	return EXIT_SUCCESS;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------------------- */

struct question {
	const char *name;
	int series;
	int64_t span_ms; /* 0: the last 100 */
};

static const struct question questions[] = {
	{ "last 100", 0, 0 },
	{ "last 100 of a dead series", DEAD, 0 },
	{ "24 h", 0, DAY_MS },
	{ "30 d", 0, 30 * DAY_MS },
	{ "1 y", 0, YEAR_MS },
	{ "10 y", 0, 10 * YEAR_MS },
	{ "1 y, nine years ago", 0, -9 * YEAR_MS },
};

static double ask(struct store *store, const struct question *question, int *ret_points)
{
	static struct point points[POINTS + POINTS / 2 + 2];
	struct series series = name_of(question->series);
	struct store_span span = { .from_ms = END_MS - question->span_ms, .to_ms = END_MS, .max = POINTS };
	int64_t resolution_ms;
	double begin = now_s();

	if (question->span_ms == 0) {
		*ret_points = store_read_last(store, &series, INT64_MAX, 100, points);
	} else {
		if (question->span_ms < 0) {
			span.from_ms = END_MS + question->span_ms;
			span.to_ms = span.from_ms + YEAR_MS;
		}
		*ret_points = store_read_span(store, &series, &span, points, &resolution_ms);
	}
	check(store, *ret_points, question->name);
	return (now_s() - begin) * 1000;
}

static void give_up_pages(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		char name[4096];
		int fd;

		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		fd = open(name, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int ask_all(const char *path, int repeats)
{
	static double warm[ASKED_MAX];

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		const struct question *question = &questions[i];
		double cold = 0;
		struct store *store;
		int points = 0;

		for (int k = 0; k < 3; k++) {
			double took;

			give_up_pages(path);
			store = open_store(path, STORE_READ);
			took = ask(store, question, &points);
			store_close(store);
			cold = took > cold ? took : cold;
		}
		store = open_store(path, STORE_READ);
		ask(store, question, &points);
		for (int k = 0; k < repeats; k++)
			warm[k] = ask(store, question, &points);
		store_close(store);
		qsort(warm, (size_t)repeats, sizeof(*warm), by_size);
		printf("{\"name\":\"%s\",\"points\":%d,\"warm\":%.4f,\"cold\":%.3f}\n", question->name, points, warm[repeats / 2],
		       cold);
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "fill") == 0)
		return fill(argv[2], atol(argv[3]));
	if (argc == 4 && strcmp(argv[1], "ask") == 0 && atoi(argv[3]) > 0 && atoi(argv[3]) < ASKED_MAX)
		return ask_all(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: spans fill FILE ROWS | spans ask FILE REPEATS\n");
	return 2;
}
