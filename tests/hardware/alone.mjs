// What a node does by itself: a thermostat with nobody to ask, and what outputs do when nobody can reach them or the agent stops.
import assert from 'node:assert/strict';
import { waitFor } from '../lib/house.mjs';

export function alone(guest) {
	const brightness = () => guest.sh('cat /sys/class/leds/foyer:green:status/brightness');
	const glows = (value) => waitFor(async () => (await brightness()) === value, `the light is at ${value}`);
	const nowhere = { mqtt: { host: '127.0.0.1', port: 1 } };

	guest.test('a thermostat works without a broker', async () => {
		await guest.set('w1_mc', '21000,0,0,0');
		const node = await guest.startNode(
			'heat',
			{
				air: { driver: 'ds18b20', interval: '1s' },
				heater: { driver: 'relay', line: 'GPIO24' },
			},
			{
				ready: false,
				sections: {
					...nowhere,
					'rule heating': {
						when: 'air/temperature < 19',
						then: 'heater/switch on',
						else: 'heater/switch off',
						hysteresis: 0.5,
					},
				},
			},
		);

		await guest.becomes(24, 0);
		await guest.set('w1_mc', '18000,0,0,0');
		await guest.becomes(24, 1);
		await guest.set('w1_mc', '20000,0,0,0');
		await guest.becomes(24, 0);
		assert.equal(await node.stop(), 0);
	});

	guest.test("a button switches a lamp, and shutters never go both ways, by the node's own rules", async () => {
		await guest.pull(7, 1);
		await guest.pull(8, 1);
		const node = await guest.startNode(
			'stairs',
			{
				bell: { driver: 'button', line: 'GPIO7', bias: 'as-is' },
				alarm: { driver: 'button', line: 'GPIO8', bias: 'as-is' },
				lamp: { driver: 'relay', line: 'GPIO25', initial: 'on' },
				siren: { driver: 'buzzer', line: 'GPIO26', max_on: '1s' },
				up: { driver: 'relay', line: 'GPIO12', interlock: 'shutter' },
				down: { driver: 'relay', line: 'GPIO13', interlock: 'shutter' },
			},
			{
				sections: {
					'rule light': { when: 'bell/button pressed', then: 'lamp/switch toggle, up/switch toggle' },
					'rule loud': { when: 'alarm/button pressed', then: 'siren/switch on, down/switch on' },
				},
			},
		);
		const press = async (line) => {
			await guest.pull(line, 0);
			await guest.sh('usleep 150000'); // as long as a finger
			await guest.pull(line, 1);
		};

		for (const button of ['bell', 'alarm']) await node.reading(`${button}/button`, (value) => value === 0);
		await guest.becomes(25, 1);
		await press(7);
		await guest.becomes(25, 0);
		await guest.becomes(12, 1);
		await press(8);
		await guest.becomes(13, 1);
		assert.equal(await guest.level(12), 0); // it went off first
		await guest.becomes(26, 0); // the siren ends by itself
		await press(7);
		await guest.becomes(25, 1);
		await guest.becomes(12, 1);
		assert.equal(await guest.level(13), 0);
		assert.equal(await node.stop(), 0);
	});

	guest.test('an output goes to its safe state when the broker is away, and when the agent stops', async () => {
		const light = { driver: 'led', led: 'foyer:green:status', output: 'level', initial: 100, safe: 0 };
		const lonely = await guest.startNode(
			'lonely',
			{ light: { ...light, safe_after: '3s' } },
			{ ready: false, sections: nowhere },
		);

		await glows('255');
		await glows('0');
		assert.equal(await lonely.stop(), 0);
		const node = await guest.startNode('panel', { light });

		await glows('255');
		assert.equal(await node.stop(), 0);
		assert.equal(await brightness(), '0');
	});
}
