#include "pn532_frame.h"

#include <string.h>

enum { FROM_HOST = 0xD4, FROM_CHIP = 0xD5, ERROR_FRAME = 0x7F };

size_t pn532_frame(const uint8_t *command, size_t len, uint8_t *buf)
{
	uint8_t sum = FROM_HOST, *p = buf;

	*p++ = 0x00; /* preamble */
	*p++ = 0x00; /* start code */
	*p++ = 0xFF;
	*p++ = (uint8_t)(len + 1);
	*p++ = (uint8_t) - (len + 1);
	*p++ = FROM_HOST;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + (*p++ = command[i]));
	*p++ = (uint8_t)-sum;
	*p++ = 0x00; /* postamble */
	return (size_t)(p - buf);
}

/* A frame's postamble, where it came with it: what follows may be a chip that fills up a transfer with 0xFF, and would make a start code of it. */
static size_t postamble(const uint8_t *bytes, size_t len, size_t end)
{
	return end < len && bytes[end] == 0 ? end + 1 : end;
}

static enum pn532_found check_data(const uint8_t *data, size_t len, const uint8_t **ret_data, size_t *ret_len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i <= len; i++) /* with its checksum */
		sum = (uint8_t)(sum + data[i]);
	if (sum != 0)
		return PN532_RUBBISH;
	if (len == 1 && data[0] == ERROR_FRAME)
		return PN532_ERROR;
	if (len < 2 || data[0] != FROM_CHIP)
		return PN532_RUBBISH;
	*ret_data = data + 1;
	*ret_len = len - 1;
	return PN532_DATA;
}

enum pn532_found pn532_find(const uint8_t *bytes, size_t len, size_t *ret_used, const uint8_t **ret_data, size_t *ret_len)
{
	const uint8_t *start = memmem(bytes, len, "\x00\xFF", 2), *p;
	size_t left;

	if (!start) { /* a 0 at the end may be the first half of a start code */
		*ret_used = len > 0 && bytes[len - 1] == 0 ? len - 1 : len;
		return PN532_NOTHING;
	}
	*ret_used = (size_t)(start - bytes);
	p = start + 2;
	left = len - *ret_used - 2;
	if (left < 2)
		return PN532_NOTHING;
	if ((p[0] == 0x00 && p[1] == 0xFF) || (p[0] == 0xFF && p[1] == 0x00)) {
		*ret_used = postamble(bytes, len, *ret_used + 4);
		return p[0] == 0x00 ? PN532_ACK : PN532_NACK;
	}
	if (p[0] == 0 || (uint8_t)(p[0] + p[1]) != 0) {
		*ret_used += 2;
		return PN532_RUBBISH;
	}
	if (left < (size_t)p[0] + 3)
		return PN532_NOTHING;
	*ret_used = postamble(bytes, len, *ret_used + p[0] + 5);
	return check_data(p + 2, p[0], ret_data, ret_len);
}
