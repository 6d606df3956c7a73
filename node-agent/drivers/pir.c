/* A movement sensor (HC-SR501, AM312, RCWL-0516) that drives its line high, 3.3 V, while something moves. */
#include "../input.h"

static const struct conf_item items[] = {
	INPUT_ITEMS("pull-down", "no", "50ms"), /* unplugged, it is quiet */
	{ "hold", CONF_DURATION, offsetof(struct input_config, hold_ms), "0", .max = 86400000,
	  .help = "the movement ends when it was quiet for so long" },
	{ 0 },
};

const struct driver pir_driver = {
	.name = "pir",
	.help = "a movement sensor",
	.items = items,
	.emits = (const enum quantity[]){ QUANTITY_MOTION, QUANTITY_NONE },
	INPUT_DRIVER,
};
