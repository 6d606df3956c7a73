/* The INI file and its overrides as a list of sections and entries, and the mistakes in them. */
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "conf_ini.h"

enum { LINE_MAX_BYTES = 4096, MISTAKES_MAX = 200 };

static void mistake_at(struct conf *conf, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

void conf_add_mistake(struct conf *conf, int line, const char *format, va_list arguments)
{
	struct conf_mistake *mistakes = reallocarray(conf->mistakes, conf->mistake_count + 1, sizeof(*mistakes));
	char *text = NULL;

	if (mistakes)
		conf->mistakes = mistakes;
	if (!mistakes || conf->mistake_count == MISTAKES_MAX || vasprintf(&text, format, arguments) < 0)
		return;
	conf->mistakes[conf->mistake_count++] = (struct conf_mistake){ .line = line, .text = text };
}

static void mistake_at(struct conf *conf, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	conf_add_mistake(conf, line, format, arguments);
	va_end(arguments);
}

/* ---- reading -------------------------------------------------------------------------------------------------------------------- */

struct source {
	struct conf *conf;
	FILE *file;
	int line;
	struct conf_section *section;
	bool no_memory;
	bool within; /* a line: the next piece belongs to it */
};

static void free_section(struct conf_section *section)
{
	free(section->type);
	free(section->name);
	free(section);
}

/* [type name] or "type name" of an override. */
static struct conf_section *add_section(struct conf *conf, const char *text, size_t len, int line)
{
	struct conf_section **end = &conf->sections, *section;
	const char *space = memchr(text, ' ', len);
	size_t type_len = space ? (size_t)(space - text) : len;

	while (space && type_len < len && *space == ' ')
		space++, type_len++;
	section = calloc(1, sizeof(*section));
	if (!section)
		return NULL;
	section->type = strndup(text, strcspn(text, " ]") < len ? strcspn(text, " ]") : len);
	section->name = space ? strndup(space, len - type_len) : strdup("");
	section->line = line;
	if (!section->type || !section->name) {
		free_section(section);
		return NULL;
	}
	while (*end)
		end = &(*end)->next;
	*end = section;
	return section;
}

static struct conf_section *find_section(const struct conf *conf, const char *type, const char *name)
{
	for (struct conf_section *section = conf->sections; section; section = section->next)
		if (strcmp(section->type, type) == 0 && strcmp(section->name, name ? name : "") == 0)
			return section;
	return NULL;
}

static void drop_last_section(struct conf *conf)
{
	struct conf_section **end = &conf->sections;

	while ((*end)->next)
		end = &(*end)->next;
	free_section(*end);
	*end = NULL;
}

static void begin_section(struct source *source, const char *line)
{
	const char *end = strchr(line, ']');
	struct conf_section *section;

	if (!end)
		return; /* libinih tells this one */
	section = add_section(source->conf, line + 1, (size_t)(end - line - 1), source->line);
	if (!section) {
		source->no_memory = true;
		return;
	}
	if (find_section(source->conf, section->type, section->name) != section) {
		mistake_at(source->conf, source->line, "[%s%s%s] stands in line %d already: each section may stand once",
			   section->type, section->name[0] ? " " : "", section->name,
			   find_section(source->conf, section->type, section->name)->line);
		section->used = true;
	}
	source->section = section;
}

/* libinih does not tell the line, nor a section without keys: this reader sees both. It asks for long lines in pieces. */
static char *read_line(char *buf, int size, void *userdata)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, as some editors put it */
	struct source *source = userdata;
	char *line = fgets(buf, size, source->file);
	bool begins = !source->within;

	if (!line)
		return NULL;
	source->within = !strchr(line, '\n');
	if (!begins)
		return buf;
	source->line++;
	if (source->line == 1 && strncmp(line, mark, strlen(mark)) == 0)
		line += strlen(mark);
	line += strspn(line, " \t");
	if (*line == '[')
		begin_section(source, line);
	return buf;
}

static int add_entry(struct conf *conf, struct conf_section *section, const char *key, const char *value, int line)
{
	struct conf_entry *entries = reallocarray(conf->entries, conf->entry_count + 1, sizeof(*entries));
	struct conf_entry entry = { .section = section, .line = line };

	if (!entries)
		return -ENOMEM;
	conf->entries = entries;
	entry.key = strdup(key);
	entry.value = strdup(value);
	if (!entry.key || !entry.value) {
		free(entry.key);
		free(entry.value);
		return -ENOMEM;
	}
	conf->entries[conf->entry_count++] = entry;
	return 0;
}

static int on_entry(void *userdata, const char *section_text, const char *key, const char *value)
{
	struct source *source = userdata;
	struct conf_entry *before;

	(void)section_text;
	if (!source->section) {
		mistake_at(source->conf, source->line, "\"%s\" stands before any [section]", key);
		return 1;
	}
	before = conf_find_entry(source->conf, source->section, key);
	if (before)
		mistake_at(source->conf, source->line, "%s is set in line %d already", key, before->line);
	if (add_entry(source->conf, source->section, key, value, source->line) < 0)
		source->no_memory = true;
	return 1;
}

/* A text has no zero bytes; a file that lost its content with the power has nothing else. */
static void tell_zero_byte(struct conf *conf, FILE *file)
{
	int line = 1, c;

	while ((c = getc(file)) != EOF && c != '\0')
		line += c == '\n';
	if (c == '\0')
		mistake_at(conf, line, "a zero byte: the file is damaged, or no text");
	rewind(file);
}

static int read_file(struct conf *conf)
{
	struct source source = { .conf = conf, .file = fopen(conf->path, "re") };
	int r;

	if (!source.file) {
		r = -errno;
		fprintf(stderr, "%s: cannot be read: %s\n", conf->path, strerror(-r));
		return r;
	}
	tell_zero_byte(conf, source.file);
	ini_inline_comment_prefixes = (char *)";#";
	ini_allow_multiline = false;
	ini_use_stack = false;
	ini_allow_realloc = true;
	ini_max_line = LINE_MAX_BYTES;
	r = ini_parse_stream(read_line, &source, on_entry, &source);
	if (r > 0)
		mistake_at(conf, r, "neither [section], KEY = VALUE nor a comment (# or ;)");
	if (ferror(source.file))
		r = -EIO;
	fclose(source.file);
	if (r == -EIO)
		fprintf(stderr, "%s: cannot be read\n", conf->path);
	return r == -EIO ? -EIO : r == -2 || source.no_memory ? -ENOMEM : 0;
}

/* "device lamp.line=GPIO4": the first dot ends the section, whose words never hold one; keys may ("air.temperature.base"). */
static int read_override(struct conf *conf, const char *override)
{
	const char *equals = strchr(override, '=');
	const char *dot = equals ? memchr(override, '.', (size_t)(equals - override)) : NULL;
	struct conf_section *made, *section;
	char *key;
	int r;

	if (!dot || dot == override || dot + 1 == equals) {
		mistake_at(conf, 0, "--set %s: allowed is SECTION.KEY=VALUE", override);
		return 0;
	}
	made = add_section(conf, override, (size_t)(dot - override), 0);
	if (!made)
		return -ENOMEM;
	section = find_section(conf, made->type, made->name);
	if (section != made)
		drop_last_section(conf);
	key = strndup(dot + 1, (size_t)(equals - dot - 1));
	r = key ? add_entry(conf, section, key, equals + 1, 0) : -ENOMEM;
	free(key);
	return r;
}

int conf_open(const char *path, const char *const *overrides, size_t override_count, struct conf **ret_conf)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	int r = conf ? 0 : -ENOMEM;

	if (conf && path) {
		conf->path = strdup(path);
		r = conf->path ? read_file(conf) : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < override_count; i++)
		r = read_override(conf, overrides[i]);
	if (r < 0) {
		conf_close(conf);
		return r;
	}
	*ret_conf = conf;
	return 0;
}

struct conf *conf_ref(struct conf *conf)
{
	conf->refs++;
	return conf;
}

void conf_close(struct conf *conf)
{
	if (!conf || conf->refs-- > 0)
		return;
	while (conf->sections) {
		struct conf_section *section = conf->sections;

		conf->sections = section->next;
		free_section(section);
	}
	for (size_t i = 0; i < conf->entry_count; i++) {
		free(conf->entries[i].key);
		free(conf->entries[i].value);
	}
	for (size_t i = 0; i < conf->mistake_count; i++)
		free(conf->mistakes[i].text);
	free(conf->entries);
	free(conf->mistakes);
	free(conf->path);
	free(conf);
}

/* ---- asking --------------------------------------------------------------------------------------------------------------------- */

const struct conf_section *conf_section(const struct conf *conf, const char *type, const char *name)
{
	return find_section(conf, type, name);
}

const struct conf_section *conf_next(const struct conf *conf, const char *type, const struct conf_section *before)
{
	const struct conf_section *section = before ? before->next : conf->sections;

	while (section && (strcmp(section->type, type) != 0 || !section->name[0]))
		section = section->next;
	return section;
}

const char *conf_section_name(const struct conf_section *section)
{
	return section->name;
}

struct conf_entry *conf_find_entry(struct conf *conf, const struct conf_section *section, const char *key)
{
	struct conf_entry *found = NULL;

	for (size_t i = 0; i < conf->entry_count; i++)
		if (conf->entries[i].section == section && strcmp(conf->entries[i].key, key) == 0)
			found = &conf->entries[i];
	return found;
}

const char *conf_text(struct conf *conf, const struct conf_section *section, const char *key)
{
	struct conf_entry *entry;

	if (!section)
		return NULL;
	((struct conf_section *)section)->used = true;
	entry = conf_find_entry(conf, section, key);
	if (!entry)
		return NULL;
	for (size_t i = 0; i < conf->entry_count; i++) /* one that --set overrides is used as well */
		if (conf->entries[i].section == section && strcmp(conf->entries[i].key, key) == 0)
			conf->entries[i].used = true;
	return entry->value;
}

const char *conf_key(struct conf *conf, const struct conf_section *section, size_t index, const char **ret_value)
{
	((struct conf_section *)section)->used = true;
	for (size_t i = 0; i < conf->entry_count; i++) {
		struct conf_entry *entry = &conf->entries[i];

		if (entry->section != section || conf_find_entry(conf, section, entry->key) != entry)
			continue;
		if (index-- > 0)
			continue;
		*ret_value = conf_text(conf, section, entry->key);
		return entry->key;
	}
	return NULL;
}

/* ---- mistakes ------------------------------------------------------------------------------------------------------------------- */

/* Returns whether it was added. */
static bool add_at_key(struct conf *conf, const struct conf_section *section, const char *key, const char *prefix,
		       const char *format, va_list arguments)
{
	struct conf_entry *entry = section && key ? conf_find_entry(conf, section, key) : NULL;
	size_t before = conf->mistake_count;
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		return false;
	if (entry && entry->line == 0)
		mistake_at(conf, 0, "%s--set %s%s%s.%s: %s", prefix, section->type, section->name[0] ? " " : "", section->name, key,
			   text);
	else
		mistake_at(conf,
			   entry     ? entry->line
			   : section ? section->line
				     : 0,
			   "%s%s%s%s", prefix, key ? key : "", key ? ": " : "", text);
	free(text);
	return conf->mistake_count > before;
}

void conf_mistake(struct conf *conf, const struct conf_section *section, const char *key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_at_key(conf, section, key, "", format, arguments);
	va_end(arguments);
}

void conf_warning(struct conf *conf, const struct conf_section *section, const char *key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (add_at_key(conf, section, key, "warning: ", format, arguments))
		conf->mistakes[conf->mistake_count - 1].is_warning = true;
	va_end(arguments);
}

static int by_line(const void *a, const void *b)
{
	const struct conf_mistake *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static void find_unknown(struct conf *conf)
{
	for (struct conf_section *section = conf->sections; section; section = section->next)
		if (!section->used)
			mistake_at(conf, section->line, "%s[%s%s%s] is no section that is known here",
				   section->line ? "" : "--set: ", section->type, section->name[0] ? " " : "", section->name);
	for (size_t i = 0; i < conf->entry_count; i++) {
		const struct conf_entry *entry = &conf->entries[i];

		if (entry->section->used && !entry->used)
			mistake_at(conf, entry->line, "%s%s is no key of [%s%s%s]; --help tells those there are",
				   entry->line ? "" : "--set: ", entry->key, entry->section->type,
				   entry->section->name[0] ? " " : "", entry->section->name);
	}
}

int conf_finish(struct conf *conf, FILE *out)
{
	int warnings = 0;

	find_unknown(conf);
	if (conf->mistake_count > 0)
		qsort(conf->mistakes, conf->mistake_count, sizeof(*conf->mistakes), by_line);
	for (size_t i = 0; i < conf->mistake_count; i++) {
		const struct conf_mistake *mistake = &conf->mistakes[i];

		warnings += mistake->is_warning;
		if (mistake->line > 0)
			fprintf(out, "%s:%d: %s\n", conf->path, mistake->line, mistake->text);
		else if (conf->path)
			fprintf(out, "%s: %s\n", conf->path, mistake->text);
		else
			fprintf(out, "configuration: %s\n", mistake->text);
	}
	return (int)conf->mistake_count - warnings;
}
