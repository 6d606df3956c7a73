// When the world is at fault: no broker, no store, no room. Each daemon says so once, acknowledges nothing that it can't keep, and goes on when it is mended.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { House, freePort, isRoot, run, sleep, staysFalse, test, waitFor } from '../lib/house.mjs';

// A small file system of our own, that can be filled and turned read-only; only root may have one, and not in every container.
async function mountSmall(folder, size) {
	mkdirSync(folder, { recursive: true });
	return (await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'foyer-test', folder])).code === 0;
}

async function canMount() {
	const folder = mkdtempSync(join(tmpdir(), 'foyer-mount-'));
	const possible = isRoot && (await mountSmall(folder, '1m')) && (await run('umount', [folder])).code === 0;

	rmdirSync(folder);
	return possible;
}

const noMount = (await canMount()) ? false : 'a file system of our own needs root';
const sim = { air: { driver: 'sim', quantities: 'temperature', interval: '100ms' } };

// Each test has a house of its own.
async function withHouse(options, fn) {
	const house = new House(options);

	try {
		await fn(house);
	} catch (error) {
		house.failed = true;
		console.error(house.logs());
		throw error;
	} finally {
		await house.close();
	}
}

test('the broker is absent at start: each says so once and goes on when it comes', { deadline: 90000 }, () =>
	withHouse({}, async (house) => {
		house.port = await freePort();
		await house.startCollector({ ready: false });
		await house.startNode('salon', sim, { ready: false });
		await house.startWebd({ ready: false });
		const daemons = [house.collector, house.nodes.salon, house.webd];

		for (const part of daemons) await part.logged(/no broker at 127\.0\.0\.1/);
		await sleep(3000); // a few more tries
		for (const part of daemons) assert.equal(part.count(/no broker/), 1, part.log);
		assert.equal((await house.get('/')).status, 200, 'the page is there meanwhile');
		assert.match((await house.get('/healthz')).text, /./);
		const begun = Date.now();
		await house.startBroker();
		for (const part of daemons) await part.logged(/mqtt: connected/, `${part.name} connects`, 40000);
		await house.stored('salon', 'air', 'temperature', 20, 30000);
		// Perhaps later than the newer ones: where the node was sooner at the broker than the collector, it sends them again.
		await waitFor(
			async () => (await house.readings('salon', 'air', 'temperature'))[0].time < begun - 2000,
			'what was read meanwhile came too',
			60000,
		);
		await waitFor(async () => (await house.get('/')).text.includes('salon/air/temperature'), 'webd shows it');
	}),
);

// The store can't be used for a while: the readings wait in the broker, all of them.
async function brokenStore(house, breakIt, mendIt, complaint) {
	await house.startBroker();
	await house.startCollector({ set: ['store.commit_interval=0'] });
	await house.pub('salon/x/counter', '0');
	await house.stored('salon', 'x', 'counter', 1);
	const health = await house.listen('foyer/$collector/$health', 'foyer/salon/$stored');

	await breakIt(house);
	await house.pubLines(
		'salon/x/counter',
		Array.from({ length: 500 }, (_, i) => JSON.stringify({ value: i + 1, time: Date.now() - 600000 + i, seq: i + 1 })),
	);
	await house.collector.logged(complaint);
	await health.heard(
		(message) => message.topic.endsWith('$health') && JSON.parse(message.text).store === 'error',
		'the collector says that its store is broken',
	);
	await staysFalse(
		() => health.messages.some((message) => message.topic.endsWith('$stored')),
		'a receipt without a store',
		1000,
	);
	assert.equal(house.collector.count(/nothing is acknowledged/), 1, house.collector.log);
	await mendIt(house);
	await house.collector.logged(/can be used again/);
	const rows = await house.stored('salon', 'x', 'counter', 501, 30000);
	await house.settled();
	assert.deepEqual(
		rows.map((row) => row.value).sort((a, b) => a - b),
		Array.from({ length: 501 }, (_, i) => i),
	);
	await health.heard(
		(message) => message.topic.endsWith('$stored') && JSON.parse(message.text).seq.length > 0,
		'now receipts',
	);
}

test('the folder of the store is missing at start', { deadline: 60000 }, () =>
	withHouse({}, async (house) => {
		house.store = join(house.folder, 'missing', 'foyer.db');
		await house.startBroker();
		await house.startCollector();
		await house.collector.logged(/missing.*nothing is acknowledged/);
		await house.pubLines('salon/x/counter', ['1', '2', '3']);
		await sleep(300);
		mkdirSync(join(house.folder, 'missing'));
		await house.collector.logged(/can be used again/);
		const rows = await house.stored('salon', 'x', 'counter', 3);
		assert.deepEqual(
			rows.map((row) => row.value),
			[1, 2, 3],
		);
	}),
);

test('the store is no database', { deadline: 60000 }, () =>
	withHouse({}, async (house) => {
		writeFileSync(house.store, 'this is a letter, not a database\n'.repeat(100));
		await house.startBroker();
		await house.startCollector();
		await house.collector.logged(/nothing is acknowledged/);
		await house.pub('salon/x/counter', '7');
		rmSync(house.store);
		await house.stored('salon', 'x', 'counter', 1);
	}),
);

test('webd without a store: 503 at /healthz, pages say so, all is well once it is there', { deadline: 60000 }, () =>
	withHouse({}, async (house) => {
		await house.startBroker();
		await house.startWebd();
		const health = await house.get('/healthz');
		assert.equal(health.status, 503);
		assert.match(health.text, /foyer\.db/);
		assert.ok([200, 503].includes((await house.get('/')).status));
		assert.equal((await house.get('/api/v1/history?series=salon/x/counter')).status, 503);
		await house.startCollector();
		await house.pub('salon/x/counter', '7');
		await waitFor(async () => (await house.get('/healthz')).status === 200, 'webd finds the store');
		await waitFor(
			async () => (await house.get('/api/v1/history?series=salon/x/counter')).text.includes(',7]'),
			'and reads it',
		);
	}),
);

test('a full disk', { skip: noMount, deadline: 90000 }, () =>
	withHouse({}, async (house) => {
		const disk = join(house.folder, 'disk');
		const filler = join(disk, 'filler');

		assert.ok(await mountSmall(disk, '1m'));
		try {
			house.store = join(disk, 'foyer.db');
			await brokenStore(
				house,
				async () => {
					await run('sh', ['-c', `cat /dev/zero > '${filler}'`]);
				},
				() => rmSync(filler),
				/(full|no space|No space)[\s\S]*nothing is acknowledged/,
			);
		} finally {
			await house.collector?.stop();
			await run('umount', ['-l', disk]);
		}
	}),
);

test('a store that becomes read-only', { skip: noMount, deadline: 90000 }, () =>
	withHouse({}, async (house) => {
		const disk = join(house.folder, 'disk');

		assert.ok(await mountSmall(disk, '16m'));
		try {
			house.store = join(disk, 'foyer.db');
			await house.startBroker();
			await run('mount', ['-o', 'remount,ro', disk]);
			await house.startCollector();
			await house.collector.logged(/nothing is acknowledged/);
			await house.pubLines('salon/x/counter', ['1', '2', '3']);
			await sleep(300);
			await run('mount', ['-o', 'remount,rw', disk]);
			await house.collector.logged(/can be used again/);
			assert.deepEqual(
				(await house.stored('salon', 'x', 'counter', 3)).map((row) => row.value),
				[1, 2, 3],
			);
		} finally {
			await house.collector?.stop();
			await run('umount', ['-l', disk]);
		}
	}),
);

test('a folder that may not be written', { skip: isRoot && 'root may write everywhere', deadline: 60000 }, () =>
	withHouse({}, async (house) => {
		const folder = join(house.folder, 'closed');

		mkdirSync(folder, { mode: 0o500 });
		house.store = join(folder, 'foyer.db');
		await house.startBroker();
		await house.startCollector();
		await house.collector.logged(/nothing is acknowledged/);
		await house.pub('salon/x/counter', '7');
		chmodSync(folder, 0o700);
		await house.stored('salon', 'x', 'counter', 1);
	}),
);

test('a locked store: a second collector on the same file is told so, and the first goes on', { deadline: 60000 }, () =>
	withHouse({}, async (house) => {
		await house.startBroker();
		await house.startCollector();
		const first = house.collector;
		await house.pub('salon/x/counter', '1');
		await house.stored('salon', 'x', 'counter', 1);
		const other = await house.startCollector({ set: ['mqtt.client_id=second'] });
		house.collector = first;
		await other.logged(/(locked|another|writer|in use)[\s\S]*nothing is acknowledged/);
		await house.pub('salon/x/counter', '2');
		assert.deepEqual(
			(await house.stored('salon', 'x', 'counter', 2)).map((row) => row.value),
			[1, 2],
		);
		await other.stop();
	}),
);

test('a store that is moved away under webd and comes back', { deadline: 60000 }, () =>
	withHouse({}, async (house) => {
		await house.startBroker();
		await house.startCollector();
		await house.pub('salon/x/counter', '1');
		await house.stored('salon', 'x', 'counter', 1);
		await house.collector.stop();
		await house.startWebd();
		// The collector is away, and told to be; what is asked for here is the store.
		const storeFault = async () => /^store: .*/m.exec((await house.get('/healthz')).text)?.[0];
		await waitFor(async () => !(await storeFault()), 'the store is read');
		await house.webd.stop();
		renameSync(house.store, `${house.store}.away`);
		await house.startWebd();
		assert.ok(await storeFault());
		renameSync(`${house.store}.away`, house.store);
		await waitFor(async () => !(await storeFault()), 'the store is read again');
	}),
);
