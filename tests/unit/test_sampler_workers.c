/* links: node-agent/sampler.c node-agent/sampler_turn.c node-agent/sampler_tell.c node-agent/sampler_beat.c node-agent/sampler_fault.c node-agent/sampler_order.c node-agent/worker.c node-agent/actuator.c node-agent/settings.c node-agent/settings_conflict.c node-agent/settings_keep.c node-agent/rule_parse.c node-agent/settings_device.c node-agent/settings_channel.c node-agent/condition.c node-agent/curve.c node-agent/derive.c node-agent/output.c node-agent/device.c node-agent/drivers/sim.c node-agent/drivers/thermal.c tests/fakes/i2c.c tests/fakes/bus.c tests/fakes/clock.c tests/fakes/node.c tests/fakes/drivers.c tests/fakes/folder.c tests/fakes/sampled.c */
/* Devices whose hooks wait, on workers: they hold up neither the loop nor an order, also when their bus hangs. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/worker.h"
#include "../fakes/clock.h"
#include "../fakes/sampled.h"

/* ---- workers --------------------------------------------------------------------------------------------------------------------- */

static sem_t gate; /* posted to let a fetch that blocks go */

static struct {
	int begun, fetches;
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

static void a_device_that_blocks_holds_up_neither_the_loop_nor_an_order(void **state)
{
	struct device *first = slow_device("first"), *second = slow_device("second");
	const struct value half = value_of_number(50);
	double got = 0;

	(void)state;
	first->next = second;
	sem_init(&gate, 0, 0);
	memset(&slow, 0, sizeof(slow));
	sampled_open(first, 1);
	sampler_start(sampler);
	WAIT_UNTIL(sampler_ready(sampler, first) && sampler_ready(sampler, second));
	/* One of them blocks in its fetch, the other one's waits behind it. */
	while (__atomic_load_n(&slow.begun, __ATOMIC_SEQ_CST) == 0)
		usleep(100);
	assert_int_equal(0, sampler_set(sampler, &second->channels[0], &half, sampled_done, &got));
	sem_post(&gate);
	sem_post(&gate);
	WAIT_UNTIL(got > 0 && readings == 2);
	assert_float_equal(50.5, got, 0);
	assert_string_equal("fsf", slow.order);
	for (int i = 0; i < 8; i++)
		sem_post(&gate);
	sampled_end(NULL);
	device_unref(first);
	device_unref(second);
	sampled_begin(NULL);
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
	sampled_open(device, 1);
	sampler_start(sampler);
	WAIT_UNTIL(sampler_ready(sampler, device));
	usleep(20000); /* the fetch has begun, or will before the order: both are fine */
	assert_int_equal(0, sampler_set(sampler, &device->channels[0], &half, sampled_done, &got));
	assert_int_equal(0, sampler_set(sampler, &device->channels[0], &half, sampled_done, &forgotten));
	sampler_set_forget(sampler, &forgotten, false);
	sem_post(&gate);
	WAIT_UNTIL(got > 0);
	for (int i = 0; i < 8; i++)
		sem_post(&gate);
	sampled_end(NULL); /* runs the one that nobody asks for any more */
	assert_float_equal(0, forgotten, 0);
	assert_true(strchr(slow.order, 's') != strrchr(slow.order, 's'));
	device_unref(device);
	sampled_begin(NULL);
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
	sampled_open(hung, 1);
	sampler_start(sampler);
	WAIT_UNTIL(__atomic_load_n(&stuck, __ATOMIC_SEQ_CST) == 1);
	fake_boot_ms = 9000;
	before = readings;
	WAIT_UNTIL(readings >= before + 3);
	assert_int_equal(0, healths);
	assert_true(sampler_ready(sampler, hung));
	fake_boot_ms = 10500;
	WAIT_UNTIL(sampled_fault(hung)[0] && sampled_fault(waits)[0]);
	assert_string_equal("the bus /dev/i2c-1 hangs: no end of a transfer with 0x23", sampled_fault(hung));
	assert_string_equal("waits for stuck, which does not come back", sampled_fault(waits));
	assert_string_equal("", sampled_fault(other));
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sampled_begin, sampled_end)
	const struct CMUnitTest tests[] = {
		TEST(a_device_that_blocks_holds_up_neither_the_loop_nor_an_order),
		TEST(an_order_that_waits_can_be_taken_back),
		TEST(a_bus_that_hangs_is_told_holds_up_no_other_and_not_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
