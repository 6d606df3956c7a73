/* What the files of the camera room share. */
#pragma once

#include "camera.h"
#include "camera_mjpeg.h"

/* A picture as viewers get it, with its head: shared by all who read it just now. */
struct picture {
	unsigned users;
	size_t len, jpeg_at, jpeg_len;
	char bytes[];
};

struct viewer {
	struct viewer *previous, *next;
	struct camera *camera;
	struct http_stream *stream;
	int64_t session;
	struct picture *picture; /* on its way; NULL: waits for a newer one than it had */
	size_t sent;
	uint64_t had; /* number of the picture that it was given last */
	bool begun;
};

/* A request for a single picture. */
struct waiter {
	struct waiter *next;
	struct http_request *request; /* NULL: its client has gone */
	int64_t until_ms;             /* since boot */
};

struct camera_upstream;

struct camera {
	struct camera *next;
	struct cameras *cameras;
	const struct camera_settings *settings;
	struct camera_upstream *upstream;
	sd_event_source *timer; /* of waiters, and of an upstream that nobody wants any more */
	struct viewer *viewers;
	unsigned viewer_count;
	struct waiter *waiters;
	struct picture *newest;
	uint64_t number; /* of the newest */
	int64_t picture_ms, picture_boot_ms, away_ms, rate_ms;
	unsigned rate_count;
	double rate;
	int64_t unwanted_ms; /* since boot: nobody has looked since; 0 somebody does */
	char error[96];
};

struct cameras {
	sd_event *event;
	struct camera *first;
};

/* camera.c: what the upstream tells. */
void camera_take_picture(struct camera *camera, const void *bytes, size_t len);
void camera_take_fault(struct camera *camera, const char *error);

/* camera_upstream.c: the connection to the camera: resolves, connects, asks, reads; tries again with growing pauses until it is closed. */
int camera_upstream_open(struct camera *camera, struct camera_upstream **ret_upstream);
void camera_upstream_close(struct camera_upstream *upstream);
