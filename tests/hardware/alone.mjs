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
