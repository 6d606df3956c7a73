/* links: node-agent/drivers/camera.c node-agent/door.c node-agent/device.c tests/fakes/chip.c tests/fakes/folder.c */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../fakes/chip.h"
#include "../fakes/folder.h"

extern const struct driver camera_driver;

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
	chip_done();
	folder_remove();
	return 0;
}

static void make(const char *more)
{
	char keys[512];

	snprintf(keys, sizeof(keys), "stream = http://192.168.1.20:8081/\nevents = %s\n%s", folder_path("events"), more);
	device = chip_make(&camera_driver, keys);
	assert_int_equal(0, device->driver->open(device));
}

/* What a hook of the camera's program does. */
static void hook(const char *text)
{
	int fd = open(folder_path("events"), O_WRONLY | O_NONBLOCK);

	assert_int_equal((ssize_t)strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

static bool has_news(void)
{
	struct pollfd news = { .fd = device->driver->watch(device), .events = POLLIN };

	return poll(&news, 1, 0) == 1;
}

static void motion_comes_by_the_hooks_of_its_program(void **state)
{
	struct value value;
	bool fresh;

	(void)state;
	make("");
	assert_string_equal("http://192.168.1.20:8081/", device->stream);
	assert_false(has_news());
	hook("1\n");
	assert_true(has_news());
	assert_int_equal(0, device->driver->notice(device));
	assert_int_equal(1, chip_told_count);
	assert_float_equal(1, chip_number(0), 0);
	assert_int_equal(600000, chip_wake_ms);
	assert_false(has_news()); /* that the hook closed the pipe is no news */
	hook("1\n");
	assert_int_equal(0, device->driver->notice(device));
	assert_int_equal(1, chip_told_count);
	assert_int_equal(0, device->driver->read(device, 0, &value, &fresh));
	assert_true(fresh);
	assert_float_equal(1, value.number, 0);
	hook("off\n");
	assert_int_equal(0, device->driver->notice(device));
	assert_int_equal(2, chip_told_count);
	assert_float_equal(0, chip_number(0), 0);
	assert_int_equal(-1, chip_wake_ms);
}

static void lines_in_pieces_and_rubbish_are_no_trouble(void **state)
{
	(void)state;
	make("");
	hook("o");
	assert_int_equal(0, device->driver->notice(device));
	hook("n\nwhatever this is, it is too long for a line\n\n");
	assert_int_equal(0, device->driver->notice(device));
	assert_int_equal(1, chip_told_count);
	assert_int_equal(0, device->driver->notice(device)); /* nothing there */
}

static void motion_whose_end_nobody_tells_ends(void **state)
{
	(void)state;
	make("hold = 30s\n");
	hook("1\n");
	assert_int_equal(0, device->driver->notice(device));
	assert_int_equal(30000, chip_wake_ms);
	assert_int_equal(0, chip_wake(device));
	assert_float_equal(0, chip_number(0), 0);
}

static void others_may_write_into_the_pipe_and_not_read_it(void **state)
{
	struct stat status;

	(void)state;
	make("");
	assert_int_equal(0, stat(folder_path("events"), &status));
	assert_int_equal(S_IFIFO | 0622, status.st_mode);
}

static void a_camera_without_hooks_only_tells_its_stream(void **state)
{
	bool fresh[1] = { true };
	struct value value[1];

	(void)state;
	device = chip_make(&camera_driver, "stream = https://camera/\n");
	assert_int_equal(0, device->channel_count);
	assert_int_equal(0, device->driver->open(device));
	assert_true(device->driver->watch(device) >= 0);
	assert_false(has_news());
	assert_int_equal(0, device->driver->read(device, 0, value, fresh));
}

static void what_is_missing_is_said_with_what_to_do(void **state)
{
	char keys[512], words[DEVICE_ERROR_MAX];

	(void)state;
	device = chip_make(&camera_driver, "stream = http://camera/\nvideo = /dev/nowhere\n");
	chip_failed(device, device->driver->open(device), -ENODEV,
		    "no /dev/nowhere: is the camera plugged in, `camera_auto_detect=1` in config.txt?");
	snprintf(keys, sizeof(keys), "stream = http://camera/\nevents = %s\n", folder_path("none/events"));
	device = chip_make(&camera_driver, keys);
	snprintf(words, sizeof(words), "no %s: its folder must be there, and the agent's", folder_path("none/events"));
	chip_failed(device, device->driver->open(device), -ENOENT, words);
	snprintf(keys, sizeof(keys), "stream = http://camera/\nevents = %s\n", folder_write("file", ""));
	device = chip_make(&camera_driver, keys);
	snprintf(words, sizeof(words), "%s is no named pipe", folder_path("file"));
	chip_failed(device, device->driver->open(device), -EINVAL, words);
	assert_string_equal("3: stream: \"rtsp://x\": allowed is a URL that begins with http:// or https://\n",
			    chip_mistakes(&camera_driver, "stream = rtsp://x\n"));
	device = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(motion_comes_by_the_hooks_of_its_program, begin, end),
		cmocka_unit_test_setup_teardown(lines_in_pieces_and_rubbish_are_no_trouble, begin, end),
		cmocka_unit_test_setup_teardown(motion_whose_end_nobody_tells_ends, begin, end),
		cmocka_unit_test_setup_teardown(others_may_write_into_the_pipe_and_not_read_it, begin, end),
		cmocka_unit_test_setup_teardown(a_camera_without_hooks_only_tells_its_stream, begin, end),
		cmocka_unit_test_setup_teardown(what_is_missing_is_said_with_what_to_do, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
