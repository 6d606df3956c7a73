#include "derive.h"

#include <math.h>
#include <stddef.h>

#define MAGNUS_A 6.112 /* hPa */
#define MAGNUS_B 17.62
#define MAGNUS_C 243.12 /* °C */
#define ZERO_CELSIUS 273.15
#define GRAMS 216.679 /* 100 Pa/hPa * 1000 g/kg / 461.5 J/(kg K) */
#define SCALE_HEIGHT 44330.0
#define EXPONENT 5.255

const char *derive_name(enum derived derived)
{
	static const char *const names[] = { "dew_point", "absolute_humidity", "sea_level_pressure" };

	return derived < DERIVED_COUNT ? names[derived] : NULL;
}

const char *derive_needs(enum derived derived, int which)
{
	if (derived == DERIVED_SEA_LEVEL_PRESSURE)
		return which == 0 ? "pressure" : NULL;
	return which == 0 ? "temperature" : "humidity";
}

double derive_dew_point(double temperature, double humidity)
{
	double gamma = log(humidity / 100) + MAGNUS_B * temperature / (MAGNUS_C + temperature);

	return humidity > 0 ? MAGNUS_C * gamma / (MAGNUS_B - gamma) : NAN;
}

double derive_absolute_humidity(double temperature, double humidity)
{
	double vapour = humidity / 100 * MAGNUS_A * exp(MAGNUS_B * temperature / (MAGNUS_C + temperature));

	return GRAMS * vapour / (ZERO_CELSIUS + temperature);
}

double derive_sea_level_pressure(double pressure, double altitude)
{
	return pressure / pow(1 - altitude / SCALE_HEIGHT, EXPONENT);
}

double derive(enum derived derived, double first, double second, double altitude)
{
	switch (derived) {
	case DERIVED_DEW_POINT:
		return derive_dew_point(first, second);
	case DERIVED_ABSOLUTE_HUMIDITY:
		return derive_absolute_humidity(first, second);
	case DERIVED_SEA_LEVEL_PRESSURE:
		return derive_sea_level_pressure(first, altitude);
	case DERIVED_COUNT:
		break;
	}
	return NAN;
}
