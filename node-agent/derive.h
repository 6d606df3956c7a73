/* Quantities that follow from others of the same device. */
#pragma once

enum derived { DERIVED_DEW_POINT, DERIVED_ABSOLUTE_HUMIDITY, DERIVED_SEA_LEVEL_PRESSURE, DERIVED_COUNT };

/* The quantity's name, "dew_point"; and of those that it needs, the second NULL when it needs one. */
const char *derive_name(enum derived derived);
const char *derive_needs(enum derived derived, int which);

/* Magnus' formula with Sonntag's coefficients over water (Z. Meteorol. 70, 1990, 340; good to 0.35 K from -45 to 60 °C), so also below freezing,
 * as hygrometers do (WMO-No. 8, annex 4.B).
 * temperature °C, humidity %. Returns °C, NAN for air without water. */
double derive_dew_point(double temperature, double humidity);

/* Water in air, g/m³: vapour pressure of the same formula, ideal gas with R = 461.5 J/(kg K). */
double derive_absolute_humidity(double temperature, double humidity);

/* What the barometer would show at the sea, by the standard atmosphere's 15 °C and 6.5 K/km (ISO 2533; Bosch BMP180 data sheet, 3.7): the sensor's
 * own temperature is a room's, not the air's above.
 * pressure hPa, altitude m. Returns hPa. */
double derive_sea_level_pressure(double pressure, double altitude);

/* By its kind; first and second as derive_needs says. */
double derive(enum derived derived, double first, double second, double altitude);
