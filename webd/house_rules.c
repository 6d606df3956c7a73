/* The rules that a node keeps by itself: what $info says of them, and how $health says they are just now. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "house_internal.h"

enum { RULES_MAX = 64 };

void house_free_rules(struct house_node *node)
{
	while (node->rules) {
		struct house_rule *rule = node->rules;

		node->rules = rule->next;
		free(rule);
	}
}

void house_take_rules(struct house_node *node, const cJSON *rules)
{
	struct house_rule **end = &node->rules;
	const cJSON *json;
	size_t count = 0;

	house_free_rules(node);
	cJSON_ArrayForEach(json, rules)
	{
		struct house_rule *rule;

		if (!cJSON_IsObject(json) || !json->string || !series_name_valid(json->string, strlen(json->string)) ||
		    count++ == RULES_MAX)
			continue;
		rule = calloc(1, sizeof(*rule));
		if (!rule)
			return;
		strcpy(rule->name, json->string);
		house_take_text(json, "when", rule->when, HOUSE_RULE_MAX);
		house_take_text(json, "then", rule->then, HOUSE_RULE_MAX);
		house_take_text(json, "else", rule->otherwise, HOUSE_RULE_MAX);
		house_take_text(json, "times", rule->times, HOUSE_RULE_MAX);
		*end = rule;
		end = &rule->next;
	}
}

void house_take_rule_states(struct house_node *node, const cJSON *rules)
{
	for (struct house_rule *rule = node->rules; rule; rule = rule->next) {
		const cJSON *json = cJSON_GetObjectItemCaseSensitive(rules, rule->name);
		const cJSON *active = cJSON_GetObjectItemCaseSensitive(json, "active");

		rule->known = cJSON_IsBool(active);
		rule->active = cJSON_IsTrue(active);
		rule->fault = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "fault"));
		rule->paused = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "paused"));
		rule->since_ms = house_take_whole(json, "since");
		rule->held_ms = house_take_whole(json, "held_until");
	}
}
