// What the kernel tells as files: thermal zones.
import assert from 'node:assert/strict';
import { test } from '../lib/house.mjs';

export function sysfs(guest) {
	test("the machine's own temperature", async () => {
		const node = await guest.startNode('cave', { cpu: { driver: 'thermal', interval: '200ms' } });

		await node.near('cpu/temperature', 48.312, 0.001);
		await guest.set('cpu_mc', 51000);
		await node.near('cpu/temperature', 51, 0.001);
		assert.equal(await node.stop(), 0);
		await guest.set('cpu_mc', 48312);
	});
}
