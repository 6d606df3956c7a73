// Chips that speak by the length of their pulses: our own GPIO chip plays them, since no program on gpio-sim is in time. See kernel/foyer_lines.c.
import assert from 'node:assert/strict';
import { hex } from './i2c.mjs';

const PARAMETERS = '/sys/module/foyer_lines/parameters';

export function lines(guest) {
	guest.test('an HC-SR04: centimetres by the length of its echo', async () => {
		const echoes = (...us) => guest.write(`${PARAMETERS}/echo_us`, us.join(','));
		const same = (us) => echoes(us, us, us, us, us);

		await same(5800);
		const node = await guest.startNode('tank', {
			level: { driver: 'hcsr04', trigger: 'ECHO_TRIG', echo: 'ECHO_ECHO', interval: '600ms' },
			cpu: { driver: 'thermal', interval: '1s' },
		});

		await node.near('level/distance', 100, 4); // 5800 us of a machine that is interpreted
		await echoes(17400, 17400, 580, 17400, 17400); // once a leaf was in the way
		await node.near('level/distance', 300, 4);
		await same(0);
		await node.faulty('level', /no echo after 5 pings/);
		await same(1160);
		await node.well('level');
		await node.near('level/distance', 20, 4);
		assert.ok(node.values('level/distance').every((cm) => cm > 15 && cm < 305), String(node.values('level/distance')));
		assert.equal(await node.stop(), 0);
	});

	guest.test("a DHT22 by the kernel's own driver: warm, below zero, a bit turned round, pulled out", async () => {
		// Aosong's AM2302 manual, 7.2: tenths of per cent and of a degree, the highest bit is the sign; the sum of the four bytes.
		const answer = async (percent, degrees) => {
			const tenths = Math.round(Math.abs(degrees) * 10) | (degrees < 0 ? 0x8000 : 0);
			const bytes = [(percent * 10) >> 8, (percent * 10) & 255, tenths >> 8, tenths & 255];

			await guest.write(`${PARAMETERS}/dht`, hex([...bytes, bytes.reduce((a, b) => a + b) & 255]));
		};

		await answer(65.2, 35.1);
		const node = await guest.startNode('cellar', { air: { driver: 'dht', interval: '2500ms' } });

		await node.near('air/temperature', 35.1, 0.001);
		await node.near('air/humidity', 65.2, 0.001);
		await answer(40, -10.1);
		await node.near('air/temperature', -10.1, 0.001);
		await node.near('air/humidity', 40, 0.001);
		await guest.write(`${PARAMETERS}/dht_flips`, '1'); // as happens: it is no reading
		await guest.sh(`for i in $(seq 200); do [ "$(cat ${PARAMETERS}/dht_flips)" = 0 ] && exit; sleep 0.1; done; false`);
		const from = node.mark('air/temperature');
		await node.reading('air/temperature', () => true, { from });
		await guest.write(`${PARAMETERS}/dht`, '-');
		await node.faulty('air', /no answer/, 60000);
		await answer(51.5, 4.5);
		await node.well('air', 90000);
		await node.near('air/temperature', 4.5, 0.001);
		assert.ok(node.values('air/temperature').every((value) => [35.1, -10.1, 4.5].includes(value)), String(node.values('air/temperature')));
		assert.equal(await node.stop(), 0);
	});
}
