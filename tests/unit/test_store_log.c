/* links: tests/fakes/house.c tests/fakes/folder.c tests/fakes/clock.c */
/* Nodes, commands and their results, badges: one log. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/clock.h"
#include "../fakes/house.h"

struct log {
	int count;
	struct store_event events[16];
	char words[16][64]; /* by, command_id and error, while the strings live */
};

static int note(void *context, const struct store_event *event)
{
	struct log *log = context;

	assert_true(log->count < 16);
	log->events[log->count] = *event;
	snprintf(log->words[log->count++], 64, "%s|%s|%s", event->by, event->command_id, event->error);
	return 0;
}

static struct log read_log(const struct store_event_query *given)
{
	const struct store_event_query all = { .before_ms = INT64_MAX, .limit = 16 };
	struct log log = { 0 };

	assert_int_equal(0, store_each_event(house, given ? given : &all, note, &log));
	return log;
}

static void command(const char *series, const char *id, double value, int64_t time_ms)
{
	struct command wish = { .series = house_series(series), .value = value_of_number(value), .by = "zoé" };

	strcpy(wish.id, id);
	assert_int_equal(0, store_log_command(house, &wish, time_ms));
}

static void result(const char *series, const char *id, const char *error, int64_t time_ms)
{
	struct command_result outcome = { .series = house_series(series), .ok = !error, .has_value = !error };

	strcpy(outcome.id, id);
	strcpy(outcome.error, error ? error : "");
	outcome.value = value_of_number(1);
	assert_int_equal(0, store_log_result(house, &outcome, time_ms));
}

static void a_result_finds_its_command(void **state)
{
	struct log log;

	(void)state;
	command("salon/lamp/switch", "7f", 1, TEN_OCLOCK);
	command("salon/lamp/switch", "80", 0, TEN_OCLOCK + 1);
	result("salon/lamp/switch", "7f", NULL, TEN_OCLOCK + 12);
	log = read_log(NULL);
	assert_int_equal(2, log.count);
	assert_int_equal(STORE_RESULT_NONE, log.events[0].result);
	assert_int_equal(-1, log.events[0].latency_ms);
	assert_int_equal(STORE_RESULT_OK, log.events[1].result);
	assert_int_equal(12, log.events[1].latency_ms);
	assert_true(log.events[1].has_result_value);
	assert_float_equal(1, log.events[1].result_value.number, 0);
	assert_string_equal("zoé|7f|", log.words[1]);
}

static void a_refusal_keeps_its_reason(void **state)
{
	struct log log;

	(void)state;
	command("salon/servo/position", "1", 200, TEN_OCLOCK);
	result("salon/servo/position", "1", "over 180", TEN_OCLOCK + 5);
	log = read_log(NULL);
	assert_int_equal(STORE_RESULT_REFUSED, log.events[0].result);
	assert_false(log.events[0].has_result_value);
	assert_string_equal("zoé|1|over 180", log.words[0]);
	assert_float_equal(200, log.events[0].value.number, 0);
}

static void a_result_delivered_twice_changes_nothing(void **state)
{
	(void)state;
	command("salon/lamp/switch", "7f", 1, TEN_OCLOCK);
	result("salon/lamp/switch", "7f", NULL, TEN_OCLOCK + 12);
	result("salon/lamp/switch", "7f", "too late", TEN_OCLOCK + 99);
	assert_int_equal(1, read_log(NULL).count);
	assert_int_equal(12, read_log(NULL).events[0].latency_ms);
}

static void a_result_of_another_output_with_the_same_id_is_not_taken_for_it(void **state)
{
	struct log log;

	(void)state;
	command("salon/lamp/switch", "1", 1, TEN_OCLOCK);
	result("cuisine/lamp/switch", "1", NULL, TEN_OCLOCK + 5);
	log = read_log(NULL);
	assert_int_equal(2, log.count);
	assert_string_equal("cuisine", log.events[0].series.node);
	assert_int_equal(STORE_RESULT_NONE, log.events[1].result);
}

static void commands_without_an_id_are_answered_in_their_turn(void **state)
{
	struct log log;

	(void)state;
	command("salon/lamp/switch", "", 1, TEN_OCLOCK);
	result("salon/lamp/switch", "", NULL, TEN_OCLOCK + 5);
	command("salon/lamp/switch", "", 0, TEN_OCLOCK + 100);
	result("salon/lamp/switch", "", NULL, TEN_OCLOCK + 107);
	log = read_log(NULL);
	assert_int_equal(2, log.count);
	assert_int_equal(7, log.events[0].latency_ms);
	assert_int_equal(5, log.events[1].latency_ms);
}

static void the_comings_and_goings_of_a_node_are_told_once_each(void **state)
{
	struct log log;

	(void)state;
	assert_int_equal(1, store_node_status(house, "salon", true, TEN_OCLOCK));
	assert_int_equal(0, store_node_status(house, "salon", true, TEN_OCLOCK + 1));
	assert_int_equal(1, store_node_status(house, "salon", false, TEN_OCLOCK + 2));
	log = read_log(NULL);
	assert_int_equal(2, log.count);
	assert_int_equal(STORE_EVENT_NODE, log.events[0].kind);
	assert_float_equal(0, log.events[0].value.number, 0);
	assert_float_equal(1, log.events[1].value.number, 0);
}

static int check_node(void *context, const struct store_node *node)
{
	assert_string_equal("salon", node->name);
	assert_string_equal("Salon d'été", node->label);
	assert_string_equal("{\"label\":\"Salon d'été\"}", node->info);
	assert_true(node->online);
	assert_int_equal(TEN_OCLOCK, node->status_ms);
	assert_int_equal(TEN_OCLOCK + 7, node->seen_ms);
	++*(int *)context;
	return 0;
}

static void a_node_is_what_it_said_last(void **state)
{
	int count = 0;

	(void)state;
	store_node_status(house, "salon", true, TEN_OCLOCK);
	assert_int_equal(1, store_node_info(house, "salon", "Old", "{}", TEN_OCLOCK + 6));
	assert_int_equal(1, store_node_info(house, "salon", "Salon d'été", "{\"label\":\"Salon d'été\"}", TEN_OCLOCK + 7));
	assert_int_equal(0, store_node_info(house, "salon", "Salon d'été", "{\"label\":\"Salon d'été\"}", TEN_OCLOCK + 9));
	assert_int_equal(0, store_each_node(house, check_node, &count));
	assert_int_equal(1, count);
}

static int check_silent_node(void *context, const struct store_node *node)
{
	(void)context;
	assert_false(node->online);
	assert_true(node->status_ms == TIME_NONE);
	assert_true(node->seen_ms == TIME_NONE);
	assert_string_equal("", node->info);
	assert_string_equal("", node->label);
	return 7;
}

static void a_node_that_only_sent_readings_is_there_too(void **state)
{
	(void)state;
	house_append("salon/air/temperature", TEN_OCLOCK, 20);
	assert_int_equal(7, store_each_node(house, check_silent_node, NULL));
}

static void fill(void)
{
	command("salon/lamp/switch", "1", 1, TEN_OCLOCK + 1);
	store_node_status(house, "cuisine", true, TEN_OCLOCK + 2);
	house_append_text("salon/rfid/badge", TEN_OCLOCK + 3, "04:A2");
	command("cuisine/lamp/switch", "2", 1, TEN_OCLOCK + 4);
	store_node_status(house, "salon", true, TEN_OCLOCK + 5);
}

static void all_kinds_are_one_log_newest_first(void **state)
{
	struct log log;

	(void)state;
	assert_int_equal(0, read_log(NULL).count);
	fill();
	log = read_log(NULL);
	assert_int_equal(5, log.count);
	for (int i = 0; i < 5; i++)
		assert_int_equal(TEN_OCLOCK + 5 - i, log.events[i].time_ms);
	assert_string_equal("04:A2", log.events[2].value.text);
	assert_string_equal("rfid", log.events[2].series.device);
}

static void the_log_can_be_paged_and_filtered(void **state)
{
	const struct store_event_query page = { .before_ms = TEN_OCLOCK + 4, .limit = 2 };
	const struct store_event_query node = { .before_ms = INT64_MAX, .node = "salon", .limit = 16 };
	const struct store_event_query device = { .before_ms = INT64_MAX, .device = "lamp", .limit = 16 };
	const struct store_event_query kinds = { .before_ms = INT64_MAX, .kinds = 1 << STORE_EVENT_BADGE, .limit = 16 };
	struct log log;

	(void)state;
	fill();
	log = read_log(&page);
	assert_int_equal(2, log.count);
	assert_int_equal(TEN_OCLOCK + 3, log.events[0].time_ms);
	assert_int_equal(3, read_log(&node).count);
	assert_int_equal(2, read_log(&device).count);
	log = read_log(&kinds);
	assert_int_equal(1, log.count);
	assert_int_equal(STORE_EVENT_BADGE, log.events[0].kind);
}

static int stop_at_once(void *context, const struct store_event *event)
{
	(void)event;
	++*(int *)context;
	return -ECANCELED;
}

static void who_reads_the_log_may_stop(void **state)
{
	const struct store_event_query all = { .before_ms = INT64_MAX, .limit = 16 };
	int count = 0;

	(void)state;
	fill();
	assert_int_equal(-ECANCELED, store_each_event(house, &all, stop_at_once, &count));
	assert_int_equal(1, count);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_open, house_close)
	const struct CMUnitTest tests[] = {
		TEST(a_result_finds_its_command),
		TEST(a_refusal_keeps_its_reason),
		TEST(a_result_delivered_twice_changes_nothing),
		TEST(a_result_of_another_output_with_the_same_id_is_not_taken_for_it),
		TEST(commands_without_an_id_are_answered_in_their_turn),
		TEST(the_comings_and_goings_of_a_node_are_told_once_each),
		TEST(a_node_is_what_it_said_last),
		TEST(a_node_that_only_sent_readings_is_there_too),
		TEST(all_kinds_are_one_log_newest_first),
		TEST(the_log_can_be_paged_and_filtered),
		TEST(who_reads_the_log_may_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
