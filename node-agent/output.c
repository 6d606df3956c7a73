#include "output.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/reading.h"
#include "../common/unit.h"
#include "../common/wire_json.h"

enum { STEP_PARTS = 1000 };

static int check_range(const struct channel *channel, double number, char *words)
{
	double steps = channel->step > 0 ? (number - channel->min) / channel->step : 0;
	char text[32];

	if (number < channel->min || number > channel->max) {
		bool over = number > channel->max;

		value_format_number(over ? channel->max : channel->min, text);
		snprintf(words, OUTPUT_WORDS_MAX, "%s %s", over ? "over" : "under", text);
		return -ERANGE;
	}
	if (fabs(steps - nearbyint(steps)) * STEP_PARTS > 1) {
		value_format_number(channel->step, text);
		snprintf(words, OUTPUT_WORDS_MAX, "not in steps of %s", text);
		return -ERANGE;
	}
	return 0;
}

int output_check(const struct channel *channel, const struct value *value, char *words)
{
	struct reading reading = { .series = channel->series, .time_ms = TIME_NONE, .value = *value };

	if (channel->output == OUTPUT_RANGE && value->kind == VALUE_NUMBER && isfinite(value->number))
		return check_range(channel, value->number, words);
	if (reading_check(&reading, 0, words) < 0)
		return -ERANGE;
	if ((channel->output == OUTPUT_SWITCH || channel->output == OUTPUT_BUTTON) && !(value->number <= 0) &&
	    !(value->number >= 1)) {
		snprintf(words, OUTPUT_WORDS_MAX, "neither 0 nor 1");
		return -ERANGE;
	}
	return 0;
}

/* "21.5 °C": a number, then a unit that the quantity can be given in. */
static int parse_with_unit(const struct channel *channel, const char *text, struct value *ret_value, char *words)
{
	char units[96], *end;
	double number = strtod(text, &end);

	end += strspn(end, " ");
	if (end == text || !isfinite(number)) {
		snprintf(words, OUTPUT_WORDS_MAX, "\"%.40s\" is no number", text);
		return -EINVAL;
	}
	if (*end && unit_convert(quantity_find(channel->series.quantity), end, &number) < 0) {
		snprintf(words, OUTPUT_WORDS_MAX, "\"%.40s\": the units of %s are %s", text, channel->series.quantity,
			 unit_list(quantity_find(channel->series.quantity), units, sizeof(units)));
		return -EINVAL;
	}
	*ret_value = value_of_number(number);
	return 0;
}

int output_parse(const struct channel *channel, const char *text, struct value *ret_value, char *words)
{
	bool plain = channel->info->kind != QUANTITY_KIND_NUMBER;

	if (plain)
		return wire_bare_value(&channel->series, text, strlen(text), ret_value, words) < 0 ? -EINVAL : 0;
	return parse_with_unit(channel, text, ret_value, words);
}

int output_parse_checked(const struct channel *channel, const char *text, struct value *ret_value, char *words)
{
	struct value value;
	int r = output_parse(channel, text, &value, words);

	if (r == 0)
		r = output_check(channel, &value, words);
	if (r == 0)
		*ret_value = value;
	return r;
}
