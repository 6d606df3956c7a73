#include "settings_conflict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys that name a line, and those that name its chip. */
static const struct {
	const char *line, *chip;
} line_keys[] = { { "line", "chip" }, { "trigger", "chip" }, { "echo", "chip" }, { "int_line", "int_chip" } };

enum { LINE_KEYS = sizeof(line_keys) / sizeof(*line_keys) };

/* What the section says, of a key that its driver has: another driver's would count as known otherwise. */
static const char *text_of(struct conf *conf, const struct device *device, const char *key)
{
	for (const struct conf_item *item = device->driver->items; item && item->key; item++)
		if (strcmp(item->key, key) == 0)
			return conf_text(conf, conf_section(conf, "device", device->name), key);
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Returns true, for those who ask whether there is one. */
static bool tell(struct conf *conf, const struct device *device, const char *key, const char *what, const struct device *other)
{
	conf_mistake(conf, conf_section(conf, "device", device->name), key, "%.80s is that of [device %s] already", what,
		     other->name);
	return true;
}

/* ---- GPIO ------------------------------------------------------------------------------------------------------------------------ */

/* The same name; a number is one of its chip. A name with a chip and the same without are one line, too, on all boards that there are. */
static bool same_line(struct conf *conf, const struct device *a, int key_a, const struct device *b, int key_b)
{
	const char *line = text_of(conf, a, line_keys[key_a].line);
	const char *chip_a = text_of(conf, a, line_keys[key_a].chip), *chip_b = text_of(conf, b, line_keys[key_b].chip);
	bool number = line && line[strspn(line, "0123456789")] == '\0';

	if (!same(line, text_of(conf, b, line_keys[key_b].line)))
		return false;
	return number || (chip_a && chip_b) ? same(chip_a, chip_b) : true;
}

static bool check_lines(struct conf *conf, const struct device *device, const struct device *other)
{
	for (int i = 0; i < LINE_KEYS; i++)
		for (int j = 0; j < LINE_KEYS; j++)
			if (same_line(conf, device, i, other, j))
				return tell(conf, device, line_keys[i].line, text_of(conf, device, line_keys[i].line), other);
	return false;
}

/* ---- chips with channels, chips without ------------------------------------------------------------------------------------------ */

static long number_of(const char *text)
{
	return text ? strtol(text, NULL, 0) : 0;
}

/* Sections may share a chip of several channels: a PCA9685, a PWM of the kernel. */
static bool has_channels(const struct device *device)
{
	for (const struct conf_item *item = device->driver->items; item && item->key; item++)
		if (strcmp(item->key, "channel") == 0)
			return true;
	return false;
}

/* Without the key it is the first channel of the chip. */
static bool check_channel(struct conf *conf, const struct device *device, const struct device *other)
{
	const char *channel = text_of(conf, device, "channel");
	char what[48];

	if (number_of(channel) != number_of(text_of(conf, other, "channel")))
		return false;
	snprintf(what, sizeof(what), "channel %ld of this chip", number_of(channel));
	return tell(conf, device, channel ? "channel" : NULL, what, other);
}

static bool check_address(struct conf *conf, const struct device *device, const struct device *other)
{
	const char *address = conf_text(conf, conf_section(conf, "device", device->name), "address");
	bool one_kind = device->driver->i2c_addresses == other->driver->i2c_addresses;
	char what[80];

	if (device->address != other->address || !same(device->bus, other->bus))
		return false;
	if (has_channels(device) && has_channels(other) && one_kind)
		return check_channel(conf, device, other);
	snprintf(what, sizeof(what), "0x%02x on %.60s", (unsigned)device->address, device->bus);
	if (device->driver == other->driver) { /* two names for one sensor: it works, and is mostly a slip of the pen */
		conf_warning(conf, conf_section(conf, "device", device->name), address ? "address" : NULL,
			     "%s is that of [device %s], too", what, other->name);
		return true;
	}
	return tell(conf, device, address ? "address" : NULL, what, other);
}

static bool check_two(struct conf *conf, const struct device *device, const struct device *other)
{
	bool i2c = device->driver->i2c_addresses, other_i2c = other->driver->i2c_addresses;
	const char *chip = text_of(conf, device, "chip"), *other_chip = text_of(conf, other, "chip");
	const char *led = text_of(conf, device, "led");

	if (check_lines(conf, device, other))
		return true;
	if (same(led, text_of(conf, other, "led")))
		return tell(conf, device, "led", led, other);
	if (i2c && other_i2c)
		return check_address(conf, device, other);
	if (i2c || other_i2c || !has_channels(device) || !has_channels(other))
		return false;
	return (same(chip, other_chip) || (!chip && !other_chip)) && check_channel(conf, device, other);
}

void settings_check_conflicts(struct conf *conf, const struct device *devices)
{
	for (const struct device *device = devices; device; device = device->next)
		for (const struct device *other = devices; other != device; other = other->next)
			if (strcmp(device->name, other->name) != 0 && check_two(conf, device, other))
				break; /* one is enough */
}
