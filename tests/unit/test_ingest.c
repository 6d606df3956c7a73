/* links: collector/ingest.c collector/elements.c collector/refusals.c collector/receipts.c collector/repeats.c collector/repeats_store.c tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* From messages to rows: what the broker may bring, in any state. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../collector/ingest.h"
#include "../../collector/repeats_store.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/house.h"

static struct ingest *ingest;
static struct receipts *receipts;
static struct repeats *repeats;
static uint16_t packet_id;
static int64_t now_ms;
static int saved_stderr;

static int open_all(void **state)
{
	int log;

	house_open(state);
	log = open(folder_path("log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	saved_stderr = dup(STDERR_FILENO);
	dup2(log, STDERR_FILENO);
	close(log);
	receipts = receipts_open();
	repeats = repeats_open();
	ingest = ingest_open("foyer", receipts, repeats);
	packet_id = 0;
	now_ms = TEN_OCLOCK;
	fake_boot_ms = 1000000;
	return 0;
}

static int close_all(void **state)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	ingest_close(ingest);
	repeats_close(repeats);
	receipts_close(receipts);
	return house_close(state);
}

static int deliver(const char *topic, const void *payload, size_t len, int qos, bool retain)
{
	struct bus_message message = { .topic = topic,
				       .payload = len ? payload : NULL,
				       .len = len,
				       .qos = qos,
				       .retain = retain,
				       .packet_id = qos ? ++packet_id : 0 };

	return ingest_message(ingest, house, &message, now_ms);
}

static void live(const char *topic, const char *payload)
{
	assert_int_equal(0, deliver(topic, payload, strlen(payload), 1, false));
}

static void retained(const char *topic, const char *payload)
{
	assert_int_equal(0, deliver(topic, payload, strlen(payload), 1, true));
}

static void assert_query(const char *expected, const char *sql)
{
	house_commit();
	assert_string_equal(expected, house_query(sql));
}

static char receipt[512];

static void note_receipt(void *context, const char *node, const struct wire_range *ranges, size_t count)
{
	(void)context;
	for (size_t i = 0; i < count; i++)
		snprintf(receipt + strlen(receipt), sizeof(receipt) - strlen(receipt), "%s:%lld-%lld ", node,
			 (long long)ranges[i].first, (long long)ranges[i].last);
}

static const char *sent_receipts(void)
{
	receipt[0] = '\0';
	receipts_send(receipts, note_receipt, NULL);
	return receipt;
}

static const char *told(void)
{
	static char text[8192];
	int log = open(folder_path("log"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(log, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	close(log);
	return text;
}

static int told_lines(void)
{
	int lines = 0;

	for (const char *p = told(); *p; p++)
		lines += *p == '\n';
	return lines;
}

/* ---- readings -------------------------------------------------------------------------------------------------------------------- */

static void bare_readings_have_their_time_of_arrival_and_none_overwrites_another(void **state)
{
	(void)state;
	live("foyer/salon/bme280/temperature", "24");
	live("foyer/salon/bme280/temperature", "24");
	live("foyer/salon/bme280/temperature", "25");
	assert_query("1767261600000=24 1767261600001=24 1767261600002=25",
		     "SELECT group_concat(time || '=' || value, ' ') FROM temperature ORDER BY time");
	assert_int_equal(3, ingest_counts(ingest)->stored);
}

static void a_timed_reading_is_stored_at_its_time_and_once(void **state)
{
	static const char reading[] = "{\"value\":24.3,\"time\":1767261500123,\"unit\":\"°C\",\"seq\":1201}";

	(void)state;
	live("foyer/salon/bme280/temperature", reading);
	live("foyer/salon/bme280/temperature", reading);
	assert_query("1767261500123=24.3", "SELECT group_concat(time || '=' || value) FROM temperature");
	assert_int_equal(1, ingest_counts(ingest)->stored);
	assert_int_equal(1, ingest_counts(ingest)->known);
	assert_string_equal("salon:1201-1201 ", sent_receipts());
}

static void the_same_instant_with_another_value_goes_to_rejected(void **state)
{
	(void)state;
	live("foyer/salon/bme280/temperature", "{\"value\":24,\"time\":1767261500123,\"seq\":1}");
	live("foyer/salon/bme280/temperature", "{\"value\":25,\"time\":1767261500123,\"seq\":2}");
	assert_query("24", "SELECT value FROM temperature");
	assert_query("foyer/salon/bme280/temperature|another value stands at this time already",
		     "SELECT topic || '|' || reason FROM rejected");
	assert_string_equal("salon:1-2 ", sent_receipts()); /* settled: its node need not send it for ever */
}

static void what_is_refused_is_kept_as_it_came(void **state)
{
	(void)state;
	live("foyer/salon/bme280/humidity", " {\"value\":120.50,\"note\":\"], {\\\"\"}");
	assert_query(" {\"value\":120.50,\"note\":\"], {\\\"\"}", "SELECT payload FROM rejected");
	live("foyer/salon/bme280/humidity", "+1e3");
	assert_query("+1e3", "SELECT payload FROM rejected ORDER BY id DESC");
	live("foyer/salon/bme280/humidity",
	     "[ {\"value\":48,\"time\":1767261500001,\"x\":[1,{}]} , {\"value\" : 1.20E2,\"time\":1767261500002},\"],\"]");
	assert_query("{\"value\" : 1.20E2,\"time\":1767261500002}", "SELECT payload FROM rejected WHERE id = 3");
	assert_query("\"],\"", "SELECT payload FROM rejected WHERE id = 4");
	assert_query("4", "SELECT count(*) FROM rejected");
}

static void units_are_converted_on_the_way(void **state)
{
	(void)state;
	live("foyer/salon/bme280/temperature", "{\"value\":68,\"unit\":\"°F\"}");
	assert_query("20", "SELECT value FROM temperature");
}

static void each_element_of_a_batch_stands_for_itself(void **state)
{
	(void)state;
	live("foyer/salon/bme280/humidity",
	     "[{\"value\":48,\"time\":1767261500001,\"seq\":5},{\"value\":120,\"time\":1767261500002,\"seq\":6},"
	     "{\"value\":\"x\",\"time\":1767261500003,\"seq\":7},{\"value\":49,\"time\":1767261500004,\"seq\":8}]");
	assert_query("48,49", "SELECT group_concat(value) FROM humidity");
	assert_query("2", "SELECT count(*) FROM rejected");
	assert_string_equal("salon:5-8 ", sent_receipts());
}

static void a_retained_bare_value_is_not_a_new_reading(void **state)
{
	(void)state;
	retained("foyer/salon/bme280/temperature", "24");
	retained("foyer/salon/bme280/temperature", "{\"value\":24}");
	assert_query("0", "SELECT count(*) FROM sqlite_master WHERE name = 'temperature'");
	retained("foyer/salon/bme280/temperature", "{\"value\":24,\"time\":1767261500123}");
	retained("foyer/salon/bme280/temperature", "{\"value\":24,\"time\":1767261500123}");
	assert_query("1", "SELECT count(*) FROM temperature");
}

static void deleting_a_retained_message_is_no_reading(void **state)
{
	(void)state;
	live("foyer/salon/bme280/temperature", "");
	live("foyer/salon/$status", "");
	live("foyer/salon/$info", "");
	live("foyer/salon/lamp/switch/set", "");
	live("foyer/strange", "");
	assert_query("0", "SELECT count(*) FROM rejected");
}

static void a_bare_reading_that_a_resumed_session_brings_again_is_known(void **state)
{
	(void)state;
	live("foyer/salon/bme280/temperature", "24");
	assert_int_equal(0, repeats_save(repeats, house));
	house_commit();
	repeats_close(repeats); /* killed before it could acknowledge */
	ingest_close(ingest);
	repeats = repeats_open();
	repeats_restore(repeats, house);
	repeats_connected(repeats, true);
	ingest = ingest_open("foyer", receipts, repeats);
	packet_id = 0;
	live("foyer/salon/bme280/temperature", "24");
	live("foyer/salon/bme280/temperature", "24"); /* a new one, with the next id */
	assert_query("2", "SELECT count(*) FROM temperature");
	assert_int_equal(1, ingest_counts(ingest)->known);
}

static void what_is_remembered_of_a_flood_stands_in_the_store(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 600; k++)
			live("foyer/salon/bme280/temperature", "24");
		assert_int_equal(0, repeats_save(repeats, house));
		house_commit();
		repeats_committed(repeats, i == 0 ? 7 : -1);
		if (i == 2) /* the first 600 are proven */
			repeats_acknowledged(repeats, 7);
	}
	house_reopen();
	repeats_close(repeats);
	ingest_close(ingest);
	repeats = repeats_open();
	repeats_restore(repeats, house);
	repeats_connected(repeats, true);
	ingest = ingest_open("foyer", receipts, repeats);
	packet_id = 600;
	for (int k = 0; k < 1800; k++)
		live("foyer/salon/bme280/temperature", "24");
	assert_int_equal(1800, ingest_counts(ingest)->known);
	assert_query("2400", "SELECT count(*) FROM temperature");
}

static void a_full_batch_asks_for_a_commit_first(void **state)
{
	int r = 0;

	(void)state;
	for (int i = 0; r == 0 && i < 1000000; i++)
		r = deliver("foyer/salon/bme280/temperature", "24", 2, 1, false);
	assert_int_equal(-ENOBUFS, r);
}

/* ---- what is refused ------------------------------------------------------------------------------------------------------------- */

static void nothing_vanishes_silently(void **state)
{
	static const struct {
		const char *topic, *payload, *part_of_reason;
	} wrong[] = {
		{ "foyer/salon/bme280/temperature", "warm", "not a finite number" },
		{ "foyer/salon/bme280/temperature", "NaN", "not a finite number" },
		{ "foyer/salon/bme280/humidity", "120", "120 is over 100 %" },
		{ "foyer/salon/bme280/temperature", "{\"value\":1,\"unit\":\"furlong\"}", "unit \"furlong\"" },
		{ "foyer/salon/bme280/temperature", "{\"value\":1,\"time\":946684799999}", "before the year 2000" },
		{ "foyer/salon/bme280/temperature", "{\"value\":1,\"time\":1767348000001}", "more than a day ahead" },
		{ "foyer/salon/bme280/temperature", "{\"value\":", "not valid JSON" },
		{ "foyer/Salon/bme280/temperature", "1", "node \"Salon\"" },
		{ "foyer/salon/bme280/node", "1", "no name of the schema" },
		{ "foyer/salon/bme280/temperature_5min", "1", "no name of the schema" },
		{ "foyer/salon/temperature", "1", "no topic of the notation" },
		{ "foyer/salon/lamp/switch/set", "perhaps", "neither 1/0" },
		{ "foyer/salon/lamp/switch/result", "done", "not a command's result" },
		{ "foyer/salon/$status", "dead", "online or offline" },
		{ "foyer/salon/$info", "[]", "no JSON object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const char *row;

		live(wrong[i].topic, wrong[i].payload);
		house_commit();
		row = house_query("SELECT topic || '|' || payload || '|' || reason FROM rejected ORDER BY id DESC");
		if (!strstr(row, wrong[i].topic) || !strstr(row, wrong[i].part_of_reason))
			fail_msg("%s %s: %s", wrong[i].topic, wrong[i].payload, row);
	}
	assert_int_equal(sizeof(wrong) / sizeof(*wrong), ingest_counts(ingest)->rejected);
	assert_query("0", "SELECT count(*) FROM series");
}

static void a_payload_over_64_kib_is_refused_and_its_beginning_kept(void **state)
{
	size_t len = 65 * 1024;
	char *payload = malloc(len);

	(void)state;
	memset(payload, '1', len);
	assert_int_equal(0, deliver("foyer/salon/bme280/temperature", payload, len, 1, false));
	assert_int_equal(0, deliver("foyer/salon/$info", payload, len, 1, false));
	free(payload);
	assert_query("1024|over 64 KiB", "SELECT length(payload) || '|' || reason FROM rejected");
	assert_query("2", "SELECT count(*) FROM rejected");
}

static void a_cause_is_told_once_a_minute_with_its_topic(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		char payload[16];

		snprintf(payload, sizeof(payload), "%d", 101 + i); /* the number is not another cause */
		live("foyer/salon/bme280/humidity", payload);
	}
	assert_int_equal(1, told_lines());
	assert_non_null(strstr(told(), "foyer/salon/bme280/humidity: refused: 101 is over 100 %"));
	live("foyer/salon/bme280/humidity", "wet");
	live("foyer/cuisine/bme280/humidity", "101");
	assert_int_equal(3, told_lines());
	fake_boot_ms += 59999;
	live("foyer/salon/bme280/humidity", "101");
	assert_int_equal(3, told_lines());
	fake_boot_ms += 1;
	live("foyer/salon/bme280/humidity", "102");
	assert_int_equal(4, told_lines());
	assert_non_null(strstr(told(), "102 is over 100 % (and 50 more since the last line)"));
}

static void a_flood_of_topics_does_not_flood_the_log(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char topic[64];

		snprintf(topic, sizeof(topic), "foyer/n%d/bme280/humidity", i);
		live(topic, "101");
	}
	assert_int_equal(32, told_lines());
	assert_query("1000", "SELECT count(*) FROM rejected");
	assert_non_null(strstr(told(), "others are only counted"));
	fake_boot_ms += 60000;
	for (int i = 0; i < 40; i++) { /* others, but the log goes on */
		char topic[64];

		snprintf(topic, sizeof(topic), "foyer/m%d/bme280/humidity", i);
		live(topic, "101");
	}
	assert_int_equal(64, told_lines());
	assert_non_null(strstr(told(), "only counted (969)"));
}

/* ---- nodes and commands ---------------------------------------------------------------------------------------------------------- */

static void what_a_node_says_of_itself_is_kept(void **state)
{
	(void)state;
	live("foyer/salon/$status", "online");
	live("foyer/salon/$info", " {\"label\": \"Salon\", \"devices\": {}} ");
	assert_query("salon|Salon|1|{\"label\":\"Salon\",\"devices\":{}}",
		     "SELECT name || '|' || label || '|' || online || '|' || info FROM node");
	retained("foyer/salon/$status", "offline");
	assert_query("0", "SELECT online FROM node");
	live("foyer/salon/$health", "{}");
	live("foyer/salon/$stored", "{\"seq\":[[1,2]]}");
	live("foyer/$collector/$status", "online");
	assert_query("0", "SELECT count(*) FROM rejected");
	assert_query("1", "SELECT count(*) FROM node");
}

static void a_label_that_is_none_is_left_out(void **state)
{
	(void)state;
	live("foyer/salon/$info", "{\"label\":5}");
	assert_query("", "SELECT label FROM node");
	live("foyer/salon/$info", "{\"label\":\"two\\nlines\"}");
	assert_query("", "SELECT label FROM node");
}

static void commands_and_results_are_logged(void **state)
{
	(void)state;
	live("foyer/salon/lamp/switch/set", "{\"value\":1,\"id\":\"7f\",\"by\":\"web\"}");
	now_ms += 12;
	live("foyer/salon/lamp/switch/result", "{\"id\":\"7f\",\"ok\":true,\"value\":1,\"time\":1767261600010}");
	assert_query("salon|lamp|switch|1|7f|web|12|1",
		     "SELECT node || '|' || device || '|' || quantity || '|' || value || '|' ||"
		     " command_id || '|' || by || '|' || (result_time - time) || '|' || ok FROM command");
	retained("foyer/salon/lamp/switch/set", "0");
	retained("foyer/salon/lamp/switch/result", "{\"ok\":true}");
	assert_query("1", "SELECT count(*) FROM command");
}

static void a_store_that_fails_is_told_to_the_caller(void **state)
{
	static const char reading[] = "{\"value\":24,\"time\":1767261500123,\"seq\":9}";

	(void)state;
	house_hold();
	assert_int_equal(-EBUSY, deliver("foyer/salon/bme280/temperature", reading, strlen(reading), 1, false));
	assert_int_equal(-EBUSY, deliver("foyer/salon/bme280/temperature", "warm", 4, 1, false));
	house_let_go();
	assert_string_equal("", sent_receipts());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
	const struct CMUnitTest tests[] = {
		TEST(bare_readings_have_their_time_of_arrival_and_none_overwrites_another),
		TEST(a_timed_reading_is_stored_at_its_time_and_once),
		TEST(the_same_instant_with_another_value_goes_to_rejected),
		TEST(what_is_refused_is_kept_as_it_came),
		TEST(units_are_converted_on_the_way),
		TEST(each_element_of_a_batch_stands_for_itself),
		TEST(a_retained_bare_value_is_not_a_new_reading),
		TEST(deleting_a_retained_message_is_no_reading),
		TEST(a_bare_reading_that_a_resumed_session_brings_again_is_known),
		TEST(what_is_remembered_of_a_flood_stands_in_the_store),
		TEST(a_full_batch_asks_for_a_commit_first),
		TEST(nothing_vanishes_silently),
		TEST(a_payload_over_64_kib_is_refused_and_its_beginning_kept),
		TEST(a_cause_is_told_once_a_minute_with_its_topic),
		TEST(a_flood_of_topics_does_not_flood_the_log),
		TEST(what_a_node_says_of_itself_is_kept),
		TEST(a_label_that_is_none_is_left_out),
		TEST(commands_and_results_are_logged),
		TEST(a_store_that_fails_is_told_to_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
