/* What hardware is here: --probe. Prints a configuration file: what was found and what is missing as comments, and a section for each device that is
 * surely there; what only may be there, or needs a person's word, as commented sections. */
#pragma once

#include <stdio.h>

/* Returns an exit status: 0, also when there is nothing. */
int probe(FILE *out);
