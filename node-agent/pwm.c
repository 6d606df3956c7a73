#include "pwm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pwm_backend.h"

int pwm_open(struct device *device, const struct pwm_place *place, struct pwm **ret_pwm)
{
	struct pwm *pwm = calloc(1, sizeof(*pwm));
	int r;

	if (!pwm)
		return -ENOMEM;
	pwm->period_ns = (int64_t)(1e9 / place->frequency + 0.5);
	pwm->step_ns = 1;
	pwm->channel = place->channel;
	pwm->backend = device->i2c ? &pwm_pca9685 : &pwm_kernel;
	r = device->i2c ? pwm_pca9685_open(device, place, pwm) : pwm_kernel_open(device, place, pwm);
	if (r >= 0)
		r = pwm_ready(device, pwm);
	if (r < 0) {
		pwm_close(pwm);
		return r;
	}
	*ret_pwm = pwm;
	return r;
}

int pwm_ready(struct device *device, struct pwm *pwm)
{
	int r = pwm->backend->ready(device, pwm);

	if (r != -EAGAIN)
		return r < 0 ? r : 1;
	device_wake(device, PWM_RETRY_MS);
	return 0;
}

void pwm_close(struct pwm *pwm)
{
	free(pwm);
}

int64_t pwm_period_ns(const struct pwm *pwm)
{
	return pwm->period_ns;
}

int64_t pwm_step_ns(const struct pwm *pwm)
{
	return pwm->step_ns;
}

int pwm_set(struct pwm *pwm, int64_t high_ns)
{
	return pwm->backend->set(pwm, high_ns < 0 ? 0 : high_ns > pwm->period_ns ? pwm->period_ns : high_ns);
}

int64_t pwm_get(struct pwm *pwm)
{
	return pwm->backend->get(pwm);
}

/* ---- configuration -------------------------------------------------------------------------------------------------------------- */

static int number_of(struct conf *conf, const struct conf_section *section, const char *key, double usual, double *ret_number)
{
	const char *text = conf_text(conf, section, key);
	char *end = NULL;

	*ret_number = text ? strtod(text, &end) : usual;
	return text && (end == text || *end) ? -EINVAL : 0;
}

void pwm_check_frequency(const struct device *device, const struct pwm_place *place, struct conf *conf,
			 const struct conf_section *section)
{
	const struct conf_section *other = NULL;
	const char *bus = device->bus ? device->bus : "";

	while ((other = conf_next(conf, "device", other)) && other != section) {
		const char *driver = conf_text(conf, other, "driver"), *other_bus;
		bool servo = driver && strcmp(driver, "servo_pca9685") == 0;
		double address, frequency;

		if (!servo && (!driver || strcmp(driver, "dimmer_pca9685") != 0))
			continue;
		other_bus = conf_text(conf, other, "bus");
		if (strcmp(other_bus ? other_bus : bus, bus) != 0 ||
		    number_of(conf, other, "address", device->driver->i2c_addresses[0], &address) < 0 ||
		    (int)address != device->address || number_of(conf, other, "frequency", servo ? 50 : 1000, &frequency) < 0)
			continue;
		if (frequency < place->frequency || frequency > place->frequency) {
			conf_mistake(conf, section, "frequency",
				     "%g Hz, but [device %s] on the same chip has %g Hz: a PCA9685 has one for all its channels",
				     place->frequency, conf_section_name(other), frequency);
			return;
		}
	}
}
