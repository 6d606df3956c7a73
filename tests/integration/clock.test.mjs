// Right time: what a node measures before it knows the time gets it later; a clock that is set wrong or right disturbs nothing (DESIGN 3.4).
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { House, staysFalse, test, waitFor } from '../lib/house.mjs';
import { eachOnce, lastHealth, made } from '../lib/made.mjs';

const HOUR = 3600000;
const DAY = 24 * HOUR;
const NEAR = 1000; // two clocks, read one after the other on a loaded machine
const house = new House();

await house.startBroker();
await house.startCollector();
after(() => house.close());

// What a node takes for its machine's clock (common/clock.h).
class Clock {
	constructor(name) {
		this.file = join(house.folder, `clock-${name}`);
	}

	set(words) {
		writeFileSync(`${this.file}.new`, words);
		renameSync(`${this.file}.new`, this.file);
	}
}

// When the machine started, by its own clock: added to a moment of the boot clock it gives the true time.
const began = () => Date.now() - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;

function start(name, clock, { quantities = 'temperature humidity', interval = '20ms', node = {} } = {}) {
	return house.startNode(
		name,
		{ air: { driver: 'sim', quantities, interval } },
		{
			node: { clock_wait: '30d', health_interval: '1s', resend_after: '2s', spill_after: '1s', ...node },
			set: ['log.level=debug'],
			env: { FOYER_CLOCK_FILE: clock.file },
		},
	);
}

const again = (name, clock) =>
	house.startNodeFile(name, `${house.folder}/${name}.conf`, { set: ['log.level=debug'], env: { FOYER_CLOCK_FILE: clock.file } });

// Every reading of the list is in the store at its true time, told by the boot clock.
async function atTrueTime(node, list) {
	const begin = began();

	for (const quantity of new Set(list.map((reading) => reading.quantity))) {
		const own = list.filter((reading) => reading.quantity === quantity);
		const rows = await house.stored(node, 'air', quantity, own.length, 40000);

		for (const [index, reading] of own.entries()) {
			assert.equal(rows[index].value, reading.value);
			assert.ok(
				Math.abs(rows[index].time - (begin + reading.boot)) < NEAR,
				`${quantity} ${index} is ${rows[index].time - (begin + reading.boot)} ms off`,
			);
		}
	}
}

test('a start without a clock: readings are held, and stored at their own time when it is known', { deadline: 60000 }, async () => {
	const clock = new Clock('cold');
	const heard = await house.listen('foyer/cold/air/+');

	clock.set(`offset=${-200 * DAY} synced=no`);
	await start('cold', clock);
	const health = await lastHealth(house, 'cold');
	await house.nodes.cold.logged(/the clock is not synchronised: readings are stamped by boot time/);
	await waitFor(() => health().clock === 'waiting' && health().outbox > 100 && health().spilled > 0, '$health tells it', 30000);
	assert.deepEqual(heard.messages, [], 'nobody hears of them yet');
	const held = made(house.nodes.cold.log).slice(0, 100);
	clock.set('synced=yes');
	await waitFor(() => health().clock === 'synced', '$health tells it');
	await waitFor(() => heard.messages.some(({ retain, text }) => !retain && text[0] === '{'), 'live readings are heard');
	await atTrueTime('cold', held);
	await waitFor(() => health().spilled === 0 && health().outbox < 100, 'nothing waits any more', 30000);
	const now = await house.readings('cold', 'air', 'temperature');
	assert.ok(now.at(-1).time - now[0].time < 60000, 'no jump');
	await house.nodes.cold.stop();
	await heard.stop();
});

test('held readings outlive a restart of the agent, and a kill -9 once they are on disk', { deadline: 60000 }, async () => {
	const clock = new Clock('held');

	clock.set(`offset=${-DAY} synced=no`);
	await start('held', clock, { quantities: 'pressure' });
	await waitFor(() => made(house.nodes.held.log).length > 30, 'some are held');
	assert.equal((await house.nodes.held.stop()).code, 0);
	const first = made(house.nodes.held.log);
	await again('held', clock);
	const health = await lastHealth(house, 'held');
	await waitFor(() => health().spilled > first.length + 30, 'more are on disk', 30000);
	const before = made(house.nodes.held.log).slice(0, 30);
	await house.nodes.held.kill();
	clock.set(`offset=${-2 * DAY} synced=no`);
	await again('held', clock);
	await waitFor(() => made(house.nodes.held.log).length > 10, 'it measures again');
	clock.set('synced=yes');
	await atTrueTime('held', [...first, ...before]);
	await house.nodes.held.stop();
});

test('a boot whose clock was never known: an estimate, counted and told', { deadline: 60000 }, async () => {
	const clock = new Clock('lost');

	clock.set(`offset=${-DAY} synced=no boot=first`);
	await start('lost', clock, { quantities: 'co2' });
	await waitFor(() => made(house.nodes.lost.log).length > 30, 'some are held');
	await house.nodes.lost.stop();
	const first = made(house.nodes.lost.log);
	clock.set('synced=yes boot=second');
	const boot = began();
	await again('lost', clock);
	const health = await lastHealth(house, 'lost');
	await house.nodes.lost.logged(new RegExp(`${first.length} readings are of an earlier boot whose clock was never right`));
	await waitFor(() => health().estimated === first.length, '$health tells it');
	const rows = (await house.stored('lost', 'air', 'co2', first.length, 30000)).slice(0, first.length);
	assert.deepEqual(
		rows.map(({ value }) => value),
		first.map(({ value }) => value),
	);
	for (const [index, { time }] of rows.entries())
		assert.ok(Math.abs(time - rows[0].time - (first[index].boot - first[0].boot)) < NEAR, 'as far from each other as they were');
	assert.ok(Math.abs(rows.at(-1).time - boot) < NEAR, 'the last of them right before this boot');
	await house.nodes.lost.stop();
});

test('a synchronised clock is set an hour forth and back: no interval changes, no time comes twice', { deadline: 90000 }, async () => {
	const clock = new Clock('stepped');

	clock.set('synced=yes');
	await start('stepped', clock, { quantities: 'temperature humidity pressure', interval: '10ms' });
	for (const offset of [HOUR, 0, -HOUR, 0, 700, 0, -300, 0]) {
		const count = made(house.nodes.stepped.log).length;

		await waitFor(() => made(house.nodes.stepped.log).length > count + 60, 'it measures on');
		clock.set(`offset=${offset} synced=yes`);
	}
	await house.nodes.stepped.stop();
	const list = made(house.nodes.stepped.log);
	await again('stepped', clock);
	await eachOnce(house, 'stepped', list);
	const boots = list.filter(({ quantity }) => quantity === 'pressure').map(({ boot }) => boot);
	assert.ok(boots.every((boot, index) => index === 0 || boot - boots[index - 1] < 20000), 'no pause');
	const rows = (
		await Promise.all(['temperature', 'humidity', 'pressure'].map((quantity) => house.readings('stepped', 'air', quantity)))
	).flat();
	const now = Date.now();
	assert.ok(rows.some(({ time }) => time > now + HOUR / 2) && rows.some(({ time }) => time < now - HOUR / 2), 'it was believed');
	assert.deepEqual(await house.rows("SELECT * FROM rejected WHERE topic LIKE '%/stepped/%'"), []);
	await house.nodes.stepped.stop();
});

test('a clock that is set wrong without being synchronised is not believed', { deadline: 60000 }, async () => {
	const clock = new Clock('doubted');

	clock.set('synced=yes');
	await start('doubted', clock, { quantities: 'voltage' });
	const log = () => made(house.nodes.doubted.log);
	await waitFor(() => log().length > 20, 'it measures');
	clock.set(`offset=${5 * HOUR} synced=no`);
	await house.nodes.doubted.logged(/the clock was set by \d+ s without being synchronised/);
	await waitFor(() => log().at(-1).time < Date.now() + HOUR && log().length > 60, 'it measures on', 30000);
	clock.set('synced=yes');
	const count = log().length;
	await waitFor(() => log().length > count + 20, 'and on');
	await atTrueTime('doubted', log());
	await eachOnce(house, 'doubted', log());
	await house.nodes.doubted.stop();
});

test('without a time server the clock is believed after a while, when it can be right', { deadline: 60000 }, async () => {
	const clock = new Clock('alone');

	clock.set(`offset=${-Date.now()} synced=no`); // 1970
	await start('alone', clock, { quantities: 'current', node: { clock_wait: '1ms' } });
	const health = await lastHealth(house, 'alone');
	await house.nodes.alone.logged(/the clock shows a time before 2025: readings wait until it is set/);
	await waitFor(() => health().clock === 'waiting', '$health tells it');
	await staysFalse(async () => (await house.readings('alone', 'air', 'current')).length > 0, 'stored at a time of 1970', 300);
	clock.set('synced=no');
	await waitFor(() => health().clock === 'unsynced', 'believed, and $health tells that it is not synchronised');
	await atTrueTime('alone', made(house.nodes.alone.log).slice(0, 20));
	await house.nodes.alone.stop();
});
