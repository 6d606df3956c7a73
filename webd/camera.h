/* Cameras: one connection to each camera's MJPEG stream (Debian's motion, or any other), opened while somebody looks, its pictures handed to all who
 * look, untouched. A viewer that reads slowly misses pictures and slows nobody. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../common/series.h"
#include "http.h"

enum { CAMERA_LABEL_MAX = 64, CAMERA_VIEWERS_MAX = 64 }; /* viewers of one camera */

struct camera_settings {
	const char *name; /* a device's name; in addresses */
	const char *label;
	const char *url;    /* http://[USER:PASSWORD@]HOST[:PORT]/PATH of an MJPEG stream, or of a single JPEG */
	const char *device; /* NODE/DEVICE whose `motion` it tells; NULL none */
	const struct camera_settings *next;
};
/* Whether a URL has a form that can be asked. 0 or -EINVAL with `reason` of 160 bytes; a password is not told. */
int camera_check_url(const char *url, char *reason);

struct cameras;
struct camera;

/* settings outlive the cameras. Returns 0 or a negative errno. */
int cameras_open(sd_event *event, const struct camera_settings *settings, struct cameras **ret_cameras);
void cameras_close(struct cameras *cameras); /* after the server of their viewers */

const struct camera *cameras_first(const struct cameras *cameras);
const struct camera *camera_next(const struct camera *camera);
struct camera *camera_find(struct cameras *cameras, const char *name);

struct camera_state {
	const struct camera_settings *settings;
	bool looking;       /* a connection is open, or tried */
	bool up;            /* pictures come */
	int64_t since_ms;   /* UTC: since when it is away; 0: it is not, or nobody looked yet */
	int64_t picture_ms; /* UTC: of the newest picture; 0 none */
	double rate;        /* pictures a second lately */
	char error[96];     /* why it is away */
};
struct camera_state camera_state(const struct camera *camera);

/* GET: the stream, as multipart/x-mixed-replace, until the client leaves, or the session ends (0: nobody's). */
void camera_stream(struct camera *camera, struct http_request *request, int64_t session);
void cameras_end_session(struct cameras *cameras, int64_t session);
/* GET: one picture: the newest while it is younger than 2 s, else the next one; 504 when none comes within 5 s, the last one known with its age in
 * the header Age if there is any. */
void camera_still(struct camera *camera, struct http_request *request);
