#include "crc8.h"

#include <errno.h>
#include <stdio.h>

#include "../driver.h"

uint8_t crc8(const uint8_t *bytes, size_t len, uint8_t start)
{
	uint8_t crc = start;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ 0x31 : crc << 1);
	}
	return crc;
}

int crc8_check_words(struct device *device, const uint8_t *bytes, size_t word_count, uint8_t start)
{
	for (const uint8_t *word = bytes; word < bytes + 3 * word_count; word += 3)
		if (crc8(word, 2, start) != word[2]) {
			snprintf(device->error, sizeof(device->error), "bad CRC: %02x %02x came with %02x", word[0], word[1],
				 word[2]);
			return -ERANGE;
		}
	return 0;
}
