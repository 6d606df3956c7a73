#include "strings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../common/buffer.h"
#include "../common/log.h"

enum { CATALOGUE_MAX = 256 * 1024, BLOCK = 8192 };

struct strings {
	cJSON *all[LANGUAGE_COUNT];
	struct buffer script[LANGUAGE_COUNT];
};

static const char *const codes[LANGUAGE_COUNT] = { "fr", "en" };

static int read_text(const char *path, struct buffer *out)
{
	FILE *file = fopen(path, "re");
	size_t n = 1;
	int r;

	if (!file)
		return -errno;
	while (n > 0) {
		char *room = buffer_reserve(out, BLOCK);

		if (!room)
			break;
		n = fread(room, 1, BLOCK, file);
		out->len += n;
		out->data[out->len] = '\0';
	}
	r = ferror(file) ? -EIO : out->error;
	fclose(file);
	return r;
}

static int read_catalogue(const char *path, cJSON **ret_all)
{
	struct buffer text = BUFFER_LIMITED(CATALOGUE_MAX);
	cJSON *all = NULL;
	int r = read_text(path, &text);

	if (r == 0) {
		all = cJSON_ParseWithOpts(buffer_text(&text), NULL, true);
		r = cJSON_IsObject(all) ? 0 : -EINVAL;
	}
	for (const cJSON *one = r == 0 ? all->child : NULL; one && r == 0; one = one->next)
		r = cJSON_IsString(one) ? 0 : -EINVAL;
	buffer_done(&text);
	if (r == 0) {
		*ret_all = all;
		return 0;
	}
	cJSON_Delete(all);
	log_error("%s: %s", path, r == -EINVAL ? "this is no JSON object of texts" : strerror(-r));
	return r;
}

/* cJSON does not escape "<", and "</script>" or "<!--" would end the block that the JSON stands in. */
static int make_script(const cJSON *all, struct buffer *out)
{
	cJSON *some = cJSON_CreateObject();
	char *json;

	for (const cJSON *one = all->child; one; one = one->next)
		if (!strncmp(one->string, "ui_", 3))
			cJSON_AddStringToObject(some, one->string + 3, one->valuestring);
	json = cJSON_PrintUnformatted(some);
	cJSON_Delete(some);
	if (!json)
		return -ENOMEM;
	for (const char *at = json; *at; at++)
		if (*at == '<')
			buffer_add_text(out, "\\u003c");
		else
			buffer_add_char(out, *at);
	cJSON_free(json);
	return out->error;
}

int strings_open(const char *dir, struct strings **ret_strings)
{
	struct strings *strings = calloc(1, sizeof(*strings));
	int r = strings ? 0 : -ENOMEM;

	for (int i = 0; i < LANGUAGE_COUNT && r == 0; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s.json", dir, codes[i]);
		r = read_catalogue(path, &strings->all[i]);
		if (r == 0)
			r = make_script(strings->all[i], &strings->script[i]);
	}
	if (r < 0) {
		strings_close(strings);
		return r;
	}
	*ret_strings = strings;
	return 0;
}

void strings_close(struct strings *strings)
{
	if (!strings)
		return;
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		cJSON_Delete(strings->all[i]);
		buffer_done(&strings->script[i]);
	}
	free(strings);
}

const char *strings_code(enum language language)
{
	return codes[language];
}

static bool matches(const char *code, size_t len, enum language language)
{
	return len >= 2 && !strncasecmp(code, codes[language], 2) && (len == 2 || code[2] == '-');
}

enum language strings_language(const char *code, enum language otherwise)
{
	for (int i = 0; code && i < LANGUAGE_COUNT; i++)
		if (matches(code, strlen(code), (enum language)i))
			return (enum language)i;
	return otherwise;
}

/* The weight of one part of the header, "fr-CH;q=0.8": 1 without a q. */
static double weight_of(const char *part, size_t len)
{
	const char *q = memmem(part, len, "q=", 2);

	return q ? strtod(q + 2, NULL) : 1;
}

enum language strings_accepted(const char *header, enum language otherwise)
{
	enum language best = otherwise;
	double best_weight = 0;

	while (header && *header) {
		size_t len = strcspn(header, ","), skip = strspn(header, " \t");
		size_t word = strcspn(header + skip, ",; \t");
		double weight = weight_of(header, len);

		for (int i = 0; i < LANGUAGE_COUNT; i++)
			if (weight > best_weight && matches(header + skip, word, (enum language)i)) {
				best = (enum language)i;
				best_weight = weight;
			}
		header += len + (header[len] == ',');
	}
	return best;
}

const char *strings_get(const struct strings *strings, enum language language, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(strings->all[language], key));

	return text ? text : key;
}

const cJSON *strings_all(const struct strings *strings, enum language language)
{
	return strings->all[language];
}

const char *strings_script(const struct strings *strings, enum language language)
{
	return buffer_text(&strings->script[language]);
}

static const struct strings_word *find_word(const struct strings_word *words, const char *name, size_t len)
{
	for (; words && words->name; words++)
		if (strlen(words->name) == len && !memcmp(words->name, name, len))
			return words;
	return NULL;
}

/* Takes off the bytes of a character that was cut in the middle. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t start = len;

	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return len;
	start--;
	if ((unsigned char)text[start] >= 0xc0) {
		unsigned char lead = (unsigned char)text[start];
		size_t needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

		return len - start < needs ? start : len;
	}
	return len;
}

const char *strings_fill(const char *text, const struct strings_word *words, char *buf, size_t size)
{
	size_t len = 0;

	while (*text && len + 1 < size) {
		size_t name = *text == '{' ? strcspn(text + 1, "}") : 0;
		const struct strings_word *word = name ? find_word(words, text + 1, name) : NULL;

		if (word) {
			size_t n = strnlen(word->text, size - 1 - len);

			memcpy(buf + len, word->text, n);
			len += n;
			text += name + 2;
		} else {
			buf[len++] = *text++;
		}
	}
	len = whole_characters(buf, len);
	buf[len] = '\0';
	return buf;
}
