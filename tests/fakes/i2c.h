/* One chip on a bus that a test plays, in place of node-agent/i2c.c. As with the kernel's i2c-stub, bytes and words of a register
 * are apart: preset and read each as the driver does. */
#pragma once

#include "../../node-agent/i2c.h"

enum { FAKE_I2C_WRITES_MAX = 1024, FAKE_I2C_BYTES_MAX = 64 };

struct fake_i2c_write {
	size_t len;
	uint8_t bytes[FAKE_I2C_BYTES_MAX]; /* as on the wire after the address: register or opcode first */
};

extern uint8_t fake_i2c_registers[256];                             /* of a byte each; blocks run over them */
extern struct fake_i2c_write fake_i2c_written[FAKE_I2C_WRITES_MAX]; /* every transfer that wrote, oldest first */
extern size_t fake_i2c_write_count;
extern int fake_i2c_error; /* every transfer fails so (negative errno); 0: it works */

/* Of a chip that answers rubbish: whether the transfer that begins fails (0 or a negative errno), and what becomes of each byte that is read; raw
 * reads need no replies then. NULL: nothing of that. */
extern int (*fake_i2c_fails)(void);
extern uint8_t (*fake_i2c_garbles)(uint8_t byte);

/* The chip; i2c_open gives it too. */
struct i2c *fake_i2c(void);
/* All registers 0, nothing written, no replies, no errors. */
void fake_i2c_reset(void);

void fake_i2c_set_word(uint8_t reg, enum i2c_order order, uint16_t word);
uint16_t fake_i2c_word(uint8_t reg, enum i2c_order order);
/* What raw reads and i2c_receive_byte get next, reply by reply; a reply of another length than asked for is -EIO, none -ENXIO. */
void fake_i2c_reply(const uint8_t *bytes, size_t len);
/* What i2c_receive_byte gets when no reply is left, as from a chip that is nothing but a port; -1: -ENXIO. */
extern int fake_i2c_port;
/* The nth transfer from now (1: the next) fails, once. */
void fake_i2c_fail(int nth, int error);
/* Whether the newest write was just these bytes. */
int fake_i2c_wrote(const uint8_t *bytes, size_t len);
