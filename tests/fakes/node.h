/* A node made from the text of its configuration. */
#pragma once

#include "../../node-agent/settings.h"

extern struct settings node;

/* Reads it; returns the mistakes as text ("" when there are none), without the file's name; valid until the next call. */
const char *node_read(const char *text);
/* Reads a device "dev" of the node "salon", which must be without mistakes: `keys` are the lines of its section. */
struct device *node_device(const char *keys);
void node_done(void);
