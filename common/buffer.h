/* A run of bytes that grows up to a limit: what pages, JSON and streams are written into. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *data;   /* malloc'ed; a NUL follows the content; NULL while nothing was added */
	size_t len;   /* bytes of content */
	size_t size;  /* bytes allocated */
	size_t limit; /* most bytes of content; 0: BUFFER_LIMIT */
	int error;    /* first failure (-ENOMEM, -EMSGSIZE): what follows is then refused; check once at the end */
};

enum { BUFFER_LIMIT = 16 << 20 };

#define BUFFER_EMPTY ((struct buffer){ 0 })
#define BUFFER_LIMITED(most) ((struct buffer){ .limit = (most) })

void buffer_done(struct buffer *buffer);  /* frees, leaves an empty buffer with the same limit; NULL is fine */
void buffer_clear(struct buffer *buffer); /* empties, keeps the memory, forgets the error */

/* Add at the end. Nothing is added in part. Return 0, or the buffer's error, which stays. */
int buffer_add(struct buffer *buffer, const void *data, size_t len);
int buffer_add_text(struct buffer *buffer, const char *text);
int buffer_add_char(struct buffer *buffer, char character);
int buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `len` more bytes and shows where they go (then add them to `len`); NULL on failure. */
char *buffer_reserve(struct buffer *buffer, size_t len);
/* Takes `len` bytes off the front. */
void buffer_drop(struct buffer *buffer, size_t len);
/* The content with its NUL, "" when empty. Valid until the buffer changes. */
const char *buffer_text(const struct buffer *buffer);
