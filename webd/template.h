/* A mustache template, compiled: the inside of the rendering room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render.h"

enum token_kind {
	TOKEN_INDENT, /* a line begins: the indentation of the partial goes here */
	TOKEN_TEXT,
	TOKEN_ESCAPED,  /* {{name}} */
	TOKEN_RAW,      /* {{{name}}}, {{&name}} */
	TOKEN_SECTION,  /* {{#name}} */
	TOKEN_INVERTED, /* {{^name}} */
	TOKEN_END,      /* {{/name}} */
	TOKEN_PARTIAL,  /* {{>name}} */
};

struct token {
	enum token_kind kind;
	unsigned line;
	const char *text; /* TOKEN_TEXT: `len` bytes; otherwise a name, its dots turned into NULs */
	size_t len;
	const char *indent; /* TOKEN_PARTIAL alone on its line: the white space before it */
	size_t indent_len;
	size_t end; /* of a section: the index of its TOKEN_END */
};

struct template
{
	char *source; /* the tokens point into it */
	struct token *tokens;
	size_t count;
};

/* Compiles the text of a template.
 * file     for the error text
 * source   malloc'ed, `len` bytes and a NUL; passes over in any case
 * error    TEMPLATE_ERROR_MAX bytes
 * Returns 0, -EINVAL with an error text, -ENOMEM. */
int template_compile(const char *file, char *source, size_t len, struct template *ret_template, char *error);
void template_free(struct template *template);

/* A folder's templates, each compiled once. */
struct template_entry {
	struct template_entry *next;
	char *name;
	struct template template;
	char file[96]; /* name of the file within the folder, for messages */
	int state;     /* 0, or why there is no template: -ENOENT, -EINVAL ... */
	char error[TEMPLATE_ERROR_MAX];
	int64_t checked_ms; /* since boot; when the file was last looked at */
	int64_t mtime_ns, size;
	uint64_t inode;
};

struct templates {
	char *dir;
	const char *other_suffix; /* tried after ".mustache"; NULL without */
	struct template_entry *entries;
	char error[TEMPLATE_ERROR_MAX];
};

/* The template of a name, looked at again when `now_ms` is a second later than the last time; an entry asked for with the same now_ms
 * stays as it is, so that a running render keeps what it uses.
 * Returns NULL with -ENOENT, -EINVAL ... in ret_error and a text in templates->error. */
const struct template_entry *templates_find(struct templates *templates, const char *name, int64_t now_ms, int *ret_error);

/* Reads and compiles an open file of at most 1 MiB. Errors as template_compile, -EFBIG, -EIO ... */
int template_read(const char *file, int fd, size_t size, struct template *ret_template, char *error);

/* As template_render, with a template that is no entry of the folder; its partials are. */
int template_render_compiled(struct templates *templates, const char *file, const struct template *template, const cJSON *data,
			     struct buffer *out);
