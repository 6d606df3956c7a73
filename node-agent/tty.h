/* The door to a serial line: a UART, a USB adapter, an Arduino. (serial.h is another room: the numbers that readings bear.) */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Opens a line raw, eight bits, no parity, one stop bit, no flow control, without waiting for a carrier, for this process alone
 * (flock; -EBUSY when another holds it). What lies in its buffers is dropped.
 * path    "/dev/serial0", "/dev/ttyUSB0", better "/dev/serial/by-id/..."
 * speed   in baud: 1200 to 921600, of the usual steps; -EINVAL for another
 * Returns a non-blocking descriptor that the caller closes, or a negative errno. */
int tty_open(const char *path, int speed);

/* Reads what is there, at most len bytes. 0: nothing now; -ENODEV: the line is gone (adapter pulled out, peer closed). */
int tty_read(int fd, uint8_t *ret_bytes, size_t len);
/* Writes everything into the line's buffer, without waiting; -EAGAIN when that is full, because the other side has stopped. */
int tty_write(int fd, const uint8_t *bytes, size_t len);
/* Drops what came in and was not read. */
void tty_drop_input(int fd);

/* What an error of tty_open means and what to do. Returns buf. */
const char *tty_explain(const char *path, int error, char *buf, size_t size);
