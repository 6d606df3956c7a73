/* A door's or window's contact (a reed switch, a micro switch) between a line and ground: closed is 0, open is 1. */
#include "../input.h"

static const struct conf_item items[] = {
	INPUT_ITEMS("pull-up", "no", "20ms"), /* open, the resistor pulls the line up: 1 */
	{ 0 },
};

const struct driver contact_driver = {
	.name = "contact",
	.help = "a door's or window's contact between a line and ground",
	.items = items,
	.emits = (const enum quantity[]){ QUANTITY_CONTACT, QUANTITY_NONE },
	INPUT_DRIVER,
};
