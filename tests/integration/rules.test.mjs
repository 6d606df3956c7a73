// What a node does by itself: rules, safe states and memories of outputs, with the broker there, killed, and back.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { House, ini, prefixed, program, run, staysFalse, test, waitFor } from '../lib/house.mjs';

const house = new House();
const place = (name) => `${house.folder}/${name}`;

// Whole, as a sensor's file is.
function put(name, text) {
	writeFileSync(place(`${name}.new`), text);
	renameSync(place(`${name}.new`), place(name));
}
const warm = (celsius) => put('air', `${celsius * 1000}\n`);
const sim = (quantity, output, more = {}) => ({
	driver: 'sim',
	quantities: quantity,
	[`${quantity}.output`]: output,
	interval: '1h',
	...more,
});

const devices = {
	air: { driver: 'thermal', path: place('air'), interval: '50ms', report: 'change 0.1 max 1h' },
	door: { driver: 'exec', command: `cat ${place('button')}`, quantities: 'button', interval: '100ms', report: 'change' },
	heater: sim('switch', 'switch'),
	lamp: sim('switch', 'switch', { initial: 'last' }),
	pump: sim('switch', 'switch', { safe: 'off', safe_after: '1s', on_stop: 'on' }),
	blind: sim('position', 'range', { 'position.min': 0, 'position.max': 180 }),
};
const rules = {
	heating: {
		when: 'air/temperature < 19',
		then: 'heater/switch on, blind/position 90',
		else: 'heater/switch off',
		hysteresis: 0.5,
		override: '2s',
		fault_after: '300ms',
	},
	light: { when: 'door/button pressed', then: 'lamp/switch toggle' },
};

function configure(extra = {}) {
	const file = place('salon.conf');

	writeFileSync(
		file,
		ini({
			node: { name: 'salon', state_dir: place('state'), resend_after: '1s' },
			...prefixed('device', { ...devices, ...extra }),
			...prefixed('rule', rules),
		}),
	);
	return file;
}

await house.startBroker();
await house.startCollector();
await run('mkdir', ['-p', place('state')]);
warm(20);
put('button', '0\n');
await house.startNodeFile('salon', configure());
after(() => house.close());

let bus = await house.listen('foyer/salon/#');
const readingOf = (message) => (message.text.startsWith('{') ? JSON.parse(message.text) : null);
const state = (output, value) => (message) =>
	message.topic === `foyer/salon/${output}` && readingOf(message)?.value === value;
const order = (output, value, by) => (message) =>
	message.topic === `foyer/salon/${output}/set` && // a person's is plain
	readingOf(message)?.value === value &&
	readingOf(message).by === by;

// The node is there again: it hears orders before it says so.
const isBack = () => bus.heard((message) => message.topic === 'foyer/salon/$status' && message.text === 'online', 'the node is back', 45000);

// What comes from now on.
function since() {
	const from = bus.messages.length;

	return (predicate, what) => waitFor(() => bus.messages.slice(from).find(predicate), what);
}

test('a thermostat: the order bears the rule as its author, then come the state and the result, all of them in the log', async () => {
	const heard = since();

	warm(18);
	const wish = JSON.parse((await heard(order('heater/switch', 1, 'rule heating'), 'the order')).text);
	await heard(state('heater/switch', 1), 'the heater is on');
	await heard(state('blind/position', 90), 'the blind moves');
	await heard(
		(message) => message.topic === 'foyer/salon/heater/switch/result' && JSON.parse(message.text).id === wish.id,
		'the result',
	);
	const row = await waitFor(
		async () => (await house.rows(`SELECT * FROM command WHERE command_id = '${wish.id}' AND ok = 1`))[0],
		'the command log',
	);
	assert.equal(row.by, 'rule heating');
	warm(19.4); // within the hysteresis
	const cold = since();
	warm(19.6);
	await cold(state('heater/switch', 0), 'the heater is off');
});

test('$info tells the rules, $health what they do', async () => {
	const info = JSON.parse(bus.messages.find((message) => message.topic === 'foyer/salon/$info').text);

	assert.deepEqual(info.rules.heating, {
		when: 'air/temperature < 19',
		then: 'heater/switch on, blind/position 90',
		else: 'heater/switch off',
	});
	const heard = since();
	const active = (yes) => (message) =>
		message.topic === 'foyer/salon/$health' && JSON.parse(message.text).rules.heating.active === yes;
	warm(18);
	await heard(active(true), 'active');
	warm(20);
	await heard(active(false), 'not active');
});

test('a person wins for the time of override, then the rule has its way again', async () => {
	const heard = since();

	warm(18);
	await heard(state('heater/switch', 1), 'on by the rule');
	await house.pub('salon/heater/switch/set', 'off');
	await heard(state('heater/switch', 0), 'off by the person');
	await heard(
		(message) =>
			message.topic === 'foyer/salon/$health' && JSON.parse(message.text).rules.heating.held_until > Date.now() - 60000,
		'$health says so',
	);
	const later = since();
	await later(order('heater/switch', 1, 'rule heating'), 'on by the rule again');
	await later(state('heater/switch', 1), 'on');
});

test('a button toggles a lamp at each press', async () => {
	for (const value of [1, 0]) {
		const heard = since();

		put('button', '1\n');
		await heard(state('lamp/switch', value), `the lamp is ${value}`);
		put('button', '0\n');
		await heard(state('door/button', 0), 'the button is released');
	}
});

test('the thermostat keeps working with broker and server dead, and the house hears of it later', async () => {
	const heard = since();

	warm(20);
	await heard(state('heater/switch', 0), 'off');
	await house.collector.kill();
	await house.broker.kill();
	await house.nodes.salon.logged(/mqtt: .*(lost|closed|again|refused)/i);
	const begin = Date.now();
	const before = house.nodes.salon.count(/rule heating: then/);
	warm(17);
	await waitFor(() => house.nodes.salon.count(/rule heating: then/) > before, 'the rule acts');
	const end = Date.now();
	await bus.stop();
	await house.startBroker();
	await house.startCollector();
	bus = await house.listen('foyer/salon/#');
	await isBack();
	await waitFor(
		async () =>
			(await house.readings('salon', 'heater', 'switch')).some(
				(row) => row.value === 1 && row.time >= begin - 1000 && row.time <= end + 1000,
			),
		'the store has what the heater did meanwhile',
		30000,
	);
});

test('an output with a safe value takes it when the broker is away for long', async () => {
	const heard = since();

	await house.pub('salon/pump/switch/set', 'on');
	await heard(state('pump/switch', 1), 'the pump runs');
	await house.broker.kill();
	await house.nodes.salon.logged(/salon\/pump\/switch: the broker is away for 1 s, safe value set/);
	await bus.stop();
	await house.startBroker();
	bus = await house.listen('foyer/salon/#');
	await isBack();
	await waitFor(
		async () => (await house.readings('salon', 'pump', 'switch')).at(-1)?.value === 0,
		'the store knows that it stands',
		30000,
	);
});

test('a sensor that falls silent is told, with its series, and the rule does `else`', async () => {
	const heard = since();

	warm(18);
	await heard(state('air/temperature', 18), 'cold');
	const later = since();
	await house.pub('salon/heater/switch/set', 'on'); // whatever was before
	rmSync(place('air'));
	const ill = await later(
		(message) => message.topic === 'foyer/salon/$health' && JSON.parse(message.text).devices.air.ok === false,
		'the fault',
	);
	assert.deepEqual(JSON.parse(ill.text).devices.air.silent, ['temperature']);
	await later(order('heater/switch', 0, 'rule heating'), 'off by the rule, when the override has passed');
	const well = since();
	warm(18);
	await well(order('heater/switch', 1, 'rule heating'), 'on again');
	await house.nodes.salon.logged(/air: answers again/);
});

test('SIGHUP leaves alone what did not change: outputs keep their state, rules theirs', async () => {
	const heard = since();

	await house.pub('salon/lamp/switch/set', 'on');
	await heard(state('lamp/switch', 1), 'the lamp is on');
	configure({ more: { driver: 'sim', quantities: 'power', interval: '1h' } });
	const later = since();
	const reads = house.nodes.salon.count(/configuration read again/);
	house.nodes.salon.signal('SIGHUP');
	await waitFor(() => house.nodes.salon.count(/configuration read again/) > reads, 'read again');
	await later((message) => message.topic === 'foyer/salon/more/power', 'the new device');
	await later((message) => message.topic === 'foyer/salon/$health' && JSON.parse(message.text).devices.more?.ok, 'its health');
	assert.ok(!bus.messages.slice(-40).some(state('lamp/switch', 0)), 'the lamp did not flicker');
	const after = since();
	put('button', '1\n'); // toggles from what it has: off
	await after(state('lamp/switch', 0), 'the lamp goes off');
	put('button', '0\n');
	await after(state('door/button', 0), 'the button is released');
});

test('an output remembers what it had last, and takes what it shall have when the agent stops', async () => {
	const heard = since();

	await house.pub('salon/lamp/switch/set', 'on');
	await heard(state('lamp/switch', 1), 'the lamp is on');
	await house.pub('salon/pump/switch/set', 'off');
	await heard(state('pump/switch', 0), 'the pump stands');
	const end = since();
	assert.equal((await house.nodes.salon.stop()).code, 0);
	await end(state('pump/switch', 1), 'the pump runs: on_stop');
	const again = since();
	await house.startNodeFile('salon', place('salon.conf'));
	await again(state('lamp/switch', 1), 'the lamp is on again');
	await staysFalse(() => bus.messages.slice(-20).some(state('lamp/switch', 0)), 'the lamp off', 300);
});

test('--check tells what is wrong in a rule, by its line', async () => {
	const file = place('wrong.conf');

	writeFileSync(file, ini({ node: { name: 'x' }, ...prefixed('device', devices), 'rule bad': { when: 'air/co2 > 5', then: 'air/temperature 3' } }));
	const result = await run(program('node-agent'), ['-c', file, '--check']);

	assert.equal(result.code, 2);
	assert.match(result.stderr, /wrong\.conf:\d+: when: there is no "air\/co2" on this node; there are air\/temperature, /);
	assert.match(result.stderr, /wrong\.conf:\d+: then: air\/temperature is no output; there are heater\/switch, /);
});
