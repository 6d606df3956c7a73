// From an order to an output and back: node-agent with simulated devices against a real broker.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { House, sleep, staysFalse, test, waitFor } from '../lib/house.mjs';

const house = new House();

await house.startBroker();
await house.startCollector();
await house.startNode('salon', {
	lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' },
	servo: {
		driver: 'sim',
		quantities: 'position',
		'position.output': 'range',
		'position.min': 0,
		'position.max': 180,
		'position.step': 5,
		interval: '1h',
	},
	sign: { driver: 'sim', quantities: 'text', 'text.output': 'text', interval: '1h' },
	bell: { driver: 'sim', quantities: 'button', 'button.output': 'button', interval: '1h' },
	rude: {
		driver: 'sim',
		quantities: 'switch',
		'switch.output': 'switch',
		answer: 'refuse',
		reason: 'fuse blown',
		interval: '1h',
	},
	slow: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', answer_after: '300ms', interval: '1h' },
	mute: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', answer: 'silent', interval: '1h' },
	air: { driver: 'sim', quantities: 'temperature', interval: '1h' },
});
after(() => house.close());

const bus = await house.listen('foyer/salon/#');
let orders = 0;

// Gives a command and waits for its result.
async function order(output, value, options) {
	const id = `order-${++orders}`;

	await house.pub(`salon/${output}/set`, JSON.stringify({ value, id, by: 'test' }), options);
	const heard = await bus.heard(
		(message) => message.topic === `foyer/salon/${output}/result` && JSON.parse(message.text).id === id,
		`result of ${id}`,
	);
	return JSON.parse(heard.text);
}

const logged = async (id) => (await house.rows(`SELECT * FROM command WHERE command_id = '${id}'`))[0];
const state = (output, value) => (message) =>
	message.topic === `foyer/salon/${output}` && !message.text.startsWith('[') && JSON.parse(message.text).value === value;

test('an order is obeyed: the new state first, then the result, and both are in the store', async () => {
	const result = await order('lamp/switch', 1);

	assert.equal(result.ok, true);
	assert.equal(result.value, 1);
	assert.ok(Math.abs(result.time - Date.now()) < 5000);
	const topics = bus.messages.map((message) => `${message.topic} ${message.text.includes('"value":1') ? 1 : 0}`);
	assert.ok(
		topics.indexOf('foyer/salon/lamp/switch 1') < topics.indexOf('foyer/salon/lamp/switch/result 1'),
		topics.join('\n'),
	);
	const row = await waitFor(async () => (await logged('order-1'))?.ok === 1 && logged('order-1'), 'the command log');
	assert.deepEqual(
		[row.node, row.device, row.quantity, row.value, row.by, row.result_value],
		['salon', 'lamp', 'switch', 1, 'test', 1],
	);
	await waitFor(
		async () => (await house.readings('salon', 'lamp', 'switch')).some((reading) => reading.value === 1),
		'the state in the store',
	);
});

test('a bare value is an order too', async () => {
	await house.pub('salon/lamp/switch/set', 'off');
	await bus.heard(state('lamp/switch', 0), 'the lamp is off');
	await house.pub('salon/servo/position/set', '90');
	await bus.heard(state('servo/position', 90), 'the servo at 90');
	await house.pub('salon/sign/text/set', 'Bonsoir à tous');
	await bus.heard(state('sign/text', 'Bonsoir à tous'), 'the sign says it');
});

for (const [name, output, value, error] of [
	['over the maximum', 'servo/position', 200, 'over 180'],
	['under the minimum', 'servo/position', -1, 'under 0'],
	['between two steps', 'servo/position', 92, 'not in steps of 5'],
	['neither on nor off', 'lamp/switch', 0.5, /0 (or|nor) 1/],
	['of the wrong kind', 'lamp/switch', 'bright', /bright/],
	['a number for a text', 'sign/text', 5, /string/],
	['for a sensor', 'air/temperature', 20, 'no such output'],
	['for a device that is not there', 'ghost/switch', 1, 'no such output'],
	['that the device refuses', 'rude/switch', 1, 'fuse blown'],
])
	test(`refused, with the reason: an order ${name}`, async () => {
		const before = bus.messages.length;
		const id = `order-${orders + 1}`;
		let result;

		if (value === 'bright' || value === 5) {
			// unreadable: so is its id
			await house.pub(`salon/${output}/set`, JSON.stringify({ value, id }));
			orders++;
			result = JSON.parse(
				(
					await waitFor(
						() =>
							bus.messages
								.slice(before)
								.find((message) => message.topic.endsWith('/result')),
						'a result',
					)
				).text,
			);
		} else {
			result = await order(output, value);
		}
		assert.equal(result.ok, false);
		if (error instanceof RegExp) assert.match(result.error, error);
		else assert.equal(result.error, error);
		assert.ok(!bus.messages.slice(before).some(state(output, value)), 'no new state');
	});

test('a refusal stands in the command log with its reason', async () => {
	await order('servo/position', 500);
	const row = await waitFor(
		async () => (await logged(`order-${orders}`))?.error && logged(`order-${orders}`),
		'the refusal in the store',
	);

	assert.deepEqual([row.ok, row.error, row.value], [0, 'over 180', 500]);
});

test('an output that takes its time answers late, with the state', async () => {
	const begin = performance.now();
	const result = await order('slow/switch', 1);

	assert.equal(result.ok, true);
	assert.ok(performance.now() - begin > 290);
	assert.ok(bus.messages.some(state('slow/switch', 1)));
});

test('an output that falls silent gives neither result nor state', async () => {
	await house.pub('salon/mute/switch/set', '{"value":1,"id":"into-the-void"}');
	await order('lamp/switch', 1); // whatever was to come for the one before is here by now
	assert.ok(!bus.messages.some((message) => message.text.includes('into-the-void') && message.topic.endsWith('/result')));
	const row = await waitFor(() => logged('into-the-void'), 'the command in the log');
	assert.equal(row.ok, null);
});

test('a retained order is never obeyed', async () => {
	await order('lamp/switch', 0);
	await house.pub('salon/lamp/switch/set', '{"value":1,"id":"retained"}', { retain: true });
	await bus.heard(
		(message) => message.topic === 'foyer/salon/lamp/switch/result' && message.text.includes('"retained"'),
		'a live order with the retain flag reaches who was there',
	);
	await order('lamp/switch', 0);
	await house.nodes.salon.stop();
	const before = bus.messages.length;
	await house.startNodeFile('salon', `${house.folder}/salon.conf`);
	await order('lamp/switch', 0); // after the subscription, so after anything retained
	assert.ok(!bus.messages.slice(before).some(state('lamp/switch', 1)));
	assert.equal(bus.messages.slice(before).filter((message) => message.text.includes('"retained"')).length, 0);
	await house.pub('salon/lamp/switch/set', '', { retain: true });
});

test('an order that expired while the node was away is not obeyed, a fresh one is', async () => {
	await order('lamp/switch', 0);
	house.nodes.salon.signal('SIGSTOP'); // hangs, as a Pi without power does; the broker keeps what it has sent and what it will send
	await house.pub('salon/lamp/switch/set', '{"value":1,"id":"stale"}', { properties: [['message-expiry-interval', 1]] });
	await house.nodes.salon.kill();
	const before = bus.messages.length;
	await sleep(1500); // the order expires
	await house.startNodeFile('salon', `${house.folder}/salon.conf`);
	await order('slow/switch', 0);
	assert.ok(!bus.messages.slice(before).some(state('lamp/switch', 1)), 'the lamp stays off');
	assert.equal((await order('lamp/switch', 1)).ok, true);
});

test('with an MQTT 5 response topic the result goes there as well', async () => {
	const answer = JSON.parse(await house.request('salon/servo/position/set', '{"value":45,"id":"asked"}'));

	assert.deepEqual([answer.id, answer.ok, answer.value], ['asked', true, 45]);
	await bus.heard(
		(message) => message.topic === 'foyer/salon/servo/position/result' && message.text.includes('"asked"'),
		'the usual result too',
	);
	assert.equal(JSON.parse(await house.request('salon/servo/position/set', '181')).error, 'over 180');
});

test('a hundred orders at once are all answered', async () => {
	const ids = Array.from({ length: 100 }, (_, i) => `many-${i}`);

	await house.pubLines(
		'salon/servo/position/set',
		ids.map((id, i) => JSON.stringify({ value: (i % 37) * 5, id })),
	);
	await waitFor(
		() =>
			ids.every((id) =>
				bus.messages.some(
					(message) => message.topic.endsWith('/result') && message.text.includes(`"${id}"`),
				),
			),
		'100 results',
	);
});

test('the node says what it is and has in $info, its health in $health', async () => {
	const info = JSON.parse((await bus.heard((message) => message.topic === 'foyer/salon/$info', '$info')).text);
	const health = JSON.parse((await bus.heard((message) => message.topic === 'foyer/salon/$health', '$health')).text);

	assert.equal(info.protocol, 1);
	assert.deepEqual(info.devices.servo.quantities.position, {
		unit: '°',
		interval: 3600,
		output: 'range',
		min: 0,
		max: 180,
		step: 5,
	});
	assert.equal(info.devices.air.quantities.temperature.output, undefined);
	assert.equal(health.devices.lamp.ok, true);
	assert.ok(health.rss > 100000 && health.uptime > 0);
});

test('a node that is killed is offline by its last will, one that leaves says so itself', async () => {
	await house.startNode('grange', { air: { driver: 'sim', quantities: 'temperature' } });
	const grange = await house.listen('foyer/grange/$status');

	await house.nodes.grange.kill();
	await grange.heard((message) => message.text === 'offline', 'the last will');
	await waitFor(
		async () => (await house.rows("SELECT online FROM node WHERE name = 'grange'"))[0]?.online === 0,
		'the store knows',
	);
	await house.startNodeFile('grange', `${house.folder}/grange.conf`);
	const heard = grange.messages.length;
	assert.equal((await house.nodes.grange.stop()).code, 0);
	await waitFor(() => grange.messages.slice(heard).some((message) => message.text === 'offline'), 'its own word');
	await grange.stop();
});

test('a simulated fault is told in $health when it begins', async () => {
	await house.startNode('cave', {
		air: {
			driver: 'sim',
			quantities: 'temperature',
			fault: 'silent',
			fault_every: '1h',
			fault_for: '1h',
			interval: '200ms',
		},
	});
	const cave = await house.listen('foyer/cave/#');
	const ill = await cave.heard(
		(message) => message.topic.endsWith('$health') && JSON.parse(message.text).devices.air.ok === false,
		'the fault',
	);

	assert.match(JSON.parse(ill.text).devices.air.error, /no answer/);
	await staysFalse(
		() => cave.messages.some((message) => message.topic.endsWith('/temperature')),
		'a reading of a silent sensor',
		500,
	);
	assert.equal(house.nodes.cave.count(/no answer/), 1, 'told once');
	await cave.stop();
});
