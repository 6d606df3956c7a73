/* foyer-collector: takes readings from the broker and keeps them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/conf.h"
#include "../common/log.h"
#include "../common/service.h"
#include "collector.h"
#include "settings.h"

static const struct service_program program = {
	.name = "collector",
	.summary = "stores the readings of the house, acknowledging each only when it is durable",
	.print_keys = settings_print,
	.default_conf = "/etc/foyer/collector.conf",
};

struct daemon {
	const struct service_options *options;
	struct conf *conf;
	struct settings settings;
	struct collector *collector;
};

static int read_settings(const struct service_options *options, struct conf **ret_conf, struct settings *ret_settings)
{
	struct conf *conf = NULL;
	int r = conf_open(options->conf_path, options->overrides, options->override_count, &conf);

	if (r < 0)
		return r;
	settings_read(conf, ret_settings);
	if (conf_finish(conf, stderr) > 0) {
		conf_close(conf);
		return -EINVAL;
	}
	*ret_conf = conf;
	return 0;
}

/* The broker and the store's place stay as they were: those need a restart. */
static void reload(void *context)
{
	struct daemon *daemon = context;
	struct settings settings;
	struct conf *conf;

	if (read_settings(daemon->options, &conf, &settings) < 0) {
		log_error("the configuration has mistakes, the old one stays");
		return;
	}
	daemon->settings.commit_interval_ms = settings.commit_interval_ms;
	memcpy(daemon->settings.keeps, settings.keeps, sizeof(settings.keeps));
	daemon->settings.keep_count = settings.keep_count;
	log_set_level(settings.log_level);
	conf_close(conf);
	collector_reload(daemon->collector);
	log_info("configuration read again; a changed broker or store needs a restart");
}

static int run(struct daemon *daemon)
{
	sd_event *event = NULL;
	int r = service_loop(&event, reload, daemon);

	if (r >= 0)
		r = collector_open(event, &daemon->settings, &daemon->collector);
	if (r >= 0) {
		service_ready("connecting to %s:%d", daemon->settings.bus.host, daemon->settings.bus.port);
		r = sd_event_loop(event);
		service_stopping();
	}
	collector_close(daemon->collector);
	sd_event_unref(event);
	if (r < 0)
		log_error("cannot go on: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct service_options options;
	struct daemon daemon = { .options = &options };
	int status, r = service_parse(&program, argc, argv, NULL, &options);

	if (r != 0)
		return r < 0 ? 2 : EXIT_SUCCESS;
	r = read_settings(&options, &daemon.conf, &daemon.settings);
	if (r < 0) {
		status = 2;
	} else if (options.check) {
		status = EXIT_SUCCESS;
	} else {
		log_set_level(daemon.settings.log_level);
		status = run(&daemon);
	}
	conf_close(daemon.conf);
	service_options_done(&options);
	return status;
}
