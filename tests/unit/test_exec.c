/* links: node-agent/drivers/exec.c node-agent/program.c node-agent/device.c tests/fakes/chip.c tests/fakes/folder.c */
/* A program as a sensor, with real programs; the loop's part is played by poll(2). */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/program.h"
#include "../fakes/chip.h"
#include "../fakes/folder.h"

extern const struct driver exec_driver;

static struct device *device;

static int begin(void **state)
{
	(void)state;
	folder_make();
	device = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (device)
		device->driver->close(device);
	assert_int_equal(-1, waitpid(-1, NULL, WNOHANG)); /* no child is left, not even a zombie */
	assert_int_equal(ECHILD, errno);
	chip_done();
	folder_remove();
	return 0;
}

static const char *script(const char *text)
{
	const char *path = folder_write("script", text);

	assert_int_equal(0, chmod(path, 0755));
	return path;
}

/* A device that runs this shell script. */
static void make(const char *text, const char *keys)
{
	char all[1024];

	snprintf(all, sizeof(all), "command = /bin/sh %s word \"two words\"\n%s", script(text), keys);
	device = chip_make(&exec_driver, all);
	assert_int_equal(0, device->driver->open(device));
}

static int turn(void)
{
	static struct value values[CHANNELS_MAX];
	static bool fresh[CHANNELS_MAX];

	return device->driver->read(device, 0, values, fresh);
}

/* The next turn, with another script. */
static void turn_with(const char *text)
{
	folder_write("script", text);
	turn();
	device->error[0] = '\0';
}

static int notice(void)
{
	struct pollfd news = { .fd = device->driver->watch(device), .events = POLLIN };

	assert_int_equal(1, poll(&news, 1, 20000));
	return device->driver->notice(device);
}

/* Notices until something was told or is wrong. */
static int listen(size_t count)
{
	int r = 0;

	while (r == 0 && chip_told_count < count)
		r = notice();
	return r;
}

/* ---- once in each turn ----------------------------------------------------------------------------------------------------------- */

static void a_bare_value_is_a_reading(void **state)
{
	(void)state;
	make("echo 21.4", "quantities = temperature\n");
	assert_int_equal(0, turn());
	assert_int_equal(10000, chip_wake_ms); /* until it is ended */
	assert_int_equal(0, listen(1));
	assert_float_equal(21.4, chip_number(0), 1e-6);
	assert_int_equal(-1, chip_wake_ms);
	assert_int_equal(0, turn()); /* the next turn runs it again */
	assert_int_equal(0, listen(2));
}

static void the_notation_is_understood_with_its_units(void **state)
{
	(void)state;
	make("echo '{\"value\":294.55,\"unit\":\"K\"}'", "quantities = temperature\n");
	assert_int_equal(0, turn());
	assert_int_equal(0, listen(1));
	assert_float_equal(21.4, chip_number(0), 1e-4);
}

static void several_quantities_come_by_name_or_in_order(void **state)
{
	(void)state;
	make("echo '{\"humidity\":48,\"temperature\":{\"value\":70,\"unit\":\"°F\"},\"badge\":\"42\",\"other\":1}'",
	     "quantities = temperature humidity badge\n");
	assert_int_equal(0, turn());
	assert_int_equal(0, listen(3));
	assert_float_equal(21.111, chip_number(0), 0.001);
	assert_float_equal(48, chip_number(1), 0);
	assert_string_equal("42", chip_told[2].value.text);
	device->driver->close(device);
	make("printf '  21.4\t-  on\\n'", "quantities = temperature humidity contact\n");
	assert_int_equal(0, turn());
	assert_int_equal(0, listen(2));
	assert_float_equal(21.4, chip_number(0), 1e-6);
	assert_true(isnan(chip_number(1)));
	assert_float_equal(1, chip_number(2), 0);
}

static void words_reach_the_program_as_they_are(void **state)
{
	(void)state;
	make("echo \"$#:$1:$2\"", "quantities = text\n");
	assert_int_equal(0, turn());
	assert_int_equal(0, listen(1));
	assert_string_equal("2:word:two words", chip_told[0].value.text);
}

/* ---- faults ---------------------------------------------------------------------------------------------------------------------- */

static void a_failure_speaks_with_the_last_line_on_standard_error_until_it_works(void **state)
{
	(void)state;
	make("echo trying >&2; echo 21.4; echo 'no sensor there' >&2; exit 3", "quantities = temperature\n");
	assert_int_equal(0, turn());
	chip_failed(device, listen(1), -ERANGE, "status 3: no sensor there");
	assert_int_equal(0, chip_told_count);
	chip_failed(device, turn(), -ERANGE, "status 3: no sensor there"); /* and it runs again */
	chip_failed(device, listen(1), -ERANGE, "status 3: no sensor there");
	turn_with("echo 21.4");
	assert_int_equal(0, listen(1));
	assert_int_equal(0, turn());
	assert_int_equal(0, listen(2));
}

static void what_is_no_reading_is_told(void **state)
{
	(void)state;
	make("echo warm", "quantities = temperature\n");
	assert_int_equal(0, turn());
	assert_int_equal(-ERANGE, listen(1));
	assert_non_null(strstr(device->error, "temperature: "));
	device->error[0] = '\0';
	turn_with("true");
	chip_failed(device, listen(1), -ERANGE, "it said nothing");
	turn_with("kill -9 $$");
	chip_failed(device, listen(1), -ERANGE, "killed by signal 9");
	device->driver->close(device);
	make("echo 1 2 3", "quantities = temperature humidity\n");
	turn();
	chip_failed(device, listen(3), -ERANGE, "it said 3 values for 2 quantities");
	turn_with("echo 48"); /* which of the two? */
	chip_failed(device, listen(3), -ERANGE, "it said 1 values for 2 quantities");
	assert_int_equal(0, chip_told_count);
	turn_with("echo '{\"x\":1}'");
	chip_failed(device, listen(3), -ERANGE, "none of its quantities is in what it said");
}

static void a_program_that_is_not_there_is_told(void **state)
{
	(void)state;
	device = chip_make(&exec_driver, "command = /nowhere/sensor --fast\nquantities = temperature\n");
	assert_int_equal(0, device->driver->open(device));
	chip_failed(device, turn(), -ERANGE, "cannot run /nowhere/sensor --fast: No such file or directory");
}

static void one_that_says_too_much_is_ended(void **state)
{
	int r;

	(void)state;
	make("yes 21.4", "quantities = temperature\n");
	assert_int_equal(0, turn());
	do
		r = notice();
	while (r == 0);
	chip_failed(device, r, -ERANGE, "it said more than 65536 bytes and was ended");
}

static void a_nul_in_what_it_says_is_no_value(void **state)
{
	(void)state;
	make("printf '1\\0002 3\\n'", "quantities = temperature humidity\n");
	assert_int_equal(0, turn());
	assert_int_equal(-ERANGE, listen(1));
	assert_non_null(strstr(device->error, "temperature: "));
	device->driver->close(device);
	make("printf '\\0\\0rest\\n1\\n'; sleep 1000", "quantities = counter\nmode = stream\n");
	turn();
	while (chip_told_count == 0)
		notice();
	assert_float_equal(1, chip_number(0), 0);
}

/* Dead is dead, also while nobody has taken note of it. */
static bool lives(int pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state != 'Z' && state != 'X';
}

/* The script starts another one, which outlives it, writes its number, and never ends by itself. */
static void one_that_takes_too_long_is_ended_with_all_that_it_started(void **state)
{
	char text[512];
	FILE *file;
	int child = 0;

	(void)state;
	snprintf(text, sizeof(text), "sleep 1000 & echo $! > %s\necho ready >&2\nsleep 1000\n", folder_path("child"));
	make(text, "quantities = temperature\ntimeout = 1500ms\n");
	assert_int_equal(0, turn());
	assert_int_equal(1500, chip_wake_ms);
	assert_int_equal(0, notice()); /* it is ready */
	chip_failed(device, chip_wake(device), -ERANGE, "no answer within 1.5 s: it was ended");
	file = fopen(folder_path("child"), "r");
	assert_int_equal(1, fscanf(file, "%d", &child));
	fclose(file);
	while (lives(child)) /* a killed process is gone a moment later */
		usleep(1000);
}

static void the_end_of_the_device_is_the_end_of_its_program(void **state)
{
	(void)state;
	make("trap '' TERM; while :; do sleep 1000; done", "quantities = temperature\n");
	assert_int_equal(0, turn()); /* end() looks for what is left */
}

static void the_program_gets_signals_as_usual(void **state)
{
	sigset_t blocked, before;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGPIPE, SIG_IGN);
	make("kill -TERM $$; echo 1", "quantities = temperature\n");
	turn();
	chip_failed(device, listen(1), -ERANGE, "killed by signal 15");
	turn_with("kill -PIPE $$; echo 1");
	chip_failed(device, listen(1), -ERANGE, "killed by signal 13");
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- a stream -------------------------------------------------------------------------------------------------------------------- */

static void a_stream_tells_line_by_line_and_is_started_again(void **state)
{
	int r;

	(void)state;
	make("echo 1; printf 2; sleep 0.05; echo 3; printf '4\\nrest'", "quantities = counter\nmode = stream\n");
	assert_int_equal(0, turn());
	assert_int_equal(-1, chip_wake_ms);
	r = listen(3); /* its end may be read along with its last line */
	assert_float_equal(1, chip_told[0].value.number, 0);
	assert_float_equal(23, chip_told[1].value.number, 0);
	assert_float_equal(4, chip_told[2].value.number, 0);
	chip_failed(device, r == 0 ? listen(4) : r, -ERANGE, "it ended");
	chip_failed(device, turn(), -ERANGE, "it ended");
	listen(4);
	assert_float_equal(1, chip_told[3].value.number, 0);
}

static void a_bad_line_is_a_fault_until_a_good_one(void **state)
{
	(void)state;
	make("echo bad; sleep 0.05; echo 1; sleep 1000", "quantities = counter\nmode = stream\n");
	assert_int_equal(0, turn());
	assert_int_equal(-ERANGE, listen(1));
	device->error[0] = '\0';
	assert_int_equal(0, listen(1));
	assert_int_equal(0, turn());
}

static void a_silent_stream_is_ended(void **state)
{
	(void)state;
	make("echo 1; sleep 1000", "quantities = counter\nmode = stream\ntimeout = 5m\n");
	assert_int_equal(0, turn());
	chip_wake_ms = -1;
	assert_int_equal(0, listen(1));
	assert_int_equal(300000, chip_wake_ms); /* from its last line on */
	chip_failed(device, chip_wake(device), -ERANGE, "no answer within 300 s: it was ended");
}

/* ---- words ----------------------------------------------------------------------------------------------------------------------- */

static void a_command_line_is_split_at_white_space_outside_quotes(void **state)
{
	char text[] = "  /bin/x -a\t\"b c\" 'd \"e' f\"g h\"i ''", open[] = "x 'y", none[] = "  \t";
	char *words[PROGRAM_WORDS_MAX];

	(void)state;
	assert_int_equal(6, program_split(text, words));
	assert_string_equal("/bin/x", words[0]);
	assert_string_equal("-a", words[1]);
	assert_string_equal("b c", words[2]);
	assert_string_equal("d \"e", words[3]);
	assert_string_equal("fg hi", words[4]);
	assert_string_equal("", words[5]);
	assert_null(words[6]);
	assert_int_equal(-EINVAL, program_split(open, words));
	assert_int_equal(-EINVAL, program_split(none, words));
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_non_null(strstr(chip_mistakes(&exec_driver, "command = x\nquantities = temperature temperature\n"), "each once"));
	assert_non_null(strstr(chip_mistakes(&exec_driver, "quantities = temperature\n"), "command"));
	assert_non_null(strstr(chip_mistakes(&exec_driver, "command = x 'y\nquantities = temperature\n"), "command"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_bare_value_is_a_reading, begin, end),
		cmocka_unit_test_setup_teardown(the_notation_is_understood_with_its_units, begin, end),
		cmocka_unit_test_setup_teardown(several_quantities_come_by_name_or_in_order, begin, end),
		cmocka_unit_test_setup_teardown(words_reach_the_program_as_they_are, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_speaks_with_the_last_line_on_standard_error_until_it_works, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_reading_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_told, begin, end),
		cmocka_unit_test_setup_teardown(one_that_says_too_much_is_ended, begin, end),
		cmocka_unit_test_setup_teardown(a_nul_in_what_it_says_is_no_value, begin, end),
		cmocka_unit_test_setup_teardown(one_that_takes_too_long_is_ended_with_all_that_it_started, begin, end),
		cmocka_unit_test_setup_teardown(the_end_of_the_device_is_the_end_of_its_program, begin, end),
		cmocka_unit_test_setup_teardown(the_program_gets_signals_as_usual, begin, end),
		cmocka_unit_test_setup_teardown(a_stream_tells_line_by_line_and_is_started_again, begin, end),
		cmocka_unit_test_setup_teardown(a_bad_line_is_a_fault_until_a_good_one, begin, end),
		cmocka_unit_test_setup_teardown(a_silent_stream_is_ended, begin, end),
		cmocka_unit_test_setup_teardown(a_command_line_is_split_at_white_space_outside_quotes, begin, end),
		cmocka_unit_test_setup_teardown(mistakes_are_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
