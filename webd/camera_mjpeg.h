/* The answer of a camera, byte by byte: HTTP/1.x, chunked or not, multipart/x-mixed-replace or a single JPEG, with the quirks that cameras have. */
#pragma once

#include <stdbool.h>

#include "../common/buffer.h"

enum { MJPEG_HEAD_MAX = 8192, MJPEG_PICTURE_MAX = 4 << 20, MJPEG_BOUNDARY_MAX = 80 };

struct mjpeg {
	enum { MJPEG_HEAD, MJPEG_PART_HEAD, MJPEG_PICTURE, MJPEG_SINGLE } state;
	bool chunked;
	enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END } chunk_state;
	size_t chunk_left, chunk_digits;
	char boundary[MJPEG_BOUNDARY_MAX + 3]; /* with the two dashes */
	long length;                           /* of the picture; -1: until the boundary */
	struct buffer head, body;
	int status;
	bool whole; /* a single picture has come: nothing more will */
	/* Called with each whole picture. */
	void (*picture)(void *context, const void *bytes, size_t len);
	void *context;
	char error[96];
};

void mjpeg_init(struct mjpeg *mjpeg, void (*picture)(void *context, const void *bytes, size_t len), void *context);
void mjpeg_done(struct mjpeg *mjpeg);
/* Takes what came. Returns 0, or -EPROTO with error. */
int mjpeg_take(struct mjpeg *mjpeg, const char *bytes, size_t len);
/* The connection ended: a single picture without a length is whole now. Returns 1 when a single picture came whole, else 0. */
int mjpeg_end(struct mjpeg *mjpeg);
