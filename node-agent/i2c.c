#include "i2c.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "door.h"
#include "sysfs.h"

struct i2c {
	int fd, address;
};

int i2c_open(const char *bus, int address, struct i2c **ret_i2c)
{
	struct i2c *i2c = calloc(1, sizeof(*i2c));
	int r = 0;

	if (!i2c)
		return -ENOMEM;
	i2c->address = address;
	i2c->fd = open(bus, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (i2c->fd < 0 || ioctl(i2c->fd, I2C_SLAVE, (unsigned long)address) < 0)
		r = -errno;
	if (r < 0) {
		i2c_close(i2c);
		return r;
	}
	*ret_i2c = i2c;
	return 0;
}

void i2c_close(struct i2c *i2c)
{
	if (i2c && i2c->fd >= 0)
		close(i2c->fd);
	free(i2c);
}

/* ---- SMBus ------------------------------------------------------------------------------------------------------------------- */

static int smbus(struct i2c *i2c, uint8_t direction, uint8_t command, uint32_t size, union i2c_smbus_data *data)
{
	struct i2c_smbus_ioctl_data request = { .read_write = direction, .command = command, .size = size, .data = data };

	return ioctl(i2c->fd, I2C_SMBUS, &request) < 0 ? -errno : 0;
}

int i2c_quick(struct i2c *i2c)
{
	return smbus(i2c, I2C_SMBUS_WRITE, 0, I2C_SMBUS_QUICK, NULL);
}

int i2c_send_byte(struct i2c *i2c, uint8_t byte)
{
	return smbus(i2c, I2C_SMBUS_WRITE, byte, I2C_SMBUS_BYTE, NULL);
}

int i2c_receive_byte(struct i2c *i2c)
{
	union i2c_smbus_data data;
	int r = smbus(i2c, I2C_SMBUS_READ, 0, I2C_SMBUS_BYTE, &data);

	return r < 0 ? r : data.byte;
}

int i2c_read_byte(struct i2c *i2c, uint8_t reg)
{
	union i2c_smbus_data data;
	int r = smbus(i2c, I2C_SMBUS_READ, reg, I2C_SMBUS_BYTE_DATA, &data);

	return r < 0 ? r : data.byte;
}

int i2c_write_byte(struct i2c *i2c, uint8_t reg, uint8_t byte)
{
	union i2c_smbus_data data = { .byte = byte };

	return smbus(i2c, I2C_SMBUS_WRITE, reg, I2C_SMBUS_BYTE_DATA, &data);
}

static uint16_t ordered(uint16_t word, enum i2c_order order)
{
	return order == I2C_HIGH_FIRST ? __builtin_bswap16(word) : word;
}

int i2c_read_word(struct i2c *i2c, uint8_t reg, enum i2c_order order)
{
	union i2c_smbus_data data;
	int r = smbus(i2c, I2C_SMBUS_READ, reg, I2C_SMBUS_WORD_DATA, &data);

	return r < 0 ? r : ordered(data.word, order);
}

int i2c_write_word(struct i2c *i2c, uint8_t reg, enum i2c_order order, uint16_t word)
{
	union i2c_smbus_data data = { .word = ordered(word, order) };

	return smbus(i2c, I2C_SMBUS_WRITE, reg, I2C_SMBUS_WORD_DATA, &data);
}

int i2c_read_block(struct i2c *i2c, uint8_t reg, uint8_t *ret_bytes, size_t len)
{
	union i2c_smbus_data data = { 0 };
	int r;

	if (len < 1 || len > I2C_BLOCK_MAX)
		return -EINVAL;
	data.block[0] = (uint8_t)len;
	r = smbus(i2c, I2C_SMBUS_READ, reg, I2C_SMBUS_I2C_BLOCK_DATA, &data);
	if (r < 0)
		return r;
	if (data.block[0] < len)
		return -EIO;
	memcpy(ret_bytes, data.block + 1, len);
	return 0;
}

int i2c_write_block(struct i2c *i2c, uint8_t reg, const uint8_t *bytes, size_t len)
{
	union i2c_smbus_data data = { 0 };

	if (len < 1 || len > I2C_BLOCK_MAX)
		return -EINVAL;
	data.block[0] = (uint8_t)len;
	memcpy(data.block + 1, bytes, len);
	return smbus(i2c, I2C_SMBUS_WRITE, reg, I2C_SMBUS_I2C_BLOCK_DATA, &data);
}

/* ---- raw --------------------------------------------------------------------------------------------------------------------- */

static int transfer(struct i2c *i2c, struct i2c_msg *messages, uint32_t count)
{
	struct i2c_rdwr_ioctl_data request = { .msgs = messages, .nmsgs = count };
	int done = ioctl(i2c->fd, I2C_RDWR, &request);

	if (done < 0)
		return -errno;
	return (uint32_t)done == count ? 0 : -EIO;
}

int i2c_write(struct i2c *i2c, const uint8_t *bytes, size_t len)
{
	struct i2c_msg message = { .addr = (uint16_t)i2c->address, .len = (uint16_t)len, .buf = (uint8_t *)(uintptr_t)bytes };

	return transfer(i2c, &message, 1);
}

int i2c_read(struct i2c *i2c, uint8_t *ret_bytes, size_t len)
{
	struct i2c_msg message = { .addr = (uint16_t)i2c->address, .flags = I2C_M_RD, .len = (uint16_t)len, .buf = ret_bytes };

	return transfer(i2c, &message, 1);
}

int i2c_write_read(struct i2c *i2c, const uint8_t *bytes, size_t len, uint8_t *ret_bytes, size_t ret_len)
{
	struct i2c_msg messages[] = {
		{ .addr = (uint16_t)i2c->address, .len = (uint16_t)len, .buf = (uint8_t *)(uintptr_t)bytes },
		{ .addr = (uint16_t)i2c->address, .flags = I2C_M_RD, .len = (uint16_t)ret_len, .buf = ret_bytes },
	};

	return transfer(i2c, messages, 2);
}

/* ---- for people -------------------------------------------------------------------------------------------------------------- */

const char *i2c_explain(const char *bus, int address, int error, char *buf, size_t size)
{
	const char *hint = "`ls /dev/i2c-*` shows which there are (`modprobe i2c-dev`)";
	char adapter[SYSFS_PATH_MAX];

	if (strncmp(bus, "/dev/", 5) == 0 && access(sysfs_path(adapter, "/sys/bus/i2c/devices/%s", bus + 5), F_OK) == 0)
		hint = "its module is missing: sudo modprobe i2c-dev";
	else if (strcmp(bus, "/dev/i2c-1") == 0)
		hint = "add dtparam=i2c_arm=on to /boot/firmware/config.txt";

	switch (-error) {
	case EIO:
	case ENXIO:
	case ENODEV:
	case EREMOTEIO:
	case ETIMEDOUT:
		snprintf(buf, size, "no answer on I2C 0x%02x", (unsigned)address);
		return buf;
	case EBUSY:
		snprintf(buf, size, "a driver of the kernel holds I2C 0x%02x: read it by driver = iio or hwmon, or unbind it",
			 (unsigned)address);
		return buf;
	case EOPNOTSUPP:
		snprintf(buf, size, "%s can't do the transfers that this chip needs", bus);
		return buf;
	case ENOTTY:
		snprintf(buf, size, "%s is no I2C bus", bus);
		return buf;
	default:
		return door_explain(bus, error, "i2c", hint, buf, size);
	}
}
