#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../common/clock.h"

#ifdef __SANITIZE_ADDRESS__
enum { STACK_BYTES = 512 << 10 }; /* its frames are large */
#else
enum { STACK_BYTES = 64 << 10 };
#endif

struct queue {
	struct job *first, **end;
};

struct worker {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below, until news */
	pthread_cond_t wanted;
	struct queue urgent, waiting, ran;
	const struct job *running;
	int64_t running_since_ms;
	bool is_brief, stop;
	bool ended, abandoned; /* who comes last frees */
	int news;              /* an eventfd: something ran */
	sd_event_source *source;
	sd_event_source *begin; /* of a brief one: once the loop has handed over all that it has */
};

static _Thread_local bool here;

bool worker_is_here(void)
{
	return here;
}

static void append(struct queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->end = job;
	queue->end = &job->next;
}

static struct job *take_first(struct queue *queue)
{
	struct job *job = queue->first;

	if (!job)
		return NULL;
	queue->first = job->next;
	if (!queue->first)
		queue->end = &queue->first;
	return job;
}

static bool take_out(struct queue *queue, const struct job *job)
{
	for (struct job **link = &queue->first; *link; link = &(*link)->next)
		if (*link == job) {
			*link = job->next;
			if (!*link)
				queue->end = link;
			return true;
		}
	return false;
}

static void free_worker(struct worker *worker)
{
	sd_event_source_disable_unref(worker->source);
	sd_event_source_disable_unref(worker->begin);
	if (worker->news >= 0)
		close(worker->news);
	pthread_cond_destroy(&worker->wanted);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

/* ---- the thread ------------------------------------------------------------------------------------------------------------------ */

static struct job *next_job(struct worker *worker)
{
	for (;;) {
		struct job *job = take_first(&worker->urgent);

		if (!job)
			job = take_first(&worker->waiting);
		if (job || worker->stop)
			return job;
		pthread_cond_wait(&worker->wanted, &worker->lock);
	}
}

/* Wakes the loop. With the lock held. */
static void tell(const struct worker *worker)
{
	const uint64_t one = 1;

	if (write(worker->news, &one, sizeof(one)) < 0)
		return; /* only when 2^64 - 1 ends wait */
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct job *job;
	bool abandoned;

	here = true;
	pthread_mutex_lock(&worker->lock);
	while ((job = next_job(worker))) {
		int result;

		job->state = JOB_RUNNING;
		worker->running = job;
		worker->running_since_ms = clock_boot_ms();
		pthread_mutex_unlock(&worker->lock);
		result = job->run(job->context);
		pthread_mutex_lock(&worker->lock);
		worker->running = NULL;
		job->result = result;
		job->state = JOB_RAN;
		append(&worker->ran, job);
		if (!worker->is_brief || job->urgent || (!worker->urgent.first && !worker->waiting.first))
			tell(worker);
	}
	worker->ended = true;
	abandoned = worker->abandoned;
	pthread_mutex_unlock(&worker->lock);
	if (abandoned)
		free_worker(worker);
	return NULL;
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------------- */

/* One at a time: an edge or an order that comes meanwhile does not wait for all of them. */
static int on_news(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct worker *worker = userdata;
	uint64_t count;
	struct job *job;

	(void)source;
	(void)events;
	pthread_mutex_lock(&worker->lock);
	job = take_first(&worker->ran);
	if (job)
		job->state = JOB_IDLE;
	if (!worker->ran.first && read(fd, &count, sizeof(count)) != sizeof(count))
		count = 0; /* can't be: that it is readable is why this runs */
	pthread_mutex_unlock(&worker->lock);
	if (job)
		job->done(job->context, job->result);
	return 0;
}

/* A timer of now: unlike what is deferred, it comes after all that became due before it, and is not held up by what becomes due later. */
static int on_begin(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct worker *worker = userdata;
	bool rests;

	(void)source;
	(void)now_us;
	pthread_mutex_lock(&worker->lock);
	rests = !worker->running && worker->waiting.first;
	pthread_mutex_unlock(&worker->lock);
	if (rests)
		pthread_cond_signal(&worker->wanted);
	return 0;
}

void worker_submit(struct worker *worker, struct job *job, bool urgent)
{
	pthread_mutex_lock(&worker->lock);
	assert(job->state == JOB_IDLE);
	job->state = JOB_WAITING;
	job->urgent = urgent;
	append(urgent ? &worker->urgent : &worker->waiting, job);
	pthread_mutex_unlock(&worker->lock);
	if (!worker->begin || urgent || sd_event_source_set_enabled(worker->begin, SD_EVENT_ONESHOT) < 0)
		pthread_cond_signal(&worker->wanted); /* without the lock, which the thread would wake for and wait */
}

bool worker_cancel(struct worker *worker, struct job *job)
{
	bool found;

	pthread_mutex_lock(&worker->lock);
	found = job->state == JOB_WAITING && (take_out(&worker->urgent, job) || take_out(&worker->waiting, job));
	if (found)
		job->state = JOB_IDLE;
	pthread_mutex_unlock(&worker->lock);
	return found;
}

const struct job *worker_running(struct worker *worker, int64_t *ret_since_ms)
{
	const struct job *job;

	pthread_mutex_lock(&worker->lock);
	job = worker->running;
	*ret_since_ms = worker->running_since_ms;
	pthread_mutex_unlock(&worker->lock);
	return job;
}

bool worker_flush(struct worker *worker, const struct job *job)
{
	bool has_ended;

	pthread_mutex_lock(&worker->lock);
	if (worker->ran.first)
		tell(worker);
	has_ended = job->state == JOB_RAN;
	pthread_mutex_unlock(&worker->lock);
	return has_ended;
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

/* Signals are the loop's. */
static int start(struct worker *worker, const char *name)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, &attributes, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (r == 0)
		pthread_setname_np(worker->thread, name);
	return -r;
}

int worker_open(sd_event *event, const char *name, bool is_brief, struct worker **ret_worker)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r = 0;

	if (!worker)
		return -ENOMEM;
	worker->is_brief = is_brief;
	mallopt(M_ARENA_MAX, 1); /* a thread that allocates little needs no heap of its own */
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wanted, NULL);
	worker->urgent.end = &worker->urgent.first;
	worker->waiting.end = &worker->waiting.first;
	worker->ran.end = &worker->ran.first;
	worker->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->news < 0)
		r = -errno;
	if (r == 0)
		r = sd_event_add_io(event, &worker->source, worker->news, EPOLLIN, on_news, worker);
	if (r >= 0 && is_brief)
		r = sd_event_add_time(event, &worker->begin, CLOCK_BOOTTIME, 0, 1, on_begin, worker);
	if (r >= 0 && is_brief)
		r = sd_event_source_set_enabled(worker->begin, SD_EVENT_OFF);
	if (r >= 0)
		r = start(worker, name);
	if (r < 0) {
		free_worker(worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

bool worker_close(struct worker *worker, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_boot_ms();
	struct timespec deadline;
	bool abandoned = false;

	if (!worker)
		return true;
	pthread_mutex_lock(&worker->lock);
	worker->stop = true;
	pthread_cond_signal(&worker->wanted);
	pthread_mutex_unlock(&worker->lock);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	if (left_ms > 0) {
		int64_t ns = deadline.tv_nsec + left_ms % 1000 * 1000000;

		deadline.tv_sec += (time_t)(left_ms / 1000 + ns / 1000000000);
		deadline.tv_nsec = (long)(ns % 1000000000);
	}
	if (pthread_clockjoin_np(worker->thread, NULL, CLOCK_MONOTONIC, &deadline) != 0) {
		worker->source = sd_event_source_disable_unref(worker->source);
		worker->begin = sd_event_source_disable_unref(worker->begin);
		pthread_mutex_lock(&worker->lock);
		worker->abandoned = !worker->ended;
		abandoned = worker->abandoned;
		pthread_mutex_unlock(&worker->lock);
		if (abandoned)
			pthread_detach(worker->thread);
		else
			pthread_join(worker->thread, NULL); /* in a moment */
	}
	if (!abandoned)
		free_worker(worker);
	return !abandoned;
}
