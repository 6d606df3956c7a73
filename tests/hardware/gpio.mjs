// Lines of gpio-sim: edges with the kernel's own time, bounces, pulses; outputs seen from outside; lines that are taken, chips that go.
import assert from 'node:assert/strict';

// program: the agent to try, for each libgpiod one.
export function gpio(guest, { program = 'node-agent' } = {}) {
	const start = (name, devices, options) => guest.startNode(name, devices, { program, ...options });
	const by = program === 'node-agent' ? '' : ` (${program})`;

	guest.test(`a contact tells both edges, at the moment that the kernel saw them${by}`, async () => {
		await guest.pull(4, 0);
		const node = await start('hall', { door: { driver: 'contact', line: 'GPIO4', bias: 'as-is' } });

		await node.reading('door/contact', (value) => value === 0);
		for (const level of [1, 0]) {
			const from = node.mark('door/contact');
			const pull = `tool now; echo ${level ? 'pull-up' : 'pull-down'} >/sim/foyer-sim/sim_gpio4/pull; tool now`;
			const [before, after] = (await guest.sh(pull)).split('\n').map(Number);
			const reading = await node.reading('door/contact', (value) => value === level, { from });

			assert.ok(reading.time >= before && reading.time <= after, `${before} <= ${reading.time} <= ${after}`);
		}
		assert.equal(await node.stop(), 0);
	});

	guest.test(`a button bounces, and is pressed once${by}`, async () => {
		await guest.pull(5, 1);
		const node = await start('hall', { bell: { driver: 'button', line: 'GPIO5', bias: 'as-is', debounce: '1s' } });

		await node.reading('bell/button', (value) => value === 0);
		await guest.pulses(5, 6, 300);
		await node.reading('bell/button', (value) => value === 1); // the last pulse left it low: pressed
		await guest.pull(5, 1);
		await node.reading('bell/button', (value) => value === 0, { from: 2 });
		assert.deepEqual(node.values('bell/button'), [0, 1, 0]);
		assert.equal(await node.stop(), 0);
	});

	// A burst is less than the kernel keeps for a reader that is late, as an interpreted machine may be: 512 edges.
	guest.test(`a meter's pulses are all counted, at 1 kHz${by}`, async () => {
		await guest.pull(6, 0);
		const meter = { driver: 'pulse', line: 'GPIO6', bias: 'as-is', active_low: 'no', interval: '200ms' };
		const node = await start('cellar', { water: meter });

		await node.reading('water/counter', (value) => value === 0);
		for (let count = 400; count <= 2000; count += 400) {
			await guest.pulses(6, 400, 500);
			await node.reading('water/counter', (value) => value === count);
		}
		assert.equal(await node.stop(), 0);
	});

	guest.test(`an output obeys, tells what it reads back, and is let go of at the end${by}`, async () => {
		const node = await start('hall', {
			lamp: { driver: 'relay', line: 'GPIO17', initial: 'on' },
			pump: { driver: 'relay', line: '18', chip: 'foyer-sim', active_low: 'yes' },
			gate: { driver: 'relay', line: 'GPIO19', pulse: '100ms' },
		});

		await guest.becomes(17, 1);
		await guest.becomes(18, 1); // off is the high level
		assert.deepEqual((await node.order('lamp/switch', 0)).value, 0);
		assert.equal(await guest.level(17), 0);
		assert.equal((await node.order('pump/switch', 'on')).value, 1);
		assert.equal(await guest.level(18), 0);
		assert.equal((await node.order('gate/button', 1)).ok, true);
		await guest.becomes(19, 0);
		assert.match((await node.order('lamp/switch', 7)).error, /neither 0 nor 1/);
		await node.order('lamp/switch', 1);
		assert.equal(await guest.level(17), 1);
		assert.equal(await node.stop(), 0);
		await guest.becomes(17, 0); // gpio-sim pulls down what nobody drives
	});

	guest.test(`a line that another holds is told, and taken when it is free${by}`, async () => {
		const first = await start('first', { lamp: { driver: 'relay', line: 'GPIO20' } });
		const second = await start('second', { lamp: { driver: 'relay', line: 'GPIO20' }, cpu: { driver: 'thermal', interval: '1s' } });

		await second.faulty('lamp', /held by|busy/i);
		await second.reading('cpu/temperature'); // the others go on
		assert.equal(await first.stop(), 0);
		await second.well('lamp');
		assert.equal((await second.order('lamp/switch', 1)).ok, true);
		assert.equal(await guest.level(20), 1);
		assert.equal(await second.stop(), 0);
	});

	guest.test(`a chip that is pulled out is missed, and welcome when it is back${by}`, async () => {
		const node = await start('shed', { hatch: { driver: 'contact', line: 'SPARE1', bias: 'as-is' } });

		await node.reading('hatch/contact');
		await guest.plug('foyer-two', false);
		await node.faulty('hatch', /./, 60000);
		await guest.plug('foyer-two', true);
		await node.well('hatch', 90000);
		const from = node.mark('hatch/contact');
		await guest.pull(1, 1, 'foyer-two');
		await node.reading('hatch/contact', (value) => value === 1, { from });
		await guest.pull(1, 0, 'foyer-two');
		assert.equal(await node.stop(), 0);
	});
}
