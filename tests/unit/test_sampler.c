/* links: node-agent/sampler.c node-agent/sampler_turn.c node-agent/sampler_tell.c node-agent/sampler_beat.c node-agent/sampler_fault.c node-agent/sampler_order.c node-agent/worker.c node-agent/actuator.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/i2c.c tests/fakes/bus.c tests/fakes/clock.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c */
/* Devices that are read and set: their turns, their faults, their answers. A driver of the test's own stands for a chip. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/actuator.h"
#include "../../node-agent/condition.h"
#include "../../node-agent/sampler.h"
#include "../../node-agent/sampler_slot.h"
#include "../../node-agent/worker.h"
#include "../fakes/bus.h"
#include "../fakes/clock.h"
#include "../fakes/folder.h"
#include "../fakes/node.h"

#define NOW INT64_C(1767268800000) /* where the fake clock stands */

static sd_event *event;
static struct sampler *sampler;
static struct actuator *actuator;
static int readings, healths;
static double last_number;
static int64_t last_time_ms;

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

/* ---- a chip ---------------------------------------------------------------------------------------------------------------------- */

static struct {
	int opens, triggers, fetches, closes;
	int open_error, fetch_error;
	double value;
} chip;

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

static const struct driver chip_driver = {
	.name = "chip",
	.emits = (const enum quantity[]){ QUANTITY_HUMIDITY, QUANTITY_NONE },
	.settle_ms = 2,
	.open = chip_open,
	.trigger = chip_trigger,
	.fetch = chip_fetch,
	.close = chip_close,
};

static struct device chip_device = { .name = "chip", .driver = &chip_driver, .interval_ms = 5 };

static int begin(void **state)
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

static int end(void **state)
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

static void open_sampler(struct device *devices, double clock_rate)
{
	static const struct sampler_hooks hooks = { .reading = on_reading, .health = on_health };
	static const struct actuator_hooks actuator_hooks = { .reading = on_reading };

	assert_int_equal(0, sampler_open(event, devices, clock_rate, &hooks, NULL, &sampler));
	assert_int_equal(0, actuator_open(event, "foyer", devices, sampler, &actuator_hooks, NULL, &actuator));
	actuator_use(actuator, fake_bus());
}

#define WAIT_UNTIL(condition)                                                                                                      \
	while (!(condition))                                                                                                       \
	assert_true(sd_event_run(event, UINT64_MAX) >= 0)

static const char *fault(struct device *device)
{
	int64_t since_ms;

	return sampler_fault(sampler, device, &since_ms);
}

/* ---- turns ----------------------------------------------------------------------------------------------------------------------- */

static void a_chip_is_opened_once_and_read_at_its_interval_after_it_settled(void **state)
{
	(void)state;
	open_sampler(&chip_device, 1);
	assert_int_equal(1, chip.opens);
	assert_int_equal(0, chip.triggers);
	assert_true(sampler_ready(sampler, &chip_device));
	sampler_start(sampler);
	assert_int_equal(1, chip.triggers);
	assert_int_equal(0, chip.fetches);
	WAIT_UNTIL(readings == 3);
	assert_int_equal(1, chip.opens);
	assert_float_equal(50, last_number, 0);
	assert_int_equal(NOW, last_time_ms);
	assert_string_equal("", fault(&chip_device));
	assert_int_equal(0, healths);
}

static int plain_fetch(struct device *device, double values[])
{
	(void)device;
	values[0] = 50;
	return 0;
}

static const struct driver plain_driver = {
	.name = "plain",
	.emits = (const enum quantity[]){ QUANTITY_HUMIDITY, QUANTITY_NONE },
	.fetch = plain_fetch,
};

/* The test takes the place of the timer, which is late each time, up to 40 ms; and once it misses three turns. */
static void an_hour_of_turns_does_not_drift(void **state)
{
	struct device *device = device_make("plain", &plain_driver, NULL);
	struct slot *slot;
	uint64_t first_us, at_us;

	(void)state;
	device->interval_ms = 1000;
	device_add_channel(device, "humidity", OUTPUT_NONE);
	fake_boot_ms = 1000000;
	open_sampler(device, 1);
	sampler_start(sampler);
	slot = device->context;
	assert_int_equal(0, sd_event_source_get_time(slot->timer, &first_us));
	for (uint64_t i = 0; i < 3600; i++) {
		assert_int_equal(0, sd_event_source_get_time(slot->timer, &at_us));
		assert_int_equal(first_us + i * 1000000, at_us);
		fake_boot_ms = (int64_t)(at_us / 1000) + (int64_t)(i * 7 % 41);
		slot_on_timer(slot->timer, 0, slot);
	}
	assert_int_equal(3601, readings); /* with the one at once */
	fake_boot_ms += 3000;
	slot_on_timer(slot->timer, 0, slot);
	assert_int_equal(0, sd_event_source_get_time(slot->timer, &at_us));
	assert_int_equal(0, (at_us - first_us) % 1000000);
	assert_in_range((int64_t)(at_us / 1000), fake_boot_ms + 1, fake_boot_ms + 1000); /* what was missed is not caught up */
	fake_boot_ms = -1;
	end(NULL);
	device_unref(device);
	begin(NULL);
}

static void a_chip_that_falls_silent_is_told_once_opened_again_and_told_when_it_is_back(void **state)
{
	int64_t since_ms;

	(void)state;
	open_sampler(&chip_device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(readings == 1);
	chip.fetch_error = -EIO;
	WAIT_UNTIL(healths == 1);
	assert_string_equal(strerror(EIO), sampler_fault(sampler, &chip_device, &since_ms));
	assert_int_equal(NOW, since_ms);
	assert_int_equal(1, chip.closes);
	assert_false(sampler_ready(sampler, &chip_device));
	chip.fetch_error = 0;
	WAIT_UNTIL(readings == 2);
	assert_int_equal(2, chip.opens);
	assert_int_equal(2, healths);
	assert_string_equal("", fault(&chip_device));
}

static void a_chip_that_is_absent_at_start_is_looked_for_again(void **state)
{
	(void)state;
	chip.open_error = -ENODEV;
	open_sampler(&chip_device, 1);
	assert_int_equal(1, healths);
	assert_string_equal(strerror(ENODEV), fault(&chip_device));
	sampler_start(sampler);
	assert_int_equal(0, chip.triggers);
	chip.open_error = 0;
	WAIT_UNTIL(readings == 1);
	assert_string_equal("", fault(&chip_device));
}

/* The test takes the place of the timer. */
static void what_stays_away_is_tried_less_and_less_often_up_to_once_a_minute(void **state)
{
	static const int64_t waits_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000 };
	struct slot *slot;
	uint64_t at_us;

	(void)state;
	fake_boot_ms = 1000000;
	chip.open_error = -ENXIO;
	open_sampler(&chip_device, 1);
	sampler_start(sampler);
	slot = chip_device.context;
	for (size_t i = 0; i < sizeof(waits_ms) / sizeof(*waits_ms); i++) {
		assert_int_equal(i + 1, chip.opens);
		assert_int_equal(0, sd_event_source_get_time(slot->timer, &at_us));
		assert_int_equal(fake_boot_ms + waits_ms[i], at_us / 1000);
		fake_boot_ms += waits_ms[i];
		slot_on_timer(slot->timer, 0, slot);
	}
	assert_int_equal(1, healths); /* told once */
	chip.open_error = 0;
	slot_on_timer(slot->timer, 0, slot);
	chip.open_error = -ENXIO;
	fake_boot_ms = -1;
	WAIT_UNTIL(readings == 1); /* it was well: the next time it is tried soon again */
	assert_int_equal(0, slot->retry_ms);
}

static void what_the_quantity_cannot_be_is_dropped_and_told_once(void **state)
{
	int fetches;

	(void)state;
	open_sampler(&chip_device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(readings == 1);
	chip.value = 120;
	WAIT_UNTIL(healths == 1);
	fetches = chip.fetches;
	chip.value = 121;                        /* another number, the same fault */
	WAIT_UNTIL(chip.fetches == fetches + 3); /* on its turns, not once a minute */
	assert_int_equal(1, healths);
	assert_int_equal(1, readings);
	assert_int_equal(0, chip.closes);
	assert_string_equal("humidity: 121 is over 100 %", fault(&chip_device));
	chip.value = HUGE_VAL;
	WAIT_UNTIL(strstr(fault(&chip_device), "not a finite number"));
	chip.value = 51;
	WAIT_UNTIL(readings == 2);
	assert_int_equal(2, healths);
}

/* ---- workers --------------------------------------------------------------------------------------------------------------------- */

static sem_t gate; /* posted to let a fetch that blocks go */

static struct {
	int begun, fetches, fd;
	char order[64]; /* which hooks ran: f and s */
} slow;

static int slow_fetch(struct device *device, double values[])
{
	(void)device;
	assert_true(worker_is_here());
	__atomic_fetch_add(&slow.begun, 1, __ATOMIC_SEQ_CST);
	sem_wait(&gate);
	slow.order[strlen(slow.order)] = 'f';
	slow.fetches++;
	values[0] = 40 + slow.fetches;
	return 0;
}

static int slow_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	(void)device;
	(void)channel;
	assert_true(worker_is_here());
	slow.order[strlen(slow.order)] = 's';
	*ret_value = value_of_number(value->number + 0.5); /* what the chip made of it */
	return 0;
}

static const struct driver slow_driver = {
	.name = "slow",
	.blocks = true,
	.emits = (const enum quantity[]){ QUANTITY_HUMIDITY, QUANTITY_NONE },
	.fetch = slow_fetch,
	.set = slow_set,
};

static struct device *slow_device(const char *name)
{
	struct device *device = device_make(name, &slow_driver, NULL);

	device->interval_ms = 10;
	device_add_channel(device, "humidity", OUTPUT_RANGE);
	return device;
}

static void set_done(void *context, int result, const struct value *value, const char *error)
{
	(void)error;
	assert_int_equal(0, result);
	*(double *)context = value->number;
}

static void a_device_that_blocks_holds_up_neither_the_loop_nor_an_order(void **state)
{
	struct device *first = slow_device("first"), *second = slow_device("second");
	const struct value half = value_of_number(50);
	double got = 0;

	(void)state;
	first->next = second;
	sem_init(&gate, 0, 0);
	memset(&slow, 0, sizeof(slow));
	open_sampler(first, 1);
	sampler_start(sampler);
	WAIT_UNTIL(sampler_ready(sampler, first) && sampler_ready(sampler, second));
	/* One of them blocks in its fetch, the other one's waits behind it. */
	while (__atomic_load_n(&slow.begun, __ATOMIC_SEQ_CST) == 0)
		usleep(100);
	assert_int_equal(0, sampler_set(sampler, &second->channels[0], &half, set_done, &got));
	sem_post(&gate);
	sem_post(&gate);
	WAIT_UNTIL(got > 0 && readings == 2);
	assert_float_equal(50.5, got, 0);
	assert_string_equal("fsf", slow.order);
	for (int i = 0; i < 8; i++)
		sem_post(&gate);
	end(NULL);
	device_unref(first);
	device_unref(second);
	begin(NULL);
	sem_destroy(&gate);
}

static void an_order_that_waits_can_be_taken_back(void **state)
{
	struct device *device = slow_device("slow");
	const struct value half = value_of_number(50);
	double got = 0, forgotten = 0;

	(void)state;
	sem_init(&gate, 0, 0);
	memset(&slow, 0, sizeof(slow));
	open_sampler(device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(sampler_ready(sampler, device));
	usleep(20000); /* the fetch has begun, or will before the order: both are fine */
	assert_int_equal(0, sampler_set(sampler, &device->channels[0], &half, set_done, &got));
	assert_int_equal(0, sampler_set(sampler, &device->channels[0], &half, set_done, &forgotten));
	sampler_set_forget(sampler, &forgotten, false);
	sem_post(&gate);
	WAIT_UNTIL(got > 0);
	for (int i = 0; i < 8; i++)
		sem_post(&gate);
	end(NULL); /* runs the one that nobody asks for any more */
	assert_float_equal(0, forgotten, 0);
	assert_true(strchr(slow.order, 's') != strrchr(slow.order, 's'));
	device_unref(device);
	begin(NULL);
	sem_destroy(&gate);
}

/* ---- a bus that hangs ------------------------------------------------------------------------------------------------------------ */

static int stuck; /* fetches that never come back */

static int stuck_fetch(struct device *device, double values[])
{
	static sem_t never;

	(void)values;
	if (strcmp(device->name, "stuck") != 0) {
		values[0] = 42;
		return 0;
	}
	__atomic_fetch_add(&stuck, 1, __ATOMIC_SEQ_CST);
	while (sem_wait(&never) < 0)
		;
	return 0;
}

static const struct driver bus_driver = {
	.name = "on_a_bus",
	.i2c_addresses = (const uint8_t[]){ 0x23, 0 },
	.emits = (const enum quantity[]){ QUANTITY_HUMIDITY, QUANTITY_NONE },
	.fetch = stuck_fetch,
};

static struct device *bus_device(const char *name, const char *bus, struct device *next)
{
	struct device *device = device_make(name, &bus_driver, NULL);

	device->bus = bus;
	device->address = 0x23;
	device->interval_ms = 10;
	device->next = next;
	device_add_channel(device, "humidity", OUTPUT_NONE);
	return device;
}

/* The clock of this test stands, in a past that all timers have behind them. */
static void a_bus_that_hangs_is_told_holds_up_no_other_and_not_the_end(void **state)
{
	static struct sampler *abandoned; /* with all that its thread may touch */
	struct device *other = bus_device("other", "/dev/i2c-2", NULL), *waits = bus_device("waits", "/dev/i2c-1", other),
		      *hung = bus_device("stuck", "/dev/i2c-1", waits);
	struct timespec begun, ended;
	int before;

	(void)state;
	fake_boot_ms = 1;
	open_sampler(hung, 1);
	sampler_start(sampler);
	WAIT_UNTIL(__atomic_load_n(&stuck, __ATOMIC_SEQ_CST) == 1);
	fake_boot_ms = 9000;
	before = readings;
	WAIT_UNTIL(readings >= before + 3);
	assert_int_equal(0, healths);
	assert_true(sampler_ready(sampler, hung));
	fake_boot_ms = 10500;
	WAIT_UNTIL(fault(hung)[0] && fault(waits)[0]);
	assert_string_equal("the bus /dev/i2c-1 hangs: no end of a transfer with 0x23", fault(hung));
	assert_string_equal("waits for stuck, which does not come back", fault(waits));
	assert_string_equal("", fault(other));
	assert_true(sampler_silent(sampler, &hung->channels[0]) && sampler_silent(sampler, &waits->channels[0]));
	assert_false(sampler_ready(sampler, hung) || sampler_ready(sampler, waits));
	before = readings;
	WAIT_UNTIL(readings >= before + 3); /* of the other bus */
	assert_int_equal(2, healths);       /* told once each */
	clock_gettime(CLOCK_MONOTONIC, &begun);
	abandoned = sampler;
	sampler_close(sampler);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_non_null(abandoned);
	assert_in_range(ended.tv_sec - begun.tv_sec, 0, 20); /* it ended at all; 1.2 s on a machine with nothing else to do */
	sampler = NULL;
	fake_boot_ms = -1;
	device_unref(hung);
	device_unref(waits);
	device_unref(other);
}

/* ---- what tells by itself -------------------------------------------------------------------------------------------------------- */

static int eye_open(struct device *device)
{
	(void)device;
	slow.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return slow.fd;
}

static int eye_watch(struct device *device)
{
	(void)device;
	return slow.fd;
}

static int eye_notice(struct device *device)
{
	const struct value value = value_of_number(1);
	struct timespec now;
	uint64_t count;

	assert_int_equal(sizeof(count), read(slow.fd, &count, sizeof(count)));
	if (count == 7)
		return -ENODEV;
	clock_gettime(CLOCK_MONOTONIC, &now);
	device_tell(device, 0, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - 3000000000, &value); /* 3 s ago */
	device_wake(device, 5);
	return 0;
}

static int eye_wake(struct device *device)
{
	const struct value value = value_of_number(0);

	device_tell(device, 0, 0, &value);
	return 0;
}

static void eye_close(struct device *device)
{
	(void)device;
	close(slow.fd);
}

static const struct driver eye_driver = {
	.name = "eye",
	.emits = (const enum quantity[]){ QUANTITY_MOTION, QUANTITY_NONE },
	.open = eye_open,
	.watch = eye_watch,
	.notice = eye_notice,
	.wake = eye_wake,
	.close = eye_close,
};

static void news_are_told_with_their_own_time_and_a_wake_comes_when_asked_for(void **state)
{
	struct device *device = device_make("eye", &eye_driver, NULL);
	const uint64_t one = 1, seven = 7;

	(void)state;
	device_add_channel(device, "motion", OUTPUT_NONE);
	open_sampler(device, 1);
	sampler_start(sampler);
	assert_int_equal(0, readings);
	assert_int_equal(sizeof(one), write(slow.fd, &one, sizeof(one)));
	WAIT_UNTIL(readings == 1);
	assert_float_equal(1, last_number, 0);
	assert_in_range(last_time_ms, NOW - 3100, NOW - 3000);
	WAIT_UNTIL(readings == 2); /* the wake */
	assert_float_equal(0, last_number, 0);
	assert_int_equal(NOW, last_time_ms);
	assert_int_equal(sizeof(seven), write(slow.fd, &seven, sizeof(seven)));
	WAIT_UNTIL(fault(device)[0]);
	assert_string_equal(strerror(ENODEV), fault(device));
	assert_true(sampler_silent(sampler, &device->channels[0]));
	WAIT_UNTIL(!fault(device)[0]); /* opened again, a second later */
	end(NULL);
	device_unref(device);
	begin(NULL);
}

/* A program that stays and prints changes is such a device: nothing comes for hours, and it is well. */
static void what_comes_when_it_comes_is_told_again_at_its_greatest_age(void **state)
{
	struct device *device = device_make("eye", &eye_driver, NULL);
	struct condition *condition = malloc(sizeof(*condition));
	const uint64_t one = 1, seven = 7;
	int before;

	(void)state;
	condition_init(condition);
	condition->report = REPORT_CHANGE;
	condition->max_age_ms = 20;
	device->sporadic = true;
	device_add_channel(device, "motion", OUTPUT_NONE)->condition = condition;
	open_sampler(device, 1);
	sampler_start(sampler);
	assert_int_equal(sizeof(one), write(slow.fd, &one, sizeof(one)));
	WAIT_UNTIL(readings >= 5);
	assert_float_equal(0, last_number, 0); /* 1, 0 by the wake, and that again */
	assert_int_equal(NOW, last_time_ms);
	assert_int_equal(sizeof(seven), write(slow.fd, &seven, sizeof(seven)));
	WAIT_UNTIL(fault(device)[0]);
	before = readings;
	WAIT_UNTIL(
		!fault(device)[0]); /* a second later; at fault it tells nothing, and is not sure of what it knew when it is back */
	assert_int_equal(before, readings);
	end(NULL);
	device_unref(device);
	begin(NULL);
}

/* ---- a reload -------------------------------------------------------------------------------------------------------------------- */

static void another_list_closes_what_is_gone_and_leaves_alone_what_stays(void **state)
{
	struct device *other = device_make("eye", &eye_driver, NULL);

	(void)state;
	device_add_channel(other, "motion", OUTPUT_NONE);
	open_sampler(&chip_device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(readings >= 1);
	chip_device.next = other;
	assert_int_equal(0, sampler_change(sampler, &chip_device));
	assert_int_equal(1, chip.opens);
	assert_int_equal(0, chip.closes);
	assert_true(sampler_ready(sampler, other));
	chip_device.next = NULL;
	assert_int_equal(0, sampler_change(sampler, other));
	assert_int_equal(1, chip.closes);
	assert_false(sampler_ready(sampler, &chip_device));
	end(NULL);
	device_unref(other);
	begin(NULL);
}

/* ---- simulated time -------------------------------------------------------------------------------------------------------------- */

static void a_faster_clock_lives_a_day_in_minutes_and_dates_readings_truly(void **state)
{
	struct device *device = node_device("driver = sim\nquantities = power\ninterval = 10s\npower.base = 100\npower.swing = 0\n"
					    "power.noise = 0\npower.jump = 50\npower.jump_every = 1h\n");
	double first;

	(void)state;
	open_sampler(device, 3600); /* an hour in a second; 10 s in 2.8 ms */
	sampler_start(sampler);
	first = last_number;
	assert_int_equal(NOW, last_time_ms);
	fake_wall_ms = NOW + 1000;
	WAIT_UNTIL(readings >= 2);
	assert_float_equal(50, fabs(last_number - first), 0);
	assert_int_equal(NOW + 1000, last_time_ms);
	readings = 0;
	fake_wall_ms = NOW + 2000;
	WAIT_UNTIL(readings >= 1);
	assert_float_equal(first, last_number, 0);
}

static void a_late_device_dates_its_readings_late(void **state)
{
	(void)state;
	open_sampler(node_device("driver = sim\nquantities = power\nlate = 1h\n"), 1);
	sampler_start(sampler);
	assert_int_equal(NOW - 3600000, last_time_ms);
}

static void a_silent_simulation_is_a_fault_like_any_other(void **state)
{
	struct device *device = node_device("driver = sim\nquantities = power\nfault = silent\nfault_every = 1h\nfault_for = 1h\n");

	(void)state;
	open_sampler(device, 1);
	sampler_start(sampler);
	assert_int_equal(0, readings);
	assert_string_equal("no answer (simulated)", fault(device));
}

/* ---- commands -------------------------------------------------------------------------------------------------------------------- */

static void command_with(const char *quantity, const char *payload, bool retain, const char *response_topic)
{
	struct bus_message message = { .topic = "x",
				       .payload = payload,
				       .len = strlen(payload),
				       .qos = 1,
				       .retain = retain,
				       .response_topic = response_topic,
				       .correlation = "c7",
				       .correlation_len = 2 };
	struct series series;

	assert_int_equal(0, series_make("salon", "dev", quantity, &series));
	actuator_command(actuator, &series, &message);
}

static void command(const char *quantity, const char *payload)
{
	command_with(quantity, payload, false, NULL);
}

static void open_outputs(const char *further)
{
	char keys[1024];

	snprintf(keys, sizeof(keys),
		 "driver = sim\nquantities = switch position text button humidity\nswitch.output = switch\n"
		 "position.output = range\nposition.min = 0\nposition.max = 180\nposition.step = 5\ntext.output = "
		 "text\nbutton.output = button\n%s",
		 further);
	open_sampler(node_device(keys), 1);
}

static void a_command_is_obeyed_its_state_told_and_then_its_result(void **state)
{
	(void)state;
	open_outputs("");
	command("position", "{\"value\":90,\"id\":\"7f\",\"by\":\"web\"}");
	assert_int_equal(1, readings);
	assert_float_equal(90, last_number, 0);
	assert_int_equal(1, fake_count);
	assert_string_equal("foyer/salon/dev/position/result", fake_last()->topic);
	assert_string_equal("{\"id\":\"7f\",\"ok\":true,\"value\":90,\"time\":1767268800000}", fake_last()->payload);
	assert_int_equal(1, fake_last()->qos);
	assert_false(fake_last()->retain);
	command("switch", "on");
	assert_string_equal("{\"ok\":true,\"value\":1,\"time\":1767268800000}", fake_last()->payload);
	command("text", "good morning");
	assert_non_null(strstr(fake_last()->payload, "\"value\":\"good morning\""));
}

static void a_command_that_the_output_cannot_obey_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *quantity, *payload, *error;
	} wrong[] = {
		{ "position", "181", "over 180" },         { "position", "-1", "under 0" },
		{ "position", "92", "not in steps of 5" }, { "position", "left", "\\\"left\\\" is not a finite number" },
		{ "switch", "2", "2 is neither 0 nor 1" }, { "switch", "perhaps", "neither 1/0" },
		{ "humidity", "50", "no such output" },    { "level", "50", "no such output" },
		{ "switch", "{}", "an object with a" },
	};

	(void)state;
	open_outputs("");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		command(wrong[i].quantity, wrong[i].payload);
		assert_int_equal((int)i + 1, fake_count);
		if (!strstr(fake_last()->payload, "\"ok\":false") || !strstr(fake_last()->payload, wrong[i].error))
			fail_msg("%s %s: %s", wrong[i].quantity, wrong[i].payload, fake_last()->payload);
	}
	assert_int_equal(0, readings);
	command("position", "{\"value\":\"left\",\"id\":\"7f\"}");
	assert_non_null(strstr(fake_last()->payload, "\"id\":\"7f\"")); /* its sender need not wait for nothing */
}

static void a_retained_command_is_never_obeyed(void **state)
{
	(void)state;
	open_outputs("");
	command_with("switch", "on", true, NULL);
	command("switch", "");
	assert_int_equal(0, readings);
	assert_int_equal(0, fake_count);
}

static void the_result_goes_where_the_request_asks_as_well(void **state)
{
	(void)state;
	open_outputs("");
	command_with("switch", "on", false, "foyer/$web/answers");
	assert_int_equal(2, fake_count);
	assert_string_equal("foyer/salon/dev/switch/result", fake_published[0].topic);
	assert_string_equal("foyer/$web/answers", fake_published[1].topic);
	assert_string_equal(fake_published[0].payload, fake_published[1].payload);
	assert_int_equal(2, fake_published[1].correlation_len);
	assert_memory_equal("c7", fake_published[1].correlation, 2);
	command_with("switch", "on", false, "foyer/#");
	assert_int_equal(3, fake_count);
}

static void a_slow_output_answers_when_it_is_done(void **state)
{
	(void)state;
	open_outputs("answer_after = 20ms\n");
	command("switch", "{\"value\":1,\"id\":\"7f\"}");
	assert_int_equal(0, fake_count);
	WAIT_UNTIL(fake_count == 1);
	assert_int_equal(1, readings);
	assert_non_null(strstr(fake_last()->payload, "\"id\":\"7f\",\"ok\":true,\"value\":1"));
}

static void an_output_that_refuses_says_why_and_one_that_is_silent_nothing(void **state)
{
	(void)state;
	open_outputs("answer = refuse\nreason = door open\n");
	command("switch", "1");
	assert_string_equal("{\"ok\":false,\"error\":\"door open\",\"time\":1767268800000}", fake_last()->payload);
	assert_int_equal(0, readings);
	assert_string_equal("", node.devices->error);
	end(NULL);
	begin(NULL);
	open_outputs("answer = silent\n");
	command("switch", "1");
	assert_int_equal(0, fake_count);
}

static void a_later_command_takes_the_place_of_one_that_is_still_worked_on(void **state)
{
	(void)state;
	open_outputs("answer_after = 1m\n");
	command("position", "{\"value\":90,\"id\":\"first\"}");
	command("switch", "{\"value\":1,\"id\":\"other\"}");
	assert_int_equal(0, fake_count);
	command("position", "{\"value\":0,\"id\":\"second\"}");
	assert_int_equal(1, fake_count);
	assert_non_null(strstr(fake_last()->payload, "\"id\":\"first\",\"ok\":false,\"error\":\"a later command took its place\""));
	assert_int_equal(0, readings);
}

static void an_output_whose_device_is_absent_says_so(void **state)
{
	struct series series;
	const struct bus_message message = { .topic = "x", .payload = "50", .len = 2, .qos = 1 };

	(void)state;
	chip_device.channels[0].output = OUTPUT_RANGE;
	chip_device.channels[0].max = 100;
	chip.open_error = -ENODEV;
	open_sampler(&chip_device, 1);
	assert_int_equal(0, series_make("salon", "chip", "humidity", &series));
	actuator_command(actuator, &series, &message);
	assert_non_null(strstr(fake_last()->payload, strerror(ENODEV)));
}

static int chip_set(struct device *device, size_t channel, const struct value *value, struct value *ret_value)
{
	(void)channel;
	assert_int_equal(0, chip.open_error);
	assert_ptr_equal(&chip_device, device);
	*ret_value = *value;
	return 0;
}

/* The plug is back, but the next try would come in half a minute: who gives an order does not wait for that. */
static void an_order_has_an_absent_device_tried_again_at_once(void **state)
{
	static struct driver driver;
	const struct value half = value_of_number(50);
	double got = 0;
	int opens;

	(void)state;
	driver = chip_driver;
	driver.set = chip_set;
	chip_device.driver = &driver;
	chip_device.channels[0].output = OUTPUT_RANGE;
	fake_boot_ms = 1000000;
	chip.open_error = -ENXIO;
	open_sampler(&chip_device, 1);
	sampler_start(sampler);
	for (int i = 0; i < 5; i++) {
		fake_boot_ms += 60000;
		slot_on_timer(NULL, 0, chip_device.context);
	}
	opens = chip.opens;
	fake_boot_ms += 999;
	assert_int_equal(-EAGAIN, sampler_set(sampler, &chip_device.channels[0], &half, set_done, &got));
	assert_int_equal(opens, chip.opens); /* it was tried just now */
	fake_boot_ms += 1;
	assert_int_equal(-EAGAIN, sampler_set(sampler, &chip_device.channels[0], &half, set_done, &got));
	assert_int_equal(opens + 1, chip.opens);
	chip.open_error = 0;
	fake_boot_ms += 1000;
	assert_int_equal(0, sampler_set(sampler, &chip_device.channels[0], &half, set_done, &got));
	assert_float_equal(50, got, 0);
	assert_int_equal(opens + 2, chip.opens);
	fake_boot_ms = -1;
	chip_device.driver = &chip_driver;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_chip_is_opened_once_and_read_at_its_interval_after_it_settled),
		TEST(an_hour_of_turns_does_not_drift),
		TEST(a_chip_that_falls_silent_is_told_once_opened_again_and_told_when_it_is_back),
		TEST(a_chip_that_is_absent_at_start_is_looked_for_again),
		TEST(what_stays_away_is_tried_less_and_less_often_up_to_once_a_minute),
		TEST(what_the_quantity_cannot_be_is_dropped_and_told_once),
		TEST(a_device_that_blocks_holds_up_neither_the_loop_nor_an_order),
		TEST(an_order_that_waits_can_be_taken_back),
		TEST(a_bus_that_hangs_is_told_holds_up_no_other_and_not_the_end),
		TEST(news_are_told_with_their_own_time_and_a_wake_comes_when_asked_for),
		TEST(what_comes_when_it_comes_is_told_again_at_its_greatest_age),
		TEST(another_list_closes_what_is_gone_and_leaves_alone_what_stays),
		TEST(a_faster_clock_lives_a_day_in_minutes_and_dates_readings_truly),
		TEST(a_late_device_dates_its_readings_late),
		TEST(a_silent_simulation_is_a_fault_like_any_other),
		TEST(a_command_is_obeyed_its_state_told_and_then_its_result),
		TEST(a_command_that_the_output_cannot_obey_is_refused_with_the_reason),
		TEST(a_retained_command_is_never_obeyed),
		TEST(the_result_goes_where_the_request_asks_as_well),
		TEST(a_slow_output_answers_when_it_is_done),
		TEST(an_output_that_refuses_says_why_and_one_that_is_silent_nothing),
		TEST(a_later_command_takes_the_place_of_one_that_is_still_worked_on),
		TEST(an_output_whose_device_is_absent_says_so),
		TEST(an_order_has_an_absent_device_tried_again_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
