#include "log_settings.h"

struct log_section {
	int level;
};

const struct conf_item log_items[] = {
	{ "level", CONF_CHOICE, offsetof(struct log_section, level), "info", .choices = "error|warning|info|debug",
	  .help = "how much is told" },
	{ 0 },
};

enum log_level log_read_settings(struct conf *conf)
{
	static const enum log_level levels[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
	struct log_section log;

	conf_read(conf, conf_section(conf, "log", NULL), "log", log_items, &log);
	return levels[log.level];
}
