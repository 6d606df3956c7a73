// What the kernel tells and takes as files: 1-wire, IIO, hwmon, thermal zones, PWM, lights, the machine itself.
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

	guest.test("the kernel's PWM: a lamp and a servo", async () => {
		await guest.registers(0x40, { 0x00: 0x11, 0xfe: 0x1e, 0x0a: [0, 0, 0, 0x10], 0x12: [0, 0, 0, 0x10] });
		const folder = await guest.bind('pca9685', 0x40);
		const chip = folder.split('/').at(-1); // what it is, as a Pi's is fe20c000.pwm
		const file = (channel, name) => guest.sh(`cat ${folder}/pwm/pwmchip*/pwm${channel}/${name}`);
		const counts = async (channel) => (await guest.register(0x40, 0x08 + 4 * channel)) | (((await guest.register(0x40, 0x09 + 4 * channel)) & 15) << 8);

		try {
			const lamp = await guest.startNode('lamps', { lamp: { driver: 'dimmer', chip, channel: 3, frequency: 200, interval: '1h', on_stop: 'keep' } });

			assert.equal((await lamp.order('lamp/level', 25)).value, 25);
			assert.equal(await file(3, 'period'), '5000000');
			assert.equal(await file(3, 'duty_cycle'), '1250000');
			assert.equal(await file(3, 'enable'), '1');
			assert.ok(Math.abs((await counts(3)) - 1024) <= 1, String(await counts(3)));
			assert.match((await lamp.order('lamp/level', 101)).error, /100/);
			assert.equal(await lamp.stop(), 0);
			// An agent that starts anew takes over what it finds.
			const again = await guest.startNode('lamps', { lamp: { driver: 'dimmer', chip, channel: 3, frequency: 200, interval: '500ms', on_stop: 'keep' } });
			await again.reading('lamp/level', (value) => value === 25);
			assert.equal((await again.order('lamp/level', 0)).value, 0);
			assert.equal(await file(3, 'duty_cycle'), '0');
			assert.equal(await again.stop(), 0);
			await guest.sh(`for chip in ${folder}/pwm/pwmchip*; do echo 3 >$chip/unexport; done`); // all of a chip have one period
			const arm = await guest.startNode('arms', {
				blind: { driver: 'servo', chip, channel: 1, pulse_min: 1000, pulse_max: 2000, travel: 90, max: 90, interval: '1h' },
			});
			for (const [angle, us] of [[0, 1000], [90, 2000], [36, 1400]]) {
				assert.equal((await arm.order('blind/position', angle)).value, angle);
				assert.equal(Number(await file(1, 'duty_cycle')), us * 1000);
				assert.ok(Math.abs((await counts(1)) - (us * 4096) / 20000) <= 1, String(await counts(1)));
			}
			assert.equal(await arm.stop(), 0);
		} finally {
			await guest.unbind(0x40);
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
