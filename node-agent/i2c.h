/* The door to an I2C bus: transfers with one chip, by the kernel's /dev/i2c-N (Documentation/i2c/dev-interface.rst).
 *
 * SMBus calls where the chip's protocol is SMBus (a register, then its bytes): every adapter has them, the kernel's i2c-stub too. Raw transfers for chips
 * of opcodes (SHT3x, BH1750, PN532): adapters that speak plain I2C have these, which those of Raspberry Pis do.
 *
 * Every function returns a negative errno on failure. Adapters name silence in several ways (ENXIO, EREMOTEIO, ENODEV, ETIMEDOUT, EIO): i2c_explain makes
 * one sentence of it, and the sampler calls it for a hook that fails without a word of its own, so that a driver need not.
 *
 * A call waits for its transfer: 0.1 ms for a byte or two at 100 kHz, and up to the adapter's time-out (1 s on Raspberry Pis) when a chip holds the clock
 * line down. Therefore hooks of I2C drivers run on the worker of their bus (driver.h). A chip that holds the data line down after a reset in the middle of
 * a byte: the kernel's i2c-gpio and newer adapters send nine clocks by themselves; on older ones only cutting the chip's power helps, and the fault says so
 * in the end ("the bus hangs"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct i2c;

enum { I2C_BLOCK_MAX = 32 }; /* bytes of one block transfer */

/* The order of the two bytes of a word on the wire. SMBus says low byte first; most chips say high byte first. */
enum i2c_order { I2C_LOW_FIRST, I2C_HIGH_FIRST };

/* bus       "/dev/i2c-1"
 * address   seven bits, 0x03 to 0x77
 * Returns 0 or a negative errno: -ENOENT no such bus, -EACCES, -EBUSY when a driver of the kernel holds the chip. A chip that is not there is
 * noticed at the first transfer. The caller closes; NULL may be closed. */
int i2c_open(const char *bus, int address, struct i2c **ret_i2c);
void i2c_close(struct i2c *i2c);

/* ---- SMBus ---- */

/* The address alone: whether something answers there. Some chips take it for a command: for looking round only. */
int i2c_quick(struct i2c *i2c);
/* One byte without a register. i2c_receive_byte returns it. */
int i2c_send_byte(struct i2c *i2c, uint8_t byte);
int i2c_receive_byte(struct i2c *i2c);
/* A register of one byte. i2c_read_byte returns it. */
int i2c_read_byte(struct i2c *i2c, uint8_t reg);
int i2c_write_byte(struct i2c *i2c, uint8_t reg, uint8_t byte);
/* A register of two bytes. i2c_read_word returns it, 0 to 0xFFFF. */
int i2c_read_word(struct i2c *i2c, uint8_t reg, enum i2c_order order);
int i2c_write_word(struct i2c *i2c, uint8_t reg, enum i2c_order order, uint16_t word);
/* Registers from `reg` on, in one transfer, 1 to I2C_BLOCK_MAX bytes. A short read is -EIO. */
int i2c_read_block(struct i2c *i2c, uint8_t reg, uint8_t *ret_bytes, size_t len);
int i2c_write_block(struct i2c *i2c, uint8_t reg, const uint8_t *bytes, size_t len);

/* ---- raw ---- */

/* Exactly len bytes in one transfer. -EOPNOTSUPP where the adapter speaks SMBus only. */
int i2c_write(struct i2c *i2c, const uint8_t *bytes, size_t len);
int i2c_read(struct i2c *i2c, uint8_t *ret_bytes, size_t len);
/* Writes, then reads after a repeated start: nobody comes between. */
int i2c_write_read(struct i2c *i2c, const uint8_t *bytes, size_t len, uint8_t *ret_bytes, size_t ret_len);

/* ---- for people ---- */

/* What an error of the functions above means and what to do: "no answer on I2C 0x76", "no /dev/i2c-1: add dtparam=i2c_arm=on to
 * /boot/firmware/config.txt", "may not open /dev/i2c-1: join group i2c (sudo usermod -aG i2c foyer)" ... Returns buf. */
const char *i2c_explain(const char *bus, int address, int error, char *buf, size_t size);
