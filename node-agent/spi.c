#include "spi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "door.h"

struct spi {
	int fd;
	uint32_t speed;
};

int spi_open(const char *device, int mode, uint32_t speed, struct spi **ret_spi)
{
	struct spi *spi = calloc(1, sizeof(*spi));
	uint8_t mode_bits = (uint8_t)mode, bits = 8;
	int r = 0;

	if (!spi)
		return -ENOMEM;
	spi->speed = speed;
	spi->fd = open(device, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (spi->fd < 0 || ioctl(spi->fd, SPI_IOC_WR_MODE, &mode_bits) < 0 || ioctl(spi->fd, SPI_IOC_WR_BITS_PER_WORD, &bits) < 0 ||
	    ioctl(spi->fd, SPI_IOC_WR_MAX_SPEED_HZ, &speed) < 0)
		r = -errno;
	if (r < 0) {
		spi_close(spi);
		return r;
	}
	*ret_spi = spi;
	return 0;
}

void spi_close(struct spi *spi)
{
	if (spi && spi->fd >= 0)
		close(spi->fd);
	free(spi);
}

int spi_transfer(struct spi *spi, const uint8_t *out, uint8_t *in, size_t len)
{
	struct spi_ioc_transfer transfer = {
		.tx_buf = (uintptr_t)out, .rx_buf = (uintptr_t)in, .len = (uint32_t)len, .speed_hz = spi->speed, .bits_per_word = 8
	};
	int done = ioctl(spi->fd, SPI_IOC_MESSAGE(1), &transfer);

	if (done < 0)
		return -errno;
	return (size_t)done == len ? 0 : -EIO;
}

const char *spi_explain(const char *device, int error, char *buf, size_t size)
{
	if (error == -ENOTTY) {
		snprintf(buf, size, "%s is no SPI device", device);
		return buf;
	}
	return door_explain(device, error, "spi", "add dtparam=spi=on to /boot/firmware/config.txt", buf, size);
}
