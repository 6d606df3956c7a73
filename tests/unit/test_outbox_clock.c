/* links: node-agent/outbox.c node-agent/outbox_clock.c node-agent/outbox_instants.c node-agent/outbox_queue.c node-agent/outbox_receipt.c node-agent/outbox_send.c node-agent/outbox_spill.c node-agent/serial.c tests/fakes/bus.c tests/fakes/clock.c tests/fakes/folder.c */
/* When a reading was: held without a clock, mended with one; clocks that are set. DESIGN 3.4. */
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
#include "../../node-agent/outbox.h"
#include "../fakes/bus.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"

#define NOW INT64_C(1767268800000)
#define HOUR INT64_C(3600000)

static sd_event *event;
static struct outbox *outbox;
static struct channel channel;

static void open_outbox(void)
{
	const struct outbox_settings settings = {
		.base = "foyer",
		.node = "salon",
		.room = 20000,
		.spill_after_ms = HOUR,
		.resend_after_ms = HOUR,
		.clock_wait_ms = 600000,
	};

	outbox_close(outbox);
	outbox = NULL;
	assert_int_equal(0, outbox_open(event, &settings, &outbox));
	outbox_use(outbox, fake_bus());
	outbox_connected(outbox);
}

static int begin(void **state)
{
	(void)state;
	fake_bus_reset();
	fake_wall_ms = NOW;
	fake_boot_ms = 30000;
	fake_synced = fake_battery = false;
	sd_event_new(&event);
	series_make("salon", "air", "temperature", &channel.series);
	return 0;
}

static int end(void **state)
{
	(void)state;
	outbox_close(outbox);
	outbox = NULL;
	event = sd_event_unref(event);
	fake_bus_reset();
	fake_boot_ms = -1;
	fake_synced = true;
	return 0;
}

/* Both clocks go on. */
static void pass(int64_t ms)
{
	fake_wall_ms += ms;
	fake_boot_ms += ms;
}

static void measure(double number)
{
	struct value value = value_of_number(number);

	outbox_add(outbox, &channel, fake_wall_ms, &value, true);
}

static int64_t time_in(const char *payload)
{
	const char *time = strstr(payload, "\"time\":");

	assert_non_null(time);
	return strtoll(time + 7, NULL, 10);
}

static void wait_for(int count)
{
	while (fake_count < count)
		sd_event_run(event, UINT64_MAX);
}

static void without_a_clock_readings_are_held_and_mended_when_it_is_known(void **state)
{
	const char *second;

	(void)state;
	fake_wall_ms = 86400000; /* 1970 */
	open_outbox();
	measure(1);
	pass(1000);
	measure(2);
	assert_int_equal(0, fake_count);
	assert_string_equal("waiting", outbox_counts(outbox).clock);
	assert_int_equal(2, outbox_counts(outbox).waiting);
	assert_true(outbox_counts(outbox).oldest_ms == TIME_NONE);
	pass(4000);
	fake_wall_ms = NOW;
	fake_synced = true;
	measure(3);
	assert_int_equal(NOW, time_in(fake_last()->payload));
	assert_string_equal("synced", outbox_counts(outbox).clock);
	wait_for(2);
	assert_int_equal('[', fake_last()->payload[0]);
	assert_int_equal(NOW - 5000, time_in(fake_last()->payload));
	second = strchr(fake_last()->payload, '}');
	assert_int_equal(NOW - 4000, time_in(second));
}

static void the_newest_held_reading_is_retained_when_its_time_is_known(void **state)
{
	(void)state;
	open_outbox();
	measure(7);
	pass(2000);
	fake_synced = true;
	fake_wall_ms = NOW + HOUR;
	wait_for(1); /* seen by the timer, without a further reading */
	assert_true(fake_last()->retain);
	assert_int_equal(NOW + HOUR - 2000, time_in(fake_last()->payload));
}

static void a_battery_clock_is_believed_at_once_but_not_one_of_before_2025(void **state)
{
	(void)state;
	fake_battery = true;
	open_outbox();
	assert_string_equal("unsynced", outbox_counts(outbox).clock);
	measure(1);
	assert_int_equal(NOW, time_in(fake_last()->payload));
	fake_wall_ms = INT64_C(946684800000); /* 2000: the battery is empty */
	open_outbox();
	assert_string_equal("waiting", outbox_counts(outbox).clock);
}

static void the_wait_for_a_time_server_ends(void **state)
{
	(void)state;
	open_outbox();
	measure(1);
	pass(560000);
	measure(2);
	assert_int_equal(0, fake_count);
	pass(10000);
	measure(3); /* ten minutes after the start */
	assert_int_equal(1, fake_count);
	assert_int_equal(NOW + 570000, time_in(fake_last()->payload));
	assert_string_equal("unsynced", outbox_counts(outbox).clock);
}

static void an_hour_forth_and_back_gives_no_time_twice(void **state)
{
	int64_t times[3000];
	int count = 0;

	(void)state;
	fake_synced = true;
	open_outbox();
	for (int run = 0; run < 3; run++) {
		for (int i = 0; i < 900; i++) {
			measure(count);
			times[count++] = time_in(fake_last()->payload);
			pass(4000);
		}
		fake_wall_ms -= HOUR; /* the very same milliseconds again */
	}
	for (int i = 0; i < count; i++) {
		assert_in_range(times[i] - NOW, (i % 900) * 4000, (i % 900) * 4000 + 3);
		for (int j = 0; j < i; j++)
			assert_true(times[i] != times[j]);
	}
}

static void two_readings_of_one_millisecond_and_a_small_step_back_stay_in_order(void **state)
{
	(void)state;
	fake_synced = true;
	open_outbox();
	measure(1);
	measure(2);
	fake_wall_ms -= 400;
	measure(3);
	assert_int_equal(NOW, time_in(fake_published[0].payload));
	assert_int_equal(NOW + 1, time_in(fake_published[1].payload));
	assert_int_equal(NOW + 2, time_in(fake_published[2].payload));
}

static void a_clock_set_without_being_synchronised_is_doubted_and_then_believed(void **state)
{
	(void)state;
	fake_synced = true;
	open_outbox();
	measure(1);
	fake_synced = false;
	pass(1000);
	measure(2); /* the time server was lost: no harm */
	assert_int_equal(NOW + 1000, time_in(fake_last()->payload));
	fake_wall_ms += 5 * HOUR;
	pass(1000);
	measure(3);
	assert_int_equal(NOW + 2000, time_in(fake_last()->payload));
	pass(599000);
	measure(4);
	assert_int_equal(NOW + 601000, time_in(fake_last()->payload));
	pass(2000);
	measure(5);
	assert_int_equal(NOW + 5 * HOUR + 603000, time_in(fake_last()->payload));
}

static void a_doubted_clock_that_is_right_again_changes_nothing(void **state)
{
	(void)state;
	fake_synced = true;
	open_outbox();
	measure(1);
	fake_synced = false;
	fake_wall_ms -= 24 * HOUR;
	pass(1000);
	measure(2);
	fake_wall_ms += 24 * HOUR;
	pass(1000);
	fake_synced = true;
	measure(3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(NOW + 1000 * i, time_in(fake_published[i].payload));
}

/* The sampler asked the clock for its time, then it was set, then the reading came here. */
static void a_clock_set_between_reading_and_stamp_is_seen(void **state)
{
	struct value value = value_of_number(1);
	int64_t time_ms;

	(void)state;
	fake_synced = true;
	open_outbox();
	measure(1);
	pass(1000);
	time_ms = fake_wall_ms;
	fake_wall_ms += HOUR;
	outbox_add(outbox, &channel, time_ms, &value, true);
	assert_int_equal(NOW + HOUR + 1000, time_in(fake_last()->payload));
}

static void a_receipt_for_what_was_never_sent_is_none(void **state)
{
	static const char all[] = "{\"seq\":[[1,9007199254740992]]}";

	(void)state;
	open_outbox();
	measure(1);
	outbox_receipt(outbox, all, strlen(all));
	assert_int_equal(1, outbox_counts(outbox).waiting);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(without_a_clock_readings_are_held_and_mended_when_it_is_known),
		TEST(the_newest_held_reading_is_retained_when_its_time_is_known),
		TEST(a_battery_clock_is_believed_at_once_but_not_one_of_before_2025),
		TEST(the_wait_for_a_time_server_ends),
		TEST(an_hour_forth_and_back_gives_no_time_twice),
		TEST(two_readings_of_one_millisecond_and_a_small_step_back_stay_in_order),
		TEST(a_clock_set_without_being_synchronised_is_doubted_and_then_believed),
		TEST(a_doubted_clock_that_is_right_again_changes_nothing),
		TEST(a_clock_set_between_reading_and_stamp_is_seen),
		TEST(a_receipt_for_what_was_never_sent_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
