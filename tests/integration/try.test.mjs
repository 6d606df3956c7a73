// --probe, --read DEVICE and --set DEVICE=VALUE, without hardware and without a broker. With chips: tests/hardware/probe.mjs.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ini, prefixed, program, run, test } from '../lib/house.mjs';

const folder = mkdtempSync(join(process.env.FOYER_TEST_DIR ?? tmpdir(), 'foyer-try-'));
const conf = join(folder, 'node.conf');
const sim = (quantities, keys = {}) => ({ driver: 'sim', quantities, interval: '1h', ...keys });

after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(
	conf,
	ini({
		node: { name: 'here' },
		...prefixed('device', {
			air: sim('temperature humidity'),
			attic: { driver: 'thermal', path: join(folder, 'attic'), 'temperature.offset': 1.5 },
			lamp: sim('switch', { 'switch.output': 'switch' }),
			blind: sim('position level', { 'position.output': 'range', 'position.min': 0, 'position.max': 90, 'level.output': 'range' }),
			rude: sim('switch', { 'switch.output': 'switch', answer: 'refuse', reason: 'fuse blown' }),
			door: { driver: 'contact', line: 'GPIO4', chip: 'no-such-chip' },
		}),
	}),
);
const agent = (...words) => run(program('node-agent'), ['-c', conf, ...words]);

test('one device is read, with units and calibration', async () => {
	writeFileSync(join(folder, 'attic'), '20500\n');
	const air = await agent('--read', 'air');
	const attic = await agent('--read', 'attic');

	assert.match(air.stdout, /^air\/temperature -?[\d.]+ °C\nair\/humidity [\d.]+ %\n$/);
	assert.equal(air.code, 0);
	assert.equal(attic.stdout, 'attic/temperature 22 °C\n');
});

test('what is wrong is told, with the exit status', async () => {
	rmSync(join(folder, 'attic'), { force: true });
	const missing = await agent('--read', 'attic');
	const unknown = await agent('--read', 'cellar');
	const output = await agent('--read', 'lamp');

	assert.equal(missing.code, 1);
	assert.match(missing.stderr, /^attic: .*attic/m);
	assert.equal((await agent('--read', 'door')).stderr.match(/^door: /gm).length, 1);
	assert.equal(unknown.code, 2);
	assert.match(unknown.stderr, /no device "cellar"; there are: air attic lamp blind rude door/);
	assert.equal(output.code, 2);
	assert.match(output.stderr, /--set lamp=VALUE/);
	assert.equal((await agent('--read')).code, 2);
	assert.equal((await agent('--probe', '--read', 'air')).code, 2);
});

test('an output is set, and told as it reads back', async () => {
	assert.equal((await agent('--set', 'lamp=on')).stdout, 'lamp/switch 1\n');
	assert.equal((await agent('--set', 'blind/position=45')).stdout, 'blind/position 45 °\n');
	const both = await agent('--set', 'blind.position.max=60', '--set', 'device blind.position.max=60', '--set', 'blind/position=61');
	assert.equal(both.code, 2, 'a key with a dot is the configuration’s');
});

test('what an output cannot take is refused', async () => {
	const cases = [
		['lamp=7', 2, /neither 0 nor 1/],
		['blind/position=91', 2, /over 90/],
		['blind=1', 2, /name one: blind\/position blind\/level/],
		['lamp/colour=1', 2, /lamp has no output colour/],
		['air=20', 2, /air has no output/],
		['rude=1', 1, /fuse blown/],
	];

	for (const [order, code, words] of cases) {
		const result = await agent('--set', order);
		assert.match(result.stderr, words, order);
		assert.equal(result.code, code, order);
	}
});

test('--probe writes a configuration of what the kernel tells, and names what is missing', async () => {
	const file = (path, text) => {
		mkdirSync(join(folder, 'root', path, '..'), { recursive: true });
		writeFileSync(join(folder, 'root', path), `${text}\n`);
	};

	file('sys/class/thermal/thermal_zone0/type', 'cpu-thermal');
	file('sys/bus/w1/devices/28-0123456789ab/temperature', '21500');
	file('sys/bus/w1/devices/w1_bus_master1/name', '');
	file('sys/bus/iio/devices/iio:device0/name', 'bme680');
	for (const channel of ['in_temp_input', 'in_pressure_input', 'in_resistance_input']) file(`sys/bus/iio/devices/iio:device0/${channel}`, '1');
	file('sys/class/hwmon/hwmon0/name', 'cpu_thermal');
	file('sys/class/hwmon/hwmon0/temp1_input', '48000');
	file('sys/class/hwmon/hwmon1/name', 'ina219');
	for (const channel of ['in0_input', 'in1_input', 'curr1_input']) file(`sys/class/hwmon/hwmon1/${channel}`, '1');
	const { stdout, code, stderr } = await run(program('node-agent'), ['--probe'], { env: { FOYER_ROOT: join(folder, 'root') } });

	assert.equal(code, 0, stderr);
	assert.match(stdout, /^\[device cpu\]\ndriver = thermal\nzone = 0$/m);
	assert.match(stdout, /^\[device ds18b20\]\ndriver = ds18b20\nid = 28-0123456789ab$/m);
	assert.match(stdout, /^\[device bme680\]\ndriver = iio\ndevice = bme680\nchannels = in_pressure in_resistance:in_resistance in_temp$/m);
	assert.match(stdout, /^\[device ina219\]\ndriver = hwmon\ndevice = ina219\nchannels = curr1 in0 in1:in1$/m);
	assert.doesNotMatch(stdout, /cpu_thermal/);
	writeFileSync(join(folder, 'found.conf'), `[node]\nname = found\n${stdout}`);
	const check = await run(program('node-agent'), ['--check', '-c', join(folder, 'found.conf')]);
	assert.equal(check.code, 0, check.stderr);
});
