/* What an output does when the agent starts and stops, and when nobody can reach it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../common/value.h"

enum initial { INITIAL_KEEP, INITIAL_LAST, INITIAL_VALUE };
enum on_stop { ON_STOP_KEEP, ON_STOP_SAFE, ON_STOP_VALUE };

/* The keys of an output. */
struct safety {
	enum initial initial; /* when the agent starts */
	struct value initial_value;
	bool has_safe;
	struct value safe;
	int64_t safe_after_ms; /* the broker is away for so long; 0: whatever happens it stays as it is */
	enum on_stop on_stop;
	struct value on_stop_value;
};
