/* One device tried from the shell: --read DEVICE and --set DEVICE=VALUE, with the configuration, but without a broker. */
#pragma once

#include <stdbool.h>

#include "settings.h"

/* What the command line asks for; all NULL and false: the node's ordinary work. */
struct try_words {
	bool probe;
	const char *read; /* DEVICE */
	const char *set;  /* DEVICE=VALUE or DEVICE/QUANTITY=VALUE */
};

/* Takes --probe, --read DEVICE and --set DEVICE=VALUE out of the command line. A --set whose key has a dot is an override of the configuration and
 * stays. Returns 0, or -EINVAL after a message. */
int try_take_words(int *argc, char **argv, struct try_words *ret_words);

/* Opens the device, prints each of its quantities once ("air/temperature 21.4 °C") and closes it. Returns an exit status: 1 with a message on standard
 * error when it does not open or says nothing. An output is refused, since opening it would set it. */
int try_read(const struct settings *settings, const char *name);

/* Sets an output, prints what it has then, and holds it until Ctrl-C where it would fall back. Returns an exit status: 1 when the chip or the
 * line refuses, 2 when there is no such output or it can't take that value. */
int try_set(const struct settings *settings, const char *text);
