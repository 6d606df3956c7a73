/* links: webd/house.c webd/house_info.c webd/house_collector.c webd/house_rules.c webd/house_arrange.c webd/house_command.c */
/* The household's own names, order, hidden and pinned things: known before or after what they are about; and what the collector says of itself. */
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

#define NOON INT64_C(1795521600000)

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

static void read_value(struct house *house, const char *name)
{
	struct reading reading = { .time_ms = NOON, .value = value_of_number(1) };

	assert_int_equal(0, series_parse(name, strlen(name), &reading.series));
	assert_int_equal(1, house_reading(house, &reading));
}

static const struct house_series *known(const struct house *house, const char *name)
{
	struct series series;

	assert_int_equal(0, series_parse(name, strlen(name), &series));
	return house_series(house, &series);
}

/* ---- wishes --------------------------------------------------------------------------------------------------------------------------- */

static void a_wish_shows_at_once_and_goes_again(void **state)
{
	struct house *house = *state;
	const struct house_node *salon;
	uint64_t before;

	read_value(house, "salon/lamp/switch");
	salon = house_node(house, "salon");
	assert_int_equal(HOUSE_RANK_LAST, salon->rank);
	before = house_revision(house);
	assert_int_equal(0, house_arrange(house, "label.salon", "Séjour"));
	assert_int_equal(0, house_arrange(house, "order.salon", "2"));
	assert_int_equal(0, house_arrange(house, "hidden.salon/lamp", "1"));
	assert_int_equal(0, house_arrange(house, "pinned.salon/lamp/switch", "1"));
	assert_true(house_revision(house) > before);
	assert_string_equal("Séjour", salon->own_label);
	assert_int_equal(2, salon->rank);
	assert_true(salon->devices->hidden);
	assert_true(known(house, "salon/lamp/switch")->pinned);
	assert_int_equal(0, house_arrange(house, "label.salon", NULL));
	assert_int_equal(0, house_arrange(house, "order.salon", NULL));
	assert_int_equal(0, house_arrange(house, "hidden.salon/lamp", NULL));
	assert_int_equal(0, house_arrange(house, "pinned.salon/lamp/switch", NULL));
	assert_string_equal("", salon->own_label);
	assert_int_equal(HOUSE_RANK_LAST, salon->rank);
	assert_false(salon->devices->hidden);
	assert_false(known(house, "salon/lamp/switch")->pinned);
}

static void a_wish_waits_for_what_it_is_about(void **state)
{
	struct house *house = *state;

	assert_int_equal(0, house_arrange(house, "label.salon", "Séjour"));
	assert_int_equal(0, house_arrange(house, "hidden.salon/lamp", "1"));
	assert_int_equal(0, house_arrange(house, "pinned.salon/lamp/switch", "1"));
	read_value(house, "salon/lamp/switch");
	read_value(house, "salon/lamp2/switch");
	assert_string_equal("Séjour", house_node(house, "salon")->own_label);
	assert_true(known(house, "salon/lamp/switch")->device->hidden);
	assert_true(known(house, "salon/lamp/switch")->pinned);
	assert_false(known(house, "salon/lamp2/switch")->device->hidden);
	assert_false(known(house, "salon/lamp2/switch")->pinned);
}

static void a_nodes_own_word_does_not_undo_the_households(void **state)
{
	static const char info[] =
		"{\"label\":\"Node's\",\"devices\":{\"lamp\":{\"quantities\":{\"switch\":{\"output\":\"switch\"}}}}}";
	struct house *house = *state;

	assert_int_equal(0, house_arrange(house, "label.salon", "Séjour"));
	assert_int_equal(0, house_arrange(house, "pinned.salon/lamp/switch", "1"));
	assert_int_equal(1, house_info(house, "salon", info, strlen(info)));
	assert_string_equal("Node's", house_node(house, "salon")->label);
	assert_string_equal("Séjour", house_node(house, "salon")->own_label);
	assert_true(known(house, "salon/lamp/switch")->pinned);
}

static void the_last_wish_stands(void **state)
{
	struct house *house = *state;

	read_value(house, "salon/lamp/switch");
	assert_int_equal(0, house_arrange(house, "label.salon", "one"));
	assert_int_equal(0, house_arrange(house, "order.salon", "1"));
	assert_int_equal(0, house_arrange(house, "label.salon", "two"));
	assert_string_equal("two", house_node(house, "salon")->own_label);
	assert_int_equal(0, house_arrange(house, "label.salon", NULL)); /* in the middle of the list */
	assert_int_equal(1, house_node(house, "salon")->rank);
	assert_int_equal(0, house_arrange(house, "label.nobody", NULL)); /* never wished */
}

static void wishes_are_bounded(void **state)
{
	struct house *house = *state;
	char key[200];
	int r = 0, count = 0;

	memset(key, 'x', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(-EINVAL, house_arrange(house, key, "1"));
	for (; r == 0 && count < 6000; count++) {
		snprintf(key, sizeof(key), "hidden.n%d/x", count);
		r = house_arrange(house, key, "1");
	}
	assert_int_equal(-ENOSPC, r);
	assert_int_equal(5001, count);
	assert_int_equal(0, house_arrange(house, "hidden.n0/x", NULL));
	assert_int_equal(0, house_arrange(house, "hidden.more/x", "1"));
}

static void a_long_label_is_cut_and_nonsense_is_no_order(void **state)
{
	struct house *house = *state;
	char label[300];

	read_value(house, "salon/lamp/switch");
	memset(label, 'y', sizeof(label));
	label[sizeof(label) - 1] = '\0';
	assert_int_equal(0, house_arrange(house, "label.salon", label));
	assert_int_equal(HOUSE_LABEL_MAX, strlen(house_node(house, "salon")->own_label));
	assert_int_equal(0, house_arrange(house, "order.salon", "first"));
	assert_int_equal(0, house_node(house, "salon")->rank);
}

/* ---- the collector --------------------------------------------------------------------------------------------------------------------- */

static void say(struct house *house, const char *json, int64_t now_ms)
{
	house_collector_health(house, json, strlen(json), now_ms);
}

static void the_collector_says_whether_it_is_there(void **state)
{
	struct house *house = *state;
	uint64_t before = house_revision(house);

	assert_false(house_collector(house)->known);
	house_collector_status(house, true, NOON);
	assert_true(house_collector(house)->known && house_collector(house)->online);
	assert_int_equal(NOON, house_collector(house)->status_ms);
	assert_true(house_revision(house) > before);
	before = house_revision(house);
	house_collector_status(house, true, NOON + 5); /* said again: since when it is so stays */
	assert_int_equal(NOON, house_collector(house)->status_ms);
	assert_int_equal(before, house_revision(house));
	house_collector_status(house, false, NOON + 9);
	assert_false(house_collector(house)->online);
	assert_int_equal(NOON + 9, house_collector(house)->status_ms);
}

static void its_health_tells_counts_and_a_rate(void **state)
{
	struct house *house = *state;
	const struct house_collector *collector = house_collector(house);

	say(house,
	    "{\"store\":\"ok\",\"time\":1795521600000,\"uptime\":60,\"stored\":1000,\"known\":3,\"rejected\":2,\"commits\":7}",
	    NOON);
	assert_true(collector->has_health && collector->store_ok);
	assert_int_equal(60, collector->uptime_s);
	assert_int_equal(1000, collector->stored);
	assert_int_equal(3, collector->known_again);
	assert_int_equal(2, collector->rejected);
	assert_int_equal(7, collector->commits);
	say(house, "{\"store\":\"ok\",\"time\":1795521610000,\"stored\":1050}", NOON + 10000);
	assert_float_equal(5, collector->rate, 0.001);
	assert_int_equal(-1, collector->uptime_s);
	say(house, "{\"store\":\"ok\",\"time\":1795521610100,\"stored\":1090}", NOON + 10100); /* too close to tell a rate */
	assert_float_equal(5, collector->rate, 0.001);
	say(house, "{\"store\":\"ok\",\"time\":1795521620000,\"stored\":10}", NOON + 20000); /* it began anew */
	assert_true(collector->rate < 0);
}

static void a_store_at_fault_is_told_with_its_reason(void **state)
{
	struct house *house = *state;
	const struct house_collector *collector = house_collector(house);

	say(house, "{\"store\":\"full\",\"error\":\"disk full: \\u00e9\"}", NOON);
	assert_false(collector->store_ok);
	assert_string_equal("disk full: é", collector->error);
	assert_int_equal(NOON, collector->time_ms); /* it told no time: ours */
	say(house, "{\"store\":\"ok\"}", NOON + 1);
	assert_true(collector->store_ok);
	assert_string_equal("", collector->error);
}

static void anything_else_changes_nothing(void **state)
{
	static const char *const words[] = {
		"",         "online",         "[]",  "{}", "{\"store\":1}", "{\"store\":\"ok\"", "{\"store\":null}",
		"\xff\xfe", "{\"stored\":5}", "null"
	};
	struct house *house = *state;
	uint64_t before = house_revision(house);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		say(house, words[i], NOON);
	assert_false(house_collector(house)->has_health);
	assert_int_equal(before, house_revision(house));
}

static void numbers_beyond_reason_are_not_believed(void **state)
{
	struct house *house = *state;
	const struct house_collector *collector = house_collector(house);

	say(house, "{\"store\":\"ok\",\"stored\":1e300,\"uptime\":-5,\"rejected\":\"many\",\"commits\":1.5,\"time\":-1}", NOON);
	assert_true(collector->has_health);
	assert_int_equal(-1, collector->stored);
	assert_int_equal(-1, collector->uptime_s);
	assert_int_equal(-1, collector->rejected);
	assert_int_equal(NOON, collector->time_ms);
	say(house, "{\"store\":\"ok\",\"stored\":5,\"time\":1795521700000}", NOON + 100000);
	assert_true(collector->rate < 100); /* no rate out of a count that was not told */
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_wish_shows_at_once_and_goes_again),
		T(a_wish_waits_for_what_it_is_about),
		T(a_nodes_own_word_does_not_undo_the_households),
		T(the_last_wish_stands),
		T(wishes_are_bounded),
		T(a_long_label_is_cut_and_nonsense_is_no_order),
		T(the_collector_says_whether_it_is_there),
		T(its_health_tells_counts_and_a_rate),
		T(a_store_at_fault_is_told_with_its_reason),
		T(anything_else_changes_nothing),
		T(numbers_beyond_reason_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
