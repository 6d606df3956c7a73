/* Configuration: an INI file and --set overrides, read into structs by tables of items. Every mistake is collected with
 * its FILE:LINE and what is allowed; none is fatal before all are known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct conf;
struct conf_section;

enum conf_type {
	CONF_STRING,   /* const char *: owned by the conf, lives until conf_close */
	CONF_BOOL,     /* bool: yes/no, on/off, true/false, 1/0 */
	CONF_INT,      /* int: decimal or 0x hexadecimal */
	CONF_NUMBER,   /* double, finite */
	CONF_DURATION, /* int64_t in ms: 500ms 10s 5m 1h 1d */
	CONF_SIZE,     /* int64_t in bytes: 512, 64k, 10M, 1G (powers of 1024) */
	CONF_NAME,     /* const char *: a node's or device's name, [a-z0-9][a-z0-9_-]{0,31} */
	CONF_CHOICE,   /* int: index into `choices`, words separated by '|' */
	CONF_FILE,     /* const char *: a path; must be readable when given */
};

struct conf_item {
	const char *key; /* NULL ends a table */
	enum conf_type type;
	size_t offset;        /* offsetof() in the target struct */
	const char *fallback; /* as it would stand in the file; NULL: the target's field stays as it is */
	double min, max;      /* range of numbers, durations (ms) and sizes; both 0: no limit */
	const char *choices;  /* CONF_CHOICE: "rising|falling|both" */
	bool required;
	const char *help; /* half a sentence, for --help and messages */
};

/* Reads a file and then the overrides, each "SECTION.KEY=VALUE" ("device lamp.line=GPIO4": the first dot parts section and key).
 * path   NULL for no file: only overrides and fallbacks
 * Returns 0 also when the file has mistakes (conf_finish tells them); -ENOENT, -EACCES... when it can't be read (message
 * already on standard error), -ENOMEM. The caller closes. */
int conf_open(const char *path, const char *const *overrides, size_t override_count, struct conf **ret_conf);
/* Drops a reference, and frees with the last; NULL is fine. */
void conf_close(struct conf *conf);
/* One more reference, for who keeps strings of it. Returns conf. */
struct conf *conf_ref(struct conf *conf);

/* The section [type] (name NULL) or [type name]; NULL when the file does not have it. */
const struct conf_section *conf_section(const struct conf *conf, const char *type, const char *name);
/* The sections [type NAME] in the file's order: pass NULL to begin, then the one before. NULL ends. */
const struct conf_section *conf_next(const struct conf *conf, const char *type, const struct conf_section *before);
/* NAME of [type NAME]; "" without. */
const char *conf_section_name(const struct conf_section *section);

/* Reads the keys that `items` names from a section into `target`; absent ones get their fallback. May be called several times on one
 * section with other tables (a device's own keys, then its driver's). section NULL: all fallbacks (a missing required key is then a
 * mistake without a line).
 * type   the section's type, for messages when section is NULL. */
void conf_read(struct conf *conf, const struct conf_section *section, const char *type, const struct conf_item *items,
	       void *target);

/* The raw text of a key, NULL without. Counts as used. */
const char *conf_text(struct conf *conf, const struct conf_section *section, const char *key);

/* All keys of a section in the file's order, for free-form sections: index from 0, NULL ends. Counts as used. */
const char *conf_key(struct conf *conf, const struct conf_section *section, size_t index, const char **ret_value);

/* A duration as CONF_DURATION takes it. Returns 0 or -EINVAL. */
int conf_parse_duration(const char *text, int64_t *ret_ms);

/* Records a mistake at a key's line (key NULL: at the section's): the message says what is wrong and what is allowed. */
void conf_mistake(struct conf *conf, const struct conf_section *section, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for what works and is hardly meant: told, and not counted as a mistake. */
void conf_warning(struct conf *conf, const struct conf_section *section, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds unknown keys and sections to the mistakes, writes them all to `out` as FILE:LINE: text, in line order, warnings among them. Returns the number of mistakes. */
int conf_finish(struct conf *conf, FILE *out);

/* Prints a table as commented lines "key = fallback   # help (range)" for --help. */
void conf_print_items(const char *heading, const struct conf_item *items, FILE *out);
