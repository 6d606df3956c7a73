/* The kernel's PWM outputs: Documentation/ABI/testing/sysfs-class-pwm. A channel's folder appears when its number is written to `export`;
 * udev gives it to its group a little later. The period must be there before a high time that fits into it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "door.h"
#include "pwm_backend.h"
#include "sysfs.h"

enum { ATTEMPTS = 40 }; /* of PWM_RETRY_MS each */

static int get_number(const char *folder, const char *name, double *ret_number)
{
	char path[SYSFS_PATH_MAX];

	return sysfs_read_number(sysfs_file(path, folder, name), ret_number);
}

static int put_number(const char *folder, const char *name, int64_t number)
{
	char path[SYSFS_PATH_MAX];

	return sysfs_write_number(sysfs_file(path, folder, name), number);
}

/* ---- finding -------------------------------------------------------------------------------------------------------------------- */

static int chip_fits(const char *path, void *context)
{
	const struct pwm_place *place = context;
	const char *name = strrchr(path, '/') + 1;
	char link[SYSFS_PATH_MAX], target[SYSFS_PATH_MAX] = "";
	double channels;
	ssize_t len;

	if (strncmp(name, "pwmchip", 7) != 0)
		return 0;
	if (!place->chip)
		return get_number(path, "npwm", &channels) >= 0 && place->channel < (int)channels;
	len = readlink(sysfs_file(link, path, "device"), target, sizeof(target) - 1);
	if (len > 0 && strrchr(target, '/') && strcmp(strrchr(target, '/') + 1, place->chip) == 0)
		return 1;
	return strcmp(name, place->chip) == 0;
}

int pwm_kernel_open(struct device *device, const struct pwm_place *place, struct pwm *pwm)
{
	char folder[SYSFS_PATH_MAX], chip[SYSFS_PATH_MAX], name[24];
	double channels = 0;
	int r = sysfs_find(sysfs_path(folder, "/sys/class/pwm"), chip_fits, (void *)place, chip);

	if (r < 0) {
		if (place->chip)
			snprintf(device->error, sizeof(device->error), "no PWM chip \"%s\" in /sys/class/pwm", place->chip);
		else
			snprintf(device->error, sizeof(device->error),
				 "no PWM channel %d here: add dtoverlay=pwm (or pwm-2chan) to /boot/firmware/config.txt",
				 place->channel);
		return r;
	}
	if (get_number(chip, "npwm", &channels) >= 0 && place->channel >= (int)channels) {
		snprintf(device->error, sizeof(device->error), "no PWM channel %d: %s has 0 to %d", place->channel,
			 strrchr(chip, '/') + 1, (int)channels - 1);
		return -ENODEV;
	}
	snprintf(name, sizeof(name), "pwm%d", place->channel);
	sysfs_file(pwm->path, chip, name);
	if (access(pwm->path, F_OK) == 0)
		return 0;
	r = put_number(chip, "export", place->channel);
	if (r == -EBUSY)
		snprintf(device->error, sizeof(device->error), "channel %d of %s is in use by the kernel", place->channel,
			 strrchr(chip, '/') + 1);
	else if (r < 0)
		door_explain(sysfs_file(folder, chip, "export"), r, "gpio", NULL, device->error, sizeof(device->error));
	return r;
}

/* ---- using ---------------------------------------------------------------------------------------------------------------------- */

/* What runs with our period goes on; anything else is stopped, so that no wrong pulse leaves. */
static int set_up(const struct pwm *pwm)
{
	double period = 0, enabled = 0;
	int r = get_number(pwm->path, "period", &period);

	if (r >= 0)
		r = get_number(pwm->path, "enable", &enabled);
	if (r >= 0 && (int64_t)period == pwm->period_ns) /* nothing to change, but may it be? */
		return put_number(pwm->path, "period", pwm->period_ns);
	if (r >= 0 && enabled > 0)
		r = put_number(pwm->path, "enable", 0);
	if (r >= 0 && period > 0)
		r = put_number(pwm->path, "duty_cycle", 0);
	if (r >= 0)
		r = put_number(pwm->path, "period", pwm->period_ns);
	return r;
}

static int kernel_ready(struct device *device, struct pwm *pwm)
{
	int r = set_up(pwm);

	if ((r == -EACCES || r == -ENOENT || r == -EPERM) && ++pwm->attempts < ATTEMPTS)
		return -EAGAIN;
	if (r == -EINVAL || r == -ERANGE)
		snprintf(device->error, sizeof(device->error), "%.60s refuses a period of %lld ns: another frequency?", pwm->path,
			 (long long)pwm->period_ns);
	else if (r < 0)
		door_explain(pwm->path, r, "gpio", NULL, device->error, sizeof(device->error));
	return r < 0 ? r : 0;
}

static int kernel_set(struct pwm *pwm, int64_t high_ns)
{
	double enabled = 0;
	int r = put_number(pwm->path, "duty_cycle", high_ns);

	if (r >= 0)
		r = get_number(pwm->path, "enable", &enabled);
	return r < 0 || enabled > 0 ? r : put_number(pwm->path, "enable", 1);
}

static int64_t kernel_get(struct pwm *pwm)
{
	double enabled, high_ns;
	int r = get_number(pwm->path, "enable", &enabled);

	if (r >= 0 && !(enabled > 0))
		return -ENODATA;
	if (r >= 0)
		r = get_number(pwm->path, "duty_cycle", &high_ns);
	return r < 0 ? r : (int64_t)high_ns;
}

const struct pwm_backend pwm_kernel = { .ready = kernel_ready, .set = kernel_set, .get = kernel_get };
