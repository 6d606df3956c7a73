#include "reader.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const themes[THEME_COUNT] = { "auto", "light", "dark" };

const char *reader_theme_word(enum reader_theme theme)
{
	return themes[theme];
}

static enum reader_theme theme_of(const char *word)
{
	for (int i = 0; word && i < THEME_COUNT; i++)
		if (!strcmp(word, themes[i]))
			return (enum reader_theme)i;
	return THEME_AUTO;
}

struct reader reader_of(const struct http_request *request, const char *language)
{
	struct reader reader = { .theme = theme_of(http_cookie(request, "theme")) };
	enum language own = strings_language(http_cookie(request, "lang"), LANGUAGE_COUNT);

	if (own == LANGUAGE_COUNT)
		own = strings_language(language, LANGUAGE_COUNT);
	if (own == LANGUAGE_COUNT)
		own = strings_accepted(http_header(request, "Accept-Language"), LANGUAGE_FR);
	reader.language = own;
	return reader;
}

/* Words of the query that are a wish of the moment, not a part of the page. */
static bool is_passing(const char *word, size_t len)
{
	static const char *const passing[] = { "lang", "theme", "outcome" };

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (strcspn(word, "=&") == strlen(passing[i]) && len >= strlen(passing[i]) &&
		    !strncmp(word, passing[i], strlen(passing[i])))
			return true;
	return false;
}

const char *reader_query(const struct http_request *request, char *buf, size_t size)
{
	const char *at = strchr(http_target(request), '?');
	size_t len = 1;

	snprintf(buf, size, "?");
	for (at = at ? at + 1 : ""; *at; at += strspn(at, "&")) {
		size_t part = strcspn(at, "&");

		if (part && !is_passing(at, part) && len + part + 2 < size) {
			memcpy(buf + len, at, part);
			len += part;
			buf[len++] = '&';
			buf[len] = '\0';
		}
		at += part;
	}
	return buf;
}

static void keep(struct http_request *request, const char *name, const char *value)
{
	char cookie[96];

	snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; Max-Age=31536000; SameSite=Lax", name, value);
	http_add_header(request, "Set-Cookie", cookie);
}

bool reader_choose(struct http_request *request)
{
	const char *lang = http_query(request, "lang"), *theme = http_query(request, "theme"), *target = http_target(request);
	enum language language = strings_language(lang, LANGUAGE_COUNT);
	char path[2048], query[1024];
	size_t len;

	if (!lang && !theme)
		return false;
	if (language != LANGUAGE_COUNT)
		keep(request, "lang", strings_code(language));
	if (theme)
		keep(request, "theme", themes[theme_of(theme)]);
	reader_query(request, query, sizeof(query));
	query[strlen(query) - 1] = '\0'; /* the last "?" or "&" */
	len = strcspn(target, "?");
	snprintf(path, sizeof(path), "%.*s%s", (int)(len < 1000 ? len : 1000), target, query);
	http_redirect(request, path);
	return true;
}
