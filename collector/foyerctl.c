/* foyerctl: the tool of the one in charge. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/conf.h"
#include "../common/service.h"
#include "ctl.h"
#include "settings.h"

#define DEFAULT_CONF "/etc/foyer/collector.conf"

static int print_help(const struct ctl_options *options, const char *url);

const struct ctl_command ctl_commands[] = {
	{ "backup", "okw", 0, 0, "[-o FILE|FOLDER] [--keep N] [--site FILE|none]",
	  "copies the store and webd's own file while both go on, and verifies the copies",
	  "Without -o into the folder \"backup\" beside the store. In a folder the file is named by the time, as\n"
	  "foyer-20261124T021500Z.db, and --keep N removes older ones than the newest N of these names. The copy gets its name\n"
	  "only when it was looked through and has as many rows as the store: whatever ends it, no half file stays.\n"
	  "Another disk than the store's is the better place.\n"
	  "webd's own file (users, tokens, settings, notes) goes into the same folder as foyer-web-20261124T021500Z.db, with the\n"
	  "same rotation; -o FILE is the store alone. Only root and webd's user may read it. Each of the two is left out by none:\n"
	  "--site none, --store none.",
	  ctl_backup },
	{ "restore", "w", 1, 1, "FILE [--site FILE]", "puts a backup in its place, and keeps what was there before beside it",
	  "The collector must be stopped. The backup is looked through first, and brought up to this version; then the two are\n"
	  "exchanged in one step. What came since the backup can be brought in afterwards:\n"
	  "  foyerctl export --store /var/lib/foyer/foyer.db.before-... - | foyerctl import -\n"
	  "A backup of webd's own file is known by what is in it and goes in that one's place, with webd stopped. Users,\n"
	  "passwords and tokens are those of then; everybody logs in anew.",
	  ctl_restore },
	{ "check", "fmw", 0, 0, "[--full] [--mend] [--site FILE|none]",
	  "whether the files are whole and the means are what their readings say",
	  "Ends with 0 when all is well, with 1 and what to do when not. The collector may run, but for --mend.", ctl_check },
	{ "export", "FsnQab", 1, 1, "FILE|-", "writes readings as CSV or JSON lines",
	  "CSV: time,node,device,quantity,value,unit with times of RFC 3339 in UTC. JSON lines: "
	  "{\"series\":\"salon/air/temperature\",\n"
	  "\"time\":MILLISECONDS,\"value\":21.4,\"unit\":\"°C\"}. Numbers have all their digits: imported again, each reading is "
	  "the\n"
	  "same. In order of quantity, time and series. The collector may run: it is the state of one moment.",
	  ctl_export },
	{ "import", "FsnQabgd", 1, 1000, "FILE|-...", "takes readings from CSV or JSON lines",
	  "The collector must be stopped. CSV needs a first line that names its columns: time, value, and node, device, quantity\n"
	  "or series; unit if you like; others are ignored; separated by comma, semicolon or tab. A time is RFC 3339 with a zone,\n"
	  "or milliseconds since 1970; a known other unit is converted. Readings that are there already are counted and change\n"
	  "nothing, so an import may be repeated. Another value for an instant that has one is refused, as is a bad line: both\n"
	  "are told as FILE:LINE. At the end the means of the spans that changed are made again.",
	  ctl_import },
	{ "stats", "j", 0, 0, "[--json]", "how much there is: readings, bytes, rates, what is written a day", "", ctl_stats },
	{ "help", "", 0, 1, "[COMMAND]", "tells more about a command", "", print_help },
	{ 0 },
};

const struct ctl_command *ctl_find_command(const char *name)
{
	for (const struct ctl_command *command = ctl_commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* ---- help ----------------------------------------------------------------------------------------------------------------------- */

static void print_summary(FILE *out)
{
	fputs("foyerctl: the tool of the one in charge of a Foyer house\n\n  foyerctl COMMAND [OPTION...]\n\n", out);
	for (const struct ctl_command *command = ctl_commands; command->name; command++)
		fprintf(out, "  %-9s %s\n", command->name, command->summary);
	fputs("\n\"foyerctl help COMMAND\" tells its options. Exit status: 0 ok, 1 failed, 2 wrong usage or configuration.\n", out);
}

static void print_command(const struct ctl_command *command)
{
	printf("foyerctl %s: %s\n\n  foyerctl %s %s\n\n", command->name, command->summary, command->name, command->usage);
	if (command->help[0])
		printf("%s\n\n", command->help);
	ctl_print_options(command->options, stdout);
}

static int print_help(const struct ctl_options *options, const char *url)
{
	const struct ctl_command *command;

	(void)url;
	if (options->word_count == 0) {
		print_summary(stdout);
		return CTL_OK;
	}
	command = ctl_find_command(options->words[0]);
	if (!command) {
		ctl_say("\"%s\" is no command; \"foyerctl help\" lists them", options->words[0]);
		return CTL_USAGE;
	}
	print_command(command);
	return CTL_OK;
}

/* ---- the store's place ---------------------------------------------------------------------------------------------------------- */

/* Without -c the usual file, where there is one. One that may not be read is said: another store would be a surprise. */
static int find_conf(const char **path)
{
	if (*path || access(DEFAULT_CONF, F_OK) < 0)
		return 0;
	if (access(DEFAULT_CONF, R_OK) < 0) {
		ctl_say("%s: %s: run it as root or as the user foyer, or name the store with --store", DEFAULT_CONF,
			strerror(errno));
		return -EACCES;
	}
	*path = DEFAULT_CONF;
	return 0;
}

static int read_conf(const char *path, struct conf **ret_conf, struct settings *settings)
{
	int r = find_conf(&path);

	if (r == 0)
		r = conf_open(path, NULL, 0, ret_conf);
	if (r < 0)
		return r;
	settings_read(*ret_conf, settings);
	return conf_finish(*ret_conf, stderr) > 0 ? -EINVAL : 0;
}

static int run(const struct ctl_command *command, const struct ctl_options *options)
{
	char error[STORE_ERROR_MAX];
	struct settings settings;
	struct conf *conf = NULL;
	const char *url = options->store;
	int status = CTL_USAGE;

	if (command->run == print_help)
		return print_help(options, NULL);
	if (!url && read_conf(options->conf_path, &conf, &settings) == 0)
		url = settings.store_url;
	if (url && (strcmp(url, CTL_NONE) != 0 || !strchr(command->options, 'w')) && store_check_url(url, error) < 0)
		ctl_say("--store %s", error);
	else if (url)
		status = command->run(options, url);
	conf_close(conf);
	return status;
}

int main(int argc, char **argv)
{
	const struct ctl_command *command;
	struct ctl_options options;

	if (ctl_parse(argc, argv, &command, &options) < 0)
		return CTL_USAGE;
	if (options.version) {
		printf("foyerctl %s\n", foyer_version);
		return CTL_OK;
	}
	if (options.help) {
		if (command)
			print_command(command);
		else
			print_summary(stdout);
		return CTL_OK;
	}
	if (!command) {
		print_summary(stderr);
		return CTL_USAGE;
	}
	ctl_catch_signals();
	return run(command, &options);
}
