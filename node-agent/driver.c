#include "driver.h"

#include <string.h>

extern const struct driver sim_driver, thermal_driver;
extern const struct driver contact_driver, pir_driver, button_driver, wall_switch_driver, pulse_driver,
	hcsr04_driver; /* GPIO lines */
extern const struct driver relay_driver, buzzer_driver, led_driver, dimmer_driver, dimmer_pca9685_driver, servo_driver,
	servo_pca9685_driver;
extern const struct driver lcd_driver, mcp23017_driver;
extern const struct driver bme280_driver, bmp280_driver, sht3x_driver, sht4x_driver, htu21_driver, aht20_driver; /* I2C */
extern const struct driver bh1750_driver, tsl2561_driver, ads1115_driver, lm75_driver, mcp9808_driver, pn532_driver;
extern const struct driver ds18b20_driver, dht_driver, iio_driver, hwmon_driver; /* by drivers of the kernel */
extern const struct driver system_driver, pn532_serial_driver, camera_driver, exec_driver;

static const struct driver *const drivers[] = {
	&sim_driver,      &thermal_driver,      &system_driver,         &bme280_driver, &bmp280_driver,        &sht3x_driver,
	&sht4x_driver,    &htu21_driver,        &aht20_driver,          &bh1750_driver, &tsl2561_driver,       &ads1115_driver,
	&lm75_driver,     &mcp9808_driver,      &ds18b20_driver,        &dht_driver,    &iio_driver,           &hwmon_driver,
	&pn532_driver,    &pn532_serial_driver, &camera_driver,         &exec_driver,   &contact_driver,       &pir_driver,
	&button_driver,   &wall_switch_driver,  &pulse_driver,          &hcsr04_driver, &relay_driver,         &buzzer_driver,
	&led_driver,      &dimmer_driver,       &dimmer_pca9685_driver, &servo_driver,  &servo_pca9685_driver, &lcd_driver,
	&mcp23017_driver,
};

const struct driver *driver_at(size_t index)
{
	return index < sizeof(drivers) / sizeof(*drivers) ? drivers[index] : NULL;
}

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; driver_at(i); i++)
		if (strcmp(driver_at(i)->name, name) == 0)
			return driver_at(i);
	return NULL;
}
