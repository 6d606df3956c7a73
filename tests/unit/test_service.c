/* links: tests/fakes/folder.c */
/* Command line and messages of the daemons: DESIGN 5. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../common/log_settings.h"
#include "../../common/service.h"
#include "../fakes/folder.h"

static struct service_options options;

/* What was written to a descriptor while a test did something. */
struct capture {
	int fd, saved;
};

static struct capture capture_begin(int fd)
{
	struct capture capture = { fd, dup(fd) };
	int file = open(folder_path("captured"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fflush(stdout);
	dup2(file, fd);
	close(file);
	return capture;
}

static const char *capture_end(struct capture capture)
{
	static char text[8192];
	int file = open(folder_path("captured"), O_RDONLY | O_CLOEXEC);
	ssize_t len;

	fflush(stdout);
	dup2(capture.saved, capture.fd);
	close(capture.saved);
	len = read(file, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	close(file);
	return text;
}

static int make_folder(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int done(void **state)
{
	(void)state;
	service_options_done(&options);
	folder_remove();
	return 0;
}

static void print_keys(void)
{
	printf("  [mqtt]\n");
}

static bool own_words(const char *word)
{
	return strcmp(word, "--render") == 0 || strcmp(word, "--data") == 0;
}

static int parse(bool (*own)(const char *word), int argc, ...)
{
	const struct service_program program = {
		.name = "collector", .summary = "stores", .print_keys = print_keys, .default_conf = folder_path("default.conf")
	};
	static char words[16][64], *argv[17];
	va_list arguments;

	va_start(arguments, argc);
	strcpy(words[0], "collector");
	argv[0] = words[0];
	for (int i = 1; i <= argc; i++)
		argv[i] = strcpy(words[i], va_arg(arguments, const char *));
	argv[argc + 1] = NULL;
	va_end(arguments);
	service_options_done(&options);
	return service_parse(&program, argc + 1, argv, own, &options);
}

static void options_are_taken_in_order(void **state)
{
	(void)state;
	assert_int_equal(0,
			 parse(NULL, 7, "-c", "x.conf", "--set", "mqtt.port=1884", "--check", "--set", "device lamp.line=GPIO4"));
	assert_string_equal("x.conf", options.conf_path);
	assert_true(options.check);
	assert_int_equal(2, options.override_count);
	assert_string_equal("mqtt.port=1884", options.overrides[0]);
	assert_string_equal("device lamp.line=GPIO4", options.overrides[1]);
	assert_int_equal(0, parse(NULL, 1, "--set=mqtt.port=1"));
	assert_string_equal("mqtt.port=1", options.overrides[0]);
}

static void the_usual_configuration_is_taken_when_it_is_there(void **state)
{
	(void)state;
	assert_int_equal(0, parse(NULL, 0));
	assert_null(options.conf_path);
	folder_write("default.conf", "");
	assert_int_equal(0, parse(NULL, 0));
	assert_string_equal(folder_path("default.conf"), options.conf_path);
}

static void what_is_not_understood_is_a_mistake(void **state)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	int unknown = parse(NULL, 1, "--frobnicate"), missing = parse(NULL, 1, "-c"), stray = parse(NULL, 1, "stray");
	const char *text = capture_end(capture);

	(void)state;
	assert_int_equal(-EINVAL, unknown);
	assert_int_equal(-EINVAL, missing);
	assert_int_equal(-EINVAL, stray);
	assert_non_null(strstr(text, "--help tells what is allowed"));
	assert_non_null(strstr(text, "\"stray\" is not understood"));
}

static void help_and_version_are_printed_and_end(void **state)
{
	struct capture capture = capture_begin(STDOUT_FILENO);
	int help = parse(NULL, 1, "--help"), version = parse(NULL, 1, "--version");
	const char *text = capture_end(capture);
	char line[64];

	(void)state;
	assert_int_equal(1, help);
	assert_int_equal(1, version);
	assert_non_null(strstr(text, "--set SECTION.KEY=VALUE"));
	assert_non_null(strstr(text, "[mqtt]"));
	snprintf(line, sizeof(line), "foyer-collector %s\n", foyer_version);
	assert_non_null(strstr(text, line));
}

static void a_daemons_own_words_are_left_to_it(void **state)
{
	(void)state;
	assert_int_equal(0, parse(own_words, 5, "--render", "page", "--check", "--data", "file.json"));
	assert_true(options.check);
	assert_int_equal(4, options.argc);
	assert_string_equal("--render", options.argv[0]);
	assert_string_equal("file.json", options.argv[3]);
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------------- */

static int reloads;

/* The next signal ends the loop, so that this one is seen to have been answered before. */
static void on_reload(void *context)
{
	(void)context;
	reloads++;
	raise(SIGTERM);
}

static void a_hangup_reads_the_configuration_again_and_a_termination_ends(void **state)
{
	sd_event *event = NULL;

	(void)state;
	assert_int_equal(0, service_loop(&event, on_reload, NULL));
	raise(SIGPIPE); /* a reader that left is no reason to go */
	raise(SIGHUP);
	assert_true(sd_event_loop(event) >= 0);
	assert_int_equal(1, reloads);
	sd_event_unref(event);
}

/* ---- messages -------------------------------------------------------------------------------------------------------------------- */

static void a_message_is_one_line_with_its_priority(void **state)
{
	struct capture capture = capture_begin(STDERR_FILENO);

	(void)state;
	log_error("%s: lost", "salon");
	log_warning("two\nlines\x1b");
	log_info("done");
	assert_string_equal("<3>salon: lost\n<4>two?lines?\n<6>done\n", capture_end(capture));
}

static void a_payload_of_any_length_is_cut(void **state)
{
	static char payload[5000];
	struct capture capture = capture_begin(STDERR_FILENO);
	const char *text;

	(void)state;
	memset(payload, 'x', sizeof(payload) - 1);
	log_error("%s", payload);
	text = capture_end(capture);
	assert_int_equal(1023, strlen(text));
	assert_int_equal('\n', text[1022]);
}

static void what_is_less_important_than_the_level_is_not_told(void **state)
{
	const char *const error[] = { "log.level=error" };
	struct capture capture;
	enum log_level level;
	struct conf *conf;

	(void)state;
	assert_int_equal(0, conf_open(NULL, NULL, 0, &conf));
	assert_int_equal(LOG_LEVEL_INFO, log_read_settings(conf));
	conf_close(conf);
	assert_int_equal(0, conf_open(NULL, error, 1, &conf));
	level = log_read_settings(conf);
	assert_int_equal(LOG_LEVEL_ERROR, level);
	conf_close(conf);
	capture = capture_begin(STDERR_FILENO);
	log_debug("not yet");
	log_set_level(level);
	log_warning("no");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("yes");
	log_set_level(LOG_LEVEL_INFO);
	assert_string_equal("<7>yes\n", capture_end(capture));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, done)
	const struct CMUnitTest tests[] = {
		TEST(options_are_taken_in_order),
		TEST(the_usual_configuration_is_taken_when_it_is_there),
		TEST(what_is_not_understood_is_a_mistake),
		TEST(help_and_version_are_printed_and_end),
		TEST(a_daemons_own_words_are_left_to_it),
		TEST(a_hangup_reads_the_configuration_again_and_a_termination_ends),
		TEST(a_message_is_one_line_with_its_priority),
		TEST(a_payload_of_any_length_is_cut),
		TEST(what_is_less_important_than_the_level_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
