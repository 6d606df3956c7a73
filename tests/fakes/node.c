#include "node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "folder.h"

struct settings node;
static struct conf *conf;

const char *node_read(const char *text)
{
	static char mistakes[4096];
	char *told = NULL, *rest = NULL;
	size_t size;
	FILE *out = open_memstream(&told, &size);

	node_done();
	assert_int_equal(0, conf_open(folder_write("x.conf", text), NULL, 0, &conf));
	settings_read(conf, &node);
	conf_finish(conf, out);
	fclose(out);
	mistakes[0] = '\0';
	for (char *line = strtok_r(told, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		strcat(strcat(mistakes, strstr(line, "x.conf:") ? strstr(line, "x.conf:") + 7 : line), "\n");
	free(told);
	return mistakes;
}

struct device *node_device(const char *keys)
{
	char text[2048];
	const char *mistakes;

	snprintf(text, sizeof(text), "[node]\nname = salon\n[device dev]\n%s", keys);
	mistakes = node_read(text);
	if (mistakes[0])
		fail_msg("%s", mistakes);
	return node.devices;
}

void node_done(void)
{
	settings_done(&node);
	conf_close(conf);
	conf = NULL;
	memset(&node, 0, sizeof(node));
}
