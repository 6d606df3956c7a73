// A simulated past, told through the real path: node-agent, broker, collector, store.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { House, test, waitFor } from '../lib/house.mjs';

const DAY = 86400000;
const house = new House({ broker: ['max_inflight_messages 1000'] });

await house.startBroker();
await house.startCollector();
await house.startWebd();
after(() => house.close());

test('a week of three quantities is told in seconds, each reading once, and the present follows', { deadline: 90000 }, async () => {
	const begin = Date.now();

	await house.startNode(
		'salon',
		{
			air: { driver: 'sim', quantities: 'temperature humidity', interval: '5m' },
			door: {
				driver: 'sim',
				quantities: 'contact',
				'contact.every': '2h',
				'contact.hold': '20m',
				interval: '5m',
			},
			quick: { driver: 'sim', quantities: 'pressure', interval: '500ms' },
		},
		{ node: { back_fill: '7d', outbox: '100000' }, set: ['device quick.interval=10m'] },
	);
	const slots = (7 * DAY) / 300000;
	const rows = await house.stored('salon', 'air', 'temperature', slots - 1, 80000);

	await house.stored('salon', 'air', 'humidity', slots - 1, 80000);
	await house.stored('salon', 'quick', 'pressure', slots / 2 - 1, 80000);
	await waitFor(async () => (await house.nodes.salon.count(/history: 100 %/)) === 1, 'all is told');
	assert.ok(rows[0].time >= begin - 7 * DAY && rows[0].time < begin - 7 * DAY + 600000);
	assert.ok(
		rows.slice(1).every((row, i) => row.time - rows[i].time === 300000 || row.time > begin),
		'no hole',
	);
	assert.deepEqual(await house.rows('SELECT * FROM rejected'), []);
	const daily = Array.from({ length: 24 }, (_, hour) => {
		const values = rows.filter((row) => new Date(row.time).getUTCHours() === hour).map((row) => row.value);
		return values.reduce((sum, value) => sum + value, 0) / values.length;
	});
	assert.ok(daily.indexOf(Math.max(...daily)) >= 12 && daily.indexOf(Math.max(...daily)) <= 18, 'warmest in the afternoon');
});

test('charts of a week read rollups, and they agree with the raw rows', { deadline: 60000 }, async () => {
	const to = Date.now();
	const path = `/api/v1/history?series=salon/air/temperature&from=${to - 7 * DAY}&to=${to}&points=200`;
	const series = await waitFor(async () => {
		const reply = await house.json(path);
		return reply.series[0].points.length > 100 && reply.series[0];
	}, 'points');
	const rows = await house.readings('salon', 'air', 'temperature');
	const checked = series.points.filter(([time, mean]) => mean !== null && time > to - 6 * DAY && time < to - DAY);

	assert.ok(series.resolution >= 300000 && checked.length > 50);
	for (const [time, mean, min, max] of checked) {
		const values = rows
			.filter((row) => row.time >= time && row.time < time + series.resolution)
			.map((row) => row.value);
		// Five minutes that lie across the border belong to one of the two points.
		const wider = rows
			.filter((row) => row.time >= time - 300000 && row.time < time + series.resolution + 300000)
			.map((row) => row.value);
		const told = `${time}: ${mean}, ${min} to ${max}; rows: ${values}`;

		assert.ok(Math.abs(mean - values.reduce((sum, value) => sum + value, 0) / values.length) < 0.1, told);
		assert.ok(
			wider.includes(min) &&
				wider.includes(max) &&
				min <= Math.min(...values.slice(1, -1)) &&
				max >= Math.max(...values.slice(1, -1)),
			told,
		);
	}
});

test('told again after a crash of the node, nothing doubles', { deadline: 90000 }, async () => {
	const before = (await house.readings('salon', 'air', 'temperature')).length;

	await house.nodes.salon.kill();
	await house.startNodeFile('salon', `${house.folder}/salon.conf`, {
		set: ['node.back_fill=1d', 'device quick.interval=10m'],
	});
	await house.nodes.salon.logged(/history: 100 %/, undefined, 60000);
	await house.settled();
	const rows = await house.readings('salon', 'air', 'temperature');

	assert.ok(rows.length - before <= 3, `${rows.length - before} more`);
	assert.equal(new Set(rows.map((row) => row.time)).size, rows.length);
	assert.deepEqual(await house.rows('SELECT * FROM rejected'), []);
});
