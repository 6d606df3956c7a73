#include "wear.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/clock.h"
#include "../common/written.h"

enum { NOTE_MS = 600000 };

struct wear {
	struct written written;
	int64_t bytes;    /* the kernel's count at the last note; -1: it gives none */
	int64_t noted_ms; /* since boot */
	bool loaded;
};

static int64_t bytes_written(void)
{
	FILE *file = fopen("/proc/self/io", "re");
	int64_t bytes = -1;
	char line[80];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "write_bytes: %" SCNd64, &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

struct wear *wear_open(void)
{
	struct wear *wear = calloc(1, sizeof(*wear));

	if (wear) {
		wear->bytes = bytes_written();
		wear->noted_ms = clock_boot_ms();
	}
	return wear;
}

void wear_close(struct wear *wear)
{
	free(wear);
}

void wear_load(struct wear *wear, struct store *store)
{
	char text[WRITTEN_TEXT_MAX];
	int len;

	if (wear->loaded)
		return;
	len = store_load_state(store, WRITTEN_STATE, text, sizeof(text));
	written_parse(&wear->written, text, len > 0 ? (size_t)len : 0);
	wear->loaded = true;
}

int wear_note(struct wear *wear, struct store *store)
{
	int64_t now_ms = clock_boot_ms(), bytes;
	char text[WRITTEN_TEXT_MAX];

	if (now_ms - wear->noted_ms < NOTE_MS || wear->bytes < 0)
		return 0;
	bytes = bytes_written();
	written_add(&wear->written, clock_wall_ms(), bytes - wear->bytes, now_ms - wear->noted_ms);
	wear->bytes = bytes;
	wear->noted_ms = now_ms;
	return store_save_state(store, WRITTEN_STATE, text, written_format(&wear->written, text));
}
