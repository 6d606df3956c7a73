/* A folder of its own for a test, gone when the test ends. */
#pragma once

/* Makes it; the path stays valid until folder_remove. */
const char *folder_make(void);
void folder_remove(void);

/* The path of a name in it; valid until the next but three calls. */
const char *folder_path(const char *name);

/* Writes a small file into it; returns its path as folder_path does. */
const char *folder_write(const char *name, const char *text);
