/* The command line of foyerctl. */
#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/clock.h"
#include "../common/wire.h"

/* Each option has a letter by which a command says that it takes it; only those of one dash are typed as such. */
static const struct option_text {
	char letter;
	const char *name, *argument, *help;
} texts[] = {
	{ 'o', "output", "FILE|FOLDER", "where to; a folder gets a file named by the time" },
	{ 'w', "site", "FILE|none",
	  "webd's own file; without: /var/lib/foyer-web/webd.db for the installed store, else webd.db beside the store" },
	{ 'k', "keep", "N", "1 to 1000: of the backups in the folder only the newest N stay" },
	{ 'f', "full", NULL, "every index and the means of all time; without: the newest 7 days" },
	{ 'm', "mend", NULL, "means that differ are made again from their rows (the collector must be stopped)" },
	{ 'F', "format", "csv|jsonl", "without: by the file's ending, .csv, .jsonl or .ndjson; for - csv" },
	{ 's', "series", "PATTERN", "only these NODE/DEVICE/QUANTITY; * and ? stand for others; may be given again" },
	{ 'n', "node", "PATTERN", "only of these nodes" },
	{ 'Q', "quantity", "PATTERN", "only these quantities" },
	{ 'a', "from", "TIME", "from then on: 2026-11-24, \"2026-11-24 15:04\", RFC 3339, milliseconds, or 7d, 12h, 30m ago" },
	{ 'b', "to", "TIME", "until then, not included" },
	{ 'g', "keep-going", NULL, "a bad line is told and skipped; without, it ends the import" },
	{ 'd', "dry-run", NULL, "reads and checks all lines, stores nothing" },
	{ 'j', "json", NULL, "for programs" },
	{ 'q', "quiet", NULL, "no bar, no summary; only what is wrong" },
	{ 'c', "config", "FILE", "the collector's configuration, for the store's url; without: /etc/foyer/collector.conf" },
	{ 'S', "store", "URL", "the store, whatever the configuration says: sqlite:///PATH, or a path" },
	{ 'h', "help", NULL, "prints this, and exits" },
	{ 'V', "version", NULL, "prints the version, and exits" },
};
enum { OPTIONS = sizeof(texts) / sizeof(*texts) };

#define ALWAYS "cShVq" /* every command takes these */

void ctl_print_options(const char *letters, FILE *out)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		char word[48];

		if (!strchr(letters, texts[i].letter) && !strchr(ALWAYS, texts[i].letter))
			continue;
		snprintf(word, sizeof(word), "%s--%s%s%s",
			 texts[i].letter == 'o'   ? "-o, "
			 : texts[i].letter == 'c' ? "-c, "
			 : texts[i].letter == 'q' ? "-q, "
						  : "    ",
			 texts[i].name, texts[i].argument ? " " : "", texts[i].argument ? texts[i].argument : "");
		fprintf(out, "  %-28s %s\n", word, texts[i].help);
	}
}

/* ---- values --------------------------------------------------------------------------------------------------------------------- */

/* "7d" and the like: so long ago. */
static int parse_ago(const char *text, int64_t now_ms, int64_t *ret_ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || number < 0 || number > 1000000 || end == text || !end[0] || end[1])
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (units[i].unit == end[0]) {
			*ret_ms = now_ms - number * units[i].ms;
			return 0;
		}
	return -EINVAL;
}

/* A date, and a time if you like, of the zone that this machine is in. */
static int parse_local(const char *text, int64_t *ret_ms)
{
	static const char *const forms[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
					     "%Y-%m-%d" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);
		int day = tm.tm_mday;

		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		*ret_ms = (int64_t)mktime(&tm) * 1000;
		return tm.tm_mday == day ? 0 : -EINVAL; /* not the 31st of February */
	}
	return -EINVAL;
}

int ctl_parse_moment(const char *text, int64_t now_ms, int64_t *ret_ms)
{
	char *end;
	long long ms;

	if (strcmp(text, "now") == 0) {
		*ret_ms = now_ms;
		return 0;
	}
	errno = 0;
	ms = strtoll(text, &end, 10);
	if (!errno && end != text && !*end && ms >= 100000000000) { /* a small number is a typing mistake: a year, seconds */
		*ret_ms = ms;
		return 0;
	}
	if (wire_parse_time(text, ret_ms) == 0 || parse_ago(text, now_ms, ret_ms) == 0)
		return 0;
	return parse_local(text, ret_ms);
}

static int take_moment(const char *name, const char *text, int64_t *ret_ms)
{
	if (ctl_parse_moment(text, clock_wall_ms(), ret_ms) == 0)
		return 0;
	ctl_say("--%s \"%s\": allowed are 2026-11-24, \"2026-11-24 15:04\", 2026-11-24T15:04:05Z, milliseconds since 1970, now, "
		"or 7d, 12h, 30m ago",
		name, text);
	return -EINVAL;
}

static int take_pattern(struct ctl_patterns *patterns, const char *name, const char *text)
{
	if (patterns->count == CTL_PATTERNS_MAX) {
		ctl_say("--%s: at most %d of them; * stands for many", name, CTL_PATTERNS_MAX);
		return -EINVAL;
	}
	patterns->list[patterns->count++] = text;
	return 0;
}

static int take_keep(const char *text, int *ret_keep)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end || number < 1 || number > 1000) {
		ctl_say("--keep \"%s\": allowed is 1 to 1000", text);
		return -EINVAL;
	}
	*ret_keep = (int)number;
	return 0;
}

static int take_format(const char *text, enum ctl_format *ret_format)
{
	if (strcmp(text, "csv") == 0)
		*ret_format = CTL_FORMAT_CSV;
	else if (strcmp(text, "jsonl") == 0)
		*ret_format = CTL_FORMAT_JSONL;
	else {
		ctl_say("--format \"%s\": allowed are csv and jsonl (JSON lines)", text);
		return -EINVAL;
	}
	return 0;
}

/* ---- the line ------------------------------------------------------------------------------------------------------------------- */

static int take_option(const struct option_text *option, const char *argument, struct ctl_options *options)
{
	switch (option->letter) {
	case 'o':
		options->output = argument;
		return 0;
	case 'w':
		options->site = argument;
		return 0;
	case 'k':
		return take_keep(argument, &options->keep);
	case 'F':
		return take_format(argument, &options->format);
	case 's':
		return take_pattern(&options->series, option->name, argument);
	case 'n':
		return take_pattern(&options->nodes, option->name, argument);
	case 'Q':
		return take_pattern(&options->quantities, option->name, argument);
	case 'a':
		return take_moment(option->name, argument, &options->from_ms);
	case 'b':
		return take_moment(option->name, argument, &options->to_ms);
	case 'c':
		options->conf_path = argument;
		return 0;
	case 'S':
		options->store = argument;
		return 0;
	default:
		break;
	}
	options->full |= option->letter == 'f';
	options->mend |= option->letter == 'm';
	options->keep_going |= option->letter == 'g';
	options->dry_run |= option->letter == 'd';
	options->json |= option->letter == 'j';
	options->quiet |= option->letter == 'q';
	options->help |= option->letter == 'h';
	options->version |= option->letter == 'V';
	return 0;
}

static int read_options(int argc, char **argv, struct ctl_options *options, bool used[OPTIONS])
{
	struct option long_options[OPTIONS + 1] = { 0 };
	int letter, r = 0;

	for (size_t i = 0; i < OPTIONS; i++)
		long_options[i] =
			(struct option){ texts[i].name, texts[i].argument ? required_argument : no_argument, NULL, 256 + (int)i };
	optind = 0;
	while (r == 0 && (letter = getopt_long(argc, argv, "c:o:qh", long_options, NULL)) >= 0) {
		size_t which = 0;

		if (letter == '?') {
			fputs("foyerctl help tells what is allowed\n", stderr);
			return -EINVAL;
		}
		if (letter >= 256)
			which = (size_t)letter - 256;
		else
			while (texts[which].letter != letter)
				which++;
		used[which] = true;
		r = take_option(&texts[which], optarg, options);
	}
	return r;
}

static int check_options(const struct ctl_command *command, const struct ctl_options *options, const bool used[OPTIONS])
{
	const char *letters = command ? command->options : "";

	for (size_t i = 0; i < OPTIONS; i++)
		if (used[i] && !strchr(letters, texts[i].letter) && !strchr(ALWAYS, texts[i].letter)) {
			ctl_say("%s takes no --%s; \"foyerctl help %s\" tells what is allowed", command ? command->name : "this",
				texts[i].name, command ? command->name : "");
			return -EINVAL;
		}
	if (command && !options->help && (options->word_count < command->words_min || options->word_count > command->words_max)) {
		ctl_say("usage: foyerctl %s %s", command->name, command->usage);
		return -EINVAL;
	}
	if (options->from_ms >= options->to_ms) {
		ctl_say("--from is not before --to: nothing lies between");
		return -EINVAL;
	}
	return 0;
}

int ctl_parse(int argc, char **argv, const struct ctl_command **ret_command, struct ctl_options *ret_options)
{
	struct ctl_options options = { .from_ms = INT64_MIN, .to_ms = INT64_MAX };
	const struct ctl_command *command = NULL;
	bool used[OPTIONS] = { false };
	int r = read_options(argc, argv, &options, used);

	if (r < 0)
		return r;
	if (optind < argc) {
		command = ctl_find_command(argv[optind]);
		if (!command) {
			ctl_say("\"%s\" is no command; there are:", argv[optind]);
			for (command = ctl_commands; command->name; command++)
				fprintf(stderr, "  %s\n", command->name);
			return -EINVAL;
		}
		options.words = argv + optind + 1;
		options.word_count = argc - optind - 1;
	}
	r = check_options(command, &options, used);
	if (r < 0)
		return r;
	*ret_command = command;
	*ret_options = options;
	return 0;
}
