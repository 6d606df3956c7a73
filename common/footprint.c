#include "footprint.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Code is never written to, so its pages can be let go without loss; data of libraries was relocated and cannot. */
void footprint_trim(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	malloc_trim(0);
	if (!maps)
		return;
	while (fgets(line, sizeof(line), maps)) {
		size_t from, to;
		char rights[5];

		if (sscanf(line, "%zx-%zx %4s", &from, &to, rights) == 3 && strcmp(rights, "r-xp") == 0 && strchr(line, '/'))
			madvise((void *)from, to - from, MADV_DONTNEED);
	}
	fclose(maps);
}
