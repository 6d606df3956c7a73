#include "hasher.h"

#include <crypt.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { JOBS_MAX = 16 };

struct job {
	struct job *next;
	bool make, ok;
	char password[HASHER_PASSWORD_MAX + 1];
	char hash[SITE_HASH_MAX + 1];
	hasher_done *done;
	void *context;
};

struct queue {
	struct job *first, *last;
};

struct hasher {
	pthread_mutex_t lock; /* of all that follows, but for the event source */
	pthread_cond_t work;
	pthread_t thread;
	struct queue waiting, finished;
	unsigned count; /* of both */
	bool running, stopping;
	int fd; /* wakes the loop */
	sd_event_source *source;
};

static void put(struct queue *queue, struct job *job)
{
	job->next = NULL;
	if (queue->last)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
}

static struct job *take(struct queue *queue)
{
	struct job *job = queue->first;

	if (job) {
		queue->first = job->next;
		if (!queue->first)
			queue->last = NULL;
	}
	return job;
}

static void free_job(struct job *job)
{
	explicit_bzero(job, sizeof(*job));
	free(job);
}

/* ---- on the thread -------------------------------------------------------------------------------------------------------------------- */

static void do_job(struct job *job)
{
	static const char yescrypt[] = "$y$";
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB: not for a small stack */
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *made = NULL;

	if (data && !job->make && job->hash[0])
		made = crypt_rn(job->password, job->hash, data, sizeof(*data));
	else if (data && crypt_gensalt_rn(yescrypt, 0, NULL, 0, salt, sizeof(salt)))
		made = crypt_rn(job->password, salt, data, sizeof(*data));
	if (!made || strlen(made) > SITE_HASH_MAX)
		made = NULL;
	if (job->make && made)
		strcpy(job->hash, made);
	job->ok = made && job->hash[0] && strcmp(made, job->hash) == 0;
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
}

static void *work(void *context)
{
	static const uint64_t one = 1;
	struct hasher *hasher = context;

	pthread_mutex_lock(&hasher->lock);
	while (!hasher->stopping) {
		struct job *job = take(&hasher->waiting);

		if (!job) {
			pthread_cond_wait(&hasher->work, &hasher->lock);
			continue;
		}
		pthread_mutex_unlock(&hasher->lock);
		do_job(job);
		pthread_mutex_lock(&hasher->lock);
		put(&hasher->finished, job);
		if (write(hasher->fd, &one, sizeof(one)) < 0)
			continue; /* full: it is awake already */
	}
	pthread_mutex_unlock(&hasher->lock);
	return NULL;
}

/* ---- on the loop ---------------------------------------------------------------------------------------------------------------------- */

static int on_finished(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct hasher *hasher = context;
	uint64_t count;
	struct job *job;

	(void)source;
	(void)events;
	if (read(fd, &count, sizeof(count)) < 0)
		return 0;
	do {
		pthread_mutex_lock(&hasher->lock);
		job = take(&hasher->finished);
		if (job)
			hasher->count--;
		pthread_mutex_unlock(&hasher->lock);
		if (job) {
			job->done(job->context, job->ok, job->make && job->ok ? job->hash : "");
			free_job(job);
		}
	} while (job);
	return 0;
}

/* Signals are the loop's. */
static int start(struct hasher *hasher)
{
	sigset_t all, before;
	int r;

	if (hasher->running)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&hasher->thread, NULL, work, hasher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	hasher->running = r == 0;
	return -r;
}

static int add_job(struct hasher *hasher, const struct job *wanted, const char *password)
{
	struct job *job;
	int r = start(hasher);

	if (r < 0)
		return r;
	if (strlen(password) > HASHER_PASSWORD_MAX)
		password = ""; /* nobody has such a one */
	job = malloc(sizeof(*job));
	if (!job)
		return -ENOMEM;
	*job = *wanted;
	strcpy(job->password, password);
	pthread_mutex_lock(&hasher->lock);
	if (hasher->count < JOBS_MAX) {
		hasher->count++;
		put(&hasher->waiting, job);
		job = NULL;
		pthread_cond_signal(&hasher->work);
	}
	pthread_mutex_unlock(&hasher->lock);
	if (!job)
		return 0;
	free_job(job);
	return -EAGAIN;
}

int hasher_make(struct hasher *hasher, const char *password, hasher_done *done, void *context)
{
	const struct job job = { .make = true, .done = done, .context = context };

	return add_job(hasher, &job, password);
}

int hasher_check(struct hasher *hasher, const char *password, const char *hash, hasher_done *done, void *context)
{
	struct job job = { .done = done, .context = context };

	if (hash)
		snprintf(job.hash, sizeof(job.hash), "%s", hash);
	return add_job(hasher, &job, password);
}

int hasher_open(sd_event *event, struct hasher **ret_hasher)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));
	int r;

	if (!hasher)
		return -ENOMEM;
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->work, NULL);
	hasher->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = hasher->fd < 0 ? -errno : sd_event_add_io(event, &hasher->source, hasher->fd, EPOLLIN, on_finished, hasher);
	if (r < 0) {
		hasher_close(hasher);
		return r;
	}
	*ret_hasher = hasher;
	return 0;
}

void hasher_close(struct hasher *hasher)
{
	struct job *job;

	if (!hasher)
		return;
	if (hasher->running) {
		pthread_mutex_lock(&hasher->lock);
		hasher->stopping = true;
		pthread_cond_signal(&hasher->work);
		pthread_mutex_unlock(&hasher->lock);
		pthread_join(hasher->thread, NULL);
	}
	while ((job = take(&hasher->waiting)) || (job = take(&hasher->finished))) {
		job->done(job->context, false, "");
		free_job(job);
	}
	sd_event_source_disable_unref(hasher->source);
	if (hasher->fd >= 0)
		close(hasher->fd);
	pthread_cond_destroy(&hasher->work);
	pthread_mutex_destroy(&hasher->lock);
	free(hasher);
}
