/* Units; factors from NIST SP 811 appendix B.8, and worked by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/unit.h"

static void known_units_are_converted_to_the_quantitys_own(void **state)
{
	static const struct {
		enum quantity quantity;
		double from;
		const char *unit;
		double to;
	} cases[] = {
		{ QUANTITY_TEMPERATURE, 21.4, "°C", 21.4 },
		{ QUANTITY_TEMPERATURE, 21.4, "C", 21.4 },
		{ QUANTITY_TEMPERATURE, 21.4, "degC", 21.4 },
		{ QUANTITY_TEMPERATURE, 32, "°F", 0 },
		{ QUANTITY_TEMPERATURE, -40, "degF", -40 },
		{ QUANTITY_TEMPERATURE, 300, "K", 26.85 },
		{ QUANTITY_DEW_POINT, 50, "F", 10 },
		{ QUANTITY_HUMIDITY, 48, "%RH", 48 },
		{ QUANTITY_PRESSURE, 101325, "Pa", 1013.25 },
		{ QUANTITY_PRESSURE, 101.325, "kPa", 1013.25 },
		{ QUANTITY_PRESSURE, 1.01325, "bar", 1013.25 },
		{ QUANTITY_PRESSURE, 1000, "mbar", 1000 },
		{ QUANTITY_PRESSURE, 760, "mmHg", 1013.25 },
		{ QUANTITY_PRESSURE, 29.92, "inHg", 1013.207 },
		{ QUANTITY_PRESSURE, 14.69595, "psi", 1013.25 },
		{ QUANTITY_DISTANCE, 12, "mm", 1.2 },
		{ QUANTITY_DISTANCE, 1.2, "m", 120 },
		{ QUANTITY_DISTANCE, 1, "in", 2.54 },
		{ QUANTITY_DISTANCE, 1, "ft", 30.48 },
		{ QUANTITY_VOLTAGE, 3300, "mV", 3.3 },
		{ QUANTITY_CURRENT, 250, "mA", 0.25 },
		{ QUANTITY_POWER, 1.5, "kW", 1500 },
		{ QUANTITY_POWER, 500, "mW", 0.5 },
		{ QUANTITY_ENERGY, 2500, "Wh", 2.5 },
		{ QUANTITY_ENERGY, 3600000, "J", 1 },
		{ QUANTITY_ENERGY, 3.6, "MJ", 1 },
		{ QUANTITY_ENERGY, 3600, "kJ", 1 },
		{ QUANTITY_ILLUMINANCE, 1, "fc", 10.76391 },
		{ QUANTITY_POSITION, 3.14159265358979, "rad", 180 },
		{ QUANTITY_VOLUME, 1500, "l", 1.5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		double value = cases[i].from;

		assert_int_equal(0, unit_convert(cases[i].quantity, cases[i].unit, &value));
		assert_float_equal(cases[i].to, value, 1e-3);
	}
}

static void an_unknown_unit_leaves_the_value_alone(void **state)
{
	static const char *const wrong[] = { "furlong", "Pa", "", "°", "c|degc", "degC ", "°Cx" };
	double value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(-EINVAL, unit_convert(QUANTITY_TEMPERATURE, wrong[i], &value));
	assert_int_equal(-EINVAL, unit_convert(QUANTITY_MOTION, "V", &value));
	assert_float_equal(7, value, 0);
}

static void a_quantity_that_nobody_knows_keeps_its_unit(void **state)
{
	double value = 7;

	(void)state;
	assert_int_equal(0, unit_convert(QUANTITY_NONE, "Bq/m³", &value));
	assert_float_equal(7, value, 0);
}

static void a_message_can_list_the_units(void **state)
{
	char text[96], tiny[8];

	(void)state;
	assert_string_equal("°C, °F, K", unit_list(QUANTITY_TEMPERATURE, text, sizeof(text)));
	assert_string_equal("none", unit_list(QUANTITY_MOTION, text, sizeof(text)));
	assert_true(strlen(unit_list(QUANTITY_PRESSURE, tiny, sizeof(tiny))) < sizeof(tiny));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_units_are_converted_to_the_quantitys_own),
		cmocka_unit_test(an_unknown_unit_leaves_the_value_alone),
		cmocka_unit_test(a_quantity_that_nobody_knows_keeps_its_unit),
		cmocka_unit_test(a_message_can_list_the_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
