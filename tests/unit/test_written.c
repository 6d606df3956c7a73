/* How many bytes a day go to disk, kept as a small text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/written.h"

static const int64_t hour_ms = 3600000, day_ms = 86400000;

static void less_than_an_hour_tells_nothing(void **state)
{
	struct written written = { .count = 0 };

	(void)state;
	assert_int_equal(-1, written_a_day(&written));
	written_add(&written, 100 * day_ms, 1000, hour_ms - 1);
	assert_int_equal(-1, written_a_day(&written));
	written_add(&written, 100 * day_ms + 1, 0, 1);
	assert_int_equal(24000, written_a_day(&written));
}

static void it_is_a_mean_of_the_newest_week_by_the_time_that_was_counted(void **state)
{
	struct written written = { .count = 0 };

	(void)state;
	for (int day = 0; day < 10; day++)
		written_add(&written, day * day_ms, day < 3 ? 1000000 : 500, day_ms / 2);
	assert_int_equal(10, written.count);
	assert_int_equal(1000, written_a_day(&written));
}

static void the_oldest_day_goes_when_there_are_too_many(void **state)
{
	struct written written = { .count = 0 };

	(void)state;
	for (int day = 0; day < WRITTEN_DAYS + 5; day++)
		written_add(&written, day * day_ms, day, hour_ms);
	assert_int_equal(WRITTEN_DAYS, written.count);
	assert_int_equal(5, written.days[0].day);
	written_add(&written, 3 * day_ms, 7, hour_ms); /* a clock set back */
	assert_int_equal(WRITTEN_DAYS, written.count);
	assert_int_equal(WRITTEN_DAYS + 4 + 7, written.days[WRITTEN_DAYS - 1].bytes);
}

static void it_comes_back_from_its_text(void **state)
{
	struct written written = { .count = 0 }, back;
	char text[WRITTEN_TEXT_MAX];
	size_t len;

	(void)state;
	for (int day = 0; day < WRITTEN_DAYS; day++)
		written_add(&written, (20000 + day) * day_ms, INT64_C(999999999999999), day_ms);
	len = written_format(&written, text);
	assert_true(len < WRITTEN_TEXT_MAX);
	written_parse(&back, text, len);
	assert_int_equal(written.count, back.count);
	assert_memory_equal(written.days, back.days, sizeof(written.days));
}

static void a_damaged_text_is_passed_over(void **state)
{
	static const char *const texts[] = { "", "\n\n", "x", "1 2", "-\n5 -1 3\n5 1 -3", "99999999999999999999999 x" };
	struct written back;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		written_parse(&back, texts[i], strlen(texts[i]));
		assert_int_equal(0, back.count);
	}
	written_parse(&back, "5 10 20\nrubbish\n4 1 1\n6 1 1", 27);
	assert_int_equal(2, back.count);
	assert_int_equal(6, back.days[1].day);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(less_than_an_hour_tells_nothing),
		cmocka_unit_test(it_is_a_mean_of_the_newest_week_by_the_time_that_was_counted),
		cmocka_unit_test(the_oldest_day_goes_when_there_are_too_many),
		cmocka_unit_test(it_comes_back_from_its_text),
		cmocka_unit_test(a_damaged_text_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
