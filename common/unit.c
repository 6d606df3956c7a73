#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* own = value * factor + offset. Factors are exact by definition: NIST SP 811 appendix B (inch 2.54 cm, lbf/in² 6894.757 Pa, conventional
 * mmHg 133.322387415 Pa, inHg 3386.389 Pa, foot-candle 10.76391 lx, US gallon 3.785411784 l). The first of a family is its own. */
struct unit {
	const char *own; /* of the quantities that it serves */
	const char *name;
	const char *spellings; /* further ones, separated by '|', any case */
	double factor, offset;
};

static const struct unit units[] = {
	{ "°C", "°C", "C|degC|deg C|℃|celsius", 1, 0 },
	{ "°C", "°F", "F|degF|deg F|℉|fahrenheit", 5.0 / 9.0, -160.0 / 9.0 },
	{ "°C", "K", "kelvin", 1, -273.15 },
	{ "%", "%", "%RH|%rF|percent", 1, 0 },
	{ "%", "ratio", "", 100, 0 },
	{ "hPa", "hPa", "mbar|millibar", 1, 0 },
	{ "hPa", "Pa", "", 0.01, 0 },
	{ "hPa", "kPa", "", 10, 0 },
	{ "hPa", "bar", "", 1000, 0 },
	{ "hPa", "mmHg", "torr", 1.33322387415, 0 },
	{ "hPa", "inHg", "", 33.86389, 0 },
	{ "hPa", "psi", "", 68.94757, 0 },
	{ "lx", "lx", "lux", 1, 0 },
	{ "lx", "klx", "klux", 1000, 0 },
	{ "lx", "fc", "foot-candle", 10.76391, 0 },
	{ "cm", "cm", "", 1, 0 },
	{ "cm", "mm", "", 0.1, 0 },
	{ "cm", "m", "", 100, 0 },
	{ "cm", "km", "", 100000, 0 },
	{ "cm", "in", "inch|\"", 2.54, 0 },
	{ "cm", "ft", "foot|feet", 30.48, 0 },
	{ "°", "°", "deg|degree|degrees", 1, 0 },
	{ "°", "rad", "", 57.29577951308232, 0 },
	{ "V", "V", "volt", 1, 0 },
	{ "V", "mV", "", 0.001, 0 },
	{ "V", "kV", "", 1000, 0 },
	{ "V", "µV", "uV|μV", 0.000001, 0 },
	{ "A", "A", "ampere", 1, 0 },
	{ "A", "mA", "", 0.001, 0 },
	{ "A", "µA", "uA|μA", 0.000001, 0 },
	{ "W", "W", "watt", 1, 0 },
	{ "W", "kW", "", 1000, 0 },
	{ "W", "mW", "", 0.001, 0 },
	{ "kWh", "kWh", "", 1, 0 },
	{ "kWh", "Wh", "", 0.001, 0 },
	{ "kWh", "MWh", "", 1000, 0 },
	{ "kWh", "J", "Ws", 1 / 3600000.0, 0 },
	{ "kWh", "kJ", "", 1 / 3600.0, 0 },
	{ "kWh", "MJ", "", 1 / 3.6, 0 },
	{ "ppm", "ppm", "", 1, 0 },
	{ "ppm", "ppb", "", 0.001, 0 },
	{ "dBm", "dBm", "dB", 1, 0 },
	{ "g/m³", "g/m³", "g/m3", 1, 0 },
	{ "m³", "m³", "m3", 1, 0 },
	{ "m³", "l", "litre|liter", 0.001, 0 },
	{ "m³", "ml", "", 0.000001, 0 },
	{ "m³", "gal", "", 0.003785411784, 0 },
	{ "mm", "mm", "l/m²", 1, 0 },
	{ "mm", "cm", "", 10, 0 },
	{ "mm", "in", "inch", 25.4, 0 },
};

enum { UNIT_COUNT = sizeof(units) / sizeof(*units) };

static bool spelled(const struct unit *unit, const char *text)
{
	size_t len = strlen(text);

	for (const char *word = unit->spellings; *word;) {
		size_t n = strcspn(word, "|");

		if (n == len && strncasecmp(word, text, n) == 0)
			return true;
		word += n + (word[n] == '|');
	}
	return false;
}

/* Exact names first: mW and MW, mJ and MJ differ by case alone. */
static const struct unit *find(const char *own, const char *text)
{
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < UNIT_COUNT; i++) {
			const struct unit *unit = &units[i];

			if (strcmp(unit->own, own) != 0)
				continue;
			if (pass == 0   ? strcmp(unit->name, text) == 0
			    : pass == 1 ? spelled(unit, text)
					: strcasecmp(unit->name, text) == 0)
				return unit;
		}
	return NULL;
}

int unit_convert(enum quantity quantity, const char *text, double *value)
{
	const struct quantity_info *info = quantity_info(quantity);
	const struct unit *unit;

	if (quantity == QUANTITY_NONE || strcmp(info->unit, text) == 0)
		return 0;
	unit = find(info->unit, text);
	if (!unit)
		return -EINVAL;
	*value = *value * unit->factor + unit->offset;
	return 0;
}

const char *unit_list(enum quantity quantity, char *buf, size_t size)
{
	const char *own = quantity_info(quantity)->unit;
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < UNIT_COUNT && *own; i++)
		if (strcmp(units[i].own, own) == 0 && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "", units[i].name);
	if (!buf[0])
		snprintf(buf, size, "none");
	return buf;
}
