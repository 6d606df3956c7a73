/* Knows again the messages that the broker delivers a second time though they carry no time of their own: bare readings and commands. Their packet
 * ids and a hash are stored with the batch; what a resumed session brings again has the same id and content (seen with Mosquitto 2.0.11).
 *
 * An entry stays until the broker is known to have our acknowledgement: a message that we published after it was acknowledged, or the broker gives
 * its id to another message. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct repeats;

/* NULL without memory. */
struct repeats *repeats_open(void);
void repeats_close(struct repeats *repeats);

/* What a store keeps of it: the first part with all entries, and further ones with those that came later; `skip` of the entries of all parts,
 * from the oldest on, no longer count. */
struct repeats_part {
	bool whole;     /* the first part; the others that stand there are void */
	unsigned parts; /* whole: so many stood there at most; otherwise so many stand there with this one */
	size_t skip;
	const void *data; /* NULL when it has no entries; valid until the next call */
	size_t len;       /* bytes */
};

enum { REPEATS_PARTS_MAX = 64 };

/* The part to be committed with the batch; false when nothing has changed. To be followed by repeats_committed or repeats_rolled_back. */
bool repeats_next_part(struct repeats *repeats, struct repeats_part *ret_part);
/* The data of all parts, in order, and the last one's skip. Damaged data is taken as none. */
void repeats_load(struct repeats *repeats, const void *data, size_t len, size_t skip);

/* The session is there again (what is delivered first may be repeats) or begins anew. */
void repeats_connected(struct repeats *repeats, bool session_present);

/* Whether this message was committed before. The first that was not ends the search: repeats come before news. */
bool repeats_known(struct repeats *repeats, uint16_t packet_id, const char *topic, const void *payload, size_t len);

/* A message goes into the batch. Returns 0 or -ENOSPC: commit first. */
int repeats_add(struct repeats *repeats, uint16_t packet_id, const char *topic, const void *payload, size_t len);

/* The batch is committed; `marker` is what was published after it (bus_publish's id), -1 for none. */
void repeats_committed(struct repeats *repeats, int marker);
/* The batch was rolled back. */
void repeats_rolled_back(struct repeats *repeats);
/* A marker was acknowledged: the batches before it are proven. */
void repeats_acknowledged(struct repeats *repeats, int marker);

/* Whether a marker should be published after the next commit. */
bool repeats_unproven(const struct repeats *repeats);
