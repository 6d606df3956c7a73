#include "footprint.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Pages of a file that nobody has written to can be let go without loss: code, constants. What the linker relocated in a library is a copy of our own
 * ("Anonymous"), and cannot. */
void footprint_trim(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	size_t from = 0, to = 0, begin, end, own;
	char line[512], rights[5];

	malloc_trim(0);
	if (!maps)
		return;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%zx-%zx %4s", &begin, &end, rights) == 3) {
			bool of_file = strchr(line, '/') && rights[1] != 'w' && rights[3] == 'p';

			from = of_file ? begin : 0;
			to = end;
		} else if (from && sscanf(line, "Anonymous: %zu", &own) == 1 && own == 0) {
			madvise((void *)from, to - from, MADV_DONTNEED);
		}
	}
	fclose(maps);
}
