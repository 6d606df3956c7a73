/* links: node-agent/gpio.c node-agent/gpio_find.c node-agent/door.c node-agent/sysfs.c tests/fakes/folder.c */
/* The door to GPIO lines: which line is meant, and what people are told when there is none. The chips of a Pi 4 and a Pi 5 are played in place of
 * libgpiod; the library itself is tested with the kernel's gpio-sim (tests/hardware). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/gpio_chip.h"
#include "../fakes/folder.h"

static struct played {
	const char *chip, *label;
	int lines, error;
	unsigned used; /* offset that somebody holds */
	const char *consumer;
} chips[] = {
	{ "gpiochip0", "pinctrl-rp1", 54, 0, 26, "spi0 CS0" },
	{ "gpiochip1", "gpio-brcmstb@107d508500", 15, 0, 99, NULL },
	{ "gpiochip10", "foyer-sim", 16, 0, 0, "foyer" },
};

enum { CHIPS = sizeof(chips) / sizeof(*chips) };

static bool named; /* the Pi's lines have names */
static int hold_error;
static struct gpio_held *const held = (struct gpio_held *)&hold_error;
static struct {
	const char *chip;
	unsigned offset;
	enum gpio_use use;
	int open_chips, dropped;
} seen;
static char words[160];

/* ---- libgpiod's part ------------------------------------------------------------------------------------------------------------ */

int gpio_chip_open(const char *path, struct gpiod_chip **ret_chip)
{
	for (int i = 0; i < CHIPS; i++)
		if (strcmp(strrchr(path, '/') + 1, chips[i].chip) == 0) {
			if (chips[i].error)
				return chips[i].error;
			*ret_chip = (struct gpiod_chip *)&chips[i];
			seen.open_chips++;
			return 0;
		}
	return -ENOTTY;
}

void gpio_chip_close(struct gpiod_chip *chip)
{
	seen.open_chips -= !!chip;
}

int gpio_chip_info(struct gpiod_chip *chip, struct gpio_line_info *ret_info)
{
	const struct played *played = (const struct played *)chip;

	strcpy(ret_info->chip, played->chip);
	strcpy(ret_info->label, played->label);
	return played->lines;
}

int gpio_chip_line(struct gpiod_chip *chip, unsigned offset, struct gpio_line_info *ret_info)
{
	const struct played *played = (const struct played *)chip;

	ret_info->offset = offset;
	ret_info->name[0] = '\0';
	if (played == &chips[0] && offset < 28 && named)
		snprintf(ret_info->name, sizeof(ret_info->name), "GPIO%u", offset);
	if (played == &chips[2] && offset == 0)
		strcpy(ret_info->name, "DOOR");
	ret_info->used = offset == played->used;
	snprintf(ret_info->consumer, sizeof(ret_info->consumer), "%s", ret_info->used && played->consumer ? played->consumer : "");
	return 0;
}

int gpio_hold(struct gpiod_chip *chip, unsigned offset, const struct gpio_place *place, enum gpio_use use, int value,
	      unsigned filter_us, struct gpio_held **ret_held)
{
	(void)place;
	(void)value;
	(void)filter_us;
	seen.chip = ((const struct played *)chip)->chip;
	seen.offset = offset;
	seen.use = use;
	if (hold_error)
		return hold_error;
	*ret_held = held;
	return 0;
}

void gpio_drop(struct gpio_held *dropped)
{
	seen.dropped += !!dropped;
}

int gpio_held_get(struct gpio_held *line)
{
	(void)line;
	return 1;
}

int gpio_held_set(struct gpio_held *line, int value)
{
	(void)line;
	return value;
}

int gpio_held_fd(const struct gpio_held *line)
{
	(void)line;
	return 42;
}

bool gpio_held_filters(const struct gpio_held *line)
{
	return line;
}

int gpio_held_read(struct gpio_held *line, struct gpio_edge ret_edges[GPIO_EDGES_MAX], unsigned *ret_lost)
{
	(void)line;
	(void)ret_lost;
	ret_edges[0] = (struct gpio_edge){ 1, true };
	return 1;
}

/* ---- tests ---------------------------------------------------------------------------------------------------------------------- */

static int begin(void **state)
{
	const char *root = folder_make();

	(void)state;
	setenv("FOYER_ROOT", root, 1);
	mkdir(folder_path("dev"), 0755);
	for (int i = 0; i < CHIPS; i++) {
		char name[64];

		snprintf(name, sizeof(name), "dev/%s", chips[i].chip);
		folder_write(name, "");
		chips[i].error = 0;
	}
	assert_int_equal(0, symlink("gpiochip0", folder_path("dev/gpiochip4")));
	memset(&seen, 0, sizeof(seen));
	hold_error = 0;
	named = true;
	chips[0].label = "pinctrl-rp1";
	words[0] = '\0';
	return 0;
}

static int done(void **state)
{
	(void)state;
	assert_int_equal(0, seen.open_chips); /* whatever happened */
	unsetenv("FOYER_ROOT");
	folder_remove();
	return 0;
}

static int take(const char *chip, const char *line)
{
	const struct gpio_place place = { .line = line, .chip = chip };
	struct gpio *gpio = NULL;
	int r = gpio_open(&place, GPIO_EDGES_BOTH, 0, 0, &gpio, words, sizeof(words));

	gpio_close(gpio);
	return r;
}

static void a_line_is_found_by_its_name_on_any_chip(void **state)
{
	(void)state;
	assert_int_equal(0, take(NULL, "GPIO17"));
	assert_string_equal("gpiochip0", seen.chip);
	assert_int_equal(17, seen.offset);
	assert_int_equal(1, seen.dropped);
	assert_int_equal(0, take(NULL, "DOOR"));
	assert_string_equal("gpiochip10", seen.chip);
}

static void a_number_needs_the_chip_by_label_name_or_path(void **state)
{
	char path[512];

	(void)state;
	assert_int_equal(0, take("foyer-sim", "5"));
	assert_string_equal("gpiochip10", seen.chip);
	assert_int_equal(5, seen.offset);
	assert_int_equal(0, take("gpiochip1", "14"));
	assert_string_equal("gpiochip1", seen.chip);
	snprintf(path, sizeof(path), "%s", folder_path("dev/gpiochip10"));
	assert_int_equal(0, take(path, "15"));
	assert_string_equal("gpiochip10", seen.chip);
	assert_int_equal(-ENOENT, take("foyer-sim", "16"));
	assert_string_equal("no line \"16\": foyer-sim has the lines 0 to 15", words);
	assert_int_equal(-ENOENT, take(NULL, "17"));
	assert_string_equal("no line \"17\" on pinctrl-rp1, gpio-brcmstb@107d508500, foyer-sim; a number needs `chip` too", words);
}

/* raspberrypi/linux issue 2760: a Pi 3 has none at all; Debian's kernels name them after what they may be used for. */
static void the_header_of_a_pi_has_its_usual_numbers_whatever_the_kernel_calls_them(void **state)
{
	static const char *const labels[] = { "pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1" };

	(void)state;
	named = false;
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		chips[0].label = labels[i];
		assert_int_equal(0, take(NULL, "GPIO4"));
		assert_string_equal("gpiochip0", seen.chip);
		assert_int_equal(4, seen.offset);
		assert_int_equal(0, take(labels[i], "GPIO27"));
		assert_int_equal(27, seen.offset);
		assert_int_equal(-ENOENT, take(NULL, "GPIO54"));
		assert_int_equal(-ENOENT, take(NULL, "GPIO4x"));
		assert_int_equal(-ENOENT, take(NULL, "GPIO"));
		assert_int_equal(-ENOENT, take("foyer-sim", "GPIO4"));
	}
	chips[0].label = "some-other-board";
	assert_int_equal(-ENOENT, take(NULL, "GPIO4")); /* whose numbers nobody knows */
}

static void a_slip_of_the_pen_is_answered_with_names_that_resemble(void **state)
{
	(void)state;
	assert_int_equal(-ENOENT, take(NULL, "GPOI17"));
	assert_non_null(strstr(words, "GPIO17"));
	assert_int_equal(-ENOENT, take(NULL, "DOR"));
	assert_string_equal("no line \"DOR\": there is DOOR", words);
	assert_int_equal(-ENOENT, take("foyer-sim", "GPIO17"));
	assert_string_equal("no line \"GPIO17\": foyer-sim has the lines 0 to 15", words);
	assert_int_equal(-ENOENT, take("pinctrl-bcm2711", "GPIO17"));
	assert_string_equal("no GPIO chip \"pinctrl-bcm2711\": there are pinctrl-rp1, gpio-brcmstb@107d508500, foyer-sim", words);
}

static void who_holds_a_line_is_said(void **state)
{
	(void)state;
	hold_error = -EBUSY;
	assert_int_equal(-EBUSY, take(NULL, "GPIO26"));
	assert_string_equal("GPIO26 is held by \"spi0 CS0\"", words);
	assert_int_equal(-EBUSY, take(NULL, "DOOR"));
	assert_string_equal("DOOR is held by \"foyer\": another section with this line, or another node-agent", words);
	assert_int_equal(-EBUSY, take(NULL, "GPIO2"));
	assert_string_equal("GPIO2 is held by another program or by the kernel", words);
	hold_error = -EINVAL;
	assert_int_equal(-EINVAL, take(NULL, "GPIO2"));
	assert_non_null(strstr(words, "GPIO2 cannot do that: bias, drive or edges"));
	hold_error = -EIO;
	assert_int_equal(-EIO, take(NULL, "GPIO2"));
	assert_string_equal("GPIO2: Input/output error", words);
}

static void a_door_that_is_shut_names_the_group(void **state)
{
	(void)state;
	for (int i = 0; i < CHIPS; i++)
		chips[i].error = -EACCES;
	assert_int_equal(-EACCES, take(NULL, "GPIO17"));
	assert_non_null(strstr(words, "/dev/gpiochip0: join group gpio (sudo usermod -aG gpio"));
	assert_int_equal(-EACCES, gpio_list(NULL, NULL, words, sizeof(words)));
}

static void a_machine_without_chips_says_so(void **state)
{
	(void)state;
	for (int i = 0; i < CHIPS; i++) {
		char name[64];

		snprintf(name, sizeof(name), "dev/%s", chips[i].chip);
		unlink(folder_path(name));
	}
	assert_int_equal(-ENOENT, take(NULL, "GPIO17"));
	assert_string_equal("no GPIO chip here (no /dev/gpiochip*)", words);
	assert_int_equal(-ENOENT, gpio_list(NULL, NULL, words, sizeof(words)));
}

static int count_lines(const struct gpio_line_info *info, void *context)
{
	int *counts = context;

	counts[0]++;
	counts[1] += info->name[0] != '\0';
	counts[2] += info->used;
	return 0;
}

static void all_lines_are_listed_once(void **state)
{
	int counts[3] = { 0 };

	(void)state;
	assert_int_equal(CHIPS, gpio_list(count_lines, counts, words, sizeof(words)));
	assert_int_equal(54 + 15 + 16, counts[0]); /* gpiochip4 is gpiochip0 by its old name */
	assert_int_equal(29, counts[1]);
	assert_int_equal(2, counts[2]);
}

static void a_chip_that_went_or_came_back_as_another_is_gone(void **state)
{
	const struct gpio_place place = { .line = "DOOR" };
	struct gpio_edge edges[GPIO_EDGES_MAX];
	struct gpio *gpio;
	unsigned lost = 7;

	(void)state;
	assert_int_equal(0, gpio_open(&place, GPIO_INPUT, 0, 0, &gpio, words, sizeof(words)));
	assert_int_equal(0, gpio_alive(gpio));
	assert_int_equal(1, gpio_get(gpio));
	assert_int_equal(42, gpio_fd(gpio));
	assert_true(gpio_filters(gpio));
	assert_int_equal(1, gpio_read_edges(gpio, edges, &lost));
	assert_int_equal(0, lost);
	folder_write("dev/other", ""); /* takes another inode while the first is there */
	assert_int_equal(0, rename(folder_path("dev/other"), folder_path("dev/gpiochip10")));
	assert_int_equal(-ENODEV, gpio_alive(gpio));
	unlink(folder_path("dev/gpiochip10"));
	assert_int_equal(-ENODEV, gpio_alive(gpio));
	gpio_close(gpio);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(a_line_is_found_by_its_name_on_any_chip),
		TEST(a_number_needs_the_chip_by_label_name_or_path),
		TEST(the_header_of_a_pi_has_its_usual_numbers_whatever_the_kernel_calls_them),
		TEST(a_slip_of_the_pen_is_answered_with_names_that_resemble),
		TEST(who_holds_a_line_is_said),
		TEST(a_door_that_is_shut_names_the_group),
		TEST(a_machine_without_chips_says_so),
		TEST(all_lines_are_listed_once),
		TEST(a_chip_that_went_or_came_back_as_another_is_gone),
	};

	return cmocka_run_group_tests_name("gpio", tests, NULL, NULL);
}
