#include "kernel.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static const char *full(const char *path)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "%s%s", root, path);
	return buf;
}

static void make_folders(char *path)
{
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

int kernel_begin(void **state)
{
	(void)state;
	strcpy(root, "/tmp/foyer-test-XXXXXX");
	assert(mkdtemp(root));
	return setenv("FOYER_ROOT", root, 1);
}

int kernel_end(void **state)
{
	(void)state;
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return unsetenv("FOYER_ROOT");
}

void kernel_put(const char *path, const char *text)
{
	char name[512];
	FILE *file;

	strcpy(name, full(path));
	make_folders(name);
	file = fopen(name, "w");
	assert(file);
	fputs(text, file);
	fclose(file);
}

void kernel_link(const char *path, const char *target)
{
	char name[512];
	int r;

	strcpy(name, full(path));
	make_folders(name);
	r = symlink(target, name);
	assert(r == 0);
}

void kernel_take(const char *path)
{
	nftw(full(path), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *kernel_text(const char *path)
{
	static char text[4096];
	FILE *file = fopen(full(path), "r");
	size_t len;

	assert(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return text;
}
