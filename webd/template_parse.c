/* The text of a template into tokens, with the spec's rules for tags that stand alone on a line. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"

enum { DELIMITER_MAX = 16 };

struct parser {
	const char *file;
	char *source;
	size_t len;
	size_t pos;    /* what is before it, is done */
	unsigned line; /* of pos */
	char open[DELIMITER_MAX], close[DELIMITER_MAX];
	size_t sections[TEMPLATE_DEPTH_MAX]; /* open ones, indexes of tokens */
	size_t depth;
	struct token *tokens;
	size_t count, size;
	char *error;
};

struct tag {
	char sigil; /* "#^/>!=&{" or 0 */
	char *name; /* trimmed */
	size_t name_len;
	size_t start, end; /* of the whole tag in the source */
};

static int mistake(struct parser *parser, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int mistake(struct parser *parser, unsigned line, const char *format, ...)
{
	char text[TEMPLATE_ERROR_MAX / 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(parser->error, TEMPLATE_ERROR_MAX, "%s:%u: %s", parser->file, line, text);
	return -EINVAL;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool space(char c)
{
	return blank(c) || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static struct token *add_token(struct parser *parser, enum token_kind kind)
{
	struct token *token;

	if (parser->count == parser->size) {
		size_t size = parser->size ? parser->size * 2 : 32;
		struct token *tokens = reallocarray(parser->tokens, size, sizeof(*tokens));

		if (!tokens)
			return NULL;
		parser->tokens = tokens;
		parser->size = size;
	}
	token = &parser->tokens[parser->count++];
	*token = (struct token){ .kind = kind, .line = parser->line };
	return token;
}

static bool at_line_start(const struct parser *parser, size_t pos)
{
	return pos == 0 || parser->source[pos - 1] == '\n';
}

static unsigned count_lines(const struct parser *parser, size_t from, size_t to)
{
	unsigned lines = 0;

	while (from < to)
		lines += parser->source[from++] == '\n';
	return lines;
}

/* The source up to `end` as it is, line by line, since each line of a partial may be indented. */
static int add_text(struct parser *parser, size_t end)
{
	while (parser->pos < end) {
		const char *start = parser->source + parser->pos;
		const char *newline = memchr(start, '\n', end - parser->pos);
		size_t len = newline ? (size_t)(newline - start) + 1 : end - parser->pos;
		bool empty = *start == '\n' || (*start == '\r' && len == 2);
		struct token *token;

		if (at_line_start(parser, parser->pos) && !empty && !add_token(parser, TOKEN_INDENT))
			return -ENOMEM;
		token = add_token(parser, TOKEN_TEXT);
		if (!token)
			return -ENOMEM;
		token->text = start;
		token->len = len;
		parser->pos += len;
		parser->line += newline ? 1 : 0;
	}
	return 0;
}

/* Whether a tag stands alone on its line; then what the line spans. */
static bool standalone(const struct parser *parser, const struct tag *tag, size_t *ret_start, size_t *ret_end)
{
	size_t start = tag->start, end = tag->end;

	if (!tag->sigil || tag->sigil == '&' || tag->sigil == '{')
		return false;
	while (start > 0 && blank(parser->source[start - 1]))
		start--;
	while (end < parser->len && blank(parser->source[end]))
		end++;
	if (!at_line_start(parser, start))
		return false;
	if (end + 1 < parser->len && parser->source[end] == '\r' && parser->source[end + 1] == '\n')
		end++;
	if (end < parser->len && parser->source[end] != '\n')
		return false;
	*ret_start = start;
	*ret_end = end < parser->len ? end + 1 : end;
	return true;
}

/* Reads the tag that opens at parser->source + start. */
static int read_tag(struct parser *parser, size_t start, struct tag *ret_tag)
{
	char *inside = parser->source + start + strlen(parser->open), *close;
	char ending[DELIMITER_MAX + 1] = "";
	char sigil = *inside && strchr("#^/>!=&{", *inside) ? *inside : '\0';

	if (sigil)
		inside++;
	if (sigil == '=' || sigil == '{')
		ending[0] = sigil == '{' ? '}' : '=';
	strcat(ending, parser->close);
	close = strstr(inside, ending);
	if (!close)
		return mistake(parser, parser->line + count_lines(parser, parser->pos, start),
			       "the tag is never closed, \"%s\" is missing", ending);
	*ret_tag = (struct tag){
		.sigil = sigil,
		.start = start,
		.end = (size_t)(close - parser->source) + strlen(ending),
	};
	while (inside < close && space(*inside))
		inside++;
	while (close > inside && space(close[-1]))
		close--;
	ret_tag->name = inside;
	ret_tag->name_len = (size_t)(close - inside);
	return 0;
}

static int set_delimiters(struct parser *parser, const struct tag *tag)
{
	const char *name = tag->name;
	size_t open = 0, gap, close;

	while (open < tag->name_len && !space(name[open]))
		open++;
	for (gap = open; gap < tag->name_len && space(name[gap]); gap++)
		;
	close = tag->name_len - gap;
	for (size_t i = gap; i < tag->name_len; i++)
		if (space(name[i]))
			close = 0;
	if (!open || !close || open >= DELIMITER_MAX || close >= DELIMITER_MAX || memchr(name, '=', tag->name_len))
		return mistake(parser, parser->line, "delimiters are two words without '=', as in {{=<%% %%>=}}");
	snprintf(parser->open, sizeof(parser->open), "%.*s", (int)open, name);
	snprintf(parser->close, sizeof(parser->close), "%.*s", (int)close, name + gap);
	return 0;
}

/* Checks a name and splits it at its dots. */
static int split_name(struct parser *parser, const struct tag *tag)
{
	char *name = tag->name;

	if (!tag->name_len)
		return mistake(parser, parser->line, "a tag without a name");
	for (size_t i = 0; i < tag->name_len; i++)
		if (space(name[i]))
			return mistake(parser, parser->line, "white space within the name '%.*s'", (int)tag->name_len, name);
	if (tag->sigil != '>' && tag->name_len > 1) {
		if (name[0] == '.' || name[tag->name_len - 1] == '.' || memmem(name, tag->name_len, "..", 2))
			return mistake(parser, parser->line, "a dot too many in '%.*s'", (int)tag->name_len, name);
		for (size_t i = 0; i < tag->name_len; i++)
			if (name[i] == '.')
				name[i] = '\0';
	}
	name[tag->name_len] = '\0'; /* on the closing delimiter or a space, read already */
	return 0;
}

static const char *whole_name(const struct token *token, char *buf, size_t size)
{
	size_t len = token->len < size ? token->len : size - 1;

	for (size_t i = 0; i < len; i++)
		buf[i] = token->text[i] ? token->text[i] : '.';
	buf[len] = '\0';
	return buf;
}

static int open_section(struct parser *parser)
{
	if (parser->depth == TEMPLATE_DEPTH_MAX)
		return mistake(parser, parser->line, "more than %d sections within each other", TEMPLATE_DEPTH_MAX);
	parser->sections[parser->depth++] = parser->count - 1;
	return 0;
}

static int close_section(struct parser *parser)
{
	const struct token *end = &parser->tokens[parser->count - 1];
	char name[64], other[64];
	struct token *section;

	whole_name(end, name, sizeof(name));
	if (!parser->depth)
		return mistake(parser, end->line, "section '%s' is closed but never opened", name);
	section = &parser->tokens[parser->sections[--parser->depth]];
	if (section->len != end->len || memcmp(section->text, end->text, end->len))
		return mistake(parser, end->line, "section '%s' of line %u is closed as '%s'",
			       whole_name(section, other, sizeof(other)), section->line, name);
	section->end = parser->count - 1;
	return 0;
}

static int add_tag(struct parser *parser, const struct tag *tag, size_t indent_len)
{
	static const char sigils[] = {
		[TOKEN_ESCAPED] = '\0', [TOKEN_SECTION] = '#', [TOKEN_INVERTED] = '^', [TOKEN_END] = '/', [TOKEN_PARTIAL] = '>'
	};
	enum token_kind kind = tag->sigil ? TOKEN_RAW : TOKEN_ESCAPED;
	struct token *token;
	int r;

	if (tag->sigil == '!')
		return 0;
	if (tag->sigil == '=')
		return set_delimiters(parser, tag);
	for (enum token_kind i = TOKEN_SECTION; i <= TOKEN_PARTIAL; i++)
		if (sigils[i] == tag->sigil)
			kind = i;
	r = split_name(parser, tag);
	if (r < 0)
		return r;
	token = add_token(parser, kind);
	if (!token)
		return -ENOMEM;
	token->text = tag->name;
	token->len = tag->name_len;
	token->indent = parser->source + tag->start - indent_len;
	token->indent_len = indent_len;
	if (kind == TOKEN_SECTION || kind == TOKEN_INVERTED)
		return open_section(parser);
	return kind == TOKEN_END ? close_section(parser) : 0;
}

static int parse_tag(struct parser *parser, size_t start)
{
	size_t line_start, line_end = 0;
	struct tag tag = { 0 };
	bool alone;
	int r = 0;

	r = read_tag(parser, start, &tag);
	if (r < 0)
		return r;
	alone = standalone(parser, &tag, &line_start, &line_end);
	r = add_text(parser, alone ? line_start : start);
	if (r == 0 && !alone && at_line_start(parser, start) && !add_token(parser, TOKEN_INDENT))
		r = -ENOMEM;
	if (r < 0)
		return r;
	r = add_tag(parser, &tag, alone ? start - line_start : 0);
	parser->pos = alone ? line_end : tag.end;
	parser->line += count_lines(parser, start, parser->pos);
	return r;
}

static int parse(struct parser *parser)
{
	const struct token *section;
	const char *open;
	char name[64];
	int r = 0;

	while (r == 0 && (open = strstr(parser->source + parser->pos, parser->open)))
		r = parse_tag(parser, (size_t)(open - parser->source));
	if (r == 0)
		r = add_text(parser, parser->len);
	if (r < 0 || !parser->depth)
		return r;
	section = &parser->tokens[parser->sections[parser->depth - 1]];
	return mistake(parser, section->line, "section '%s' is never closed", whole_name(section, name, sizeof(name)));
}

int template_compile(const char *file, char *source, size_t len, struct template *ret_template, char *error)
{
	struct parser parser = {
		.file = file, .source = source, .len = len, .line = 1, .open = "{{", .close = "}}", .error = error
	};
	int r = strlen(source) == len ? 0 : mistake(&parser, 1, "a NUL byte, so no text");

	if (r == 0)
		r = parse(&parser);
	if (r < 0) {
		free(parser.tokens);
		free(source);
		return r;
	}
	*ret_template = (struct template){ .source = source, .tokens = parser.tokens, .count = parser.count };
	return 0;
}

void template_free(struct template *template)
{
	free(template->tokens);
	free(template->source);
	*template = (struct template){ 0 };
}
