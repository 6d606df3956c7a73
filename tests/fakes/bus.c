#include "bus.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bus {
	int id;
};

static struct bus the_bus;

struct fake_publication fake_published[FAKE_PUBLICATIONS_MAX];
int fake_count, fake_publish_error;

struct bus *fake_bus(void)
{
	return &the_bus;
}

void fake_bus_reset(void)
{
	for (int i = 0; i < fake_count; i++)
		free(fake_published[i].payload);
	fake_count = fake_publish_error = the_bus.id = 0;
}

const struct fake_publication *fake_last(void)
{
	assert(fake_count > 0);
	return &fake_published[fake_count - 1];
}

int bus_publish(struct bus *bus, const struct bus_publication *publication, int *ret_id)
{
	struct fake_publication *fake = &fake_published[fake_count];

	if (fake_publish_error)
		return fake_publish_error;
	assert(fake_count < FAKE_PUBLICATIONS_MAX && publication->correlation_len < sizeof(fake->correlation));
	fake_count++;
	*fake = (struct fake_publication){
		.payload = strndup(publication->payload, publication->len),
		.qos = publication->qos,
		.id = ++bus->id,
		.retain = publication->retain,
		.expiry_s = publication->expiry_s,
		.correlation_len = publication->correlation_len,
	};
	snprintf(fake->topic, sizeof(fake->topic), "%s", publication->topic);
	if (publication->response_topic)
		snprintf(fake->response_topic, sizeof(fake->response_topic), "%s", publication->response_topic);
	if (publication->correlation_len)
		memcpy(fake->correlation, publication->correlation, publication->correlation_len);
	if (ret_id)
		*ret_id = fake->id;
	return 0;
}

int bus_open(sd_event *event, const struct bus_settings *settings, const struct bus_options *options,
	     const struct bus_handlers *handlers, void *context, struct bus **ret_bus)
{
	(void)event;
	(void)settings;
	(void)options;
	(void)handlers;
	(void)context;
	*ret_bus = &the_bus;
	return 0;
}

void bus_close(struct bus *bus)
{
	(void)bus;
}

bool bus_connected(const struct bus *bus)
{
	(void)bus;
	return true;
}

int bus_subscribe(struct bus *bus, const char *filter, int qos, enum bus_retained retained)
{
	(void)bus;
	(void)filter;
	(void)qos;
	(void)retained;
	return 0;
}

void bus_flush(struct bus *bus)
{
	(void)bus;
}

void bus_reconnect(struct bus *bus, int64_t delay_ms)
{
	(void)bus;
	(void)delay_ms;
}
