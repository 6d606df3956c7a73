/* A pulse-width output: how long of each period its line is high. One of the kernel's (/sys/class/pwm, Documentation/driver-api/pwm.rst)
 * or a channel of a PCA9685 (pwm_pca9685.c).
 *
 * The kernel's outputs keep what they do when they are closed and when the process ends; so does the PCA9685. Functions return
 * 0 or more, or a negative errno. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "driver.h"

struct pwm;

/* As the configuration says it. */
struct pwm_place {
	const char *chip; /* of the kernel: "pwmchip0" or what it is ("fe20c000.pwm"); NULL: the first that has such a channel */
	int channel;
	double frequency; /* Hz */
};

enum { PWM_RETRY_MS = 50 };

/* The output of a device: a PCA9685's when the device is an I2C chip, the kernel's otherwise. What is running with that period goes on.
 * Returns 1 when it can be used; 0, with ret_pwm too, while udev has yet to give the right to use it: the device is woken (PWM_RETRY_MS) to ask
 * pwm_ready. Words for people go to device->error. */
int pwm_open(struct device *device, const struct pwm_place *place, struct pwm **ret_pwm);
/* 1, 0 as above, or for good: -EACCES and so on. */
int pwm_ready(struct device *device, struct pwm *pwm);
void pwm_close(struct pwm *pwm);

int64_t pwm_period_ns(const struct pwm *pwm);
/* The shortest step of the high time. */
int64_t pwm_step_ns(const struct pwm *pwm);
/* high_ns   0 to the period. */
int pwm_set(struct pwm *pwm, int64_t high_ns);
/* What it is, read back; -ENODATA while it does not run. */
int64_t pwm_get(struct pwm *pwm);

/* For configure(): one PCA9685 has one frequency, so all sections of that bus and address must say the same. */
void pwm_check_frequency(const struct device *device, const struct pwm_place *place, struct conf *conf,
			 const struct conf_section *section);

/* clang-format off */

/* Keys of a driver that has one: `at` is the offset of a struct pwm_place. */
#define PWM_ITEMS_KERNEL(at, usual_frequency) \
	{ "chip", CONF_STRING, (at) + offsetof(struct pwm_place, chip), NULL, \
	  .help = "pwmchip0, or what it is: fe20c000.pwm; without: the first" }, \
	{ "channel", CONF_INT, (at) + offsetof(struct pwm_place, channel), "0", .max = 31, .help = "which of its channels" }, \
	{ "frequency", CONF_NUMBER, (at) + offsetof(struct pwm_place, frequency), usual_frequency, .min = 1, .max = 1e6, .help = "Hz" }
#define PWM_ITEMS_PCA9685(at, usual_frequency) \
	{ "channel", CONF_INT, (at) + offsetof(struct pwm_place, channel), .required = true, .max = 15, \
	  .help = "which of the chip's channels" }, \
	{ "frequency", CONF_NUMBER, (at) + offsetof(struct pwm_place, frequency), usual_frequency, .min = 24, .max = 1526, \
	  .help = "Hz; the same for all channels of a chip" }

/* clang-format on */
