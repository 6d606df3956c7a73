/* PCA9685: 16 channels of 12 bits, I2C 0x40 to 0x7f. NXP data sheet Rev. 4 (2015). */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "i2c.h"
#include "pwm_backend.h"

enum {
	MODE1 = 0x00,
	MODE1_RESTART = 0x80,
	MODE1_INCREMENT = 0x20,
	MODE1_SLEEP = 0x10,
	LED0_ON_L = 0x06, /* four registers a channel: ON low, ON high, OFF low, OFF high */
	FULL = 0x10,      /* of ON high: always on; of OFF high: always off, which wins */
	PRESCALE = 0xfe,
	COUNTS = 4096,
	OSCILLATOR_START_NS = 500000, /* 7.3.1.1 */
};

#define OSCILLATOR_HZ 25e6

/* The prescaler can be written in sleep only (7.3.5). RESTART lets all channels go on as they were (7.3.1.1). */
static int set_prescale(struct i2c *i2c, uint8_t prescale)
{
	int r = i2c_write_byte(i2c, MODE1, MODE1_INCREMENT | MODE1_SLEEP);

	if (r >= 0)
		r = i2c_write_byte(i2c, PRESCALE, prescale);
	if (r >= 0)
		r = i2c_write_byte(i2c, MODE1, MODE1_INCREMENT);
	nanosleep(&(struct timespec){ .tv_nsec = OSCILLATOR_START_NS }, NULL); /* on the bus's own thread */
	return r < 0 ? r : i2c_write_byte(i2c, MODE1, MODE1_INCREMENT | MODE1_RESTART);
}

/* Whether it runs as it was told to. From power-on it sleeps, and its outputs are off whatever their registers say; zeros and ones of a broken
 * wire fail here, too. */
static int check(const struct pwm *pwm)
{
	int mode = i2c_read_byte(pwm->device->i2c, MODE1);

	if (mode < 0 || (mode & (MODE1_SLEEP | MODE1_INCREMENT)) == MODE1_INCREMENT)
		return mode;
	snprintf(pwm->device->error, sizeof(pwm->device->error), "the chip has forgotten its settings: is its power steady?");
	return -EIO;
}

int pwm_pca9685_open(struct device *device, const struct pwm_place *place, struct pwm *pwm)
{
	int prescale = (int)(OSCILLATOR_HZ / COUNTS / place->frequency + 0.5) - 1; /* 7.3.5, equation 1 */
	int mode, now;

	pwm->device = device;
	pwm->step_ns = pwm->period_ns / COUNTS + 1;
	mode = i2c_read_byte(device->i2c, MODE1);
	if (mode < 0)
		return mode;
	now = i2c_read_byte(device->i2c, PRESCALE);
	if (now < 0)
		return now;
	if (now == prescale && !(mode & MODE1_SLEEP) && (mode & MODE1_INCREMENT))
		return 0;
	return set_prescale(device->i2c, (uint8_t)prescale);
}

static int pca9685_ready(struct device *device, struct pwm *pwm)
{
	(void)device;
	(void)pwm;
	return 0;
}

static int pca9685_set(struct pwm *pwm, int64_t high_ns)
{
	int64_t counts = (high_ns * COUNTS + pwm->period_ns / 2) / pwm->period_ns;
	uint8_t registers[4] = { 0 };

	if (counts == 0 && high_ns > 0)
		counts = 1; /* a little is not nothing */
	if (counts >= COUNTS)
		registers[1] = FULL;
	else if (counts == 0)
		registers[3] = FULL;
	registers[2] = (uint8_t)(counts % COUNTS);
	registers[3] = (uint8_t)(registers[3] | (counts % COUNTS) >> 8);
	return i2c_write_block(pwm->device->i2c, (uint8_t)(LED0_ON_L + 4 * pwm->channel), registers, sizeof(registers));
}

static int64_t pca9685_get(struct pwm *pwm)
{
	uint8_t registers[4];
	int r = check(pwm);

	if (r >= 0)
		r = i2c_read_block(pwm->device->i2c, (uint8_t)(LED0_ON_L + 4 * pwm->channel), registers, sizeof(registers));
	if (r < 0)
		return r;
	if (registers[3] & FULL)
		return -ENODATA;
	if (registers[1] & FULL)
		return pwm->period_ns;
	return (registers[2] | (registers[3] & 0xf) << 8) * pwm->period_ns / COUNTS;
}

const struct pwm_backend pwm_pca9685 = { .ready = pca9685_ready, .set = pca9685_set, .get = pca9685_get };
