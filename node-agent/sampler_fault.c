/* Faults: told when they begin and when they end, not each time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "i2c.h"
#include "sampler_slot.h"

enum {
	RETRY_FIRST_MS = 1000,
	RETRY_LAST_MS = 60000,
	FLAP_SPAN_MS = 600000, /* faults that come and go so often ... */
	FLAPS_TOLD = 5,        /* ... are told in the log so many times in that span, */
	FAILURES_TOLD = 5,     /* and when one stays for so many tries */
};

/* The driver's own words, else those of the bus, else the system's. */
static void word_fault(struct slot *slot, int error, const char *words)
{
	const struct device *device = slot->device;

	if (words[0])
		snprintf(slot->fault, sizeof(slot->fault), "%s", words);
	else if (device->driver->i2c_addresses)
		i2c_explain(device->bus, device->address, error, slot->fault, sizeof(slot->fault));
	else
		snprintf(slot->fault, sizeof(slot->fault), "%s", strerror(-error));
}

static bool is_flapping(struct slot *slot)
{
	return slot->flaps > FLAPS_TOLD;
}

static void count_flap(struct slot *slot)
{
	int64_t now_ms = clock_boot_ms();

	if (now_ms - slot->flap_from_ms > FLAP_SPAN_MS) {
		slot->flap_from_ms = now_ms;
		slot->flaps = 0;
	}
	slot->flaps++;
}

static void tell_begin(struct slot *slot, bool news)
{
	const char *name = slot->device->name;

	if (news && !is_flapping(slot))
		log_warning("%s: %s, trying again%s", name, slot->fault,
			    slot->flaps == FLAPS_TOLD ? "; it comes and goes, told again when it stays" : "");
	else if (is_flapping(slot) && slot->failures == FAILURES_TOLD)
		log_warning("%s: %s, and it stays", name, slot->fault);
}

void slot_begin_fault(struct slot *slot, int error, const char *words)
{
	bool news = slot->fault_code != error; /* the same fault in other words ("99 is over ...") is none */

	word_fault(slot, error, words);
	slot->failures++;
	slot->failed_ms = clock_boot_ms();
	if (!slot->fault_code) {
		slot->fault_since_ms = clock_wall_ms();
		count_flap(slot);
	}
	slot->fault_code = error;
	tell_begin(slot, news);
	if (news && slot->sampler->hooks.health)
		slot->sampler->hooks.health(slot->sampler->context);
	if (error == -ERANGE)
		return; /* it answers: it stays on its turns */
	slot->retry_ms = slot->retry_ms ? slot->retry_ms * 2 : RETRY_FIRST_MS;
	if (slot->retry_ms > RETRY_LAST_MS)
		slot->retry_ms = RETRY_LAST_MS;
}

void slot_end_fault(struct slot *slot)
{
	bool told = !is_flapping(slot) || slot->failures >= FAILURES_TOLD;

	slot->retry_ms = 0;
	slot->failures = 0;
	if (!slot->fault_code)
		return;
	if (told)
		log_info("%s: answers again", slot->device->name);
	slot->fault[0] = '\0';
	slot->fault_code = 0;
	if (slot->sampler->hooks.health)
		slot->sampler->hooks.health(slot->sampler->context);
}

void slot_try_now(struct slot *slot)
{
	if (!slot->is_open && !slot->hung && !slot->leaving && slot->step == STEP_NONE && slot->sampler->started &&
	    slot->fault_code && clock_boot_ms() - slot->failed_ms >= RETRY_FIRST_MS)
		slot_turn(slot);
}
