/* links: node-agent/worker.c */
/* Threads for what waits: order, cancelling, and the end of a thread that hangs. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../common/clock.h"
#include "../../node-agent/worker.h"

enum { JOBS = 8, SOON_MS = 20000 };

static sd_event *event;
static struct worker *worker;
static sem_t gate; /* posted to let a job that waits at it go */
static char ran[64], done[64];
static pthread_t ran_on;

static struct task {
	struct job job;
	char name;
	bool waits;
} tasks[JOBS];

static int run(void *context)
{
	struct task *task = context;

	if (task->waits)
		sem_wait(&gate);
	strncat(ran, &task->name, 1);
	ran_on = pthread_self();
	return task->name;
}

static void on_done(void *context, int result)
{
	struct task *task = context;

	assert_int_equal(task->name, result);
	assert_false(worker_is_here());
	strncat(done, &task->name, 1);
}

static int begin_with(bool is_brief)
{
	sem_init(&gate, 0, 0);
	ran[0] = done[0] = '\0';
	for (int i = 0; i < JOBS; i++)
		tasks[i] = (struct task){ .job = { .run = run, .done = on_done, .context = &tasks[i] }, .name = (char)('a' + i) };
	sd_event_new(&event);
	assert_int_equal(0, worker_open(event, "test", is_brief, &worker));
	return 0;
}

static int begin(void **state)
{
	(void)state;
	return begin_with(false);
}

static int begin_brief(void **state)
{
	(void)state;
	return begin_with(true);
}

static int end(void **state)
{
	(void)state;
	assert_true(worker_close(worker, clock_boot_ms() + SOON_MS));
	worker = NULL;
	event = sd_event_unref(event);
	sem_destroy(&gate);
	return 0;
}

static void submit(int index, bool urgent)
{
	worker_submit(worker, &tasks[index].job, urgent);
}

/* The first job runs until the gate opens. */
static void hold(void)
{
	int64_t since_ms;

	tasks[0].waits = true;
	submit(0, false);
	while (worker_running(worker, &since_ms) != &tasks[0].job)
		sd_event_run(event, 0);
}

static void wait_for(const char *expected)
{
	while (strlen(done) < strlen(expected))
		assert_true(sd_event_run(event, UINT64_MAX) >= 0);
	assert_string_equal(expected, done);
	assert_string_equal(expected, ran);
}

static void jobs_run_one_after_the_other_on_another_thread(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		submit(i, false);
	wait_for("abcd");
	assert_false(pthread_equal(ran_on, pthread_self()));
	submit(0, false); /* again */
	wait_for("abcda");
}

static void what_is_urgent_goes_before_what_waits(void **state)
{
	(void)state;
	hold();
	submit(1, false);
	submit(2, false);
	submit(3, true);
	submit(4, true);
	sem_post(&gate);
	wait_for("adebc");
}

/* One wake-up of the loop brings all these ends. */
static void wait_once(const char *expected)
{
	size_t before = strlen(done);

	while (strlen(done) == before)
		assert_true(sd_event_run(event, UINT64_MAX) >= 0);
	while (sd_event_run(event, 0) > 0)
		;
	assert_string_equal(expected, done);
}

static void brief_jobs_that_wait_together_come_back_together(void **state)
{
	(void)state;
	hold();
	for (int i = 1; i < 4; i++)
		submit(i, false);
	sem_post(&gate);
	wait_once("abcd");
	assert_string_equal("abcd", ran);
	for (int i = 1; i < 4; i++)
		submit(i, false);
	wait_once("abcdbcd"); /* nobody held them: they begin together too */
	done[0] = '\0';
	hold();
	submit(4, true); /* an urgent one, with all that ended before it */
	tasks[5].waits = true;
	submit(5, false);
	sem_post(&gate);
	wait_once("ae");
	sem_post(&gate);
	wait_once("aef");
}

static void a_brief_job_that_hangs_keeps_back_those_before_it_until_somebody_looks(void **state)
{
	int64_t since_ms;

	(void)state;
	hold();
	submit(1, false);
	tasks[2].waits = true;
	submit(2, false);
	sem_post(&gate);
	while (worker_running(worker, &since_ms) != &tasks[2].job || sd_event_run(event, 0) > 0)
		;
	assert_string_equal("", done); /* nothing yet */
	assert_true(worker_flush(worker, &tasks[1].job));
	assert_false(worker_flush(worker, &tasks[2].job));
	wait_once("ab");
	assert_false(worker_flush(worker, &tasks[1].job)); /* it is back */
	sem_post(&gate);
	wait_for("abc");
}

static void a_job_that_waits_can_be_taken_back_and_one_that_runs_cannot(void **state)
{
	int64_t since_ms;

	(void)state;
	assert_false(worker_cancel(worker, &tasks[0].job));
	hold();
	assert_ptr_equal(&tasks[0].job, worker_running(worker, &since_ms));
	assert_true(clock_boot_ms() >= since_ms);
	submit(1, false);
	submit(2, true);
	assert_false(worker_cancel(worker, &tasks[0].job));
	assert_true(worker_cancel(worker, &tasks[1].job));
	assert_false(worker_cancel(worker, &tasks[1].job));
	submit(3, false); /* the queue is still whole */
	assert_true(worker_cancel(worker, &tasks[2].job));
	submit(4, true);
	sem_post(&gate);
	wait_for("aed");
	assert_null(worker_running(worker, &since_ms));
}

static void closing_runs_what_is_queued_and_tells_nobody(void **state)
{
	(void)state;
	tasks[0].waits = true;
	submit(0, false);
	submit(1, false);
	sem_post(&gate);
	assert_true(worker_close(worker, clock_boot_ms() + SOON_MS));
	assert_string_equal("ab", ran);
	assert_string_equal("", done);
	worker = NULL;
}

static void a_job_that_hangs_is_left_to_itself_at_the_deadline(void **state)
{
	int64_t begin_ms = clock_boot_ms();

	(void)state;
	tasks[0].waits = true;
	submit(0, false);
	submit(1, false);
	assert_false(worker_close(worker, begin_ms + 50));
	assert_true(clock_boot_ms() - begin_ms >= 50);
	worker = NULL;
	sem_post(&gate); /* the thread ends by itself, later */
	while (!__atomic_load_n(&ran[1], __ATOMIC_SEQ_CST))
		;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(jobs_run_one_after_the_other_on_another_thread),
		TEST(what_is_urgent_goes_before_what_waits),
		TEST(a_job_that_waits_can_be_taken_back_and_one_that_runs_cannot),
		cmocka_unit_test_setup_teardown(brief_jobs_that_wait_together_come_back_together, begin_brief, end),
		cmocka_unit_test_setup_teardown(a_brief_job_that_hangs_keeps_back_those_before_it_until_somebody_looks, begin_brief,
						end),
		TEST(closing_runs_what_is_queued_and_tells_nobody),
		TEST(a_job_that_hangs_is_left_to_itself_at_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
