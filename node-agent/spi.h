/* The door to a chip on SPI, by the kernel's /dev/spidevB.C (Documentation/spi/spidev.rst). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct spi;

/* device   "/dev/spidev0.0": bus and chip select
 * mode     0 to 3: clock polarity and phase, as data sheets number them
 * speed    clock in Hz; the adapter takes the next lower one that it can
 * Returns 0 or a negative errno; the caller closes, NULL may be closed. */
int spi_open(const char *device, int mode, uint32_t speed, struct spi **ret_spi);
void spi_close(struct spi *spi);

/* Sends len bytes while receiving as many, in one chip select. in: NULL when nobody wants them; out: NULL sends zeros. */
int spi_transfer(struct spi *spi, const uint8_t *out, uint8_t *in, size_t len);

/* What an error of the functions above means and what to do. Returns buf. */
const char *spi_explain(const char *device, int error, char *buf, size_t size);
