#include "quantity.h"

#include <math.h>
#include <string.h>

#define NUMBER .kind = QUANTITY_KIND_NUMBER
#define BINARY .unit = "", .min = 0, .max = 1, .kind = QUANTITY_KIND_BINARY
#define TEXT .unit = "", .kind = QUANTITY_KIND_TEXT

/* Ranges are what a working sensor in or around a house can mean: wider is a fault of the sensor or of the sender. */
static const struct quantity_info table[QUANTITY_COUNT] = {
	[QUANTITY_NONE] = { "", "", -HUGE_VAL, HUGE_VAL, 2, NUMBER, "", "", .icon = "chart" },
	[QUANTITY_TEMPERATURE] = { "temperature", "°C", -100, 1000, 1, NUMBER, "Température", "Temperature",
				   .icon = "temperature" },
	[QUANTITY_HUMIDITY] = { "humidity", "%", 0, 100, 0, NUMBER, "Humidité", "Humidity", .icon = "humidity" },
	[QUANTITY_PRESSURE] = { "pressure", "hPa", 300, 1200, 0, NUMBER, "Pression", "Pressure", .icon = "pressure" },
	[QUANTITY_ILLUMINANCE] = { "illuminance", "lx", 0, 200000, 0, NUMBER, "Éclairement", "Illuminance", .icon = "light" },
	[QUANTITY_DISTANCE] = { "distance", "cm", 0, 100000, 0, NUMBER, "Distance", "Distance", .icon = "distance" },
	[QUANTITY_MOTION] = { "motion", BINARY, .label_fr = "Mouvement", .label_en = "Motion", .off_fr = "Calme",
			      .on_fr = "Mouvement", .off_en = "Quiet", .on_en = "Motion", .icon = "motion" },
	[QUANTITY_CONTACT] = { "contact", BINARY, .label_fr = "Ouverture", .label_en = "Contact", .off_fr = "Fermé",
			       .on_fr = "Ouvert", .off_en = "Closed", .on_en = "Open", .icon = "door" },
	[QUANTITY_SWITCH] = { "switch", BINARY, .label_fr = "Interrupteur", .label_en = "Switch", .off_fr = "Éteint",
			      .on_fr = "Allumé", .off_en = "Off", .on_en = "On", .icon = "plug" },
	[QUANTITY_LEVEL] = { "level", "%", 0, 100, 0, NUMBER, "Niveau", "Level", .icon = "dimmer" },
	[QUANTITY_POSITION] = { "position", "°", -360, 360, 0, NUMBER, "Position", "Position", .icon = "servo" },
	[QUANTITY_VOLTAGE] = { "voltage", "V", -100000, 100000, 2, NUMBER, "Tension", "Voltage", .icon = "plug" },
	[QUANTITY_CURRENT] = { "current", "A", -10000, 10000, 2, NUMBER, "Courant", "Current", .icon = "plug" },
	[QUANTITY_POWER] = { "power", "W", -1000000, 1000000, 0, NUMBER, "Puissance", "Power", .icon = "plug" },
	[QUANTITY_ENERGY] = { "energy", "kWh", 0, 1e9, 1, NUMBER, "Énergie", "Energy", .icon = "plug" },
	[QUANTITY_CO2] = { "co2", "ppm", 0, 100000, 0, NUMBER, "CO₂", "CO₂", .icon = "leaf" },
	[QUANTITY_RSSI] = { "rssi", "dBm", -150, 50, 0, NUMBER, "Signal", "Signal", .icon = "hub" },
	[QUANTITY_BATTERY] = { "battery", "%", 0, 100, 0, NUMBER, "Batterie", "Battery", .icon = "battery" },
	[QUANTITY_BADGE] = { "badge", TEXT, .label_fr = "Badge", .label_en = "Badge", .icon = "badge" },
	[QUANTITY_TEXT] = { "text", TEXT, .label_fr = "Texte", .label_en = "Text", .icon = "text" },
	[QUANTITY_BUTTON] = { "button", BINARY, .label_fr = "Bouton", .label_en = "Button", .off_fr = "Relâché", .on_fr = "Appuyé",
			      .off_en = "Released", .on_en = "Pressed", .icon = "right" },
	[QUANTITY_DEW_POINT] = { "dew_point", "°C", -100, 100, 1, NUMBER, "Point de rosée", "Dew point", .icon = "temperature" },
	[QUANTITY_ABSOLUTE_HUMIDITY] = { "absolute_humidity", "g/m³", 0, 1000, 1, NUMBER, "Humidité absolue", "Absolute humidity",
					 .icon = "humidity" },
	[QUANTITY_MOISTURE] = { "moisture", "%", 0, 100, 0, NUMBER, "Humidité du sol", "Soil moisture", .icon = "humidity" },
	[QUANTITY_VOLUME] = { "volume", "m³", 0, 1e9, 3, NUMBER, "Volume", "Volume", .icon = "humidity" },
	[QUANTITY_COUNTER] = { "counter", "", 0, 9007199254740992.0, 0, NUMBER, "Compteur", "Counter", .icon = "chart" },
	[QUANTITY_LOAD] = { "load", "", 0, 100000, 2, NUMBER, "Charge", "Load", .icon = "system" },
	[QUANTITY_MEMORY] = { "memory", "%", 0, 100, 0, NUMBER, "Mémoire", "Memory", .icon = "system" },
	[QUANTITY_SEA_LEVEL_PRESSURE] = { "sea_level_pressure", "hPa", 800, 1200, 0, NUMBER, "Pression au niveau de la mer",
					  "Sea-level pressure", .icon = "pressure" },
	[QUANTITY_DISK] = { "disk", "%", 0, 100, 0, NUMBER, "Disque", "Disk", .icon = "database" },
	[QUANTITY_RAIN] = { "rain", "mm", 0, 1e9, 1, NUMBER, "Pluie", "Rain", .icon = "humidity" },
};

const struct quantity_info *quantity_info(enum quantity quantity)
{
	return &table[quantity > QUANTITY_NONE && quantity < QUANTITY_COUNT ? quantity : QUANTITY_NONE];
}

enum quantity quantity_find(const char *name)
{
	for (int i = QUANTITY_NONE + 1; i < QUANTITY_COUNT; i++)
		if (table[i].name[0] == name[0] && strcmp(table[i].name, name) == 0)
			return (enum quantity)i;
	return QUANTITY_NONE;
}

const struct quantity_info *quantity_info_of(const char *name)
{
	return quantity_info(quantity_find(name));
}

static bool ends_with(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && memcmp(name + len - n, end, n) == 0;
}

static bool reserved(const char *name, size_t len)
{
	static const char *const names[] = { "node", "series", "command", "rejected", "meta", "event", "meta_rollup", "meta_late" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	return (len >= 7 && memcmp(name, "sqlite_", 7) == 0) || ends_with(name, len, "_5min") || ends_with(name, len, "_hour") ||
	       ends_with(name, len, "_8hour") || ends_with(name, len, "_view");
}

bool quantity_name_valid(const char *name, size_t len)
{
	if (len < 1 || len > QUANTITY_NAME_MAX || name[0] < 'a' || name[0] > 'z')
		return false;
	for (size_t i = 1; i < len; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '_'))
			return false;
	return !reserved(name, len);
}
