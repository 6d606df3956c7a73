#include "sampled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bus.h"
#include "clock.h"
#include "folder.h"
#include "node.h"

sd_event *event;
struct sampler *sampler;
struct actuator *actuator;
int readings, healths;
double last_number;
int64_t last_time_ms;

static void on_reading(void *context, const struct channel *channel, int64_t time_ms, const struct value *value)
{
	(void)context;
	(void)channel;
	readings++;
	last_number = value->number;
	last_time_ms = time_ms;
}

static void on_health(void *context)
{
	(void)context;
	healths++;
}

struct chip chip;

static int chip_open(struct device *device)
{
	(void)device;
	chip.opens++;
	return chip.open_error;
}

static int chip_trigger(struct device *device)
{
	(void)device;
	chip.triggers++;
	return 0;
}

static int chip_fetch(struct device *device, double values[])
{
	(void)device;
	assert_int_equal(chip.triggers, ++chip.fetches);
	values[0] = chip.value;
	return chip.fetch_error;
}

static void chip_close(struct device *device)
{
	(void)device;
	chip.closes++;
}

const struct driver chip_driver = {
	.name = "chip",
	.emits = (const enum quantity[]){ QUANTITY_HUMIDITY, QUANTITY_NONE },
	.settle_ms = 2,
	.open = chip_open,
	.trigger = chip_trigger,
	.fetch = chip_fetch,
	.close = chip_close,
};

struct device chip_device = { .name = "chip", .driver = &chip_driver, .interval_ms = 5 };

int sampled_begin(void **state)
{
	(void)state;
	folder_make();
	fake_bus_reset();
	fake_wall_ms = NOW;
	memset(&chip, 0, sizeof(chip));
	chip.value = 50;
	chip_device.channel_count = 0;
	chip_device.refs = 1;
	chip_device.error[0] = '\0';
	device_add_channel(&chip_device, "humidity", OUTPUT_NONE);
	readings = healths = 0;
	sd_event_new(&event);
	return 0;
}

int sampled_end(void **state)
{
	(void)state;
	actuator_close(actuator);
	sampler_close(sampler);
	actuator = NULL;
	sampler = NULL;
	event = sd_event_unref(event);
	node_done();
	fake_bus_reset();
	folder_remove();
	return 0;
}

void sampled_open(struct device *devices, double clock_rate)
{
	static const struct sampler_hooks hooks = { .reading = on_reading, .health = on_health };
	static const struct actuator_hooks actuator_hooks = { .reading = on_reading };

	assert_int_equal(0, sampler_open(event, devices, clock_rate, &hooks, NULL, &sampler));
	assert_int_equal(0, actuator_open(event, "foyer", devices, sampler, &actuator_hooks, NULL, &actuator));
	actuator_use(actuator, fake_bus());
}

const char *sampled_fault(const struct device *device)
{
	int64_t since_ms;

	return sampler_fault(sampler, device, &since_ms);
}

void sampled_done(void *context, int result, const struct value *value, const char *error)
{
	(void)error;
	assert_int_equal(0, result);
	*(double *)context = value->number;
}
