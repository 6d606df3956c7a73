#include "elements.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the value that begins at `at`: the comma or bracket that is not its own. */
static size_t end_of(const char *payload, size_t len, size_t at)
{
	bool quoted = false;
	int depth = 0;

	for (; at < len; at++) {
		char c = payload[at];

		if (quoted) {
			at += c == '\\';
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (depth == 0 && (c == ',' || c == ']')) {
			return at;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return len;
}

bool elements_next(const char *payload, size_t len, size_t *at, const char **ret_element, size_t *ret_len)
{
	size_t start = *at, end;

	if (start == 0) {
		while (start < len && is_space(payload[start]))
			start++;
		if (start == len || payload[start] != '[') {
			*ret_element = payload;
			*ret_len = len;
			*at = len;
			return len > 0;
		}
		start++;
	}
	while (start < len && is_space(payload[start]))
		start++;
	if (start >= len || payload[start] == ']')
		return false;
	end = end_of(payload, len, start);
	*at = end < len && payload[end] == ',' ? end + 1 : len;
	while (end > start && is_space(payload[end - 1]))
		end--;
	*ret_element = payload + start;
	*ret_len = end - start;
	return true;
}
