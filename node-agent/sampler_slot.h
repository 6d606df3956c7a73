/* Inside of the sampler: a device at work. All on the loop, but for what says otherwise. */
#pragma once

#include <systemd/sd-event.h>

#include "sampler.h"
#include "worker.h"

enum step { STEP_NONE, STEP_OPEN, STEP_TRIGGER, STEP_FETCH, STEP_CLOSE };

enum { SLOT_FAULT_MAX = DEVICE_ERROR_MAX + 48 };

/* A hook that may run on a worker. */
struct task {
	struct job job;
	bool under_way;
	char error[DEVICE_ERROR_MAX]; /* the driver's words, taken where the hook ran */
};

struct slot {
	struct slot *next;
	struct sampler *sampler;
	struct device *device;
	struct worker *worker;       /* runs its hooks; NULL: the loop */
	sd_event_source *timer;      /* the next step; while one is under way on a worker: whether that takes too long */
	sd_event_source *wake_timer; /* device_wake */
	sd_event_source *beat_timer; /* values that nobody told again in time; NULL: no device that needs it */
	sd_event_source *watch;      /* watch() */
	int fd;                      /* of watch(); -1: none. Written where the hooks run, by open */
	int64_t interval_ms;         /* 0: it is only watched or set */
	int64_t due_ms;              /* clock_boot_ms() of its turn, on the device's own grid */
	int64_t begun_ms;            /* when the step under way was handed over */
	enum step step;              /* under way */
	bool is_open, settling, hung;
	bool hooks_open; /* as is_open, but where the hooks run */
	bool leaving;    /* freed as soon as it is closed */
	struct task turn, notice, wake;
	struct job last; /* closes it when the sampler does */

	/* What fetch or read gave, written where the hooks run. */
	struct value *values;
	bool fresh[CHANNELS_MAX];
	int64_t time_ms;

	char fault[SLOT_FAULT_MAX];
	int fault_code;                              /* errno of it; 0: the device is well */
	int64_t fault_since_ms, retry_ms, failed_ms; /* failed_ms: clock_boot_ms() of the newest try */
	bool silent[CHANNELS_MAX];                   /* what the quantity cannot be came instead */
	/* Faults that come and go are told a few times, then no more. */
	int64_t flap_from_ms;
	int flaps, failures; /* within the span; in a row */
};

/* The worker of a bus, or of all devices of a driver that blocks (bus is then its name). */
struct bus_worker {
	struct bus_worker *next;
	struct worker *worker;
	char bus[];
};

struct sampler {
	sd_event *event;
	struct sampler_hooks hooks;
	void *context;
	double clock_rate;
	int64_t begin_ms; /* from here on simulated time runs at its rate */
	bool started;
	struct slot *slots;
	struct bus_worker *workers;
	struct order *orders;
	struct note *notes;
};

/* ---- sampler_turn.c */

/* The next step: opens, triggers, fetches. */
void slot_turn(struct slot *slot);
/* A hook has failed: the fault is told, the device is closed and tried again later, unless it only answers rubbish (-ERANGE).
 * words   of the driver; "" for none */
void slot_fail(struct slot *slot, int error, const char *words);
/* Runs a task where the device's hooks run; `done` is called with its result, perhaps at once. It must not be under way. */
void slot_run(struct slot *slot, struct task *task, int (*run)(void *slot), void (*done)(void *slot, int result), bool urgent);
/* For `run`: keeps the driver's words in the task. Returns r. */
int slot_keep_words(struct slot *slot, struct task *task, int r);
/* Lets go of the device; it is freed in the end. */
void slot_leave(struct slot *slot);
/* Its turns from now on. */
void slot_start(struct slot *slot);
void slot_free(struct slot *slot);
/* Where the hooks run: closes the device if it is open. */
void slot_close_hooks(struct slot *slot);
/* For the timer of a slot. */
int slot_on_timer(sd_event_source *source, uint64_t now_us, void *userdata);

/* ---- sampler_fault.c */

void slot_begin_fault(struct slot *slot, int error, const char *words);
void slot_end_fault(struct slot *slot);
/* Somebody wants the device now: when it is at fault and was not tried within the last second, the next try does not wait for its time. On the loop it
 * is open afterwards, if it answers; on a worker, when that has come to it. */
void slot_try_now(struct slot *slot);

/* ---- sampler_tell.c */

extern const struct device_services sampler_services;

/* Values that fetch or read gave. Returns 0, or -ERANGE when one is what its quantity cannot be: ret_words then says which (DEVICE_ERROR_MAX bytes). */
int slot_give_all(struct slot *slot, char *ret_words);
/* A channel's value has been told by somebody else, by an output's command. */
void slot_was_told(struct slot *slot, size_t channel, const struct value *value);
/* What hooks on workers have told or asked since: to be called when one has ended. */
void sampler_take_notes(struct sampler *sampler);
void sampler_drop_notes(struct sampler *sampler);
/* Watches what watch() gave. */
int slot_watch(struct slot *slot);
void slot_unwatch(struct slot *slot);

/* ---- sampler_beat.c */

/* A value of a channel has been told: it is told again at its greatest age, when nothing else comes and the device is well. */
void slot_beat(struct slot *slot);

/* ---- sampler_order.c */

/* Frees them all; nobody runs any more. */
void sampler_drop_orders(struct sampler *sampler);
