#include "static.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MOUNTS_MAX = 8,
	FILE_MAX = 8 << 20,
	CACHE_MAX = 1 << 20, /* bytes of compressed files kept */
	WORTH_COMPRESSING = 1024,
	TAG_SIZE = 24,
};

struct mount {
	char *url, *path;
	bool folder;
};

struct compressed {
	struct compressed *next;
	uint64_t identity;
	struct buffer gzip;
};

struct static_files {
	struct mount mounts[MOUNTS_MAX];
	size_t mount_count;
	struct compressed *cache;
	size_t cache_bytes;
};

struct file {
	int fd;
	size_t size;
	int64_t mtime_ns;
	uint64_t identity; /* a hash of size, time and inode */
	const char *type;
};

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".map", "application/json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".webp", "image/webp" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".txt", "text/plain; charset=utf-8" },
};

int static_open(struct static_files **ret_files)
{
	*ret_files = calloc(1, sizeof(**ret_files));
	return *ret_files ? 0 : -ENOMEM;
}

static void forget_compressed(struct static_files *files)
{
	while (files->cache) {
		struct compressed *compressed = files->cache;

		files->cache = compressed->next;
		buffer_done(&compressed->gzip);
		free(compressed);
	}
	files->cache_bytes = 0;
}

void static_close(struct static_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->mount_count; i++) {
		free(files->mounts[i].url);
		free(files->mounts[i].path);
	}
	forget_compressed(files);
	free(files);
}

int static_mount(struct static_files *files, const char *url, const char *path)
{
	struct mount *mount = &files->mounts[files->mount_count];
	struct stat status;

	if (files->mount_count == MOUNTS_MAX)
		return -ENOSPC;
	if (stat(path, &status) < 0)
		return -errno;
	*mount = (struct mount){ strdup(url), strdup(path), S_ISDIR(status.st_mode) };
	if (!mount->url || !mount->path) {
		free(mount->url);
		free(mount->path);
		return -ENOMEM;
	}
	files->mount_count++;
	return 0;
}

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(dot, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

/* Walks word by word and follows no link, so that nothing but the folder's own tree is reached. */
static int open_below(const char *folder, const char *rest)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && *rest) {
		size_t len = strcspn(rest, "/");
		bool last = !rest[len];
		int flags = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
		char name[256];
		int next;

		if (!len || len >= sizeof(name) || *rest == '.') {
			close(fd);
			return -ENOENT;
		}
		memcpy(name, rest, len);
		name[len] = '\0';
		next = openat(fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
		rest += last ? len : len + 1;
		if (!last && !*rest && fd >= 0) { /* "folder/" */
			close(fd);
			return -ENOENT;
		}
	}
	return fd < 0 ? -errno : fd;
}

static uint64_t identity_of(const struct stat *status)
{
	const uint64_t parts[] = { (uint64_t)status->st_size, (uint64_t)status->st_mtim.tv_sec, (uint64_t)status->st_mtim.tv_nsec,
				   (uint64_t)status->st_ino };
	const unsigned char *bytes = (const unsigned char *)parts;
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < sizeof(parts); i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static int open_path(const struct static_files *files, const char *path, const char *suffix)
{
	for (size_t i = 0; i < files->mount_count; i++) {
		const struct mount *mount = &files->mounts[i];
		size_t len = strlen(mount->url);
		char name[4096];
		int fd;

		if (mount->folder ? strncmp(path, mount->url, len) : strcmp(path, mount->url))
			continue;
		snprintf(name, sizeof(name), "%s%s", mount->folder ? path + len : mount->path, suffix);
		if (mount->folder)
			return name[0] ? open_below(mount->path, name) : -ENOENT;
		fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

static int open_file(const struct static_files *files, const char *path, const char *suffix, struct file *ret_file)
{
	int fd = open_path(files, path, suffix);
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_MAX) {
		close(fd);
		return -ENOENT;
	}
	*ret_file = (struct file){
		.fd = fd,
		.size = (size_t)status.st_size,
		.identity = identity_of(&status),
		.mtime_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec,
		.type = type_of(path),
	};
	return 0;
}

static int read_whole(const struct file *file, struct buffer *out)
{
	size_t left = file->size;

	if (!buffer_reserve(out, left))
		return out->error;
	while (left) {
		ssize_t n = read(file->fd, out->data + out->len, left);

		if (n <= 0)
			return -EIO;
		out->len += (size_t)n;
		left -= (size_t)n;
	}
	return 0;
}

static const struct compressed *find_compressed(const struct static_files *files, uint64_t identity)
{
	const struct compressed *compressed = files->cache;

	while (compressed && compressed->identity != identity)
		compressed = compressed->next;
	return compressed;
}

static const struct compressed *compress_file(struct static_files *files, const struct file *file)
{
	struct compressed *compressed = calloc(1, sizeof(*compressed));
	struct buffer text = BUFFER_EMPTY;
	int r = compressed ? read_whole(file, &text) : -ENOMEM;

	if (r == 0)
		r = http_gzip(buffer_text(&text), text.len, &compressed->gzip);
	buffer_done(&text);
	lseek(file->fd, 0, SEEK_SET);
	if (r < 0 || compressed->gzip.len > CACHE_MAX) {
		if (compressed)
			buffer_done(&compressed->gzip);
		free(compressed);
		return NULL;
	}
	if (files->cache_bytes + compressed->gzip.len > CACHE_MAX)
		forget_compressed(files);
	compressed->identity = file->identity;
	compressed->next = files->cache;
	files->cache = compressed;
	files->cache_bytes += compressed->gzip.len;
	return compressed;
}

/* Sends NAME.gz when it is there and not older. */
static bool reply_beside(struct static_files *files, struct http_request *request, const struct file *file)
{
	struct buffer body = BUFFER_EMPTY;
	struct file beside;
	int r;

	if (open_file(files, http_path(request), ".gz", &beside) < 0)
		return false;
	r = beside.mtime_ns >= file->mtime_ns ? read_whole(&beside, &body) : -ESTALE;
	close(beside.fd);
	if (r < 0) {
		buffer_done(&body);
		return false;
	}
	http_add_header(request, "Content-Encoding", "gzip");
	http_reply_buffer(request, 200, file->type, &body);
	return true;
}

static void reply_file(struct static_files *files, struct http_request *request, const struct file *file, bool gzip)
{
	const struct compressed *compressed;
	struct buffer body = BUFFER_EMPTY;

	if (gzip) {
		if (reply_beside(files, request, file))
			return;
		compressed = find_compressed(files, file->identity);
		if (!compressed)
			compressed = compress_file(files, file);
		if (compressed) {
			http_add_header(request, "Content-Encoding", "gzip");
			http_reply(request, 200, file->type, compressed->gzip.data, compressed->gzip.len);
			return;
		}
	}
	if (read_whole(file, &body) == 0) {
		http_reply_buffer(request, 200, file->type, &body);
		return;
	}
	buffer_done(&body);
	http_error(request, 500, "the file cannot be read");
}

static bool gains(const struct file *file)
{
	return file->size > WORTH_COMPRESSING &&
	       (!strncmp(file->type, "text/", 5) || strstr(file->type, "json") || strstr(file->type, "svg"));
}

void static_reply(struct static_files *files, struct http_request *request)
{
	const char *version = http_query(request, "v"), *known = http_header(request, "If-None-Match");
	char tag[TAG_SIZE + 8], word[TAG_SIZE];
	struct file file;
	bool gzip, kept;

	if (open_file(files, http_path(request), "", &file) < 0) {
		http_error(request, 404, "there is no such file");
		return;
	}
	gzip = gains(&file) && http_takes_gzip(request);
	snprintf(word, sizeof(word), "%016llx", (unsigned long long)file.identity);
	snprintf(tag, sizeof(tag), "\"%s%s\"", word, gzip ? "-gz" : "");
	kept = version && !strcmp(version, word);
	http_add_header(request, "ETag", tag);
	http_add_header(request, "Cache-Control", kept ? "public, max-age=31536000, immutable" : "public, max-age=3600");
	if (gains(&file))
		http_add_header(request, "Vary", "Accept-Encoding");
	if (known && (strstr(known, tag) || !strcmp(known, "*")))
		http_reply(request, 304, file.type, "", 0);
	else
		reply_file(files, request, &file, gzip);
	close(file.fd);
}

void static_versioned(struct static_files *files, const char *url, char *buf, size_t size)
{
	struct file file;

	snprintf(buf, size, "%s", url);
	if (open_file(files, url, "", &file) < 0)
		return;
	close(file.fd);
	snprintf(buf, size, "%s?v=%016llx", url, (unsigned long long)file.identity);
}
