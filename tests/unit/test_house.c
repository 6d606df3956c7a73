/* links: webd/house.c webd/house_info.c webd/house_collector.c webd/house_rules.c webd/house_arrange.c webd/house_command.c */
/* What the house makes of words that anybody may publish. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/log.h"
#include "../../webd/house.h"

#define NOON INT64_C(1795521600000) /* 2026-11-24T12:00:00Z */

static int set_up(void **state)
{
	*state = house_open();
	log_set_level(LOG_LEVEL_ERROR);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	house_close(*state);
	return 0;
}

static struct series series_of(const char *text)
{
	struct series series = { 0 };

	assert_int_equal(0, series_parse(text, strlen(text), &series));
	return series;
}

static int read_value(struct house *house, const char *name, double number, int64_t time_ms)
{
	struct reading reading = { .series = series_of(name), .time_ms = time_ms, .value = value_of_number(number) };

	return house_reading(house, &reading);
}

static const struct house_series *known(const struct house *house, const char *name)
{
	struct series series = series_of(name);

	return house_series(house, &series);
}

static int info(struct house *house, const char *json)
{
	return house_info(house, "salon", json, strlen(json));
}

static int check(const struct house *house, const char *name, struct value value, char *reason)
{
	struct command command = { .series = series_of(name), .value = value };

	reason[0] = '\0';
	return house_check_command(house, &command, reason);
}

/* ---- readings ---------------------------------------------------------------------------------------------------------------- */

static void the_newest_reading_stands(void **state)
{
	struct house *house = *state;
	uint64_t revision;

	assert_int_equal(1, read_value(house, "salon/air/temperature", 20, NOON));
	revision = house_revision(house);
	assert_int_equal(0, read_value(house, "salon/air/temperature", 30, NOON - 1));
	assert_int_equal(0, read_value(house, "salon/air/temperature", 30, NOON));
	assert_true(revision == house_revision(house));
	assert_int_equal(1, read_value(house, "salon/air/temperature", 21, NOON + 1));
	assert_true(revision < house_revision(house));
	assert_true(known(house, "salon/air/temperature")->time_ms == NOON + 1);
	assert_string_equal("°C", known(house, "salon/air/temperature")->unit);
	assert_true(house_node(house, "salon")->seen_ms == NOON + 1);
}

static void names_stand_in_order(void **state)
{
	static const char *const names[] = { "b/x/switch", "c/x/switch", "a/y/switch", "a/x/switch", "a/x/level" };
	struct house *house = *state;
	const struct house_node *node;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		read_value(house, names[i], 1, NOON);
	node = house_nodes(house);
	assert_string_equal("a", node->name);
	assert_string_equal("b", node->next->name);
	assert_string_equal("c", node->next->next->name);
	assert_null(node->next->next->next);
	assert_string_equal("x", node->devices->name);
	assert_string_equal("y", node->devices->next->name);
	assert_string_equal("level", node->devices->series->name.quantity);
	assert_string_equal("switch", node->devices->series->next->name.quantity);
}

static void a_kept_bare_value_does_not_look_fresh(void **state)
{
	struct house *house = *state;
	struct reading reading = { .series = series_of("salon/air/temperature"), .time_ms = TIME_NONE };

	read_value(house, "salon/air/temperature", 20, NOON);
	reading.value = value_of_number(20);
	assert_int_equal(0, house_retained(house, &reading, NOON + 3600000));
	assert_true(known(house, "salon/air/temperature")->time_ms == NOON);
	reading.value = value_of_number(21);
	assert_int_equal(1, house_retained(house, &reading, NOON + 3600000));
	assert_true(known(house, "salon/air/temperature")->time_ms == NOON + 1);
	assert_true(reading.time_ms == NOON + 1);
	assert_int_equal(1, read_value(house, "salon/air/temperature", 21, NOON + 1800000)); /* the store knew better */
}

static void a_guessed_time_gives_way_to_a_known_one(void **state)
{
	struct house *house = *state;
	struct reading reading = { .series = series_of("salon/air/temperature"),
				   .time_ms = TIME_NONE,
				   .value = value_of_number(20) };

	assert_int_equal(1, house_retained(house, &reading, NOON));
	assert_true(known(house, "salon/air/temperature")->time_guessed);
	assert_int_equal(1, read_value(house, "salon/air/temperature", 20, NOON - 86400000));
	assert_true(known(house, "salon/air/temperature")->time_ms == NOON - 86400000);
	assert_false(known(house, "salon/air/temperature")->time_guessed);
}

static void status_is_news_when_it_changes(void **state)
{
	struct house *house = *state;

	assert_int_equal(1, house_status(house, "salon", true, NOON));
	assert_int_equal(0, house_status(house, "salon", true, NOON + 5));
	assert_true(house_node(house, "salon")->status_ms == NOON);
	assert_int_equal(0, house_status(house, "salon", false, NOON - 5));
	assert_int_equal(1, house_status(house, "salon", false, NOON + 9));
	assert_false(house_node(house, "salon")->online);
}

static void what_is_beyond_the_limits_is_left_out(void **state)
{
	struct house *house = *state;
	char name[64];
	int r = 1, taken = 0;

	for (int i = 0; i < HOUSE_NODES_MAX + 5; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		taken += house_status(house, name, true, NOON) == 1;
	}
	assert_int_equal(HOUSE_NODES_MAX, taken);
	for (taken = 0; r == 1; taken++) {
		snprintf(name, sizeof(name), "n%d/d%d/level", taken % 100, taken / 100);
		r = read_value(house, name, 1, NOON);
	}
	assert_int_equal(-ENOSPC, r);
	assert_int_equal(HOUSE_SERIES_MAX + 1, taken);
	assert_int_equal(1, read_value(house, "n1/d1/level", 2, NOON + 1)); /* what is known goes on */
}

/* ---- $info ------------------------------------------------------------------------------------------------------------------- */

static void info_tells_labels_outputs_and_limits(void **state)
{
	struct house *house = *state;
	const struct house_series *servo;

	assert_int_equal(
		1, info(house,
			"{\"label\":\"Salon\",\"icon\":\"sofa\",\"version\":\"1.2.0\",\"devices\":{\"servo\":{\"driver\":"
			"\"servo\",\"label\":\"Volet\",\"quantities\":{\"position\":{\"unit\":\"°\",\"output\":\"range\",\"min\":0,"
			"\"max\":180,\"step\":5,\"confirm\":true,\"interval\":0.5}}}}}"));
	servo = known(house, "salon/servo/position");
	assert_string_equal("Salon", house_node(house, "salon")->label);
	assert_string_equal("sofa", house_node(house, "salon")->icon);
	assert_string_equal("Volet", servo->device->label);
	assert_int_equal(HOUSE_RANGE, servo->output);
	assert_true(servo->has_limits && servo->confirm && !servo->has_value);
	assert_float_equal(180, servo->max, 0);
	assert_int_equal(500, servo->interval_ms);
}

static void a_new_info_replaces_the_old(void **state)
{
	struct house *house = *state;

	info(house, "{\"devices\":{\"lamp\":{\"quantities\":{\"switch\":{\"output\":\"switch\",\"label\":\"L\"}}},"
		    "\"old\":{\"quantities\":{\"switch\":{\"output\":\"switch\"}}}}}");
	read_value(house, "salon/lamp/switch", 1, NOON);
	assert_int_equal(1, info(house, "{}"));
	assert_int_equal(HOUSE_SENSOR, known(house, "salon/lamp/switch")->output);
	assert_string_equal("", known(house, "salon/lamp/switch")->label);
	assert_null(known(house, "salon/old/switch"));
	assert_null(house_node(house, "salon")->devices->next);
}

static void what_is_no_info_changes_nothing(void **state)
{
	static const char *const texts[] = { "", "nonsense", "[]", "3", "\"x\"", "null", "{", "{\"devices\":" };
	struct house *house = *state;
	char *deep = malloc(20001), *large = calloc(1, 70000);

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(0, info(house, texts[i]));
	memset(deep, '[', 20000);
	deep[20000] = '\0';
	assert_int_equal(0, info(house, deep));
	sprintf(large, "{\"label\":\"%066000d\"}", 0);
	assert_int_equal(0, info(house, large));
	assert_null(house_nodes(house));
	free(deep);
	free(large);
}

static void words_of_the_wrong_kind_are_left_out(void **state)
{
	struct house *house = *state;

	assert_int_equal(1,
			 info(house,
			      "{\"label\":7,\"icon\":\"../x\\\"<\",\"version\":[],\"devices\":{\"Bad Name\":{\"quantities\":{"
			      "\"switch\":{}}},\"a\":[1],\"b\":{\"quantities\":[{}]},\"c\":{\"quantities\":{\"node\":{},\"x-y\":{},"
			      "\"level\":3,\"position\":{\"output\":\"range\",\"min\":9,\"max\":1,\"step\":-1,\"interval\":-4},"
			      "\"volts\":{\"unit\":\"V\",\"output\":\"laser\",\"confirm\":\"yes\"}}}}}"));
	assert_string_equal("", house_node(house, "salon")->label);
	assert_string_equal("", house_node(house, "salon")->icon);
	assert_string_equal("c", house_nodes(house)->devices->name);
	assert_null(house_nodes(house)->devices->next);
	assert_null(known(house, "salon/c/level"));
	assert_false(known(house, "salon/c/position")->has_limits);
	assert_int_equal(0, known(house, "salon/c/position")->interval_ms);
	assert_string_equal("V", known(house, "salon/c/volts")->unit);
	assert_int_equal(HOUSE_SENSOR, known(house, "salon/c/volts")->output);
	assert_false(known(house, "salon/c/volts")->confirm);
}

static void long_labels_are_cut_between_characters(void **state)
{
	char json[256] = "{\"label\":\"x", wanted[HOUSE_LABEL_MAX + 1] = "x";

	for (int i = 0; i < 40; i++)
		strcat(json, "é");
	strcat(json, "\"}");
	for (int i = 0; i < 31; i++) /* 1 + 31 * 2 bytes: another é would be the 65th */
		strcat(wanted, "é");
	assert_int_equal(1, info(*state, json));
	assert_string_equal(wanted, house_node(*state, "salon")->label);
	assert_int_equal(1, info(*state, "{\"label\":\"a\xff\xc3(\\u0007\\n\xed\xa0\x80"
					 "b\"}"));
	assert_string_equal("a(b", house_node(*state, "salon")->label);
}

static void health_tells_figures_and_faults(void **state)
{
	static const char bad[] =
		"{\"uptime\":60,\"clock\":\"synced\",\"outbox\":3,\"given_up\":-1,\"rss\":1e300,\"devices\":{\"air\":"
		"{\"ok\":false,\"error\":\"no answer\",\"since\":1795521600000},\"other\":{\"ok\":false}}}";
	struct house *house = *state;
	const struct house_node *node;

	read_value(house, "salon/air/temperature", 20, NOON);
	assert_int_equal(1, house_health(house, "salon", bad, strlen(bad)));
	node = house_node(house, "salon");
	assert_true(node->has_health && node->clock_synced && node->uptime_s == 60 && node->outbox == 3);
	assert_true(node->given_up == -1 && node->rss == -1 && node->oldest_ms == -1);
	assert_string_equal("no answer", node->devices->fault);
	assert_true(node->devices->fault_since_ms == NOON);
	assert_null(node->devices->next);
	assert_int_equal(1, house_health(house, "salon", "{}", 2));
	assert_string_equal("", node->devices->fault);
}

/* ---- commands ---------------------------------------------------------------------------------------------------------------- */

static void a_wish_is_held_against_its_output(void **state)
{
	struct house *house = *state;
	struct value text;
	char reason[READING_REASON_MAX];

	assert_int_equal(0, value_of_text("hello", 5, &text));
	info(house,
	     "{\"devices\":{\"d\":{\"quantities\":{\"switch\":{\"output\":\"switch\"},\"position\":{\"output\":\"range\",\"min\":0,"
	     "\"max\":180,\"step\":5},\"text\":{\"output\":\"text\"},\"button\":{\"output\":\"button\"},\"temperature\":{},"
	     "\"level\":{\"output\":\"range\"}}}}}");
	assert_int_equal(0, check(house, "salon/d/switch", value_of_number(1), reason));
	assert_int_equal(-EINVAL, check(house, "salon/d/switch", value_of_number(2), reason));
	assert_string_equal("2 is neither 0 nor 1", reason);
	assert_int_equal(0, check(house, "salon/d/position", value_of_number(90), reason));
	assert_int_equal(-EINVAL, check(house, "salon/d/position", value_of_number(200), reason));
	assert_string_equal("200 is over 180", reason);
	assert_int_equal(-EINVAL, check(house, "salon/d/position", value_of_number(-0.5), reason));
	assert_string_equal("-0.5 is under 0", reason);
	assert_int_equal(-EINVAL, check(house, "salon/d/position", value_of_number(91), reason));
	assert_int_equal(-EINVAL, check(house, "salon/d/position", text, reason));
	assert_int_equal(-EINVAL, check(house, "salon/d/level", value_of_number(101), reason)); /* the quantity's own limits */
	assert_int_equal(0, check(house, "salon/d/text", text, reason));
	assert_int_equal(-EINVAL, check(house, "salon/d/text", value_of_number(1), reason));
	assert_int_equal(0, check(house, "salon/d/button", value_of_number(1), reason));
	assert_int_equal(-ENOENT, check(house, "salon/d/temperature", value_of_number(20), reason));
	assert_int_equal(-ENOENT, check(house, "salon/x/switch", value_of_number(1), reason));
}

#define IN_A_HOUSE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_HOUSE(the_newest_reading_stands),
		IN_A_HOUSE(names_stand_in_order),
		IN_A_HOUSE(a_kept_bare_value_does_not_look_fresh),
		IN_A_HOUSE(a_guessed_time_gives_way_to_a_known_one),
		IN_A_HOUSE(status_is_news_when_it_changes),
		IN_A_HOUSE(what_is_beyond_the_limits_is_left_out),
		IN_A_HOUSE(info_tells_labels_outputs_and_limits),
		IN_A_HOUSE(a_new_info_replaces_the_old),
		IN_A_HOUSE(what_is_no_info_changes_nothing),
		IN_A_HOUSE(words_of_the_wrong_kind_are_left_out),
		IN_A_HOUSE(long_labels_are_cut_between_characters),
		IN_A_HOUSE(health_tells_figures_and_faults),
		IN_A_HOUSE(a_wish_is_held_against_its_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
