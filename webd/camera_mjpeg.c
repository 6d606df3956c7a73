#include "camera_mjpeg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHUNK_DIGITS = 8 };

static int fail(struct mjpeg *mjpeg, const char *text)
{
	snprintf(mjpeg->error, sizeof(mjpeg->error), "%s", text);
	return -EPROTO;
}

void mjpeg_init(struct mjpeg *mjpeg, void (*picture)(void *context, const void *bytes, size_t len), void *context)
{
	*mjpeg = (struct mjpeg){ .picture = picture,
				 .context = context,
				 .length = -1,
				 .head = BUFFER_LIMITED(MJPEG_HEAD_MAX),
				 .body = BUFFER_LIMITED(MJPEG_PICTURE_MAX) };
}

void mjpeg_done(struct mjpeg *mjpeg)
{
	buffer_done(&mjpeg->head);
	buffer_done(&mjpeg->body);
}

/* ---- headers ---------------------------------------------------------------------------------------------------------------------------------- */

/* The value of a header in a block of lines, "" without: a copy. */
static const char *header(const char *block, const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);

	buf[0] = '\0';
	for (const char *line = block; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " \t"); /* motion pads numbers */
			snprintf(buf, size, "%.*s", (int)strcspn(line, "\r\n"), line);
			break;
		}
	return buf;
}

/* -1 without one, or when it is no number. Beyond LONG_MAX it is LONG_MAX, which is too large anyhow. */
static long content_length(const char *block)
{
	char value[64];
	const char *text = header(block, "Content-Length", value, sizeof(value));

	return text[0] >= '0' && text[0] <= '9' ? strtol(text, NULL, 10) : -1;
}

static int take_boundary(struct mjpeg *mjpeg, const char *type)
{
	const char *at = strcasestr(type, "boundary=");
	size_t len;

	if (!at)
		return fail(mjpeg, "its stream names no boundary");
	at += strlen("boundary=");
	at += *at == '"';
	len = strcspn(at, "\"; \t");
	if (strncmp(at, "--", 2) == 0) { /* some cameras write the dashes into the name */
		at += 2;
		len -= 2;
	}
	if (!len || len > MJPEG_BOUNDARY_MAX)
		return fail(mjpeg, "its boundary is too long");
	snprintf(mjpeg->boundary, sizeof(mjpeg->boundary), "--%.*s", (int)len, at);
	return 0;
}

static int take_head(struct mjpeg *mjpeg)
{
	const char *head = buffer_text(&mjpeg->head);
	char value[256];
	int r = 0;

	if (sscanf(head, "HTTP/1.%*d %d", &mjpeg->status) != 1)
		return fail(mjpeg, "its answer is no HTTP");
	if (mjpeg->status != 200) {
		snprintf(mjpeg->error, sizeof(mjpeg->error), "it answers %d%s", mjpeg->status,
			 mjpeg->status == 401 ? ": user and password belong into the url" : "");
		return -EPROTO;
	}
	mjpeg->chunked = strcasecmp(header(head, "Transfer-Encoding", value, sizeof(value)), "chunked") == 0;
	header(head, "Content-Type", value, sizeof(value));
	if (strncasecmp(value, "multipart/", 10) == 0) {
		r = take_boundary(mjpeg, value);
		mjpeg->state = MJPEG_PART_HEAD;
	} else if (strncasecmp(value, "image/jpeg", 10) == 0) {
		mjpeg->length = content_length(head);
		mjpeg->state = MJPEG_SINGLE;
	} else {
		return fail(mjpeg, "it sends neither a stream of pictures nor a JPEG");
	}
	if (mjpeg->length > MJPEG_PICTURE_MAX)
		return fail(mjpeg, "its pictures are too large");
	buffer_clear(&mjpeg->head);
	return r;
}

static int take_part_head(struct mjpeg *mjpeg)
{
	mjpeg->length = content_length(buffer_text(&mjpeg->head));
	if (mjpeg->length > MJPEG_PICTURE_MAX)
		return fail(mjpeg, "its pictures are too large");
	buffer_clear(&mjpeg->head);
	buffer_clear(&mjpeg->body);
	mjpeg->state = MJPEG_PICTURE;
	return 0;
}

/* ---- bytes ---------------------------------------------------------------------------------------------------------------------------------------- */

/* Adds to the head up to and with its blank line. Returns how many bytes were taken; *ret_whole: the blank line came. */
static size_t add_head(struct mjpeg *mjpeg, const char *bytes, size_t len, bool *ret_whole)
{
	for (size_t i = 0; i < len; i++) {
		const char *text;
		size_t have;

		buffer_add_char(&mjpeg->head, bytes[i]);
		if (bytes[i] != '\n')
			continue;
		text = buffer_text(&mjpeg->head);
		have = mjpeg->head.len;
		if ((have >= 4 && memcmp(text + have - 4, "\r\n\r\n", 4) == 0) ||
		    (have >= 2 && memcmp(text + have - 2, "\n\n", 2) == 0)) {
			*ret_whole = true;
			return i + 1;
		}
		/* Empty lines before a part's head are the end of the part before. */
		if (mjpeg->state == MJPEG_PART_HEAD && (strcmp(text, "\r\n") == 0 || strcmp(text, "\n") == 0))
			buffer_clear(&mjpeg->head);
	}
	*ret_whole = false;
	return len;
}

static void give(struct mjpeg *mjpeg, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)buffer_text(&mjpeg->body);

	/* A picture is one that begins as JPEG does; anything else in a stream is passed over. */
	if (len > 2 && bytes[0] == 0xff && bytes[1] == 0xd8)
		mjpeg->picture(mjpeg->context, bytes, len);
	buffer_clear(&mjpeg->body);
}

/* A picture without a length ends where the boundary begins: it is looked for in the body, whose last `added` bytes are new. Returns how many of
 * them were taken. */
static size_t find_boundary(struct mjpeg *mjpeg, size_t added)
{
	size_t boundary = strlen(mjpeg->boundary), old = mjpeg->body.len - added, at = old > boundary ? old - boundary : 0, len;
	const char *found = memmem(mjpeg->body.data + at, mjpeg->body.len - at, mjpeg->boundary, boundary);

	if (!found)
		return added;
	len = (size_t)(found - mjpeg->body.data);
	added = len + boundary - old;
	/* Dashes: of a boundary whose name has two of its own. */
	while (len && mjpeg->body.data[len - 1] == '-')
		len--;
	while (len && (mjpeg->body.data[len - 1] == '\n' || mjpeg->body.data[len - 1] == '\r'))
		len--;
	give(mjpeg, len);
	mjpeg->state = MJPEG_PART_HEAD;
	buffer_add_text(&mjpeg->head, mjpeg->boundary);
	return added;
}

static int take_plain(struct mjpeg *mjpeg, const char *bytes, size_t len)
{
	while (len) {
		size_t taken = len;
		bool whole = false;
		int r = 0;

		if (mjpeg->state == MJPEG_HEAD || mjpeg->state == MJPEG_PART_HEAD) {
			taken = add_head(mjpeg, bytes, len, &whole);
			if (mjpeg->head.error)
				return fail(mjpeg, "its headers never end");
			if (whole)
				r = mjpeg->state == MJPEG_HEAD ? take_head(mjpeg) : take_part_head(mjpeg);
		} else {
			if (mjpeg->length >= 0 && (size_t)mjpeg->length - mjpeg->body.len < len)
				taken = (size_t)mjpeg->length - mjpeg->body.len;
			if (buffer_add(&mjpeg->body, bytes, taken) < 0)
				return fail(mjpeg, "its pictures are too large");
			if (mjpeg->length >= 0 && mjpeg->body.len == (size_t)mjpeg->length) {
				give(mjpeg, mjpeg->body.len);
				mjpeg->whole = mjpeg->state == MJPEG_SINGLE;
				if (mjpeg->whole)
					return 0; /* the rest is none of ours */
				mjpeg->state = MJPEG_PART_HEAD;
			} else if (mjpeg->length < 0 && mjpeg->state == MJPEG_PICTURE) {
				taken = find_boundary(mjpeg, taken);
			}
		}
		if (r < 0)
			return r;
		bytes += taken;
		len -= taken;
		/* What follows the head may be chunked: another reader's. */
		if (whole && mjpeg->chunked && mjpeg->chunk_state == CHUNK_SIZE && !mjpeg->chunk_digits)
			return len ? mjpeg_take(mjpeg, bytes, len) : 0;
	}
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_last_chunk(struct mjpeg *mjpeg)
{
	if (mjpeg->state != MJPEG_SINGLE || mjpeg->length >= 0)
		return fail(mjpeg, "its stream has ended");
	give(mjpeg, mjpeg->body.len);
	mjpeg->whole = true;
	return 0;
}

static int take_chunked(struct mjpeg *mjpeg, const char *bytes, size_t len)
{
	while (len && !mjpeg->whole) {
		size_t taken = 1;

		if (mjpeg->chunk_state == CHUNK_DATA) {
			int r;

			taken = mjpeg->chunk_left < len ? mjpeg->chunk_left : len;
			r = take_plain(mjpeg, bytes, taken);
			if (r < 0)
				return r;
			mjpeg->chunk_left -= taken;
			if (!mjpeg->chunk_left)
				mjpeg->chunk_state = CHUNK_END;
		} else if (mjpeg->chunk_state == CHUNK_END) {
			if (*bytes == '\n') {
				mjpeg->chunk_state = CHUNK_SIZE;
				mjpeg->chunk_digits = 0;
			}
		} else if (hex(*bytes) >= 0 && mjpeg->chunk_digits < CHUNK_DIGITS) {
			mjpeg->chunk_left = mjpeg->chunk_digits ? mjpeg->chunk_left : 0;
			mjpeg->chunk_left = mjpeg->chunk_left << 4 | (size_t)hex(*bytes);
			mjpeg->chunk_digits++;
		} else if (*bytes == '\n') {
			if (!mjpeg->chunk_digits || !mjpeg->chunk_left)
				return take_last_chunk(mjpeg);
			mjpeg->chunk_state = CHUNK_DATA;
		} else if (!mjpeg->chunk_digits) {
			return fail(mjpeg, "its chunks have no size");
		} else if (hex(*bytes) >= 0 && mjpeg->chunk_digits == CHUNK_DIGITS) {
			return fail(mjpeg, "its chunks are too large");
		} else {
			mjpeg->chunk_digits = CHUNK_DIGITS + 1; /* an extension, or the line's end: no digits any more */
		}
		bytes += taken;
		len -= taken;
	}
	return 0;
}

int mjpeg_take(struct mjpeg *mjpeg, const char *bytes, size_t len)
{
	if (mjpeg->whole)
		return 0;
	return mjpeg->state != MJPEG_HEAD && mjpeg->chunked ? take_chunked(mjpeg, bytes, len) : take_plain(mjpeg, bytes, len);
}

int mjpeg_end(struct mjpeg *mjpeg)
{
	if (mjpeg->state == MJPEG_SINGLE && mjpeg->length < 0 && !mjpeg->chunked && !mjpeg->whole) {
		give(mjpeg, mjpeg->body.len);
		mjpeg->whole = true;
	}
	return mjpeg->whole;
}
