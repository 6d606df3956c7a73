/* Every text that people read, from web/strings/LANGUAGE.json: one catalogue per language, flat keys, {placeholders}. */
#pragma once

#include <cjson/cJSON.h>
#include <stddef.h>

enum language { LANGUAGE_FR, LANGUAGE_EN, LANGUAGE_COUNT };

struct strings;

/* dir   holds fr.json and en.json. Returns 0, -ENOENT, -EINVAL (no JSON object of texts), -ENOMEM ... (logged). The caller closes. */
int strings_open(const char *dir, struct strings **ret_strings);
void strings_close(struct strings *strings);

/* "fr", "en". */
const char *strings_code(enum language language);
/* The language of a code, also of one with a region ("fr-CH"); `otherwise` for another or NULL. */
enum language strings_language(const char *code, enum language otherwise);
/* The first language of an Accept-Language header that we speak, by its weights (RFC 9110, 12.5.4). */
enum language strings_accepted(const char *header, enum language otherwise);

/* The text of a key; the key itself where the catalogue lacks it. */
const char *strings_get(const struct strings *strings, enum language language, const char *key);
/* The whole catalogue, for templates: {{t.key}}. Owned by the strings. */
const cJSON *strings_all(const struct strings *strings, enum language language);
/* The keys that begin with "ui_", as JSON for the page's script: no "<" in it, so it may stand in a <script>. */
const char *strings_script(const struct strings *strings, enum language language);

struct strings_word {
	const char *name; /* of the placeholder, without braces; NULL ends a list */
	const char *text;
};
/* Writes `text` with its placeholders filled, cut to `size` at a whole character. Returns buf. An unknown placeholder stays as it is. */
const char *strings_fill(const char *text, const struct strings_word *words, char *buf, size_t size);
