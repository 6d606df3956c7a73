/* links: webd/wording.c webd/strings.c */
/* What people read. Numbers are what Intl.NumberFormat of ECMA-402 writes for "fr" and "en", which the page's script uses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../../common/log.h"
#include "../../webd/wording.h"

#define THIN "\xe2\x80\xaf" /* U+202F narrow no-break space */
#define HARD "\xc2\xa0"     /* U+00A0 no-break space */

static struct strings *strings;

static int open_strings(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return strings_open("web/strings", &strings);
}

static int close_strings(void **state)
{
	(void)state;
	strings_close(strings);
	return 0;
}

static void assert_number(const char *french, const char *english, double number, int decimals)
{
	char buf[WORDING_MAX];

	assert_string_equal(french, wording_number(LANGUAGE_FR, number, decimals, buf));
	assert_string_equal(english, wording_number(LANGUAGE_EN, number, decimals, buf));
}

static void numbers_are_written_as_the_language_does(void **state)
{
	(void)state;
	assert_number("21,4", "21.4", 21.4, 1);
	assert_number("-3,0", "-3.0", -3, 1);
	assert_number("1" THIN "013", "1,013", 1013.2, 0);
	assert_number("-12" THIN "345" THIN "678,90", "-12,345,678.90", -12345678.9, 2);
	assert_number("999", "999", 999, 0);
}

static void ties_go_away_from_zero_and_zero_has_no_sign(void **state)
{
	(void)state;
	assert_number("1", "1", 0.5, 0);
	assert_number("3", "3", 2.5, 0);
	assert_number("-3", "-3", -2.5, 0);
	assert_number("0,3", "0.3", 0.25, 1);
	assert_number("21,4", "21.4", 21.45, 1); /* the double below it: no tie */
	assert_number("0,0", "0.0", -0.04, 1);
	assert_number("0", "0", -0.0, 0);
}

static void an_unknown_quantity_shows_only_the_decimals_it_has(void **state)
{
	(void)state;
	assert_int_equal(-2, wording_decimals(quantity_info(QUANTITY_NONE)));
	assert_int_equal(1, wording_decimals(quantity_info(QUANTITY_TEMPERATURE)));
	assert_number("12", "12", 12, -2);
	assert_number("12,5", "12.5", 12.5, -2);
	assert_number("0,33", "0.33", 1.0 / 3, -2);
	assert_number("100", "100", 100, -2);
}

static void values_are_words_where_the_quantity_has_them(void **state)
{
	struct value on = value_of_number(1), text;
	char buf[VALUE_TEXT_MAX + 1];

	(void)state;
	assert_string_equal("Ouvert", wording_value(LANGUAGE_FR, quantity_info(QUANTITY_CONTACT), &on, buf));
	assert_string_equal("Open", wording_value(LANGUAGE_EN, quantity_info(QUANTITY_CONTACT), &on, buf));
	assert_int_equal(0, value_of_text("<b>", 3, &text));
	assert_string_equal("<b>", wording_value(LANGUAGE_FR, quantity_info(QUANTITY_BADGE), &text, buf));
}

static void assert_age(const char *french, const char *english, int64_t age_ms)
{
	char buf[WORDING_MAX];

	assert_string_equal(french, wording_age(strings, LANGUAGE_FR, age_ms, buf));
	assert_string_equal(english, wording_age(strings, LANGUAGE_EN, age_ms, buf));
}

static void ages_grow_from_seconds_to_days(void **state)
{
	(void)state;
	assert_age("à l’instant", "just now", -5000); /* a clock that runs ahead */
	assert_age("à l’instant", "just now", 4999);
	assert_age("il y a 8" HARD "s", "8" HARD "s ago", 8000);
	assert_age("il y a 43" HARD "min", "43" HARD "min ago", 43 * 60000 + 59999);
	assert_age("il y a 47" HARD "h", "47" HARD "h ago", 47 * INT64_C(3600000));
	assert_age("il y a 2" HARD "j", "2" HARD "d ago", 48 * INT64_C(3600000));
}

static void dates_are_those_of_the_household(void **state)
{
	char buf[WORDING_MAX];
	int64_t time_ms = INT64_C(1795528805000); /* 2026-11-24T15:00:05+01:00 */

	(void)state;
	assert_string_equal("mardi 24 novembre", wording_day(strings, LANGUAGE_FR, time_ms, buf));
	assert_string_equal("Tuesday 24 November", wording_day(strings, LANGUAGE_EN, time_ms, buf));
	assert_string_equal("24 nov. 15:00", wording_moment(strings, LANGUAGE_FR, time_ms, buf));
	assert_string_equal("24 Nov 2026 15:00:05", wording_full(strings, LANGUAGE_EN, time_ms, buf));
	assert_string_equal("2026-11-24T15:00", wording_local(time_ms, buf));
}

static void a_span_is_read_as_local_time_or_milliseconds(void **state)
{
	static const char *const wrong[] = { "", "yesterday", "2026-11-24", "2026-11-24T15:00Z", "-5", "12345678901234567890" };
	int64_t time_ms = 7;

	(void)state;
	assert_int_equal(0, wording_parse_local("2026-11-24T15:00", &time_ms));
	assert_int_equal(INT64_C(1795528800000), time_ms);
	assert_int_equal(0, wording_parse_local("2026-07-14T15:00:05", &time_ms)); /* summer: two hours ahead of UTC */
	assert_int_equal(INT64_C(1784034005000), time_ms);
	assert_int_equal(0, wording_parse_local("1795528800123", &time_ms));
	assert_int_equal(INT64_C(1795528800123), time_ms);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(-EINVAL, wording_parse_local(wrong[i], &time_ms));
}

static void the_browser_s_wish_for_a_language_is_weighed(void **state) /* RFC 9110, 12.5.4 */
{
	(void)state;
	assert_int_equal(LANGUAGE_EN, strings_accepted("en-GB,en;q=0.9,fr;q=0.8", LANGUAGE_FR));
	assert_int_equal(LANGUAGE_FR, strings_accepted("en;q=0.2, fr-CH;q=0.7", LANGUAGE_EN));
	assert_int_equal(LANGUAGE_EN, strings_accepted("de,en;q=0.1", LANGUAGE_FR));
	assert_int_equal(LANGUAGE_FR, strings_accepted("en;q=0", LANGUAGE_FR));
	assert_int_equal(LANGUAGE_FR, strings_accepted("frozen, english", LANGUAGE_FR));
	assert_int_equal(LANGUAGE_FR, strings_accepted(NULL, LANGUAGE_FR));
	assert_int_equal(LANGUAGE_EN, strings_language("EN-us", LANGUAGE_FR));
}

static void both_catalogues_have_the_same_keys_and_placeholders(void **state)
{
	const cJSON *french = strings_all(strings, LANGUAGE_FR), *english = strings_all(strings, LANGUAGE_EN);

	(void)state;
	assert_int_equal(cJSON_GetArraySize(french), cJSON_GetArraySize(english));
	for (const cJSON *one = french->child; one; one = one->next) {
		const char *other = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(english, one->string));

		if (!other)
			fail_msg("en.json lacks \"%s\"", one->string);
		for (const char *at = one->valuestring; (at = strchr(at, '{')); at++) {
			char word[32] = "";

			strncat(word, at, strcspn(at, "}") + 1);
			if (!strstr(other, word))
				fail_msg("\"%s\" lacks %s in English", one->string, word);
		}
	}
}

static void placeholders_are_filled_and_cut_at_whole_characters(void **state)
{
	const struct strings_word words[] = { { "n", "été" }, { 0 } };
	char buf[32], small[4];

	(void)state;
	assert_string_equal("un été {x}", strings_fill("un {n} {x}", words, buf, sizeof(buf)));
	assert_string_equal("a{", strings_fill("a{", words, buf, sizeof(buf)));
	assert_string_equal("ét", strings_fill("{n}", words, small, sizeof(small)));
	assert_string_equal("é", strings_fill("{n}", (struct strings_word[]){ { "n", "éé" }, { 0 } }, small, sizeof(small)));
}

static void the_script_s_texts_cannot_end_their_block(void **state)
{
	(void)state;
	assert_null(strchr(strings_script(strings, LANGUAGE_FR), '<'));
	assert_non_null(strstr(strings_script(strings, LANGUAGE_EN), "\"now\":\"just now\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_as_the_language_does),
		cmocka_unit_test(ties_go_away_from_zero_and_zero_has_no_sign),
		cmocka_unit_test(an_unknown_quantity_shows_only_the_decimals_it_has),
		cmocka_unit_test(values_are_words_where_the_quantity_has_them),
		cmocka_unit_test(ages_grow_from_seconds_to_days),
		cmocka_unit_test(dates_are_those_of_the_household),
		cmocka_unit_test(a_span_is_read_as_local_time_or_milliseconds),
		cmocka_unit_test(the_browser_s_wish_for_a_language_is_weighed),
		cmocka_unit_test(both_catalogues_have_the_same_keys_and_placeholders),
		cmocka_unit_test(placeholders_are_filled_and_cut_at_whole_characters),
		cmocka_unit_test(the_script_s_texts_cannot_end_their_block),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, open_strings, close_strings);
}
