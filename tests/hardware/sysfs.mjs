// What the kernel tells as files: 1-wire, IIO, hwmon, thermal zones, lights, the machine itself.
import assert from 'node:assert/strict';
import { BME280 } from './i2c.mjs';

export function sysfs(guest) {
	guest.test("the machine's own temperature, load, memory and disk", async () => {
		const node = await guest.startNode('cave', {
			cpu: { driver: 'thermal', interval: '200ms' },
			system: { driver: 'system', interval: '200ms' },
		});

		await node.near('cpu/temperature', 48.312, 0.001);
		await guest.set('cpu_mc', 51000);
		await node.near('cpu/temperature', 51, 0.001);
		await node.reading('system/memory', (value) => value > 1 && value < 100);
		await node.reading('system/load', (value) => value >= 0);
		assert.equal(await node.stop(), 0);
		await guest.set('cpu_mc', 48312);
	});

	guest.test('DS18B20 thermometers: frost, a wrong check sum, one that is pulled out and put back', async () => {
		await guest.set('w1_mc', '21437,-10125,0,0');
		await guest.set('w1_mask', 3);
		await guest.sh('for i in $(seq 100); do ls -d /sys/bus/w1/devices/28-*c2 && exit; sleep 0.1; done; false');
		const node = await guest.startNode('wire', {
			inside: { driver: 'ds18b20', id: '28-0000000000c1', interval: '500ms' },
			outside: { driver: 'ds18b20', id: '28-0000000000c2', interval: '500ms' },
			lamp: { driver: 'relay', line: 'GPIO22' },
		});

		await node.near('inside/temperature', 21.375, 0.0001); // sixteenths of a degree
		await node.near('outside/temperature', -10.125, 0.0001);
		// While they convert, which takes the kernel 750 ms each, orders are obeyed.
		for (const value of [1, 0, 1]) assert.equal((await node.order('lamp/switch', value)).value, value);
		await guest.set('w1_bad', 1);
		await node.faulty('inside', /./);
		const from = node.mark('outside/temperature');
		await node.reading('outside/temperature', () => true, { from });
		await guest.set('w1_bad', 0);
		await node.well('inside');
		await guest.set('w1_mask', 1); // the second is pulled out
		await node.faulty('outside', /./);
		await guest.set('w1_mask', 3);
		await node.well('outside', 90000);
		assert.ok(node.values('inside/temperature').every((value) => value === 21.375));
		assert.equal(await node.stop(), 0);
		await guest.set('w1_mask', 1);
	});

	guest.test("IIO and hwmon: whatever the kernel has a driver for", async () => {
		await guest.registers(0x76, BME280);
		await guest.registers(0x49, { 0: 0x1980 }, { words: true }); // 25.5 degC
		await guest.bind('bme280', 0x76);
		await guest.bind('lm75', 0x49);
		try {
			const node = await guest.startNode('kernel', {
				air: { driver: 'iio', device: 'bme280', channels: 'in_temp in_pressure in_humidityrelative', interval: '300ms' },
				board: { driver: 'hwmon', device: 'lm75', channels: 'temp1', interval: '300ms' },
			});

			await node.near('air/temperature', 25.08, 0.001);
			await node.near('air/pressure', 1006.5325, 0.001);
			await node.near('air/humidity', 32.208, 0.001);
			await node.near('board/temperature', 25.5, 0.001);
			assert.equal(await node.stop(), 0);
		} finally {
			await guest.unbind(0x76);
			await guest.unbind(0x49);
		}
	});

	guest.test('a light of the machine', async () => {
		const node = await guest.startNode('panel', { status: { driver: 'led', led: 'foyer:green:status', output: 'level' } });

		assert.equal((await node.order('status/level', 100)).ok, true);
		assert.equal(await guest.sh('cat /sys/class/leds/foyer:green:status/brightness'), '255');
		assert.equal((await node.order('status/level', 0)).ok, true);
		assert.equal(await guest.sh('cat /sys/class/leds/foyer:green:status/brightness'), '0');
		assert.equal(await node.stop(), 0);
	});
}
