/* From the text of a key to a field of a struct, by the table of items. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf_ini.h"
#include "series.h"
#include "value.h"

struct suffix {
	const char *word;
	double factor;
};

static const struct suffix durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { 0 },
};
static const struct suffix sizes[] = {
	{ "", 1 }, { "k", 1024 }, { "K", 1024 }, { "M", 1048576 }, { "G", 1073741824 }, { 0 },
};

/* A number with one of the suffixes; false when it is none. "0" needs no unit. */
static bool with_suffix(const char *text, const struct suffix *suffixes, double *ret_number)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || !isfinite(number) || !strchr("-.0123456789", text[0]))
		return false;
	if (*end == '\0' && !(number < 0 || number > 0)) {
		*ret_number = 0;
		return true;
	}
	for (; suffixes->word; suffixes++)
		if (strcmp(suffixes->word, end) == 0) {
			*ret_number = number * suffixes->factor;
			return true;
		}
	return false;
}

int conf_parse_duration(const char *text, int64_t *ret_ms)
{
	double number;

	if (!with_suffix(text, durations, &number) || number < 0 || number > 9e15)
		return -EINVAL;
	*ret_ms = (int64_t)number;
	return 0;
}

static const char *show(double number, enum conf_type type, char *buf)
{
	const struct suffix *suffixes = type == CONF_DURATION ? durations : type == CONF_SIZE ? sizes : NULL;
	const struct suffix *best = NULL;
	char *end;

	for (; suffixes && suffixes->word; suffixes++)
		if (number >= suffixes->factor && !(fmod(number, suffixes->factor) > 0) && strcmp(suffixes->word, "min") != 0 &&
		    strcmp(suffixes->word, "K") != 0)
			best = suffixes;
	end = buf + value_format_number(best ? number / best->factor : number, buf);
	strcpy(end, best ? best->word : type == CONF_DURATION ? "s" : "");
	return buf;
}

static const char *allowed(const struct conf_item *item, char *buf, size_t size)
{
	static const char *const kinds[] = {
		[CONF_STRING] = "a text",
		[CONF_BOOL] = "yes or no",
		[CONF_INT] = "a whole number",
		[CONF_NUMBER] = "a number",
		[CONF_DURATION] = "a time such as 500ms, 10s, 5m, 1h, 1d",
		[CONF_SIZE] = "a size such as 512, 64k, 10M",
		[CONF_NAME] = "[a-z0-9][a-z0-9_-]{0,31}",
		[CONF_CHOICE] = "",
		[CONF_FILE] = "a file that can be read",
	};
	char min[48], max[48];

	if (item->type == CONF_CHOICE)
		snprintf(buf, size, "one of %s", item->choices);
	else if (item->min < item->max)
		snprintf(buf, size, "%s from %s to %s", kinds[item->type], show(item->min, item->type, min),
			 show(item->max, item->type, max));
	else
		snprintf(buf, size, "%s", kinds[item->type]);
	return buf;
}

static bool parse_bool(const char *text, bool *ret_bool)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(words[i], text) == 0) {
			*ret_bool = i % 2;
			return true;
		}
	return false;
}

static bool parse_choice(const char *text, const char *choices, int *ret_index)
{
	size_t len = strlen(text);
	int index = 0;

	for (const char *word = choices; len > 0; index++) {
		size_t n = strcspn(word, "|");

		if (n == len && memcmp(word, text, n) == 0) {
			*ret_index = index;
			return true;
		}
		if (!word[n])
			break;
		word += n + 1;
	}
	return false;
}

static bool in_range(const struct conf_item *item, double number)
{
	return !(item->min < item->max) || (number >= item->min && number <= item->max);
}

static bool parse_int(const char *text, double *ret_number)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, strncasecmp(text, "0x", 2) == 0 ? 16 : 10);
	if (end == text || *end || errno || number < INT32_MIN || number > INT32_MAX)
		return false;
	*ret_number = (double)number;
	return true;
}

/* Puts the text into its field; false when it is not what the item allows. */
static bool put(const struct conf_item *item, const char *text, void *field)
{
	double number = 0;
	char *end;

	switch (item->type) {
	case CONF_STRING:
		*(const char **)field = text;
		return true;
	case CONF_BOOL:
		return parse_bool(text, field);
	case CONF_INT:
		if (!parse_int(text, &number) || !in_range(item, number))
			return false;
		*(int *)field = (int)number;
		return true;
	case CONF_NUMBER:
		number = strtod(text, &end);
		if (end == text || *end || !isfinite(number) || !in_range(item, number))
			return false;
		*(double *)field = number;
		return true;
	case CONF_DURATION:
	case CONF_SIZE:
		if (!with_suffix(text, item->type == CONF_SIZE ? sizes : durations, &number) || number < 0 || number > 9e15 ||
		    !in_range(item, number))
			return false;
		*(int64_t *)field = (int64_t)number;
		return true;
	case CONF_NAME:
		*(const char **)field = text;
		return series_name_valid(text, strlen(text));
	case CONF_CHOICE:
		return parse_choice(text, item->choices, field);
	case CONF_FILE:
		*(const char **)field = text;
		return access(text, R_OK) == 0;
	}
	return false;
}

static void put_empty(const struct conf_item *item, void *field)
{
	if (item->type == CONF_STRING || item->type == CONF_NAME || item->type == CONF_FILE)
		*(const char **)field = NULL;
}

static void read_item(struct conf *conf, const struct conf_section *section, const char *type, const struct conf_item *item,
		      void *target)
{
	void *field = (char *)target + item->offset;
	const char *text = conf_text(conf, section, item->key);
	char range[160];

	if (text && (text[0] || item->type == CONF_STRING) && put(item, text, field))
		return;
	if (text && item->type == CONF_FILE && text[0])
		conf_mistake(conf, section, item->key, "\"%s\" cannot be read: %s", text, strerror(errno));
	else if (text)
		conf_mistake(conf, section, item->key, "\"%s\": allowed is %s", text, allowed(item, range, sizeof(range)));
	else if (item->required)
		conf_mistake(conf, section, NULL, "[%s%s%s] needs %s: %s", type,
			     section && conf_section_name(section)[0] ? " " : "", section ? conf_section_name(section) : "",
			     item->key, allowed(item, range, sizeof(range)));
	if (item->fallback)
		put(item, item->fallback, field);
	else
		put_empty(item, field);
}

void conf_read(struct conf *conf, const struct conf_section *section, const char *type, const struct conf_item *items, void *target)
{
	if (section)
		((struct conf_section *)section)->used = true;
	for (const struct conf_item *item = items; item->key; item++)
		read_item(conf, section, type, item, target);
}

void conf_print_items(const char *heading, const struct conf_item *items, FILE *out)
{
	char range[160];

	fprintf(out, "  %s\n", heading);
	for (const struct conf_item *item = items; item->key; item++)
		fprintf(out, "    %-18s %s; %s%s%s%s\n", item->key, item->help ? item->help : "",
			allowed(item, range, sizeof(range)), item->fallback ? " (" : "", item->fallback ? item->fallback : "",
			item->fallback   ? ")"
			: item->required ? " (needed)"
					 : "");
}
