#include "camera.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "camera_internal.h"

#define BOUNDARY "foyer-picture"

enum {
	STILL_FRESH_MS = 2000,
	STILL_WAIT_MS = 5000,
	LINGER_MS = 15000, /* an overview asks for a still each 10 s: the connection stays for the next */
	RATE_MS = 2000,
};

static const char stream_type[] = "multipart/x-mixed-replace; boundary=" BOUNDARY;

/* ---- pictures --------------------------------------------------------------------------------------------------------------------------------------------- */

static void release(struct picture *picture)
{
	if (picture && --picture->users == 0)
		free(picture);
}

static struct picture *make_picture(const void *bytes, size_t len)
{
	static const char end[] = "\r\n--" BOUNDARY "\r\n";
	char head[96];
	size_t head_len = (size_t)snprintf(head, sizeof(head), "Content-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n", len);
	struct picture *picture = malloc(sizeof(*picture) + head_len + len + sizeof(end));

	if (!picture)
		return NULL;
	*picture = (struct picture){ .users = 1, .len = head_len + len + sizeof(end) - 1, .jpeg_at = head_len, .jpeg_len = len };
	memcpy(picture->bytes, head, head_len);
	memcpy(picture->bytes + head_len, bytes, len);
	/* The boundary follows at once, so that a browser shows the picture now and not when the next one begins. */
	memcpy(picture->bytes + head_len + len, end, sizeof(end) - 1);
	return picture;
}

/* ---- who waits for one ----------------------------------------------------------------------------------------------------------------------------------- */

static void reply_still(struct http_request *request, const struct picture *picture, int64_t age_ms)
{
	char age[24];

	snprintf(age, sizeof(age), "%lld", (long long)(age_ms / 1000));
	http_add_header(request, "Age", age);
	http_reply(request, 200, "image/jpeg", picture->bytes + picture->jpeg_at, picture->jpeg_len);
}

static void answer_waiters(struct camera *camera)
{
	int64_t now_ms = clock_boot_ms();
	bool fresh = camera->newest && now_ms - camera->picture_boot_ms < STILL_FRESH_MS;

	for (struct waiter **place = &camera->waiters; *place;) {
		struct waiter *waiter = *place;

		if (waiter->request && !fresh && now_ms < waiter->until_ms) {
			place = &waiter->next;
			continue;
		}
		if (waiter->request && camera->newest)
			reply_still(waiter->request, camera->newest, now_ms - camera->picture_boot_ms);
		else if (waiter->request)
			http_error(waiter->request, 504, "the camera sends no picture%s%s", camera->error[0] ? ": " : "",
				   camera->error);
		*place = waiter->next;
		free(waiter);
	}
}

static bool wanted(const struct camera *camera)
{
	return camera->viewers || camera->waiters;
}

static void look_after(struct camera *camera)
{
	int64_t now_ms = clock_boot_ms(), next_ms = INT64_MAX;

	if (wanted(camera))
		camera->unwanted_ms = 0;
	else if (!camera->unwanted_ms)
		camera->unwanted_ms = now_ms;
	for (const struct waiter *waiter = camera->waiters; waiter; waiter = waiter->next)
		next_ms = waiter->until_ms < next_ms ? waiter->until_ms : next_ms;
	if (camera->unwanted_ms && camera->upstream)
		next_ms = camera->unwanted_ms + LINGER_MS;
	if (next_ms == INT64_MAX) {
		sd_event_source_set_enabled(camera->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time_relative(camera->timer, (uint64_t)(next_ms > now_ms ? next_ms - now_ms : 0) * 1000);
	sd_event_source_set_enabled(camera->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t now_us, void *context)
{
	struct camera *camera = context;

	(void)source;
	(void)now_us;
	answer_waiters(camera);
	if (camera->unwanted_ms && clock_boot_ms() - camera->unwanted_ms >= LINGER_MS) {
		camera_upstream_close(camera->upstream);
		camera->upstream = NULL;
		camera->rate = 0;
	}
	look_after(camera);
	return 0;
}

/* ---- what the upstream tells ------------------------------------------------------------------------------------------------------------------------------- */

static void count(struct camera *camera, int64_t now_ms)
{
	if (now_ms - camera->rate_ms > 2 * RATE_MS) {
		camera->rate_ms = now_ms;
		camera->rate_count = 0;
		return;
	}
	camera->rate_count++;
	if (now_ms - camera->rate_ms < RATE_MS)
		return;
	camera->rate = camera->rate_count * 1000.0 / (double)(now_ms - camera->rate_ms);
	camera->rate_ms = now_ms;
	camera->rate_count = 0;
}

void camera_take_picture(struct camera *camera, const void *bytes, size_t len)
{
	struct picture *picture = make_picture(bytes, len);

	if (!picture)
		return; /* the next one */
	if (camera->away_ms)
		log_info("camera %s: sends pictures again", camera->settings->name);
	camera->away_ms = 0;
	camera->error[0] = '\0';
	release(camera->newest);
	camera->newest = picture;
	camera->number++;
	camera->picture_ms = clock_wall_ms();
	camera->picture_boot_ms = clock_boot_ms();
	count(camera, camera->picture_boot_ms);
	for (struct viewer *viewer = camera->viewers; viewer; viewer = viewer->next)
		if (!viewer->picture)
			http_stream_wake(viewer->stream);
	answer_waiters(camera);
	look_after(camera);
}

void camera_take_fault(struct camera *camera, const char *error)
{
	if (!camera->away_ms) {
		camera->away_ms = clock_wall_ms();
		log_warning("camera %s: %s, trying again while somebody looks", camera->settings->name, error);
	}
	snprintf(camera->error, sizeof(camera->error), "%s", error);
	camera->rate = 0;
}

/* ---- viewers ------------------------------------------------------------------------------------------------------------------------------------------------- */

static ssize_t pull(void *data, char *buf, size_t max)
{
	static const char begin[] = "--" BOUNDARY "\r\n";
	struct viewer *viewer = data;
	const struct camera *camera = viewer->camera;
	size_t len;

	if (!viewer->begun && max >= sizeof(begin)) {
		viewer->begun = true;
		memcpy(buf, begin, sizeof(begin) - 1);
		return sizeof(begin) - 1;
	}
	if (!viewer->picture) {
		if (!camera->newest || viewer->had == camera->number)
			return 0;
		viewer->picture = camera->newest; /* what came meanwhile is skipped */
		viewer->picture->users++;
		viewer->had = camera->number;
		viewer->sent = 0;
	}
	len = viewer->picture->len - viewer->sent;
	if (len > max)
		len = max;
	memcpy(buf, viewer->picture->bytes + viewer->sent, len);
	viewer->sent += len;
	if (viewer->sent == viewer->picture->len) {
		release(viewer->picture);
		viewer->picture = NULL;
	}
	return (ssize_t)len;
}

static void on_closed(struct http_stream *stream, void *data)
{
	struct viewer *viewer = data;
	struct camera *camera = viewer->camera;

	(void)stream;
	if (viewer->previous)
		viewer->previous->next = viewer->next;
	else
		camera->viewers = viewer->next;
	if (viewer->next)
		viewer->next->previous = viewer->previous;
	camera->viewer_count--;
	release(viewer->picture);
	free(viewer);
	look_after(camera);
}

/* Opens the connection when there is none. False: the request has been answered. */
static bool look(struct camera *camera, struct http_request *request)
{
	if (!camera->upstream && camera_upstream_open(camera, &camera->upstream) < 0) {
		http_error(request, 503, "the camera can't be asked now");
		return false;
	}
	return true;
}

void camera_stream(struct camera *camera, struct http_request *request, int64_t session)
{
	struct viewer *viewer;

	if (camera->viewer_count >= CAMERA_VIEWERS_MAX) {
		http_error(request, 503, "%d people look at this camera already", CAMERA_VIEWERS_MAX);
		return;
	}
	viewer = calloc(1, sizeof(*viewer));
	if (!viewer) {
		http_error(request, 503, "out of memory");
		return;
	}
	if (!look(camera, request)) {
		free(viewer);
		return;
	}
	viewer->camera = camera;
	viewer->session = session;
	viewer->stream = http_stream_open_pulled(request, stream_type, pull, on_closed, viewer);
	if (!viewer->stream) {
		free(viewer);
		return;
	}
	viewer->next = camera->viewers;
	if (viewer->next)
		viewer->next->previous = viewer;
	camera->viewers = viewer;
	camera->viewer_count++;
	look_after(camera);
}

void cameras_end_session(struct cameras *cameras, int64_t session)
{
	for (struct camera *camera = cameras->first; session && camera; camera = camera->next)
		for (struct viewer *viewer = camera->viewers; viewer; viewer = viewer->next)
			if (viewer->session == session)
				http_stream_close(viewer->stream);
}

static void on_cancelled(struct http_request *request, void *data)
{
	struct waiter *waiter = data;

	(void)request;
	waiter->request = NULL;
}

void camera_still(struct camera *camera, struct http_request *request)
{
	struct waiter *waiter;

	if (camera->newest && clock_boot_ms() - camera->picture_boot_ms < STILL_FRESH_MS) {
		reply_still(request, camera->newest, clock_boot_ms() - camera->picture_boot_ms);
		return;
	}
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter) {
		http_error(request, 503, "out of memory");
		return;
	}
	if (!look(camera, request)) {
		free(waiter);
		return;
	}
	waiter->request = request;
	waiter->until_ms = clock_boot_ms() + STILL_WAIT_MS;
	waiter->next = camera->waiters;
	camera->waiters = waiter;
	http_later(request, on_cancelled, waiter);
	look_after(camera);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------------------------------------- */

const struct camera *cameras_first(const struct cameras *cameras)
{
	return cameras->first;
}

const struct camera *camera_next(const struct camera *camera)
{
	return camera->next;
}

struct camera *camera_find(struct cameras *cameras, const char *name)
{
	struct camera *camera = cameras->first;

	while (camera && strcmp(camera->settings->name, name) != 0)
		camera = camera->next;
	return camera;
}

struct camera_state camera_state(const struct camera *camera)
{
	struct camera_state state = {
		.settings = camera->settings,
		.looking = camera->upstream != NULL,
		.up = camera->upstream && !camera->away_ms && camera->newest,
		.since_ms = camera->away_ms,
		.picture_ms = camera->picture_ms,
		.rate = camera->rate,
	};

	snprintf(state.error, sizeof(state.error), "%s", camera->error);
	return state;
}

static int add(struct cameras *cameras, const struct camera_settings *settings, struct camera **place)
{
	struct camera *camera = calloc(1, sizeof(*camera));
	int r;

	if (!camera)
		return -ENOMEM;
	*place = camera;
	camera->cameras = cameras;
	camera->settings = settings;
	r = sd_event_add_time_relative(cameras->event, &camera->timer, CLOCK_BOOTTIME, 0, 50000, on_timer, camera);
	return r < 0 ? r : sd_event_source_set_enabled(camera->timer, SD_EVENT_OFF);
}

int cameras_open(sd_event *event, const struct camera_settings *settings, struct cameras **ret_cameras)
{
	struct cameras *cameras = calloc(1, sizeof(*cameras));
	struct camera **place;
	int r = 0;

	if (!cameras)
		return -ENOMEM;
	cameras->event = sd_event_ref(event);
	place = &cameras->first;
	for (; r >= 0 && settings; settings = settings->next) {
		r = add(cameras, settings, place);
		if (r >= 0)
			place = &(*place)->next;
	}
	if (r < 0) {
		cameras_close(cameras);
		return r;
	}
	*ret_cameras = cameras;
	return 0;
}

void cameras_close(struct cameras *cameras)
{
	if (!cameras)
		return;
	while (cameras->first) {
		struct camera *camera = cameras->first;

		cameras->first = camera->next;
		while (camera->waiters) {
			struct waiter *waiter = camera->waiters;

			camera->waiters = waiter->next;
			free(waiter);
		}
		camera_upstream_close(camera->upstream);
		sd_event_source_disable_unref(camera->timer);
		release(camera->newest);
		free(camera);
	}
	sd_event_unref(cameras->event);
	free(cameras);
}
