#include "refusals.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log.h"

enum {
	PERIOD_MS = 60000,
	CAUSES_MAX = 31,
};

struct told {
	uint32_t cause;  /* a hash */
	int64_t told_ms; /* 0: none yet */
	unsigned silent; /* refusals since */
};

struct refusals {
	struct told causes[CAUSES_MAX];
	struct told others; /* those that find no place */
};

struct refusals *refusals_open(void)
{
	return calloc(1, sizeof(struct refusals));
}

void refusals_close(struct refusals *refusals)
{
	free(refusals);
}

/* Topic and reason without what changes from payload to payload: numbers, and what is quoted of it. */
static uint32_t hash_cause(const char *topic, const char *reason)
{
	uint32_t hash = 2166136261U;
	bool quoted = false;

	for (const char *p = topic; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	for (const char *p = reason; *p; p++) {
		quoted ^= *p == '"';
		if (!quoted && !strchr("0123456789.+-", *p))
			hash = (hash ^ (unsigned char)*p) * 16777619U;
	}
	return hash;
}

/* Whether it is time to tell; otherwise it is counted. */
static bool is_due(struct told *told, int64_t now_ms)
{
	if (!told->told_ms || now_ms - told->told_ms >= PERIOD_MS)
		return true;
	told->silent++;
	return false;
}

static struct told *place_of(struct refusals *refusals, uint32_t cause, int64_t now_ms)
{
	struct told *oldest = refusals->causes;

	for (struct told *told = refusals->causes; told < refusals->causes + CAUSES_MAX; told++) {
		if (told->told_ms && told->cause == cause)
			return told;
		if (told->told_ms < oldest->told_ms)
			oldest = told;
	}
	if (oldest->told_ms && now_ms - oldest->told_ms < PERIOD_MS)
		return NULL;
	*oldest = (struct told){ .cause = cause };
	return oldest;
}

void refusals_tell(struct refusals *refusals, const char *topic, const char *reason, int64_t now_ms)
{
	struct told *told = place_of(refusals, hash_cause(topic, reason), now_ms);

	if (!told) {
		told = &refusals->others;
		if (!is_due(told, now_ms))
			return;
		log_warning("%s: refused: %s; so many causes at once that others are only counted (%u), table rejected has the "
			    "newest 1000",
			    topic, reason, told->silent + 1);
	} else {
		if (!is_due(told, now_ms))
			return;
		if (told->silent)
			log_warning("%s: refused: %s (and %u more since the last line)", topic, reason, told->silent);
		else
			log_warning("%s: refused: %s", topic, reason);
	}
	told->told_ms = now_ms;
	told->silent = 0;
}
