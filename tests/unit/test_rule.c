/* links: node-agent/rules.c node-agent/rule_truth.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/clock.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c */
/* Rules that a node keeps by itself, on a clock that the test sets: what they say, when they act, and what stops them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../../node-agent/rules.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/node.h"

#define MIN INT64_C(60000)
#define HOUR (60 * MIN)
/* 2026-01-01T12:00:00Z, a Thursday; 13:00 in Paris. */
#define NOON INT64_C(1767268800000)

static const char devices[] =
	"[node]\nname = salon\n"
	"[device air]\ndriver = sim\nquantities = temperature humidity\n"
	"[device heater]\ndriver = sim\nquantities = switch\nswitch.output = switch\n"
	"[device lamp]\ndriver = sim\nquantities = switch level\nswitch.output = switch\nlevel.output = range\n"
	"[device door]\ndriver = sim\nquantities = contact button\n"
	"[device reader]\ndriver = sim\nquantities = badge\n";

static sd_event *event;
static struct rules *rules;
static char acts[2048]; /* "heater/switch 1 by rule heating; ..." */
static bool silent;
static int changes;

static void on_order(void *context, const struct channel *channel, const struct value *value, const char *by)
{
	size_t len = strlen(acts);

	(void)context;
	snprintf(acts + len, sizeof(acts) - len, "%s%s/%s %g by %s", len ? "; " : "", channel->series.device,
		 channel->series.quantity, value->number, by);
}

static bool on_is_silent(void *context, const struct channel *channel)
{
	(void)context;
	return silent && strcmp(channel->series.device, "air") == 0;
}

static void on_changed(void *context)
{
	(void)context;
	changes++;
}

static const char *mistakes_of(const char *text)
{
	static char all[2048];

	snprintf(all, sizeof(all), "%s%s", devices, text);
	return node_read(all);
}

static void open_rules(const char *text)
{
	static const struct rules_hooks hooks = { on_order, on_is_silent, on_changed };

	assert_string_equal("", mistakes_of(text));
	assert_int_equal(0, rules_open(event, node.rules, &hooks, NULL, &rules));
}

static int begin(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Paris", 1);
	tzset();
	folder_make();
	sd_event_new(&event);
	fake_boot_ms = HOUR;
	fake_wall_ms = NOON;
	acts[0] = '\0';
	silent = false;
	changes = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	rules_close(rules);
	rules = NULL;
	event = sd_event_unref(event);
	node_done();
	folder_remove();
	return 0;
}

static const struct channel *channel_of(const char *name)
{
	for (struct device *device = node.devices; device; device = device->next)
		for (size_t i = 0; i < device->channel_count; i++) {
			char text[80];

			snprintf(text, sizeof(text), "%s/%s", device->name, device->channels[i].series.quantity);
			if (strcmp(text, name) == 0)
				return &device->channels[i];
		}
	fail_msg("no %s", name);
	return NULL;
}

static void see(const char *name, double number)
{
	const struct value value = value_of_number(number);

	rules_seen(rules, channel_of(name), &value);
	rules_look(rules);
}

static void see_text(const char *name, const char *text)
{
	struct value value;

	value_of_text(text, strlen(text), &value);
	rules_seen(rules, channel_of(name), &value);
	rules_look(rules);
}

static void pass(int64_t ms)
{
	fake_boot_ms += ms;
	fake_wall_ms += ms;
	rules_look(rules);
}

#define assert_acts(expected)                                                                                                      \
	do {                                                                                                                       \
		assert_string_equal(expected, acts);                                                                               \
		acts[0] = '\0';                                                                                                    \
	} while (0)

#define HEATING "[rule heating]\nwhen = air/temperature < 19\nthen = heater/switch on\nelse = heater/switch off\n"

/* ---- conditions ------------------------------------------------------------------------------------------------------------------ */

static void a_thermostat_switches_at_its_limit_and_back_beyond_its_hysteresis(void **state)
{
	(void)state;
	open_rules(HEATING "hysteresis = 0.5\n");
	rules_look(rules);
	assert_acts(""); /* nothing is known */
	see("air/temperature", 19.2);
	assert_acts("heater/switch 0 by rule heating");
	see("air/temperature", 19);
	assert_acts("");
	see("air/temperature", 18.9);
	assert_acts("heater/switch 1 by rule heating");
	see("air/temperature", 19.4);
	see("air/temperature", 18.5);
	assert_acts("");
	see("air/temperature", 19.5);
	assert_acts("heater/switch 0 by rule heating");
	see("air/temperature", 19.1);
	assert_acts("");
}

static void each_comparison_means_what_it_says(void **state)
{
	static const struct {
		const char *when;
		double value;
		bool holds;
	} cases[] = {
		{ "<= 19", 19, true },  { "<= 19", 19.1, false }, { "> 19", 19, false },     { "> 19", 19.1, true },
		{ ">= 19", 19, true },  { ">= 19", 18.9, false }, { "= 19", 19, true },      { "= 19", 19.5, false },
		{ "!= 19", 19, false }, { "!= 19", 20, true },    { "< 68 °F", 19.9, true }, { "< 68 °F", 20.1, false },
		{ "<19", 18, true },    { ">-5°C", -4, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[200];

		snprintf(text, sizeof(text),
			 "[rule x]\nwhen = air/temperature %s\nthen = heater/switch 1\nelse = heater/switch 0\n", cases[i].when);
		open_rules(text);
		see("air/temperature", cases[i].value);
		if (strstr(acts, cases[i].holds ? "switch 1" : "switch 0") == NULL)
			fail_msg("%s with %g: %s", cases[i].when, cases[i].value, acts);
		end(state);
		begin(state);
	}
}

static void a_condition_must_have_held_for_its_time(void **state)
{
	(void)state;
	open_rules("[rule heating]\nwhen = air/temperature < 19 for 2m\nthen = heater/switch on\nelse = heater/switch off\n");
	see("air/temperature", 18);
	pass(MIN);
	assert_acts("");
	see("air/temperature", 20);
	assert_acts("heater/switch 0 by rule heating");
	see("air/temperature", 18);
	pass(2 * MIN - 1);
	see("air/temperature", 17);
	assert_acts("");
	pass(1);
	assert_acts("heater/switch 1 by rule heating");
}

static void all_conditions_must_hold(void **state)
{
	(void)state;
	open_rules("[rule dry]\nwhen = air/humidity > 60 and air/temperature > 15 and door/contact = closed\n"
		   "then = heater/switch on, lamp/level 30%\nelse = heater/switch off\n");
	see("air/humidity", 70);
	see("air/temperature", 20);
	assert_acts("");
	see("door/contact", 0);
	assert_acts("heater/switch 1 by rule dry; lamp/level 30 by rule dry");
	see("door/contact", 1);
	assert_acts("heater/switch 0 by rule dry");
}

/* ---- events ---------------------------------------------------------------------------------------------------------------------- */

static void a_button_toggles_a_lamp_at_each_press(void **state)
{
	(void)state;
	open_rules("[rule light]\nwhen = door/button pressed\nthen = lamp/switch toggle\n");
	see("door/button", 0);
	assert_acts("");
	see("door/button", 1);
	assert_acts("lamp/switch 1 by rule light");
	see("door/button", 1); /* told again, as its interval says */
	see("door/button", 0);
	assert_acts("");
	see("door/button", 1);
	assert_acts("lamp/switch 0 by rule light");
	see("lamp/switch", 1); /* somebody switched it on */
	see("door/button", 0);
	see("door/button", 1);
	assert_acts("lamp/switch 0 by rule light");
}

static void presses_that_come_at_once_are_counted(void **state)
{
	const struct value off = value_of_number(0), on = value_of_number(1);

	(void)state;
	open_rules("[rule light]\nwhen = door/button pressed\nthen = lamp/switch toggle\n");
	see("door/button", 0);
	for (int i = 0; i < 3; i++) {
		rules_seen(rules, channel_of("door/button"), &on);
		rules_seen(rules, channel_of("door/button"), &off);
	}
	rules_look(rules);
	assert_acts("lamp/switch 1 by rule light");
}

static void an_event_acts_only_while_its_other_conditions_hold(void **state)
{
	(void)state;
	open_rules("[rule hall]\nwhen = door/contact opens and air/temperature < 10\nthen = lamp/switch on\n");
	see("door/contact", 0);
	see("air/temperature", 20);
	see("door/contact", 1);
	assert_acts("");
	see("air/temperature", 5); /* no event */
	assert_acts("");
	see("door/contact", 0);
	see("door/contact", 1);
	assert_acts("lamp/switch 1 by rule hall");
}

static void a_badge_is_an_event_each_time_that_it_is_shown(void **state)
{
	(void)state;
	open_rules("[rule open]\nwhen = reader/badge = 04a2\nthen = lamp/switch on\n");
	see_text("reader/badge", "04a3");
	assert_acts("");
	see_text("reader/badge", "04a2");
	see_text("reader/badge", "04a2");
	assert_acts("lamp/switch 1 by rule open; lamp/switch 1 by rule open");
}

/* ---- times ----------------------------------------------------------------------------------------------------------------------- */

static void a_window_is_local_time_and_may_go_over_midnight(void **state)
{
	static const struct {
		const char *keys, *when; /* UTC */
		bool holds;
	} cases[] = {
		{ "between = 06:30-22:00", "2026-01-01T05:29:59Z", false }, /* 06:29:59 in Paris */
		{ "between = 06:30-22:00", "2026-01-01T05:30:00Z", true },
		{ "between = 06:30-22:00", "2026-01-01T20:59:59Z", true },
		{ "between = 06:30-22:00", "2026-01-01T21:00:00Z", false },
		{ "between = 06:30-22:00", "2026-07-01T04:30:00Z", true }, /* summer time */
		{ "between = 22:00-06:00", "2026-01-01T22:30:00Z", true },
		{ "between = 22:00-06:00", "2026-01-01T04:59:00Z", true },
		{ "between = 22:00-06:00", "2026-01-01T12:00:00Z", false },
		{ "between = 06:00-08:00, 17:00-24:00", "2026-01-01T22:59:00Z", true },
		{ "between = 06:00-08:00, 17:00-24:00", "2026-01-01T12:00:00Z", false },
		{ "days = mon-fri", "2026-01-01T12:00:00Z", true }, /* a Thursday */
		{ "days = sat sun", "2026-01-01T12:00:00Z", false },
		{ "days = fri-mon", "2026-01-04T12:00:00Z", true },                    /* a Sunday */
		{ "days = thu\nbetween = 22:00-06:00", "2026-01-02T03:00:00Z", true }, /* Friday morning of Thursday's night */
		{ "days = fri\nbetween = 22:00-06:00", "2026-01-02T03:00:00Z", false },
		{ "days = sun\nbetween = 22:00-06:00", "2026-01-05T03:00:00Z", true }, /* Monday morning */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[200];
		int64_t when_ms;

		snprintf(text, sizeof(text), "[rule x]\n%s\nthen = lamp/switch on\n", cases[i].keys);
		assert_string_equal("", mistakes_of(text));
		{
			struct tm utc = { 0 };

			strptime(cases[i].when, "%Y-%m-%dT%H:%M:%SZ", &utc);
			when_ms = (int64_t)timegm(&utc) * 1000;
		}
		if (rule_is_in_time(node.rules, when_ms) != cases[i].holds)
			fail_msg("%s at %s", cases[i].keys, cases[i].when);
	}
}

static void a_rule_of_hours_alone_switches_at_their_ends(void **state)
{
	(void)state;
	open_rules("[rule evening]\nbetween = 18:00-23:00\nthen = lamp/switch on\nelse = lamp/switch off\n");
	rules_look(rules);
	assert_acts("lamp/switch 0 by rule evening");
	pass(5 * HOUR); /* 18:00 */
	assert_acts("lamp/switch 1 by rule evening");
	pass(5 * HOUR);
	assert_acts("lamp/switch 0 by rule evening");
}

static void the_day_hands_over_to_the_night_without_a_flicker(void **state)
{
	(void)state;
	open_rules("[rule night]\nwhen = air/temperature < 16\nbetween = 22:00-06:00\nthen = heater/switch on\nelse = "
		   "heater/switch off\n"
		   "[rule day]\nwhen = air/temperature < 20\nbetween = 06:00-22:00\nthen = heater/switch on\nelse = heater/switch "
		   "off\n");
	see("air/temperature", 15); /* 13:00: the night's `else` and the day's `then` at once */
	assert_acts("heater/switch 1 by rule day");
	pass(9 * HOUR); /* 22:00: the day ends, the night begins, and it is cold */
	assert_acts("heater/switch 1 by rule night");
	see("air/temperature", 17);
	assert_acts("heater/switch 0 by rule night");
	pass(8 * HOUR); /* 06:00 */
	assert_acts("heater/switch 1 by rule day");
}

/* ---- people, faults, quarrels ------------------------------------------------------------------------------------------------------ */

static void a_person_wins_for_a_time_then_the_rule_has_its_way_again(void **state)
{
	(void)state;
	open_rules(HEATING "override = 30m\n");
	see("air/temperature", 18);
	assert_acts("heater/switch 1 by rule heating");
	rules_overridden(rules, channel_of("heater/switch"));
	assert_int_equal(fake_boot_ms + 30 * MIN, rule_held_ms(node.rules));
	see("air/temperature", 20);
	see("air/temperature", 18);
	pass(30 * MIN - 1);
	assert_acts("");
	pass(1);
	assert_acts("heater/switch 1 by rule heating");
	assert_int_equal(0, rule_held_ms(node.rules));
	rules_overridden(rules, channel_of("lamp/switch")); /* another output */
	see("air/temperature", 20);
	assert_acts("heater/switch 0 by rule heating");
}

static void without_override_the_rule_does_not_yield(void **state)
{
	(void)state;
	open_rules(HEATING "override = 0\n");
	see("air/temperature", 18);
	rules_overridden(rules, channel_of("heater/switch"));
	see("air/temperature", 20);
	assert_acts("heater/switch 1 by rule heating; heater/switch 0 by rule heating");
}

static void a_button_is_a_person_for_the_other_rules(void **state)
{
	(void)state;
	open_rules("[rule evening]\nbetween = 12:00-14:00\nthen = lamp/switch on\nelse = lamp/switch off\noverride = 3h\n"
		   "[rule light]\nwhen = door/button pressed\nthen = lamp/switch toggle\n");
	rules_look(rules);
	see("lamp/switch", 1);
	see("door/button", 0);
	assert_acts("lamp/switch 1 by rule evening");
	see("door/button", 1);
	assert_acts("lamp/switch 0 by rule light");
	pass(2 * HOUR); /* the evening ends: nothing to do against the button */
	assert_acts("");
}

static void a_silent_sensor_switches_off_after_a_while(void **state)
{
	(void)state;
	open_rules(HEATING "fault_after = 5m\n");
	see("air/temperature", 18);
	assert_acts("heater/switch 1 by rule heating");
	silent = true;
	rules_faults(rules);
	rules_look(rules);
	pass(5 * MIN - 1);
	assert_acts("");
	pass(1);
	assert_acts("heater/switch 0 by rule heating");
	silent = false;
	see("air/temperature", 18);
	assert_acts("heater/switch 1 by rule heating");
	silent = true;
	pass(4 * MIN);
	silent = false;
	pass(MIN);
	silent = true;
	pass(4 * MIN); /* counts anew */
	assert_acts("");
}

static void or_keeps_what_it_has_when_told_so(void **state)
{
	(void)state;
	open_rules(HEATING "on_fault = keep\nfault_after = 1m\n");
	see("air/temperature", 18);
	silent = true;
	pass(MIN);
	pass(HOUR);
	assert_acts("heater/switch 1 by rule heating");
	silent = false;
	see("air/temperature", 20);
	assert_acts("heater/switch 0 by rule heating");
}

static void an_order_that_failed_is_given_again_until_it_works(void **state)
{
	(void)state;
	open_rules(HEATING);
	see("air/temperature", 18);
	assert_acts("heater/switch 1 by rule heating");
	rules_ordered(rules, channel_of("heater/switch"), false);
	pass(14999);
	assert_acts("");
	pass(1);
	assert_acts("heater/switch 1 by rule heating");
	rules_ordered(rules, channel_of("heater/switch"), true);
	pass(HOUR);
	assert_acts("");
}

static void two_rules_that_undo_each_other_are_paused(void **state)
{
	int count = 0;

	(void)state;
	open_rules("[rule a]\nwhen = lamp/switch = on\nthen = lamp/switch off\n[rule b]\nwhen = lamp/switch = off\nthen = "
		   "lamp/switch on\n");
	see("lamp/switch", 0);
	while (acts[0] && count < 1000) { /* the lamp obeys */
		bool on = strstr(acts, "switch 1");

		acts[0] = '\0';
		count++;
		see("lamp/switch", on);
	}
	assert_true(count >= 20 && count <= 45);
	assert_true(node.rules->paused_ms > fake_boot_ms || node.rules->next->paused_ms > fake_boot_ms);
	pass(MIN);
	assert_true(strlen(acts) > 0); /* tries again, a minute later */
}

static void after_a_reload_a_rule_that_reads_the_same_goes_on_where_it_was(void **state)
{
	struct rule old;

	(void)state;
	open_rules(HEATING);
	see("air/temperature", 18);
	rules_overridden(rules, channel_of("heater/switch"));
	old = *node.rules;
	old.next = NULL;
	acts[0] = '\0';
	rules_close(rules);
	open_rules(HEATING);
	rules_keep(node.rules, &old);
	rules_look(rules);
	assert_acts("");
	assert_int_equal(TRUTH_TRUE, node.rules->truth);
	assert_int_equal(fake_boot_ms + HOUR, rule_held_ms(node.rules));
	see("air/temperature", 18);
	assert_acts("");
	rules_close(rules);
	open_rules("[rule heating]\nwhen = air/temperature < 21\nthen = heater/switch on\nelse = heater/switch off\n");
	rules_keep(node.rules, &old); /* it reads otherwise */
	see("air/temperature", 18);
	assert_acts("heater/switch 1 by rule heating");
}

/* ---- mistakes -------------------------------------------------------------------------------------------------------------------- */

static void mistakes_say_what_is_allowed(void **state)
{
	static const struct {
		const char *text, *told;
	} wrong[] = {
		{ "when = air/temperature < 19\n", "needs then" },
		{ "then = heater/switch 1\n", "[rule x] needs when, or between, or days" },
		{ "when = air/co2 > 1000\nthen = heater/switch 1\n",
		  "when: there is no \"air/co2\" on this node; there are air/temperature" },
		{ "when = air/temperature < 19\nthen = air/temperature 5\n",
		  "then: air/temperature is no output; there are heater/switch, lamp/switch, lamp/level" },
		{ "when = air/temperature < 19\nthen = lamp/level 120\n", "then: lamp/level: \"120\" is not possible: over 100" },
		{ "when = air/temperature < 19\nthen = heater/switch perhaps\n",
		  "then: heater/switch: \"perhaps\" is not possible" },
		{ "when = air/temperature is low\nthen = heater/switch 1\n",
		  "after DEVICE/QUANTITY come < <= > >= = != and a value" },
		{ "when = air/temperature < warm\nthen = heater/switch 1\n", "when: \"warm\" is no number" },
		{ "when = air/temperature < 19 lx\nthen = heater/switch 1\n", "the units of temperature are °C, °F, K" },
		{ "when = air/temperature < 19 for ever\nthen = heater/switch 1\n",
		  "\"for ever\": allowed is a time such as 30s, 5m, 1h" },
		{ "when = air/temperature pressed\nthen = heater/switch 1\n", "temperature is neither on nor off" },
		{ "when = door/contact < 1\nthen = heater/switch 1\n", "contact is no number: allowed are = and !=" },
		{ "when = door/button pressed for 2s\nthen = lamp/switch toggle\n", "an event has no length" },
		{ "when = door/button pressed\nthen = lamp/switch on\nelse = lamp/switch off\n", "else: an event has no end" },
		{ "when = air/temperature < 19\nthen = heater/switch toggle\n", "then: toggle goes with an event" },
		{ "when = door/button pressed\nthen = lamp/level toggle\n", "then: lamp/level cannot toggle" },
		{ "between = 6-22\nthen = lamp/switch on\n", "between: \"6-22\": allowed are local times 06:30-22:00" },
		{ "between = 25:00-26:00\nthen = lamp/switch on\n", "between: \"25:00-26:00\"" },
		{ "days = monday\nthen = lamp/switch on\n", "days: \"monday\": allowed are mon tue" },
		{ "when = air/temperature < 19\nthen = heater/switch 1\non_fault = off\n",
		  "on_fault: \"off\": allowed is one of else|keep" },
		{ "when = air/temperature < 19\nthen = heater/switch 1\nif = 3\n", "if is no key of [rule x]" },
		{ "when = air/temperature < 1 and air/temperature < 2 and air/temperature < 3 and air/temperature < 4 and "
		  "air/temperature < 5\n"
		  "then = heater/switch 1\n",
		  "at most 4 conditions" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char text[400];
		const char *told;

		snprintf(text, sizeof(text), "[rule x]\n%s", wrong[i].text);
		told = mistakes_of(text);
		if (!strstr(told, wrong[i].told))
			fail_msg("%s\n-> %s", wrong[i].text, told);
	}
	assert_non_null(
		strstr(mistakes_of("[rule Heating]\nbetween = 06:00-08:00\nthen = lamp/switch on\n"), "a rule's name is [a-z0-9]"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_thermostat_switches_at_its_limit_and_back_beyond_its_hysteresis),
		TEST(each_comparison_means_what_it_says),
		TEST(a_condition_must_have_held_for_its_time),
		TEST(all_conditions_must_hold),
		TEST(a_button_toggles_a_lamp_at_each_press),
		TEST(presses_that_come_at_once_are_counted),
		TEST(an_event_acts_only_while_its_other_conditions_hold),
		TEST(a_badge_is_an_event_each_time_that_it_is_shown),
		TEST(a_window_is_local_time_and_may_go_over_midnight),
		TEST(a_rule_of_hours_alone_switches_at_their_ends),
		TEST(the_day_hands_over_to_the_night_without_a_flicker),
		TEST(a_person_wins_for_a_time_then_the_rule_has_its_way_again),
		TEST(without_override_the_rule_does_not_yield),
		TEST(a_button_is_a_person_for_the_other_rules),
		TEST(a_silent_sensor_switches_off_after_a_while),
		TEST(or_keeps_what_it_has_when_told_so),
		TEST(an_order_that_failed_is_given_again_until_it_works),
		TEST(two_rules_that_undo_each_other_are_paused),
		TEST(after_a_reload_a_rule_that_reads_the_same_goes_on_where_it_was),
		TEST(mistakes_say_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
