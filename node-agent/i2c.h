/* The door to an I2C bus: transfers with one chip, by the kernel's /dev/i2c-N (Documentation/i2c/dev-interface.rst).
 *
 * SMBus calls where the chip's protocol is SMBus (a register, then its bytes): every adapter has them, the kernel's i2c-stub
 * too. Raw transfers for chips of opcodes (SHT3x, BH1750, PN532): adapters that speak plain I2C have these, those of Raspberry
 * Pis do.
 *
 * Every function returns a negative errno on failure. Adapters name silence in several ways (ENXIO, EREMOTEIO, ENODEV,
 * ETIMEDOUT, EIO): i2c_explain makes one sentence of it, and the sampler calls it for a hook that fails without a word of its
 * own, so that a driver need not.
 *
 * A call waits for its transfer: a third of a millisecond for two bytes at 100 kHz, and up to the adapter's time-out (1 s is
 * usual) when a chip holds the clock line down. Therefore hooks of I2C drivers run on the worker of their bus (driver.h).
 *
 * A bus that hangs: a chip that was cut off in the middle of a byte may hold the data line down. Nine clocks free it (UM10204,
 * 3.1.16); adapters whose kernel driver has bus recovery send them by themselves at the next transfer, so trying again with
 * back-off is all that a program has to do. Where they do not help, cut the chip's power; `dtoverlay=i2c-gpio` gives a Pi a bus
 * on other pins for a chip that does so often. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct i2c;

enum { I2C_BLOCK_MAX = 32 }; /* bytes of one block transfer */

/* The order of the two bytes of a word on the wire. SMBus says low byte first; most chips say high byte first. */
enum i2c_order { I2C_LOW_FIRST, I2C_HIGH_FIRST };

/* bus       "/dev/i2c-1"
 * address   seven bits, 0x03 to 0x77
 * Returns 0 or a negative errno: -ENOENT no such bus, -EACCES, -EBUSY when a driver of the kernel holds the chip. A chip that is
 * not there is noticed at the first transfer. The caller closes; NULL may be closed. */
int i2c_open(const char *bus, int address, struct i2c **ret_i2c);
void i2c_close(struct i2c *i2c);

/* ---- SMBus ------------------------------------------------------------------------------------------------------------------- */

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

/* ---- raw --------------------------------------------------------------------------------------------------------------------- */

/* Exactly len bytes in one transfer. -EOPNOTSUPP where the adapter speaks SMBus only. */
int i2c_write(struct i2c *i2c, const uint8_t *bytes, size_t len);
int i2c_read(struct i2c *i2c, uint8_t *ret_bytes, size_t len);
/* Writes, then reads after a repeated start: nobody comes between. */
int i2c_write_read(struct i2c *i2c, const uint8_t *bytes, size_t len, uint8_t *ret_bytes, size_t ret_len);

/* ---- for people -------------------------------------------------------------------------------------------------------------- */

/* What an error of the functions above means and what to do: "no answer on I2C 0x76", "no /dev/i2c-1: add dtparam=i2c_arm=on to
 * /boot/firmware/config.txt", "may not open /dev/i2c-1: join group i2c (sudo usermod -aG i2c anne)" ... Returns buf. */
const char *i2c_explain(const char *bus, int address, int error, char *buf, size_t size);
