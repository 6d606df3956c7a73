// What a person does first: --probe, --read, --set.
import assert from 'node:assert/strict';
import { waitFor } from '../lib/house.mjs';
import { BME280, checked } from './i2c.mjs';

export function probe(guest) {
	guest.test('--probe finds what is there, and its sections are a configuration as they stand', async () => {
		await guest.registers(0x76, BME280);
		await guest.registers(0x77, { ...BME280, 0xd0: 0x58 });
		await guest.registers(0x49, { 0: 0x1980 }, { words: true });
		await guest.answer(0x44, 'f32d', checked(0x8010)); // SHT31: the status register
		await guest.answer(0x3c, '', '00'); // where displays of text and of dots are both sold
		await guest.answer(0x70, '', '00');
		const holder = await guest.startNode('holder', { lamp: { driver: 'relay', line: 'GPIO17' } });
		const found = await guest.sh('node-agent --probe');
		const sections = [...found.matchAll(/^\[device (.*)\]\ndriver = (.*)\n((?:[a-z].*\n)*)/gm)].map(([, , driver, keys]) => ({
			driver,
			...Object.fromEntries(
				keys
					.trim()
					.split('\n')
					.map((line) => line.split(' = ')),
			),
		}));
		const has = (wanted) =>
			assert.ok(
				sections.some((section) => Object.entries(wanted).every(([key, value]) => section[key] === value)),
				`${JSON.stringify(wanted)} in\n${found}`,
			);

		has({ driver: 'bme280', bus: guest.stub, address: '0x76' });
		has({ driver: 'bmp280', bus: guest.stub, address: '0x77' });
		has({ driver: 'sht3x', bus: guest.raw, address: '0x44' });
		has({ driver: 'ds18b20', id: '28-0000000000c1' });
		has({ driver: 'thermal', zone: '0' });
		assert.ok(!sections.some(({ driver }) => /relay|contact|led|lcd|servo|dimmer/.test(driver)), 'no output by guess');
		assert.match(found, /^# 0x3c: something answers; .*; perhaps an SSD1306/m);
		assert.match(found, /^# 0x70: something answers, perhaps a bus multiplexer/m);
		assert.match(found, /GPIO17, line 17: held by/);
		assert.match(found, /^# free: GPIO0 GPIO1 /m);
		assert.match(found, /^#led = foyer:green:status$/m);
		await guest.write('/tmp/found.conf', `[node]\nname = found\n${found}`);
		await guest.sh('node-agent --check -c /tmp/found.conf');
		assert.equal(await holder.stop(), 0);
		await guest.set('forget', 1);
	});

	guest.test('--probe leaves what the kernel has to the kernel', async () => {
		await guest.registers(0x76, BME280);
		await guest.bind('bme280', 0x76);
		try {
			const found = await guest.sh('node-agent --probe');

			assert.match(found, /^# 0x76: the kernel's driver "bme280" has it/m);
			assert.match(found, /^driver = iio\ndevice = \S+\nchannels = .*in_temp.*$/m);
		} finally {
			await guest.unbind(0x76);
		}
	});

	guest.test('--read tells the readings of one device, or what is wrong with it', async () => {
		await guest.registers(0x76, BME280);
		const file = await guest.configure('try', {
			air: { driver: 'bme280', bus: guest.stub, interval: '1h' },
			wire: { driver: 'ds18b20', interval: '1h' },
			gone: { driver: 'bh1750', bus: guest.raw },
			lamp: { driver: 'relay', line: 'GPIO23' },
		});
		const read = (name) => guest.run(`node-agent -c ${file} --read ${name}`);

		await guest.set('w1_mc', '21500,0,0,0');
		assert.match((await read('air')).out, /^air\/temperature 25\.08 °C\nair\/pressure 1006\.53 hPa\nair\/humidity 32\.2\d* %$/m);
		assert.match((await read('wire')).out, /^wire\/temperature 21\.5 °C$/m);
		const gone = await read('gone');
		assert.equal(gone.code, 1);
		assert.match(gone.out, /gone: no answer on I2C 0x23/);
		assert.equal((await read('lamp')).code, 2);
		assert.match((await read('nobody')).out, /there are: air wire gone lamp/);
	});

	guest.test('--set sets an output, holds it until it is asked to end, and says who has it', async () => {
		const file = await guest.configure('try', { lamp: { driver: 'relay', line: 'GPIO23' } });
		const set = `node-agent -c ${file} --set lamp=on`;

		await guest.sh(`(${set}; echo $? >/tmp/set.exit) >/tmp/set.out 2>&1 & true`);
		await guest.becomes(23, 1);
		await waitFor(async () => /Held until Ctrl-C/.test(await guest.sh('cat /tmp/set.out')), 'it says that it holds the line');
		assert.match(await guest.sh('cat /tmp/set.out'), /^lamp\/switch 1$/m);
		const second = await guest.run(set);
		assert.equal(second.code, 1);
		assert.match(second.out, /held by[^]*systemctl stop[^]*mosquitto_pub .*-t foyer\/try\/lamp\/switch\/set/);
		await guest.sh('kill -INT $(pidof node-agent)');
		await guest.becomes(23, 0);
		await waitFor(async () => (await guest.run('cat /tmp/set.exit')).out.trim() === '0', 'it ends with 0');
		assert.match((await guest.run(`node-agent -c ${file} --set lamp=7`)).out, /neither 0 nor 1/);
	});
}
