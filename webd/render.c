/* A compiled template and data into text. */
#include "render.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/value.h"
#include "template.h"

struct scope { /* one level of the data, the innermost first */
	const cJSON *data;
	const struct scope *outer;
};

struct render {
	struct templates *templates;
	struct buffer *out;
	struct buffer indent; /* of the partials that we are in */
	int64_t now_ms;
	unsigned depth;
};

static int render_tokens(struct render *render, const struct template *template, size_t from, size_t to, const struct scope *scope);

/* The value of a name whose dots are NULs. Only its first word is looked for outwards. */
static const cJSON *look_up(const struct token *token, const struct scope *scope)
{
	const char *word = token->text, *end = token->text + token->len;
	const cJSON *found = NULL;

	if (token->len == 1 && *word == '.')
		return scope->data;
	for (; scope && !found; scope = scope->outer)
		if (cJSON_IsObject(scope->data))
			found = cJSON_GetObjectItemCaseSensitive(scope->data, word);
	while (found && (word += strlen(word) + 1) < end)
		found = cJSON_IsObject(found) ? cJSON_GetObjectItemCaseSensitive(found, word) : NULL;
	return found;
}

static bool is_true(const cJSON *value)
{
	return value && !cJSON_IsNull(value) && !cJSON_IsFalse(value) && !(cJSON_IsArray(value) && !value->child);
}

static int add_escaped(struct buffer *out, const char *text)
{
	while (*text) {
		size_t plain = strcspn(text, "&<>\"'");

		buffer_add(out, text, plain);
		text += plain;
		switch (*text) {
		case '&':
			buffer_add_text(out, "&amp;");
			break;
		case '<':
			buffer_add_text(out, "&lt;");
			break;
		case '>':
			buffer_add_text(out, "&gt;");
			break;
		case '"':
			buffer_add_text(out, "&quot;");
			break;
		case '\'':
			buffer_add_text(out, "&#39;");
			break;
		default:
			return out->error;
		}
		text++;
	}
	return out->error;
}

/* Whole numbers, as times in milliseconds are, without an exponent. */
static int add_number(struct buffer *out, double number)
{
	char text[32];

	if (fabs(number) < 1e15 && number == trunc(number))
		return buffer_printf(out, "%.0f", number == 0 ? 0 : number);
	return buffer_add(out, text, value_format_number(number, text));
}

static int add_value(struct buffer *out, const cJSON *value, bool escaped)
{
	char *json;
	int r;

	if (!value || cJSON_IsNull(value))
		return 0;
	if (cJSON_IsNumber(value))
		return add_number(out, value->valuedouble);
	if (cJSON_IsString(value))
		return escaped ? add_escaped(out, value->valuestring) : buffer_add_text(out, value->valuestring);
	json = cJSON_PrintUnformatted(value); /* true, false, lists and objects */
	if (!json)
		return -ENOMEM;
	r = escaped ? add_escaped(out, json) : buffer_add_text(out, json);
	cJSON_free(json);
	return r;
}

static int render_section(struct render *render, const struct template *template, size_t at, const struct scope *scope)
{
	const struct token *token = &template->tokens[at];
	const cJSON *value = look_up(token, scope);
	struct scope inner = { .data = value, .outer = scope };
	int r = 0;

	if (token->kind == TOKEN_INVERTED)
		return is_true(value) ? 0 : render_tokens(render, template, at + 1, token->end, scope);
	if (!is_true(value))
		return 0;
	if (!cJSON_IsArray(value))
		return render_tokens(render, template, at + 1, token->end, &inner);
	for (inner.data = value->child; inner.data && r == 0; inner.data = inner.data->next)
		r = render_tokens(render, template, at + 1, token->end, &inner);
	return r;
}

static int render_partial(struct render *render, const struct token *token, const struct scope *scope)
{
	size_t indent_len = render->indent.len;
	const struct template_entry *entry;
	int r = 0;

	entry = templates_find(render->templates, token->text, render->now_ms, &r);
	if (!entry)
		return r == -ENOENT ? 0 : r;
	r = buffer_add(&render->indent, token->indent, token->indent_len);
	if (r == 0)
		r = render_tokens(render, &entry->template, 0, entry->template.count, scope);
	render->indent.len = indent_len;
	return r;
}

static int render_token(struct render *render, const struct template *template, size_t at, const struct scope *scope)
{
	const struct token *token = &template->tokens[at];

	switch (token->kind) {
	case TOKEN_INDENT:
		return buffer_add(render->out, render->indent.data, render->indent.len);
	case TOKEN_TEXT:
		return buffer_add(render->out, token->text, token->len);
	case TOKEN_ESCAPED:
	case TOKEN_RAW:
		return add_value(render->out, look_up(token, scope), token->kind == TOKEN_ESCAPED);
	case TOKEN_SECTION:
	case TOKEN_INVERTED:
		return render_section(render, template, at, scope);
	case TOKEN_PARTIAL:
		return render_partial(render, token, scope);
	case TOKEN_END:
		return 0;
	}
	return 0;
}

static int render_tokens(struct render *render, const struct template *template, size_t from, size_t to, const struct scope *scope)
{
	int r = 0;

	if (render->depth == TEMPLATE_DEPTH_MAX)
		return -ELOOP;
	render->depth++;
	for (size_t i = from; i < to && r == 0; i++) {
		const struct token *token = &template->tokens[i];

		r = render_token(render, template, i, scope);
		if (token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED)
			i = token->end;
	}
	render->depth--;
	return r;
}

int template_render_compiled(struct templates *templates, const char *file, const struct template *template, const cJSON *data,
			     struct buffer *out)
{
	struct render render = { .templates = templates, .out = out, .now_ms = clock_boot_ms() };
	struct scope scope = { .data = data };
	int r;

	templates->error[0] = '\0';
	r = render_tokens(&render, template, 0, template->count, &scope);
	buffer_done(&render.indent);
	if (r == -ELOOP)
		snprintf(templates->error, sizeof(templates->error), "%s: partials and sections are more than %d deep", file,
			 TEMPLATE_DEPTH_MAX);
	else if (r < 0 && !templates->error[0])
		snprintf(templates->error, sizeof(templates->error), "%s: %s", file, strerror(-r));
	return r;
}

int template_render(struct templates *templates, const char *name, const cJSON *data, struct buffer *out)
{
	const struct template_entry *entry;
	int r = 0;

	entry = templates_find(templates, name, clock_boot_ms(), &r);
	if (!entry)
		return r;
	return template_render_compiled(templates, entry->file, &entry->template, data, out);
}
