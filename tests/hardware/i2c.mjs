// Chips on I2C. Registers by the kernel's i2c-stub, whose own drivers judge ours; command chips by our module. Numbers are those of the data sheets.
import assert from 'node:assert/strict';

// The BMP280 data sheet's worked example (3.12): 25.08 degC and 100653.27 Pa; humidity words of a real chip.
const words = [27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000];
const lowFirst = (word) => [word & 255, (word >> 8) & 255];
export const BME280 = {
	0xd0: 0x60,
	0x88: words.flatMap(lowFirst),
	0xa1: 75,
	0xe1: [...lowFirst(362), 0, 0x14, 0x2d, 0x03, 30],
	0xf3: 0,
	0xf7: [0x65, 0x5a, 0xc0, 0x7e, 0xed, 0x00, 0x6a, 0x3c],
};

// Sensirion's and Aosong's CRC: polynomial 0x31, start 0xff; TE's and Silicon Labs' starts with 0.
export function crc(bytes, start = 0xff) {
	return bytes.reduce((sum, byte) => {
		sum ^= byte;
		for (let i = 0; i < 8; i++) sum = sum & 0x80 ? ((sum << 1) ^ 0x31) & 255 : (sum << 1) & 255;
		return sum;
	}, start);
}
export const hex = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
export const checked = (word, start) => hex([word >> 8, word & 255, crc([word >> 8, word & 255], start)]);

// Sensors of commands on the raw bus, which go on saying what SENSORS_SAY. The numbers are those of their data sheets.
const AHT20 = [0x1c, 0x80, 0x00, 0x06, 0x00, 0x00]; // 5.4
export const sensorsOn = (guest, interval) => {
	const raw = { bus: guest.raw, interval };

	return {
		sht3x: { driver: 'sht3x', ...raw },
		sht4x: { driver: 'sht4x', address: '0x45', ...raw },
		htu21: { driver: 'htu21', ...raw },
		bh1750: { driver: 'bh1750', ...raw },
		aht20: { driver: 'aht20', ...raw },
	};
};
export const SENSORS_SAY = {
	'sht3x/temperature': 25,
	'sht3x/humidity': 50,
	'sht4x/temperature': 25,
	'sht4x/humidity': 44, // -6 + 125 * 0.4
	'htu21/temperature': 24.686,
	'htu21/humidity': 44.888,
	'bh1750/illuminance': 28066.667,
	'aht20/temperature': 25,
	'aht20/humidity': 50,
};
export async function placeSensors(guest) {
	await guest.answer(0x44, '2400', checked(0x6666) + checked(0x8000));
	await guest.answer(0x45, 'fd', checked(0x6666) + checked(0x6666));
	await guest.answer(0x40, 'f3', checked(0x6838, 0)); // HTU21D p. 15
	await guest.answer(0x40, 'f5', '683a7c'); // its own example of a check sum
	await guest.answer(0x23, '20', '8390');
	await guest.answer(0x38, '', '18');
	await guest.answer(0x38, 'ac3300', hex([...AHT20, crc(AHT20)]));
}

export function i2c(guest) {
	const stub = { bus: guest.stub, interval: '300ms' };

	guest.test('register chips: BME280, BMP280, ADS1115, TSL2561, MCP9808, as their data sheets say', async () => {
		await guest.registers(0x76, BME280);
		await guest.registers(0x77, { ...BME280, 0xd0: 0x58 });
		await guest.registers(0x48, { 0: 0x3000, 1: 0x8583, 2: 0x8000, 3: 0x7fff }, { words: true });
		await guest.registers(0x39, { 0x8a: 0x50 });
		await guest.registers(0x39, { 0xac: 0xe803, 0xae: 0x2c01 }, { words: true }); // 1000 and 300, low byte first
		await guest.registers(0x18, { 1: 0x0100, 5: 0xdf5c, 6: 0x0054, 7: 0x0400 }, { words: true }); // -10.25 degC and all three flags, asleep
		const node = await guest.startNode('chips', {
			freezer: { driver: 'mcp9808', ...stub },
			air: { driver: 'bme280', ...stub },
			attic: { driver: 'bmp280', address: '0x77', ...stub },
			soil: {
				driver: 'ads1115',
				'a0.quantity': 'voltage',
				'a1.quantity': 'moisture',
				'a1.curve': '0.9:100 2.6:0',
				...stub,
			},
			light: { driver: 'tsl2561', ...stub },
		});

		await node.near('air/temperature', 25.08, 0.01);
		await node.near('air/pressure', 1006.53, 0.01);
		await node.near('air/humidity', 32.208, 0.01);
		await node.near('attic/temperature', 25.08, 0.01);
		await node.near('soil/voltage', 1.536, 0.001);
		await node.near('soil/moisture', 62.59, 0.01);
		await node.near('light/illuminance', 18.909, 0.01); // ratio 0.3 of a T package
		await node.near('freezer/temperature', -10.25, 0.001);
		assert.equal(await guest.register(0x18, 1, { words: true }), 0); // woken
		await guest.registers(0x48, { 0: 0x4000 }, { words: true });
		await node.near('soil/voltage', 2.048, 0.001);
		assert.equal(await node.stop(), 0);
	});

	guest.test("the kernel's own driver agrees with ours on the same registers", async () => {
		await guest.registers(0x76, BME280);
		const node = await guest.startNode('ours', { air: { driver: 'bme280', ...stub } });
		const ours = {};

		for (const quantity of ['temperature', 'pressure', 'humidity']) ours[quantity] = (await node.reading(`air/${quantity}`)).value;
		assert.equal(await node.stop(), 0);
		const folder = `${await guest.bind('bme280', 0x76)}/iio:device*`;
		const kernel = async (file) => Number(await guest.sh(`cat ${folder}/${file}`));
		try {
			assert.ok(Math.abs(ours.temperature - (await kernel('in_temp_input')) / 1000) < 0.011, JSON.stringify(ours));
			assert.ok(Math.abs(ours.pressure - (await kernel('in_pressure_input')) * 10) < 0.01, JSON.stringify(ours));
			assert.ok(Math.abs(ours.humidity - (await kernel('in_humidityrelative_input')) / 1000) < 0.01, JSON.stringify(ours));
			// And the chip is the kernel's now: ours says so, and what to do.
			const { code, out } = await guest.run(`node-agent -c /tmp/ours.conf --read air`);
			assert.equal(code, 1);
			assert.match(out, /kernel holds I2C 0x76/);
		} finally {
			await guest.unbind(0x76);
		}
	});

	guest.test("the kernel's lm75 agrees with ours, above and below zero", async () => {
		for (const raw of [0x1980, 0xe700]) {
			// 25.5 and -25 degC
			await guest.registers(0x49, { 0: raw }, { words: true });
			const file = await guest.configure('lm75', { attic: { driver: 'lm75', bus: guest.stub, address: '0x49' } });
			const ours = await guest.sh(`node-agent -c ${file} --read attic`);

			const folder = await guest.bind('lm75', 0x49);
			try {
				const kernel = Number(await guest.sh(`cat ${folder}/hwmon/hwmon*/temp1_input`)) / 1000;
				assert.equal(ours, `attic/temperature ${kernel} °C`);
			} finally {
				await guest.unbind(0x49);
			}
		}
	});

	guest.test('command chips: SHT31, SHT4x, HTU21, BH1750, AHT20 on a bus of raw transfers', async () => {
		await placeSensors(guest);
		const node = await guest.startNode('raw', sensorsOn(guest, '300ms'));

		for (const [series, value] of Object.entries(SENSORS_SAY)) await node.near(series, value, 0.001);
		assert.equal(await node.stop(), 0);
		await guest.set('forget', 1);
	});

	guest.test('a PCA9685 turns a servo as the kernel would', async () => {
		await guest.registers(0x40, { 0x00: 0x11, 0xfe: 0x1e, 0x06: [0, 0, 0, 0x10] });
		const node = await guest.startNode('arm', {
			servo: { driver: 'servo_pca9685', bus: guest.stub, channel: 0, pulse_min: 500, pulse_max: 2500, travel: 180, interval: '1h' },
		});
		const counts = async () => (await guest.register(0x40, 0x08)) | (((await guest.register(0x40, 0x09)) & 15) << 8);

		assert.equal((await node.order('servo/position', 90)).value, 90);
		assert.ok(Math.abs((await counts()) - 307.2) <= 1, String(await counts())); // 1.5 ms of 20 ms in 4096 steps
		assert.equal(await guest.register(0x40, 0xfe), 0x79); // 50 Hz (7.3.5)
		const prescale = await guest.register(0x40, 0xfe);
		assert.equal((await node.order('servo/position', 999)).ok, false);
		assert.equal(await node.stop(), 0);
		const folder = `${await guest.bind('pca9685', 0x40)}/pwm/pwmchip*`;
		try {
			await guest.sh(
				`cd ${folder} && echo 0 >export && echo 20000000 >pwm0/period && echo 1500000 >pwm0/duty_cycle && echo 1 >pwm0/enable`,
			);
			assert.ok(Math.abs((await counts()) - 307.2) <= 1, String(await counts()));
			assert.equal(await guest.register(0x40, 0xfe), prescale);
		} finally {
			await guest.unbind(0x40);
		}
	});

	guest.test('an MCP23017 has inputs and outputs', async () => {
		await guest.registers(0x20, Object.fromEntries(Array.from({ length: 22 }, (_, i) => [i, i < 2 ? 0xff : 0])));
		const node = await guest.startNode('box', {
			box: { driver: 'mcp23017', bus: guest.stub, A0: 'contact', B3: 'switch output', interval: '200ms' },
		});

		await node.reading('box/contact', (value) => value === 0);
		await guest.registers(0x20, { 0x12: 0x01 });
		await node.reading('box/contact', (value) => value === 1);
		await node.order('box/switch', 1);
		assert.equal((await guest.register(0x20, 0x15)) & 8, 8); // OLATB
		assert.equal((await guest.register(0x20, 0x01)) & 8, 0); // IODIRB: an output
		assert.equal(await node.stop(), 0);
	});
}
