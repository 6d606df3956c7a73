/* TSL2561 light sensor, I2C 0x39, 0x29 or 0x49. Pages: TAOS data sheet TAOS059N (2009). It sees from 0.1 to about 70000 lx in three
 * steps of sensitivity, and takes the next one when a turn was too bright or too dim for this one. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "../driver.h"
#include "../i2c.h"

enum { COMMAND = 0x80, WORD = 0x20 };                                             /* p. 13 */
enum { CONTROL = 0x0, TIMING = 0x1, ID = 0xA, CHANNEL_0 = 0xC, CHANNEL_1 = 0xE }; /* p. 12 */
enum { POWER_ON = 3, POWER_OFF = 0 };
enum { PART_CS = 0x1, PART_T_FN_CL = 0x5 }; /* p. 17: the high half of ID */

struct step {
	uint8_t timing;     /* p. 15: gain and time */
	int top, dim;       /* counts where it is saturated (p. 5), and where the step before does better */
	double to_standard; /* what counts become at gain 16 and 402 ms, for which the formulas are */
};

static const struct step steps[] = {
	{ 0x12, 65535, 0, 1 },                /* 402 ms, gain 16 */
	{ 0x02, 65535, 2048, 16 },            /* 402 ms, gain 1 */
	{ 0x00, 5047, 128, 16.0 * 322 / 11 }, /* 13.7 ms, gain 1 */
};
enum { STEPS = sizeof(steps) / sizeof(*steps) };

struct tsl2561 {
	bool is_cs;
	int step;
};

static bool is_part(int id)
{
	return id >> 4 == PART_CS || id >> 4 == PART_T_FN_CL;
}

static int tsl2561_identify(struct i2c *i2c)
{
	int id = i2c_read_byte(i2c, COMMAND | ID);

	return id >= 0 && is_part(id);
}

static int tsl2561_open(struct device *device)
{
	struct tsl2561 *tsl2561 = device->state;
	int id = i2c_read_byte(device->i2c, COMMAND | ID);

	if (id < 0)
		return id;
	if (!is_part(id)) {
		snprintf(device->error, sizeof(device->error), "chip id 0x%02x is not a TSL2561's (0x5x or 0x1x)", (unsigned)id);
		return -ENODEV;
	}
	*tsl2561 = (struct tsl2561){ .is_cs = id >> 4 == PART_CS };
	return 0;
}

/* The chip begins to count when it gets power. */
static int tsl2561_trigger(struct device *device)
{
	const struct tsl2561 *tsl2561 = device->state;
	int r = i2c_write_byte(device->i2c, COMMAND | CONTROL, POWER_OFF);

	if (r >= 0)
		r = i2c_write_byte(device->i2c, COMMAND | TIMING, steps[tsl2561->step].timing);
	return r < 0 ? r : i2c_write_byte(device->i2c, COMMAND | CONTROL, POWER_ON);
}

/* Illuminance from the counts of both diodes, of all light and of infrared (p. 23). */
static double illuminance(bool is_cs, double all, double infrared)
{
	static const struct {
		double to, all, infrared;
	} t_fn_cl[] = { { 0.61, 0.0224, 0.031 }, { 0.80, 0.0128, 0.0153 }, { 1.30, 0.00146, 0.00112 } },
	  cs[] = { { 0.65, 0.0229, 0.0291 }, { 0.80, 0.0157, 0.0180 }, { 1.30, 0.00338, 0.00260 } };
	double ratio = all > 0 ? infrared / all : 0;

	if (ratio <= (is_cs ? 0.52 : 0.50))
		return is_cs ? 0.0315 * all - 0.0593 * all * pow(ratio, 1.4) : 0.0304 * all - 0.062 * all * pow(ratio, 1.4);
	for (size_t i = 0; i < sizeof(cs) / sizeof(*cs); i++)
		if (ratio <= (is_cs ? cs : t_fn_cl)[i].to)
			return (is_cs ? cs : t_fn_cl)[i].all * all - (is_cs ? cs : t_fn_cl)[i].infrared * infrared;
	return 0;
}

static int tsl2561_fetch(struct device *device, double values[])
{
	struct tsl2561 *tsl2561 = device->state;
	const struct step *step = &steps[tsl2561->step];
	int control = i2c_read_byte(device->i2c, COMMAND | CONTROL), all, infrared, r;

	if (control < 0)
		return control;
	if ((control & POWER_ON) != POWER_ON) { /* p. 14: it reads as it was written, to see that the chip is there */
		snprintf(device->error, sizeof(device->error), "it is off, though it was switched on: is its power steady?");
		return -EIO;
	}
	all = i2c_read_word(device->i2c, COMMAND | WORD | CHANNEL_0, I2C_LOW_FIRST);
	if (all < 0)
		return all;
	infrared = i2c_read_word(device->i2c, COMMAND | WORD | CHANNEL_1, I2C_LOW_FIRST);
	if (infrared < 0)
		return infrared;
	r = i2c_write_byte(device->i2c, COMMAND | CONTROL, POWER_OFF);
	if (r < 0)
		return r;
	if (all >= step->top || infrared >= step->top) {
		values[0] = NAN;
		if (tsl2561->step < STEPS - 1) {
			tsl2561->step++;
			return 0; /* the next turn tells */
		}
		snprintf(device->error, sizeof(device->error), "brighter than the chip can tell");
		return -ERANGE;
	}
	if (all < step->dim)
		tsl2561->step--;
	values[0] = fmax(illuminance(tsl2561->is_cs, all * step->to_standard, infrared * step->to_standard), 0);
	return 0;
}

const struct driver tsl2561_driver = {
	.name = "tsl2561",
	.help = "TSL2561 light sensor",
	.state_size = sizeof(struct tsl2561),
	.interval = "30s",
	.emits = (const enum quantity[]){ QUANTITY_ILLUMINANCE, QUANTITY_NONE },
	.i2c_addresses = (const uint8_t[]){ 0x39, 0x29, 0x49, 0 },
	.settle_ms = 450, /* p. 4: 402 ms by a clock that may be a tenth slow */
	.identify = tsl2561_identify,
	.open = tsl2561_open,
	.trigger = tsl2561_trigger,
	.fetch = tsl2561_fetch,
};
