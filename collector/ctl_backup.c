/* foyerctl backup and restore. */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../common/site_tools.h"
#include "ctl.h"

#define PREFIX "foyer-"
#define SITE_PREFIX "foyer-web-"

enum { STAMP_LEN = sizeof("20261124T021500Z") - 1 };

/* A name of ours: foyer-20261124T021500Z.db, or of webd's file foyer-web-20261124T021500Z.db, and what follows it. */
static bool is_ours(const char *name, const char *prefix, const char *ending)
{
	static const char form[] = "ddddddddTddddddZ";

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	name += strlen(prefix);
	for (size_t i = 0; i < STAMP_LEN; i++)
		if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
			return false;
	return strcmp(name + STAMP_LEN, ending) == 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folder beside the store, made when it is missing. */
static char *usual_folder(const char *url)
{
	char *store = strdup(strncmp(url, "sqlite://", 9) == 0 ? url + 9 : url), *folder = NULL;

	if (store && asprintf(&folder, "%s/backup", dirname(store)) < 0)
		folder = NULL;
	if (folder && mkdir(folder, 0750) < 0 && errno != EEXIST) {
		ctl_say("%s: %s", folder, strerror(errno));
		free(folder);
		folder = NULL;
	}
	free(store);
	return folder;
}

/* Named by the time; a second later when somebody was as quick. */
static char *dated_file(const char *folder, const char *prefix)
{
	time_t now = time(NULL);
	char *path = NULL;

	for (int tries = 0; tries < 60; tries++, now++) {
		char stamp[32];
		struct tm tm;

		gmtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
		free(path);
		if (asprintf(&path, "%s/%s%s.db", folder, prefix, stamp) < 0)
			return NULL;
		if (access(path, F_OK) < 0)
			break;
	}
	return path;
}

/* ---- rotation ------------------------------------------------------------------------------------------------------------------- */

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*b)->d_name, (*a)->d_name);
}

static int is_backup(const struct dirent *entry)
{
	return is_ours(entry->d_name, PREFIX, ".db");
}

static int is_site_backup(const struct dirent *entry)
{
	return is_ours(entry->d_name, SITE_PREFIX, ".db");
}

static int is_part(const struct dirent *entry)
{
	static const char *const prefixes[] = { PREFIX, SITE_PREFIX };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (is_ours(entry->d_name, prefixes[i], ".db.part") || is_ours(entry->d_name, prefixes[i], ".db.part-journal"))
			return 1;
	return 0;
}

static void remove_in(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return;
	if (unlink(path) < 0)
		ctl_say("%s: %s", path, strerror(errno));
	free(path);
}

static bool is_abandoned(const char *folder, const char *name)
{
	char *path;
	bool abandoned;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return false;
	abandoned = store_backup_is_abandoned(path);
	free(path);
	return abandoned;
}

static void each_name(const char *folder, int (*which)(const struct dirent *entry), int skip,
		      bool (*really)(const char *folder, const char *name))
{
	struct dirent **entries;
	int count = scandir(folder, &entries, which, newest_first);

	for (int i = 0; i < count; i++) {
		if (i >= skip && (!really || really(folder, entries[i]->d_name)))
			remove_in(folder, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* ---- backup --------------------------------------------------------------------------------------------------------------------- */

static int write_backup(const struct ctl_options *options, const char *url, const char *path)
{
	char error[STORE_ERROR_MAX], bytes[32], count[32];
	struct store_copy copy;
	struct ctl_bar bar;
	struct store_watch watch = { ctl_bar_go_on, &bar };
	int r;

	ctl_bar_begin(&bar, "backup", options->quiet);
	r = store_backup(url, path, &watch, &copy, error);
	ctl_bar_end(&bar);
	if (r < 0)
		return r == -EBUSY ? (ctl_say("%s", error), CTL_FAILED) : ctl_failed(r, error);
	if (!options->quiet)
		printf("%s: %s readings, %s, verified\n", path, ctl_count(copy.readings, count), ctl_bytes(copy.bytes, bytes));
	return CTL_OK;
}

static int backup_site(const struct ctl_options *options, const char *site, const char *folder)
{
	char *path = dated_file(folder, SITE_PREFIX);
	int status = path ? ctl_site_backup(options, site, path) : CTL_FAILED;

	if (status == CTL_OK && options->keep)
		each_name(folder, is_site_backup, options->keep, NULL);
	free(path);
	return status;
}

static int backup_store(const struct ctl_options *options, const char *url, const char *folder)
{
	char *path = folder ? dated_file(folder, PREFIX) : strdup(options->output);
	int status = path ? write_backup(options, url, path) : CTL_FAILED;

	if (status == CTL_OK && options->keep)
		each_name(folder, is_backup, options->keep, NULL);
	free(path);
	return status;
}

/* What cannot be meant is said. */
static int check_place(const struct ctl_options *options, bool with_store, const char *folder)
{
	size_t len = options->output ? strlen(options->output) : 0;

	if (folder || len == 0)
		return folder ? CTL_OK : CTL_FAILED;
	if (options->site && strcmp(options->site, CTL_NONE) != 0) {
		ctl_say("--site goes with a folder: -o %s is none", options->output);
		return CTL_USAGE;
	}
	if (options->keep) {
		ctl_say("--keep N goes with a folder: -o %s is none", options->output);
		return CTL_USAGE;
	}
	if (options->output[len - 1] == '/') {
		ctl_say("%s: there is no such folder", options->output);
		return CTL_FAILED;
	}
	if (!with_store) {
		ctl_say("-o %s: without the store only a folder is meant", options->output);
		return CTL_USAGE;
	}
	return CTL_OK;
}

int ctl_backup(const struct ctl_options *options, const char *url)
{
	bool with_store = strcmp(url, CTL_NONE) != 0;
	char buf[CTL_PATH_MAX];
	const char *site = ctl_site_path(options, url, buf);
	char *folder = options->output      ? is_folder(options->output) ? strdup(options->output) : NULL
		       : with_store || site ? usual_folder(with_store ? url : site)
					    : NULL;
	int status, site_status = CTL_OK;

	if (!with_store && !site) {
		ctl_say("--store none --site none: nothing is left to copy");
		return free(folder), CTL_USAGE;
	}
	status = check_place(options, with_store, folder);
	if (status == CTL_OK && folder)
		each_name(folder, is_part, 0, is_abandoned); /* of runs that were killed */
	if (status == CTL_OK && with_store)
		status = backup_store(options, url, folder);
	if (status != CTL_USAGE && folder && site) /* each for itself: one that fails keeps the other from nothing */
		site_status = backup_site(options, site, folder);
	free(folder);
	return status == CTL_OK ? site_status : status;
}

/* ---- restore -------------------------------------------------------------------------------------------------------------------- */

static int restore_store(const struct ctl_options *options, const char *url)
{
	char error[STORE_ERROR_MAX], count[32], bytes[32];
	struct store_restored restored;
	struct ctl_bar bar;
	struct store_watch watch = { ctl_bar_go_on, &bar };
	int r;

	ctl_bar_begin(&bar, "restore", options->quiet);
	/* Packet ids of bare readings are about the broker's session of then, not of now. */
	r = store_restore(url, options->words[0], "bare", &watch, &restored, error);
	ctl_bar_end(&bar);
	if (r == -EUCLEAN) {
		ctl_say("%s; nothing was changed", error);
		return CTL_FAILED;
	}
	if (r < 0)
		return ctl_failed(r, error);
	if (options->quiet)
		return CTL_OK;
	printf("The store is now %s: %s readings, %s.\n", options->words[0], ctl_count(restored.copy.readings, count),
	       ctl_bytes(restored.copy.bytes, bytes));
	if (restored.kept[0])
		printf("The one of before is kept: %s\n"
		       "What it has besides can be brought in:\n"
		       "  foyerctl export --store '%s' - | foyerctl import -\n",
		       restored.kept, restored.kept);
	puts("Then start the collector again: systemctl start foyer-collector");
	return CTL_OK;
}

int ctl_restore(const struct ctl_options *options, const char *url)
{
	char buf[CTL_PATH_MAX];
	const char *site = ctl_site_path(options, url, buf);

	if (site && site_is_one(options->words[0]))
		return ctl_site_restore(options, site);
	if (strcmp(url, CTL_NONE) != 0)
		return restore_store(options, url);
	ctl_say("%s: not webd's own file", options->words[0]);
	return CTL_FAILED;
}
