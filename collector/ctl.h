/* What the commands of foyerctl share: the words of the command line, the store's place, the bar, Ctrl-C. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../common/store.h"
#include "../common/store_tools.h"

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 }; /* exit status */

enum { CTL_PATTERNS_MAX = 64 };

struct ctl_patterns {
	const char *list[CTL_PATTERNS_MAX]; /* as in a shell: * ? [abc] */
	size_t count;
};

enum ctl_format { CTL_FORMAT_BY_NAME, CTL_FORMAT_CSV, CTL_FORMAT_JSONL };

/* The command line, read. */
struct ctl_options {
	const char *conf_path; /* -c; NULL: the usual one, when it is there */
	const char *store;     /* --store; NULL: by the configuration */
	const char *output;    /* -o */
	const char *site;      /* --site; NULL: where it usually is */
	int keep;              /* --keep; 0: all */
	bool full, mend, json, keep_going, dry_run, quiet;
	enum ctl_format format;
	struct ctl_patterns series, nodes, quantities;
	int64_t from_ms, to_ms; /* INT64_MIN, INT64_MAX: without */
	char **words;           /* what follows the command */
	int word_count;
	bool help, version;
};

struct ctl_command {
	const char *name;
	const char *options; /* the letters of ctl_options.c that it takes */
	int words_min, words_max;
	const char *usage;                                              /* what follows the name */
	const char *summary;                                            /* a line */
	const char *help;                                               /* the rest of its manual */
	int (*run)(const struct ctl_options *options, const char *url); /* gives the exit status */
};

extern const struct ctl_command ctl_commands[]; /* a NULL name ends them */
const struct ctl_command *ctl_find_command(const char *name);

/* ctl_options.c: reads the command line; the command is the first word, NULL without. Says what is wrong and returns -EINVAL. */
int ctl_parse(int argc, char **argv, const struct ctl_command **ret_command, struct ctl_options *ret_options);
/* What the letters of a command's options mean, for its manual. */
void ctl_print_options(const char *letters, FILE *out);
/* A moment as people write it: RFC 3339, a date or date and time here, milliseconds since 1970, "now", or "7d", "12h", "30m", "90s" ago.
 * Returns 0 or -EINVAL. */
int ctl_parse_moment(const char *text, int64_t now_ms, int64_t *ret_ms);

/* ctl_tell.c. One line to standard error, with the program's name. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same about a failure, and what to do about it where we know. Gives CTL_FAILED. */
int ctl_failed(int error, const char *message);
/* 1234567 as "1 234 567", 21000000 as "21.0 MB", a moment as "2026-11-24 15:04:05" here ("-" for TIME_NONE); buf: 32 bytes. Return buf. */
const char *ctl_count(int64_t count, char *buf);
const char *ctl_bytes(int64_t bytes, char *buf);
const char *ctl_moment(int64_t time_ms, char *buf);

/* Ctrl-C, SIGTERM and SIGHUP set it; the second one ends at once. */
extern volatile sig_atomic_t ctl_stopped;
void ctl_catch_signals(void);

/* A bar on standard error, when that is a terminal and nobody said --quiet. */
struct ctl_bar {
	const char *what;
	bool shown, drawn;
	int64_t begin_ms, drawn_ms;
	double share;
};
void ctl_bar_begin(struct ctl_bar *bar, const char *what, bool quiet);
/* share below 0: as before. False when a signal came: for store_watch. */
bool ctl_bar_go_on(void *bar, double share);
/* Takes it away again. */
void ctl_bar_end(struct ctl_bar *bar);

/* ctl_site.c: webd's own file beside the store. */
#define CTL_NONE "none" /* for --store and --site: without */
enum { CTL_PATH_MAX = 4096 };
/* Where it is: by --site, or where webd usually has it: in its state folder for the installed store, else beside the store. NULL: without.
 * buf: CTL_PATH_MAX */
const char *ctl_site_path(const struct ctl_options *options, const char *url, char *buf);
/* Each gives an exit status. What is not there and was not named is no failure. */
int ctl_site_backup(const struct ctl_options *options, const char *site, const char *to);
int ctl_site_restore(const struct ctl_options *options, const char *site);
int ctl_site_check(const struct ctl_options *options, const char *site);

/* The commands, each in its ctl_*.c. */
int ctl_backup(const struct ctl_options *options, const char *url);
int ctl_restore(const struct ctl_options *options, const char *url);
int ctl_check(const struct ctl_options *options, const char *url);
int ctl_export(const struct ctl_options *options, const char *url);
int ctl_import(const struct ctl_options *options, const char *url);
int ctl_stats(const struct ctl_options *options, const char *url);
