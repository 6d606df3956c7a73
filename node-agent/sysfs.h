/* The door to the kernel's small files in /sys and /proc: a channel of a sensor, a PWM, a thermal zone each is one.
 *
 * FOYER_ROOT in the environment stands before the paths that sysfs_path makes: a plain folder of files then plays the kernel
 * (tests, containers). All functions return a negative errno on failure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SYSFS_PATH_MAX = 256, SYSFS_TEXT_MAX = 128 };

/* A path with FOYER_ROOT before it: sysfs_path(path, "/sys/class/thermal/thermal_zone%d/temp", zone). Too long: "", which
 * nothing opens. Returns buf. */
const char *sysfs_path(char buf[SYSFS_PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the file says, without white space at its end. Nothing in it is -ENODATA: so some drivers of the kernel tell that a
 * reading failed (w1_therm after a bad CRC). At most size - 1 bytes are read; SYSFS_TEXT_MAX holds any single value. Returns the length. */
int sysfs_read(const char *path, char *buf, size_t size);
/* One number and nothing else; -EINVAL when it is none. */
int sysfs_read_number(const char *path, double *ret_number);

/* In one write, as the kernel wants it. */
int sysfs_write(const char *path, const char *text);
int sysfs_write_number(const char *path, int64_t number);

/* Tries the entries of a folder in the order of their names ("hwmon2" before "hwmon10") until `fits` returns 1 (0: the next;
 * negative: that is the result).
 * path   of the entry, SYSFS_PATH_MAX
 * Returns 0 with ret_path, -ENOENT when none fits or the folder is not there. */
int sysfs_find(const char *folder, int (*fits)(const char *path, void *context), void *context, char ret_path[SYSFS_PATH_MAX]);

/* The file of a folder, "PATH/NAME", which may be `path` itself. Too long: "". Returns buf. */
const char *sysfs_file(char buf[SYSFS_PATH_MAX], const char *folder, const char *name);
