/* links: node-agent/pwm.c node-agent/pwm_kernel.c node-agent/pwm_pca9685.c node-agent/drivers/dimmer.c node-agent/drivers/servo.c node-agent/drivers/pca9685.c node-agent/drivers/led.c node-agent/door.c node-agent/sysfs.c node-agent/device.c tests/fakes/i2c.c tests/fakes/bench.c tests/fakes/folder.c */
/* Lights and servos: on the kernel's PWM and LED files (a plain folder plays them), and on a PCA9685. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../node-agent/drivers/pca9685.h"
#include "../fakes/bench.h"
#include "../fakes/folder.h"
#include "../fakes/i2c.h"

#define CHIP "/sys/class/pwm/pwmchip0"

extern const struct driver dimmer_driver, dimmer_pca9685_driver, servo_driver, servo_pca9685_driver, led_driver;

BENCH_DRIVERS(&dimmer_driver, &dimmer_pca9685_driver, &servo_driver, &servo_pca9685_driver, &led_driver);

static const char *root;
static struct value values[CHANNELS_MAX];
static bool fresh[CHANNELS_MAX];

static void put(const char *path, const char *text)
{
	char command[512];

	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s%s')\" && printf '%s\\n' > '%s%s'", root, path, text, root,
		 path);
	assert_int_equal(0, system(command));
}

static const char *get(const char *path)
{
	static char text[64];
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "r");
	assert_non_null(file);
	text[0] = '\0';
	if (fgets(text, sizeof(text), file))
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
	return text;
}

static int begin(void **state)
{
	(void)state;
	root = folder_make();
	setenv("FOYER_ROOT", root, 1);
	fake_i2c_reset();
	put(CHIP "/npwm", "2");
	put(CHIP "/export", "");
	return 0;
}

static int done(void **state)
{
	(void)state;
	bench_done();
	unsetenv("FOYER_ROOT");
	folder_remove();
	return 0;
}

static void make_channel(int channel, const char *period, const char *high, const char *enable)
{
	char path[64];

	snprintf(path, sizeof(path), CHIP "/pwm%d/period", channel);
	put(path, period);
	snprintf(path, sizeof(path), CHIP "/pwm%d/duty_cycle", channel);
	put(path, high);
	snprintf(path, sizeof(path), CHIP "/pwm%d/enable", channel);
	put(path, enable);
}

static struct device *on_pca9685(const struct driver *driver, const char *keys)
{
	char text[512];

	snprintf(text, sizeof(text), "[device dev]\ndriver = %s\nbus = /dev/i2c-1\n%s", driver->name, keys);
	assert_string_equal("", bench_read(text));
	bench_made("dev")->i2c = fake_i2c();
	return bench_open("dev");
}

static double reading(struct device *device)
{
	assert_int_equal(0, device->driver->read(device, 0, values, fresh));
	return fresh[0] ? values[0].number : NAN;
}

/* ---- the kernel's PWM ----------------------------------------------------------------------------------------------------------- */

static void a_level_is_a_share_of_the_period(void **state)
{
	struct device *device;

	(void)state;
	make_channel(0, "0", "0", "0");
	device = bench_device(&dimmer_driver, "frequency = 1000\n");
	assert_string_equal("1000000", get(CHIP "/pwm0/period"));
	assert_string_equal("0", get(CHIP "/pwm0/enable"));
	assert_int_equal(0, bench_set(device, 0, 25));
	assert_true(bench_set_value == 25);
	assert_string_equal("250000", get(CHIP "/pwm0/duty_cycle"));
	assert_string_equal("1", get(CHIP "/pwm0/enable"));
	assert_true(reading(device) == 25);
}

static void the_eye_s_curve_and_the_lowest_light_are_kept(void **state)
{
	struct device *device;

	(void)state; /* by hand: 10 + 90 * 0.5^2.2 = 29.5874 % */
	make_channel(0, "0", "0", "0");
	device = bench_device(&dimmer_driver, "gamma = 2.2\nmin = 10\n");
	bench_set(device, 0, 50);
	assert_string_equal("295874", get(CHIP "/pwm0/duty_cycle"));
	assert_true(reading(device) == 50);
	bench_set(device, 0, 0);
	assert_string_equal("0", get(CHIP "/pwm0/duty_cycle"));
	bench_set(device, 0, 100);
	assert_string_equal("1000000", get(CHIP "/pwm0/duty_cycle"));
}

static void an_inverted_light_is_bright_on_a_low_line(void **state)
{
	struct device *device;

	(void)state;
	make_channel(0, "0", "0", "0");
	device = bench_device(&dimmer_driver, "invert = yes\n");
	bench_set(device, 0, 30);
	assert_string_equal("700000", get(CHIP "/pwm0/duty_cycle"));
	assert_true(reading(device) == 30);
}

static void a_fade_takes_its_time_and_says_so(void **state)
{
	struct device *device;

	(void)state;
	make_channel(1, "0", "0", "0");
	device = bench_device(&dimmer_driver, "channel = 1\nfade = 1s\n");
	assert_in_range(bench_set(device, 0, 50), 470, 500);
	bench_pass(240);
	assert_in_range(atoi(get(CHIP "/pwm1/duty_cycle")), 240000, 280000);
	bench_pass(260);
	assert_string_equal("500000", get(CHIP "/pwm1/duty_cycle"));
	assert_int_equal(-1, bench_wakes_in(device));
	bench_set(device, 0, 0);
	bench_pass(100);
	bench_set(device, 0, 100); /* turned round on the way */
	bench_pass(1000);
	assert_string_equal("1000000", get(CHIP "/pwm1/duty_cycle"));
}

static void a_light_that_is_on_stays_so_over_a_restart(void **state)
{
	(void)state;
	make_channel(0, "1000000", "400000", "1");
	assert_true(reading(bench_device(&dimmer_driver, "")) == 40);
	assert_string_equal("1", get(CHIP "/pwm0/enable"));
}

static void an_old_period_is_changed_with_the_line_low(void **state)
{
	(void)state;
	make_channel(0, "20000000", "1500000", "1");
	assert_true(reading(bench_device(&dimmer_driver, "")) == 0);
	assert_string_equal("1000000", get(CHIP "/pwm0/period"));
	assert_string_equal("0", get(CHIP "/pwm0/duty_cycle"));
	assert_string_equal("0", get(CHIP "/pwm0/enable"));
}

/* Export makes the folder, udev gives the right to it later. */
static void a_channel_that_comes_late_is_waited_for_and_keeps_what_was_ordered(void **state)
{
	struct device *device = bench_device(&dimmer_driver, "channel = 1\n");

	(void)state;
	assert_string_equal("1", get(CHIP "/export"));
	assert_true(isnan(reading(device)));
	assert_true(bench_set(device, 0, 10) > 0);
	bench_pass(100);
	make_channel(1, "0", "0", "0");
	bench_pass(50);
	assert_int_equal(0, bench_error);
	assert_string_equal("100000", get(CHIP "/pwm1/duty_cycle"));
	assert_true(reading(device) == 10);
}

static void a_channel_that_never_comes_is_a_fault(void **state)
{
	struct device *device = bench_device(&dimmer_driver, "");

	(void)state;
	bench_pass(3000);
	assert_int_equal(-ENOENT, bench_error);
	assert_non_null(strstr(device->error, "/pwm0"));
}

static void the_chip_is_found_by_number_or_by_what_it_is(void **state)
{
	char device[512], link[512];
	struct device *dev;

	(void)state;
	put("/sys/class/pwm/pwmchip2/npwm", "4");
	put("/sys/class/pwm/pwmchip2/export", "");
	snprintf(device, sizeof(device), "../../../devices/platform/1f00098000.pwm");
	snprintf(link, sizeof(link), "%s/sys/class/pwm/pwmchip2/device", root);
	assert_int_equal(0, symlink(device, link));
	bench_device(&dimmer_driver, "chip = 1f00098000.pwm\nchannel = 3\n");
	assert_string_equal("3", get("/sys/class/pwm/pwmchip2/export"));
	bench_device(&dimmer_driver, "chip = pwmchip2\nchannel = 1\n");
	assert_string_equal("1", get("/sys/class/pwm/pwmchip2/export"));
	bench_device(&dimmer_driver, "channel = 2\n"); /* pwmchip0 has two */
	assert_string_equal("2", get("/sys/class/pwm/pwmchip2/export"));
	assert_string_equal("", bench_read("[device dev]\ndriver = dimmer\nchip = pwmchip0\nchannel = 2\n"));
	dev = bench_made("dev");
	assert_int_equal(-ENODEV, dev->driver->open(dev));
	assert_string_equal("no PWM channel 2: pwmchip0 has 0 to 1", dev->error);
	assert_string_equal("", bench_read("[device dev]\ndriver = dimmer\nchip = pwmchip7\n"));
	dev = bench_made("dev");
	assert_int_equal(-ENOENT, dev->driver->open(dev));
	assert_string_equal("no PWM chip \"pwmchip7\" in /sys/class/pwm", dev->error);
	assert_string_equal("", bench_read("[device dev]\ndriver = dimmer\nchannel = 9\n"));
	dev = bench_made("dev");
	assert_int_equal(-ENOENT, dev->driver->open(dev));
	assert_non_null(strstr(dev->error, "dtoverlay=pwm"));
}

/* ---- servos --------------------------------------------------------------------------------------------------------------------- */

static void an_angle_is_the_length_of_a_pulse(void **state)
{
	struct device *device;

	(void)state;
	make_channel(0, "0", "0", "0");
	device = bench_device(&servo_driver, "");
	assert_true(isnan(reading(device))); /* nobody knows where it stands */
	assert_int_equal(0, bench_set(device, 0, 90));
	assert_string_equal("20000000", get(CHIP "/pwm0/period"));
	assert_string_equal("1500000", get(CHIP "/pwm0/duty_cycle"));
	assert_true(bench_set_value == 90);
	bench_set(device, 0, 0);
	assert_string_equal("500000", get(CHIP "/pwm0/duty_cycle"));
	bench_set(device, 0, 180);
	assert_string_equal("2500000", get(CHIP "/pwm0/duty_cycle"));
}

static void its_limits_and_pulses_are_as_configured(void **state)
{
	struct device *device;

	(void)state;
	make_channel(0, "0", "0", "0");
	device = bench_device(&servo_driver, "min = 10\nmax = 80\ntravel = 90\npulse_min = 1000\npulse_max = 2000\n");
	assert_true(device->channels[0].min == 10 && device->channels[0].max == 80);
	assert_int_equal(OUTPUT_RANGE, device->channels[0].output);
	bench_set(device, 0, 45);
	assert_string_equal("1500000", get(CHIP "/pwm0/duty_cycle"));
}

static void a_slow_servo_says_how_long_it_takes_and_lets_go(void **state)
{
	struct device *device;

	(void)state;
	make_channel(0, "0", "0", "0");
	device = bench_device(&servo_driver, "speed = 45\nrelease_after = 2s\n");
	assert_int_equal(0, bench_set(device, 0, 0)); /* from wherever it was: at once */
	assert_in_range(bench_set(device, 0, 90), 1950, 2000);
	bench_pass(1000);
	assert_in_range(atoi(get(CHIP "/pwm0/duty_cycle")), 980000, 1020000);
	bench_pass(1000);
	assert_string_equal("1500000", get(CHIP "/pwm0/duty_cycle"));
	bench_pass(1990);
	assert_string_equal("0", get(CHIP "/pwm0/duty_cycle"));
	assert_true(reading(device) == 90); /* it stands there still */
	bench_set(device, 0, 91);
	bench_pass(100);
	assert_string_equal("1511111", get(CHIP "/pwm0/duty_cycle"));
}

static void where_it_stands_is_known_after_a_restart_while_its_pulses_run(void **state)
{
	(void)state;
	make_channel(0, "20000000", "1000000", "1");
	assert_true(reading(bench_device(&servo_driver, "")) == 45);
}

/* ---- PCA9685 -------------------------------------------------------------------------------------------------------------------- */

static void a_servo_on_a_pca9685_agrees_with_the_kernel_s_driver(void **state)
{
	struct device *device = on_pca9685(&servo_pca9685_driver, "channel = 3\n");

	(void)state; /* 50 Hz: prescale 0x79, sheet 7.3.5; 1.5 ms of 20 ms: 307 of 4096 */
	assert_int_equal(0x79, fake_i2c_registers[0xfe]);
	assert_int_equal(0x20, fake_i2c_registers[0x00] & 0x3f);
	assert_int_equal(0, bench_set(device, 0, 90));
	assert_int_equal(0, fake_i2c_registers[0x06 + 12]);
	assert_int_equal(0, fake_i2c_registers[0x07 + 12]);
	assert_int_equal(307, fake_i2c_registers[0x08 + 12] | fake_i2c_registers[0x09 + 12] << 8);
	assert_true(bench_set_value == 90);
}

static void the_prescaler_is_written_in_sleep(void **state)
{
	size_t i = 0;

	(void)state;
	on_pca9685(&dimmer_pca9685_driver, "channel = 0\n");
	assert_memory_equal(((uint8_t[]){ 0x00, 0x30 }), fake_i2c_written[i++].bytes, 2);
	assert_memory_equal(((uint8_t[]){ 0xfe, 5 }), fake_i2c_written[i++].bytes, 2); /* 1000 Hz: 6.1 - 1 */
	assert_memory_equal(((uint8_t[]){ 0x00, 0x20 }), fake_i2c_written[i++].bytes, 2);
	assert_memory_equal(((uint8_t[]){ 0x00, 0xa0 }), fake_i2c_written[i++].bytes, 2);
}

static void a_chip_that_runs_already_is_not_disturbed(void **state)
{
	(void)state;
	fake_i2c_registers[0x00] = 0x21;
	fake_i2c_registers[0xfe] = 5;
	fake_i2c_registers[0x08] = 0x00;
	fake_i2c_registers[0x09] = 0x08; /* 2048 of 4096 */
	assert_true(reading(on_pca9685(&dimmer_pca9685_driver, "channel = 0\n")) == 50);
	assert_int_equal(0, fake_i2c_write_count);
}

static void off_and_full_have_bits_of_their_own(void **state)
{
	struct device *device = on_pca9685(&dimmer_pca9685_driver, "channel = 15\n");

	(void)state;
	bench_set(device, 0, 100);
	assert_int_equal(0x10, fake_i2c_registers[0x43]);
	assert_int_equal(0x00, fake_i2c_registers[0x45]);
	assert_true(reading(device) == 100);
	bench_set(device, 0, 0);
	assert_int_equal(0x10, fake_i2c_registers[0x45]);
	assert_true(reading(device) == 0);
}

static void a_pca9685_that_does_not_answer_is_told(void **state)
{
	struct device *device = on_pca9685(&dimmer_pca9685_driver, "channel = 0\n");

	(void)state;
	fake_i2c_error = -ENXIO;
	assert_int_equal(-ENXIO, bench_set(device, 0, 5));
	assert_int_equal(-ENXIO, device->driver->read(device, 0, values, fresh));
	device->driver->close(device);
	assert_int_equal(-ENXIO, device->driver->open(device));
	fake_i2c_error = 0;
	for (int i = 1; i <= 8; i++) { /* whichever transfer fails */
		device->driver->close(device);
		fake_i2c_reset();
		fake_i2c_fail(i, -EIO);
		assert_int_equal(-EIO, device->driver->open(device));
	}
}

static void a_pca9685_that_sleeps_again_gives_no_light(void **state)
{
	static const uint8_t modes[] = { 0x11, 0x00, 0xff }; /* its power was away (7.3.1); zeros; ones */

	(void)state;
	for (size_t i = 0; i < sizeof(modes); i++) {
		struct device *device = on_pca9685(&dimmer_pca9685_driver, "channel = 0\n");

		assert_int_equal(0, bench_set(device, 0, 50));
		fake_i2c_registers[0x00] = modes[i];
		assert_int_equal(-EIO, bench_set(device, 0, 60));
		assert_string_equal("the chip has forgotten its settings: is its power steady?", device->error);
		assert_int_equal(-EIO, device->driver->read(device, 0, values, fresh));
	}
}

static void a_pca9685_is_known_by_its_group_addresses(void **state)
{
	(void)state;
	assert_int_equal(0, pca9685_identify(fake_i2c()));
	memcpy(&fake_i2c_registers[2], ((uint8_t[]){ 0xe2, 0xe4, 0xe8, 0xe0 }), 4);
	assert_int_equal(1, pca9685_identify(fake_i2c()));
	fake_i2c_error = -ENXIO;
	assert_int_equal(-ENXIO, pca9685_identify(fake_i2c()));
}

/* ---- LEDs ----------------------------------------------------------------------------------------------------------------------- */

static void an_led_stops_blinking_for_the_kernel_while_it_is_ours(void **state)
{
	struct device *device;

	(void)state;
	put("/sys/class/leds/ACT/max_brightness", "255");
	put("/sys/class/leds/ACT/brightness", "0");
	put("/sys/class/leds/ACT/trigger", "none [mmc0] timer");
	device = bench_device(&led_driver, "led = ACT\n");
	assert_string_equal("none", get("/sys/class/leds/ACT/trigger"));
	assert_int_equal(OUTPUT_SWITCH, device->channels[0].output);
	bench_set(device, 0, 1);
	assert_string_equal("255", get("/sys/class/leds/ACT/brightness"));
	assert_true(bench_set_value == 1);
	assert_true(reading(device) == 1);
	bench_done();
	assert_string_equal("mmc0", get("/sys/class/leds/ACT/trigger"));
}

static void an_led_of_levels_has_levels(void **state)
{
	struct device *device;

	(void)state;
	put("/sys/class/leds/lamp/max_brightness", "255");
	put("/sys/class/leds/lamp/brightness", "0");
	device = bench_device(&led_driver, "led = lamp\noutput = level\n");
	bench_set(device, 0, 50);
	assert_string_equal("128", get("/sys/class/leds/lamp/brightness"));
	assert_true(bench_set_value == 50);
}

static void an_led_that_is_not_there_is_told(void **state)
{
	struct device *device;

	(void)state;
	assert_string_equal("", bench_read("[device dev]\ndriver = led\nled = nix\n"));
	device = bench_made("dev");
	assert_int_equal(-ENOENT, device->driver->open(device));
	assert_non_null(strstr(device->error, "ls /sys/class/leds"));
}

static void mistakes_are_told(void **state)
{
	(void)state;
	assert_string_equal("3: min: 60 is not below max = 50\n", bench_read("[device a]\ndriver = dimmer\nmin = 60\nmax = 50\n"));
	assert_string_equal("3: max: outside of the travel, 0 to 90\n",
			    bench_read("[device a]\ndriver = servo\nmax = 120\ntravel = 90\n"));
	assert_string_equal("3: frequency: the longest pulse does not fit into its period\n",
			    bench_read("[device a]\ndriver = servo\nfrequency = 400\n"));
	assert_string_equal("3: led: a name, without /\n", bench_read("[device a]\ndriver = led\nled = ../x\n"));
	assert_string_equal(
		"6: frequency: 1000 Hz, but [device a] on the same chip has 50 Hz: a PCA9685 has one for all its channels\n",
		bench_read("[device a]\ndriver = servo_pca9685\nchannel = 0\n[device b]\ndriver = dimmer_pca9685\n"
			   "frequency = 1000\nchannel = 1\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, done)
		TEST(a_level_is_a_share_of_the_period),
		TEST(the_eye_s_curve_and_the_lowest_light_are_kept),
		TEST(an_inverted_light_is_bright_on_a_low_line),
		TEST(a_fade_takes_its_time_and_says_so),
		TEST(a_light_that_is_on_stays_so_over_a_restart),
		TEST(an_old_period_is_changed_with_the_line_low),
		TEST(a_channel_that_comes_late_is_waited_for_and_keeps_what_was_ordered),
		TEST(a_channel_that_never_comes_is_a_fault),
		TEST(the_chip_is_found_by_number_or_by_what_it_is),
		TEST(an_angle_is_the_length_of_a_pulse),
		TEST(its_limits_and_pulses_are_as_configured),
		TEST(a_slow_servo_says_how_long_it_takes_and_lets_go),
		TEST(where_it_stands_is_known_after_a_restart_while_its_pulses_run),
		TEST(a_servo_on_a_pca9685_agrees_with_the_kernel_s_driver),
		TEST(the_prescaler_is_written_in_sleep),
		TEST(a_chip_that_runs_already_is_not_disturbed),
		TEST(off_and_full_have_bits_of_their_own),
		TEST(a_pca9685_that_does_not_answer_is_told),
		TEST(a_pca9685_that_sleeps_again_gives_no_light),
		TEST(a_pca9685_is_known_by_its_group_addresses),
		TEST(an_led_stops_blinking_for_the_kernel_while_it_is_ours),
		TEST(an_led_of_levels_has_levels),
		TEST(an_led_that_is_not_there_is_told),
		TEST(mistakes_are_told),
	};

	return cmocka_run_group_tests_name("pwm", tests, NULL, NULL);
}
