/* What test_wire.c leaves: results, receipts, status, times, and reasons for what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/wire.h"

static struct series series_of(const char *quantity)
{
	struct series series;

	assert_int_equal(0, series_make("salon", "dev", quantity, &series));
	return series;
}

static int parse_command(const char *quantity, const char *payload, struct command *command, char *reason)
{
	struct series series = series_of(quantity);

	return wire_parse_command(&series, payload, strlen(payload), command, reason);
}

static void a_command_is_read_by_the_rules_of_readings(void **state)
{
	struct command command;
	char reason[READING_REASON_MAX];

	(void)state;
	assert_int_equal(0, parse_command("position", "{\"value\":90,\"id\":\"7f\",\"by\":\"zoé\"}", &command, reason));
	assert_float_equal(90, command.value.number, 0);
	assert_string_equal("7f", command.id);
	assert_string_equal("zoé", command.by);
	assert_int_equal(0, command.expires_ms);
	assert_int_equal(0, parse_command("switch", "{\"value\":true}", &command, reason));
	assert_int_equal(0, parse_command("switch", "{\"value\":\"off\"}", &command, reason));
	assert_float_equal(0, command.value.number, 0);
	assert_int_equal(0, parse_command("text", "good morning", &command, reason));
	assert_string_equal("good morning", command.value.text);
	assert_int_equal(0, parse_command("text", "{\"value\":\"{}\"}", &command, reason));
	assert_string_equal("{}", command.value.text);
}

static void a_command_that_is_none_says_why_and_whose_it_was(void **state)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"{\"value\":null}",
		"{\"value\":1,\"id\":5}",
		"nan",
		"{\"value\":1",
		"[1]",
		"{\"value\":1,\"by\":\"two\\nlines\"}",
	};
	struct command command;
	char reason[READING_REASON_MAX], text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		reason[0] = '\0';
		assert_int_equal(-EINVAL, parse_command("position", wrong[i], &command, reason));
		assert_true(reason[0]);
	}
	snprintf(text, sizeof(text), "{\"value\":1,\"id\":\"%065d\"}", 1);
	assert_int_equal(-EINVAL, parse_command("position", text, &command, reason));
	assert_string_equal("", command.id);
	assert_int_equal(-EINVAL, parse_command("position", "{\"id\":\"7f\",\"value\":\"up\"}", &command, reason));
	assert_string_equal("7f", command.id);
	assert_int_equal(-EINVAL, parse_command("position", "{\"id\":\"80\"}", &command, reason));
	assert_string_equal("80", command.id);
}

static void a_result_may_leave_out_all_but_ok(void **state)
{
	struct series series = series_of("switch");
	struct command_result result;

	(void)state;
	assert_int_equal(0, wire_parse_result(&series, "{\"ok\":true}", 11, &result));
	assert_true(result.ok);
	assert_false(result.has_value);
	assert_string_equal("", result.id);
	assert_true(result.time_ms == TIME_NONE);
	assert_int_equal(0, wire_parse_result(&series, "{\"ok\":true,\"value\":1,\"time\":1795489977123}", 42, &result));
	assert_true(result.has_value);
	assert_int_equal(1795489977123, result.time_ms);
}

static void a_result_that_is_none_is_refused(void **state)
{
	static const char *const wrong[] = { "", "ok", "{}", "[]", "{\"ok\":\"yes\"}", "{\"ok\":true,\"id\":7}", "{\"ok\":true" };
	struct series series = series_of("switch");
	struct command_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(-EINVAL, wire_parse_result(&series, wrong[i], strlen(wrong[i]), &result));
}

static void what_does_not_fit_is_not_cut(void **state)
{
	struct command_result result = { .series = series_of("switch"), .error = "over 180", .time_ms = TIME_NONE };
	struct command command = { .series = series_of("switch"), .value = value_of_number(1) };
	struct reading reading = { .series = series_of("switch"), .value = value_of_number(1), .time_ms = 1795489977123 };
	const struct wire_range range = { 1, 2 };
	char buf[64];

	(void)state;
	for (size_t size = 0; size < 11; size++) {
		assert_int_equal(-ENOSPC, wire_format_result(&result, buf, size));
		assert_int_equal(-ENOSPC, wire_format_command(&command, buf, size));
		assert_int_equal(-ENOSPC, wire_format_reading(&reading, buf, size));
		assert_int_equal(-ENOSPC, wire_format_receipt(&range, 1, buf, size));
	}
	assert_int_equal(11, wire_format_command(&command, buf, 12));
	assert_string_equal("{\"value\":1}", buf);
}

static void a_receipt_that_is_none_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"{\"seq\":5}",
		"{\"seq\":[5]}",
		"{\"seq\":[[1]]}",
		"{\"seq\":[[1,2,3]]}",
		"{\"seq\":[[0,2]]}",
		"{\"seq\":[[1,\"2\"]]}",
		"{\"seq\":[[1,1e300]]}",
	};
	struct wire_range ranges[4];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(-EINVAL, wire_parse_receipt(wrong[i], strlen(wrong[i]), ranges, 4));
	assert_int_equal(0, wire_parse_receipt("{\"seq\":[]}", 10, ranges, 4));
}

static void a_status_is_online_or_offline(void **state)
{
	bool online = false;

	(void)state;
	assert_int_equal(0, wire_parse_status("online", 6, &online));
	assert_true(online);
	assert_int_equal(0, wire_parse_status("offline", 7, &online));
	assert_false(online);
	assert_int_equal(-EINVAL, wire_parse_status("Online", 6, &online));
	assert_int_equal(-EINVAL, wire_parse_status("online ", 7, &online));
	assert_int_equal(-EINVAL, wire_parse_status("", 0, &online));
}

/* Counted with date -d ... +%s. */
static void times_of_rfc_3339_are_understood(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} times[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-24T14:04:05Z", 1795529045000 },
		{ "2026-11-24t15:04:05.1+01:00", 1795529045100 },
		{ "2026-11-24 09:34:05.123456789-04:30", 1795529045123 },
		{ "2024-02-29T23:59:60Z", 1709251200000 },
		{ "1999-12-31T23:59:59.999Z", 946684799999 },
	};
	static const char *const wrong[] = {
		"",
		"2026-11-24",
		"2026-11-24T14:04Z",
		"2026-11-24T14:04:05",
		"2026-13-01T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"2026-11-24T24:00:00Z",
		"2026-11-24T14:04:05.Z",
		"2026-11-24T14:04:05Zx",
		"2026-11-24T14:04:05+0100",
		"26-11-24T14:04:05Z",
		"2026-11-24T14:04:05+24:00",
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		assert_int_equal(0, wire_parse_time(times[i].text, &ms));
		assert_int_equal(times[i].ms, ms);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(-EINVAL, wire_parse_time(wrong[i], &ms));
}

struct refusal {
	int count;
	char reason[READING_REASON_MAX];
};

static int take(void *context, const struct reading *reading, const char *unit)
{
	(void)context;
	(void)reading;
	(void)unit;
	return -ECANCELED;
}

static void refuse(void *context, const char *element, size_t len, const char *reason)
{
	struct refusal *refusal = context;

	(void)element;
	(void)len;
	refusal->count++;
	snprintf(refusal->reason, sizeof(refusal->reason), "%s", reason);
}

static void a_reason_is_clean_text_whatever_the_payload_was(void **state)
{
	static const char *const payloads[] = { "\xff\xfe\x01", "\n\x1b[31m", "ééééééééééééééééééééé",
						"{\"value\":1,\"unit\":\"\xff\"}" };
	struct series series = series_of("temperature");
	struct wire_topic topic;
	struct value value;
	char reason[READING_REASON_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(*payloads); i++) {
		struct refusal refusal = { 0 };

		assert_int_equal(0, wire_parse_readings(&series, payloads[i], strlen(payloads[i]), take, refuse, &refusal));
		assert_int_equal(1, refusal.count);
		assert_int_equal(0, value_of_text(refusal.reason, strlen(refusal.reason), &value));
	}
	assert_int_equal(-EINVAL, wire_parse_topic("foyer", "foyer/ééééééééééééééééééééé/a/temperature", &topic, reason));
	assert_int_equal(0, value_of_text(reason, strlen(reason), &value));
}

static void who_takes_readings_may_stop(void **state)
{
	struct series series = series_of("temperature");
	struct refusal refusal = { 0 };

	(void)state;
	assert_int_equal(-ECANCELED, wire_parse_readings(&series, "1", 1, take, refuse, &refusal));
	assert_int_equal(-ECANCELED, wire_parse_readings(&series, "[{\"value\":1},{\"value\":2}]", 25, take, refuse, &refusal));
	assert_int_equal(0, refusal.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_read_by_the_rules_of_readings),
		cmocka_unit_test(a_command_that_is_none_says_why_and_whose_it_was),
		cmocka_unit_test(a_result_may_leave_out_all_but_ok),
		cmocka_unit_test(a_result_that_is_none_is_refused),
		cmocka_unit_test(what_does_not_fit_is_not_cut),
		cmocka_unit_test(a_receipt_that_is_none_is_refused),
		cmocka_unit_test(a_status_is_online_or_offline),
		cmocka_unit_test(times_of_rfc_3339_are_understood),
		cmocka_unit_test(a_reason_is_clean_text_whatever_the_payload_was),
		cmocka_unit_test(who_takes_readings_may_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
