#include "kernel_channels.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct kernel_type *type_of(const struct kernel_type *types, const char *name)
{
	for (; types->prefix; types++) {
		size_t len = strlen(types->prefix);

		if (strncmp(name, types->prefix, len) == 0 && (!name[len] || name[len] == '_' || isdigit((unsigned char)name[len])))
			return types;
	}
	return NULL;
}

static bool name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return len > 0 && len <= KERNEL_CHANNEL_NAME_MAX && !name[len];
}

static void add_channel(struct device *device, struct conf *conf, const struct conf_section *section,
			const struct kernel_type *types, char *word)
{
	struct kernel_config *config = device->config;
	struct kernel_channel *channel = &config->list[device->channel_count];
	char *quantity = strchr(word, ':');
	const struct kernel_type *type;

	if (quantity)
		*quantity++ = '\0';
	type = type_of(types, word);
	if (!name_valid(word)) {
		conf_mistake(conf, section, "channels", "\"%s\": allowed are names of files of the device, without their _input",
			     word);
		return;
	}
	if (!quantity && !type) {
		conf_mistake(conf, section, "channels", "\"%s\": what does it measure? Allowed is %s:QUANTITY", word, word);
		return;
	}
	if (!quantity)
		quantity = strdupa(quantity_info(type->quantity)->name);
	if (!device_add_channel(device, quantity, OUTPUT_NONE)) {
		conf_mistake(conf, section, "channels",
			     "\"%s\": allowed are at most %d quantities [a-z][a-z0-9_]{0,31}, each once (in1:voltage in2:voltage2)",
			     quantity, CHANNELS_MAX);
		return;
	}
	strcpy(channel->name, word);
	channel->factor = type ? type->factor : 1;
}

void kernel_channels_configure(struct device *device, struct conf *conf, const struct conf_section *section,
			       const struct kernel_type *types)
{
	const struct kernel_config *config = device->config;
	char *words = strdup(config->channels ? config->channels : ""), *rest = NULL;

	for (char *word = words ? strtok_r(words, " ,\t", &rest) : NULL; word; word = strtok_r(NULL, " ,\t", &rest))
		add_channel(device, conf, section, types, word);
	free(words);
}

/* The name of the hardware behind a class device: the last part of where its `device` link leads. */
static bool hardware_is(const char *folder, const char *wanted)
{
	char link[SYSFS_PATH_MAX], target[PATH_MAX];
	ssize_t len = readlink(sysfs_file(link, folder, "device"), target, sizeof(target) - 1);

	if (len < 0)
		return false;
	target[len] = '\0';
	return strcmp(strrchr(target, '/') ? strrchr(target, '/') + 1 : target, wanted) == 0;
}

static int is_wanted(const char *folder, void *context)
{
	const char *wanted = context;
	char path[SYSFS_PATH_MAX], name[SYSFS_TEXT_MAX];

	if (strcmp(strrchr(folder, '/') + 1, wanted) == 0)
		return 1;
	if (sysfs_read(sysfs_file(path, folder, "name"), name, sizeof(name)) > 0 && strcmp(name, wanted) == 0)
		return 1;
	return hardware_is(folder, wanted);
}

int kernel_channels_open(struct device *device, const char *parent)
{
	const struct kernel_config *config = device->config;
	struct kernel_state *state = device->state;
	char folder[SYSFS_PATH_MAX];
	int r = sysfs_find(sysfs_path(folder, "%s", parent), is_wanted, strdupa(config->device), state->folder);

	if (r == -ENOENT)
		snprintf(device->error, sizeof(device->error),
			 "no \"%.30s\" in %s: is its overlay in config.txt, its module loaded?", config->device, parent);
	return r;
}

int kernel_channels_fail(struct device *device, const struct kernel_channel *channel, int error)
{
	const struct kernel_config *config = device->config;

	switch (-error) {
	case ENOENT:
		snprintf(device->error, sizeof(device->error), "\"%.30s\" has no channel %.40s", config->device, channel->name);
		return error;
	case ENODATA:
	case EINVAL:
		snprintf(device->error, sizeof(device->error), "the kernel gave no number for %.40s", channel->name);
		return -EIO;
	default:
		snprintf(device->error, sizeof(device->error), "%.40s: %.40s", channel->name, strerror(-error));
		return error;
	}
}
