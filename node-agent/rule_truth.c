/* Whether the conditions of a rule hold. */
#include <math.h>
#include <time.h>

#include "../common/clock.h"
#include "rule.h"

enum { DAY_MINUTES = 24 * 60 };
#define SAME 1e-9

/* ---- a condition ----------------------------------------------------------------------------------------------------------------- */

/* With hysteresis, what holds goes on holding for a while beyond its limit. */
static bool compares(const struct rule_condition *condition, double hysteresis)
{
	double now = condition->now.number, limit = condition->value.number;
	double beyond = condition->raw ? hysteresis : 0;
	bool plain = condition->channel->info->kind != QUANTITY_KIND_NUMBER;
	bool equal = plain ? value_equal(&condition->now, &condition->value) : fabs(now - limit) <= SAME + beyond;

	switch (condition->compare) {
	case COMPARE_LESS:
		return now < limit + beyond;
	case COMPARE_AT_MOST:
		return now <= limit + beyond;
	case COMPARE_MORE:
		return now > limit - beyond;
	case COMPARE_AT_LEAST:
		return now >= limit - beyond;
	case COMPARE_EQUAL:
		return equal;
	case COMPARE_OTHER:
		return !equal;
	}
	return false;
}

static bool is_event(const struct rule_condition *condition, const struct value *value)
{
	bool was_on = condition->now.number > 0, is_on = value->number > 0;

	switch (condition->event) {
	case EVENT_NONE:
		return false;
	case EVENT_TEXT:
		return value_equal(value, &condition->value);
	case EVENT_PRESSED:
		return condition->has_value && is_on && !was_on;
	case EVENT_RELEASED:
		return condition->has_value && !is_on && was_on;
	case EVENT_CHANGES:
		return condition->has_value && !value_equal(value, &condition->now);
	}
	return false;
}

bool rule_seen(struct rule *rule, const struct channel *channel, const struct value *value)
{
	bool concerns = false;

	for (size_t i = 0; i < rule->when_count; i++) {
		struct rule_condition *condition = &rule->when[i];
		bool raw;

		if (condition->channel != channel)
			continue;
		concerns = true;
		rule->events += is_event(condition, value);
		condition->now = *value;
		raw = compares(condition, rule->hysteresis);
		if (!condition->has_value || raw != condition->raw)
			condition->since_ms = clock_boot_ms();
		condition->raw = raw;
		condition->has_value = true;
	}
	return concerns;
}

static enum truth truth_of(const struct rule_condition *condition, int64_t now_ms, int64_t *wake_ms)
{
	int64_t at_ms = condition->since_ms + condition->for_ms;

	if (!condition->has_value)
		return TRUTH_UNKNOWN;
	if (!condition->raw)
		return TRUTH_FALSE;
	if (now_ms >= at_ms)
		return TRUTH_TRUE;
	if (at_ms < *wake_ms)
		*wake_ms = at_ms;
	return TRUTH_UNKNOWN; /* not yet */
}

/* ---- times ----------------------------------------------------------------------------------------------------------------------- */

static bool is_day(const struct rule *rule, int day)
{
	return !rule->days || rule->days & 1U << ((day + 7) % 7);
}

bool rule_is_in_time(const struct rule *rule, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm local;
	int minute, day;

	if (!rule->span_count && !rule->days)
		return true;
	localtime_r(&seconds, &local);
	minute = local.tm_hour * 60 + local.tm_min;
	day = (local.tm_wday + 6) % 7; /* Monday is 0 */
	if (!rule->span_count)
		return is_day(rule, day);
	for (size_t i = 0; i < rule->span_count; i++) {
		int from = rule->spans[i].from, to = rule->spans[i].to;
		bool over_midnight = to <= from;

		if (minute >= from && minute < (over_midnight ? DAY_MINUTES : to) && is_day(rule, day))
			return true;
		if (over_midnight && minute < to && is_day(rule, day - 1)) /* it began yesterday */
			return true;
	}
	return false;
}

/* ---- a rule ---------------------------------------------------------------------------------------------------------------------- */

/* Whether a sensor of it has been silent for too long. */
static bool is_at_fault(struct rule *rule, int64_t now_ms, int64_t *wake_ms)
{
	bool silent = false;

	for (size_t i = 0; i < rule->when_count; i++)
		silent = silent || rule->when[i].is_silent;
	if (!silent) {
		rule->fault_from_ms = 0;
		return false;
	}
	if (!rule->fault_from_ms)
		rule->fault_from_ms = now_ms;
	if (now_ms >= rule->fault_from_ms + rule->fault_after_ms)
		return true;
	if (rule->fault_from_ms + rule->fault_after_ms < *wake_ms)
		*wake_ms = rule->fault_from_ms + rule->fault_after_ms;
	return false;
}

enum truth rule_truth(struct rule *rule, int64_t now_ms, int64_t wall_ms, int64_t *wake_ms)
{
	bool waits = false;

	if (rule->span_count || rule->days) {
		int64_t minute_ms = now_ms + 60000 - wall_ms % 60000;

		if (minute_ms < *wake_ms)
			*wake_ms = minute_ms; /* each minute, so that a clock that is set, or summer time, is noticed */
		if (!rule_is_in_time(rule, wall_ms))
			return TRUTH_FALSE;
	}
	if (is_at_fault(rule, now_ms, wake_ms))
		return rule->keep_on_fault && !rule->is_event ? rule->truth : TRUTH_FALSE;
	for (size_t i = 0; i < rule->when_count; i++) {
		enum truth truth = rule->when[i].event != EVENT_NONE ? TRUTH_TRUE : truth_of(&rule->when[i], now_ms, wake_ms);

		if (truth == TRUTH_FALSE)
			return TRUTH_FALSE;
		waits = waits || truth == TRUTH_UNKNOWN;
	}
	if (!waits)
		return TRUTH_TRUE;
	return rule->truth == TRUTH_UNKNOWN ? TRUTH_UNKNOWN : TRUTH_FALSE;
}
