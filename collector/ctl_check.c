/* foyerctl check. */
#include <errno.h>
#include <string.h>

#include "../common/clock.h"
#include "ctl.h"

enum { SLICE_MS = 200 };

struct told {
	struct ctl_bar *bar;
};

static void tell_fault(void *context, const char *text)
{
	struct told *told = context;

	ctl_bar_end(told->bar);
	printf("FAIL %s\n", text);
}

static int mend(struct store *store, struct ctl_bar *bar)
{
	int r = store_commit(store);

	while (r >= 0 && (r = store_maintain(store, clock_wall_ms(), SLICE_MS)) > 0)
		if (!ctl_bar_go_on(bar, -1))
			break;
	return r < 0 ? r : 0;
}

static int report(const struct ctl_options *options, const struct store_findings *findings, const struct store_stats *stats)
{
	char count[32], other[32];

	if (findings->faults) {
		printf("FAIL the file is damaged (%s fault%s).\n"
		       "Stop the collector, then: foyerctl restore BACKUP, or, without one: sqlite3 FILE .recover | sqlite3 "
		       "NEWFILE\n",
		       ctl_count(findings->faults, count), findings->faults == 1 ? "" : "s");
		return CTL_FAILED;
	}
	if (!options->quiet)
		printf("ok   the file is whole (%s, schema version %lld)\n", ctl_bytes(stats->file_bytes, count),
		       (long long)stats->schema_version);
	if (findings->differing > findings->marked) {
		printf("FAIL %s of %s means are not what their readings say.\n"
		       "Stop the collector, then: foyerctl check %s--mend makes them again\n",
		       ctl_count(findings->differing - findings->marked, count), ctl_count(findings->spans, other),
		       options->full ? "--full " : "");
		return CTL_FAILED;
	}
	if (findings->marked)
		printf("ok   %s means were made again from their readings\n", ctl_count(findings->marked, count));
	else if (!options->quiet)
		printf("ok   the means of %s are what their readings say\n", options->full ? "all time" : "the newest 7 days");
	if (findings->waiting && !findings->marked && !options->quiet)
		printf("ok   %s spans with late readings wait for the collector to make their means again\n",
		       ctl_count(findings->waiting, count));
	return CTL_OK;
}

static int check_store(const struct ctl_options *options, const char *url)
{
	struct store_check check = { .full = options->full, .mend = options->mend };
	char error[STORE_ERROR_MAX];
	struct store_findings findings;
	struct store_stats stats;
	struct ctl_bar bar;
	struct store_watch watch = { ctl_bar_go_on, &bar };
	struct told told = { &bar };
	struct store *store;
	int status, r = store_open(url, options->mend ? STORE_WRITE : STORE_READ, &store, error);

	if (r < 0)
		return ctl_failed(r, error);
	if (options->mend)
		store_hand_over(url);
	ctl_bar_begin(&bar, "check", options->quiet);
	r = store_check(store, &check, &watch, tell_fault, &told, &findings);
	if (r == 0)
		r = store_read_stats(store, &stats);
	if (r == 0 && options->mend)
		r = mend(store, &bar);
	ctl_bar_end(&bar);
	status = r < 0 ? ctl_failed(r, store_error(store)) : report(options, &findings, &stats);
	store_close(store);
	return status;
}

int ctl_check(const struct ctl_options *options, const char *url)
{
	int status = strcmp(url, CTL_NONE) == 0 ? CTL_OK : check_store(options, url), site_status = CTL_OK;
	char buf[CTL_PATH_MAX];
	const char *site = ctl_site_path(options, url, buf);

	if (site)
		site_status = ctl_site_check(options, site);
	return status == CTL_OK ? site_status : status;
}
