/* Serial numbers that are never given twice, across crashes and clock changes: a file holds a number that is higher than any given. */
#pragma once

#include <stdint.h>

struct serial {
	int64_t next, reserved;
	int64_t retry; /* no earlier try to reserve, after one failed: a number */
	char *path;    /* NULL: nothing is remembered */
};

/* Begins after the highest number that was ever reserved; without a folder at the wall clock's microseconds.
 * Returns 0, or a negative errno when the folder can't be used (the clock serves then). */
int serial_init(struct serial *serial, const char *state_dir);
void serial_done(struct serial *serial);

/* From here on at least `next`. */
void serial_raise(struct serial *serial, int64_t next);

int64_t serial_next(struct serial *serial);
