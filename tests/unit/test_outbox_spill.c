/* links: node-agent/outbox.c node-agent/outbox_clock.c node-agent/outbox_instants.c node-agent/outbox_queue.c node-agent/outbox_receipt.c node-agent/outbox_send.c node-agent/outbox_spill.c node-agent/serial.c tests/fakes/bus.c tests/fakes/clock.c tests/fakes/folder.c */
/* What waits goes to disk and comes back: under the same number, in order, once. DESIGN 3.2. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../common/reading.h"
#include "../../node-agent/outbox.h"
#include "../fakes/bus.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"

#define NOW INT64_C(1767268800000)
#define NEVER_MS INT64_C(3600000)

static sd_event *event;
static struct outbox *outbox;
static struct outbox_settings settings;
static struct channel channels[2];

static void open_outbox(void)
{
	assert_int_equal(0, outbox_open(event, &settings, &outbox));
	outbox_use(outbox, fake_bus());
}

static void close_outbox(void)
{
	outbox_close(outbox);
	outbox = NULL;
}

static int begin(void **state)
{
	(void)state;
	folder_make();
	fake_bus_reset();
	fake_wall_ms = NOW;
	fake_synced = true;
	sd_event_new(&event);
	series_make("salon", "air", "temperature", &channels[0].series);
	series_make("salon", "door", "badge", &channels[1].series);
	settings = (struct outbox_settings){
		.base = "foyer",
		.node = "salon",
		.state_dir = strdup(folder_path(".")),
		.room = 1000,
		.file_bytes = 1 << 20,
		.spill_after_ms = NEVER_MS,
		.resend_after_ms = NEVER_MS,
	};
	open_outbox();
	outbox_collector(outbox, false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	close_outbox();
	free((char *)settings.state_dir);
	event = sd_event_unref(event);
	fake_bus_reset();
	folder_remove();
	return 0;
}

static void add(int count)
{
	static int64_t time_ms = NOW;

	for (int i = 0; i < count; i++) {
		struct value value = value_of_number(i);

		outbox_add(outbox, &channels[0], ++time_ms, &value, false);
	}
}

/* Receipts all that was published from `from` on; a batch is a line of numbers that rise. Returns how many readings that were. */
static int receipt_all(int from, int64_t *last)
{
	int count = 0;

	for (int i = from; i < fake_count; i++)
		for (const char *p = fake_published[i].payload; (p = strstr(p, "\"seq\":")); count++) {
			int64_t seq = strtoll(p += 6, NULL, 10);
			char payload[100];

			assert_true(seq > *last);
			*last = seq;
			snprintf(payload, sizeof(payload), "{\"seq\":[[%" PRId64 ",%" PRId64 "]]}", seq, seq);
			outbox_receipt(outbox, payload, strlen(payload));
		}
	for (int i = from; i < fake_count; i++)
		outbox_acknowledged(outbox, fake_published[i].id);
	return count;
}

/* As a collector that is there would, until nothing waits. Returns how many readings came. */
static int take_all(void)
{
	int64_t last = 0;
	int from = 0, count = 0;

	outbox_connected(outbox);
	outbox_collector(outbox, true);
	while (outbox_counts(outbox).waiting > 0) {
		int next;

		if (fake_count == from) /* otherwise a receipt has sent more */
			sd_event_run(event, 100000);
		next = fake_count;
		count += receipt_all(from, &last);
		from = next;
	}
	return count;
}

static bool file_is_there(void)
{
	return access(folder_path("outbox.db"), F_OK) == 0;
}

static void full_memory_goes_to_disk_and_comes_back_in_order(void **state)
{
	(void)state;
	add(1000);
	assert_false(file_is_there());
	add(11500); /* more than is read back at a time */
	assert_int_equal(12500, outbox_counts(outbox).waiting);
	assert_in_range(outbox_counts(outbox).spilled, 11500, 12000);
	assert_int_equal(0, outbox_counts(outbox).given_up);
	assert_int_equal(0, outbox_free(outbox));
	/* Else the newer ones, in memory, would go first. */
	close_outbox();
	open_outbox();
	assert_int_equal(12500, outbox_counts(outbox).spilled);
	assert_int_equal(12500, take_all());
	for (int i = 0; i < 20 && file_is_there(); i++)
		sd_event_run(event, 200000);
	assert_false(file_is_there());
}

static void what_waits_for_long_goes_to_disk(void **state)
{
	(void)state;
	settings.spill_after_ms = 20;
	outbox_configure(outbox, &settings);
	add(10);
	while (outbox_counts(outbox).spilled == 0)
		sd_event_run(event, UINT64_MAX);
	assert_int_equal(10, outbox_counts(outbox).spilled);
	assert_int_equal(10, outbox_counts(outbox).waiting);
}

static void a_receipt_reaches_what_is_on_disk_unread(void **state)
{
	char payload[100];

	(void)state;
	add(3000);
	close_outbox();
	open_outbox();
	outbox_connected(outbox);
	outbox_collector(outbox, false);
	snprintf(payload, sizeof(payload), "{\"seq\":[[1,%" PRId64 "]]}", INT64_C(9007199254740992));
	outbox_receipt(outbox, payload, strlen(payload));
	add(5);
	assert_int_equal(5, take_all()); /* what was given after the receipt is not meant by it */
}

static void texts_and_times_come_back_as_they_were(void **state)
{
	struct value value;
	char expected[160];

	(void)state;
	value_of_text("04:a2:1b", 8, &value);
	outbox_add(outbox, &channels[1], NOW + 7, &value, true);
	close_outbox();
	open_outbox();
	take_all();
	snprintf(expected, sizeof(expected), "[{\"value\":\"04:a2:1b\",\"time\":%" PRId64 ",\"seq\":%" PRId64 "}]", NOW + 7,
		 NOW * 1000);
	assert_string_equal(expected, fake_last()->payload);
	assert_string_equal("foyer/salon/door/badge", fake_last()->topic);
}

static void what_waited_goes_out_under_the_nodes_new_name(void **state)
{
	(void)state;
	add(1);
	close_outbox();
	settings.node = "kitchen";
	open_outbox();
	take_all();
	assert_string_equal("foyer/kitchen/air/temperature", fake_last()->topic);
}

static void a_bounded_file_gives_up_the_oldest(void **state)
{
	int64_t given_up;

	(void)state;
	settings.file_bytes = 65536;
	outbox_configure(outbox, &settings);
	add(6000);
	given_up = outbox_counts(outbox).given_up;
	assert_in_range(given_up, 2000, 5000);
	assert_int_equal(6000 - given_up, outbox_counts(outbox).waiting);
	close_outbox();
	open_outbox();
	assert_true(take_all() <= 6000 - given_up);
}

static void without_a_file_memory_alone_is_bounded(void **state)
{
	(void)state;
	settings.file_bytes = 0;
	outbox_configure(outbox, &settings);
	add(1200);
	assert_int_equal(1000, outbox_counts(outbox).waiting);
	assert_int_equal(200, outbox_counts(outbox).given_up);
	assert_false(file_is_there());
}

/* A name that no file can have, as a disk that takes nothing. */
static void what_cannot_be_written_is_told_and_done_without(void **state)
{
	(void)state;
	assert_int_equal(0, symlink("/dev/full/nowhere", folder_path("outbox.db")));
	add(1500);
	assert_true(outbox_counts(outbox).trouble[0]);
	assert_int_equal(1000, outbox_counts(outbox).waiting);
	assert_int_equal(500, outbox_counts(outbox).given_up);
	assert_int_equal(0, unlink(folder_path("outbox.db")));
}

static void numbers_rise_above_the_files_though_all_else_is_lost(void **state)
{
	(void)state;
	add(3);
	close_outbox();
	unlink(folder_path("serial"));
	fake_wall_ms = 1000;
	fake_synced = false;
	open_outbox();
	fake_wall_ms = NOW;
	fake_synced = true;
	outbox_collector(outbox, false);
	outbox_connected(outbox);
	add(3);
	while (fake_count < 1)
		sd_event_run(event, UINT64_MAX);
	assert_true(strtoll(strstr(fake_last()->payload, "\"seq\":") + 6, NULL, 10) > NOW * 1000 + 2);
	assert_int_equal(6, outbox_counts(outbox).waiting);
}

static void a_second_agent_in_the_folder_is_refused(void **state)
{
	struct outbox *second = NULL;

	(void)state;
	assert_int_equal(-EBUSY, outbox_open(event, &settings, &second));
	assert_null(second);
}

static void a_collector_once_known_is_known_at_the_next_start(void **state)
{
	(void)state;
	close_outbox();
	open_outbox();
	outbox_connected(outbox);
	add(1);
	while (fake_count < 1)
		sd_event_run(event, UINT64_MAX);
	outbox_acknowledged(outbox, fake_last()->id);
	assert_int_equal(1, outbox_counts(outbox).waiting);
	outbox_no_collector(outbox);
	while (fake_count < 2)
		sd_event_run(event, UINT64_MAX);
	outbox_acknowledged(outbox, fake_last()->id);
	assert_int_equal(0, outbox_counts(outbox).waiting);
	assert_int_equal(-1, access(folder_path("collector"), F_OK));
}

static void what_the_broker_took_is_asked_of_a_collector_that_appears(void **state)
{
	(void)state;
	settings.resend_after_ms = 100;
	outbox_configure(outbox, &settings);
	outbox_no_collector(outbox);
	outbox_connected(outbox);
	add(4);
	while (fake_count < 1)
		sd_event_run(event, UINT64_MAX);
	outbox_acknowledged(outbox, fake_last()->id);
	assert_int_equal(0, outbox_counts(outbox).waiting);
	assert_int_equal(1, fake_count);
	assert_int_equal(0, outbox_counts(outbox).waiting);
	outbox_collector(outbox, true);
	assert_int_equal(4, outbox_counts(outbox).waiting);
	while (fake_count < 2) /* no receipt came */
		sd_event_run(event, UINT64_MAX);
	assert_string_equal(fake_published[0].payload, fake_published[1].payload);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(full_memory_goes_to_disk_and_comes_back_in_order),
		TEST(what_waits_for_long_goes_to_disk),
		TEST(a_receipt_reaches_what_is_on_disk_unread),
		TEST(texts_and_times_come_back_as_they_were),
		TEST(what_waited_goes_out_under_the_nodes_new_name),
		TEST(a_bounded_file_gives_up_the_oldest),
		TEST(without_a_file_memory_alone_is_bounded),
		TEST(what_cannot_be_written_is_told_and_done_without),
		TEST(numbers_rise_above_the_files_though_all_else_is_lost),
		TEST(a_second_agent_in_the_folder_is_refused),
		TEST(a_collector_once_known_is_known_at_the_next_start),
		TEST(what_the_broker_took_is_asked_of_a_collector_that_appears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
