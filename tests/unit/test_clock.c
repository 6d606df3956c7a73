/* links: tests/fakes/folder.c */
/* The clocks, and how a test or a rehearsal moves them. common/clock.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <cmocka.h>

#include "../../common/clock.h"
#include "../fakes/folder.h"

static int begin(void **state)
{
	(void)state;
	folder_make();
	setenv("FOYER_CLOCK_FILE", folder_path("clock"), 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unsetenv("FOYER_CLOCK_FILE");
	folder_remove();
	return 0;
}

static int64_t off_by_ms(void)
{
	return clock_wall_ms() - (int64_t)time(NULL) * 1000;
}

static void without_the_file_the_clocks_are_the_machines(void **state)
{
	int64_t before_ms = clock_boot_ms();

	(void)state;
	assert_in_range(off_by_ms() + 2000, 0, 60000);
	assert_true(clock_boot_ms() >= before_ms && before_ms > 0);
}

static void the_file_moves_the_wall_clock_alone(void **state)
{
	int64_t boot_ms = clock_boot_ms();

	(void)state;
	folder_write("clock", "offset=3600000\n");
	assert_in_range(off_by_ms(), 3600000 - 2000, 3600000 + 60000);
	folder_write("clock", "synced=no offset=-7200000");
	assert_in_range(off_by_ms() + 7200000 + 2000, 0, 62000);
	assert_in_range(clock_boot_ms(), boot_ms, boot_ms + 60000);
}

static void the_file_says_whether_it_is_synchronised(void **state)
{
	(void)state;
	folder_write("clock", "synced=yes");
	assert_true(clock_synced());
	folder_write("clock", "offset=5\nsynced=no\n");
	assert_false(clock_synced());
	assert_false(clock_battery());
}

static void a_kernel_has(const char *name, const char *text)
{
	char path[512], *slash;

	snprintf(path, sizeof(path), "%s", name);
	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(folder_path(path), 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	folder_write(name, text);
}

/* Where the kernel does not say whether it is synchronised, the clock is believed whatever else there is. */
static bool says_synchronised(void)
{
	struct timex timex = { .modes = 0 };

	return adjtimex(&timex) >= 0;
}

static void a_host_or_a_battery_is_believed_from_the_start(void **state)
{
	const char *available = "root/sys/devices/system/clocksource/clocksource0/available_clocksource";

	(void)state;
	setenv("FOYER_ROOT", folder_path("root"), 1);
	a_kernel_has(available, "arch_sys_counter\n"); /* a Pi */
	assert_int_equal(!says_synchronised(), clock_battery());
	a_kernel_has("root/sys/class/rtc/rtc0/hctosys", "0\n");
	assert_int_equal(!says_synchronised(), clock_battery());
	a_kernel_has("root/sys/class/rtc/rtc1/hctosys", "1\n");
	assert_true(clock_battery());
	a_kernel_has("root/sys/class/rtc/rtc1/hctosys", "0\n");
	a_kernel_has(available, "tsc kvm-clock hpet acpi_pm \n"); /* a guest that counts by tsc */
	assert_true(clock_battery());
	unsetenv("FOYER_ROOT");
}

static void a_boot_has_a_name(void **state)
{
	char first[CLOCK_BOOT_MAX + 1], second[CLOCK_BOOT_MAX + 1];

	(void)state;
	assert_string_equal(clock_boot_name(first), clock_boot_name(second));
	assert_int_equal(36, strlen(first)); /* a UUID */
	folder_write("clock", "boot=another offset=0");
	assert_string_equal("another", clock_boot_name(second));
}

static void rubbish_in_the_file_changes_nothing(void **state)
{
	(void)state;
	folder_write("clock", "offset synced boot =7 \x01\x02");
	assert_in_range(off_by_ms() + 2000, 0, 60000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(without_the_file_the_clocks_are_the_machines), TEST(the_file_moves_the_wall_clock_alone),
		TEST(the_file_says_whether_it_is_synchronised),     TEST(a_boot_has_a_name),
		TEST(rubbish_in_the_file_changes_nothing),          TEST(a_host_or_a_battery_is_believed_from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
