// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Test module: a GPIO chip "foyer-lines" whose lines answer, as no script on gpio-sim could in time. By parameters in
 * /sys/module/foyer_lines/parameters/:
 *
 * ECHO_TRIG, ECHO_ECHO   an HC-SR04: after each pulse on the first, the second is high for a while
 *   echo_us    how long; 0: nothing comes back. Five numbers are for five pings, in turn
 * DHT                    a DHT11 or DHT22, asked by the kernel's driver dht11 (IIO device "dht11")
 *   dht        its five bytes in hexadecimal, check sum included; empty: it is not there
 *   dht_flips  so many of its next answers have a bit turned round on the way
 */
#include <linux/delay.h>
#include <linux/gpio/driver.h>
#include <linux/gpio/machine.h>
#include <linux/hrtimer.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/timekeeping.h>

enum line { TRIG, ECHO, DHT, LINES };
enum { PINGS = 5, DHT_BYTES = 5 };

static struct {
	int level, driven; /* driven: what a program or driver puts on it; -1: it is an input */
	ktime_t low_since;
	unsigned int edges; /* IRQ_TYPE_EDGE_ bits that somebody waits for */
} lines[LINES] = { [TRIG] = { .driven = -1 }, [ECHO] = { .driven = -1 }, [DHT] = { .level = 1, .driven = -1 } };

static struct gpio_chip chip;

static int echo_us[PINGS] = { 5800, 5800, 5800, 5800, 5800 };
module_param_array(echo_us, int, NULL, 0644);
static char dht[2 * DHT_BYTES + 2];
module_param_string(dht, dht, sizeof(dht), 0644);
static int dht_flips;
module_param(dht_flips, int, 0644);

static ktime_t us_as_ktime(int us)
{
	return ns_to_ktime((u64)us * NSEC_PER_USEC);
}

/* In the interrupt of a timer, as edges come. */
static void put(enum line line, int level)
{
	bool told = lines[line].level != level && lines[line].edges & (level ? IRQ_TYPE_EDGE_RISING : IRQ_TYPE_EDGE_FALLING);

	lines[line].level = level;
	if (told)
		generic_handle_domain_irq(chip.irq.domain, line);
}

/* ---- HC-SR04 (ElecFreaks user guide v1.0) ------------------------------------------------------------------------------------------ */

enum { ECHO_BEGINS_US = 450 };

static struct hrtimer echo_timer;
static int ping;

static enum hrtimer_restart echo_turn(struct hrtimer *timer)
{
	int us = echo_us[ping % PINGS];

	if (!lines[ECHO].level && us > 0) {
		put(ECHO, 1);
		hrtimer_forward_now(timer, us_as_ktime(us));
		return HRTIMER_RESTART;
	}
	put(ECHO, 0);
	ping++;
	return HRTIMER_NORESTART;
}

/* ---- DHT22 (Aosong AM2302 product manual, 7.2) ------------------------------------------------------------------------------------- */

enum { ASKED_MS = 1, READY_US = 5000, REPLY_US = 80, BEFORE_BIT_US = 50, ZERO_US = 26, ONE_US = 70 };
/* READY_US: a real chip begins after 30 us, when its driver has not asked for the interrupt yet on a machine as slow as this one. */

static struct hrtimer dht_timer;
static struct platform_device *dht_device;

/* All in one interrupt: so nothing comes between, and the times hold. */
static enum hrtimer_restart dht_answer(struct hrtimer *timer)
{
	u8 bytes[DHT_BYTES];

	if (hex2bin(bytes, dht, DHT_BYTES))
		return HRTIMER_NORESTART; /* it is not there */
	if (dht_flips > 0) {
		dht_flips--;
		bytes[2] ^= 0x10;
	}
	put(DHT, 0);
	udelay(REPLY_US);
	put(DHT, 1);
	udelay(REPLY_US);
	for (int bit = 0; bit < 8 * DHT_BYTES; bit++) {
		put(DHT, 0);
		udelay(BEFORE_BIT_US);
		put(DHT, 1);
		udelay(bytes[bit / 8] & 0x80 >> bit % 8 ? ONE_US : ZERO_US);
	}
	put(DHT, 0);
	udelay(BEFORE_BIT_US);
	put(DHT, 1);
	return HRTIMER_NORESTART;
}

/* ---- the chip ---------------------------------------------------------------------------------------------------------------------- */

static int get_direction(struct gpio_chip *gc, unsigned int line)
{
	return lines[line].driven < 0 ? GPIO_LINE_DIRECTION_IN : GPIO_LINE_DIRECTION_OUT;
}

static int get(struct gpio_chip *gc, unsigned int line)
{
	return lines[line].level;
}

static void set(struct gpio_chip *gc, unsigned int line, int value)
{
	bool falls = lines[line].driven == 1 && !value;

	if (lines[line].driven != 0 && !value)
		lines[line].low_since = ktime_get();
	lines[line].level = lines[line].driven = value;
	if (line == TRIG && falls && !hrtimer_active(&echo_timer))
		hrtimer_start(&echo_timer, us_as_ktime(ECHO_BEGINS_US), HRTIMER_MODE_REL_HARD);
}

static int direction_output(struct gpio_chip *gc, unsigned int line, int value)
{
	set(gc, line, value);
	return 0;
}

static int direction_input(struct gpio_chip *gc, unsigned int line)
{
	bool asked = lines[line].driven == 0 && ktime_ms_delta(ktime_get(), lines[line].low_since) >= ASKED_MS;

	lines[line].driven = -1;
	lines[line].level = line == DHT; /* a pull-up */
	if (line == DHT && asked)
		hrtimer_start(&dht_timer, us_as_ktime(READY_US), HRTIMER_MODE_REL_HARD);
	return 0;
}

static int set_irq_type(struct irq_data *data, unsigned int type)
{
	lines[irqd_to_hwirq(data)].edges = type & IRQ_TYPE_EDGE_BOTH;
	return type & ~IRQ_TYPE_EDGE_BOTH ? -EINVAL : 0;
}

static void mask(struct irq_data *data)
{
	gpiochip_disable_irq(&chip, irqd_to_hwirq(data));
}

static void unmask(struct irq_data *data)
{
	gpiochip_enable_irq(&chip, irqd_to_hwirq(data));
}

static const struct irq_chip interrupts = {
	.name = "foyer-lines",
	.irq_mask = mask,
	.irq_unmask = unmask,
	.irq_set_type = set_irq_type,
	.flags = IRQCHIP_IMMUTABLE,
	GPIOCHIP_IRQ_RESOURCE_HELPERS,
};

static const char *const names[LINES] = { "ECHO_TRIG", "ECHO_ECHO", "DHT" };
static struct platform_device *platform;
static struct gpiod_lookup_table dht_lookup = {
	.dev_id = "dht11",
	.table = { GPIO_LOOKUP("foyer-lines", DHT, NULL, GPIO_ACTIVE_HIGH), {} },
};

static int __init lines_init(void)
{
	int r;

	hrtimer_init(&echo_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	echo_timer.function = echo_turn;
	hrtimer_init(&dht_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	dht_timer.function = dht_answer;
	platform = platform_device_register_simple("foyer-lines", -1, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	chip = (struct gpio_chip){
		.label = "foyer-lines",
		.parent = &platform->dev,
		.owner = THIS_MODULE,
		.base = -1,
		.ngpio = LINES,
		.names = names,
		.get_direction = get_direction,
		.direction_input = direction_input,
		.direction_output = direction_output,
		.get = get,
		.set = set,
	};
	gpio_irq_chip_set_chip(&chip.irq, &interrupts);
	chip.irq.handler = handle_simple_irq;
	r = gpiochip_add_data(&chip, NULL);
	if (r) {
		platform_device_unregister(platform);
		return r;
	}
	gpiod_add_lookup_table(&dht_lookup);
	dht_device = platform_device_register_simple("dht11", -1, NULL, 0);
	return 0;
}

static void __exit lines_exit(void)
{
	if (!IS_ERR(dht_device))
		platform_device_unregister(dht_device);
	gpiod_remove_lookup_table(&dht_lookup);
	hrtimer_cancel(&echo_timer);
	hrtimer_cancel(&dht_timer);
	gpiochip_remove(&chip);
	platform_device_unregister(platform);
}

module_init(lines_init);
module_exit(lines_exit);
MODULE_DESCRIPTION("GPIO lines that answer, for tests");
MODULE_LICENSE("Dual MIT/GPL");
