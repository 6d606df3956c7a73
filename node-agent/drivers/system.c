/* How the node itself does: load, memory, disk, Wi-Fi signal; from proc(5) and statvfs(3). Its temperature is driver = thermal. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "../driver.h"
#include "../sysfs.h"

enum { MEMINFO_MAX = 4096, WIRELESS_MAX = 2048 };

struct system_config {
	const char *quantities, *path, *interface;
};

static const struct conf_item items[] = {
	{ "quantities", CONF_STRING, offsetof(struct system_config, quantities), "load memory disk",
	  .help = "of load (mean of a minute), memory (% in use), disk (% in use), rssi (Wi-Fi)" },
	{ "path", CONF_STRING, offsetof(struct system_config, path), "/", .help = "the disk where this is" },
	{ "interface", CONF_STRING, offsetof(struct system_config, interface), "wlan0", .help = "of Wi-Fi" },
	{ 0 },
};

static int fail(struct device *device, int error, const char *what)
{
	snprintf(device->error, sizeof(device->error), "%.60s: %.40s", what, strerror(-error));
	return error;
}

static int read_load(struct device *device, double *ret_value)
{
	char path[SYSFS_PATH_MAX], text[SYSFS_TEXT_MAX], *end;
	int r = sysfs_read(sysfs_path(path, "/proc/loadavg"), text, sizeof(text));

	if (r < 0)
		return fail(device, r, path);
	*ret_value = strtod(text, &end);
	return end > text ? 0 : fail(device, -EIO, path);
}

/* The kB after a name at the beginning of a line; NAN without. */
static double meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtod(at + strlen(name), NULL) : NAN;
}

static int read_memory(struct device *device, double *ret_value)
{
	char path[SYSFS_PATH_MAX], text[MEMINFO_MAX];
	int r = sysfs_read(sysfs_path(path, "/proc/meminfo"), text, sizeof(text));
	double total = r < 0 ? NAN : meminfo(text, "MemTotal:"), available = r < 0 ? NAN : meminfo(text, "MemAvailable:");

	if (!(total > 0) || isnan(available))
		return fail(device, r < 0 ? r : -EIO, path);
	*ret_value = 100 * (total - available) / total;
	return 0;
}

/* As df counts it: what only root may use is neither used nor free. */
static int read_disk(struct device *device, double *ret_value)
{
	const struct system_config *config = device->config;
	struct statvfs disk;
	double used;

	if (statvfs(config->path, &disk) < 0)
		return fail(device, -errno, config->path);
	used = (double)(disk.f_blocks - disk.f_bfree);
	*ret_value = used > 0 ? 100 * used / (used + (double)disk.f_bavail) : 0;
	return 0;
}

/* " wlan0: 0000   54.  -56.  -256 ...": link quality, then the signal in dBm. */
static int read_rssi(struct device *device, double *ret_value)
{
	const struct system_config *config = device->config;
	char path[SYSFS_PATH_MAX], text[WIRELESS_MAX], name[64];
	int r = sysfs_read(sysfs_path(path, "/proc/net/wireless"), text, sizeof(text));
	const char *at;

	if (r < 0)
		return fail(device, r, path);
	snprintf(name, sizeof(name), " %.40s:", config->interface);
	at = strstr(text, name);
	if (!at || sscanf(at + strlen(name), "%*s %*s %lf", ret_value) != 1) {
		snprintf(device->error, sizeof(device->error), "%.40s has no Wi-Fi connection", config->interface);
		return -ENODEV;
	}
	return 0;
}

static const struct {
	const char *quantity;
	int (*read)(struct device *device, double *ret_value);
} parts[] = { { "load", read_load }, { "memory", read_memory }, { "disk", read_disk }, { "rssi", read_rssi } };

static void add_part(struct device *device, struct conf *conf, const struct conf_section *section, const char *word)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(parts[i].quantity, word) == 0 && device_add_channel(device, word, OUTPUT_NONE))
			return;
	conf_mistake(conf, section, "quantities", "\"%s\": allowed are load, memory, disk, rssi, each once", word);
}

static void system_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	const struct system_config *config = device->config;
	char *words = strdup(config->quantities), *rest = NULL;

	for (char *word = words ? strtok_r(words, " ,\t", &rest) : NULL; word; word = strtok_r(NULL, " ,\t", &rest))
		add_part(device, conf, section, word);
	free(words);
}

static int read_part(struct device *device, const char *quantity, double *ret_value)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(parts[i].quantity, quantity) == 0)
			return parts[i].read(device, ret_value);
	return -EINVAL;
}

/* Values go out one by one, so that one that fails (no Wi-Fi) takes no other with it. */
static int system_fetch(struct device *device, double values[])
{
	int result = 0;

	for (size_t i = 0; i < device->channel_count; i++) {
		struct value value = value_of_number(0);
		int r = read_part(device, device->channels[i].series.quantity, &value.number);

		values[i] = NAN;
		if (r < 0)
			result = -ERANGE; /* device->error says more; the next turn comes in time */
		else
			device_tell(device, i, 0, &value);
	}
	return result;
}

const struct driver system_driver = {
	.name = "system",
	.help = "load, memory, disk and Wi-Fi signal of the node itself",
	.items = items,
	.config_size = sizeof(struct system_config),
	.interval = "60s",
	.blocks = true, /* a disk on the network may be away */
	.configure = system_configure,
	.fetch = system_fetch,
};
