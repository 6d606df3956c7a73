// Nothing is lost: the collector is killed in the middle of a flood, again and again, and every reading is in the file once (DESIGN 3).
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { House, sleep, test, waitFor } from '../lib/house.mjs';

const FLOOD = 6000;
const KILLS = 5;
const house = new House(); // Mosquitto's usual window: 20 messages unacknowledged
const wide = new House({ broker: ['max_inflight_messages 0'] }); // as many as the collector takes

for (const each of [house, wide]) {
	await each.startBroker();
	await each.startCollector();
	after(() => each.close());
}

const count = async (where, quantity) => (await where.rows(`SELECT count(*) AS n FROM "${quantity}"`))[0]?.n ?? 0;

// Kills the collector whenever it has stored some more, and lets the broker see it come back.
async function killInTheMiddle(where, quantity, flood) {
	let killed = 0;

	for (let before = 0; killed < KILLS && (before = await count(where, quantity)) < FLOOD;) {
		await waitFor(async () => (await count(where, quantity)) > before, 'some more readings', 20000);
		await sleep(Math.random() * 40); // anywhere: between commits, within one, before the acknowledgements
		await where.collector.kill();
		killed += (await count(where, quantity)) < FLOOD;
		await where.startCollector();
	}
	await flood;
	return killed;
}

// The flood comes in parts, so that some of it is always still to come.
async function flood(where, topic, lines) {
	for (let at = 0; at < lines.length; at += 500) {
		await where.pubLines(topic, lines.slice(at, at + 500));
		await sleep(60);
	}
}

async function eachOnce(where, device, quantity) {
	await waitFor(async () => (await count(where, quantity)) >= FLOOD, 'all of the flood', 20000).catch(() => {});
	await where.settled();
	const values = (await where.readings('salon', device, quantity)).map((row) => row.value);
	const known = new Set(values);

	assert.deepEqual(
		Array.from({ length: FLOOD }, (_, i) => i).filter((i) => !known.has(i)),
		[],
		'lost',
	);
	assert.equal(values.length, FLOOD, 'stored twice');
	assert.deepEqual(await where.rows('SELECT * FROM rejected'), []);
}

for (const [window, where] of [
	['the usual window', house],
	['a wide window', wide],
]) {
	test(`kill -9 in a flood of timed readings, with ${window}: each is in the file once`, { deadline: 90000 }, async () => {
		const start = Date.now() - FLOOD * 1000;
		const lines = Array.from({ length: FLOOD }, (_, i) => `{"value":${i},"time":${start + i * 1000}}`);

		assert.ok(
			(await killInTheMiddle(where, 'energy', flood(where, 'salon/timed/energy', lines))) >= 2,
			'killed in the middle',
		);
		await eachOnce(where, 'timed', 'energy');
	});

	test(`kill -9 in a flood of bare readings, with ${window}: each is in the file once`, { deadline: 90000 }, async () => {
		const lines = Array.from({ length: FLOOD }, (_, i) => String(i));

		assert.ok(
			(await killInTheMiddle(where, 'volume', flood(where, 'salon/bare/volume', lines))) >= 2,
			'killed in the middle',
		);
		await eachOnce(where, 'bare', 'volume');
	});
}

test('kill -9 with the commit interval of 10 s, before anything of the batch is committed', { deadline: 60000 }, async () => {
	await wide.collector.stop();
	await wide.startCollector({ set: ['store.commit_interval=10s'] });
	await wide.pub('salon/early/voltage', '0'); // after a quiet spell: committed at once
	await wide.stored('salon', 'early', 'voltage', 1);
	await wide.pubLines(
		'salon/early/voltage',
		Array.from({ length: 15 }, (_, i) => String(i + 1)),
	);
	await sleep(300); // it has them, and holds them
	const held = (await wide.readings('salon', 'early', 'voltage')).length;
	await wide.collector.kill();
	assert.ok(held < 16, `${held} are committed: nothing was held`);
	await wide.startCollector();
	const rows = await wide.stored('salon', 'early', 'voltage', 16);
	await wide.settled();
	assert.deepEqual(
		rows.map((row) => row.value),
		Array.from({ length: 16 }, (_, i) => i),
	);
	assert.equal((await wide.readings('salon', 'early', 'voltage')).length, 16);
});

test(
	'SIGTERM in the middle of a flood of batches: it leaves within 2 s, and the rest waits for it',
	{ deadline: 60000 },
	async () => {
		const start = Date.now() - 86400000;
		const flood = (from, count) =>
			Array.from({ length: count }, (_, i) =>
				JSON.stringify(
					Array.from({ length: 1000 }, (_, j) => ({
						value: 1000 + (j % 50),
						time: start + ((from + i) * 1000 + j) * 100,
					})),
				),
			);
		let batches = 0;

		// It is quick: a flood that was over before it was asked to leave is followed by one of twice the length.
		for (let before = 0; before === batches * 1000; ) {
			const more = batches || 100;

			await wide.collector.stop();
			await wide.pubLines('salon/heap/pressure', flood(batches, more));
			batches += more;
			await wide.startCollector({ ready: false });
			await wide.collector.logged(/mqtt: connected/);
			const { code, ms } = await wide.collector.stop();
			assert.equal(code, 0);
			assert.ok(ms < 2000, `${ms} ms`);
			before = await count(wide, 'pressure');
		}
		await wide.startCollector();
		await waitFor(async () => (await count(wide, 'pressure')) >= batches * 1000, 'all of it', 30000);
		await wide.settled();
		assert.equal((await wide.readings('salon', 'heap', 'pressure')).length, batches * 1000);
	},
);

test('while the collector is away the broker keeps everything for it', { deadline: 60000 }, async () => {
	await house.collector.stop();
	await house.pubLines(
		'salon/away/power',
		Array.from({ length: 3000 }, (_, i) => String(i)),
	);
	await house.startCollector();
	const rows = await house.stored('salon', 'away', 'power', 3000, 30000);

	assert.deepEqual(
		rows.map((row) => row.value),
		Array.from({ length: 3000 }, (_, i) => i),
	);
});

test('equal bare readings, one after another, are readings of their own even across a kill', { deadline: 60000 }, async () => {
	await house.pubLines(
		'salon/equal/co2',
		Array.from({ length: 200 }, () => '400'),
	);
	await house.collector.kill();
	await house.pubLines(
		'salon/equal/co2',
		Array.from({ length: 200 }, () => '400'),
	);
	await house.startCollector();
	await house.stored('salon', 'equal', 'co2', 400);
	await house.settled();
	assert.equal((await house.readings('salon', 'equal', 'co2')).length, 400);
});

test('a node whose broker and collector die loses nothing', { deadline: 90000 }, async () => {
	const sim = { driver: 'sim', quantities: 'temperature humidity', interval: '50ms' };

	await house.startNode('pi', { air: sim }, { node: { resend_after: '1s' } });
	const heard = await house.listen('foyer/pi/air/temperature');
	await house.stored('pi', 'air', 'temperature', 20);
	await house.collector.kill();
	await sleep(200);
	await house.broker.kill(); // without persistence: all that it held is gone
	const gone = Date.now();
	await sleep(1000);
	const back = Date.now();
	await house.startBroker();
	await house.startCollector();
	await house.nodes.pi.logged(/connected[\s\S]*connected/, 'the node connects again');
	await waitFor(
		async () => (await house.readings('pi', 'air', 'temperature')).at(-1).time > Date.now() - 1000,
		'it tells of now',
		20000,
	);
	const rows = await waitFor(
		async () => {
			const now = await house.readings('pi', 'air', 'temperature');

			return now.filter((row) => row.time > gone && row.time < back).length >= 2 && now;
		},
		'what the node measured without a broker is in the file',
		20000,
	);
	const times = rows.map((row) => row.time);
	const sent = heard.messages.flatMap((message) => [JSON.parse(message.text)].flat()).map((reading) => reading.time);

	assert.deepEqual(
		sent.filter((time) => time < times.at(-1) && !times.includes(time)),
		[],
		'what the bus heard is in the file',
	);
	assert.equal(new Set(times).size, times.length);
	await house.nodes.pi.stop();
	await heard.stop();
});

test('a node that reads its configuration again keeps what waits for its receipt', { deadline: 60000 }, async () => {
	const sim = { driver: 'sim', quantities: 'pressure', interval: '50ms' };

	await house.startNode('reloaded', { air: sim }, { node: { resend_after: '1s', health_interval: '1s' } });
	await house.stored('reloaded', 'air', 'pressure', 5);
	await house.broker.kill();
	await house.nodes.reloaded.logged(/lost the broker/);
	const gone = Date.now();
	await sleep(1000);
	house.nodes.reloaded.signal('SIGHUP');
	await house.nodes.reloaded.logged(/configuration read again/);
	const back = Date.now();
	await house.startBroker();
	await waitFor(
		async () =>
			(await house.readings('reloaded', 'air', 'pressure')).filter((row) => row.time > gone && row.time < back)
				.length >= 2,
		'what was measured before the reload is in the file',
		20000,
	);
	await house.nodes.reloaded.stop();
});
