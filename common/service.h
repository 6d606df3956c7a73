/* What the three daemons share around their own work: command line, loop, signals, sd_notify. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

struct service_options {
	const char *conf_path;  /* -c FILE; NULL when not given */
	const char **overrides; /* --set, in order */
	size_t override_count;
	bool check; /* --check */
	int argc;   /* what is left: the daemon's own words (--render ...), argv style from index 0 */
	char **argv;
};

struct service_program {
	const char *name;         /* "collector" */
	const char *summary;      /* one line for --help */
	const char *usage_extra;  /* further usage lines, or NULL */
	void (*print_keys)(void); /* prints the configuration's keys for --help, or NULL */
	const char *default_conf; /* "/etc/foyer/collector.conf": used without -c when it is readable */
};

/* Reads the command line. --help and --version print and give 1 (exit 0); a usage mistake prints and gives -EINVAL (exit 2); else 0.
 * Unknown options are a mistake unless `own_words` accepts them (then they are left in argc/argv); own_words may be NULL.
 * Options stay valid as long as argv; service_options_done frees the arrays. */
int service_parse(const struct service_program *program, int argc, char **argv, bool (*own_words)(const char *word),
		  struct service_options *ret_options);
void service_options_done(struct service_options *options);

/* Makes the loop: SIGTERM and SIGINT end it, SIGHUP calls `reload` (NULL: ignored), SIGPIPE is ignored, the systemd watchdog is fed.
 * Returns 0 or a negative errno. The caller unrefs the event. */
int service_loop(sd_event **ret_event, void (*reload)(void *context), void *context);

/* sd_notify READY=1 with a status line; service_status changes the line later; service_stopping says STOPPING=1. */
void service_ready(const char *format, ...) __attribute__((format(printf, 1, 2)));
void service_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void service_stopping(void);

extern const char foyer_version[]; /* "1.2.0" */
