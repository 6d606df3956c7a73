/* A value that someone asks an output to take, and what became of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "series.h"
#include "value.h"

enum { COMMAND_ID_MAX = 64, COMMAND_BY_MAX = 64, COMMAND_ERROR_MAX = 160 }; /* bytes, without NUL */

struct command {
	struct series series;
	struct value value;
	char id[COMMAND_ID_MAX + 1]; /* "" when the sender gave none */
	char by[COMMAND_BY_MAX + 1]; /* who asked; "" when unknown */
	int64_t expires_ms;          /* UTC; 0 when it does not lapse */
};

struct command_result {
	struct series series;
	char id[COMMAND_ID_MAX + 1];
	bool ok;
	bool has_value; /* the value that the output has now */
	struct value value;
	char error[COMMAND_ERROR_MAX + 1]; /* when !ok: "over 180" */
	int64_t time_ms;                   /* UTC; TIME_NONE when not told */
};
