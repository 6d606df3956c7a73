/* A camera that another program serves, such as motion(1): the node tells where its pictures are ($info), and motion when the
 * program's hooks say so. They write a line into a named pipe: on_event_start echo 1 > PIPE, on_event_end echo 0 > PIPE. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../door.h"
#include "../driver.h"

enum { LINE_MAX_LEN = 16, PIPE_MODE = 0622 }; /* the program of the camera is another user: it may write, and nothing else */

struct camera_config {
	const char *stream, *events, *video;
	int64_t hold_ms;
};

struct camera {
	int pipe; /* or an eventfd that never says anything, since watch() wants a descriptor */
	bool moves;
	char line[LINE_MAX_LEN + 1];
	size_t len;
};

static const struct conf_item items[] = {
	{ "stream", CONF_STRING, offsetof(struct camera_config, stream), .required = true,
	  .help = "where its pictures are, as the server reaches them: http://192.168.1.20:8081/" },
	{ "events", CONF_STRING, offsetof(struct camera_config, events), NULL,
	  .help = "a named pipe, made when it is not there, into which hooks write 1 and 0: quantity motion" },
	{ "hold", CONF_DURATION, offsetof(struct camera_config, hold_ms), "10m", .min = 1000, .max = 86400000,
	  .help = "motion whose end nobody tells ends after so long" },
	{ "video", CONF_STRING, offsetof(struct camera_config, video), NULL,
	  .help = "its device, such as /dev/video0: a fault is told while it is not there" },
	{ 0 },
};

static void camera_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct camera_config *config = device->config;

	if (config->stream && strncmp(config->stream, "http://", 7) != 0 && strncmp(config->stream, "https://", 8) != 0)
		conf_mistake(conf, section, "stream", "\"%s\": allowed is a URL that begins with http:// or https://",
			     config->stream);
	device->stream = config->stream;
	if (config->events)
		device_add_channel(device, "motion", OUTPUT_NONE);
}

static int open_pipe(struct device *device, const char *path)
{
	struct camera *camera = device->state;
	struct stat status;

	if (mkfifo(path, PIPE_MODE) == 0)
		chmod(path, PIPE_MODE); /* whatever the umask */
	/* For writing too, so that it never ends when a hook closes it. */
	camera->pipe = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (camera->pipe < 0) {
		int error = errno;

		door_explain(path, -error, NULL, "its folder must be there, and the agent's", device->error, sizeof(device->error));
		return -error;
	}
	if (fstat(camera->pipe, &status) < 0 || !S_ISFIFO(status.st_mode)) {
		close(camera->pipe);
		camera->pipe = -1;
		snprintf(device->error, sizeof(device->error), "%.90s is no named pipe", path);
		return -EINVAL;
	}
	return 0;
}

static int check_video(struct device *device)
{
	const struct camera_config *config = device->config;
	struct stat status;

	if (!config->video || stat(config->video, &status) == 0)
		return 0;
	door_explain(config->video, -errno, "video", "is the camera plugged in, `camera_auto_detect=1` in config.txt?",
		     device->error, sizeof(device->error));
	return -ENODEV;
}

static int camera_open(struct device *device)
{
	const struct camera_config *config = device->config;
	struct camera *camera = device->state;
	int r = check_video(device);

	*camera = (struct camera){ .pipe = -1 };
	if (r < 0 || config->events)
		return r < 0 ? r : open_pipe(device, config->events);
	camera->pipe = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return camera->pipe < 0 ? -errno : 0;
}

static int camera_watch(struct device *device)
{
	return ((const struct camera *)device->state)->pipe;
}

static void tell(struct device *device)
{
	const struct camera *camera = device->state;
	struct value value = value_of_number(camera->moves);

	device_tell(device, 0, 0, &value);
}

static void understand(struct device *device)
{
	const struct camera_config *config = device->config;
	struct camera *camera = device->state;
	bool begins = strcmp(camera->line, "1") == 0 || strcmp(camera->line, "on") == 0;
	bool ends = strcmp(camera->line, "0") == 0 || strcmp(camera->line, "off") == 0;

	if (!begins && !ends)
		return;
	device_wake(device, begins ? config->hold_ms : -1);
	if (camera->moves == begins)
		return;
	camera->moves = begins;
	tell(device);
}

static int camera_notice(struct device *device)
{
	struct camera *camera = device->state;
	char bytes[256];
	ssize_t count = read(camera->pipe, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < count; i++) {
		if (bytes[i] != '\n') {
			if (camera->len < LINE_MAX_LEN)
				camera->line[camera->len++] = bytes[i];
			continue;
		}
		camera->line[camera->len] = '\0';
		camera->len = 0;
		understand(device);
	}
	return count < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

static int camera_wake(struct device *device)
{
	struct camera *camera = device->state;

	camera->moves = false;
	tell(device);
	return 0;
}

static int camera_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct camera *camera = device->state;

	(void)now_ms;
	if (device->channel_count > 0) {
		ret_values[0] = value_of_number(camera->moves);
		ret_fresh[0] = true;
	}
	return check_video(device);
}

static void camera_close(struct device *device)
{
	struct camera *camera = device->state;

	if (camera->pipe >= 0)
		close(camera->pipe);
	camera->pipe = -1;
}

const struct driver camera_driver = {
	.name = "camera",
	.help = "a camera that another program serves (motion): where its pictures are, and motion by its hooks",
	.items = items,
	.config_size = sizeof(struct camera_config),
	.state_size = sizeof(struct camera),
	.interval = "60s",
	.configure = camera_configure,
	.open = camera_open,
	.watch = camera_watch,
	.read = camera_read,
	.notice = camera_notice,
	.wake = camera_wake,
	.close = camera_close,
};
