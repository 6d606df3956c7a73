/* Who reads: the language and the theme of a request, and the links that change them without a script. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "strings.h"

enum reader_theme { THEME_AUTO, THEME_LIGHT, THEME_DARK, THEME_COUNT };

struct reader {
	enum language language;
	enum reader_theme theme;
};

const char *reader_theme_word(enum reader_theme theme); /* "auto", "light", "dark" */

/* The cookie's choice, else the household's (`language`, NULL or "auto": none), else the browser's; French when nobody says anything. */
struct reader reader_of(const struct http_request *request, const char *language);

/* Whether the query asks for another language or theme: then it is answered (cookies, back to the page without that query). */
bool reader_choose(struct http_request *request);

/* "?" and what of the query stays when one more is asked: "?range=24h&" or "?". Never leaves the page. */
const char *reader_query(const struct http_request *request, char *buf, size_t size);
