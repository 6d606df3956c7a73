/* From the text of a [rule] section to a rule. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "output.h"
#include "rule.h"

enum { DAY_MINUTES = 24 * 60, WORDS_MAX = 240 };

struct rule_keys {
	const char *when, *then, *otherwise, *between, *days;
	double hysteresis;
	int64_t override_ms, fault_after_ms;
	int on_fault;
};

#define AT(field) offsetof(struct rule_keys, field)

static const struct conf_item items[] = {
	{ "when", CONF_STRING, AT(when), NULL,
	  .help = "DEVICE/QUANTITY < <= > >= = != VALUE [for 2m], or pressed, released, changes; several with `and`" },
	{ "then", CONF_STRING, AT(then), NULL, .required = true,
	  .help = "DEVICE/QUANTITY VALUE, or toggle; several separated by commas" },
	{ "else", CONF_STRING, AT(otherwise), NULL, .help = "as then, when it is no longer so" },
	{ "hysteresis", CONF_NUMBER, AT(hysteresis), "0", .min = 0, .max = 1e9, .help = "so far back until it is no longer so" },
	{ "between", CONF_STRING, AT(between), NULL, .help = "local time, 06:30-22:00; several separated by commas" },
	{ "days", CONF_STRING, AT(days), NULL, .help = "mon-fri, sat sun ..." },
	{ "override", CONF_DURATION, AT(override_ms), "1h", .max = 2592000000,
	  .help = "for how long a command by a person holds against it; 0: not at all" },
	{ "on_fault", CONF_CHOICE, AT(on_fault), "else", .choices = "else|keep", .help = "when a sensor is silent" },
	{ "fault_after", CONF_DURATION, AT(fault_after_ms), "1m", .max = 86400000, .help = "for so long" },
	{ 0 },
};

struct reader {
	struct conf *conf;
	const struct conf_section *section;
	struct device *devices;
	const char *key; /* that is being read */
};

/* ---- names ----------------------------------------------------------------------------------------------------------------------- */

static void list_names(const struct reader *reader, bool outputs, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (const struct device *device = reader->devices; device; device = device->next)
		for (size_t i = 0; i < device->channel_count + device->derived_count && len < size; i++)
			if (!outputs || device->channels[i].output != OUTPUT_NONE)
				len += (size_t)snprintf(buf + len, size - len, "%s%s/%s", len ? ", " : "", device->name,
							device->channels[i].series.quantity);
	if (len >= size)
		strcpy(buf + size - 4, "...");
}

/* DEVICE/QUANTITY of `len` bytes; NULL when there is none, which is told. */
static const struct channel *find_channel(const struct reader *reader, const char *name, size_t len, bool output)
{
	char names[WORDS_MAX];

	for (const struct device *device = reader->devices; device; device = device->next)
		for (size_t i = 0; i < device->channel_count + device->derived_count; i++) {
			const struct channel *channel = &device->channels[i];
			size_t device_len = strlen(device->name);

			if (len != device_len + 1 + strlen(channel->series.quantity) || name[device_len] != '/' ||
			    memcmp(name, device->name, device_len) != 0 ||
			    memcmp(name + device_len + 1, channel->series.quantity, len - device_len - 1) != 0)
				continue;
			if (!output || channel->output != OUTPUT_NONE)
				return channel;
			list_names(reader, true, names, sizeof(names));
			conf_mistake(reader->conf, reader->section, reader->key, "%.*s is no output; there are %s", (int)len, name,
				     names[0] ? names : "none");
			return NULL;
		}
	list_names(reader, output, names, sizeof(names));
	conf_mistake(reader->conf, reader->section, reader->key, "there is no \"%.*s\" on this node; there are %s", (int)len, name,
		     names[0] ? names : "none");
	return NULL;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && strchr(" \t", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* ---- when ------------------------------------------------------------------------------------------------------------------------ */

static bool take_event(const char *text, struct rule_condition *condition)
{
	static const struct {
		const char *word;
		enum event event;
	} words[] = {
		{ "pressed", EVENT_PRESSED }, { "released", EVENT_RELEASED }, { "opens", EVENT_PRESSED },
		{ "closes", EVENT_RELEASED }, { "changes", EVENT_CHANGES },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(text, words[i].word) == 0) {
			condition->event = words[i].event;
			return true;
		}
	return false;
}

/* Returns what follows the operator, NULL when there is none. */
static char *take_compare(char *text, enum compare *ret_compare)
{
	static const struct {
		const char *word;
		enum compare compare;
	} words[] = {
		{ "<=", COMPARE_AT_MOST }, { ">=", COMPARE_AT_LEAST }, { "!=", COMPARE_OTHER }, { "==", COMPARE_EQUAL },
		{ "<", COMPARE_LESS },     { ">", COMPARE_MORE },      { "=", COMPARE_EQUAL },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(text, words[i].word, strlen(words[i].word)) == 0) {
			*ret_compare = words[i].compare;
			return text + strlen(words[i].word);
		}
	return NULL;
}

/* Cuts " for 2m" off the end. */
static int take_for(const struct reader *reader, char *text, int64_t *ret_ms)
{
	char *found = NULL;

	for (char *p = text; (p = strstr(p, " for ")); p++)
		found = p;
	if (!found)
		return 0;
	if (conf_parse_duration(trim(found + 5), ret_ms) < 0) {
		conf_mistake(reader->conf, reader->section, reader->key, "\"for %s\": allowed is a time such as 30s, 5m, 1h",
			     trim(found + 5));
		return -EINVAL;
	}
	*found = '\0';
	return 0;
}

static int check_kind(const struct reader *reader, const struct rule_condition *condition)
{
	enum quantity_kind kind = condition->channel->info->kind;
	const char *quantity = condition->channel->series.quantity;

	if ((condition->event == EVENT_PRESSED || condition->event == EVENT_RELEASED) && kind != QUANTITY_KIND_BINARY) {
		conf_mistake(reader->conf, reader->section, reader->key, "%s is neither on nor off: allowed is a comparison",
			     quantity);
		return -EINVAL;
	}
	if (condition->event == EVENT_NONE && kind != QUANTITY_KIND_NUMBER && condition->compare != COMPARE_EQUAL &&
	    condition->compare != COMPARE_OTHER) {
		conf_mistake(reader->conf, reader->section, reader->key, "%s is no number: allowed are = and !=", quantity);
		return -EINVAL;
	}
	if (condition->for_ms > 0 && (condition->event != EVENT_NONE || kind == QUANTITY_KIND_TEXT)) {
		conf_mistake(reader->conf, reader->section, reader->key, "an event has no length: `for` goes with a comparison");
		return -EINVAL;
	}
	return 0;
}

static int parse_condition(const struct reader *reader, char *text, struct rule_condition *condition)
{
	size_t name_len = strcspn(text, " \t<>=!");
	char words[OUTPUT_WORDS_MAX], *rest = trim(text + name_len);

	condition->channel = find_channel(reader, text, name_len, false);
	if (!condition->channel || take_for(reader, rest, &condition->for_ms) < 0)
		return -EINVAL;
	rest = trim(rest);
	if (take_event(rest, condition))
		return check_kind(reader, condition);
	rest = take_compare(rest, &condition->compare);
	if (!rest) {
		conf_mistake(reader->conf, reader->section, reader->key,
			     "\"%s\": after DEVICE/QUANTITY come < <= > >= = != and a value, or pressed, released, changes", text);
		return -EINVAL;
	}
	if (output_parse(condition->channel, trim(rest), &condition->value, words) < 0) {
		conf_mistake(reader->conf, reader->section, reader->key, "%s", words);
		return -EINVAL;
	}
	if (condition->channel->info->kind == QUANTITY_KIND_TEXT && condition->compare == COMPARE_EQUAL)
		condition->event = EVENT_TEXT;
	return check_kind(reader, condition);
}

/* Cuts at " and "; NULL without more. */
static char *next_part(char **rest, const char *separator)
{
	char *part = *rest, *found = part ? strstr(part, separator) : NULL;

	if (found) {
		*found = '\0';
		*rest = found + strlen(separator);
	} else {
		*rest = NULL;
	}
	return part;
}

static void parse_when(struct reader *reader, const char *text, struct rule *rule)
{
	char *copy = strdup(text), *rest = copy, *part;

	reader->key = "when";
	while ((part = next_part(&rest, " and "))) {
		struct rule_condition condition = { 0 };

		if (rule->when_count == RULE_CONDITIONS_MAX) {
			conf_mistake(reader->conf, reader->section, "when", "at most %d conditions", RULE_CONDITIONS_MAX);
			break;
		}
		if (parse_condition(reader, trim(part), &condition) < 0)
			break;
		rule->is_event = rule->is_event || condition.event != EVENT_NONE;
		rule->when[rule->when_count++] = condition;
	}
	free(copy);
}

/* ---- then, else ------------------------------------------------------------------------------------------------------------------ */

static int parse_action(const struct reader *reader, char *text, struct rule_action *action)
{
	size_t name_len = strcspn(text, " \t=");
	char words[OUTPUT_WORDS_MAX], *value = trim(text + name_len);

	action->channel = find_channel(reader, text, name_len, true);
	if (!action->channel)
		return -EINVAL;
	if (*value == '=')
		value = trim(value + 1);
	action->toggle = strcmp(value, "toggle") == 0;
	if (action->toggle && action->channel->output != OUTPUT_SWITCH) {
		conf_mistake(reader->conf, reader->section, reader->key, "%.*s cannot toggle: that is for a switch", (int)name_len,
			     text);
		return -EINVAL;
	}
	if (action->toggle || output_parse_checked(action->channel, value, &action->value, words) == 0)
		return 0;
	conf_mistake(reader->conf, reader->section, reader->key, "%.*s: \"%s\" is not possible: %s", (int)name_len, text, value,
		     words);
	return -EINVAL;
}

static size_t parse_actions(struct reader *reader, const char *key, const char *text, struct rule_action actions[])
{
	char *copy = text ? strdup(text) : NULL, *rest = copy, *part;
	size_t count = 0;

	reader->key = key;
	while ((part = next_part(&rest, ","))) {
		struct rule_action action = { 0 };

		if (count == RULE_ACTIONS_MAX) {
			conf_mistake(reader->conf, reader->section, key, "at most %d actions", RULE_ACTIONS_MAX);
			break;
		}
		if (parse_action(reader, trim(part), &action) < 0)
			break;
		actions[count++] = action;
	}
	free(copy);
	return count;
}

/* ---- times ----------------------------------------------------------------------------------------------------------------------- */

static void parse_between(struct reader *reader, const char *text, struct rule *rule)
{
	char *copy = strdup(text), *rest = copy, *part;

	while ((part = next_part(&rest, ","))) {
		int h1, m1, h2, m2, end = 0;

		part = trim(part);
		if (rule->span_count == RULE_SPANS_MAX || sscanf(part, "%2d:%2d - %2d:%2d%n", &h1, &m1, &h2, &m2, &end) != 4 ||
		    part[end] || h1 < 0 || h1 > 23 || m1 < 0 || m1 > 59 || h2 < 0 || m2 < 0 || m2 > 59 ||
		    h2 * 60 + m2 > DAY_MINUTES || h1 * 60 + m1 == h2 * 60 + m2) {
			conf_mistake(reader->conf, reader->section, "between",
				     "\"%s\": allowed are local times 06:30-22:00 (over midnight 22:00-06:00), at most %d of them",
				     part, RULE_SPANS_MAX);
			break;
		}
		rule->spans[rule->span_count].from = h1 * 60 + m1;
		rule->spans[rule->span_count++].to = h2 * 60 + m2;
	}
	free(copy);
}

static int day_of(const char *word)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (int i = 0; i < 7; i++)
		if (strcasecmp(word, days[i]) == 0)
			return i;
	return -1;
}

static void parse_days(struct reader *reader, const char *text, struct rule *rule)
{
	char *copy = strdup(text), *rest = NULL;

	for (char *word = copy ? strtok_r(copy, " ,", &rest) : NULL; word; word = strtok_r(NULL, " ,", &rest)) {
		char *dash = strchr(word, '-');
		int from, to;

		if (dash)
			*dash = '\0';
		from = day_of(word);
		to = dash ? day_of(dash + 1) : from;
		if (from < 0 || to < 0) {
			conf_mistake(reader->conf, reader->section, "days",
				     "\"%s\": allowed are mon tue wed thu fri sat sun, mon-fri", text);
			break;
		}
		for (int day = from;; day = (day + 1) % 7) {
			rule->days |= 1U << day;
			if (day == to)
				break;
		}
	}
	free(copy);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------- */

static void check_rule(const struct reader *reader, const struct rule *rule, const struct rule_keys *keys)
{
	const char *name = conf_section_name(reader->section);

	if (!series_name_valid(name, strlen(name)))
		conf_mistake(reader->conf, reader->section, NULL, "[rule %s]: a rule's name is [a-z0-9][a-z0-9_-]{0,31}", name);
	if (!keys->when && !keys->between && !keys->days)
		conf_mistake(reader->conf, reader->section, NULL, "[rule %s] needs when, or between, or days", name);
	if (rule->is_event && keys->otherwise)
		conf_mistake(reader->conf, reader->section, "else", "an event has no end: `else` goes with comparisons");
	for (size_t i = 0; i < rule->then_count + rule->otherwise_count; i++) {
		bool first = i < rule->then_count;
		const struct rule_action *action = first ? &rule->then[i] : &rule->otherwise[i - rule->then_count];

		if (action->toggle && !rule->is_event)
			conf_mistake(reader->conf, reader->section, first ? "then" : "else",
				     "toggle goes with an event: pressed, released, changes");
	}
}

static void copy_text(char *buf, const char *text)
{
	snprintf(buf, RULE_TEXT_MAX, "%s", text ? text : "");
}

static struct rule *read_rule(struct conf *conf, const struct conf_section *section, struct device *devices)
{
	struct reader reader = { conf, section, devices, NULL };
	struct rule *rule = calloc(1, sizeof(*rule));
	struct rule_keys keys = { 0 };

	if (!rule)
		return NULL;
	conf_read(conf, section, "rule", items, &keys);
	strncat(rule->name, conf_section_name(section), NAME_MAX_LEN);
	rule->hysteresis = keys.hysteresis;
	rule->override_ms = keys.override_ms;
	rule->fault_after_ms = keys.fault_after_ms;
	rule->keep_on_fault = keys.on_fault == 1;
	if (keys.when)
		parse_when(&reader, keys.when, rule);
	rule->then_count = parse_actions(&reader, "then", keys.then, rule->then);
	rule->otherwise_count = parse_actions(&reader, "else", keys.otherwise, rule->otherwise);
	if (keys.between)
		parse_between(&reader, keys.between, rule);
	if (keys.days)
		parse_days(&reader, keys.days, rule);
	check_rule(&reader, rule, &keys);
	copy_text(rule->when_text, keys.when);
	copy_text(rule->then_text, keys.then);
	copy_text(rule->otherwise_text, keys.otherwise);
	snprintf(rule->times_text, sizeof(rule->times_text), "%s%s%s", keys.between ? keys.between : "",
		 keys.between && keys.days ? " " : "", keys.days ? keys.days : "");
	return rule;
}

struct rule *rules_read(struct conf *conf, struct device *devices)
{
	const struct conf_section *section = NULL;
	struct rule *rules = NULL, **end = &rules;

	while ((section = conf_next(conf, "rule", section))) {
		*end = read_rule(conf, section, devices);
		if (*end)
			end = &(*end)->next;
	}
	return rules;
}

void rules_free(struct rule *rules)
{
	while (rules) {
		struct rule *rule = rules;

		rules = rule->next;
		free(rule);
	}
}

void rules_print(void)
{
	conf_print_items("[rule NAME]", items, stdout);
}

/* ---- a reload -------------------------------------------------------------------------------------------------------------------- */

static void move(const struct channel **channel, const struct device *from, const struct device *to)
{
	if ((*channel)->device == from)
		*channel = &to->channels[*channel - from->channels];
}

void rules_move(struct rule *rules, const struct device *from, const struct device *to)
{
	for (struct rule *rule = rules; rule; rule = rule->next) {
		for (size_t i = 0; i < rule->when_count; i++)
			move(&rule->when[i].channel, from, to);
		for (size_t i = 0; i < rule->then_count; i++)
			move(&rule->then[i].channel, from, to);
		for (size_t i = 0; i < rule->otherwise_count; i++)
			move(&rule->otherwise[i].channel, from, to);
	}
}

static bool is_same(const struct rule *a, const struct rule *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->when_text, b->when_text) == 0 &&
	       strcmp(a->then_text, b->then_text) == 0 && strcmp(a->otherwise_text, b->otherwise_text) == 0 &&
	       strcmp(a->times_text, b->times_text) == 0 && a->when_count == b->when_count && a->then_count == b->then_count &&
	       a->otherwise_count == b->otherwise_count;
}

/* Values and what follows from them, overrides too. */
static void copy_state(struct rule *rule, const struct rule *old)
{
	rule->truth = old->truth;
	rule->since_ms = old->since_ms;
	rule->fault_from_ms = old->fault_from_ms;
	for (size_t i = 0; i < rule->when_count; i++) {
		rule->when[i].has_value = old->when[i].has_value;
		rule->when[i].now = old->when[i].now;
		rule->when[i].raw = old->when[i].raw;
		rule->when[i].since_ms = old->when[i].since_ms;
	}
	for (size_t i = 0; i < rule->then_count; i++) {
		rule->then[i].has_now = old->then[i].has_now;
		rule->then[i].now = old->then[i].now;
		rule->then[i].held_ms = old->then[i].held_ms;
	}
	for (size_t i = 0; i < rule->otherwise_count; i++)
		rule->otherwise[i].held_ms = old->otherwise[i].held_ms;
}

void rules_keep(struct rule *rules, const struct rule *old)
{
	for (struct rule *rule = rules; rule; rule = rule->next)
		for (const struct rule *before = old; before; before = before->next)
			if (is_same(rule, before))
				copy_state(rule, before);
}
