/* links: tests/fakes/folder.c */
/* Configuration: DESIGN 5. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/conf.h"
#include "../fakes/folder.h"

struct target {
	const char *text, *name, *file;
	bool flag;
	int number, choice;
	double real;
	int64_t duration_ms, size;
};

#define AT(field) offsetof(struct target, field)

static const struct conf_item items[] = {
	{ "text", CONF_STRING, AT(text), .fallback = "hello" },
	{ "name", CONF_NAME, AT(name), .fallback = NULL },
	{ "file", CONF_FILE, AT(file), .fallback = NULL },
	{ "flag", CONF_BOOL, AT(flag), .fallback = "yes" },
	{ "number", CONF_INT, AT(number), "7", .min = 1, .max = 100 },
	{ "choice", CONF_CHOICE, AT(choice), "rising", .choices = "rising|falling|both" },
	{ "real", CONF_NUMBER, AT(real), "1.5", .min = -2, .max = 2 },
	{ "duration", CONF_DURATION, AT(duration_ms), "10s", .min = 10, .max = 86400000 },
	{ "size", CONF_SIZE, AT(size), .fallback = "64k" },
	{ 0 },
};

static struct conf *conf;
static struct target target;
static char mistakes[4096];

static int make_folder(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int done(void **state)
{
	(void)state;
	conf_close(conf);
	conf = NULL;
	folder_remove();
	return 0;
}

static void open_text(const char *text, const char *const *overrides, size_t count)
{
	conf_close(conf);
	conf = NULL;
	assert_int_equal(0, conf_open(text ? folder_write("x.conf", text) : NULL, overrides, count, &conf));
}

/* Reads [s] into target; returns the number of mistakes, whose text is in `mistakes`, without the folder. */
static int finish(void)
{
	char *text = NULL, *end;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int count;

	memset(&target, 0, sizeof(target));
	conf_read(conf, conf_section(conf, "s", NULL), "s", items, &target);
	count = conf_finish(conf, out);
	fclose(out);
	mistakes[0] = '\0';
	for (char *line = strtok_r(text, "\n", &end); line; line = strtok_r(NULL, "\n", &end)) {
		const char *name = strstr(line, "x.conf");

		strcat(strcat(mistakes, name ? name : line), "\n");
	}
	free(text);
	return count;
}

static void assert_mistake(const char *text, const char *expected)
{
	open_text(text, NULL, 0);
	assert_int_equal(1, finish());
	assert_string_equal(expected, mistakes);
}

static void each_type_is_read(void **state)
{
	(void)state;
	open_text("[s]\ntext = a b\nname=salon_1\nflag = OFF\nnumber = 0x10\nchoice=both\nreal = -0.5\nduration = 5m\nsize=10M\n",
		  NULL, 0);
	assert_int_equal(0, finish());
	assert_string_equal("a b", target.text);
	assert_string_equal("salon_1", target.name);
	assert_false(target.flag);
	assert_int_equal(16, target.number);
	assert_int_equal(2, target.choice);
	assert_float_equal(-0.5, target.real, 0);
	assert_int_equal(300000, target.duration_ms);
	assert_int_equal(10485760, target.size);
}

static void what_is_absent_has_its_default(void **state)
{
	(void)state;
	open_text(NULL, NULL, 0);
	assert_int_equal(0, finish());
	assert_string_equal("hello", target.text);
	assert_null(target.name);
	assert_true(target.flag);
	assert_int_equal(7, target.number);
	assert_int_equal(10000, target.duration_ms);
	assert_int_equal(65536, target.size);
}

static void durations_take_units(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} durations[] = { { "500ms", 500 },  { "10s", 10000 },   { "5m", 300000 },
			  { "1h", 3600000 }, { "1d", 86400000 }, { "1.5s", 1500 } };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		snprintf(text, sizeof(text), "[s]\nduration = %s\n", durations[i].text);
		open_text(text, NULL, 0);
		assert_int_equal(0, finish());
		assert_int_equal(durations[i].ms, target.duration_ms);
	}
}

static void a_mistake_names_file_line_and_what_is_allowed(void **state)
{
	(void)state;
	assert_mistake("[s]\nnumber = 101\n", "x.conf:2: number: \"101\": allowed is a whole number from 1 to 100\n");
	assert_mistake("[s]\n\nnumber = 7x\n", "x.conf:3: number: \"7x\": allowed is a whole number from 1 to 100\n");
	assert_mistake("[s]\nflag = perhaps\n", "x.conf:2: flag: \"perhaps\": allowed is yes or no\n");
	assert_mistake("[s]\nchoice = up\n", "x.conf:2: choice: \"up\": allowed is one of rising|falling|both\n");
	assert_mistake("[s]\nreal = nan\n", "x.conf:2: real: \"nan\": allowed is a number from -2 to 2\n");
	assert_mistake("[s]\nduration = 10\n",
		       "x.conf:2: duration: \"10\": allowed is a time such as 500ms, 10s, 5m, 1h, 1d from 10ms to 1d\n");
	assert_mistake("[s]\nduration = -1s\n",
		       "x.conf:2: duration: \"-1s\": allowed is a time such as 500ms, 10s, 5m, 1h, 1d from 10ms to 1d\n");
	assert_mistake("[s]\nsize = 5q\n", "x.conf:2: size: \"5q\": allowed is a size such as 512, 64k, 10M\n");
	assert_mistake("[s]\nname = Salon\n", "x.conf:2: name: \"Salon\": allowed is [a-z0-9][a-z0-9_-]{0,31}\n");
	assert_mistake("[s]\nnumber =\n", "x.conf:2: number: \"\": allowed is a whole number from 1 to 100\n");
	assert_mistake("[s]\nfile = /absent\n", "x.conf:2: file: \"/absent\" cannot be read: No such file or directory\n");
}

static void an_unknown_key_or_section_is_a_mistake(void **state)
{
	(void)state;
	assert_mistake("[s]\nnumbre = 3\n", "x.conf:2: numbre is no key of [s]; --help tells those there are\n");
	assert_mistake("[s]\n[mqt]\nhost = x\n", "x.conf:2: [mqt] is no section that is known here\n");
	assert_mistake("[empty]\n", "x.conf:1: [empty] is no section that is known here\n");
	assert_mistake("[s x]\nnumber = 3\n", "x.conf:1: [s x] is no section that is known here\n");
}

static void what_is_no_ini_at_all_is_a_mistake(void **state)
{
	(void)state;
	assert_mistake("[s]\nrubbish\n", "x.conf:2: neither [section], KEY = VALUE nor a comment (# or ;)\n");
	assert_mistake("number = 3\n[s]\n", "x.conf:1: \"number\" stands before any [section]\n");
	assert_mistake("[s]\nnumber = 3\nnumber = 4\n", "x.conf:3: number is set in line 2 already\n");
	assert_mistake("[s]\n[s]\n", "x.conf:2: [s] stands in line 1 already: each section may stand once\n");
}

static void all_mistakes_are_told_in_the_order_of_lines(void **state)
{
	(void)state;
	open_text("[s]\nunknown = 1\nnumber = 0\n[other]\n", NULL, 0);
	assert_int_equal(3, finish());
	assert_string_equal("x.conf:2: unknown is no key of [s]; --help tells those there are\n"
			    "x.conf:3: number: \"0\": allowed is a whole number from 1 to 100\n"
			    "x.conf:4: [other] is no section that is known here\n",
			    mistakes);
}

/* libinih gives long lines in pieces of 200 bytes and more. */
static void a_long_line_is_one_line(void **state)
{
	char text[4000], line[1500], expected[3200];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	snprintf(text, sizeof(text), "# %s\n[s]\ntext = %s\nnumber = 0\n", line, line);
	assert_mistake(text, "x.conf:4: number: \"0\": allowed is a whole number from 1 to 100\n");
	assert_string_equal(line, target.text);
	memset(line + 150, '[', 300);
	snprintf(text, sizeof(text), "[s]\ntext = %s\nnumber = 0\n", line);
	assert_mistake(text, "x.conf:3: number: \"0\": allowed is a whole number from 1 to 100\n");
	snprintf(expected, sizeof(expected), "%s", line);
	assert_string_equal(expected, target.text);
}

static void comments_are_left_out(void **state)
{
	(void)state;
	open_text("# a\n; b\n[s]   ; c\nnumber = 3   # d\ntext = a#b\n", NULL, 0);
	assert_int_equal(0, finish());
	assert_int_equal(3, target.number);
	assert_string_equal("a#b", target.text);
}

static void a_file_may_come_from_another_system(void **state)
{
	(void)state;
	open_text("\xef\xbb\xbf[s]\r\nnumber = 3\r\ntext = a\r\n", NULL, 0);
	assert_int_equal(0, finish());
	assert_int_equal(3, target.number);
	assert_string_equal("a", target.text);
}

/* ---- --set ----------------------------------------------------------------------------------------------------------------------- */

static void set_overrides_the_file(void **state)
{
	static const char *const overrides[] = { "s.number=9", "s.text=a=b.c", "s.number=10" };

	(void)state;
	open_text("[s]\nnumber = 3\n", overrides, 3);
	assert_int_equal(0, finish());
	assert_int_equal(10, target.number);
	assert_string_equal("a=b.c", target.text);
}

static void set_makes_sections_that_the_file_does_not_have(void **state)
{
	static const char *const overrides[] = { "s.number=9", "device lamp.switch.output=switch", "device lamp.line=GPIO4" };
	const struct conf_section *lamp;

	(void)state;
	open_text(NULL, overrides, 3);
	lamp = conf_section(conf, "device", "lamp");
	assert_non_null(lamp);
	assert_string_equal("GPIO4", conf_text(conf, lamp, "line"));
	assert_string_equal("switch", conf_text(conf, lamp, "switch.output"));
	assert_int_equal(0, finish());
	assert_int_equal(9, target.number);
}

static void set_reaches_into_a_section_with_a_name(void **state)
{
	static const char *const overrides[] = { "device lamp.line=GPIO4", "device air.temperature.base=30" };
	const struct conf_section *section = NULL;

	(void)state;
	open_text("[device lamp]\nline = GPIO17\n[device air]\ntemperature.base = 20\n[s]\n", overrides, 2);
	section = conf_next(conf, "device", section);
	assert_string_equal("lamp", conf_section_name(section));
	assert_string_equal("GPIO4", conf_text(conf, section, "line"));
	section = conf_next(conf, "device", section);
	assert_string_equal("30", conf_text(conf, section, "temperature.base"));
	assert_null(conf_next(conf, "device", section));
	assert_int_equal(0, finish());
}

static void a_wrong_set_is_told_without_a_line(void **state)
{
	static const char *const wrong[] = { "number=3", "s.number", "", ".x=1", "s.=1", "=" };
	static const char *const unknown[] = { "s.numbre=3" };
	static const char *const value[] = { "s.number=0" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		open_text(NULL, &wrong[i], 1);
		assert_int_equal(1, finish());
		assert_non_null(strstr(mistakes, "allowed is SECTION.KEY=VALUE"));
	}
	open_text("[s]\n", unknown, 1);
	assert_int_equal(1, finish());
	assert_string_equal("x.conf: --set: numbre is no key of [s]; --help tells those there are\n", mistakes);
	open_text("[s]\nnumber = 5\n", value, 1);
	assert_int_equal(1, finish());
	assert_string_equal("x.conf: --set s.number: \"0\": allowed is a whole number from 1 to 100\n", mistakes);
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------------- */

static void a_required_key_is_missed(void **state)
{
	const struct conf_item needed[] = { { "driver", CONF_STRING, AT(text), .required = true }, { 0 } };
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	open_text("[s]\n[device lamp]\n", NULL, 0);
	conf_read(conf, conf_section(conf, "s", NULL), "s", items, &target);
	conf_read(conf, conf_section(conf, "device", "lamp"), "device", needed, &target);
	assert_null(target.text);
	out = open_memstream(&text, &size);
	assert_int_equal(1, conf_finish(conf, out));
	fclose(out);
	assert_non_null(strstr(text, "x.conf:2: [device lamp] needs driver: a text"));
	free(text);
}

static void the_keys_of_a_free_section_can_be_walked(void **state)
{
	static const char *const overrides[] = { "zones.a=3" };
	const struct conf_section *section;
	const char *value;

	(void)state;
	open_text("[zones]\na = 1\nb = 2\n[s]\n", overrides, 1);
	section = conf_section(conf, "zones", NULL);
	assert_string_equal("b", conf_key(conf, section, 0, &value));
	assert_string_equal("2", value);
	assert_string_equal("a", conf_key(conf, section, 1, &value));
	assert_string_equal("3", value);
	assert_null(conf_key(conf, section, 2, &value));
	assert_int_equal(0, finish());
}

static void a_file_that_cannot_be_read_is_told_at_once(void **state)
{
	(void)state;
	assert_int_equal(-ENOENT, conf_open(folder_path("absent.conf"), NULL, 0, &conf));
	assert_null(conf);
	assert_true(conf_open(folder_path("."), NULL, 0, &conf) < 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, done)
	const struct CMUnitTest tests[] = {
		TEST(each_type_is_read),
		TEST(what_is_absent_has_its_default),
		TEST(durations_take_units),
		TEST(a_mistake_names_file_line_and_what_is_allowed),
		TEST(an_unknown_key_or_section_is_a_mistake),
		TEST(what_is_no_ini_at_all_is_a_mistake),
		TEST(all_mistakes_are_told_in_the_order_of_lines),
		TEST(a_long_line_is_one_line),
		TEST(comments_are_left_out),
		TEST(a_file_may_come_from_another_system),
		TEST(set_overrides_the_file),
		TEST(set_makes_sections_that_the_file_does_not_have),
		TEST(set_reaches_into_a_section_with_a_name),
		TEST(a_wrong_set_is_told_without_a_line),
		TEST(a_required_key_is_missed),
		TEST(the_keys_of_a_free_section_can_be_walked),
		TEST(a_file_that_cannot_be_read_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
