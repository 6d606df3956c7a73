/* Whether an output could do what is asked: the same rules by which its node decides, so that a mistake is told at once. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "../common/clock.h"
#include "house.h"

enum { STEP_PARTS = 1000 }; /* how exactly a value must stand on a step */

static int refuse(char *reason, const char *format, double number, double limit)
{
	char shown[32], bound[32];

	value_format_number(number, shown);
	value_format_number(limit, bound);
	snprintf(reason, READING_REASON_MAX, format, shown, bound);
	return -EINVAL;
}

static int check_range(const struct house_series *series, double number, char *reason)
{
	double steps;

	if (!series->has_limits)
		return 0; /* the node knows */
	if (number > series->max)
		return refuse(reason, "%s is over %s", number, series->max);
	if (number < series->min)
		return refuse(reason, "%s is under %s", number, series->min);
	steps = series->step > 0 ? (number - series->min) / series->step : 0;
	if (fabs(steps - nearbyint(steps)) * STEP_PARTS > 1)
		return refuse(reason, "%s is not in steps of %s", number, series->step);
	return 0;
}

int house_check_command(const struct house *house, const struct command *command, char *reason)
{
	const struct house_series *series = house_series(house, &command->series);
	struct reading reading = { .series = command->series, .time_ms = TIME_NONE, .value = command->value };
	double number = command->value.number;

	if (!series || series->output == HOUSE_SENSOR)
		return -ENOENT;
	if (series->output == HOUSE_TEXT) {
		if (command->value.kind == VALUE_TEXT)
			return 0;
		snprintf(reason, READING_REASON_MAX, "a text is wanted");
		return -EINVAL;
	}
	if (series->output == HOUSE_RANGE && command->value.kind == VALUE_NUMBER && isfinite(number))
		return check_range(series, number, reason);
	if (reading_check(&reading, clock_wall_ms(), reason) < 0)
		return -EINVAL;
	if ((series->output == HOUSE_SWITCH || series->output == HOUSE_BUTTON) && !(number <= 0) && !(number >= 1)) {
		snprintf(reason, READING_REASON_MAX, "neither 0 nor 1");
		return -EINVAL;
	}
	return 0;
}
