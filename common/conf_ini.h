/* What the rooms of the configuration share: the file as it stands, with lines, and the list of mistakes. */
#pragma once

#include <stdarg.h>

#include "conf.h"

struct conf_entry {
	struct conf_section *section;
	char *key, *value;
	int line; /* 0: from --set */
	bool used;
};

struct conf_section {
	char *type, *name; /* "device", "lamp"; name "" without */
	int line;
	bool used;
	struct conf_section *next;
};

struct conf_mistake {
	int line;
	char *text;
	bool is_warning;
};

struct conf {
	char *path; /* NULL without a file */
	struct conf_section *sections;
	struct conf_entry *entries;
	size_t entry_count;
	struct conf_mistake *mistakes;
	size_t mistake_count;
	unsigned refs; /* beyond the first */
};

/* The last entry of that key (a later one overrides); NULL without. */
struct conf_entry *conf_find_entry(struct conf *conf, const struct conf_section *section, const char *key);

/* Adds a mistake; out of memory it is written to standard error at once. */
void conf_add_mistake(struct conf *conf, int line, const char *format, va_list arguments);
