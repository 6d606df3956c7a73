#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static enum log_level most = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	most = level;
}

void log_message(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	int head = 0, len;

	if (level > most)
		return;
	if (!isatty(STDERR_FILENO))
		head = snprintf(line, sizeof(line), "<%d>", (int)level);
	va_start(arguments, format);
	len = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, arguments);
	va_end(arguments);
	if (len < 0)
		return;
	len += head;
	if (len > (int)sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	for (int i = head; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	/* One write: lines of several processes on one terminal stay whole. Nobody can be told when it fails. */
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}
