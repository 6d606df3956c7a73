/* Groups of outputs of which one at most is on: a shutter's up and down, a pump's two valves. Between one that goes off and another that
 * goes on lies a dead time, so that motors and relays come to rest.
 *
 * The devices of a group do not know each other, so the list of members is the process's. All of them run on the loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct device;

struct interlock {
	const char *group; /* NULL: in none */
	struct device *device;
	bool on;        /* or about to be, after the dead time */
	bool coming;    /* that */
	int64_t off_ns; /* when it last went off (gpio_now_ns); 0: never */
	struct interlock *next;
};

/* interlock->group and ->device are set; it stays where it is until it has left. Leaving twice is fine. */
void interlock_join(struct interlock *interlock);
void interlock_leave(struct interlock *interlock);

/* The other of its group that is on or coming; NULL: none. */
struct interlock *interlock_rival(const struct interlock *interlock);

/* When the last of the others went off; 0: never. */
int64_t interlock_rival_off_ns(const struct interlock *interlock);
