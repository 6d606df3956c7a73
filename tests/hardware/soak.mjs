// A bus that fails at random, with all that can be on it: what comes is right, the rest of the node does not notice, and in the end all are well.
// HARDWARE_SOAK=600 goes on for so many seconds, with a bus that is worse and worse mended.
import assert from 'node:assert/strict';
import { placeReader } from './badge.mjs';
import { hex, placeSensors, SENSORS_SAY, sensorsOn } from './i2c.mjs';

const SECONDS = Number(process.env.HARDWARE_SOAK ?? 0);
const UID = [0x8a, 0x15, 0xf3, 0x07];

const any = (list) => list[Math.floor(Math.random() * list.length)];

// What a bad minute is like: transfers in a thousand that fail, whether nobody answers, how long each hangs.
async function misbehave(guest) {
	await guest.set('fail', any([0, 50, 300, 700, 950]));
	await guest.set('nak', Math.random() < 0.1 ? 'Y' : 'N');
	await guest.set('hang_ms', Math.random() < 0.1 ? 1500 : 0);
}

async function mend(guest) {
	for (const [parameter, value] of Object.entries({ fail: 0, nak: 'N', hang_ms: 0 })) await guest.set(parameter, value);
}

export function soak(guest) {
	guest.test('chips that fail at random: the readings that come are right', { deadline: 300000 + SECONDS * 1000 }, async () => {
		const raw = { bus: guest.raw, interval: '200ms' };
		// They need many transfers to begin with, so they come back last, and only when the bus is well.
		const patient = { panel: { driver: 'lcd', ...raw }, reader: { driver: 'pn532', bus: guest.raw } };
		const own = async () => Number((await guest.sh(`grep RssAnon /proc/${node.pid}/status`)).match(/\d+/)[0]); // kB, without programs and libraries

		await placeSensors(guest);
		await guest.answer(0x27, '', '00'); // the display's port
		await placeReader(guest, UID);
		await guest.house.startCollector(); // or the readings would be kept, and grow
		const node = await guest.startNode('loose', {
			...sensorsOn(guest, '200ms'),
			lamp: { driver: 'relay', line: 'GPIO21' },
			...(SECONDS && patient),
		});
		const devices = Object.keys({ ...sensorsOn(guest), ...(SECONDS && patient) });

		for (const series of Object.keys(SENSORS_SAY)) await node.reading(series);
		const before = await own();
		await guest.set('fail', 60);
		const marks = Object.keys(SENSORS_SAY).map((series) => [series, node.mark(series) + 10]);
		for (const [series, from] of marks) await node.reading(series, () => true, { from, ms: 120000 });
		for (const end = Date.now() + SECONDS * 1000; Date.now() < end; ) {
			await misbehave(guest);
			await node.order('panel/text', 'is anybody there?'); // taken or refused
			for (const value of [1, 0]) assert.equal((await node.order('lamp/switch', value)).value, value);
		}
		await mend(guest);
		for (const device of devices) await node.well(device, 150000);
		if (SECONDS) assert.equal((await node.order('panel/text', 'all is well')).ok, true);
		for (const [series, truth] of Object.entries(SENSORS_SAY))
			assert.ok(node.values(series).every((value) => Math.abs(value - truth) < 0.01), `${series}: ${node.values(series)}`);
		assert.ok(node.values('reader/badge').every((value) => value === hex(UID)));
		const after = await own();
		assert.ok(after < before + 512, `from ${before} to ${after} kB`);
		if (SECONDS) console.log(await guest.sh('wc -l /tmp/loose.log'), `${before} to ${after} kB`, JSON.stringify(Object.keys(SENSORS_SAY).map((series) => node.values(series).length)));
		assert.equal(await node.stop(), 0);
		await guest.house.collector.stop();
		await guest.set('forget', 1);
	});
}
