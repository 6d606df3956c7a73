// What goes wrong with chips: silent, rubbish, hanging, a bus that is not there. The device says so, the others go on, and it comes back by itself.
import assert from 'node:assert/strict';
import { BME280, checked } from './i2c.mjs';

export function faults(guest) {
	const raw = { bus: guest.raw, interval: '300ms' };

	guest.test('a chip that falls silent is told once, and once when it answers again', async () => {
		await guest.answer(0x44, '2400', checked(0x6666) + checked(0x8000));
		const node = await guest.startNode('mute', { air: { driver: 'sht3x', ...raw }, cpu: { driver: 'thermal', interval: '300ms' } });

		await node.reading('air/temperature');
		await guest.set('nak', 'Y');
		await node.faulty('air', /no answer on I2C 0x44/);
		const from = node.mark('cpu/temperature');
		await node.reading('cpu/temperature', () => true, { from });
		await guest.set('nak', 'N');
		await node.well('air');
		assert.equal((await node.log()).match(/no answer on I2C 0x44/g).length, 1);
		assert.equal(await node.stop(), 0);
	});

	guest.test('a wrong check sum is no reading', async () => {
		await guest.answer(0x44, '2400', '666600' + checked(0x8000));
		const node = await guest.startNode('rubbish', { air: { driver: 'sht3x', ...raw } });

		await node.faulty('air', /crc|check/i);
		assert.deepEqual(node.values('air/temperature'), []);
		await guest.answer(0x44, '2400', checked(0x6666) + checked(0x8000));
		await node.well('air');
		await node.near('air/temperature', 25, 0.01);
		assert.equal(await node.stop(), 0);
	});

	guest.test('a bus that hangs holds up neither an order nor another bus', async () => {
		await guest.registers(0x76, BME280);
		await guest.answer(0x44, '2400', checked(0x6666) + checked(0x8000));
		const node = await guest.startNode('stuck', {
			air: { driver: 'sht3x', ...raw },
			other: { driver: 'bme280', bus: guest.stub, interval: '300ms' },
			lamp: { driver: 'relay', line: 'GPIO21' },
		});

		await node.reading('air/temperature');
		await guest.set('hang_ms', 6000);
		try {
			await node.faulty('air', /./, 40000);
			const begin = performance.now();
			assert.equal((await node.order('lamp/switch', 1)).ok, true);
			assert.ok(performance.now() - begin < 5000, 'the order did not wait for the bus');
			const from = node.mark('other/temperature');
			await node.reading('other/temperature', () => true, { from });
		} finally {
			await guest.set('hang_ms', 0);
		}
		await node.well('air', 90000);
		assert.equal(await node.stop(), 0);
		await guest.set('forget', 1);
	});

	guest.test('a bus that comes later is found', async () => {
		const node = await guest.startNode('late', { air: { driver: 'bme280', bus: '/dev/i2c-9', interval: '300ms' } });

		await node.faulty('air', /i2c-9/);
		await guest.registers(0x76, BME280);
		await guest.sh(`ln -s ${guest.stub} /dev/i2c-9`);
		await node.well('air', 90000);
		await node.near('air/temperature', 25.08, 0.01);
		await guest.sh('rm /dev/i2c-9');
		assert.equal(await node.stop(), 0);
	});
}
