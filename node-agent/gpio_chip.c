/* What both versions of libgpiod do alike. */
#include "gpio_chip.h"

#include <errno.h>
#include <gpiod.h>
#include <string.h>

int gpio_failure(void)
{
	return errno > 0 ? -errno : -EIO;
}

int gpio_chip_open(const char *path, struct gpiod_chip **ret_chip)
{
	struct gpiod_chip *chip = gpiod_chip_open(path);

	if (!chip)
		return gpio_failure();
	*ret_chip = chip;
	return 0;
}

void gpio_chip_close(struct gpiod_chip *chip)
{
	if (chip)
		gpiod_chip_close(chip);
}

void gpio_copy_name(char to[GPIO_NAME_MAX], const char *from)
{
	to[0] = '\0';
	strncat(to, from ? from : "", GPIO_NAME_MAX - 1);
}
