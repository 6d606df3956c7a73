/* Who asks too often: a bucket of tries per address that fills again with time. Bounded: the addresses that were longest silent are forgotten. An IPv6
 * address counts by its first 64 bits, since a household has that many. */
#pragma once

#include <stdint.h>

struct throttle;

/* burst   tries at once
 * per_ms  a new one each so many milliseconds
 * NULL without memory. */
struct throttle *throttle_open(unsigned burst, int64_t per_ms);
void throttle_close(struct throttle *throttle);

/* Takes a try of an address. now_ms: since boot. Returns 0, or how many milliseconds to wait for the next. */
int64_t throttle_take(struct throttle *throttle, const char *address, int64_t now_ms);
/* Tries that are left, without taking one. */
unsigned throttle_left(const struct throttle *throttle, const char *address, int64_t now_ms);
/* Gives all tries back: the address has proven itself. */
void throttle_forgive(struct throttle *throttle, const char *address);
