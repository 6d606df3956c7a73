/* Files for the browser: styles, scripts, pictures. Strong ETags, Cache-Control, gzip from the file beside (NAME.gz, when newer) or made once. */
#pragma once

#include "http.h"

struct static_files;

/* Returns 0 or -ENOMEM. The caller closes. */
int static_open(struct static_files **ret_files);
void static_close(struct static_files *files);

/* Serves a folder's tree below a prefix ("/static/"), or one file at one path ("/javascript/chart.min.js"). A file's own path may be a link;
 * within a folder no link is followed, no name begins with a dot, and nothing outside is reached. Up to 8 mounts, the first that fits
 * wins. Returns 0, -ENOENT, -EACCES, -ENOSPC, -ENOMEM. */
int static_mount(struct static_files *files, const char *url, const char *path);

/* Answers a GET for its path, 404 when there is no such file. Call it from the handlers of the routes
 * that lead to the mounts. */
void static_reply(struct static_files *files, struct http_request *request);

/* The path with "?v=" and a word that changes with the file, so that it may be kept for a year
 * ("/static/foyer.css?v=5d41402a"); for templates.
 * buf   of `size` bytes; without such a file the path alone. */
void static_versioned(struct static_files *files, const char *url, char *buf, size_t size);
