/* The GPIO lines, by name: which are free and who holds the others. What is wired to a line nobody can see, so there are examples only. */
#include <stdlib.h>
#include <string.h>

#include "gpio.h"
#include "probe_report.h"

enum { WIDTH = 110 };

struct lines {
	struct probe *probe;
	char chip[GPIO_NAME_MAX];       /* whose lines are being told */
	char first_free[GPIO_NAME_MAX]; /* of the first chip that has names */
	int column;                     /* 0: the row of free lines is not begun */
	unsigned nameless;
};

static void end_row(struct lines *lines)
{
	if (lines->column > 0)
		fputc('\n', lines->probe->out);
	lines->column = 0;
}

static void end_chip(struct lines *lines)
{
	end_row(lines);
	if (lines->nameless > 0)
		probe_say(lines->probe, "%u lines without a name: say chip = %s and line = NUMBER", lines->nameless, lines->chip);
	lines->nameless = 0;
}

static void begin_chip(struct lines *lines, const struct gpio_line_info *info)
{
	char title[3 * GPIO_NAME_MAX];

	if (lines->chip[0])
		end_chip(lines);
	strcpy(lines->chip, info->chip);
	snprintf(title, sizeof(title), "GPIO chip %s (%s)", info->chip, info->label);
	probe_head(lines->probe, title);
}

static int tell_line(const struct gpio_line_info *info, void *context)
{
	struct lines *lines = context;

	if (strcmp(info->chip, lines->chip) != 0)
		begin_chip(lines, info);
	if (info->used) {
		end_row(lines);
		probe_say(lines->probe, "%s%sline %u: held by %s", info->name, info->name[0] ? ", " : "", info->offset,
			  info->consumer[0] ? info->consumer : "the kernel");
		return 0;
	}
	if (!info->name[0]) {
		lines->nameless++;
		return 0;
	}
	if (!lines->first_free[0])
		strcpy(lines->first_free, info->name);
	if (lines->column > WIDTH)
		end_row(lines);
	lines->column += fprintf(lines->probe->out, "%s %s", lines->column > 0 ? "" : "# free:", info->name);
	return 0;
}

void probe_gpio(struct probe *probe)
{
	struct lines lines = { .probe = probe };
	char error[DEVICE_ERROR_MAX] = "";
	int r = gpio_list(tell_line, &lines, error, sizeof(error));
	const struct probe_key keys[] = { { "line", lines.first_free }, { NULL, NULL } };

	if (lines.chip[0])
		end_chip(&lines);
	if (r < 0) {
		probe_head(probe, "GPIO");
		probe_say(probe, "%s", error);
		return;
	}
	if (!lines.first_free[0])
		return;
	fputc('\n', probe->out);
	probe_say(probe, "What is wired to a line can't be seen. For instance:");
	probe_section(probe, "door", "contact", keys, false);
	probe_section(probe, "lamp", "relay", keys, false);
}
