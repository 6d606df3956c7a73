#include "json.h"

#include <math.h>
#include <string.h>

void json_add_text(struct buffer *out, const char *text)
{
	buffer_add_char(out, '"');
	while (*text) {
		size_t plain = 0;

		while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\' && text[plain] != '<')
			plain++;
		buffer_add(out, text, plain);
		text += plain;
		if (*text == '"' || *text == '\\')
			buffer_printf(out, "\\%c", *text++);
		else if (*text)
			buffer_printf(out, "\\u%04x", (unsigned char)*text++);
	}
	buffer_add_char(out, '"');
}

void json_add_comma(struct buffer *out)
{
	if (out->len && out->data[out->len - 1] != '{' && out->data[out->len - 1] != '[')
		buffer_add_char(out, ',');
}

void json_add_key(struct buffer *out, const char *key)
{
	json_add_comma(out);
	buffer_add_char(out, '"');
	buffer_add_text(out, key);
	buffer_add(out, "\":", 2);
}

void json_add_number(struct buffer *out, double number)
{
	char text[32];

	if (isfinite(number))
		buffer_add(out, text, value_format_number(number, text));
	else
		buffer_add(out, "null", 4);
}

size_t json_put_whole(int64_t number, char *buf)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do
		digits[--at] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		digits[--at] = '-';
	memcpy(buf, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}

void json_add_whole(struct buffer *out, int64_t number)
{
	char text[24];

	buffer_add(out, text, json_put_whole(number, text));
}

void json_add_value(struct buffer *out, const struct value *value)
{
	if (value->kind == VALUE_TEXT)
		json_add_text(out, value->text);
	else
		json_add_number(out, value->number);
}

void json_add_text_of(struct buffer *out, const char *key, const char *text)
{
	json_add_key(out, key);
	json_add_text(out, text);
}

void json_add_whole_of(struct buffer *out, const char *key, int64_t number)
{
	json_add_key(out, key);
	json_add_whole(out, number);
}
