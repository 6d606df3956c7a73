/* Templates out of their folder: found by name, compiled once, again when the file is another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "template.h"

enum { FILE_MAX = 1 << 20, LOOK_AGAIN_MS = 1000, NAME_MAX_BYTES = 64 };

int templates_open(const char *dir, struct templates **ret_templates)
{
	struct templates *templates;
	struct stat status;

	if (stat(dir, &status) < 0)
		return -errno;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	templates = calloc(1, sizeof(*templates));
	if (!templates)
		return -ENOMEM;
	templates->dir = strdup(dir);
	if (!templates->dir) {
		free(templates);
		return -ENOMEM;
	}
	*ret_templates = templates;
	return 0;
}

void templates_close(struct templates *templates)
{
	if (!templates)
		return;
	while (templates->entries) {
		struct template_entry *entry = templates->entries;

		templates->entries = entry->next;
		template_free(&entry->template);
		free(entry->name);
		free(entry);
	}
	free(templates->dir);
	free(templates);
}

const char *templates_error(const struct templates *templates)
{
	return templates->error;
}

static bool fits_a_file(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	size_t len = strlen(name);

	return len && len <= NAME_MAX_BYTES && name[0] != '.' && strspn(name, allowed) == len;
}

static int open_file(const struct templates *templates, struct template_entry *entry, const char *suffix)
{
	char path[4096];
	int fd;

	snprintf(entry->file, sizeof(entry->file), "%.64s%.30s", entry->name, suffix);
	if (snprintf(path, sizeof(path), "%s/%s", templates->dir, entry->file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int template_read(const char *file, int fd, size_t size, struct template *ret_template, char *error)
{
	char *text = malloc(size + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (!text)
		return -ENOMEM;
	while (len < size && (n = read(fd, text + len, size - len)) > 0)
		len += (size_t)n;
	if (n < 0) {
		int r = -errno;

		free(text);
		return r;
	}
	text[len] = '\0';
	return template_compile(file, text, len, ret_template, error);
}

/* Compiles the open file unless it is the one that the entry holds. */
static int load(struct template_entry *entry, int fd)
{
	struct stat status;
	int64_t mtime_ns;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
		return S_ISREG(status.st_mode) ? -EFBIG : -EINVAL;
	mtime_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec;
	if (entry->mtime_ns == mtime_ns && entry->size == status.st_size && entry->inode == status.st_ino)
		return entry->state;
	entry->error[0] = '\0';
	template_free(&entry->template);
	entry->mtime_ns = mtime_ns;
	entry->size = status.st_size;
	entry->inode = status.st_ino;
	return template_read(entry->file, fd, (size_t)status.st_size, &entry->template, entry->error);
}

static void look_at_file(struct templates *templates, struct template_entry *entry)
{
	int fd = open_file(templates, entry, ".mustache");

	if (fd == -ENOENT && templates->other_suffix)
		fd = open_file(templates, entry, templates->other_suffix);
	if (fd >= 0) {
		entry->state = load(entry, fd);
		close(fd);
	} else {
		entry->state = fd;
	}
	if (entry->state == 0)
		return;
	entry->mtime_ns = entry->state == -EINVAL ? entry->mtime_ns : 0;
	if (!entry->error[0] || entry->state != -EINVAL)
		snprintf(entry->error, sizeof(entry->error), "%s: %s", entry->file, strerror(-entry->state));
}

static struct template_entry *add_entry(struct templates *templates, const char *name)
{
	struct template_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->name = strdup(name);
	if (!entry->name) {
		free(entry);
		return NULL;
	}
	entry->checked_ms = INT64_MIN / 2;
	entry->next = templates->entries;
	templates->entries = entry;
	return entry;
}

const struct template_entry *templates_find(struct templates *templates, const char *name, int64_t now_ms, int *ret_error)
{
	struct template_entry *entry = templates->entries;

	while (entry && strcmp(entry->name, name))
		entry = entry->next;
	if (!entry && !fits_a_file(name)) {
		snprintf(templates->error, sizeof(templates->error), "no name of a template: '%.64s'", name);
		*ret_error = -ENOENT;
		return NULL;
	}
	if (!entry)
		entry = add_entry(templates, name);
	if (!entry) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	if (now_ms - entry->checked_ms >= LOOK_AGAIN_MS) {
		entry->checked_ms = now_ms;
		look_at_file(templates, entry);
	}
	if (entry->state == 0)
		return entry;
	snprintf(templates->error, sizeof(templates->error), "%s", entry->error);
	*ret_error = entry->state;
	return NULL;
}
