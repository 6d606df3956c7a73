#include "probe.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "probe_report.h"
#include "settings.h"
#include "sysfs.h"

enum { OVERRIDE_MAX = 320, MISTAKES_MAX = 1024 };

void probe_say(struct probe *probe, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs(probe->gap ? "\n# " : "# ", probe->out);
	probe->gap = false;
	vfprintf(probe->out, format, args);
	fputc('\n', probe->out);
	va_end(args);
}

void probe_head(struct probe *probe, const char *title)
{
	fprintf(probe->out, "\n# ---- %s\n", title);
	probe->gap = false;
}

/* ---- sections ------------------------------------------------------------------------------------------------------------------- */

/* Reads the section as the agent would. Returns the number of mistakes; ret_mistakes has their words, a line each. */
static int check_section(const char *driver, const struct probe_key *keys, char ret_mistakes[MISTAKES_MAX])
{
	static char texts[PROBE_KEYS_MAX + 2][OVERRIDE_MAX];
	const char *overrides[PROBE_KEYS_MAX + 2];
	FILE *out = fmemopen(ret_mistakes, MISTAKES_MAX, "w");
	struct settings settings;
	struct conf *conf;
	size_t count = 0;
	int mistakes = -1;

	snprintf(texts[count], OVERRIDE_MAX, "node.name=probe");
	count++;
	snprintf(texts[count++], OVERRIDE_MAX, "device probe.driver=%s", driver);
	for (; keys->key && count < PROBE_KEYS_MAX + 2; keys++)
		snprintf(texts[count++], OVERRIDE_MAX, "device probe.%s=%s", keys->key, keys->value);
	for (size_t i = 0; i < count; i++)
		overrides[i] = texts[i];
	ret_mistakes[0] = '\0';
	if (out && conf_open(NULL, overrides, count, &conf) >= 0) {
		settings_read(conf, &settings);
		mistakes = conf_finish(conf, out);
		settings_done(&settings);
		conf_close(conf);
	}
	if (out)
		fclose(out);
	return mistakes;
}

bool probe_fits(const char *driver, const struct probe_key *keys)
{
	char mistakes[MISTAKES_MAX];

	return driver_find(driver) && check_section(driver, keys, mistakes) == 0;
}

static bool name_taken(const struct probe *probe, const char *name)
{
	for (size_t i = 0; i < probe->name_count; i++)
		if (strcmp(probe->names[i], name) == 0)
			return true;
	return false;
}

/* A name that no section has yet: "bme280", "bme280-2" ... */
static void take_name(struct probe *probe, const char *wanted, char ret_name[NAME_MAX_LEN + 1])
{
	char clean[NAME_MAX_LEN + 1] = "";
	size_t len = 0;

	for (; *wanted && len < NAME_MAX_LEN - 3; wanted++) {
		char c = *wanted >= 'A' && *wanted <= 'Z' ? (char)(*wanted - 'A' + 'a') : *wanted;
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (word || (len > 0 && clean[len - 1] != '-'))
			clean[len++] = word ? c : '-';
	}
	strcpy(ret_name, len > 0 ? clean : "device");
	for (unsigned n = 2; name_taken(probe, ret_name) && n < 100; n++)
		snprintf(ret_name, NAME_MAX_LEN + 1, "%.*s-%u", NAME_MAX_LEN - 3, len > 0 ? clean : "device", n);
	if (probe->name_count < PROBE_NAMES_MAX)
		strcpy(probe->names[probe->name_count++], ret_name);
}

/* What the driver can't do without, and nobody but a person knows. */
static void say_needed(struct probe *probe, const struct driver *driver, const struct probe_key *keys)
{
	for (const struct conf_item *item = driver->items; item && item->key; item++) {
		const struct probe_key *key = keys;

		while (key->key && strcmp(key->key, item->key) != 0)
			key++;
		if (item->required && !key->key)
			fprintf(probe->out, "#%s =    # %s\n", item->key, item->help);
	}
}

void probe_section(struct probe *probe, const char *name, const char *driver, const struct probe_key *keys, bool sure)
{
	char unique[NAME_MAX_LEN + 1], mistakes[MISTAKES_MAX];
	const char *mark;

	if (!driver_find(driver))
		return;
	if (check_section(driver, keys, mistakes) != 0)
		sure = false;
	mark = sure ? "" : "#";
	take_name(probe, name, unique);
	fprintf(probe->out, "\n%s[device %s]\n%sdriver = %s\n", mark, unique, mark, driver);
	for (const struct probe_key *key = keys; key->key; key++)
		fprintf(probe->out, "%s%s = %s\n", mark, key->key, key->value);
	say_needed(probe, driver_find(driver), keys);
	probe->gap = true;
}

/* ---- all together --------------------------------------------------------------------------------------------------------------- */

int probe(FILE *out)
{
	struct probe probe = { .out = out };
	char model[SYSFS_TEXT_MAX], path[SYSFS_PATH_MAX];

	if (sysfs_read(sysfs_path(path, "/proc/device-tree/model"), model, sizeof(model)) > 0)
		probe_say(&probe, "What is here, on this %s. Sections with a '#' need a person's word;", model);
	else
		probe_say(&probe, "What is here. Sections with a '#' need a person's word;");
	probe_say(&probe, "the others may stand in node-agent.conf as they are. Names are free: call them as the house does.");
	probe_i2c(&probe);
	probe_sysfs(&probe);
	probe_gpio(&probe);
	probe_ports(&probe);
	return ferror(out) ? EXIT_FAILURE : EXIT_SUCCESS;
}
