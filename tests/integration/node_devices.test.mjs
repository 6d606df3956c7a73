// Sensors at fault, by the kernel's small files (FOYER_ROOT): one that hangs, one that comes later, rubbish; what $health says of each, what others
// notice of it (nothing), and a reload, of which an output notices nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { House, ini, prefixed, test, waitFor } from '../lib/house.mjs';

const house = new House();
const kernel = (path) => join(house.folder, 'root', path);
const file = join(house.folder, 'salon.conf');

// Whole, as a file of the kernel is.
function put(path, text) {
	mkdirSync(dirname(kernel(path)), { recursive: true });
	writeFileSync(`${kernel(path)}.new`, text);
	renameSync(`${kernel(path)}.new`, kernel(path));
}

const boiler = 'sys/bus/w1/devices/28-000000000001/temperature';
const pool = 'sys/bus/w1/devices/28-000000000002/temperature';
const zone = 'sys/class/thermal-of-the-test';
const light = 'sys/class/leds/ACT/brightness';
const devices = {
	boiler: { driver: 'ds18b20', id: '28-000000000001', interval: '100ms' },
	pool: { driver: 'ds18b20', id: '28-000000000002', interval: '100ms' },
	fan: { driver: 'hwmon', device: 'pwmfan', channels: 'fan1:speed temp1', interval: '100ms' },
	stove: { driver: 'thermal', path: kernel(zone), interval: '100ms' },
	lamp: { driver: 'led', led: 'ACT' },
	tap: { driver: 'led', led: 'TAP' },
};

// A folder comes whole, too.
function plugPool(text) {
	put(`${dirname(pool)}.new/temperature`, text);
	renameSync(kernel(`${dirname(pool)}.new`), kernel(dirname(pool)));
}

function configure(further = {}) {
	writeFileSync(file, ini({ node: { name: 'salon' }, ...prefixed('device', { ...devices, ...further }) }));
}

put('sys/bus/w1/devices/w1_bus_master1/name', 'w1_bus_master1\n');
put(boiler, '21500\n');
put('sys/class/hwmon/hwmon0/name', 'pwmfan\n');
put('sys/class/hwmon/hwmon0/fan1_input', '900\n');
put('sys/class/hwmon/hwmon0/temp1_input', '40000\n');
put(zone, '60000\n');
for (const led of ['ACT', 'TAP']) {
	put(`sys/class/leds/${led}/brightness`, '0\n');
	put(`sys/class/leds/${led}/max_brightness`, '1\n');
	put(`sys/class/leds/${led}/trigger`, 'none [mmc0] timer\n');
}
configure();
await house.startBroker();
const bus = await house.listen('foyer/salon/#');
await house.startNodeFile('salon', file, { env: { FOYER_ROOT: join(house.folder, 'root') } });
const node = house.nodes.salon;
after(() => house.close());

// What comes from now on, or since a message.
function since(from = bus.messages.length) {
	const find = (fits, what, ms) => waitFor(() => bus.messages.slice(from).find(fits), what, ms);

	return {
		reading: (series, value) =>
			find(
				({ topic, text }) =>
					topic === `foyer/salon/${series}` &&
					[JSON.parse(text)].flat().some((reading) => value === undefined || reading.value === value),
				`${series} = ${value ?? 'anything'}`,
			),
		health: async (device, fits, ms) => {
			const of = (message) => JSON.parse(message.text).devices[device];

			return of(
				await find(
					(message) => message.topic === 'foyer/salon/$health' && of(message) && fits(of(message)),
					`$health of ${device}`,
					ms,
				),
			);
		},
		result: (id) =>
			find(({ topic, text }) => topic.endsWith('/result') && JSON.parse(text).id === id, `the result of ${id}`).then(
				({ text }) => JSON.parse(text),
			),
	};
}

// Instead of the stove's file one that opens, and then says nothing. Returns where to write what it is to say.
function hang() {
	execFileSync('mkfifo', [`${kernel(zone)}.fifo`]);
	const fifo = openSync(`${kernel(zone)}.fifo`, 'r+');

	renameSync(`${kernel(zone)}.fifo`, kernel(zone));
	return fifo;
}

// Whether the node has it open, which is to say: waits for it.
const hangs = () =>
	readdirSync(`/proc/${node.pid}/fd`).some((fd) => {
		try {
			return readlinkSync(`/proc/${node.pid}/fd/${fd}`) === kernel(zone);
		} catch {
			return false; // closed just now
		}
	});

const told = (pattern) => node.log.split('\n').filter((line) => pattern.test(line)).length;

test('what is absent at the start is at fault with all its series, and is read as soon as it is plugged in', async () => {
	const now = since(0);
	const state = await now.health('pool', (device) => !device.ok);

	assert.equal(state.error, '28-000000000002 is not on the 1-wire bus');
	assert.deepEqual(state.silent, ['temperature']);
	assert.ok(Math.abs(Date.now() - state.since) < 120000);
	await now.reading('boiler/temperature', 21.5);
	plugPool('19000\n');
	await now.reading('pool/temperature', 19);
	await now.health('pool', (device) => device.ok && device.error === undefined);
	assert.equal(told(/pool: .*not on the 1-wire bus/), 1);
	assert.equal(told(/pool: answers again/), 1);
});

test('one that is pulled out is told once, however often it is tried; the other on its bus goes on', async () => {
	const gone = since();

	rmSync(dirname(kernel(pool)), { recursive: true });
	await gone.health('pool', (device) => !device.ok && device.silent.includes('temperature'));
	put(boiler, '22000\n');
	await gone.reading('boiler/temperature', 22);
	const back = since();

	plugPool('18000\n');
	await back.reading('pool/temperature', 18);
	assert.equal(told(/pool: .*gone from the 1-wire bus, trying again/), 1);
	assert.equal(told(/pool: answers again/), 2);
});

test('rubbish becomes no reading, and is a fault until it makes sense again', async () => {
	const now = since();

	await now.reading('fan/temperature', 40);
	put('sys/class/hwmon/hwmon0/temp1_input', '?\n');
	assert.equal(
		(await now.health('fan', (device) => !device.ok)).error,
		'the kernel gave no number for temp1',
	);
	put('sys/class/hwmon/hwmon0/temp1_input', '41000\n');
	await now.reading('fan/temperature', 41);
	await now.health('fan', (device) => device.ok);
	put('sys/class/hwmon/hwmon0/temp1_input', '2000000\n');
	const impossible = await now.health('fan', (device) => !device.ok && device.silent.length === 1);

	assert.match(impossible.error, /^temperature: 2000 is over/);
	assert.deepEqual(impossible.silent, ['temperature']); // its fan turns
	const again = since();

	put('sys/class/hwmon/hwmon0/temp1_input', '42000\n');
	await again.health('fan', (device) => device.ok);
});

test('one that hangs is told; others are read, commands obeyed, and it is well when it answers', { deadline: 120000 }, async () => {
	const now = since();

	await now.reading('stove/temperature', 60);
	const fifo = hang();
	const state = await now.health('stove', (device) => !device.ok, 90000);

	assert.match(state.error, /^no answer for \d+ s$/);
	assert.deepEqual(state.silent, ['temperature']);
	const meanwhile = since();

	await meanwhile.reading('boiler/temperature');
	await meanwhile.reading('fan/temperature');
	await house.pub('salon/lamp/switch/set', '{"value":1,"id":"meanwhile"}');
	assert.equal((await meanwhile.result('meanwhile')).value, 1);
	const again = since();

	put(zone, '61000\n'); // for the next turn
	writeSync(fifo, '60500\n');
	closeSync(fifo);
	await again.reading('stove/temperature', 61);
	await again.health('stove', (device) => device.ok);
	assert.equal(told(/stove: no answer for/), 1);
});

test('an output notices nothing of a reload, and what came with it works', async () => {
	const before = since();

	await house.pub('salon/lamp/switch/set', '{"value":1,"id":"on"}');
	await before.result('on');
	const written = statSync(kernel(light), { bigint: true }).mtimeNs;
	const now = since();

	put('sys/class/leds/NEW/brightness', '0\n');
	put('sys/class/leds/NEW/max_brightness', '1\n');
	delete devices.tap;
	configure({ hall: { driver: 'led', led: 'NEW' } });
	node.signal('SIGHUP');
	await node.logged(/configuration read again/);
	await waitFor(() => /\[?mmc0/.test(readFileSync(kernel('sys/class/leds/TAP/trigger'), 'utf8')), 'the one that went lets go');
	await house.pub('salon/hall/switch/set', '{"value":1,"id":"hall"}');
	assert.equal((await now.result('hall')).ok, true);
	await now.reading('boiler/temperature');
	assert.equal(statSync(kernel(light), { bigint: true }).mtimeNs, written, 'the lamp was set again');
	assert.equal(readFileSync(kernel('sys/class/leds/ACT/trigger'), 'utf8').trim(), 'none');
	assert.equal(readFileSync(kernel(light), 'utf8').trim(), '1');
});

test('one that hangs does not hold up the end', async () => {
	hang();
	await waitFor(hangs, 'the node waits for the file');
	const left = await node.stop('SIGTERM', 30000);

	assert.equal(left.code, 0);
});
