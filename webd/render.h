/* Pages from mustache templates (the whole non-optional mustache spec 1.x) and JSON data. A template is NAME.mustache in a folder, its
 * partials stand beside it. Compiled at first use, again when the file changes (looked at once a second at most). */
#pragma once

#include <stdio.h>

#include "../common/buffer.h"
#include <cjson/cJSON.h>

enum {
	TEMPLATE_DEPTH_MAX = 64,  /* partials within partials and sections within sections */
	TEMPLATE_ERROR_MAX = 256, /* bytes of an error text with its NUL */
};

struct templates;

/* dir   the folder; need not hold anything yet. Returns 0, -ENOENT, -ENOTDIR, -EACCES, -ENOMEM. The caller closes. */
int templates_open(const char *dir, struct templates **ret_templates);
void templates_close(struct templates *templates);

/* Appends the template `name` (without ".mustache"; letters, digits, '_', '-', '.') filled with `data` to `out`. {{x}} is escaped for HTML (& < > " '),
 * {{{x}}} and {{&x}} are not. null, false and [] are false in a section, everything else is true (0, "" and {} too). Numbers are printed in
 * their shortest exact form. An unknown partial is empty.
 * Returns 0, -ENOENT, -EINVAL (the template is wrong), -ELOOP (too deep), -ENOMEM, -EMSGSIZE; out may then hold a part. The text of
 * the last failure, "page.mustache:12: section 'nodes' is never closed", is templates_error(). */
int template_render(struct templates *templates, const char *name, const cJSON *data, struct buffer *out);
const char *templates_error(const struct templates *templates);

/* `webd --render TEMPLATE --data FILE`: renders one file (any extension; partials are NAME.mustache beside it, or NAME with the same extension) with
 * a JSON file ("-": standard input; NULL: no data) to `out`, messages to standard error. Returns 0, 1 on failure (an exit status). */
int render_command(const char *template_path, const char *data_path, FILE *out);
