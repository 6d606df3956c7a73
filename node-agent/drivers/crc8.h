/* The checksum that Sensirion's, TE's and ASAIR's humidity chips send along: x^8 + x^5 + x^4 + 1 (0x31), high bit first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* start   what the chip begins with: 0xFF for SHT3x, SHT4x (SHT3x data sheet, table 20: 0xBEEF gives 0x92), AHT20; 0 for HTU21 */
uint8_t crc8(const uint8_t *bytes, size_t len, uint8_t start);

struct device;

/* Checks words of two bytes with their CRC each, as chips send them. Returns 0 or -ERANGE with device->error. */
int crc8_check_words(struct device *device, const uint8_t *bytes, size_t word_count, uint8_t start);
