/* foyer-webd: the house in a browser. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/conf.h"
#include "../common/log.h"
#include "../common/service.h"
#include "render.h"
#include "server.h"
#include "settings.h"

/* Histories are made in large blocks: those go back to the system at once instead of keeping the heap large. */
enum { LARGE_BLOCK = 128 * 1024 };

static const struct service_program program = {
	.name = "webd",
	.summary = "shows the house in a browser: values, charts, switches",
	.usage_extra = "  webd --render TEMPLATE [--data FILE.json]    prints a template filled with data, and exits",
	.print_keys = settings_print,
	.default_conf = "/etc/foyer/webd.conf",
};

struct daemon {
	const struct service_options *options;
	struct conf *conf, *site_conf; /* site_conf: the newest, whose title and language are in use; NULL: conf */
	struct settings settings, site;
	struct server *server;
};

static bool own_word(const char *word)
{
	return strcmp(word, "--render") == 0 || strcmp(word, "--data") == 0;
}

static int render(const struct service_options *options)
{
	const char *template = NULL, *data = NULL;

	for (int i = 0; i < options->argc; i += 2) {
		if (!options->argv[i + 1]) {
			fprintf(stderr, "webd: %s wants a file behind it\n", options->argv[i]);
			return 2;
		}
		if (strcmp(options->argv[i], "--render") == 0)
			template = options->argv[i + 1];
		else
			data = options->argv[i + 1];
	}
	if (!template) {
		fprintf(stderr, "webd: --data goes with --render TEMPLATE\n");
		return 2;
	}
	return render_command(template, data, stdout);
}

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

/* The rest stays as it was: that needs a restart. */
static void reload(void *context)
{
	struct daemon *daemon = context;
	struct settings settings;
	struct conf *conf;

	if (read_settings(daemon->options, &conf, &settings) < 0) {
		log_error("the configuration has mistakes, the old one stays");
		return;
	}
	if (server_change_site(daemon->server, &settings) < 0) {
		settings_done(&settings);
		conf_close(conf);
		return;
	}
	settings_done(&daemon->site);
	conf_close(daemon->site_conf);
	daemon->site_conf = conf;
	daemon->site = settings;
	log_set_level(settings.log_level);
	log_info("configuration read again; a changed broker, store, address or folder needs a restart");
}

static int run(struct daemon *daemon)
{
	sd_event *event = NULL;
	int r = service_loop(&event, reload, daemon);

	if (r >= 0)
		r = server_open(event, &daemon->settings, &daemon->server);
	if (r >= 0) {
		service_ready("%s", server_address(daemon->server));
		r = sd_event_loop(event);
		service_stopping();
	}
	server_close(daemon->server);
	sd_event_unref(event);
	if (r < 0)
		log_error("cannot go on: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct service_options options;
	struct daemon daemon = { .options = &options };
	int status, r = service_parse(&program, argc, argv, own_word, &options);

	if (r != 0)
		return r < 0 ? 2 : EXIT_SUCCESS;
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	r = options.argc ? 0 : read_settings(&options, &daemon.conf, &daemon.settings);
	if (options.argc) {
		status = render(&options);
	} else if (r < 0) {
		status = 2;
	} else if (options.check) {
		status = EXIT_SUCCESS;
	} else {
		log_set_level(daemon.settings.log_level);
		if (daemon.settings.timezone)
			setenv("TZ", daemon.settings.timezone, 1);
		status = run(&daemon);
	}
	settings_done(&daemon.site);
	settings_done(&daemon.settings);
	conf_close(daemon.site_conf);
	conf_close(daemon.conf);
	service_options_done(&options);
	return status;
}
