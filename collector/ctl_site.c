/* webd's own file in the commands that look after the store: backup, restore, check. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/site_tools.h"
#include "ctl.h"

#define INSTALLED_STORE "/var/lib/foyer/"
#define INSTALLED_SITE "/var/lib/foyer-web/webd.db"

const char *ctl_site_path(const struct ctl_options *options, const char *url, char *buf)
{
	const char *store = strncmp(url, "sqlite://", 9) == 0 ? url + 9 : url, *slash = strrchr(store, '/');

	if (options->site)
		return strcmp(options->site, CTL_NONE) == 0 ? NULL : options->site;
	if (strcmp(url, CTL_NONE) == 0 || strncmp(store, INSTALLED_STORE, sizeof(INSTALLED_STORE) - 1) == 0)
		return strcpy(buf, INSTALLED_SITE);
	snprintf(buf, CTL_PATH_MAX, "%.*swebd.db", slash ? (int)(slash - store) + 1 : 0, store);
	return buf;
}

/* A house without webd has no such file, unless somebody says where it is. */
static bool is_missing(const struct ctl_options *options, const char *site)
{
	return !options->site && access(site, F_OK) < 0 && errno == ENOENT;
}

static int failed(const struct ctl_options *options, int r, const char *error)
{
	ctl_say("%s", error);
	if (r == -EIO || r == -EROFS)
		ctl_say("webd's own file is for root and webd's user alone%s", options->site ? "" : "; --site none leaves it out");
	return CTL_FAILED;
}

int ctl_site_backup(const struct ctl_options *options, const char *site, const char *to)
{
	char error[SITE_ERROR_MAX], bytes[32], count[32];
	struct site_copy copy;
	int r;

	if (is_missing(options, site))
		return CTL_OK;
	r = site_backup(site, to, &copy, error);
	if (r < 0)
		return failed(options, r, error);
	if (!options->quiet)
		printf("%s: %s user%s of webd, %s, verified\n", to, ctl_count(copy.users, count), copy.users == 1 ? "" : "s",
		       ctl_bytes(copy.bytes, bytes));
	return CTL_OK;
}

int ctl_site_restore(const struct ctl_options *options, const char *site)
{
	char error[SITE_ERROR_MAX], kept[CTL_PATH_MAX], bytes[32], count[32];
	struct site_copy copy;
	int r = site_restore(site, options->words[0], kept, sizeof(kept), &copy, error);

	if (r == -EUCLEAN) {
		ctl_say("%s; nothing was changed", error);
		return CTL_FAILED;
	}
	if (r < 0)
		return failed(options, r, error);
	if (options->quiet)
		return CTL_OK;
	printf("webd's own file is now %s: %s user%s, %s. Passwords and tokens are those of then; everybody logs in anew.\n",
	       options->words[0], ctl_count(copy.users, count), copy.users == 1 ? "" : "s", ctl_bytes(copy.bytes, bytes));
	if (kept[0])
		printf("The one of before is kept: %s\n", kept);
	puts("Then start webd again: systemctl start foyer-webd");
	return CTL_OK;
}

int ctl_site_check(const struct ctl_options *options, const char *site)
{
	char error[SITE_ERROR_MAX], bytes[32], count[32];
	struct site_copy copy;
	int r;

	if (is_missing(options, site))
		return CTL_OK;
	r = site_check(site, &copy, error);
	if (r == -EUCLEAN) {
		printf("FAIL %s\nStop webd, then: foyerctl restore BACKUP\n", error);
		return CTL_FAILED;
	}
	if (r < 0)
		return failed(options, r, error);
	if (!options->quiet)
		printf("ok   webd's own file is whole (%s, %s user%s)\n", ctl_bytes(copy.bytes, bytes),
		       ctl_count(copy.users, count), copy.users == 1 ? "" : "s");
	return CTL_OK;
}
