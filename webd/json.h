/* Writing JSON into a buffer without a tree, for what is long or frequent. */
#pragma once

#include <stdint.h>

#include "../common/buffer.h"
#include "../common/value.h"

/* Text with its quotes; valid UTF-8 stays as it is, control characters are escaped, and '<' too, so that it may stand in a page. */
void json_add_text(struct buffer *out, const char *text);
/* `"key":`, with a comma before it unless an object or array has just begun. key needs no escapes. */
void json_add_key(struct buffer *out, const char *key);
void json_add_comma(struct buffer *out); /* likewise, between elements of an array */
/* The shortest text of a finite number; null for others. */
void json_add_number(struct buffer *out, double number);
void json_add_whole(struct buffer *out, int64_t number);
/* Puts it at buf (24 bytes at least, no NUL). Returns its length. */
size_t json_put_whole(int64_t number, char *buf);
void json_add_value(struct buffer *out, const struct value *value);
/* The two together. */
void json_add_text_of(struct buffer *out, const char *key, const char *text);
void json_add_whole_of(struct buffer *out, const char *key, int64_t number);
