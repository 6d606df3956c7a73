/* The I2C buses: which addresses answer, and which chips these are. As careful as i2cdetect: it asks with an empty write, which no chip takes for a
 * command, except where EEPROMs and clocks are known to (0x30 to 0x37, 0x50 to 0x5f), which are read. Drivers are asked whether a chip is theirs. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "i2c.h"
#include "probe_report.h"
#include "sysfs.h"

enum { FIRST = 0x08, LAST = 0x77, HANG_AFTER = 3, TOO_MANY = 50, BUS_MAX = 288, CANDIDATES_MAX = 16, DENIED_MAX = 96 };

struct bus {
	const char *path; /* "/dev/i2c-1" */
	int number;
	unsigned answers, timeouts; /* the latter in a row */
	bool over;                  /* no use in asking further */
};

/* Well known chips that Foyer has no driver for, so that nobody hunts for a fault. */
static const struct {
	uint8_t first, last;
	const char *what;
} foreign[] = {
	{ 0x3c, 0x3d, "an SSD1306 or SH1106 display" },
	{ 0x50, 0x57, "an EEPROM, perhaps that of a HAT" },
	{ 0x68, 0x68, "a clock (DS3231: dtoverlay=i2c-rtc,ds3231) or a motion sensor (MPU-6050)" },
	{ 0x70, 0x70, "a bus multiplexer (TCA9548A: dtoverlay=i2c-mux) or a PCA9685's call to all" },
	{ 0x62, 0x62, "an SCD40 CO2 sensor (dtoverlay for its driver of the kernel, then driver = iio)" },
};

/* ---- one address ---------------------------------------------------------------------------------------------------------------- */

static int ask(struct i2c *i2c, int address)
{
	int r = -EOPNOTSUPP;

	if (!(address >= 0x30 && address <= 0x37) && !(address >= 0x50 && address <= 0x5f))
		r = i2c_quick(i2c);
	return r == -EOPNOTSUPP ? i2c_receive_byte(i2c) : r;
}

static bool can_be_at(const struct driver *driver, int address)
{
	const uint8_t *addresses = driver->i2c_addresses;

	while (addresses && *addresses && *addresses != address)
		addresses++;
	return addresses && *addresses;
}

/* The drivers whose chip may be at this address, those that know it for theirs alone when there are such. Returns their number.
 * ret_denied   "bme280, bmp280": those that say it is none of theirs */
static size_t candidates(struct i2c *i2c, int address, const struct driver *ret_drivers[CANDIDATES_MAX], bool *ret_sure,
			 char ret_denied[DENIED_MAX])
{
	size_t count = 0, known = 0;

	ret_denied[0] = '\0';

	for (size_t i = 0; driver_at(i); i++) {
		const struct driver *driver = driver_at(i);

		if (!can_be_at(driver, address) || count == CANDIDATES_MAX)
			continue;
		if (!driver->identify) {
			if (known == 0)
				ret_drivers[count++] = driver;
		} else if (driver->identify(i2c) > 0) {
			if (known == 0)
				count = 0;
			ret_drivers[count++] = driver;
			known++;
		} else {
			strncat(ret_denied, ret_denied[0] ? ", " : "", DENIED_MAX - strlen(ret_denied) - 1);
			strncat(ret_denied, driver->name, DENIED_MAX - strlen(ret_denied) - 1);
		}
	}
	*ret_sure = known > 0;
	return count;
}

static const char *foreign_at(int address)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		if (address >= foreign[i].first && address <= foreign[i].last)
			return foreign[i].what;
	return NULL;
}

static void tell_chip(struct probe *probe, const struct bus *bus, struct i2c *i2c, int address)
{
	const struct driver *drivers[CANDIDATES_MAX];
	char text[8], denied[DENIED_MAX];
	bool sure;
	size_t count = candidates(i2c, address, drivers, &sure, denied);
	const char *other = foreign_at(address);
	const struct probe_key keys[] = { { "bus", bus->path }, { "address", text }, { NULL, NULL } };

	snprintf(text, sizeof(text), "0x%02x", (unsigned)address);
	if (sure)
		probe_say(probe, "%s: %s", text, drivers[0]->help);
	else if (count > 0)
		probe_say(probe,
			  "%s: something answers; a chip of this kind can't be told from others, so see what is written on it%s%s",
			  text, other ? "; perhaps " : "", other ? other : "");
	else if (denied[0])
		probe_say(probe, "%s: something answers, but not as a chip of driver %s does%s%s", text, denied,
			  other ? "; perhaps " : "", other ? other : "");
	else
		probe_say(probe, "%s: something answers%s%s; no driver here is for it", text, other ? ", perhaps " : "",
			  other ? other : "");
	/* The same chip may do as a servo or as a light, and to an unknown one nothing is to be written: a person has to say. */
	for (size_t i = 0; i < count; i++)
		probe_section(probe, drivers[i]->name, drivers[i]->name, keys,
			      count == 1 && (sure || (!drivers[i]->set && !other)));
}

static void tell_kernel(struct probe *probe, const struct bus *bus, int address)
{
	char path[SYSFS_PATH_MAX], name[SYSFS_TEXT_MAX];

	if (sysfs_read(sysfs_path(path, "/sys/bus/i2c/devices/%d-%04x/name", bus->number, (unsigned)address), name, sizeof(name)) <
	    0)
		strcpy(name, "one of its own");
	probe_say(probe, "0x%02x: the kernel's driver \"%s\" has it; what it measures is below (IIO, hwmon, PWM)",
		  (unsigned)address, name);
}

/* ---- one bus -------------------------------------------------------------------------------------------------------------------- */

static void tell_trouble(struct probe *probe, struct bus *bus, int address, int error)
{
	char text[DEVICE_ERROR_MAX];

	bus->timeouts = error == -ETIMEDOUT ? bus->timeouts + 1 : 0;
	if (bus->timeouts == HANG_AFTER) {
		probe_say(probe,
			  "it hangs: a chip holds its lines low. Cut the chips' power, look at wiring and pull-up resistors");
		bus->over = true;
	} else if (error == -EACCES || error == -EPERM || error == -ENOENT) {
		probe_say(probe, "%s", i2c_explain(bus->path, address, error, text, sizeof(text)));
		bus->over = true;
	}
}

static void tell_address(struct probe *probe, struct bus *bus, int address)
{
	struct i2c *i2c;
	int r = i2c_open(bus->path, address, &i2c);

	if (r == -EBUSY) {
		bus->answers++;
		tell_kernel(probe, bus, address);
		return;
	}
	if (r >= 0) {
		r = ask(i2c, address);
		if (r >= 0) {
			bus->answers++;
			tell_chip(probe, bus, i2c, address);
		}
		i2c_close(i2c);
	}
	tell_trouble(probe, bus, address, r);
	if (bus->answers == TOO_MANY) {
		probe_say(probe, "so many can't be: is the data line held low?");
		bus->over = true;
	}
}

static void tell_bus(struct probe *probe, const char *device)
{
	char path[BUS_MAX], title[BUS_MAX + SYSFS_TEXT_MAX + 16], file[SYSFS_PATH_MAX], name[SYSFS_TEXT_MAX];
	struct bus bus = { .path = path, .number = atoi(device + strlen("i2c-")) };

	snprintf(path, sizeof(path), "/dev/%s", device);
	if (sysfs_read(sysfs_path(file, "/sys/class/i2c-dev/%s/name", device), name, sizeof(name)) < 0)
		name[0] = '\0';
	snprintf(title, sizeof(title), "I2C bus %s%s%s%s", path, name[0] ? " (" : "", name, name[0] ? ")" : "");
	probe_head(probe, title);
	for (int address = FIRST; address <= LAST && !bus.over; address++)
		tell_address(probe, &bus, address);
	if (bus.answers == 0 && !bus.over)
		probe_say(probe, "nobody answers");
}

static int is_bus(const struct dirent *entry)
{
	return strncmp(entry->d_name, "i2c-", 4) == 0;
}

void probe_i2c(struct probe *probe)
{
	struct dirent **entries = NULL;
	int count = scandir("/dev", &entries, is_bus, versionsort);
	char text[DEVICE_ERROR_MAX];

	if (count <= 0) {
		probe_head(probe, "I2C");
		probe_say(probe, "%s", i2c_explain("/dev/i2c-1", 0, -ENOENT, text, sizeof(text)));
	}
	for (int i = 0; i < count; i++) {
		tell_bus(probe, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}
