#include "gpio_find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door.h"
#include "sysfs.h"

enum { NEAR_MAX = 3 };

/* A name that resembles the one asked for. */
struct near {
	char name[GPIO_NAME_MAX];
	unsigned distance;
};

struct search {
	const struct gpio_place *place;
	struct gpiod_chip *chip; /* found */
	char path[GPIO_PATH_MAX];
	unsigned offset;
	bool chip_seen; /* one that place->chip means */
	int lines;      /* of that one */
	int denied;     /* -EACCES and the like: it is there, and may not be opened */
	char denied_path[GPIO_PATH_MAX];
	size_t chips;
	char labels[96]; /* of all, for a message */
	struct near near[NEAR_MAX];
	size_t near_count;
};

/* ---- walking the chips --------------------------------------------------------------------------------------------------------- */

/* A symbolic link is an old name of the same chip (gpiochip4 on a Pi 5). */
static int is_chip(const struct dirent *entry)
{
	return strncmp(entry->d_name, "gpiochip", 8) == 0 && entry->d_type != DT_LNK;
}

/* `visit` owns the chip it is given when it returns more than 0, which ends the walk. */
static int walk(int (*visit)(struct gpiod_chip *chip, const char *path, void *context), void *context,
		void (*deny)(const char *path, int error, void *context))
{
	char dev[SYSFS_PATH_MAX];
	struct dirent **entries;
	int r = 0, count = scandir(sysfs_path(dev, "/dev"), &entries, is_chip, versionsort);

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		char path[SYSFS_PATH_MAX];
		struct gpiod_chip *chip;
		int opened;

		sysfs_file(path, dev, entries[i]->d_name);
		free(entries[i]);
		if (r != 0 || !path[0])
			continue;
		opened = gpio_chip_open(path, &chip);
		if (opened < 0) {
			deny(path, opened, context);
			continue;
		}
		r = visit(chip, path, context);
		if (r <= 0)
			gpio_chip_close(chip);
	}
	free(entries);
	return r;
}

/* ---- names that resemble ------------------------------------------------------------------------------------------------------- */

/* Levenshtein's distance, of names that fit into a row. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[GPIO_NAME_MAX + 1];
	size_t b_len = strlen(b);

	for (unsigned i = 0; i <= b_len; i++)
		row[i] = i;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= b_len; k++) {
			unsigned above = row[k], best = diagonal + (a[i - 1] != b[k - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			diagonal = above;
			row[k] = best;
		}
	}
	return row[b_len];
}

static void remember_near(struct search *search, const char *name)
{
	struct near fresh = { .distance = distance(search->place->line, name) };
	size_t i = search->near_count;

	if (!name[0] || fresh.distance > strlen(search->place->line) / 2)
		return;
	strcpy(fresh.name, name);
	while (i > 0 && search->near[i - 1].distance > fresh.distance)
		i--;
	if (i == NEAR_MAX)
		return;
	if (search->near_count < NEAR_MAX)
		search->near_count++;
	memmove(&search->near[i + 1], &search->near[i], (search->near_count - i - 1) * sizeof(*search->near));
	search->near[i] = fresh;
}

/* ---- looking for one line ------------------------------------------------------------------------------------------------------ */

static bool means(const char *asked, const struct gpio_line_info *info, const char *path)
{
	return !asked || strcmp(asked, info->label) == 0 || strcmp(asked, info->chip) == 0 || strcmp(asked, path) == 0;
}

/* The name first: a chip may call its lines by numbers. */
static int look_on_chip(struct gpiod_chip *chip, const char *path, void *context)
{
	struct search *search = context;
	struct gpio_line_info info = { 0 };
	int lines = gpio_chip_info(chip, &info);
	char *end;
	unsigned long number = strtoul(search->place->line, &end, 10);
	bool is_number = search->place->chip && search->place->line[0] >= '0' && search->place->line[0] <= '9' && !*end;
	bool found = false;

	search->chips++;
	if (strlen(search->labels) + strlen(info.label) + 3 < sizeof(search->labels)) {
		strcat(search->labels, search->labels[0] ? ", " : "");
		strcat(search->labels, info.label);
	}
	if (lines < 0 || !means(search->place->chip, &info, path))
		return 0;
	search->chip_seen = true;
	search->lines = lines;
	for (int i = 0; i < lines && !found; i++) {
		if (gpio_chip_line(chip, (unsigned)i, &info) < 0)
			continue;
		found = strcmp(info.name, search->place->line) == 0;
		if (found)
			number = (unsigned)i;
		else
			remember_near(search, info.name);
	}
	if (!found && !(is_number && number < (unsigned long)lines))
		return 0;
	search->chip = chip;
	search->offset = (unsigned)number;
	snprintf(search->path, sizeof(search->path), "%s", path);
	return 1;
}

/* The header of a Raspberry Pi by its usual numbers, which are the offsets on its chip, where the kernel has no such name: Raspberry Pi's own kernels
 * from before 2024 (pull request 5902 of raspberrypi/linux) and Debian's call GPIO4 "GPIO_GCLK", GPIO2 "SDA1", or nothing at all. */
static int look_on_header(struct gpiod_chip *chip, const char *path, void *context)
{
	struct search *search = context;
	struct gpio_line_info info = { 0 };
	int lines = gpio_chip_info(chip, &info);
	char after;

	if (lines < 0 || !means(search->place->chip, &info, path) ||
	    (strncmp(info.label, "pinctrl-bcm2", 12) != 0 && strcmp(info.label, "pinctrl-rp1") != 0) ||
	    sscanf(search->place->line, "GPIO%2u%c", &search->offset, &after) != 1 || search->offset >= (unsigned)lines)
		return 0;
	search->chip = chip;
	snprintf(search->path, sizeof(search->path), "%s", path);
	return 1;
}

static void note_denied(const char *path, int error, void *context)
{
	struct search *search = context;

	if (search->denied)
		return;
	search->denied = error;
	snprintf(search->denied_path, sizeof(search->denied_path), "%s", path);
}

static void explain_missing(const struct search *search, char *buf, size_t size)
{
	const char *line = search->place->line, *chip = search->place->chip;
	int len;

	if (search->chips == 0) {
		snprintf(buf, size, "no GPIO chip here (no /dev/gpiochip*)");
	} else if (chip && !search->chip_seen) {
		snprintf(buf, size, "no GPIO chip \"%s\": there %s %s", chip, search->chips > 1 ? "are" : "is", search->labels);
	} else if (search->near_count > 0) {
		len = snprintf(buf, size, "no line \"%s\": there %s", line, search->near_count > 1 ? "are" : "is");
		for (size_t i = 0; i < search->near_count && len > 0 && (size_t)len < size; i++)
			len += snprintf(buf + len, size - (size_t)len, "%s %s", i ? "," : "", search->near[i].name);
	} else if (chip) {
		snprintf(buf, size, "no line \"%s\": %s has the lines 0 to %d", line, chip, search->lines - 1);
	} else {
		snprintf(buf, size, "no line \"%s\" on %s; a number needs `chip` too", line, search->labels);
	}
}

int gpio_find(const struct gpio_place *place, struct gpiod_chip **ret_chip, char ret_path[GPIO_PATH_MAX], unsigned *ret_offset,
	      char *error, size_t error_size)
{
	struct search search = { .place = place };
	int r = walk(look_on_chip, &search, note_denied);

	if (r == 0)
		r = walk(look_on_header, &search, note_denied);
	if (r > 0) {
		*ret_chip = search.chip;
		strcpy(ret_path, search.path);
		*ret_offset = search.offset;
		return 0;
	}
	if (r < 0) {
		snprintf(error, error_size, "/dev: %s", strerror(-r));
		return r;
	}
	if (search.denied) {
		door_explain(search.denied_path, search.denied, "gpio", NULL, error, error_size);
		return search.denied;
	}
	explain_missing(&search, error, error_size);
	return -ENOENT;
}

/* ---- all lines ----------------------------------------------------------------------------------------------------------------- */

struct listing {
	int (*tell)(const struct gpio_line_info *info, void *context);
	void *context;
	struct search search; /* of what was denied */
};

static int list_chip(struct gpiod_chip *chip, const char *path, void *context)
{
	struct listing *listing = context;
	struct gpio_line_info info = { 0 };
	int r, lines = gpio_chip_info(chip, &info);

	(void)path;
	listing->search.chips++;
	for (int i = 0; i < lines; i++) {
		if (gpio_chip_line(chip, (unsigned)i, &info) < 0)
			continue;
		r = listing->tell(&info, listing->context);
		if (r < 0)
			return r;
	}
	return 0;
}

static void note_denied_chip(const char *path, int error, void *context)
{
	note_denied(path, error, &((struct listing *)context)->search);
}

int gpio_list(int (*tell)(const struct gpio_line_info *info, void *context), void *context, char *error, size_t error_size)
{
	struct listing listing = { .tell = tell, .context = context };
	int r = walk(list_chip, &listing, note_denied_chip);

	if (r < 0)
		return r;
	if (listing.search.chips > 0)
		return (int)listing.search.chips;
	if (listing.search.denied) {
		door_explain(listing.search.denied_path, listing.search.denied, "gpio", NULL, error, error_size);
		return listing.search.denied;
	}
	snprintf(error, error_size, "no GPIO chip here (no /dev/gpiochip*)");
	return -ENOENT;
}
