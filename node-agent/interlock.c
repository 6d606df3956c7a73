#include "interlock.h"

#include <stddef.h>
#include <string.h>

static struct interlock *members;

void interlock_join(struct interlock *interlock)
{
	if (!interlock->group)
		return;
	interlock->next = members;
	members = interlock;
}

void interlock_leave(struct interlock *interlock)
{
	for (struct interlock **link = &members; *link; link = &(*link)->next)
		if (*link == interlock) {
			*link = interlock->next;
			return;
		}
}

static bool is_rival(const struct interlock *interlock, const struct interlock *other)
{
	return other != interlock && strcmp(other->group, interlock->group) == 0;
}

struct interlock *interlock_rival(const struct interlock *interlock)
{
	for (struct interlock *other = members; interlock->group && other; other = other->next)
		if (is_rival(interlock, other) && other->on)
			return other;
	return NULL;
}

int64_t interlock_rival_off_ns(const struct interlock *interlock)
{
	int64_t newest_ns = 0;

	for (const struct interlock *other = members; interlock->group && other; other = other->next)
		if (is_rival(interlock, other) && other->off_ns > newest_ns)
			newest_ns = other->off_ns;
	return newest_ns;
}
