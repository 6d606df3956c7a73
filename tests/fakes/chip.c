#include "chip.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct chip_told chip_told[CHIP_TOLD_MAX];
size_t chip_told_count;
int64_t chip_wake_ms;

static struct device *chip;

static void on_tell(struct device *device, size_t channel, int64_t mono_ns, const struct value *value)
{
	assert_ptr_equal(chip, device);
	assert_int_equal(0, mono_ns);
	assert_true(channel < device->channel_count && chip_told_count < CHIP_TOLD_MAX);
	chip_told[chip_told_count++] = (struct chip_told){ .channel = channel, .value = *value };
}

static void on_wake(struct device *device, int64_t after_ms)
{
	assert_ptr_equal(chip, device);
	chip_wake_ms = after_ms;
}

static void add_channels(const struct driver *driver)
{
	for (const enum quantity *quantity = driver->emits; quantity && *quantity != QUANTITY_NONE; quantity++)
		device_add_channel(chip, quantity_info(*quantity)->name, OUTPUT_NONE);
}

/* Takes the file's name from the beginning of each line. */
static const char *strip(char *mistakes, const char *path)
{
	size_t len = strlen(path) + 1;

	for (char *at = mistakes; (at = strstr(at, path));) {
		char *from = at;

		while (from > mistakes && from[-1] != '\n')
			from--;
		memmove(from, at + len, strlen(at + len) + 1);
	}
	return mistakes;
}

const char *chip_mistakes(const struct driver *driver, const char *keys)
{
	static const struct device_services services = { on_tell, on_wake };
	static const struct conf_item known[] = { { "driver", CONF_STRING, 0, NULL, .help = "as the sampler's settings know it" },
						  { 0 } };
	static char mistakes[4096];
	const char *name = driver->name;
	char path[] = "/tmp/foyer-test-chip-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w"), *out = fmemopen(mistakes, sizeof(mistakes), "w");
	struct conf *conf;

	chip_done();
	fprintf(file, "[device dev]\ndriver = %s\n%s", driver->name, keys);
	fclose(file);
	assert_int_equal(0, conf_open(path, NULL, 0, &conf));
	remove(path);
	chip = device_make("dev", driver, conf);
	chip->services = &services;
	chip->interval_ms = 10000;
	conf_read(conf, conf_section(conf, "device", "dev"), "device", known, &name);
	if (driver->items)
		conf_read(conf, conf_section(conf, "device", "dev"), "device", driver->items, chip->config);
	add_channels(driver);
	if (driver->configure)
		driver->configure(chip, conf, conf_section(conf, "device", "dev"));
	mistakes[0] = '\0';
	conf_finish(conf, out);
	fclose(out);
	conf_close(conf);
	return mistakes[0] ? strip(mistakes, path) : mistakes;
}

struct device *chip_make(const struct driver *driver, const char *keys)
{
	const char *mistakes = chip_mistakes(driver, keys);

	if (mistakes[0])
		fail_msg("%s", mistakes);
	return chip;
}

void chip_done(void)
{
	device_unref(chip);
	chip = NULL;
	chip_told_count = 0;
	chip_wake_ms = -1;
}

int chip_turn(struct device *device, double values[])
{
	int r = device->driver->trigger ? device->driver->trigger(device) : 0;

	return r < 0 ? r : device->driver->fetch(device, values);
}

int chip_wake(struct device *device)
{
	assert_true(chip_wake_ms >= 0);
	chip_wake_ms = -1;
	return device->driver->wake(device);
}

double chip_number(size_t channel)
{
	for (size_t i = chip_told_count; i-- > 0;)
		if (chip_told[i].channel == channel)
			return chip_told[i].value.number;
	return NAN;
}

void chip_failed(struct device *device, int r, int error, const char *words)
{
	assert_int_equal(error, r);
	assert_string_equal(words, device->error);
	device->error[0] = '\0';
}
