#include "csv.h"

#include <string.h>

void csv_add_text(struct buffer *out, const char *text)
{
	bool formula = text[0] && strchr("=+-@\t", text[0]);

	if (!formula && !strpbrk(text, ",\"\r\n")) {
		buffer_add_text(out, text);
		return;
	}
	buffer_add_text(out, formula ? "\"'" : "\"");
	for (const char *at = text; *at; at++) {
		if (*at == '"')
			buffer_add_char(out, '"');
		buffer_add_char(out, *at);
	}
	buffer_add_char(out, '"');
}
