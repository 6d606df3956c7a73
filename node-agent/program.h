/* A program that runs beside the agent: started without a shell, its output taken as it comes, ended with all that it started. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../common/buffer.h"

enum {
	PROGRAM_OUTPUT_MAX = 64 * 1024, /* bytes of output at a time; one that says more is ended */
	PROGRAM_LINE_MAX = 80,          /* what is kept of the last line on standard error */
	PROGRAM_WORDS_MAX = 32,
	PROGRAM_NUL = 0x01, /* stands in the output where a NUL was: no text either, but it does not end one */
};

struct program;

/* Splits a command line into words at white space; "double" and 'single' quotes keep white space in a word, and there is no more
 * to it.
 * text   is written into; words point into it
 * Returns the number of words, -EINVAL for an open quote, no word or more than PROGRAM_WORDS_MAX - 1. A NULL follows the words. */
int program_split(char *text, char *ret_words[PROGRAM_WORDS_MAX]);

/* Makes one that is not running. The caller closes; NULL may be closed. */
int program_open(struct program **ret_program);
void program_close(struct program *program);

/* A descriptor that turns readable when program_take has something to do; the same from open to close. */
int program_fd(const struct program *program);

/* Starts it, in a process group of its own, with nothing on standard input; what it said before is forgotten. words[0] is looked
 * for in PATH.
 * Returns 0 or a negative errno: -ENOENT there is no such program, -EACCES, -EBUSY it runs. */
int program_start(struct program *program, char *const words[]);
bool program_runs(const struct program *program);

/* Takes in what it said. Returns 1 when it ended with it, 0 when it goes on, -EMSGSIZE when it said too much and was ended. */
int program_take(struct program *program);

/* What it said on standard output and nobody dropped yet. */
struct buffer *program_output(struct program *program);
/* After its end: "", or what was wrong: "status 2: no such sensor" (its last line on standard error), "killed by signal 9". */
const char *program_fault(const struct program *program);

/* Kills it with its whole group; nothing is left of it afterwards. */
void program_stop(struct program *program);
