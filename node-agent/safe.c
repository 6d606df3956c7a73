#include "safe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "output.h"
#include "safety.h"

enum { WRITE_AFTER_MS = 3000, WRITE_EVERY_MS = 60000 }; /* an SD card wears out by writes */

/* What is known of an output; it outlives the device, which a new configuration replaces. */
struct kept {
	struct kept *next;
	struct series series;
	struct value value; /* what it is to have */
	bool is_safe;       /* the broker has been away for safe_after */
};

struct safe {
	sd_event *event;
	sd_event_source *write_timer, *away_timer;
	struct device *devices;
	struct safe_hooks hooks;
	void *context;
	struct kept *kept;
	char *path;                  /* NULL: nothing is written */
	int64_t written_ms, away_ms; /* clock_boot_ms(); away 0: the broker is there */
	bool is_unwritten, write_failed;
};

static struct kept *find(const struct safe *safe, const struct series *series)
{
	struct kept *kept = safe->kept;

	while (kept && !series_equal(&kept->series, series))
		kept = kept->next;
	return kept;
}

static struct kept *keep(struct safe *safe, const struct series *series, const struct value *value)
{
	struct kept *kept = find(safe, series);

	if (!kept) {
		kept = calloc(1, sizeof(*kept));
		if (!kept)
			return NULL;
		kept->series = *series;
		kept->next = safe->kept;
		safe->kept = kept;
	}
	kept->value = *value;
	return kept;
}

typedef void (*output_fn)(struct safe *safe, struct channel *channel);

static void for_each(struct safe *safe, output_fn fn)
{
	for (struct device *device = safe->devices; device; device = device->next)
		for (size_t i = 0; i < device->channel_count; i++)
			if (device->channels[i].safety)
				fn(safe, &device->channels[i]);
}

/* ---- the file -------------------------------------------------------------------------------------------------------------------- */

/* "node/device/quantity value" a line. */
static void write_one(FILE *file, const struct kept *kept)
{
	char series[SERIES_TEXT_MAX + 1], number[32];

	if (kept->value.kind == VALUE_NUMBER)
		value_format_number(kept->value.number, number);
	fprintf(file, "%s %s\n", series_format(&kept->series, series),
		kept->value.kind == VALUE_NUMBER ? number : kept->value.text);
}

static bool is_to_be_kept(const struct safe *safe, const struct series *series)
{
	for (const struct device *device = safe->devices; device; device = device->next)
		for (size_t i = 0; i < device->channel_count; i++)
			if (device->channels[i].safety && device->channels[i].safety->initial == INITIAL_LAST &&
			    series_equal(&device->channels[i].series, series))
				return true;
	return false;
}

static int write_all(const struct safe *safe)
{
	char *fresh = NULL;
	FILE *file;
	int r = 0;

	if (asprintf(&fresh, "%s.new", safe->path) < 0)
		return -ENOMEM;
	file = fopen(fresh, "we");
	if (!file)
		r = -errno;
	for (const struct kept *kept = safe->kept; file && kept; kept = kept->next)
		if (is_to_be_kept(safe, &kept->series))
			write_one(file, kept);
	if (file && (fflush(file) != 0 || fsync(fileno(file)) < 0))
		r = -errno;
	if (file && fclose(file) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(fresh, safe->path) < 0)
		r = -errno;
	free(fresh);
	return r;
}

static void write_now(struct safe *safe)
{
	int r = safe->path && safe->is_unwritten ? write_all(safe) : 0;

	safe->is_unwritten = false;
	safe->written_ms = clock_boot_ms();
	if (r < 0 && !safe->write_failed)
		log_warning("%s: cannot be written (%s): outputs will not find what they had last", safe->path, strerror(-r));
	safe->write_failed = r < 0;
}

static int on_write(sd_event_source *source, uint64_t now_us, void *userdata)
{
	(void)source;
	(void)now_us;
	write_now(userdata);
	return 0;
}

static void write_soon(struct safe *safe)
{
	int64_t now_ms = clock_boot_ms(), at_ms = now_ms + WRITE_AFTER_MS;

	if (!safe->path || safe->is_unwritten)
		return;
	safe->is_unwritten = true;
	if (safe->written_ms > 0 && at_ms < safe->written_ms + WRITE_EVERY_MS)
		at_ms = safe->written_ms + WRITE_EVERY_MS;
	sd_event_source_set_time(safe->write_timer, (uint64_t)at_ms * 1000);
	sd_event_source_set_enabled(safe->write_timer, SD_EVENT_ONESHOT);
}

/* A line of an output that is there no more is of no use; nor is one that its channel cannot have. */
static void read_all(struct safe *safe)
{
	FILE *file = safe->path ? fopen(safe->path, "re") : NULL;
	char line[SERIES_TEXT_MAX + VALUE_TEXT_MAX + 8];

	while (file && fgets(line, sizeof(line), file)) {
		char *space = strchr(line, ' ');
		struct series series;
		struct value value;
		char *end;

		line[strcspn(line, "\n")] = '\0';
		if (!space || series_parse(line, (size_t)(space - line), &series) < 0)
			continue;
		if (quantity_info_of(series.quantity)->kind == QUANTITY_KIND_TEXT) {
			if (value_of_text(space + 1, strlen(space + 1), &value) == 0)
				keep(safe, &series, &value);
			continue;
		}
		value = value_of_number(strtod(space + 1, &end));
		if (end != space + 1 && !*end)
			keep(safe, &series, &value);
	}
	if (file)
		fclose(file);
}

/* ---- when it starts -------------------------------------------------------------------------------------------------------------- */

/* What an output is to have from the first moment on: a driver that can opens it so. */
static void take_first(struct safe *safe, struct channel *channel)
{
	const struct safety *safety = channel->safety;
	const struct kept *kept = find(safe, &channel->series);
	char words[OUTPUT_WORDS_MAX];

	if (safety->initial == INITIAL_VALUE && !kept)
		keep(safe, &channel->series, &safety->initial_value);
	if (safety->initial == INITIAL_LAST && kept && output_check(channel, &kept->value, words) == 0) {
		channel->first = kept->value;
		channel->has_first = true;
	}
}

void safe_opened(struct safe *safe, const struct device *device)
{
	for (size_t i = 0; i < device->channel_count; i++) {
		const struct channel *channel = &device->channels[i];
		const struct kept *kept = channel->safety ? find(safe, &channel->series) : NULL;
		char words[OUTPUT_WORDS_MAX];

		if (kept && output_check(channel, &kept->value, words) == 0)
			safe->hooks.order(safe->context, channel, &kept->value, "initial");
	}
}

void safe_obeyed(struct safe *safe, const struct channel *channel, const struct value *value)
{
	const struct kept *before = find(safe, &channel->series);
	struct kept *kept;
	bool news = !before || !value_equal(&before->value, value);

	if (!channel->safety)
		return;
	kept = keep(safe, &channel->series, value);
	if (!kept)
		return;
	kept->is_safe = kept->is_safe && channel->safety->has_safe && value_equal(value, &channel->safety->safe);
	if (news && channel->safety->initial == INITIAL_LAST)
		write_soon(safe);
}

/* ---- when the broker is away ----------------------------------------------------------------------------------------------------- */

static int64_t safe_at(const struct safe *safe, const struct channel *channel)
{
	const struct safety *safety = channel->safety;
	const struct kept *kept = find(safe, &channel->series);

	if (!safety->has_safe || safety->safe_after_ms == 0 || (kept && kept->is_safe) ||
	    safe->hooks.is_ruled(safe->context, channel))
		return INT64_MAX;
	return safe->away_ms + safety->safe_after_ms;
}

static void make_safe(struct safe *safe, struct channel *channel)
{
	char by[64], series[SERIES_TEXT_MAX + 1];
	struct kept *kept;

	if (safe_at(safe, channel) > clock_boot_ms())
		return;
	kept = keep(safe, &channel->series, &channel->safety->safe);
	if (!kept)
		return;
	kept->is_safe = true;
	log_warning("%s: the broker is away for %lld s, safe value set", series_format(&channel->series, series),
		    (long long)(channel->safety->safe_after_ms / 1000));
	snprintf(by, sizeof(by), "safe_after");
	safe->hooks.order(safe->context, channel, &channel->safety->safe, by);
}

static void look_when(struct safe *safe)
{
	int64_t next_ms = INT64_MAX;

	for (const struct device *device = safe->devices; device; device = device->next)
		for (size_t i = 0; i < device->channel_count; i++)
			if (device->channels[i].safety && safe_at(safe, &device->channels[i]) < next_ms)
				next_ms = safe_at(safe, &device->channels[i]);
	if (!safe->away_ms || next_ms == INT64_MAX) {
		sd_event_source_set_enabled(safe->away_timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(safe->away_timer, (uint64_t)next_ms * 1000);
	sd_event_source_set_enabled(safe->away_timer, SD_EVENT_ONESHOT);
}

static int on_away(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct safe *safe = userdata;

	(void)source;
	(void)now_us;
	for_each(safe, make_safe);
	look_when(safe);
	return 0;
}

void safe_broker(struct safe *safe, bool connected)
{
	if (connected) {
		for (struct kept *kept = safe->kept; kept; kept = kept->next)
			kept->is_safe = false; /* the next absence counts anew */
		safe->away_ms = 0;
	} else if (!safe->away_ms) {
		safe->away_ms = clock_boot_ms();
	}
	look_when(safe);
}

/* ---- when it stops --------------------------------------------------------------------------------------------------------------- */

bool safe_on_stop(const struct channel *channel, struct value *ret_value)
{
	if (!channel->safety || channel->safety->on_stop == ON_STOP_KEEP)
		return false;
	*ret_value = channel->safety->on_stop == ON_STOP_SAFE ? channel->safety->safe : channel->safety->on_stop_value;
	return true;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static int add_timers(struct safe *safe)
{
	int r = sd_event_add_time(safe->event, &safe->write_timer, CLOCK_BOOTTIME, 0, 1000000, on_write, safe);

	if (r >= 0)
		r = sd_event_source_set_enabled(safe->write_timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(safe->event, &safe->away_timer, CLOCK_BOOTTIME, 0, 100000, on_away, safe);
	if (r >= 0)
		r = sd_event_source_set_enabled(safe->away_timer, SD_EVENT_OFF);
	return r;
}

int safe_open(sd_event *event, struct device *devices, const char *state_dir, const struct safe_hooks *hooks, void *context,
	      struct safe **ret_safe)
{
	struct safe *safe = calloc(1, sizeof(*safe));
	int r;

	if (!safe)
		return -ENOMEM;
	safe->event = sd_event_ref(event);
	safe->hooks = *hooks;
	safe->context = context;
	safe->away_ms = clock_boot_ms();
	r = add_timers(safe);
	if (r >= 0 && state_dir && asprintf(&safe->path, "%s/outputs", state_dir) < 0) {
		safe->path = NULL;
		r = -ENOMEM;
	}
	if (r < 0) {
		safe_close(safe);
		return r;
	}
	read_all(safe);
	safe_change(safe, devices);
	*ret_safe = safe;
	return 0;
}

/* What an output had without `last` is not of this start. */
static void forget_others(struct safe *safe)
{
	for (struct kept **link = &safe->kept; *link;) {
		struct kept *kept = *link;

		if (is_to_be_kept(safe, &kept->series)) {
			link = &kept->next;
			continue;
		}
		*link = kept->next;
		free(kept);
	}
}

void safe_change(struct safe *safe, struct device *devices)
{
	bool begins = !safe->devices;

	safe->devices = devices;
	if (begins)
		forget_others(safe);
	for_each(safe, take_first);
	look_when(safe);
}

void safe_close(struct safe *safe)
{
	if (!safe)
		return;
	write_now(safe);
	while (safe->kept) {
		struct kept *kept = safe->kept;

		safe->kept = kept->next;
		free(kept);
	}
	sd_event_source_disable_unref(safe->write_timer);
	sd_event_source_disable_unref(safe->away_timer);
	sd_event_unref(safe->event);
	free(safe->path);
	free(safe);
}
