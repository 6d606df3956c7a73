/* The command that shows what a template makes of data, for whoever edits templates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "template.h"

enum { DATA_MAX = 16 << 20, BLOCK = 16384 };

static int read_all(FILE *in, struct buffer *out)
{
	size_t n = 1;

	while (n > 0) {
		char *room = buffer_reserve(out, BLOCK);

		if (!room)
			return out->error;
		n = fread(room, 1, BLOCK, in);
		out->len += n;
		out->data[out->len] = '\0';
	}
	return ferror(in) ? -EIO : 0;
}

static cJSON *parse_data(const char *path, const struct buffer *text)
{
	const char *end = NULL;
	cJSON *data = cJSON_ParseWithLengthOpts(buffer_text(text), text->len + 1, &end, true);
	unsigned line = 1;

	if (data)
		return data;
	for (const char *at = buffer_text(text); end && at < end; at++)
		line += *at == '\n';
	fprintf(stderr, "%s:%u: this is not JSON\n", path, line);
	return NULL;
}

static cJSON *read_data(const char *path)
{
	bool standard = !path || !strcmp(path, "-");
	struct buffer text = BUFFER_LIMITED(DATA_MAX);
	cJSON *data = NULL;
	FILE *in;
	int r;

	if (!path)
		return cJSON_CreateObject();
	in = standard ? stdin : fopen(path, "re");
	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	r = read_all(in, &text);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(-r));
	else
		data = parse_data(standard ? "standard input" : path, &text);
	buffer_done(&text);
	if (!standard)
		fclose(in);
	return data;
}

static int read_template(const char *path, struct template *ret_template, char *error)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	int r;

	if (!file)
		return -errno;
	if (fstat(fileno(file), &status) < 0)
		r = -errno;
	else if (!S_ISREG(status.st_mode) || status.st_size > DATA_MAX)
		r = S_ISDIR(status.st_mode) ? -EISDIR : -EFBIG;
	else
		r = template_read(path, fileno(file), (size_t)status.st_size, ret_template, error);
	fclose(file);
	return r;
}

/* The folder that the partials are in. */
static int open_beside(const char *path, struct templates **ret_templates)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int r = dir ? templates_open(dir, ret_templates) : -ENOMEM;

	free(dir);
	if (r == 0)
		(*ret_templates)->other_suffix = dot ? dot : "";
	return r;
}

int render_command(const char *template_path, const char *data_path, FILE *out)
{
	char error[TEMPLATE_ERROR_MAX] = "";
	struct templates *templates = NULL;
	struct template template = { 0 };
	struct buffer text = BUFFER_EMPTY;
	cJSON *data = read_data(data_path);
	int r = data ? read_template(template_path, &template, error) : 0;

	if (data && r == 0)
		r = open_beside(template_path, &templates);
	if (data && r == 0) {
		r = template_render_compiled(templates, template_path, &template, data, &text);
		snprintf(error, sizeof(error), "%s", templates_error(templates));
	}
	if (data && r == 0 && (fwrite(buffer_text(&text), 1, text.len, out) < text.len || fflush(out)))
		r = -EIO;
	if (r < 0 && error[0])
		fprintf(stderr, "%s\n", error);
	else if (r < 0)
		fprintf(stderr, "%s: %s\n", template_path, strerror(-r));
	buffer_done(&text);
	template_free(&template);
	templates_close(templates);
	cJSON_Delete(data);
	return data && r == 0 ? 0 : 1;
}
