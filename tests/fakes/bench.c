#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "folder.h"

#define MS INT64_C(1000000)

struct bench_told bench_told[BENCH_TOLD_MAX];
size_t bench_told_count;
int bench_error;
int64_t bench_now_ns = 1000 * MS;
double bench_set_value;

struct seat {
	struct device device; /* first: a device is its seat */
	struct seat *next;
	int64_t wake_ns; /* -1: not */
	bool is_open;
};

static struct seat *seats;
static struct conf *conf;

static void tell(struct device *device, size_t channel, int64_t mono_ns, const struct value *value)
{
	assert_true(bench_told_count < BENCH_TOLD_MAX);
	assert_true(channel < device->channel_count);
	bench_told[bench_told_count++] = (struct bench_told){ device, channel, mono_ns, *value };
}

static void wake(struct device *device, int64_t after_ms)
{
	((struct seat *)device)->wake_ns = after_ms < 0 ? -1 : bench_now_ns + after_ms * MS;
}

static const struct device_services services = { .tell = tell, .wake = wake };

static void read_device(const struct conf_section *section)
{
	const char *word = conf_text(conf, section, "driver"), *initial;
	struct seat *seat = calloc(1, sizeof(*seat)), **end = &seats;
	struct device *device = &seat->device;

	for (size_t i = 0; bench_drivers[i]; i++)
		if (word && strcmp(bench_drivers[i]->name, word) == 0)
			device->driver = bench_drivers[i];
	assert_non_null(device->driver);
	strcpy(device->name, conf_section_name(section));
	device->config = calloc(1, device->driver->config_size + 1);
	device->state = calloc(1, device->driver->state_size + 1);
	device->services = &services;
	seat->wake_ns = -1;
	if (device->driver->i2c_addresses) {
		device->bus = conf_text(conf, section, "bus");
		device->address = conf_text(conf, section, "address") ? (int)strtol(conf_text(conf, section, "address"), NULL, 0)
								      : device->driver->i2c_addresses[0];
	}
	if (device->driver->items)
		conf_read(conf, section, "device", device->driver->items, device->config);
	for (const enum quantity *quantity = device->driver->emits; quantity && *quantity != QUANTITY_NONE; quantity++)
		device_add_channel(device, quantity_info(*quantity)->name, OUTPUT_NONE);
	if (device->driver->configure)
		device->driver->configure(device, conf, section);
	initial = conf_text(conf, section, "initial"); /* as settings reads it for outputs */
	device->channels[0].has_first = initial != NULL;
	device->channels[0].first = value_of_number(initial && strcmp(initial, "on") == 0);
	while (*end)
		end = &(*end)->next;
	*end = seat;
}

const char *bench_read(const char *text)
{
	static char mistakes[4096];
	const struct conf_section *section = NULL;
	char *told = NULL, *rest = NULL;
	size_t size;
	FILE *out = open_memstream(&told, &size);

	bench_done();
	assert_int_equal(0, conf_open(folder_write("bench.conf", text), NULL, 0, &conf));
	while ((section = conf_next(conf, "device", section)))
		read_device(section);
	section = conf_section(conf, "node", NULL);
	if (section) {
		conf_text(conf, section, "name");
		conf_text(conf, section, "state_dir");
	}
	conf_finish(conf, out);
	fclose(out);
	mistakes[0] = '\0';
	for (char *line = strtok_r(told, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		strcat(strcat(mistakes, strstr(line, "bench.conf:") ? strstr(line, "bench.conf:") + 11 : line), "\n");
	free(told);
	return mistakes;
}

struct device *bench_made(const char *name)
{
	struct seat *seat = seats;

	while (seat && strcmp(seat->device.name, name) != 0)
		seat = seat->next;
	assert_non_null(seat);
	return &seat->device;
}

struct device *bench_open(const char *name)
{
	struct device *device = bench_made(name);
	int r = device->driver->open(device);

	if (r < 0)
		fail_msg("open: %s (%d)", device->error, r);
	((struct seat *)device)->is_open = true;
	return device;
}

struct device *bench_device(const struct driver *driver, const char *keys)
{
	char text[2048];
	const char *mistakes;

	snprintf(text, sizeof(text), "[device dev]\ndriver = %s\n%s", driver->name, keys);
	mistakes = bench_read(text);
	if (mistakes[0])
		fail_msg("%s", mistakes);
	return bench_open("dev");
}

void bench_pass(int64_t ms)
{
	int64_t end_ns = bench_now_ns + ms * MS;

	bench_error = 0;
	for (;;) {
		struct seat *due = NULL;

		for (struct seat *seat = seats; seat; seat = seat->next)
			if (seat->wake_ns >= 0 && seat->wake_ns <= end_ns && (!due || seat->wake_ns < due->wake_ns))
				due = seat;
		if (!due)
			break;
		if (due->wake_ns > bench_now_ns)
			bench_now_ns = due->wake_ns;
		due->wake_ns = -1;
		int r = due->device.driver->wake(&due->device);
		if (r < 0)
			bench_error = r;
	}
	bench_now_ns = end_ns;
}

int64_t bench_wakes_in(const struct device *device)
{
	const struct seat *seat = (const struct seat *)device;

	return seat->wake_ns < 0 ? -1 : (seat->wake_ns - bench_now_ns) / MS;
}

int bench_set(struct device *device, size_t channel, double number)
{
	struct value value = value_of_number(number), got = value;
	int r = device->driver->set(device, channel, &value, &got);

	bench_set_value = got.number;
	return r;
}

void bench_done(void)
{
	while (seats) {
		struct seat *seat = seats;

		seats = seat->next;
		if (seat->is_open && seat->device.driver->close)
			seat->device.driver->close(&seat->device);
		free(seat->device.config);
		free(seat->device.state);
		free(seat);
	}
	conf_close(conf);
	conf = NULL;
	bench_told_count = 0;
	bench_error = 0;
}
