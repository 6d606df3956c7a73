/* links: node-agent/i2c.c node-agent/spi.c node-agent/tty.c node-agent/sysfs.c node-agent/door.c tests/fakes/kernel.c tests/fakes/folder.c */
/* The doors to hardware, as far as they go without it: what they say when something is missing or forbidden, serial lines on a
 * pseudo-terminal, small files in a folder. Buses are tried by the tests in a virtual machine. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/door.h"
#include "../../node-agent/i2c.h"
#include "../../node-agent/spi.h"
#include "../../node-agent/sysfs.h"
#include "../../node-agent/tty.h"
#include "../fakes/folder.h"
#include "../fakes/kernel.h"

static char words[120];

static const char *me(void)
{
	return getpwuid(geteuid())->pw_name;
}

static int begin(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int end(void **state)
{
	(void)state;
	folder_remove();
	return 0;
}

/* ---- words ----------------------------------------------------------------------------------------------------------------------- */

static void silence_on_a_bus_has_one_name(void **state)
{
	static const int errors[] = { ENXIO, EREMOTEIO, ENODEV, ETIMEDOUT, EIO };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		assert_string_equal("no answer on I2C 0x76", i2c_explain("/dev/i2c-1", 0x76, -errors[i], words, sizeof(words)));
}

static void what_a_bus_lacks_is_said_with_what_to_do(void **state)
{
	char wanted[120];

	(void)state;
	assert_string_equal("no /dev/i2c-1: add dtparam=i2c_arm=on to /boot/firmware/config.txt",
			    i2c_explain("/dev/i2c-1", 0x76, -ENOENT, words, sizeof(words)));
	assert_string_equal("no /dev/i2c-7: `ls /dev/i2c-*` shows which there are (`modprobe i2c-dev`)",
			    i2c_explain("/dev/i2c-7", 0x76, -ENOENT, words, sizeof(words)));
	snprintf(wanted, sizeof(wanted), "may not open /dev/i2c-1: join group i2c (sudo usermod -aG i2c %s)", me());
	assert_string_equal(wanted, i2c_explain("/dev/i2c-1", 0x76, -EACCES, words, sizeof(words)));
	assert_string_equal("a driver of the kernel holds I2C 0x76: read it by driver = iio or hwmon, or unbind it",
			    i2c_explain("/dev/i2c-1", 0x76, -EBUSY, words, sizeof(words)));
	assert_string_equal("/dev/i2c-1 can't do the transfers that this chip needs",
			    i2c_explain("/dev/i2c-1", 0x76, -EOPNOTSUPP, words, sizeof(words)));
	assert_string_equal("no /dev/spidev0.0: add dtparam=spi=on to /boot/firmware/config.txt",
			    spi_explain("/dev/spidev0.0", -ENOENT, words, sizeof(words)));
	snprintf(wanted, sizeof(wanted), "may not open /dev/ttyUSB0: join group dialout (sudo usermod -aG dialout %s)", me());
	assert_string_equal(wanted, tty_explain("/dev/ttyUSB0", -EACCES, words, sizeof(words)));
	assert_string_equal("/dev/ttyUSB0 is in use by another program", tty_explain("/dev/ttyUSB0", -EBUSY, words, sizeof(words)));
	assert_string_equal("may not open x: only root may, without a udev rule for it",
			    door_explain("x", -EPERM, NULL, NULL, words, sizeof(words)));
	assert_string_equal("no x", door_explain("x", -ENOENT, NULL, NULL, words, sizeof(words)));
	assert_string_equal("x: Input/output error", door_explain("x", -EIO, NULL, NULL, words, sizeof(words)));
}

/* What was learnt where the node is: a bus without its module, a device that its group may not open either. */
static void a_machine_that_lacks_something_is_told_what(void **state)
{
	char file[160], wanted[400], said[400];

	(void)state;
	setenv("FOYER_ROOT", folder_path(""), 1);
	mkdir(folder_path("sys"), 0755);
	mkdir(folder_path("sys/bus"), 0755);
	mkdir(folder_path("sys/bus/i2c"), 0755);
	mkdir(folder_path("sys/bus/i2c/devices"), 0755);
	mkdir(folder_path("sys/bus/i2c/devices/i2c-1"), 0755);
	assert_string_equal("no /dev/i2c-1: its module is missing: sudo modprobe i2c-dev",
			    i2c_explain("/dev/i2c-1", 0x76, -ENOENT, words, sizeof(words)));
	unsetenv("FOYER_ROOT");
	snprintf(file, sizeof(file), "%s", folder_write("led", ""));
	chmod(file, 0644);
	snprintf(wanted, sizeof(wanted),
		 "may not open %s: join group gpio (sudo usermod -aG gpio %s); its udev rule is missing, too", file, me());
	assert_string_equal(wanted, door_explain(file, -EACCES, "gpio", NULL, said, sizeof(said)));
	chmod(file, 0664);
	assert_null(strstr(door_explain(file, -EACCES, "gpio", NULL, said, sizeof(said)), "udev"));
}

static void what_is_no_bus_is_not_opened(void **state)
{
	const char *file = folder_write("file", "");
	struct i2c *i2c;
	struct spi *spi;

	(void)state;
	assert_int_equal(-ENOENT, i2c_open("/dev/nowhere", 0x76, &i2c));
	assert_int_equal(-ENOTTY, i2c_open(file, 0x76, &i2c));
	assert_int_equal(-ENOENT, spi_open("/dev/nowhere", 0, 1000000, &spi));
	assert_int_equal(-ENOTTY, spi_open(file, 0, 1000000, &spi));
	assert_int_equal(-ENOTTY, tty_open(file, 9600));
	i2c_close(NULL);
	spi_close(NULL);
}

/* ---- serial lines ---------------------------------------------------------------------------------------------------------------- */

static int open_pair(int *ret_peer, char *ret_path, size_t size)
{
	*ret_peer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_equal(0, grantpt(*ret_peer) + unlockpt(*ret_peer));
	snprintf(ret_path, size, "%s", ptsname(*ret_peer));
	return tty_open(ret_path, 115200);
}

static void a_line_is_raw_in_both_directions(void **state)
{
	static const uint8_t bytes[] = { 0, 3, 4, '\n', '\r', 0x11, 0x13, 0x7F, 0xFF };
	uint8_t got[32];
	char path[64];
	int peer, fd = open_pair(&peer, path, sizeof(path));

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(0, tty_read(fd, got, sizeof(got)));
	assert_int_equal(0, tty_write(fd, bytes, sizeof(bytes)));
	assert_int_equal(sizeof(bytes), read(peer, got, sizeof(got)));
	assert_memory_equal(bytes, got, sizeof(bytes));
	assert_int_equal(sizeof(bytes), write(peer, bytes, sizeof(bytes)));
	assert_int_equal(sizeof(bytes), tty_read(fd, got, sizeof(got)));
	assert_memory_equal(bytes, got, sizeof(bytes));
	assert_int_equal(1, write(peer, "x", 1));
	tty_drop_input(fd);
	assert_int_equal(0, tty_read(fd, got, sizeof(got)));
	close(peer);
	assert_int_equal(-ENODEV, tty_read(fd, got, sizeof(got)));
	assert_int_equal(-ENODEV, tty_write(fd, bytes, sizeof(bytes)));
	assert_non_null(strstr(tty_explain(path, -ENODEV, words, sizeof(words)), " is gone"));
	close(fd);
}

static void a_line_is_for_one_and_of_a_usual_speed(void **state)
{
	struct termios settings;
	char path[64];
	int peer, fd = open_pair(&peer, path, sizeof(path));

	(void)state;
	assert_int_equal(-EBUSY, tty_open(path, 115200));
	assert_int_equal(0, tcgetattr(fd, &settings));
	assert_int_equal(B115200, cfgetospeed(&settings));
	close(fd);
	assert_int_equal(-EINVAL, tty_open(path, 115201));
	fd = tty_open(path, 9600);
	assert_true(fd >= 0);
	close(fd);
	close(peer);
}

static void a_line_whose_peer_stopped_is_full_some_time(void **state)
{
	uint8_t bytes[1024] = { 0 };
	char path[64];
	int peer, fd = open_pair(&peer, path, sizeof(path)), r = 0;

	(void)state;
	for (int i = 0; i < 10000 && r == 0; i++)
		r = tty_write(fd, bytes, sizeof(bytes));
	assert_int_equal(-EAGAIN, r);
	close(fd);
	close(peer);
}

/* ---- small files ----------------------------------------------------------------------------------------------------------------- */

static void small_files_are_read_and_written(void **state)
{
	char path[SYSFS_PATH_MAX], text[8];
	double number;

	(void)state;
	kernel_put("/sys/a/temp", "48312\n");
	kernel_put("/sys/a/empty", "\n");
	kernel_put("/sys/a/word", "abc def ghi");
	kernel_put("/sys/a/half", "12 apples\n");
	assert_int_equal(0, sysfs_read_number(sysfs_path(path, "/sys/%s/temp", "a"), &number));
	assert_float_equal(48312, number, 0);
	assert_int_equal(-ENODATA, sysfs_read_number(sysfs_path(path, "/sys/a/empty"), &number));
	assert_int_equal(-EINVAL, sysfs_read_number(sysfs_path(path, "/sys/a/word"), &number));
	assert_int_equal(-EINVAL, sysfs_read_number(sysfs_path(path, "/sys/a/half"), &number));
	assert_int_equal(-ENOENT, sysfs_read_number(sysfs_path(path, "/sys/a/none"), &number));
	assert_int_equal(7, sysfs_read(sysfs_path(path, "/sys/a/word"), text, sizeof(text)));
	assert_string_equal("abc def", text);
	assert_int_equal(0, sysfs_write_number(sysfs_path(path, "/sys/a/temp"), -5));
	assert_string_equal("-5", kernel_text("/sys/a/temp"));
	assert_int_equal(-ENOENT, sysfs_write(sysfs_path(path, "/sys/a/none"), "1"));
}

static void a_path_that_is_too_long_opens_nothing(void **state)
{
	char path[SYSFS_PATH_MAX], text[8];

	(void)state;
	assert_string_equal("", sysfs_path(path, "/sys/%0300d", 1));
	assert_int_equal(-ENOENT, sysfs_read(path, text, sizeof(text)));
	memset(path, 'x', sizeof(path));
	path[SYSFS_PATH_MAX - 1] = '\0';
	assert_string_equal("", sysfs_file(path, path, "temp"));
}

static int fits(const char *path, void *context)
{
	char file[SYSFS_PATH_MAX], text[SYSFS_TEXT_MAX];

	return sysfs_read(sysfs_file(file, path, "name"), text, sizeof(text)) > 0 && strcmp(text, context) == 0;
}

static void entries_are_tried_in_the_order_of_their_numbers(void **state)
{
	char folder[SYSFS_PATH_MAX], found[SYSFS_PATH_MAX];

	(void)state;
	kernel_put("/sys/class/x/x10/name", "b\n");
	kernel_put("/sys/class/x/x2/name", "b\n");
	kernel_put("/sys/class/x/x1/name", "a\n");
	assert_int_equal(0, sysfs_find(sysfs_path(folder, "/sys/class/x"), fits, strdupa("b"), found));
	assert_string_equal("x2", strrchr(found, '/') + 1);
	assert_int_equal(-ENOENT, sysfs_find(folder, fits, strdupa("c"), found));
	assert_int_equal(-ENOENT, sysfs_find(sysfs_path(folder, "/sys/class/y"), fits, strdupa("b"), found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_on_a_bus_has_one_name),
		cmocka_unit_test(what_a_bus_lacks_is_said_with_what_to_do),
		cmocka_unit_test_setup_teardown(a_machine_that_lacks_something_is_told_what, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_bus_is_not_opened, begin, end),
		cmocka_unit_test(a_line_is_raw_in_both_directions),
		cmocka_unit_test(a_line_is_for_one_and_of_a_usual_speed),
		cmocka_unit_test(a_line_whose_peer_stopped_is_full_some_time),
		cmocka_unit_test_setup_teardown(small_files_are_read_and_written, kernel_begin, kernel_end),
		cmocka_unit_test_setup_teardown(a_path_that_is_too_long_opens_nothing, kernel_begin, kernel_end),
		cmocka_unit_test_setup_teardown(entries_are_tried_in_the_order_of_their_numbers, kernel_begin, kernel_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
