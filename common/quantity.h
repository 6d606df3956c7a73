/* What can be measured or switched: name, unit, plausible range, decimals, kind and labels of each known quantity.
 * A quantity that is not in this table is welcome too: any valid name holds plain numbers without unit or range. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { QUANTITY_NAME_MAX = 32, UNIT_MAX = 16 }; /* bytes, without the closing NUL */

enum quantity {
	QUANTITY_NONE, /* ends a list; a name that is not in the table */
	QUANTITY_TEMPERATURE,
	QUANTITY_HUMIDITY,
	QUANTITY_PRESSURE,
	QUANTITY_ILLUMINANCE,
	QUANTITY_DISTANCE,
	QUANTITY_MOTION,
	QUANTITY_CONTACT,
	QUANTITY_SWITCH,
	QUANTITY_LEVEL,
	QUANTITY_POSITION,
	QUANTITY_VOLTAGE,
	QUANTITY_CURRENT,
	QUANTITY_POWER,
	QUANTITY_ENERGY,
	QUANTITY_CO2,
	QUANTITY_RSSI,
	QUANTITY_BATTERY,
	QUANTITY_BADGE,
	QUANTITY_TEXT,
	QUANTITY_BUTTON,
	QUANTITY_DEW_POINT,
	QUANTITY_ABSOLUTE_HUMIDITY,
	QUANTITY_MOISTURE,
	QUANTITY_VOLUME,
	QUANTITY_COUNTER,
	QUANTITY_LOAD,
	QUANTITY_MEMORY,
	QUANTITY_DISK,
	QUANTITY_SEA_LEVEL_PRESSURE,
	QUANTITY_RAIN,
	QUANTITY_COUNT
};

enum quantity_kind { QUANTITY_KIND_NUMBER, QUANTITY_KIND_BINARY, QUANTITY_KIND_TEXT };

struct quantity_info {
	const char *name; /* "temperature": topic, table and URL use this word */
	const char *unit; /* "°C"; "" without */
	double min, max;  /* plausible range, both included; a reading outside it is refused */
	int decimals;     /* as shown to people */
	enum quantity_kind kind;
	const char *label_fr, *label_en;
	const char *off_fr, *on_fr; /* what 0 and 1 of a binary quantity are called: "Fermé", "Ouvert"; else NULL */
	const char *off_en, *on_en;
	const char *icon; /* a symbol's name in web/, without "i-" */
};

/* The row of a known quantity. QUANTITY_NONE gives the row of an unknown one (name and labels "", kind number, no range). */
const struct quantity_info *quantity_info(enum quantity quantity);

/* The quantity of that name, QUANTITY_NONE when the table does not have it. */
enum quantity quantity_find(const char *name);

/* quantity_info(quantity_find(name)). */
const struct quantity_info *quantity_info_of(const char *name);

/* Whether a name may be a quantity's: [a-z][a-z0-9_]{0,31}, and none that the store's schema uses itself (node, series,
 * command, rejected, meta, event, sqlite_..., ..._5min, ..._hour, ..._8hour, ..._view). */
bool quantity_name_valid(const char *name, size_t len);
