/* foyer-node-agent: reads the sensors of a node, sets its outputs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/conf.h"
#include "../common/log.h"
#include "../common/service.h"
#include "agent.h"
#include "probe.h"
#include "settings.h"
#include "try.h"

static const struct service_program program = {
	.name = "node-agent",
	.summary = "reads the sensors of a node and sets its outputs",
	.usage_extra = "  node-agent --probe                      tells what hardware is here, as a configuration\n"
		       "  node-agent [-c FILE] --read DEVICE      reads one device, without a broker\n"
		       "  node-agent [-c FILE] --set DEVICE=VALUE or DEVICE/QUANTITY=VALUE      sets one output",
	.print_keys = settings_print,
	.default_conf = "/etc/foyer/node-agent.conf",
};

struct daemon {
	const struct service_options *options;
	sd_event *event;
	struct conf *conf;
	struct settings settings;
	struct agent *agent;
};

static int read_settings(const struct service_options *options, struct conf **ret_conf, struct settings *ret_settings)
{
	struct conf *conf = NULL;
	int r = conf_open(options->conf_path, options->overrides, options->override_count, &conf);

	if (r < 0)
		return r;
	settings_read(conf, ret_settings);
	if (conf_finish(conf, stderr) > 0) {
		settings_done(ret_settings);
		conf_close(conf);
		return -EINVAL;
	}
	*ret_conf = conf;
	return 0;
}

/* Under another name nobody would receipt what waits, so it goes with the old one. */
static struct agent_kept close_for_reload(struct daemon *daemon, const struct settings *settings)
{
	struct agent_kept kept = agent_close_but_kept(daemon->agent);

	if (strcmp(settings->name, daemon->settings.name) == 0 && strcmp(settings->bus.base, daemon->settings.bus.base) == 0)
		return kept;
	outbox_close(kept.outbox);
	kept.outbox = NULL;
	return kept;
}

/* What waits for its receipt stays, and so do devices and rules that did not change: an output does not flicker. With mistakes in the file the old
 * node goes on. */
static void reload(void *context)
{
	struct daemon *daemon = context;
	struct settings settings, old = daemon->settings;
	struct agent_kept kept;
	struct conf *conf;

	if (read_settings(daemon->options, &conf, &settings) < 0) {
		log_error("the configuration has mistakes, the old one stays");
		return;
	}
	kept = close_for_reload(daemon, &settings);
	daemon->agent = NULL;
	settings_keep(&settings, conf, &old);
	daemon->settings = settings;
	daemon->settings.back_fill_ms = 0;
	log_set_level(settings.log_level);
	if (agent_open(daemon->event, &daemon->settings, &kept, &daemon->agent) < 0)
		sd_event_exit(daemon->event, EXIT_FAILURE);
	else
		log_info("configuration read again");
	settings_done(&old); /* now that nothing refers to it any more */
	conf_close(daemon->conf);
	daemon->conf = conf;
}

static int run(struct daemon *daemon)
{
	int r = service_loop(&daemon->event, reload, daemon);

	if (r >= 0)
		r = agent_open(daemon->event, &daemon->settings, NULL, &daemon->agent);
	if (r >= 0) {
		service_ready("connecting to %s:%d", daemon->settings.bus.host, daemon->settings.bus.port);
		r = sd_event_loop(daemon->event);
		service_stopping();
	}
	agent_close(daemon->agent);
	sd_event_unref(daemon->event);
	if (r < 0)
		log_error("cannot go on: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : r;
}

static int work(struct daemon *daemon, const struct try_words *words)
{
	if (daemon->options->check)
		return EXIT_SUCCESS;
	if (!words->read && !words->set)
		return run(daemon);
	log_set_level(LOG_LEVEL_ERROR); /* what goes wrong is told in plain words */
	return words->read ? try_read(&daemon->settings, words->read) : try_set(&daemon->settings, words->set);
}

int main(int argc, char **argv)
{
	struct service_options options;
	struct daemon daemon = { .options = &options };
	struct try_words words;
	int status, r = try_take_words(&argc, argv, &words);

	if (r >= 0)
		r = service_parse(&program, argc, argv, NULL, &options);
	if (r != 0)
		return r < 0 ? 2 : EXIT_SUCCESS;
	if (words.probe) {
		service_options_done(&options);
		return probe(stdout);
	}
	r = read_settings(&options, &daemon.conf, &daemon.settings);
	if (r < 0) {
		service_options_done(&options);
		return 2;
	}
	log_set_level(daemon.settings.log_level);
	status = work(&daemon, &words);
	settings_done(&daemon.settings);
	conf_close(daemon.conf);
	service_options_done(&options);
	return status;
}
