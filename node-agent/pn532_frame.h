/* Frames of the PN532, as its host link has them over I2C and serial lines (NXP user manual UM0701-02, 6.2.1): preamble, length,
 * data with checksums. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { PN532_DATA_MAX = 254, PN532_FRAME_MAX = PN532_DATA_MAX + 8 };

enum pn532_found {
	PN532_NOTHING, /* no whole frame yet */
	PN532_ACK,
	PN532_NACK,
	PN532_DATA,    /* an answer: ret_data is its command code + 1 and what follows */
	PN532_ERROR,   /* the chip did not understand (6.2.1.5) */
	PN532_RUBBISH, /* a frame with a bad checksum */
};

/* Writes the frame of a command (its code and arguments; the direction byte 0xD4 is added).
 * buf   PN532_FRAME_MAX bytes
 * Returns its length. */
size_t pn532_frame(const uint8_t *command, size_t len, uint8_t *buf);

/* Looks for the first frame in what came in.
 * ret_used   bytes to drop: all up to the end of the frame, or what can't become one
 * ret_data   into bytes, for PN532_DATA */
enum pn532_found pn532_find(const uint8_t *bytes, size_t len, size_t *ret_used, const uint8_t **ret_data, size_t *ret_len);
