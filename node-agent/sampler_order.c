/* Orders to outputs: set() where the device's hooks run, before reads that wait. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "i2c.h"
#include "sampler_slot.h"

struct order {
	struct order *next;
	struct job job;
	struct slot *slot;
	size_t channel;
	struct value value, result;
	char error[DEVICE_ERROR_MAX];
	sampler_set_fn done;
	void *context;
};

static int run_order(void *context)
{
	struct order *order = context;
	struct device *device = order->slot->device;
	int r;

	order->result = order->value;
	r = device->driver->set(device, order->channel, &order->value, &order->result);
	snprintf(order->error, sizeof(order->error), "%s", r < 0 ? device->error : "");
	device->error[0] = '\0';
	return r;
}

static void take_out(struct order *order)
{
	struct order **link = &order->slot->sampler->orders;

	while (*link != order)
		link = &(*link)->next;
	*link = order->next;
}

/* The chip did not answer; anything else is a refusal, and the device is well. */
static bool is_fault(int error)
{
	return error == -EIO || error == -ENXIO || error == -ENODEV || error == -EREMOTEIO || error == -ETIMEDOUT;
}

static void order_done(void *context, int result)
{
	struct order *order = context;
	struct slot *slot = order->slot;
	const struct device *device = slot->device;
	char error[DEVICE_ERROR_MAX + 48];

	take_out(order);
	sampler_take_notes(slot->sampler);
	if (order->error[0] || result >= 0)
		snprintf(error, sizeof(error), "%s", order->error);
	else if (device->driver->i2c_addresses)
		i2c_explain(device->bus, device->address, result, error, sizeof(error));
	else
		snprintf(error, sizeof(error), "%s", strerror(-result));
	if (result == 0) /* it is told by who gave the order */
		slot_was_told(slot, order->channel, &order->result);
	if (order->done)
		order->done(order->context, result, &order->result, error);
	if (is_fault(result))
		slot_fail(slot, result, order->error);
	free(order);
}

static struct slot *slot_of(const struct sampler *sampler, const struct device *device)
{
	struct slot *slot = sampler->slots;

	while (slot && slot->device != device)
		slot = slot->next;
	return slot;
}

int sampler_set(struct sampler *sampler, const struct channel *channel, const struct value *value, sampler_set_fn done,
		void *context)
{
	struct slot *slot = slot_of(sampler, channel->device);
	struct order *order;

	if (slot)
		slot_try_now(slot);
	if (!slot || !slot->is_open || slot->hung)
		return -EAGAIN;
	if (!slot->device->driver->set)
		return -ENOTSUP;
	order = calloc(1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	order->slot = slot;
	order->channel = (size_t)(channel - channel->device->channels);
	order->value = *value;
	order->done = done;
	order->context = context;
	order->job = (struct job){ .run = run_order, .done = order_done, .context = order };
	order->next = sampler->orders;
	sampler->orders = order;
	if (slot->worker)
		worker_submit(slot->worker, &order->job, true);
	else
		order_done(order, run_order(order));
	return 0;
}

static struct order *find(const struct sampler *sampler, const void *context)
{
	struct order *order = sampler->orders;

	while (order && (order->context != context || !order->done))
		order = order->next;
	return order;
}

bool sampler_set_cancel(struct sampler *sampler, const void *context)
{
	struct order *order = find(sampler, context);

	if (!order)
		return true;
	if (!order->slot->worker || !worker_cancel(order->slot->worker, &order->job))
		return false;
	take_out(order);
	free(order);
	return true;
}

void sampler_set_forget(struct sampler *sampler, const void *context, bool cancel)
{
	struct order *order;

	if (cancel && sampler_set_cancel(sampler, context))
		return;
	order = find(sampler, context);
	if (order)
		order->done = NULL;
}

void sampler_drop_orders(struct sampler *sampler)
{
	while (sampler->orders) {
		struct order *order = sampler->orders;

		sampler->orders = order->next;
		free(order);
	}
}
