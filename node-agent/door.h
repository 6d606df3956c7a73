/* What a door to hardware that does not open means, in words that tell a person what to do. */
#pragma once

#include <stddef.h>

/* "no /dev/i2c-1: add dtparam=i2c_arm=on to /boot/firmware/config.txt", "may not open /dev/i2c-1: join group i2c (sudo usermod -aG
 * i2c anne)", "/dev/ttyUSB0 is in use by another program", otherwise the path and the system's own words.
 * error   negative errno
 * group   whose members may open it, where udev has a rule for that (systemd/foyer.rules); NULL: only root may
 * hint    what to do when it is not there, "add ..."; NULL without
 * Returns buf. */
const char *door_explain(const char *path, int error, const char *group, const char *hint, char *buf, size_t size);
