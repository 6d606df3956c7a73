#include "pace.h"

enum {
	QUIET_MS = 50, /* a lone reading is given this long for company, half of what is promised */
	STALL_MS = 25, /* a broker with more to send would have sent it by now, unless messages come slowly anyway */
	STALL_FACTOR = 10,
	RESUME_MS = 250, /* what came within this time of a commit had been waiting for it */
	WINDOW_MIN = 20, /* Mosquitto's default max_inflight_messages; few brokers grant less */
	/* So many in a transaction cost next to nothing more each when there are more of them, but memory, and the broker its breath: it goes on
	 * evenly when acknowledgements come in small portions (measured: 0.85 of its own rate by 10 000, 0.95 by 500). */
	FULL = 500,
	REST_FACTOR = 4, /* a slow card rests four times as long as it wrote */
};

void pace_init(struct pace *pace, int64_t interval_ms, unsigned batch)
{
	*pace = (struct pace){
		.interval_ms = interval_ms,
		.batch = batch,
		.floor = WINDOW_MIN,
		.commit_ms = INT64_MIN / 2,
	};
}

void pace_connected(struct pace *pace)
{
	pace->waiting = false;
	pace->flood = false;
	pace->pending = 0;
	pace->unacked = 0;
	pace->window = 0;
	pace->trial = 0;
	pace->floor = WINDOW_MIN;
}

/* The silence that says that the broker waits: much longer than messages are apart. Five readings a second are no waiting broker. */
static int64_t stall_ms(const struct pace *pace)
{
	int64_t apart_ms = (pace->last_ms - pace->first_ms) * STALL_FACTOR / (int64_t)(pace->pending > 1 ? pace->pending - 1 : 1);

	return apart_ms > STALL_MS ? apart_ms : STALL_MS;
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

static bool stalled(const struct pace *pace, int64_t now_ms)
{
	return pace->unacked >= pace->floor && now_ms - pace->last_ms >= stall_ms(pace);
}

void pace_message(struct pace *pace, int64_t now_ms, bool acknowledge)
{
	if (pace->trial && now_ms - pace->commit_ms > RESUME_MS) { /* the burst was merely over */
		pace->floor = pace->trial + 1;
		pace->trial = 0;
	}
	if (!pace->waiting)
		pace->first_ms = now_ms;
	pace->waiting = true;
	pace->last_ms = now_ms;
	pace->pending++;
	if (acknowledge)
		pace->unacked++;
	if (pace->trial && pace->unacked >= (pace->trial + 1) / 2) { /* so many as soon as we acknowledged: they had waited */
		pace->window = pace->trial;
		pace->trial = 0;
	}
	if (pace->window && pace->unacked > pace->window) { /* it sends more: a lull was taken for a wait */
		pace->floor = pace->unacked * 2;
		pace->window = 0;
	}
}

void pace_committed(struct pace *pace, int64_t begun_ms, int64_t now_ms)
{
	pace->trial = !pace->window && stalled(pace, begun_ms) ? pace->unacked : 0;
	pace->flood = pace->pending >= FULL;
	pace->waiting = false;
	pace->pending = 0;
	pace->unacked = 0;
	pace->commit_ms = now_ms;
	pace->took_ms = now_ms - begun_ms;
}

int64_t pace_due_ms(const struct pace *pace)
{
	unsigned limit = pace->window && pace->window < pace->batch ? pace->window : pace->batch;
	int64_t due_ms;

	if (!pace->waiting)
		return INT64_MAX;
	if (pace->unacked >= (limit + 1) / 2) /* half: the broker sends the other half meanwhile */
		return 0;
	if (pace->first_ms - pace->commit_ms >= pace->interval_ms)
		due_ms = pace->first_ms + QUIET_MS;
	else
		due_ms = pace->commit_ms + pace->interval_ms;
	if (pace->pending >= FULL)
		due_ms = earlier(due_ms, pace->commit_ms + pace->took_ms * REST_FACTOR);
	if (pace->unacked >= pace->floor || pace->flood) /* the rest of a flood need not wait either */
		due_ms = earlier(due_ms, pace->last_ms + stall_ms(pace));
	return due_ms;
}
