// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Test module: chips that Debian's kernel has no stand-in for, so that programs meet the real i2c-dev, w1_therm, spidev, thermal and LED interfaces
 * with no hardware. All is done by parameters in /sys/module/foyer_chips/parameters/:
 *
 * An I2C bus, "foyer raw i2c", whose chips are what a test says they are:
 *   answer   "ADDRESS COMMAND=REPLY|REPLY" in hexadecimal: after a write that begins with COMMAND (may be empty), reads give one REPLY after the other,
 *            the last for ever. The longest COMMAND that fits wins. An address is there from its first line on; its other writes are taken too.
 *   forget   any value: no chip is there any more
 *   sent     what was written, a line "ADDRESS BYTES" for each run to one address, oldest first; writing anything empties it
 *   nak      Y: nobody answers (ENXIO)
 *   fail     so many in a thousand transfers fail with EIO, by chance
 *   hang_ms  each transfer takes so long and fails with ETIMEDOUT
 * A 1-wire bus with up to four DS18B20 (28-0000000000c1 ... c4):
 *   w1_mc    their temperatures in thousandths of a degree, "21500,22000,..."
 *   w1_mask  which are there, bit 0 is the first;  w1_bad  whose check sums are wrong
 * A thermal zone "cpu-thermal" (cpu_mc), an LED "foyer:green:status", and /dev/spidev0.0 with 32 registers: 000rrrrr reads, 001rrrrr writes register r,
 * the first byte out is register 7.
 */
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/i2c.h>
#include <linux/kernel.h>
#include <linux/leds.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/random.h>
#include <linux/spi/spi.h>
#include <linux/thermal.h>
#include <linux/w1.h>

/* ---- I2C ------------------------------------------------------------------------------------------------------------------------- */

enum { RULES_MAX = 64, COMMAND_MAX = 32, REPLIES_MAX = 8, REPLY_MAX = 64, SENT_MAX = 1900 };

struct rule {
	u8 address, command[COMMAND_MAX], reply[REPLIES_MAX][REPLY_MAX];
	int command_len, reply_len[REPLIES_MAX], replies;
};

static DEFINE_MUTEX(chips_lock);
static struct rule rules[RULES_MAX];
static int rule_count;
static const struct rule *current_rule[128]; /* by address: what the last write asked for */
static int next_reply[128];
static u8 sent_address[SENT_MAX], sent_byte[SENT_MAX];
static int sent_count;

static bool nak;
module_param(nak, bool, 0644);
static int fail;
module_param(fail, int, 0644);
static int hang_ms;
module_param(hang_ms, int, 0644);

/* Hexadecimal digits up to the first other character. Returns the number of bytes, or -EINVAL. */
static int take_hex(const char **text, u8 *bytes, int max)
{
	int count = 0;

	while (isxdigit(**text)) {
		if (count == max || hex2bin(bytes + count, *text, 1))
			return -EINVAL;
		count++;
		*text += 2;
	}
	return count;
}

static int parse_rule(const char *text, struct rule *rule)
{
	if (take_hex(&text, &rule->address, 1) != 1 || rule->address > 127 || *text++ != ' ')
		return -EINVAL;
	rule->command_len = take_hex(&text, rule->command, COMMAND_MAX);
	if (rule->command_len < 0 || *text != '=')
		return -EINVAL;
	while (*text == '=' || *text == '|') {
		int len;

		text++;
		len = rule->replies < REPLIES_MAX ? take_hex(&text, rule->reply[rule->replies], REPLY_MAX) : -EINVAL;
		if (len < 0)
			return len;
		rule->reply_len[rule->replies++] = len;
	}
	return *text && *text != '\n' ? -EINVAL : 0;
}

static bool same_command(const struct rule *a, const struct rule *b)
{
	return a->address == b->address && a->command_len == b->command_len && !memcmp(a->command, b->command, a->command_len);
}

static int answer_set(const char *text, const struct kernel_param *param)
{
	struct rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	int r = rule ? parse_rule(text, rule) : -ENOMEM;

	mutex_lock(&chips_lock);
	if (!r) {
		int i = 0;

		while (i < rule_count && !same_command(&rules[i], rule))
			i++;
		if (i == RULES_MAX) {
			r = -ENOSPC;
		} else {
			rules[i] = *rule;
			rule_count = max(rule_count, i + 1);
			next_reply[rule->address] = 0;
		}
	}
	mutex_unlock(&chips_lock);
	kfree(rule);
	return r;
}

static const struct kernel_param_ops answer_ops = { .set = answer_set };
module_param_cb(answer, &answer_ops, NULL, 0200);

static int forget_set(const char *text, const struct kernel_param *param)
{
	mutex_lock(&chips_lock);
	rule_count = sent_count = 0;
	memset(current_rule, 0, sizeof(current_rule));
	mutex_unlock(&chips_lock);
	return 0;
}

static const struct kernel_param_ops forget_ops = { .set = forget_set };
module_param_cb(forget, &forget_ops, NULL, 0200);

static int sent_set(const char *text, const struct kernel_param *param)
{
	mutex_lock(&chips_lock);
	sent_count = 0;
	mutex_unlock(&chips_lock);
	return 0;
}

static int sent_get(char *buffer, const struct kernel_param *param)
{
	int len = 0;

	mutex_lock(&chips_lock);
	for (int i = 0; i < sent_count && len < (int)PAGE_SIZE - 8; i++) {
		if (i == 0 || sent_address[i] != sent_address[i - 1])
			len += sprintf(buffer + len, "%s%02x ", i ? "\n" : "", sent_address[i]);
		len += sprintf(buffer + len, "%02x", sent_byte[i]);
	}
	mutex_unlock(&chips_lock);
	return len + sprintf(buffer + len, "\n");
}

static const struct kernel_param_ops sent_ops = { .set = sent_set, .get = sent_get };
module_param_cb(sent, &sent_ops, NULL, 0644);

static int take_write(const struct i2c_msg *message)
{
	const struct rule *best = NULL;
	bool known = false;

	for (int i = 0; i < rule_count; i++) {
		const struct rule *rule = &rules[i];

		if (rule->address != message->addr)
			continue;
		known = true;
		if (rule->command_len <= message->len && !memcmp(rule->command, message->buf, rule->command_len) &&
		    (!best || rule->command_len > best->command_len))
			best = rule;
	}
	if (!known)
		return -ENXIO;
	current_rule[message->addr] = best;
	next_reply[message->addr] = 0;
	for (int i = 0; i < message->len && sent_count < SENT_MAX; i++) {
		sent_address[sent_count] = message->addr;
		sent_byte[sent_count++] = message->buf[i];
	}
	return 0;
}

static int take_read(struct i2c_msg *message)
{
	const struct rule *rule = current_rule[message->addr];
	int reply;

	for (int i = 0; i < rule_count && !rule; i++)
		if (rules[i].address == message->addr && rules[i].command_len == 0)
			rule = &rules[i];
	if (!rule)
		return -ENXIO; /* as a chip that has nothing to say */
	reply = next_reply[message->addr];
	if (reply < rule->replies - 1)
		next_reply[message->addr]++;
	memset(message->buf, 0xff, message->len);
	memcpy(message->buf, rule->reply[reply], min_t(int, message->len, rule->reply_len[reply]));
	return 0;
}

static int raw_transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int count)
{
	int r = nak ? -ENXIO : 0;

	if (hang_ms > 0) {
		msleep(hang_ms);
		return -ETIMEDOUT;
	}
	if (fail > 0 && get_random_u32() % 1000 < (u32)fail)
		return -EIO;
	mutex_lock(&chips_lock);
	for (int i = 0; i < count && !r; i++)
		r = messages[i].flags & I2C_M_RD ? take_read(&messages[i]) : take_write(&messages[i]);
	mutex_unlock(&chips_lock);
	return r ? r : count;
}

static u32 raw_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm raw_algorithm = { .master_xfer = raw_transfer, .functionality = raw_functionality };
static struct i2c_adapter raw_bus = { .owner = THIS_MODULE, .algo = &raw_algorithm, .name = "foyer raw i2c" };

/* ---- 1-wire (Maxim's DS18B20, 19-7487 rev 6: commands p. 10, scratchpad p. 7) ----------------------------------------------------- */

enum { SENSORS = 4, WRITE_SCRATCHPAD = 0x4e, READ_SCRATCHPAD = 0xbe };

static int w1_mc[SENSORS] = { 21500, 22000, 22500, 23000 };
module_param_array(w1_mc, int, NULL, 0644);
static int w1_mask = 1;
module_param(w1_mask, int, 0644);
static int w1_bad;
module_param(w1_bad, int, 0644);

static u8 match[8], out[9], configuration[SENSORS] = { 0x7f, 0x7f, 0x7f, 0x7f };
static int out_len, out_at, match_at, scratch_left, selected;

static u8 crc8(const u8 *bytes, int count)
{
	u8 crc = 0;

	while (count--) {
		u8 byte = *bytes++;

		for (int i = 0; i < 8; i++, byte >>= 1)
			crc = (crc >> 1) ^ ((crc ^ byte) & 1 ? 0x8c : 0);
	}
	return crc;
}

static void rom_of(int sensor, u8 rom[8])
{
	memset(rom, 0, 8);
	rom[0] = 0x28;
	rom[1] = 0xc1 + sensor;
	rom[7] = crc8(rom, 7);
}

static u8 wire_reset(void *data)
{
	out_len = out_at = scratch_left = 0;
	match_at = -1;
	for (selected = 0; selected < SENSORS - 1 && !(w1_mask & 1 << selected); selected++)
		;
	return w1_mask ? 0 : 1; /* 0: somebody is there */
}

static void select_by_rom(void)
{
	u8 rom[8];

	for (selected = SENSORS - 1; selected >= 0; selected--) {
		rom_of(selected, rom);
		if (!memcmp(rom, match, 8) && w1_mask & 1 << selected)
			break;
	}
}

static void read_scratchpad(void)
{
	int raw = w1_mc[selected] * 16 / 1000;
	const u8 scratchpad[] = { raw, raw >> 8, 0x4b, 0x46, configuration[selected], 0xff, 0x0c, 0x10 };

	memcpy(out, scratchpad, 8);
	out[8] = crc8(out, 8) ^ (w1_bad & 1 << selected ? 1 : 0);
	out_len = 9;
}

static void wire_write(void *data, u8 byte)
{
	if (match_at >= 0) {
		match[match_at++] = byte;
		if (match_at == 8) {
			match_at = -1;
			select_by_rom();
		}
		return;
	}
	if (scratch_left) { /* TH, TL, configuration */
		if (--scratch_left == 0 && selected >= 0)
			configuration[selected] = byte;
		return;
	}
	out_at = out_len = 0;
	if (byte == W1_MATCH_ROM)
		match_at = 0;
	else if (byte == WRITE_SCRATCHPAD)
		scratch_left = 3;
	else if (byte == READ_SCRATCHPAD && selected >= 0)
		read_scratchpad();
	else if (byte == W1_READ_ROM && selected >= 0) {
		rom_of(selected, out);
		out_len = 8;
	}
}

static u8 wire_read(void *data)
{
	return out_at < out_len ? out[out_at++] : 0xff;
}

static u8 wire_touch(void *data, u8 bit)
{
	return bit; /* slots that nobody pulls down: conversions are done, power is not parasitic */
}

static void wire_search(void *data, struct w1_master *master, u8 type, w1_slave_found_callback found)
{
	for (int i = 0; i < SENSORS; i++) {
		u8 rom[8];
		__le64 number;

		rom_of(i, rom);
		memcpy(&number, rom, 8);
		if (w1_mask & 1 << i && type == W1_SEARCH)
			found(master, le64_to_cpu(number));
	}
}

static struct w1_bus_master wire = {
	.reset_bus = wire_reset,
	.touch_bit = wire_touch,
	.write_byte = wire_write,
	.read_byte = wire_read,
	.search = wire_search,
};

/* ---- SPI ------------------------------------------------------------------------------------------------------------------------- */

static u8 registers[32] = { 0x08, 0x3f, 0x03, 0x03, 0x03, 0x02, 0x0e, 0x0e };
static struct platform_device *platform;
static struct spi_controller *spi;

static int spi_message(struct spi_controller *controller, struct spi_message *message)
{
	struct spi_transfer *transfer;
	unsigned int position = 0;
	u8 command = 0;

	list_for_each_entry(transfer, &message->transfers, transfer_list) {
		const u8 *in = transfer->tx_buf;
		u8 *reply = transfer->rx_buf;

		for (unsigned int i = 0; i < transfer->len; i++, position++) {
			u8 byte = in ? in[i] : 0, result = 0;

			if (position == 0) {
				command = byte;
				result = registers[7];
			} else if (position == 1 && command >> 5 == 0)
				result = registers[command & 31];
			else if (position == 1 && command >> 5 == 1)
				registers[command & 31] = byte;
			if (reply)
				reply[i] = result;
		}
		message->actual_length += transfer->len;
		if (transfer->cs_change)
			position = 0;
	}
	message->status = 0;
	spi_finalize_current_message(controller);
	return 0;
}

static int spi_start(void)
{
	struct spi_board_info board = { .modalias = "dh2228fv", .max_speed_hz = 10000000 }; /* a name that spidev binds to */
	int r;

	spi = spi_alloc_master(&platform->dev, 0);
	if (!spi)
		return -ENOMEM;
	spi->bus_num = -1;
	spi->num_chipselect = 1;
	spi->mode_bits = SPI_CPOL | SPI_CPHA;
	spi->transfer_one_message = spi_message;
	r = spi_register_controller(spi);
	if (r) {
		spi_controller_put(spi);
		return r;
	}
	if (spi_new_device(spi, &board))
		return 0;
	spi_unregister_controller(spi);
	return -ENODEV;
}

/* ---- temperature of the machine, an LED ------------------------------------------------------------------------------------------- */

static int cpu_mc = 48312;
module_param(cpu_mc, int, 0644);

static int zone_temperature(struct thermal_zone_device *zone, int *ret_mc)
{
	*ret_mc = cpu_mc;
	return 0;
}

static struct thermal_zone_device_ops zone_ops = { .get_temp = zone_temperature };
static struct thermal_zone_device *zone;

static void led_set(struct led_classdev *led, enum led_brightness brightness)
{
}

static struct led_classdev led = { .name = "foyer:green:status", .max_brightness = 255, .brightness_set = led_set };

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static int __init chips_init(void)
{
	int r;

	platform = platform_device_register_simple("foyer-chips", -1, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	r = w1_add_master_device(&wire);
	if (r)
		goto no_wire;
	r = spi_start();
	if (r)
		goto no_spi;
	zone = thermal_zone_device_register("cpu-thermal", 0, 0, NULL, &zone_ops, NULL, 0, 0);
	r = PTR_ERR_OR_ZERO(zone);
	if (r)
		goto no_zone;
	thermal_zone_device_enable(zone);
	r = led_classdev_register(&platform->dev, &led);
	if (r)
		goto no_led;
	r = i2c_add_adapter(&raw_bus);
	if (!r)
		return 0;
	led_classdev_unregister(&led);
no_led:
	thermal_zone_device_unregister(zone);
no_zone:
	spi_unregister_controller(spi);
no_spi:
	w1_remove_master_device(&wire);
no_wire:
	platform_device_unregister(platform);
	return r;
}

static void __exit chips_exit(void)
{
	i2c_del_adapter(&raw_bus);
	led_classdev_unregister(&led);
	thermal_zone_device_unregister(zone);
	spi_unregister_controller(spi);
	w1_remove_master_device(&wire);
	platform_device_unregister(platform);
}

module_init(chips_init);
module_exit(chips_exit);
MODULE_DESCRIPTION("Stand-ins for I2C, 1-wire and SPI chips in tests");
MODULE_LICENSE("Dual MIT/GPL");
