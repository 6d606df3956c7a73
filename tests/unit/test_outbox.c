/* links: node-agent/outbox.c node-agent/outbox_clock.c node-agent/outbox_instants.c node-agent/outbox_queue.c node-agent/outbox_receipt.c node-agent/outbox_send.c node-agent/outbox_spill.c node-agent/serial.c node-agent/backfill.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/bus.c tests/fakes/clock.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c */
/* What waits for its receipt; serial numbers; the past of simulated devices. DESIGN 3.2. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/reading.h"
#include "../../node-agent/backfill.h"
#include "../../node-agent/outbox.h"
#include "../../node-agent/serial.h"
#include "../fakes/bus.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/node.h"

enum { ROOM = 1000, RESEND_MS = 30 };

#define NOW INT64_C(1767268800000) /* where the fake clock stands */
#define NEVER_MS INT64_C(3600000)

static sd_event *event;
static struct outbox *outbox;
static struct device *device;

static void open_outbox(int64_t resend_after_ms)
{
	const struct outbox_settings settings = {
		.base = "foyer", .node = "salon", .room = ROOM, .resend_after_ms = resend_after_ms
	};

	outbox_close(outbox);
	outbox = NULL;
	assert_int_equal(0, outbox_open(event, &settings, &outbox));
	outbox_use(outbox, fake_bus());
}

static int begin(void **state)
{
	(void)state;
	folder_make();
	fake_bus_reset();
	fake_wall_ms = NOW;
	sd_event_new(&event);
	device = node_device("driver = sim\nquantities = temperature humidity text\n");
	open_outbox(NEVER_MS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	outbox_close(outbox);
	outbox = NULL;
	event = sd_event_unref(event);
	node_done();
	fake_bus_reset();
	folder_remove();
	return 0;
}

static void add(size_t channel, int64_t time_ms, double number, bool live)
{
	struct value value = value_of_number(number);

	outbox_add(outbox, &device->channels[channel], time_ms, &value, live);
}

/* Lets the loop run until so much was published. */
static void wait_for(int count)
{
	while (fake_count < count)
		assert_true(sd_event_run(event, UINT64_MAX) >= 0);
}

static int64_t seq_of(const struct fake_publication *publication)
{
	const char *seq = strstr(publication->payload, "\"seq\":");

	assert_non_null(seq);
	return strtoll(seq + 6, NULL, 10);
}

static void receipt(int64_t first, int64_t last)
{
	char payload[128];

	snprintf(payload, sizeof(payload), "{\"seq\":[[%" PRId64 ",%" PRId64 "]]}", first, last);
	outbox_receipt(outbox, payload, strlen(payload));
}

static size_t waiting(void)
{
	return (size_t)outbox_counts(outbox).waiting;
}

/* How many readings a batch has. */
static int readings_in(const struct fake_publication *publication)
{
	int count = 0;

	for (const char *p = publication->payload; (p = strstr(p, "\"value\":")); p++)
		count++;
	return count;
}

/* ---- sending --------------------------------------------------------------------------------------------------------------------- */

static void a_live_reading_is_sent_at_once_and_retained(void **state)
{
	char expected[200];

	(void)state;
	outbox_connected(outbox);
	add(0, NOW, 21.5, true);
	assert_int_equal(1, fake_count);
	assert_string_equal("foyer/salon/dev/temperature", fake_last()->topic);
	assert_int_equal(1, fake_last()->qos);
	assert_true(fake_last()->retain);
	snprintf(expected, sizeof(expected), "{\"value\":21.5,\"time\":1767268800000,\"unit\":\"°C\",\"seq\":%" PRId64 "}",
		 seq_of(fake_last()));
	assert_string_equal(expected, fake_last()->payload);
	assert_int_equal(1, waiting());
}

static void what_came_while_the_broker_was_away_is_sent_as_the_newest_and_a_batch_of_each_series(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		add(0, NOW + i, i, true);
		add(1, NOW + i, i, true);
	}
	assert_int_equal(0, fake_count);
	assert_int_equal(NOW, outbox_counts(outbox).oldest_ms);
	outbox_connected(outbox);
	wait_for(4);
	for (int i = 0; i < 2; i++) {
		assert_non_null(strstr(fake_published[i].payload, "{\"value\":9,\"time\":1767268800009"));
		assert_true(fake_published[i].retain);
	}
	assert_string_equal("foyer/salon/dev/temperature", fake_published[2].topic);
	assert_string_equal("foyer/salon/dev/humidity", fake_published[3].topic);
	for (int i = 2; i < 4; i++) {
		assert_int_equal(9, readings_in(&fake_published[i]));
		assert_false(fake_published[i].retain);
		assert_int_equal('[', fake_published[i].payload[0]);
		assert_int_equal(']', fake_published[i].payload[strlen(fake_published[i].payload) - 1]);
	}
}

static void a_batch_holds_at_most_two_hundred_readings(void **state)
{
	(void)state;
	for (int i = 0; i < 450; i++)
		add(0, NOW + i, i, true);
	outbox_connected(outbox);
	wait_for(4);
	assert_int_equal(1, readings_in(&fake_published[0]));
	assert_int_equal(200, readings_in(&fake_published[1]));
	assert_int_equal(200, readings_in(&fake_published[2]));
	assert_int_equal(49, readings_in(&fake_published[3]));
}

static void texts_travel_too(void **state)
{
	struct value value;

	(void)state;
	value_of_text("say \"hi\"", 8, &value);
	outbox_connected(outbox);
	outbox_add(outbox, &device->channels[2], NOW, &value, true);
	assert_non_null(strstr(fake_last()->payload, "{\"value\":\"say \\\"hi\\\"\","));
}

static void a_reading_that_could_not_be_published_is_tried_again(void **state)
{
	(void)state;
	outbox_connected(outbox);
	fake_publish_error = -EAGAIN;
	add(0, NOW, 1, true);
	assert_int_equal(0, fake_count);
	fake_publish_error = 0;
	wait_for(1);
	assert_int_equal(1, readings_in(fake_last()));
}

/* ---- receipts -------------------------------------------------------------------------------------------------------------------- */

static void a_receipt_ends_the_waiting(void **state)
{
	(void)state;
	outbox_connected(outbox);
	for (int i = 0; i < 5; i++)
		add(0, NOW + i, i, true);
	receipt(seq_of(&fake_published[1]), seq_of(&fake_published[3]));
	assert_int_equal(NOW, outbox_counts(outbox).oldest_ms);
	receipt(seq_of(&fake_published[0]), seq_of(&fake_published[0]));
	assert_int_equal(1, waiting());
	assert_int_equal(NOW + 4, outbox_counts(outbox).oldest_ms);
	receipt(1, INT64_C(9007199254740992));
	assert_int_equal(0, waiting());
	assert_true(outbox_counts(outbox).oldest_ms == TIME_NONE);
}

static void what_is_no_receipt_changes_nothing(void **state)
{
	static const char *const wrong[] = { "", "{}", "{\"seq\":[[5,1]]}", "{\"seq\":[[1,2]]}", "null" };

	(void)state;
	outbox_connected(outbox);
	add(0, NOW, 1, true);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		outbox_receipt(outbox, wrong[i], strlen(wrong[i]));
	assert_int_equal(1, waiting());
}

static void a_reading_without_a_receipt_is_sent_again_with_its_own_time_and_number(void **state)
{
	(void)state;
	open_outbox(RESEND_MS);
	outbox_connected(outbox);
	add(0, NOW, 21.5, true);
	wait_for(3);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(seq_of(&fake_published[0]), seq_of(&fake_published[i]));
		assert_non_null(strstr(fake_published[i].payload, "\"time\":1767268800000"));
		assert_false(fake_published[i].retain);
	}
	assert_int_equal(1, waiting());
}

static void without_a_collector_the_brokers_word_is_enough(void **state)
{
	(void)state;
	outbox_connected(outbox);
	add(0, NOW, 1, true);
	outbox_acknowledged(outbox, fake_last()->id + 1);
	assert_int_equal(1, waiting());
	outbox_acknowledged(outbox, fake_last()->id);
	assert_int_equal(0, waiting());
}

static void once_a_collector_has_spoken_the_brokers_word_is_not_enough(void **state)
{
	(void)state;
	outbox_connected(outbox);
	add(0, NOW, 1, true);
	receipt(seq_of(fake_last()), seq_of(fake_last()));
	add(0, NOW + 1, 2, true);
	outbox_acknowledged(outbox, fake_last()->id);
	assert_int_equal(1, waiting());
}

static void a_lost_connection_makes_all_wait_again(void **state)
{
	(void)state;
	outbox_connected(outbox);
	for (int i = 0; i < 3; i++)
		add(0, NOW + i, i, true);
	outbox_disconnected(outbox);
	add(0, NOW + 3, 3, true);
	assert_int_equal(3, fake_count);
	outbox_connected(outbox);
	wait_for(5);
	assert_true(fake_published[3].retain);
	assert_int_equal(3, readings_in(fake_last()));
}

static void eight_batches_at_most_are_under_way(void **state)
{
	const struct outbox_settings settings = { .base = "foyer", .node = "salon", .room = 20000, .resend_after_ms = NEVER_MS };

	(void)state;
	outbox_close(outbox);
	outbox_open(event, &settings, &outbox);
	outbox_use(outbox, fake_bus());
	for (int i = 0; i < 20 * 200; i++)
		add(0, NOW + i, i, false);
	outbox_connected(outbox);
	wait_for(8);
	for (int i = 0; i < 3; i++)
		sd_event_run(event, UINT64_MAX);
	assert_int_equal(8, fake_count);
	for (int i = 0; i < 5; i++)
		outbox_acknowledged(outbox, fake_published[i].id);
	assert_int_equal(13, fake_count); /* as soon as there is room */
}

/* ---- full ------------------------------------------------------------------------------------------------------------------------ */

static void when_it_is_full_the_oldest_is_given_up_and_counted(void **state)
{
	(void)state;
	for (int i = 0; i < ROOM + 7; i++)
		add(0, NOW + i, i, true);
	assert_int_equal(ROOM, waiting());
	assert_int_equal(0, outbox_free(outbox));
	assert_int_equal(7, outbox_counts(outbox).given_up);
	assert_int_equal(NOW + 7, outbox_counts(outbox).oldest_ms);
	receipt(1, INT64_C(9007199254740992));
	assert_int_equal(ROOM, outbox_free(outbox));
}

static void receipts_find_their_readings_after_some_were_given_up(void **state)
{
	int64_t last;

	(void)state;
	for (int i = 0; i < ROOM + 500; i++)
		add(0, NOW + i, i, true);
	outbox_connected(outbox);
	wait_for(1 + ROOM / 200);
	last = seq_of(&fake_published[1]) + ROOM - 1;
	receipt(last - 9, last);
	receipt(last - ROOM + 1, last - 20);
	assert_int_equal(10, waiting());
	assert_int_equal(NOW + 500 + ROOM - 20, outbox_counts(outbox).oldest_ms);
}

/* ---- serial numbers -------------------------------------------------------------------------------------------------------------- */

static void serial_numbers_rise_across_restarts_and_clocks_set_back(void **state)
{
	struct serial serial;
	int64_t last = 0;

	(void)state;
	for (int run = 0; run < 5; run++) {
		fake_wall_ms = run % 2 ? NOW : 1000; /* 1970, as on a machine without a clock */
		assert_int_equal(0, serial_init(&serial, folder_path(".")));
		for (int i = 0; i < 1000; i++) {
			int64_t next = serial_next(&serial);

			assert_true(next > last);
			last = next;
		}
		serial_done(&serial);
	}
	assert_true(last < INT64_C(9007199254740992)); /* 2^53: exact in JSON */
}

static void a_long_run_reserves_further_numbers(void **state)
{
	struct serial serial, next;
	int64_t last = 0;

	(void)state;
	fake_wall_ms = 1000;
	serial_init(&serial, folder_path("."));
	for (int i = 0; i < 250000; i++)
		last = serial_next(&serial);
	serial_init(&next, folder_path(".")); /* after a kill -9 */
	assert_true(serial_next(&next) > last);
	serial_done(&serial);
	serial_done(&next);
}

static void without_a_folder_the_clock_gives_the_numbers(void **state)
{
	struct serial serial;

	(void)state;
	assert_int_equal(0, serial_init(&serial, NULL));
	assert_int_equal(NOW * 1000, serial_next(&serial));
	serial_done(&serial);
	assert_int_equal(-ENOENT, serial_init(&serial, folder_path("absent")));
	assert_int_equal(NOW * 1000, serial_next(&serial));
	serial_done(&serial);
}

static void a_damaged_number_file_is_done_without(void **state)
{
	struct serial serial;

	(void)state;
	folder_write("serial", "rubbish");
	assert_int_equal(0, serial_init(&serial, folder_path(".")));
	assert_int_equal(NOW * 1000, serial_next(&serial));
	serial_done(&serial);
}

/* ---- the past -------------------------------------------------------------------------------------------------------------------- */

static void the_past_is_told_in_order_on_the_grid_of_the_interval(void **state)
{
	struct backfill backfill;

	(void)state;
	device = node_device("driver = sim\nquantities = temperature\ninterval = 10m\n");
	backfill_init(&backfill, node.devices, INT64_C(24) * 3600000);
	assert_false(backfill_step(&backfill, outbox));
	assert_int_equal(143, waiting()); /* 144 intervals, now is not past */
	assert_int_equal(NOW - INT64_C(24) * 3600000 + 600000, outbox_counts(outbox).oldest_ms);
	outbox_connected(outbox);
	wait_for(1);
	assert_int_equal(143, readings_in(fake_last()));
}

static void a_month_goes_through_a_small_outbox_as_fast_as_receipts_come(void **state)
{
	struct backfill backfill;
	int64_t told = 0;
	bool more = true;

	(void)state;
	device = node_device("driver = sim\nquantities = temperature\ninterval = 1m\nfault = range\n");
	backfill_init(&backfill, node.devices, INT64_C(720) * 3600000);
	while (more) {
		more = backfill_step(&backfill, outbox);
		assert_int_equal(0, outbox_counts(outbox).given_up);
		assert_true(!more || waiting() >= 400);
		told += (int64_t)waiting();
		receipt(1, INT64_C(9007199254740992));
	}
	assert_in_range(told, 42000 - 2, 42000 + 2); /* 43200 minutes, less 10 in each 6 hours that cannot be: 1200 */
}

static void what_is_not_simulated_has_no_past(void **state)
{
	struct backfill backfill;

	(void)state;
	device = node_device("driver = thermal\n");
	backfill_init(&backfill, node.devices, 3600000);
	assert_false(backfill_step(&backfill, outbox));
	assert_int_equal(0, waiting());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_live_reading_is_sent_at_once_and_retained),
		TEST(what_came_while_the_broker_was_away_is_sent_as_the_newest_and_a_batch_of_each_series),
		TEST(a_batch_holds_at_most_two_hundred_readings),
		TEST(texts_travel_too),
		TEST(a_reading_that_could_not_be_published_is_tried_again),
		TEST(a_receipt_ends_the_waiting),
		TEST(what_is_no_receipt_changes_nothing),
		TEST(a_reading_without_a_receipt_is_sent_again_with_its_own_time_and_number),
		TEST(without_a_collector_the_brokers_word_is_enough),
		TEST(once_a_collector_has_spoken_the_brokers_word_is_not_enough),
		TEST(a_lost_connection_makes_all_wait_again),
		TEST(eight_batches_at_most_are_under_way),
		TEST(when_it_is_full_the_oldest_is_given_up_and_counted),
		TEST(receipts_find_their_readings_after_some_were_given_up),
		TEST(serial_numbers_rise_across_restarts_and_clocks_set_back),
		TEST(a_long_run_reserves_further_numbers),
		TEST(without_a_folder_the_clock_gives_the_numbers),
		TEST(a_damaged_number_file_is_done_without),
		TEST(the_past_is_told_in_order_on_the_grid_of_the_interval),
		TEST(a_month_goes_through_a_small_outbox_as_fast_as_receipts_come),
		TEST(what_is_not_simulated_has_no_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
