#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"

enum { RETRY_MS = 15000, BURST_MS = 10000, BURST_MAX = 20, PAUSE_MS = 60000, WISHES_MAX = 64 };

/* What an output is to have in the end, when several rules speak of it at once. */
struct wish {
	struct rule *rule;
	struct rule_action *action;
	struct value value;
};

struct rules {
	sd_event *event;
	sd_event_source *soon, *timer;
	struct rule *list;
	struct rules_hooks hooks;
	void *context;
	int64_t retry_ms; /* clock_boot_ms(); 0: nothing failed */
	struct wish wishes[WISHES_MAX];
	size_t wish_count;
	unsigned looks;
};

static void look_soon(struct rules *rules)
{
	sd_event_source_set_enabled(rules->soon, SD_EVENT_ONESHOT);
}

/* ---- wishes ---------------------------------------------------------------------------------------------------------------------- */

/* The last word counts, and the output sees only that. */
static void wish(struct rules *rules, struct rule *rule, struct rule_action *action)
{
	struct wish *slot = NULL;

	for (size_t i = 0; i < rules->wish_count && !slot; i++)
		if (rules->wishes[i].action->channel == action->channel)
			slot = &rules->wishes[i];
	if (!slot && rules->wish_count == WISHES_MAX)
		return;
	if (!slot)
		slot = &rules->wishes[rules->wish_count++];
	*slot = (struct wish){ rule, action, action->toggle ? value_of_number(!(action->has_now && action->now)) : action->value };
}

/* The actions that hold at present. */
static struct rule_action *present(struct rule *rule, size_t *ret_count)
{
	*ret_count = rule->truth == TRUTH_TRUE ? rule->then_count : rule->truth == TRUTH_FALSE ? rule->otherwise_count : 0;
	return rule->truth == TRUTH_TRUE ? rule->then : rule->otherwise;
}

static void wish_present(struct rules *rules, struct rule *rule)
{
	size_t count;
	struct rule_action *actions = present(rule, &count);

	for (size_t i = 0; i < count; i++)
		wish(rules, rule, &actions[i]);
}

/* A rule that acts so often quarrels with another one. */
static bool may_act(struct rules *rules, struct rule *rule, int64_t now_ms)
{
	if (rule->paused_ms)
		return false;
	if (rule->acted_look == rules->looks)
		return true; /* several outputs, one act */
	rule->acted_look = rules->looks;
	if (now_ms - rule->burst_ms > BURST_MS) {
		rule->burst_ms = now_ms;
		rule->burst = 0;
	}
	if (++rule->burst <= BURST_MAX)
		return true;
	rule->paused_ms = now_ms + PAUSE_MS;
	log_warning("rule %s: acted %d times in %d s, pauses for %d s: do two rules undo each other?", rule->name, BURST_MAX,
		    BURST_MS / 1000, PAUSE_MS / 1000);
	rules->hooks.changed(rules->context);
	return false;
}

static void hold(struct rules *rules, const struct channel *channel, int64_t now_ms);

static void fulfil(struct rules *rules, const struct wish *wish, int64_t now_ms)
{
	char by[NAME_MAX_LEN + 8];

	if (wish->action->held_ms > now_ms || !may_act(rules, wish->rule, now_ms))
		return;
	snprintf(by, sizeof(by), "rule %s", wish->rule->name);
	wish->action->failed = false;
	wish->action->now = wish->value.number > 0;
	wish->action->has_now = true;
	if (wish->rule->is_event)
		hold(rules, wish->action->channel, now_ms); /* a button is a person */
	rules->hooks.order(rules->context, wish->action->channel, &wish->value, by);
}

/* ---- looking --------------------------------------------------------------------------------------------------------------------- */

static void become(struct rules *rules, struct rule *rule, enum truth truth)
{
	rule->truth = truth;
	rule->since_ms = clock_wall_ms();
	log_info("rule %s: %s", rule->name, truth == TRUTH_TRUE ? "then" : "else");
	wish_present(rules, rule);
	rules->hooks.changed(rules->context);
}

/* First what ends, then what begins, so that a rule of the day hands over to one of the night. */
static void change_truths(struct rules *rules, enum truth truth)
{
	for (struct rule *rule = rules->list; rule; rule = rule->next) {
		if (!rule->is_event && rule->next_truth == truth && rule->truth != truth)
			become(rules, rule, truth);
	}
}

static void take_events(struct rules *rules)
{
	for (struct rule *rule = rules->list; rule; rule = rule->next) {
		int events = rule->events;

		rule->events = 0;
		if (!events || rule->next_truth != TRUTH_TRUE)
			continue;
		rule->since_ms = clock_wall_ms();
		log_info("rule %s: then", rule->name);
		for (size_t i = 0; i < rule->then_count; i++)
			if (!rule->then[i].toggle || events % 2)
				wish(rules, rule, &rule->then[i]);
		rules->hooks.changed(rules->context);
	}
}

static void again(struct rules *rules, struct rule *rule, struct rule_action *actions, size_t count, int64_t now_ms, bool retry)
{
	for (size_t i = 0; i < count; i++) {
		bool ends = actions[i].held_ms && actions[i].held_ms <= now_ms;

		/* What ends with a rule's hours is not its business later. */
		if ((ends && (rule->truth == TRUTH_TRUE || rule_is_in_time(rule, clock_wall_ms()))) || (retry && actions[i].failed))
			wish(rules, rule, &actions[i]);
	}
}

/* Overrides and pauses that are over, and what failed. */
static void take_up(struct rules *rules, int64_t now_ms)
{
	bool retry = rules->retry_ms && rules->retry_ms <= now_ms;

	if (retry)
		rules->retry_ms = 0;
	for (struct rule *rule = rules->list; rule; rule = rule->next) {
		struct rule_action *actions;
		size_t count;

		if (rule->paused_ms && rule->paused_ms <= now_ms) {
			rule->paused_ms = rule->burst = 0;
			if (!rule->is_event)
				wish_present(rules, rule);
			rules->hooks.changed(rules->context);
		}
		actions = present(rule, &count);
		if (!rule->is_event)
			again(rules, rule, actions, count, now_ms, retry);
		for (size_t i = 0; i < rule->then_count + rule->otherwise_count; i++) {
			struct rule_action *action = i < rule->then_count ? &rule->then[i] : &rule->otherwise[i - rule->then_count];

			if (!action->held_ms || action->held_ms > now_ms)
				continue;
			action->held_ms = 0;
			rules->hooks.changed(rules->context);
		}
	}
}

static void wake_by(int64_t *wake_ms, int64_t at_ms)
{
	if (at_ms > 0 && at_ms < *wake_ms)
		*wake_ms = at_ms;
}

static void arm(struct rules *rules, int64_t wake_ms)
{
	wake_by(&wake_ms, rules->retry_ms);
	for (const struct rule *rule = rules->list; rule; rule = rule->next) {
		wake_by(&wake_ms, rule->paused_ms);
		for (size_t i = 0; i < rule->then_count; i++)
			wake_by(&wake_ms, rule->then[i].held_ms);
		for (size_t i = 0; i < rule->otherwise_count; i++)
			wake_by(&wake_ms, rule->otherwise[i].held_ms);
	}
	if (wake_ms == INT64_MAX) {
		sd_event_source_set_enabled(rules->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(rules->timer, (uint64_t)wake_ms * 1000);
	sd_event_source_set_enabled(rules->timer, SD_EVENT_ONESHOT);
}

void rules_look(struct rules *rules)
{
	int64_t now_ms = clock_boot_ms(), wall_ms = clock_wall_ms(), wake_ms = INT64_MAX;

	rules->wish_count = 0;
	rules->looks++;
	for (struct rule *rule = rules->list; rule; rule = rule->next) {
		for (size_t i = 0; i < rule->when_count; i++)
			rule->when[i].is_silent = rules->hooks.is_silent(rules->context, rule->when[i].channel);
		rule->next_truth = rule_truth(rule, now_ms, wall_ms, &wake_ms);
	}
	take_up(rules, now_ms);
	change_truths(rules, TRUTH_FALSE);
	change_truths(rules, TRUTH_TRUE);
	take_events(rules);
	for (size_t i = 0; i < rules->wish_count; i++)
		fulfil(rules, &rules->wishes[i], now_ms);
	arm(rules, wake_ms);
}

/* ---- news ------------------------------------------------------------------------------------------------------------------------ */

static void note_state(struct rule_action *actions, size_t count, const struct channel *channel, const struct value *value)
{
	for (size_t i = 0; i < count; i++)
		if (actions[i].channel == channel) {
			actions[i].now = value->number > 0;
			actions[i].has_now = true;
		}
}

void rules_seen(struct rules *rules, const struct channel *channel, const struct value *value)
{
	for (struct rule *rule = rules->list; rule; rule = rule->next) {
		if (rule_seen(rule, channel, value))
			look_soon(rules);
		if (channel->output != OUTPUT_NONE)
			note_state(rule->then, rule->then_count, channel, value);
	}
}

void rules_faults(struct rules *rules)
{
	if (rules->list)
		look_soon(rules);
}

static void hold(struct rules *rules, const struct channel *channel, int64_t now_ms)
{
	for (struct rule *rule = rules->list; rule; rule = rule->next)
		for (size_t i = 0; !rule->is_event && rule->override_ms > 0 && i < rule->then_count + rule->otherwise_count; i++) {
			struct rule_action *action = i < rule->then_count ? &rule->then[i] : &rule->otherwise[i - rule->then_count];

			if (action->channel == channel)
				action->held_ms = now_ms + rule->override_ms;
		}
	rules->hooks.changed(rules->context);
	look_soon(rules); /* sets the timer */
}

void rules_overridden(struct rules *rules, const struct channel *channel)
{
	if (rules_look_after(rules, channel))
		hold(rules, channel, clock_boot_ms());
}

static bool mark_failed(struct rule *rule, const struct channel *channel)
{
	size_t count;
	struct rule_action *actions = present(rule, &count);
	bool any = false;

	for (size_t i = 0; !rule->is_event && i < count; i++)
		if (actions[i].channel == channel)
			any = actions[i].failed = true;
	return any;
}

void rules_ordered(struct rules *rules, const struct channel *channel, bool ok)
{
	for (struct rule *rule = rules->list; rule && !ok; rule = rule->next)
		if (mark_failed(rule, channel) && !rules->retry_ms)
			rules->retry_ms = clock_boot_ms() + RETRY_MS;
	if (!ok)
		look_soon(rules);
}

/* ---- questions ------------------------------------------------------------------------------------------------------------------- */

bool rules_look_after(const struct rules *rules, const struct channel *channel)
{
	for (const struct rule *rule = rules->list; rule; rule = rule->next) {
		if (rule->is_event)
			continue;
		for (size_t i = 0; i < rule->then_count; i++)
			if (rule->then[i].channel == channel)
				return true;
		for (size_t i = 0; i < rule->otherwise_count; i++)
			if (rule->otherwise[i].channel == channel)
				return true;
	}
	return false;
}

int64_t rule_held_ms(const struct rule *rule)
{
	int64_t held_ms = 0;

	for (size_t i = 0; i < rule->then_count; i++)
		if (rule->then[i].held_ms > held_ms)
			held_ms = rule->then[i].held_ms;
	for (size_t i = 0; i < rule->otherwise_count; i++)
		if (rule->otherwise[i].held_ms > held_ms)
			held_ms = rule->otherwise[i].held_ms;
	return held_ms;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static int on_soon(sd_event_source *source, void *userdata)
{
	(void)source;
	rules_look(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	(void)source;
	(void)now_us;
	rules_look(userdata);
	return 0;
}

int rules_open(sd_event *event, struct rule *list, const struct rules_hooks *hooks, void *context, struct rules **ret_rules)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	int r;

	if (!rules)
		return -ENOMEM;
	rules->event = sd_event_ref(event);
	rules->list = list;
	rules->hooks = *hooks;
	rules->context = context;
	r = sd_event_add_defer(event, &rules->soon, on_soon, rules);
	if (r >= 0)
		r = sd_event_source_set_enabled(rules->soon, list ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(event, &rules->timer, CLOCK_BOOTTIME, 0, 10000, on_timer, rules);
	if (r >= 0)
		r = sd_event_source_set_enabled(rules->timer, SD_EVENT_OFF);
	if (r < 0) {
		rules_close(rules);
		return r;
	}
	*ret_rules = rules;
	return 0;
}

void rules_close(struct rules *rules)
{
	if (!rules)
		return;
	sd_event_source_disable_unref(rules->soon);
	sd_event_source_disable_unref(rules->timer);
	sd_event_unref(rules->event);
	free(rules);
}
