/* A push button, or a wall switch that stays where it is put, between a line and ground. */
#include "../input.h"

static const struct conf_item button_items[] = {
	INPUT_ITEMS("pull-up", "yes", "20ms"),
	{ "long_press", CONF_DURATION, offsetof(struct input_config, long_press_ms), "0", .max = 60000,
	  .help = "held for so long, it tells long_press 1 as well; 0: never" },
	{ 0 },
};

static const struct conf_item switch_items[] = {
	INPUT_ITEMS("pull-up", "yes", "20ms"),
	{ 0 },
};

static void button_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	(void)conf;
	(void)section;
	if (((const struct input_config *)device->config)->long_press_ms > 0)
		device_add_channel(device, "long_press", OUTPUT_NONE);
}

const struct driver button_driver = {
	.name = "button",
	.help = "a push button between a line and ground",
	.items = button_items,
	.emits = (const enum quantity[]){ QUANTITY_BUTTON, QUANTITY_NONE },
	.configure = button_configure,
	INPUT_DRIVER,
};

const struct driver wall_switch_driver = {
	.name = "wall_switch",
	.help = "a switch on the wall between a line and ground, read (an output is a relay)",
	.items = switch_items,
	.emits = (const enum quantity[]){ QUANTITY_SWITCH, QUANTITY_NONE },
	INPUT_DRIVER,
};
