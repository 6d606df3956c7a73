// What a node keeps while nobody takes it: in memory, on disk, over kills and restarts, each reading once and at its own time (DESIGN 3.2).
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { House, isRoot, run, test, waitFor } from '../lib/house.mjs';
import { eachOnce, lastHealth, made } from '../lib/made.mjs';

const house = new House();
const TIGHT = { outbox: '1000', spill_after: '1s', resend_after: '2s', health_interval: '1s' };
const state = (name, file = '') => join(house.folder, `state-${name}`, file);
const quick = (quantities = 'temperature humidity') => ({ air: { driver: 'sim', quantities, interval: '10ms' } });
const debug = ['log.level=debug'];

await house.startBroker();
after(() => house.close());

const start = (name, devices = quick(), node = {}) => house.startNode(name, devices, { node: { ...TIGHT, ...node }, set: debug });
const again = (name, options = {}) => house.startNodeFile(name, `${house.folder}/${name}.conf`, { set: debug, ...options });

test('a node that is older than its collector: what the broker took before is stored', { deadline: 60000 }, async () => {
	await start('early', quick('pressure'));
	const health = await lastHealth(house, 'early');
	await waitFor(() => made(house.nodes.early.log).length >= 50 && health().outbox === 0, 'the broker has them');
	const before = made(house.nodes.early.log);
	await house.startCollector();
	await eachOnce(house, 'early', before);
	assert.ok(existsSync(state('early', 'collector')), 'it is remembered');
	await house.nodes.early.stop();
});

test('a collector that is away for long, with little memory: each reading is stored once', { deadline: 90000 }, async () => {
	await start('long', quick('temperature humidity pressure co2'));
	const health = await lastHealth(house, 'long');
	await house.stored('long', 'air', 'temperature', 5);
	await house.collector.stop();
	await waitFor(() => health().spilled > 3000, 'three times its memory is on disk', 60000);
	const given = health();
	assert.equal(given.given_up, 0);
	assert.ok(given.oldest > 0 && given.outbox >= given.spilled);
	await house.startCollector();
	await eachOnce(house, 'long', made(house.nodes.long.log));
	await waitFor(() => health().spilled === 0, 'nothing is left on disk', 30000);
	await waitFor(() => !existsSync(state('long', 'outbox.db')), 'the file is gone');
	await house.nodes.long.stop();
});

test('while the collector is away nothing is sent twice; the broker keeps it', { deadline: 60000 }, async () => {
	const slow = { air: { driver: 'sim', quantities: 'voltage', interval: '200ms' } };

	await start('once', slow, { resend_after: '1s', spill_after: '1h' });
	await house.stored('once', 'air', 'voltage', 3);
	await house.collector.stop();
	const heard = await house.listen('foyer/once/air/voltage');
	const numbers = () =>
		heard.messages
			.filter(({ retain }) => !retain)
			.flatMap(({ text }) => [JSON.parse(text)].flat())
			.map(({ seq }) => seq);
	await waitFor(() => numbers().length > 20, 'four times the time after which it would be sent again', 30000);
	assert.equal(new Set(numbers()).size, numbers().length);
	await house.startCollector();
	await eachOnce(house, 'once', made(house.nodes.once.log));
	await house.nodes.once.stop();
	await heard.stop();
});

test('kill -9 after a spill: what was on disk is stored, under the number it had', { deadline: 90000 }, async () => {
	const heard = await house.listen('foyer/killed/air/+');

	await start('killed');
	const health = await lastHealth(house, 'killed');
	await house.stored('killed', 'air', 'temperature', 5);
	await house.collector.stop();
	await waitFor(() => health().spilled > 100, 'readings are on disk', 30000);
	await house.nodes.killed.kill();
	const first = made(house.nodes.killed.log);
	const kept = await house.sql('SELECT seq, time FROM reading', state('killed', 'outbox.db'));
	assert.ok(kept.length > 100);
	await again('killed');
	await waitFor(() => made(house.nodes.killed.log).length > 50, 'it measures again');
	await house.startCollector();
	await eachOnce(house, 'killed', made(house.nodes.killed.log));
	const rows = [...(await house.readings('killed', 'air', 'temperature')), ...(await house.readings('killed', 'air', 'humidity'))];
	const times = new Set(rows.map(({ time }) => time));
	assert.deepEqual(kept.filter(({ time }) => !times.has(time)), [], 'kept and lost');
	assert.ok(rows.length <= first.length + made(house.nodes.killed.log).length);
	const identity = new Map();
	for (const { topic, text } of heard.messages)
		for (const { seq, time } of [JSON.parse(text)].flat()) {
			const known = identity.get(seq);

			assert.ok(!known || known === `${topic} ${time}`, `${seq} was ${known}, and is ${topic} ${time}`);
			identity.set(seq, `${topic} ${time}`);
		}
	await house.nodes.killed.stop();
	await heard.stop();
});

test('a clean stop without a broker keeps all, under a new name too', { deadline: 90000 }, async () => {
	await start('old', quick('co2'));
	await house.stored('old', 'air', 'co2', 5);
	await house.broker.stop();
	await house.nodes.old.logged(/lost the broker/);
	const gone = made(house.nodes.old.log).length;
	await waitFor(() => made(house.nodes.old.log).length > gone + 50, 'it measures on');
	const { code, ms } = await house.nodes.old.stop();
	assert.equal(code, 0);
	assert.ok(ms < 2000, `${ms} ms`);
	const before = made(house.nodes.old.log);
	assert.ok(existsSync(state('old', 'outbox.db')));
	await house.startBroker();
	await again('old', { set: [...debug, 'node.name=renamed'], ready: false });
	const stored = async () => [...(await house.readings('old', 'air', 'co2')), ...(await house.readings('renamed', 'air', 'co2'))];
	await waitFor(async () => {
		const times = new Set((await stored()).map(({ time }) => time));
		return before.every(({ time }) => times.has(time));
	}, 'all that was measured before is stored', 30000);
	await waitFor(() => !existsSync(state('old', 'outbox.db')), 'the file is gone', 30000);
	await house.nodes.old.stop();
});

test('a damaged file is set aside, and done without', { deadline: 60000 }, async () => {
	const rubbish = Buffer.alloc(5000, 'no database ');

	mkdirSync(state('damaged'), { recursive: true });
	writeFileSync(state('damaged', 'outbox.db'), rubbish);
	await start('damaged', quick('illuminance'));
	await house.nodes.damaged.logged(/the file is damaged: it is set aside as .*outbox\.db\.damaged-1/);
	assert.deepEqual(readFileSync(state('damaged', 'outbox.db.damaged-1')), rubbish);
	await house.stored('damaged', 'air', 'illuminance', 5);
	const { code } = await house.nodes.damaged.stop();
	assert.equal(code, 0);
});

test('two agents in one folder: the second says so and leaves', { deadline: 60000 }, async () => {
	await start('pair', quick('volume'));
	const second = await again('pair', { ready: false });
	const { code } = await second.closed;
	second.expected = true;
	assert.equal(code, 1);
	assert.match(second.log, /another node-agent uses this folder/);
});

test('a disk that is full: told, done without, used again when there is room', { skip: !isRoot, deadline: 90000 }, async (t) => {
	const folder = state('full');

	mkdirSync(folder, { recursive: true });
	if ((await run('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', folder])).code !== 0) return t.skip('no tmpfs here');
	try {
		await start('full', quick('power'));
		const health = await lastHealth(house, 'full');
		await house.stored('full', 'air', 'power', 5);
		writeFileSync(join(folder, 'ballast'), '');
		for (let size = 65536; size >= 512; ) {
			try {
				writeFileSync(join(folder, 'ballast'), Buffer.alloc(size), { flag: 'a' });
			} catch {
				size /= 2;
			}
		}
		await house.collector.stop();
		await house.nodes.full.logged(/no space left: readings wait in memory alone/, undefined, 30000);
		await waitFor(() => health().outbox_error?.includes('no space left'), 'it is told in $health');
		rmSync(join(folder, 'ballast'));
		await house.nodes.full.logged(/can be used again/, undefined, 60000);
		await waitFor(() => health().spilled > 0 && !health().outbox_error, 'they go to disk');
		const known = made(house.nodes.full.log);
		await house.startCollector();
		await eachOnce(house, 'full', known.slice(-health().outbox));
		assert.equal((await house.nodes.full.stop()).code, 0);
	} finally {
		if (house.nodes.full?.alive) await house.nodes.full.kill();
		await run('umount', ['-l', folder]);
	}
});

test('a file that may not grow: the oldest are given up, and counted', { deadline: 90000 }, async () => {
	await start('bounded', quick('temperature humidity pressure'), { outbox_disk: '64k' });
	const health = await lastHealth(house, 'bounded');
	await house.stored('bounded', 'air', 'pressure', 3);
	await house.collector.stop();
	await house.nodes.bounded.logged(/the outbox is full: the oldest readings are given up/, undefined, 60000);
	await waitFor(() => health().given_up > 0, 'it is told in $health');
	assert.ok(readdirSync(state('bounded')).includes('outbox.db'));
	await house.startCollector();
	await house.nodes.bounded.logged(/the outbox has room again; \d+ readings were given up/, undefined, 60000);
	const all = made(house.nodes.bounded.log);
	await waitFor(() => health().outbox < 200, 'few wait', 30000);
	const rows = (
		await Promise.all(['temperature', 'humidity', 'pressure'].map((quantity) => house.readings('bounded', 'air', quantity)))
	).flat();
	const given = Number(/again; (\d+) readings/.exec(house.nodes.bounded.log)[1]);
	// What the broker kept for the collector was given up by the node, and is stored all the same.
	assert.ok(rows.length >= all.length - given - 1000 && rows.length <= made(house.nodes.bounded.log).length);
	await house.nodes.bounded.stop();
});
