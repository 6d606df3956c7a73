/* The notation, by DESIGN 2; times are counted by hand with date(1). */
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

struct got {
	struct reading readings[8];
	int count, refusals;
	char reason[READING_REASON_MAX];
};

static int take(void *context, const struct reading *reading, const char *unit)
{
	struct got *got = context;

	(void)unit;
	if (got->count < 8)
		got->readings[got->count] = *reading;
	got->count++;
	return 0;
}

static void refuse(void *context, const char *element, size_t len, const char *reason)
{
	struct got *got = context;

	(void)element;
	(void)len;
	got->refusals++;
	snprintf(got->reason, sizeof(got->reason), "%s", reason);
}

static struct got parse_bytes(const char *quantity, const char *payload, size_t len)
{
	struct got got = { 0 };
	struct series series;

	assert_int_equal(0, series_make("salon", "dev", quantity, &series));
	assert_int_equal(got.count, 0);
	assert_true(wire_parse_readings(&series, payload, len, take, refuse, &got) == got.count);
	return got;
}

static struct got parse(const char *quantity, const char *payload)
{
	return parse_bytes(quantity, payload, strlen(payload));
}

static void assert_number(const char *quantity, const char *payload, double expected)
{
	struct got got = parse(quantity, payload);

	assert_int_equal(1, got.count);
	assert_int_equal(VALUE_NUMBER, got.readings[0].value.kind);
	assert_float_equal(expected, got.readings[0].value.number, 1e-9);
}

static void assert_refused(const char *quantity, const char *payload, const char *part_of_reason)
{
	struct got got = parse(quantity, payload);

	if (got.count != 0 || got.refusals != 1 || !strstr(got.reason, part_of_reason))
		fail_msg("%s of %s: %d taken, %d refused: %s", payload, quantity, got.count, got.refusals, got.reason);
}

static void a_bare_value_is_a_reading_without_a_time(void **state)
{
	struct got got = parse("temperature", "24");

	(void)state;
	assert_number("temperature", "24", 24);
	assert_number("temperature", " -3.5\n", -3.5);
	assert_number("temperature", "+1.5e1", 15);
	assert_true(got.readings[0].time_ms == TIME_NONE);
	assert_int_equal(0, got.readings[0].seq);
}

static void an_object_may_leave_out_all_but_the_value(void **state)
{
	struct got got = parse("temperature", "{\"value\":24.3,\"time\":1795489977123,\"unit\":\"°C\",\"seq\":1201}");

	(void)state;
	assert_int_equal(1, got.count);
	assert_float_equal(24.3, got.readings[0].value.number, 0);
	assert_int_equal(1795489977123, got.readings[0].time_ms);
	assert_int_equal(1201, got.readings[0].seq);
	assert_number("temperature", " { \"value\" : 2.5e1 } ", 25);
	assert_number("temperature", "{\"value\":24,\"note\":{\"a\":[1]}}", 24);
}

static void times_may_be_rfc_3339(void **state)
{
	struct got got = parse("temperature", "{\"value\":1,\"time\":\"2026-11-24T15:04:05.25+01:00\"}");

	(void)state;
	assert_int_equal(1795529045250, got.readings[0].time_ms); /* date -d 2026-11-24T14:04:05.25Z +%s%3N */
	assert_refused("temperature", "{\"value\":1,\"time\":\"2026-02-30T00:00:00Z\"}", "time");
	assert_refused("temperature", "{\"value\":1,\"time\":\"2026-11-24T15:04:05\"}", "time");
	assert_refused("temperature", "{\"value\":1,\"time\":1.5}", "time");
}

static void units_are_converted_and_unknown_ones_refused(void **state)
{
	(void)state;
	assert_number("temperature", "{\"value\":212,\"unit\":\"°F\"}", 100);
	assert_number("temperature", "{\"value\":273.15,\"unit\":\"K\"}", 0);
	assert_number("pressure", "{\"value\":101325,\"unit\":\"Pa\"}", 1013.25);
	assert_number("distance", "{\"value\":1.5,\"unit\":\"m\"}", 150);
	assert_number("voltage", "{\"value\":3300,\"unit\":\"mV\"}", 3.3);
	assert_number("power", "{\"value\":500,\"unit\":\"mW\"}", 0.5);
	assert_refused("temperature", "{\"value\":1,\"unit\":\"furlong\"}", "allowed: °C");
}

static void binary_quantities_take_words(void **state)
{
	(void)state;
	assert_number("switch", "on", 1);
	assert_number("switch", "OFF", 0);
	assert_number("contact", "open", 1);
	assert_number("contact", "{\"value\":\"closed\"}", 0);
	assert_number("motion", "{\"value\":true}", 1);
	assert_number("motion", "1", 1);
	assert_refused("motion", "perhaps", "neither");
	assert_refused("temperature", "on", "not a finite number");
}

static void texts_are_utf_8_of_at_most_256_bytes(void **state)
{
	struct got got = parse("badge", "04:A2:1F");
	char text[300];

	(void)state;
	assert_string_equal("04:A2:1F", got.readings[0].value.text);
	got = parse("text", "{\"value\":\"déjà vu\"}");
	assert_string_equal("déjà vu", got.readings[0].value.text);
	memset(text, 'x', sizeof(text));
	text[256] = '\0';
	assert_int_equal(1, parse("text", text).count);
	text[256] = 'x';
	text[257] = '\0';
	assert_refused("text", text, "256 bytes");
	assert_refused("text", "\xff\xfe", "UTF-8");
	assert_refused("text", "two\nlines", "control");
}

static void garbage_is_refused_with_a_reason(void **state)
{
	static const char *const garbage[] = {
		"",
		"nan",
		"NaN",
		"inf",
		"-infinity",
		"0x10",
		"1e999",
		"1,5",
		"12abc",
		"--1",
		"null",
		"[]x",
		"{",
		"{\"value\":}",
		"{\"value\":\"12\"}",
		"{\"value\":1e999}",
		"{\"value\":null}",
		"{\"Value\":1}",
		"{}",
		"{\"value\":1}{\"value\":2}",
		"{\"value\":1,\"seq\":0}",
		"{\"value\":1,\"seq\":-5}",
		"{\"value\":1,\"seq\":1.5}",
		"{\"value\":[1]}",
		"\"24\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++)
		assert_refused("temperature", garbage[i], "");
}

static void a_payload_over_64_kib_is_refused(void **state)
{
	size_t len = WIRE_PAYLOAD_MAX + 1;
	char *payload = malloc(len);
	struct got got;

	(void)state;
	memset(payload, ' ', len);
	payload[0] = '1';
	assert_int_equal(1, parse_bytes("temperature", payload, len - 1).count);
	got = parse_bytes("temperature", payload, len);
	assert_int_equal(1, got.refusals);
	assert_string_equal("over 64 KiB", got.reason);
	free(payload);
}

static void a_nul_or_a_bomb_does_no_harm(void **state)
{
	char bomb[20000];
	struct got got = parse_bytes("temperature", "{\"value\":1}\0{", 13);

	(void)state;
	assert_int_equal(0, got.count);
	assert_int_equal(1, got.refusals);
	memset(bomb, '[', sizeof(bomb));
	got = parse_bytes("temperature", bomb, sizeof(bomb));
	assert_int_equal(1, got.refusals);
}

static void a_batch_gives_its_readings_in_order_and_refuses_the_bad_ones_alone(void **state)
{
	struct got got = parse("temperature", "[{\"value\":1,\"time\":1795489977001},{\"value\":\"x\"},{\"value\":3,\"seq\":7}]");

	(void)state;
	assert_int_equal(2, got.count);
	assert_int_equal(1, got.refusals);
	assert_float_equal(1, got.readings[0].value.number, 0);
	assert_int_equal(7, got.readings[1].seq);
}

static void a_reading_survives_the_way_there_and_back(void **state)
{
	static const double numbers[] = { 0, -0.5, 21.4, 1e-9, 1.0 / 3, 123456789.123, 1e21, -1e-300, 1795489977123 };
	struct reading reading = { .time_ms = 1795489977123, .seq = 9007199254740992 };
	char payload[WIRE_READING_MAX];

	(void)state;
	assert_int_equal(0, series_make("salon", "dev", "thing", &reading.series));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct got got;

		reading.value = value_of_number(numbers[i]);
		assert_true(wire_format_reading(&reading, payload, sizeof(payload)) > 0);
		got = parse("thing", payload);
		assert_int_equal(1, got.count);
		assert_true(value_equal(&reading.value, &got.readings[0].value));
		assert_int_equal(reading.time_ms, got.readings[0].time_ms);
		assert_int_equal(reading.seq, got.readings[0].seq);
	}
}

static void topics_are_taken_apart_and_put_together(void **state)
{
	static const struct {
		const char *text;
		enum wire_kind kind;
	} topics[] = {
		{ "my/home/salon/bme280/temperature", WIRE_READING },
		{ "my/home/salon/lamp/switch/set", WIRE_SET },
		{ "my/home/salon/lamp/switch/result", WIRE_RESULT },
		{ "my/home/salon/$status", WIRE_STATUS },
		{ "my/home/salon/$info", WIRE_INFO },
		{ "my/home/salon/$health", WIRE_HEALTH },
		{ "my/home/salon/$stored", WIRE_STORED },
		{ "my/home/$collector/$status", WIRE_COLLECTOR_STATUS },
		{ "my/home/$collector/$health", WIRE_COLLECTOR_HEALTH },
	};
	char reason[READING_REASON_MAX], text[WIRE_TOPIC_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++) {
		struct wire_topic topic;

		assert_int_equal(0, wire_parse_topic("my/home", topics[i].text, &topic, reason));
		assert_int_equal(topics[i].kind, topic.kind);
		assert_string_equal(topics[i].text, wire_format_topic("my/home", topic.kind, &topic.series, text));
	}
}

static void a_topic_that_is_none_says_why(void **state)
{
	struct wire_topic topic;
	char reason[READING_REASON_MAX];

	(void)state;
	assert_int_equal(-ENOENT, wire_parse_topic("foyer", "other/salon/a/temperature", &topic, reason));
	assert_int_equal(-ENOENT, wire_parse_topic("foyer", "foyers/salon/a/temperature", &topic, reason));
	assert_int_equal(-ENOENT, wire_parse_topic("foyer", "foyer/salon/temperature", &topic, reason));
	assert_int_equal(-ENOENT, wire_parse_topic("foyer", "foyer/a/b/c/d/e", &topic, reason));
	assert_int_equal(-EINVAL, wire_parse_topic("foyer", "foyer/Salon/a/temperature", &topic, reason));
	assert_non_null(strstr(reason, "node \"Salon\""));
	assert_int_equal(-EINVAL, wire_parse_topic("foyer", "foyer/salon/a/series", &topic, reason));
	assert_int_equal(-EINVAL, wire_parse_topic("foyer", "foyer/salon/a/t; drop table", &topic, reason));
	assert_int_equal(-EINVAL, wire_parse_topic("foyer", "foyer/salon//temperature", &topic, reason));
}

static void commands_are_bare_or_objects(void **state)
{
	struct command command, again;
	char reason[READING_REASON_MAX], payload[256];
	struct series series;
	int len;

	(void)state;
	assert_int_equal(0, series_make("salon", "lamp", "switch", &series));
	assert_int_equal(0, wire_parse_command(&series, "on", 2, &command, reason));
	assert_float_equal(1, command.value.number, 0);
	assert_string_equal("", command.id);
	assert_int_equal(-EINVAL, wire_parse_command(&series, "maybe", 5, &command, reason));
	strcpy(command.id, "7f\"3a");
	strcpy(command.by, "Zoé");
	len = wire_format_command(&command, payload, sizeof(payload));
	assert_int_equal(0, wire_parse_command(&series, payload, (size_t)len, &again, reason));
	assert_string_equal(command.id, again.id);
	assert_string_equal(command.by, again.by);
}

static void results_survive_the_way_there_and_back(void **state)
{
	struct command_result result = { .time_ms = 1795489977123, .id = "7f3a", .error = "over 180" }, again;
	char payload[512];
	int len;

	(void)state;
	assert_int_equal(0, series_make("salon", "servo", "position", &result.series));
	len = wire_format_result(&result, payload, sizeof(payload));
	assert_string_equal("{\"id\":\"7f3a\",\"ok\":false,\"error\":\"over 180\",\"time\":1795489977123}", payload);
	assert_int_equal(0, wire_parse_result(&result.series, payload, (size_t)len, &again));
	assert_false(again.ok);
	assert_string_equal("over 180", again.error);
	assert_int_equal(-EINVAL, wire_parse_result(&result.series, "{\"ok\":1}", 8, &again));
}

static void receipts_are_rising_ranges(void **state)
{
	const struct wire_range ranges[] = { { 1, 5 }, { 9, 9 } };
	struct wire_range again[2];
	char payload[128];
	int len = wire_format_receipt(ranges, 2, payload, sizeof(payload));

	(void)state;
	assert_string_equal("{\"seq\":[[1,5],[9,9]]}", payload);
	assert_int_equal(2, wire_parse_receipt(payload, (size_t)len, again, 2));
	assert_int_equal(9, again[1].last);
	assert_int_equal(-ENOSPC, wire_parse_receipt(payload, (size_t)len, again, 1));
	assert_int_equal(-EINVAL, wire_parse_receipt("{\"seq\":[[5,1]]}", 15, again, 2));
}

static void times_are_written_as_rfc_3339(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal("2026-11-24T14:04:05.250Z", wire_format_time(1795529045250, text));
	assert_string_equal("1969-12-31T23:59:59.999Z", wire_format_time(-1, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_value_is_a_reading_without_a_time),
		cmocka_unit_test(an_object_may_leave_out_all_but_the_value),
		cmocka_unit_test(times_may_be_rfc_3339),
		cmocka_unit_test(units_are_converted_and_unknown_ones_refused),
		cmocka_unit_test(binary_quantities_take_words),
		cmocka_unit_test(texts_are_utf_8_of_at_most_256_bytes),
		cmocka_unit_test(garbage_is_refused_with_a_reason),
		cmocka_unit_test(a_payload_over_64_kib_is_refused),
		cmocka_unit_test(a_nul_or_a_bomb_does_no_harm),
		cmocka_unit_test(a_batch_gives_its_readings_in_order_and_refuses_the_bad_ones_alone),
		cmocka_unit_test(a_reading_survives_the_way_there_and_back),
		cmocka_unit_test(topics_are_taken_apart_and_put_together),
		cmocka_unit_test(a_topic_that_is_none_says_why),
		cmocka_unit_test(commands_are_bare_or_objects),
		cmocka_unit_test(results_survive_the_way_there_and_back),
		cmocka_unit_test(receipts_are_rising_ranges),
		cmocka_unit_test(times_are_written_as_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
