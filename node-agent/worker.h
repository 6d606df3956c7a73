/* A thread for work that waits for a chip or for the kernel: a queue of jobs, whose ends come back on the event loop. Only the thread and this room see
 * the queue's lock; everything else stays on the loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct worker;

enum job_state { JOB_IDLE, JOB_WAITING, JOB_RUNNING, JOB_RAN };

/* The caller's memory; it may be submitted again from `done` on. */
struct job {
	int (*run)(void *context);               /* on the worker */
	void (*done)(void *context, int result); /* on the loop, afterwards */
	void *context;
	/* The worker's own: */
	struct job *next;
	enum job_state state;
	bool urgent;
	int result;
};

/* Starts a thread.
 * name      up to 15 bytes, as ps shows it
 * is_brief  its jobs take milliseconds: what the loop submits in one go runs in one go, and comes back in one go, so that few wake-ups serve many
 *           jobs; an urgent one waits for nobody and comes back at once
 * Returns 0 or a negative errno. */
int worker_open(sd_event *event, const char *name, bool is_brief, struct worker **ret_worker);

/* Runs what is queued, ends the thread, frees; `done` is not called any more. A job that hangs is waited for until deadline_ms (clock_boot_ms()): then the
 * thread is left to itself with all that it may still touch, which is never freed, and false comes back. NULL is fine (true). */
bool worker_close(struct worker *worker, int64_t deadline_ms);

/* Adds a job, which must be idle. urgent: before all that wait and are not. */
void worker_submit(struct worker *worker, struct job *job, bool urgent);

/* Takes back a job that still waits: true, it will neither run nor be done. Otherwise false: it is idle, or its end is to come. */
bool worker_cancel(struct worker *worker, struct job *job);

/* The job that runs now and since when (clock_boot_ms()); NULL when none does. For comparing only: it may end at any moment. */
const struct job *worker_running(struct worker *worker, int64_t *ret_since_ms);

/* When a brief job turns out to hang, the ends of those before it have not come back yet: now they come. Returns whether `job` is one of them. */
bool worker_flush(struct worker *worker, const struct job *job);

/* Whether the caller is on some worker's thread. */
bool worker_is_here(void);
