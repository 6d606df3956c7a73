#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../common/buffer.h"

static void what_is_added_stands_in_order_with_a_nul(void **state)
{
	struct buffer buffer = BUFFER_EMPTY;

	(void)state;
	assert_string_equal("", buffer_text(&buffer));
	assert_int_equal(0, buffer_add_text(&buffer, "21.4"));
	assert_int_equal(0, buffer_add_char(&buffer, ' '));
	assert_int_equal(0, buffer_printf(&buffer, "%s %d", "degC", 7));
	assert_string_equal("21.4 degC 7", buffer_text(&buffer));
	buffer_drop(&buffer, 5);
	assert_string_equal("degC 7", buffer_text(&buffer));
	buffer_done(&buffer);
}

static void a_full_buffer_takes_nothing_in_part_and_says_so(void **state)
{
	struct buffer buffer = BUFFER_LIMITED(10);

	(void)state;
	assert_int_equal(0, buffer_add_text(&buffer, "0123456789"));
	assert_int_equal(-EMSGSIZE, buffer_add_char(&buffer, 'x'));
	assert_int_equal(-EMSGSIZE, buffer.error);
	assert_string_equal("0123456789", buffer_text(&buffer));
	buffer_clear(&buffer);
	assert_int_equal(0, buffer_add_text(&buffer, "again"));
	buffer_done(&buffer);
}

static void it_grows_over_many_steps(void **state)
{
	struct buffer buffer = BUFFER_EMPTY;

	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_int_equal(0, buffer_add_text(&buffer, "abc"));
	assert_int_equal(300000, buffer.len);
	assert_memory_equal("abcabc", buffer.data + 299994, 7);
	buffer_done(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_stands_in_order_with_a_nul),
		cmocka_unit_test(a_full_buffer_takes_nothing_in_part_and_says_so),
		cmocka_unit_test(it_grows_over_many_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
