/* Passwords, hashed by yescrypt (libcrypt, crypt(5)) on a thread of its own: that takes a good part of a second on a small Pi, and the house's pages do
 * not wait for it. Alone knows libcrypt, and is the one place of webd with a thread. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "../common/site.h"

struct hasher;

enum { HASHER_PASSWORD_MIN = 8, HASHER_PASSWORD_MAX = 128 }; /* bytes; NIST SP 800-63B, 5.1.1.2 */

/* Returns 0 or a negative errno. The thread begins with the first password. */
int hasher_open(sd_event *event, struct hasher **ret_hasher);
/* Waits for a hash under way; for what waits `done` is called with ok false. */
void hasher_close(struct hasher *hasher);

/* Called from the loop (or hasher_close). ok: the password fits, or its hash was made. hash: valid only inside; "" when it was not asked for. */
typedef void hasher_done(void *context, bool ok, const char *hash);

/* Both copy what they are given. -EAGAIN when too many wait already, -ENOMEM. */
int hasher_make(struct hasher *hasher, const char *password, hasher_done *done, void *context);
/* hash NULL: of nobody; takes as long as any other, and fits never, so that time does not tell which names there are. */
int hasher_check(struct hasher *hasher, const char *password, const char *hash, hasher_done *done, void *context);
