/* links: collector/ctl_row.c */
/* A reading as a line of text, and back: the same to the last bit. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../collector/ctl_row.h"

#define TEN_OCLOCK INT64_C(1767261600000) /* 2026-01-01T10:00:00Z */
#define NOW (TEN_OCLOCK + 3600000)

static char reason[READING_REASON_MAX];

static struct reading reading_of(const char *series, double number)
{
	struct reading reading = { .time_ms = TEN_OCLOCK + 7, .value = value_of_number(number) };

	assert_int_equal(0, series_parse(series, strlen(series), &reading.series));
	return reading;
}

static const char *written(enum ctl_row_form form, const struct reading *reading)
{
	static char text[2048];
	struct buffer out = BUFFER_EMPTY;

	ctl_row_write(form, reading, &out);
	snprintf(text, sizeof(text), "%s", buffer_text(&out));
	buffer_done(&out);
	return text;
}

static int read_line(struct ctl_reader *reader, const char *line, struct reading *reading)
{
	char copy[4096];
	size_t len = strlen(line);

	memcpy(copy, line, len + 1);
	reason[0] = '\0';
	return ctl_row_read(reader, copy, len, NOW, reading, reason);
}

/* A reader that has seen the first line. */
static struct ctl_reader after(const char *header)
{
	struct ctl_reader reader = { .form = CTL_ROW_CSV };
	struct reading reading;

	if (read_line(&reader, header, &reading) != 0)
		fail_msg("%s: %s", header, reason);
	return reader;
}

static void assert_comes_back(enum ctl_row_form form, const struct reading *reading)
{
	struct ctl_reader reader = { .form = form };
	struct reading back;
	char line[2048];

	if (form == CTL_ROW_CSV)
		reader = after("time,node,device,quantity,value,unit");
	snprintf(line, sizeof(line), "%s", written(form, reading));
	assert_int_equal('\n', line[strlen(line) - 1]);
	line[strlen(line) - 1] = '\0';
	if (read_line(&reader, line, &back) != 1)
		fail_msg("%s: %s", line, reason);
	assert_true(series_equal(&reading->series, &back.series));
	assert_int_equal(reading->time_ms, back.time_ms);
	assert_int_equal(reading->value.kind, back.value.kind);
	if (reading->value.kind == VALUE_TEXT)
		assert_string_equal(reading->value.text, back.value.text);
	else if (memcmp(&reading->value.number, &back.value.number, sizeof(double)) != 0)
		fail_msg("%s: %a is now %a", line, reading->value.number, back.value.number);
}

static void assert_refused(struct ctl_reader *reader, const char *line, const char *part_of_reason)
{
	struct reading reading;
	int r = read_line(reader, line, &reading);

	if (r != -EINVAL || !strstr(reason, part_of_reason))
		fail_msg("%s: %d, \"%s\" instead of \"%s\"", line, r, reason, part_of_reason);
}

static void lines_are_as_the_documents_show(void **state)
{
	struct reading air = reading_of("salon/bme280/temperature", 21.4);
	struct buffer out = BUFFER_EMPTY;

	(void)state;
	assert_string_equal("2026-01-01T10:00:00.007Z,salon,bme280,temperature,21.4,°C\n", written(CTL_ROW_CSV, &air));
	assert_string_equal("{\"series\":\"salon/bme280/temperature\",\"time\":1767261600007,\"value\":21.4,\"unit\":\"°C\"}\n",
			    written(CTL_ROW_JSONL, &air));
	ctl_row_write_header(CTL_ROW_JSONL, &out);
	assert_int_equal(0, out.len);
	ctl_row_write_header(CTL_ROW_CSV, &out);
	assert_string_equal("time,node,device,quantity,value,unit\n", buffer_text(&out));
	buffer_done(&out);
}

static void every_double_comes_back_to_the_last_bit(void **state)
{
	/* clang-format off */
	static const double numbers[] = {
		0.1,  1.0 / 3, 0.1 + 0.2, 1e-300, DBL_MIN,          DBL_TRUE_MIN,        DBL_MAX, -DBL_MAX, DBL_EPSILON,     1e22,
		1e23, -0.5,    M_PI,      5e-324, 9007199254740994.0, 123456789.123456789, 4.35,    0.00001,  999999999.99999, 0
	};
	/* clang-format on */
	uint64_t bits = 88172645463325252;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		for (int form = 0; form < 2; form++) {
			struct reading reading = reading_of("a/b/thing", numbers[i]);

			assert_comes_back((enum ctl_row_form)form, &reading);
		}
	for (int i = 0; i < 20000; i++) { /* xorshift64: any finite double */
		struct reading reading;
		double number;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&number, &bits, sizeof(number));
		if (!isfinite(number))
			continue;
		reading = reading_of("a/b/thing", number);
		assert_comes_back(i % 2 ? CTL_ROW_CSV : CTL_ROW_JSONL, &reading);
	}
}

static void a_unit_of_its_own_does_not_touch_the_number(void **state)
{
	struct reading air = reading_of("a/b/temperature", 0.1 + 0.2);

	(void)state;
	assert_comes_back(CTL_ROW_CSV, &air);
	assert_comes_back(CTL_ROW_JSONL, &air);
}

static void texts_come_back_as_they_were(void **state)
{
	static const char *const texts[] = { "",
					     "it's \"déjà vu\"; DROP TABLE node; --",
					     "a,b;c\td",
					     "\"",
					     "\"\"",
					     "\\",
					     "\\u0041",
					     "12",
					     "=1+1",
					     " spaces ",
					     "\xf0\x9f\x8f\xa0 家",
					     "{}",
					     "null",
					     "\\\"",
					     ",",
					     "#",
					     "\xc2\xa0" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (int form = 0; form < 2; form++) {
			struct reading reading = reading_of("a/b/text", 0);

			if (value_of_text(texts[i], strlen(texts[i]), &reading.value) < 0) /* a tab is no text */
				continue;
			assert_comes_back((enum ctl_row_form)form, &reading);
		}
}

static void times_come_back_to_the_millisecond(void **state)
{
	static const int64_t times[] = { 946684800000, 946684800001, 1709164799999, 1767261600000, NOW + 86400000 };

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		for (int form = 0; form < 2; form++) {
			struct reading reading = reading_of("a/b/thing", 1);

			reading.time_ms = times[i];
			assert_comes_back((enum ctl_row_form)form, &reading);
		}
}

static void the_first_line_names_columns_in_any_order(void **state)
{
	static const char *const headers[][2] = {
		{ "time,node,device,quantity,value,unit", "1767261600007,a,b,temperature,294.55,K" },
		{ "value;unit;time;series", "294.55;K;1767261600007;a/b/temperature" },
		{ "Series\tTime\tValue\tUnit\tremark", "a/b/temperature\t2026-01-01T11:00:00.007+01:00\t294.55\tK\thot" },
		{ "\"time\",\"series\",\"value\"", "\"2026-01-01T10:00:00.007Z\",\"a/b/temperature\",\"21.4\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		struct ctl_reader reader = after(headers[i][0]);
		struct reading reading;

		if (read_line(&reader, headers[i][1], &reading) != 1)
			fail_msg("%s: %s", headers[i][1], reason);
		assert_int_equal(TEN_OCLOCK + 7, reading.time_ms);
		assert_float_equal(21.4, reading.value.number, 1e-9);
		assert_string_equal("temperature", reading.series.quantity);
	}
}

static void a_first_line_that_names_too_little_is_told_what_is_wanted(void **state)
{
	static const char *const lines[] = { "1767261600007,a,b,temperature,21", "time,value", "time,node,device,value", "x",
					     "time,time,series,value" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct ctl_reader reader = { .form = CTL_ROW_CSV };

		assert_refused(&reader, lines[i], "the first line names");
	}
}

static void bad_lines_of_csv_say_what_is_allowed(void **state)
{
	static const char *const lines[][2] = {
		{ "1767261600007,a,b,temperature", "4 columns, the first line names 6" },
		{ "1767261600007,a,b,temperature,21,°C,", "7 columns" },
		{ "1767261600007,a,b,temperature,warm,°C", "\"warm\" is not a finite number" },
		{ "1767261600007,a,b,temperature,nan,°C", "\"nan\" is not a finite number" },
		{ "1767261600007,a,b,temperature,1e999,°C", "is not a finite number" },
		{ "1767261600007,a,b,temperature,0x10,°C", "is not a finite number" },
		{ "1767261600007,a,b,temperature,,°C", "is not a finite number" },
		{ "1767261600007,a,b,temperature,5000,°C", "over 1000" },
		{ "1767261600007,a,b,temperature,21,lx", "unit \"lx\" is not known for temperature; allowed: °C" },
		{ "1767261600007,A,b,temperature,21,", "names are [a-z0-9]" },
		{ "1767261600007,a,b,node,21,", "names are" },
		{ "1767261600007,a/b,c,temperature,21,", "series" },
		{ "1767261600007,"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,b,"
		  "temperature,21,",
		  "at most 32 bytes" },
		{ "2026-01-01T10:00:00,a,b,temperature,21,", "RFC 3339 with a zone" },
		{ "yesterday,a,b,temperature,21,", "milliseconds since 1970" },
		{ ",a,b,temperature,21,", "milliseconds since 1970" },
		{ "99999999999999999999,a,b,temperature,21,", "milliseconds since 1970" },
		{ "1767261600,a,b,temperature,21,", "before the year 2000" },
		{ "1777261600007,a,b,temperature,21,", "more than a day ahead" },
		{ "1767261600007,a,b,contact,2,", "neither" },
		{ "1767261600007,a,b,text,\"open,", "a quote that is not closed" },
		{ "1767261600007,a,b,text,\"a\"b,", "text after a closing quote" },
		{ "1767261600007,a,b,text,a\x01"
		  "b,",
		  "control characters" },
	};
	struct ctl_reader reader = after("time,node,device,quantity,value,unit");

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_refused(&reader, lines[i][0], lines[i][1]);
}

static void bad_json_lines_say_what_is_allowed(void **state)
{
	static const char *const lines[][2] = {
		{ "{", "not a JSON object" },
		{ "[]", "not a JSON object" },
		{ "{\"series\":\"a/b/thing\",\"time\":1767261600007,\"value\":1} x", "not a JSON object" },
		{ "{\"time\":1767261600007,\"value\":1}", "no \"series\"" },
		{ "{\"series\":\"a/b\",\"time\":1767261600007,\"value\":1}", "is not NODE/DEVICE/QUANTITY" },
		{ "{\"series\":\"a/b/thing\",\"value\":1}", "no time" },
		{ "{\"series\":\"a/b/thing\",\"time\":1767261600007.5,\"value\":1}", "no time" },
		{ "{\"series\":\"a/b/thing\",\"time\":1767261600007}", "no \"value\"" },
		{ "{\"series\":\"a/b/thing\",\"time\":1767261600007,\"value\":\"1\"}", "not a finite number" },
		{ "{\"series\":\"a/b/thing\",\"time\":1767261600007,\"value\":null}", "not a finite number" },
		{ "{\"series\":\"a/b/text\",\"time\":1767261600007,\"value\":1}", "not a string" },
		{ "{\"series\":\"a/b/text\",\"time\":1767261600007,\"value\":\"a\\u0000b\"}", "control characters" },
		{ "{\"series\":\"a/b/text\",\"time\":1767261600007,\"value\":\"a\\nb\"}", "control characters" },
	};
	struct ctl_reader reader = { .form = CTL_ROW_JSONL };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_refused(&reader, lines[i][0], lines[i][1]);
}

static void words_of_binaries_and_empty_lines_are_understood(void **state)
{
	struct ctl_reader csv = after("time,series,value"), json = { .form = CTL_ROW_JSONL };
	struct reading reading;

	(void)state;
	assert_int_equal(1, read_line(&csv, "1767261600007,a/b/contact,open", &reading));
	assert_float_equal(1, reading.value.number, 0);
	assert_int_equal(0, read_line(&csv, "", &reading));
	assert_int_equal(0, read_line(&json, "", &reading));
	assert_int_equal(1, read_line(&json,
				      "{\"node\":\"a\",\"device\":\"b\",\"quantity\":\"switch\",\"time\":\"2026-01-01T10:00:00Z\","
				      "\"value\":false}",
				      &reading));
	assert_float_equal(0, reading.value.number, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_as_the_documents_show),
		cmocka_unit_test(every_double_comes_back_to_the_last_bit),
		cmocka_unit_test(a_unit_of_its_own_does_not_touch_the_number),
		cmocka_unit_test(texts_come_back_as_they_were),
		cmocka_unit_test(times_come_back_to_the_millisecond),
		cmocka_unit_test(the_first_line_names_columns_in_any_order),
		cmocka_unit_test(a_first_line_that_names_too_little_is_told_what_is_wanted),
		cmocka_unit_test(bad_lines_of_csv_say_what_is_allowed),
		cmocka_unit_test(bad_json_lines_say_what_is_allowed),
		cmocka_unit_test(words_of_binaries_and_empty_lines_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
