#include "buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 256 };

void buffer_done(struct buffer *buffer)
{
	if (!buffer)
		return;
	free(buffer->data);
	*buffer = BUFFER_LIMITED(buffer->limit);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
	buffer->error = 0;
	if (buffer->data)
		buffer->data[0] = '\0';
}

static int fail(struct buffer *buffer, int error)
{
	buffer->error = error;
	return error;
}

char *buffer_reserve(struct buffer *buffer, size_t len)
{
	size_t limit = buffer->limit ? buffer->limit : BUFFER_LIMIT;
	size_t size = buffer->size ? buffer->size : FIRST_SIZE;
	char *data;

	if (buffer->error)
		return NULL;
	if (len > limit - buffer->len) {
		fail(buffer, -EMSGSIZE);
		return NULL;
	}
	if (buffer->data && buffer->size - buffer->len > len)
		return buffer->data + buffer->len;
	while (size - buffer->len <= len)
		size *= 2;
	if (size > limit + 1)
		size = limit + 1; /* the NUL does not count */
	data = realloc(buffer->data, size);
	if (!data) {
		fail(buffer, -ENOMEM);
		return NULL;
	}
	buffer->data = data;
	buffer->size = size;
	buffer->data[buffer->len] = '\0';
	return buffer->data + buffer->len;
}

int buffer_add(struct buffer *buffer, const void *data, size_t len)
{
	char *room = buffer_reserve(buffer, len);

	if (!room)
		return buffer->error;
	if (len)
		memcpy(room, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return 0;
}

int buffer_add_text(struct buffer *buffer, const char *text)
{
	return buffer_add(buffer, text, strlen(text));
}

int buffer_add_char(struct buffer *buffer, char character)
{
	return buffer_add(buffer, &character, 1);
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	char *room;
	int len;

	va_start(arguments, format);
	len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (len < 0)
		return fail(buffer, -EINVAL);
	room = buffer_reserve(buffer, (size_t)len);
	if (!room)
		return buffer->error;
	va_start(arguments, format);
	vsnprintf(room, (size_t)len + 1, format, arguments);
	va_end(arguments);
	buffer->len += (size_t)len;
	return 0;
}

void buffer_drop(struct buffer *buffer, size_t len)
{
	if (len > buffer->len)
		len = buffer->len;
	if (!len)
		return;
	buffer->len -= len;
	memmove(buffer->data, buffer->data + len, buffer->len);
	buffer->data[buffer->len] = '\0';
}

const char *buffer_text(const struct buffer *buffer)
{
	return buffer->data ? buffer->data : "";
}
