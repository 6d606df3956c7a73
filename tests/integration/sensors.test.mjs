// Sensors that need no chip, by the real agent: a program's output, a thermometer that the kernel's folder shows (played by files) and that
// is pulled out and put back, a camera's stream and its hooks.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { House, test, waitFor } from '../lib/house.mjs';

const house = new House();
const thermometer = join(house.folder, 'root/sys/bus/w1/devices/28-00000a1b2c3d');
const events = join(house.folder, 'porch');
const script = join(house.folder, 'stove');

// At once, as a file of the kernel changes: nobody reads half of it.
function put(path, text, mode = 0o644) {
	writeFileSync(`${path}.new`, text);
	chmodSync(`${path}.new`, mode);
	renameSync(`${path}.new`, path);
}

function plug(millidegrees) {
	mkdirSync(thermometer, { recursive: true });
	put(join(thermometer, 'temperature'), `${millidegrees}\n`);
}

function writeScript(text) {
	put(script, `#!/bin/sh\n${text}\n`, 0o755);
}

plug(21500);
mkdirSync(join(house.folder, 'root/sys/bus/w1/devices/w1_bus_master1'), { recursive: true });
writeScript(`echo '{"temperature":{"value":70,"unit":"°F"},"humidity":48}'`);
await house.startBroker();
const bus = await house.listen('foyer/salon/#');
await house.startNode(
	'salon',
	{
		boiler: { driver: 'ds18b20', interval: '200ms' },
		stove: { driver: 'exec', command: script, quantities: 'temperature humidity', interval: '200ms' },
		porch: { driver: 'camera', stream: 'http://192.168.1.20:8081/', events },
	},
	{ env: { FOYER_ROOT: join(house.folder, 'root') } },
);
after(() => house.close());

// A reading of a series, after the first `seen` messages.
function reading(series, fits, what, seen = 0) {
	return bus.heard(
		(message) =>
			bus.messages.indexOf(message) >= seen &&
			message.topic === `foyer/salon/${series}` &&
			!message.text.startsWith('[') &&
			fits(JSON.parse(message.text).value),
		what,
	);
}

// The newest $health in which the device is as told.
const health = (device, fits, what, seen = 0) =>
	waitFor(
		() =>
			bus.messages
				.slice(seen)
				.filter((message) => message.topic === 'foyer/salon/$health')
				.map((message) => JSON.parse(message.text).devices[device])
				.find(fits),
		what,
	);

test('what a program says by the notation are readings in our units', async () => {
	await reading('stove/temperature', (value) => Math.abs(value - 21.111) < 0.001, 'temperature of the stove');
	await reading('stove/humidity', (value) => value === 48, 'humidity of the stove');
});

test('a program that fails is a fault in its own words, told once, until it works again', async () => {
	const seen = bus.messages.length;

	writeScript('echo "no stove there" >&2; exit 3');
	const state = await health('stove', (device) => !device.ok, 'the fault of the stove', seen);

	assert.equal(state.error, 'status 3: no stove there');
	writeScript('echo "30 -"');
	await reading('stove/temperature', (value) => value === 30, 'the stove works again', seen);
	await house.nodes.salon.logged(/stove: answers again/);
	const told = house.nodes.salon.log.split('\n').filter((line) => line.includes('stove: status 3'));

	assert.equal(told.length, 1);
});

test('a thermometer that is pulled out is told, and read again when it is back', async () => {
	await reading('boiler/temperature', (value) => value === 21.5, 'temperature of the boiler');
	const seen = bus.messages.length;

	rmSync(thermometer, { recursive: true });
	await health('boiler', (device) => /gone|no thermometer/.test(device.error ?? ''), 'the fault of the boiler', seen);
	plug(40000);
	await reading('boiler/temperature', (value) => value === 40, 'the boiler is back', seen);
	await house.nodes.salon.logged(/boiler: answers again/);
});

test('a value that stands for "not measured" never becomes a reading', async () => {
	const seen = bus.messages.length;

	plug(85000);
	const state = await health('boiler', (device) => !device.ok, 'the value after power-on', seen);

	assert.match(state.error, /^85 °C is what it says after power-on/);
	plug(41000);
	await reading('boiler/temperature', (value) => value === 41, 'the boiler measures', seen);
	const told = bus.messages
		.filter((message) => message.topic === 'foyer/salon/boiler/temperature')
		.flatMap((message) => JSON.parse(message.text)); // late ones come in arrays

	assert.deepEqual([...new Set(told.map((each) => each.value))], [21.5, 40, 41]);
});

test("a camera's stream stands in $info, and its program's hooks tell motion", async () => {
	const info = await bus.heard((message) => message.topic === 'foyer/salon/$info', '$info');

	assert.equal(JSON.parse(info.text).devices.porch.stream, 'http://192.168.1.20:8081/');
	await waitFor(() => statSync(events, { throwIfNoEntry: false })?.isFIFO(), 'the named pipe');
	const seen = bus.messages.length;

	writeFileSync(events, '1\n');
	await reading('porch/motion', (value) => value === 1, 'motion begins', seen);
	writeFileSync(events, '0\n');
	await reading('porch/motion', (value) => value === 0, 'motion ends', seen);
});
