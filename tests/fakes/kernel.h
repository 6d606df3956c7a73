/* The kernel's small files, played by a folder of the test's own (FOYER_ROOT, node-agent/sysfs.h). */
#pragma once

/* For cmocka: an empty one, and its end. */
int kernel_begin(void **state);
int kernel_end(void **state);

/* Writes a file with the folders that it needs: kernel_put("/sys/class/thermal/thermal_zone0/temp", "48312\n"). */
void kernel_put(const char *path, const char *text);
/* A symbolic link to a path as it is given. */
void kernel_link(const char *path, const char *target);
/* Takes a file or a whole folder away. */
void kernel_take(const char *path);
/* What a file has; valid until the next call. */
const char *kernel_text(const char *path);
