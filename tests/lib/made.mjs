// What a node's sensors made, by its own log at level debug, against what is in the store.
import assert from 'node:assert/strict';
import { waitFor } from './wait.mjs';

const MADE = /made (\S+) (\S+) at (-?\d+) \(boot (\d+)\)/g;

// { device, quantity, value, time, boot } of each reading, in order.
export const made = (log) =>
	[...log.matchAll(MADE)].map(([, series, value, time, boot]) => {
		const [, device, quantity] = series.split('/');

		return { device, quantity, value: Number(value), time: Number(time), boot: Number(boot) };
	});

// All of `readings` (made by a node) come to the store, each once, with their values, and nothing was refused.
export async function eachOnce(house, node, readings, ms = 60000) {
	const groups = new Map();

	for (const reading of readings) {
		const key = `${reading.device} ${reading.quantity}`;

		groups.set(key, [...(groups.get(key) ?? []), reading]);
	}
	for (const [key, list] of groups) {
		const stored = async () => new Map((await house.readings(node, ...key.split(' '))).map(({ time, value }) => [time, value]));
		let rows;

		await waitFor(
			async () => {
				rows = await stored();
				return list.every(({ time }) => rows.has(time));
			},
			`all ${list.length} readings of ${node} ${key} are stored`,
			ms,
		).catch((error) => {
			const missing = list.filter(({ time }) => !rows.has(time));

			throw new Error(`${error.message}: ${missing.length} are not, the first ${JSON.stringify(missing.slice(0, 3))}`);
		});
		assert.equal(new Set(list.map(({ time }) => time)).size, list.length, 'no two at one time');
		for (const { time, value } of list) assert.equal(rows.get(time), value);
		const [first, last] = [list[0].time, list.at(-1).time];
		const known = new Set(list.map(({ time }) => time));

		assert.deepEqual(
			[...rows.keys()].filter((time) => time > first && time < last && !known.has(time)),
			[],
			'nothing that was not made',
		);
	}
	assert.deepEqual(await house.rows(`SELECT * FROM rejected WHERE topic LIKE '%/${node}/%'`), []);
}

// A function that gives the node's newest $health, {} before there is any.
export async function lastHealth(house, node) {
	const heard = await house.listen(`${house.base}/${node}/$health`);

	return () => JSON.parse(heard.messages.at(-1)?.text ?? '{}');
}
