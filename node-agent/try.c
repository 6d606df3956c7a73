#include "try.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/service.h"
#include "output.h"
#include "sampler.h"

enum { PATIENCE_MS = 10000, TURN_MS = 1000, ACCURACY_US = 1000 };

struct
try {
	const struct settings *settings;
	sd_event *event;
	struct sampler *sampler;
	struct device *device;
	bool told[CHANNELS_MAX];
	/* Of an order: */
	const struct channel *output;
	struct value value;
	bool ordered, done, failed;
	int status;
};

/* ---- command line --------------------------------------------------------------------------------------------------------------- */

/* DEVICE=VALUE, not SECTION.KEY=VALUE. */
static bool is_order(const char *text)
{
	const char *equals = text ? strchr(text, '=') : NULL;

	return equals && !memchr(text, '.', (size_t)(equals - text));
}

int try_take_words(int *argc, char **argv, struct try_words *ret_words)
{
	struct try_words words = { 0 };
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--probe") == 0) {
			words.probe = true;
		} else if (strcmp(argv[i], "--read") == 0) {
			words.read = argv[++i];
			if (!words.read) {
				fprintf(stderr, "--read needs the name of a device\n");
				return -EINVAL;
			}
		} else if (strcmp(argv[i], "--set") == 0 && i + 1 < *argc && is_order(argv[i + 1])) {
			words.set = argv[++i];
		} else {
			argv[kept++] = argv[i];
		}
	}
	if (words.probe + !!words.read + !!words.set > 1) {
		fprintf(stderr, "--probe, --read and --set DEVICE=VALUE: one at a time\n");
		return -EINVAL;
	}
	argv[kept] = NULL;
	*argc = kept;
	*ret_words = words;
	return 0;
}

/* ---- what is told --------------------------------------------------------------------------------------------------------------- */

static void print(const struct channel *channel, const struct value *value)
{
	printf("%s/%s ", channel->series.device, channel->series.quantity);
	if (value->kind == VALUE_TEXT)
		printf("%s\n", value->text);
	else
		printf("%.6g%s%s\n", value->number, channel->info->unit && channel->info->unit[0] ? " " : "",
		       channel->info->unit ? channel->info->unit : "");
}

static void end(struct try *try, int status)
{
	try->status = status;
	sd_event_exit(try->event, 0);
}

static size_t untold(const struct try *try)
{
	size_t count = 0;

	for (size_t i = 0; i < try->device->channel_count; i++)
		count += !try->told[i];
	return count;
}

static void on_reading(void *context, const struct channel *channel, int64_t time_ms, const struct value *value)
{
	struct try *try = context;
	size_t i = (size_t)(channel - channel->device->channels);

	(void)time_ms;
	if (try->output ? !try->done : try->told[i])
		return;
	try->told[i] = true;
	print(channel, value);
	if (!try->output && untold(try) == 0)
		end(try, EXIT_SUCCESS);
}

/* Whoever holds it: most likely the agent that runs as a service. */
static void explain_busy(const struct try *try, const char *fault)
{
	const struct settings *settings = try->settings;

	if (!strstr(fault, "held by") && !strstr(fault, "in use"))
		return;
	fprintf(stderr, "If that is the agent at work: stop it (sudo systemctl stop foyer-node-agent) and try again");
	if (try->output)
		fprintf(stderr, ", or let it obey:\nmosquitto_pub -h %s -p %d -t %s/%s/%s/%s/set -m ...", settings->bus.host,
			settings->bus.port, settings->bus.base, settings->name, try->device->name, try->output->series.quantity);
	fprintf(stderr, "\n");
}

static void on_health(void *context)
{
	struct try *try = context;
	int64_t since_ms;
	const char *fault = try->sampler ? sampler_fault(try->sampler, try->device, &since_ms) : "";

	if (!fault[0] || try->failed)
		return;
	try->failed = true;
	fprintf(stderr, "%s: %s\n", try->device->name, fault);
	explain_busy(try, fault);
	end(try, EXIT_FAILURE);
}

/* ---- an order ------------------------------------------------------------------------------------------------------------------- */

/* The kernel lets go of a line with the process that holds it. */
static bool falls_back(const struct device *device)
{
	for (const struct conf_item *item = device->driver->items; item && item->key; item++)
		if (strcmp(item->key, "line") == 0)
			return true;
	return false;
}

static int on_arrival(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct try *try = userdata;

	(void)source;
	(void)now_us;
	try->done = true;
	print(try->output, &try->value);
	if (!falls_back(try->device))
		end(try, EXIT_SUCCESS);
	else
		fprintf(stderr,
			"Held until Ctrl-C. Then the line falls back to what the board does with it, as when the agent ends.\n");
	return 0;
}

static void after(struct try *try, int64_t ms, sd_event_time_handler_t handler)
{
	sd_event_source *timer = NULL;

	if (sd_event_add_time_relative(try->event, &timer, CLOCK_BOOTTIME, (uint64_t)ms * 1000, ACCURACY_US, handler, try) < 0)
		return;
	sd_event_source_set_floating(timer, true);
	sd_event_source_unref(timer);
}

static void on_set(void *context, int result, const struct value *value, const char *error)
{
	struct try *try = context;

	if (result < 0) {
		fprintf(stderr, "%s: %s\n", try->device->name, error);
		end(try, EXIT_FAILURE);
		return;
	}
	try->value = *value;
	after(try, result == SET_SILENT ? 0 : result, on_arrival);
}

static void on_opened(void *context, struct device *device)
{
	struct try *try = context;

	(void)device;
	if (!try->output || try->ordered || !try->sampler)
		return;
	try->ordered = true;
	if (sampler_set(try->sampler, try->output, &try->value, on_set, try) < 0)
		end(try, EXIT_FAILURE);
}

/* ---- one device at work --------------------------------------------------------------------------------------------------------- */

static int on_patience_ends(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct try *try = userdata;
	const struct device *device = try->device;
	bool by_itself = device->driver->watch || device->interval_ms == 0;

	(void)source;
	(void)now_us;
	if (try->output) {
		if (!try->done) {
			fprintf(stderr, "%s: no answer in %d s\n", device->name, PATIENCE_MS / 1000);
			end(try, EXIT_FAILURE);
		}
		return 0;
	}
	for (size_t i = 0; i < device->channel_count; i++)
		if (!try->told[i])
			fprintf(stderr, "%s/%s: nothing in %d s%s\n", device->name, device->channels[i].series.quantity,
				PATIENCE_MS / 1000, by_itself ? ", it is open and tells of changes only" : "");
	end(try, by_itself ? EXIT_SUCCESS : EXIT_FAILURE);
	return 0;
}

static int run(struct try *try)
{
	static const struct sampler_hooks hooks = { .reading = on_reading, .health = on_health, .opened = on_opened };
	struct device *next = try->device->next;
	int64_t since_ms;
	int r = service_loop(&try->event, NULL, NULL);

	try->device->next = NULL; /* the only one */
	if (try->device->interval_ms > TURN_MS)
		try->device->interval_ms = TURN_MS;
	if (r >= 0)
		r = sampler_open(try->event, try->device, 1, &hooks, try, &try->sampler);
	if (r >= 0) {
		/* What happened before sampler_open gave us the sampler. */
		if (sampler_fault(try->sampler, try->device, &since_ms)[0])
			on_health(try);
		else if (sampler_ready(try->sampler, try->device))
			on_opened(try, try->device);
		sampler_start(try->sampler);
		after(try, PATIENCE_MS, on_patience_ends);
		r = sd_event_loop(try->event);
	}
	sampler_close(try->sampler);
	sd_event_unref(try->event);
	try->device->next = next;
	if (r < 0)
		fprintf(stderr, "cannot go on: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : try->status;
}

static struct device *find_device(const struct settings *settings, const char *name, size_t len)
{
	for (struct device *device = settings->devices; device; device = device->next)
		if (strlen(device->name) == len && memcmp(device->name, name, len) == 0)
			return device;
	fprintf(stderr, "no device \"%.*s\"; there are:", (int)len, name);
	for (const struct device *device = settings->devices; device; device = device->next)
		fprintf(stderr, " %s", device->name);
	fprintf(stderr, "%s\n", settings->devices ? "" : " none");
	return NULL;
}

int try_read(const struct settings *settings, const char *name)
{
	struct try try = { .settings = settings, .device = find_device(settings, name, strlen(name)) };

	if (!try.device)
		return 2;
	for (size_t i = 0; i < try.device->channel_count; i++)
		if (try.device->channels[i].output != OUTPUT_NONE) {
			fprintf(stderr, "%s is an output, which opening would set: try --set %s=VALUE\n", name, name);
			return 2;
		}
	return run(&try);
}

/* The output that is meant: the only one, where no quantity is named. */
static const struct channel *find_output(const struct device *device, const char *quantity, size_t len)
{
	const struct channel *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < device->channel_count; i++) {
		const struct channel *channel = &device->channels[i];
		const char *name = channel->series.quantity;

		if (channel->output == OUTPUT_NONE || (len > 0 && (strlen(name) != len || memcmp(name, quantity, len) != 0)))
			continue;
		found = channel;
		count++;
	}
	if (count == 1)
		return found;
	if (count == 0)
		fprintf(stderr, "%s has no output%s%.*s\n", device->name, len > 0 ? " " : "", (int)len, quantity);
	else
		fprintf(stderr, "%s has several outputs, name one:", device->name);
	for (size_t i = 0; count && i < device->channel_count; i++)
		if (device->channels[i].output != OUTPUT_NONE)
			fprintf(stderr, " %s/%s", device->name, device->channels[i].series.quantity);
	fprintf(stderr, "%s", count ? "\n" : "");
	return NULL;
}

int try_set(const struct settings *settings, const char *text)
{
	struct try try = { .settings = settings };
	const char *equals = strchr(text, '='), *slash = memchr(text, '/', (size_t)(equals - text));
	const char *device_end = slash ? slash : equals, *quantity = slash ? slash + 1 : equals;
	char words[OUTPUT_WORDS_MAX];

	try.device = find_device(settings, text, (size_t)(device_end - text));
	if (!try.device)
		return 2;
	try.output = find_output(try.device, quantity, (size_t)(equals - quantity));
	if (!try.output)
		return 2;
	if (output_parse_checked(try.output, equals + 1, &try.value, words) < 0) {
		fprintf(stderr, "%s: %s\n", text, words);
		return 2;
	}
	return run(&try);
}
