#include "service.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "footprint.h"

#ifndef FOYER_VERSION
#error "the Makefile tells FOYER_VERSION"
#endif

enum { SETTLED_MS = 10000 };

const char foyer_version[] = FOYER_VERSION;

/* ---- command line --------------------------------------------------------------------------------------------------------------- */

static void print_help(const struct service_program *program)
{
	printf("%s: %s\n\n"
	       "  %s [-c FILE] [--set SECTION.KEY=VALUE]... [--check]\n%s%s\n"
	       "  -c, --config FILE    configuration (without: %s, when it is there)\n"
	       "  --set SECTION.KEY=VALUE  overrides a key, e.g. --set mqtt.port=1884\n"
	       "  --check              tells every mistake in the configuration, and exits\n"
	       "  --version            prints the version, and exits\n"
	       "  --help               prints this, and exits\n\n"
	       "Exit status: 0 ok, 1 failed, 2 wrong usage or configuration. SIGHUP reads the configuration again.\n",
	       program->name, program->summary, program->name, program->usage_extra ? program->usage_extra : "",
	       program->usage_extra ? "\n" : "", program->default_conf ? program->default_conf : "none");
	if (program->print_keys) {
		printf("\nConfiguration (KEY = VALUE below [SECTION]; defaults in brackets):\n");
		program->print_keys();
	}
}

static int add_override(struct service_options *options, const char *text)
{
	const char **overrides = reallocarray(options->overrides, options->override_count + 1, sizeof(*overrides));

	if (!overrides)
		return -ENOMEM;
	overrides[options->override_count++] = text;
	options->overrides = overrides;
	return 0;
}

enum { OPTION_SET = 256, OPTION_CHECK, OPTION_VERSION, OPTION_HELP };

static int take_option(const struct service_program *program, int option, struct service_options *options)
{
	switch (option) {
	case 'c':
		options->conf_path = optarg;
		return 0;
	case OPTION_SET:
		return add_override(options, optarg);
	case OPTION_CHECK:
		options->check = true;
		return 0;
	case OPTION_VERSION:
		printf("foyer-%s %s\n", program->name, foyer_version);
		return 1;
	case OPTION_HELP:
		print_help(program);
		return 1;
	default:
		fprintf(stderr, "%s --help tells what is allowed\n", program->name);
		return -EINVAL;
	}
}

/* The daemon's own words go to options->argv with what follows them; ours are left for getopt. */
static int part_own_words(int argc, char **argv, bool (*own_words)(const char *word), struct service_options *options,
			  int *ret_argc)
{
	int kept = 1;

	options->argv = calloc((size_t)argc + 1, sizeof(*options->argv));
	if (!options->argv)
		return -ENOMEM;
	for (int i = 1; i < argc; i++) {
		if (!own_words || !own_words(argv[i])) {
			argv[kept++] = argv[i];
			continue;
		}
		options->argv[options->argc++] = argv[i];
		if (i + 1 < argc)
			options->argv[options->argc++] = argv[++i];
	}
	*ret_argc = kept;
	return 0;
}

int service_parse(const struct service_program *program, int argc, char **argv, bool (*own_words)(const char *word),
		  struct service_options *ret_options)
{
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },   { "set", required_argument, NULL, OPTION_SET },
		{ "check", no_argument, NULL, OPTION_CHECK }, { "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, OPTION_HELP },   { 0 },
	};
	struct service_options options = { 0 };
	int option, r;

	optind = 0; /* getopt(3): begin anew */
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = part_own_words(argc, argv, own_words, &options, &argc);
	while (r == 0 && (option = getopt_long(argc, argv, "c:", long_options, NULL)) >= 0)
		r = take_option(program, option, &options);
	if (r == 0 && optind < argc) {
		fprintf(stderr, "%s: \"%s\" is not understood; --help tells what is allowed\n", program->name, argv[optind]);
		r = -EINVAL;
	}
	if (r != 0) {
		service_options_done(&options);
		return r;
	}
	if (!options.conf_path && program->default_conf && access(program->default_conf, R_OK) == 0)
		options.conf_path = program->default_conf;
	*ret_options = options;
	return 0;
}

void service_options_done(struct service_options *options)
{
	free(options->overrides);
	free(options->argv);
	memset(options, 0, sizeof(*options));
}

/* ---- loop ----------------------------------------------------------------------------------------------------------------------- */

struct loop {
	void (*reload)(void *context);
	void *context;
};

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	const struct loop *loop = userdata;

	(void)source;
	(void)info;
	if (!loop->reload)
		return 0;
	sd_notify(0, "RELOADING=1");
	loop->reload(loop->context);
	sd_notify(0, "READY=1");
	return 0;
}

static int add_signals(sd_event *event, struct loop *loop)
{
	sd_event_source *hangup = NULL;
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL); /* without a handler it ends the loop */
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(event, &hangup, SIGHUP, on_hangup, loop);
	if (r < 0)
		return r;
	/* Lives and goes with the loop. */
	sd_event_source_set_destroy_callback(hangup, free);
	sd_event_source_set_floating(hangup, true);
	sd_event_source_unref(hangup);
	return 0;
}

/* A while after the start: connecting needed much that serving does not. */
static int on_settled(sd_event_source *source, uint64_t now_us, void *data)
{
	(void)source;
	(void)now_us;
	(void)data;
	footprint_trim();
	return 0;
}

int service_loop(sd_event **ret_event, void (*reload)(void *context), void *context)
{
	struct loop *loop = malloc(sizeof(*loop));
	sd_event *event = NULL;
	int r;

	if (!loop)
		return -ENOMEM;
	*loop = (struct loop){ reload, context };
	r = sd_event_new(&event);
	if (r >= 0)
		r = add_signals(event, loop);
	if (r >= 0)
		r = sd_event_add_time_relative(event, NULL, CLOCK_BOOTTIME, (uint64_t)SETTLED_MS * 1000, 1000000, on_settled, NULL);
	if (r < 0) {
		free(loop);
		sd_event_unref(event);
		return r;
	}
	sd_event_set_watchdog(event, true);
	*ret_event = event;
	return 0;
}

static void notify_status(const char *prefix, const char *format, va_list arguments)
{
	char line[256];

	vsnprintf(line, sizeof(line), format, arguments);
	sd_notifyf(0, "%sSTATUS=%s", prefix, line);
}

void service_ready(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	notify_status("READY=1\n", format, arguments);
	va_end(arguments);
}

void service_status(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	notify_status("", format, arguments);
	va_end(arguments);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}
