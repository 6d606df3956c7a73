/* links: collector/receipts.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../collector/receipts.h"

struct sent {
	char text[4096];
	size_t calls;
};

static void write_down(void *context, const char *node, const struct wire_range *ranges, size_t count)
{
	struct sent *sent = context;
	size_t len = strlen(sent->text);

	sent->calls++;
	len += (size_t)snprintf(sent->text + len, sizeof(sent->text) - len, "%s", node);
	for (size_t i = 0; i < count && i < 4; i++)
		len += (size_t)snprintf(sent->text + len, sizeof(sent->text) - len, " %lld-%lld", (long long)ranges[i].first,
					(long long)ranges[i].last);
	snprintf(sent->text + len, sizeof(sent->text) - len, ";");
}

static void numbers_become_ranges_in_any_order_and_with_repeats(void **state)
{
	struct receipts *receipts = receipts_open();
	struct sent sent = { 0 };
	const int64_t seqs[] = { 5, 3, 4, 4, 9, 10, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(seqs) / sizeof(*seqs); i++)
		assert_int_equal(0, receipts_add(receipts, "salon", seqs[i]));
	receipts_send(receipts, write_down, &sent);
	assert_string_equal("salon 1-1 3-5 9-10;", sent.text);
	receipts_close(receipts);
}

static void each_node_gets_its_own_and_only_once(void **state)
{
	struct receipts *receipts = receipts_open();
	struct sent sent = { 0 };

	(void)state;
	receipts_add(receipts, "salon", 1);
	receipts_add(receipts, "garage", 7);
	receipts_add(receipts, "salon", 2);
	receipts_send(receipts, write_down, &sent);
	assert_non_null(strstr(sent.text, "salon 1-2;"));
	assert_non_null(strstr(sent.text, "garage 7-7;"));
	receipts_send(receipts, write_down, &sent);
	assert_int_equal(2, sent.calls);
	receipts_close(receipts);
}

static void more_ranges_than_a_message_holds_go_in_several(void **state)
{
	struct receipts *receipts = receipts_open();
	struct sent sent = { 0 };

	(void)state;
	for (int64_t seq = 1; seq <= 2 * (RECEIPTS_RANGES_MAX + 1); seq += 2)
		receipts_add(receipts, "salon", seq);
	receipts_send(receipts, write_down, &sent);
	assert_int_equal(2, sent.calls);
	receipts_close(receipts);
}

static void a_rolled_back_batch_gives_no_receipt(void **state)
{
	struct receipts *receipts = receipts_open();
	struct sent sent = { 0 };

	(void)state;
	receipts_add(receipts, "salon", 1);
	receipts_clear(receipts);
	receipts_send(receipts, write_down, &sent);
	assert_int_equal(0, sent.calls);
	receipts_close(receipts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_become_ranges_in_any_order_and_with_repeats),
		cmocka_unit_test(each_node_gets_its_own_and_only_once),
		cmocka_unit_test(more_ranges_than_a_message_holds_go_in_several),
		cmocka_unit_test(a_rolled_back_batch_gives_no_receipt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
