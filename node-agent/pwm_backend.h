/* What stands behind pwm.h. For pwm*.c alone. */
#pragma once

#include "pwm.h"

struct pwm_backend {
	int (*ready)(struct device *device, struct pwm *pwm);
	int (*set)(struct pwm *pwm, int64_t high_ns);
	int64_t (*get)(struct pwm *pwm);
};

enum { PWM_PATH_MAX = 256 };

struct pwm {
	const struct pwm_backend *backend;
	int64_t period_ns, step_ns;
	int channel;
	/* of the kernel */
	char path[PWM_PATH_MAX]; /* "/sys/class/pwm/pwmchip0/pwm1" */
	int attempts;
	/* of a PCA9685 */
	struct device *device;
};

extern const struct pwm_backend pwm_kernel, pwm_pca9685;

/* Finds the channel's folder, and makes it. */
int pwm_kernel_open(struct device *device, const struct pwm_place *place, struct pwm *pwm);
/* Wakes the chip at that frequency. */
int pwm_pca9685_open(struct device *device, const struct pwm_place *place, struct pwm *pwm);
