/* What the kernel has a driver for, as files in /sys: temperatures of the machine, 1-wire, IIO, hwmon, PWM, lights; and the machine itself. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_report.h"
#include "sysfs.h"

enum { CHANNELS_TEXT_MAX = 240, CHANNEL_MAX = 48, LINK_MAX = 512 };

/* Calls `tell` for each entry of a folder, in the order of their names. Returns their number. */
static unsigned each(struct probe *probe, const char *folder, const char *beginning,
		     void (*tell)(struct probe *probe, const char *path, const char *name))
{
	char real[SYSFS_PATH_MAX], path[SYSFS_PATH_MAX];
	struct dirent **entries = NULL;
	int count = scandir(sysfs_path(real, "%s", folder), &entries, NULL, versionsort);
	unsigned told = 0;

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (name[0] != '.' && strncmp(name, beginning, strlen(beginning)) == 0) {
			tell(probe, sysfs_file(path, real, name), name);
			told++;
		}
		free(entries[i]);
	}
	free(entries);
	return told;
}

/* What a file of a folder says, "" when it says nothing. Returns buf. */
static const char *read_text(const char *folder, const char *file, char buf[SYSFS_TEXT_MAX])
{
	char path[SYSFS_PATH_MAX];

	if (sysfs_read(sysfs_file(path, folder, file), buf, SYSFS_TEXT_MAX) < 0)
		buf[0] = '\0';
	return buf;
}

/* ---- the machine ---------------------------------------------------------------------------------------------------------------- */

static void tell_zone(struct probe *probe, const char *path, const char *name)
{
	char type[SYSFS_TEXT_MAX];
	const struct probe_key keys[] = { { "zone", name + strlen("thermal_zone") }, { NULL, NULL } };

	probe_say(probe, "%s: %s", name, read_text(path, "type", type));
	probe_section(probe, strstr(type, "cpu") ? "cpu" : type, "thermal", keys, true);
}

static void tell_machine(struct probe *probe)
{
	char path[SYSFS_PATH_MAX];
	bool wifi = access(sysfs_path(path, "/sys/class/net/wlan0"), F_OK) == 0;
	const struct probe_key keys[] = { { "quantities", wifi ? "load memory disk rssi" : "load memory disk" }, { NULL, NULL } };

	probe_head(probe, "the machine itself");
	probe_section(probe, "system", "system", keys, true);
	each(probe, "/sys/class/thermal", "thermal_zone", tell_zone);
}

/* ---- 1-wire --------------------------------------------------------------------------------------------------------------------- */

static void tell_wire(struct probe *probe, const char *path, const char *name)
{
	const struct probe_key keys[] = { { "id", name }, { NULL, NULL } };
	char *end;
	long family = strtol(name, &end, 16);

	(void)path;
	if (*end != '-')
		return; /* w1_bus_master1 */
	if (family == 0x28)
		probe_section(probe, "ds18b20", "ds18b20", keys, true);
	else
		probe_say(probe, "%s: family 0x%02lx; no driver here is for it", name, (unsigned long)family);
}

static void tell_wires(struct probe *probe)
{
	probe_head(probe, "1-wire");
	switch (each(probe, "/sys/bus/w1/devices", "", tell_wire)) {
	case 0:
		probe_say(probe, "no bus: add dtoverlay=w1-gpio to /boot/firmware/config.txt (the data line is GPIO4 then)");
		break;
	case 1:
		probe_say(probe, "a bus, but nothing on it: is there the resistor of 4.7 kOhm between data and 3.3 V?");
		break;
	}
}

/* ---- IIO and hwmon -------------------------------------------------------------------------------------------------------------- */

/* Adds a channel's name to the list, by the quantity that it usually has, or else by its own name. */
static void add_channel(const char *driver, const char *device, const char *channel, char list[CHANNELS_TEXT_MAX])
{
	char trial[CHANNELS_TEXT_MAX + 2 * CHANNEL_MAX + 4];
	const struct probe_key keys[] = { { "device", device }, { "channels", trial }, { NULL, NULL } };
	const char *space = list[0] ? " " : "";

	snprintf(trial, sizeof(trial), "%s%s%.48s", list, space, channel);
	if (!probe_fits(driver, keys))
		snprintf(trial, sizeof(trial), "%s%s%.48s:%.48s", list, space, channel, channel);
	if (strlen(trial) < CHANNELS_TEXT_MAX && probe_fits(driver, keys))
		strcpy(list, trial);
}

/* The channels of a device: its files NAME_input, and NAME_raw where there is no such. */
static void list_channels(const char *driver, const char *device, const char *folder, const char *beginning,
			  char list[CHANNELS_TEXT_MAX])
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, versionsort);
	char before[CHANNEL_MAX + 1] = "";

	list[0] = '\0';
	for (int i = 0; i < count; i++) {
		char *name = entries[i]->d_name, *end = strrchr(name, '_');

		if (end && strncmp(name, beginning, strlen(beginning)) == 0 &&
		    (strcmp(end, "_input") == 0 || (beginning[0] && strcmp(end, "_raw") == 0))) {
			*end = '\0';
			if (strcmp(before, name) != 0)
				add_channel(driver, device, name, list);
			snprintf(before, sizeof(before), "%.48s", name);
		}
		free(entries[i]);
	}
	free(entries);
}

/* What to call it in the configuration: its name, or where several have the same, its hardware's. */
static void device_word(const char *folder, const char *name, char buf[SYSFS_TEXT_MAX])
{
	char link[SYSFS_PATH_MAX], target[LINK_MAX];
	ssize_t len = readlink(sysfs_file(link, folder, "device"), target, sizeof(target) - 1);
	const char *slash;

	snprintf(buf, SYSFS_TEXT_MAX, "%s", name);
	if (len <= 0)
		return;
	target[len] = '\0';
	slash = strrchr(target, '/');
	snprintf(buf, SYSFS_TEXT_MAX, "%.100s", slash ? slash + 1 : target);
}

static void tell_kernel_device(struct probe *probe, const char *driver, const char *path, const char *id, const char *beginning)
{
	char name[SYSFS_TEXT_MAX], word[SYSFS_TEXT_MAX], list[CHANNELS_TEXT_MAX];
	const struct probe_key keys[] = { { "device", word }, { "channels", list }, { NULL, NULL } };

	read_text(path, "name", name);
	device_word(path, name, word);
	list_channels(driver, word, path, beginning, list);
	probe_say(probe, "%s: %s", id, name);
	if (list[0])
		probe_section(probe, name, driver, keys, true);
}

static void tell_iio(struct probe *probe, const char *path, const char *name)
{
	const struct probe_key none[] = { { NULL, NULL } };
	char kind[SYSFS_TEXT_MAX];

	if (strncmp(read_text(path, "name", kind), "dht11", 5) == 0)
		probe_section(probe, "dht", "dht", none, true);
	else
		tell_kernel_device(probe, "iio", path, name, "in_");
}

static void tell_hwmon(struct probe *probe, const char *path, const char *name)
{
	char kind[SYSFS_TEXT_MAX];

	read_text(path, "name", kind);
	/* Told above: a thermal zone, a DS18B20. */
	if (strcmp(kind, "cpu_thermal") != 0 && strcmp(kind, "w1_slave_temp") != 0)
		tell_kernel_device(probe, "hwmon", path, name, "");
}

/* ---- outputs -------------------------------------------------------------------------------------------------------------------- */

static void tell_pwm(struct probe *probe, const char *path, const char *name)
{
	char count[SYSFS_TEXT_MAX];
	const struct probe_key keys[] = { { "chip", name }, { "channel", "0" }, { NULL, NULL } };

	probe_say(probe, "%s: %s channels", name, read_text(path, "npwm", count));
	probe_section(probe, "servo", "servo", keys, false);
	probe_section(probe, "dimmer", "dimmer", keys, false);
}

static void tell_led(struct probe *probe, const char *path, const char *name)
{
	const struct probe_key keys[] = { { "led", name }, { NULL, NULL } };

	(void)path;
	probe_section(probe, "led", "led", keys, false);
}

void probe_sysfs(struct probe *probe)
{
	tell_machine(probe);
	tell_wires(probe);
	probe_head(probe, "sensors with a driver in the kernel (IIO, hwmon)");
	if (each(probe, "/sys/bus/iio/devices", "iio:device", tell_iio) + each(probe, "/sys/class/hwmon", "hwmon", tell_hwmon) == 0)
		probe_say(probe, "none");
	probe_head(probe, "PWM");
	if (each(probe, "/sys/class/pwm", "pwmchip", tell_pwm) == 0)
		probe_say(probe, "none; that of a Pi's pins 12 and 13 comes with dtoverlay=pwm-2chan in /boot/firmware/config.txt");
	probe_head(probe, "lights of the machine");
	if (each(probe, "/sys/class/leds", "", tell_led) == 0)
		probe_say(probe, "none");
}
