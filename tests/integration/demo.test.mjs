// make demo: the page's URL, three nodes, a week of history, and nothing left behind.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { build, freePort, root, test, waitFor } from '../lib/house.mjs';
import { Part } from '../lib/part.mjs';

const DAY = 86400000;
const folder = mkdtempSync(join(process.env.FOYER_TEST_DIR ?? tmpdir(), 'foyer-demo-'));
const parts = [];
after(async () => {
	await Promise.all(parts.filter((part) => part.alive).map((part) => part.stop('SIGINT')));
	rmSync(folder, { recursive: true, force: true });
});

// The demo's own programs carry its temporary folder in their environment.
function running() {
	return readdirSync('/proc')
		.filter((pid) => /^\d+$/.test(pid))
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`TMPDIR=${folder}`);
			} catch {
				return false;
			}
		});
}

// The programs are built: what is tested is what `make demo` runs after that, by the same file.
function demo(env) {
	const part = new Part('demo', join(root, 'config/demo/run'), [], {
		cwd: root,
		env: { BUILD: build, TMPDIR: folder, ...env },
	});

	parts.push(part);
	return part;
}

const address = (part) =>
	waitFor(
		() => {
			if (part.ended) throw new Error(`the demo has ended: ${part.out}${part.log}`);
			return /Foyer is at\s+(http:\S+)/.exec(part.out)?.[1].replace(/\/$/, '');
		},
		"the page's URL",
		90000,
	);

async function leavesNothing() {
	await waitFor(() => running().length === 0, `no process of the demo: ${running()}`, 5000);
	assert.deepEqual(readdirSync(folder), []);
}

test('make demo runs the same file after building', () => {
	assert.match(readFileSync(join(root, 'Makefile'), 'utf8'), /^demo:(?:.*\n\t)*.*config\/demo\/run/m);
});

test('the demo shows a house with a week behind it and ends by the clock', { deadline: 150000 }, async () => {
	const port = await freePort();
	const part = demo({ DEMO_SECONDS: '20', PORT: String(port) });
	const url = await address(part);

	assert.equal(new URL(url).port, String(port));
	const page = await (await fetch(url)).text();
	for (const node of ['salon', 'cuisine', 'garage']) assert.match(page, new RegExp(`/node/${node}`));
	const series = /data-series="(salon\/[^"]*\/temperature)"/.exec(page)[1];
	const week = `${url}/api/v1/history?series=${series}&from=${Date.now() - 7 * DAY}&to=${Date.now()}&points=300`;
	const points = await waitFor(
		async () => {
			const known = (await (await fetch(week)).json()).series[0].points.filter(([, mean]) => mean !== null);
			return known.length > 150 && known; // an hour each
		},
		'a week in the chart',
		15000,
	);
	assert.ok(points[0][0] < Date.now() - 6.9 * DAY, 'a week is there');
	assert.ok(points.at(-1)[0] > Date.now() - 3 * 3600000, 'up to now');
	const nodes = (await (await fetch(`${url}/api/v1/nodes`)).json()).nodes;
	assert.deepEqual(nodes.map((node) => node.name).sort(), ['cuisine', 'garage', 'salon']);
	assert.ok(nodes.every((node) => node.status === 'online'));
	part.expected = true;
	assert.equal((await part.closed).code, 0, part.out + part.log);
	await leavesNothing();
});

for (const signal of ['SIGINT', 'SIGTERM'])
	test(`${signal} ends the demo cleanly`, { deadline: 90000 }, async () => {
		const part = demo({ PORT: String(await freePort()), DEMO_HISTORY: '1h' });

		await address(part);
		const { code } = await part.stop(signal);
		assert.equal(code, 0, part.out + part.log);
		await leavesNothing();
	});

test('interrupted while it still starts, it leaves nothing either', { deadline: 60000 }, async () => {
	const part = demo({ PORT: String(await freePort()), DEMO_HISTORY: '7d' });

	await waitFor(() => running().length > 3, 'some programs run');
	await part.stop('SIGINT');
	await leavesNothing();
});

test('a taken port is told, and another one proposed', { deadline: 60000 }, async () => {
	const first = demo({ PORT: String(await freePort()), DEMO_HISTORY: '0' });
	const url = await address(first);
	const second = demo({ PORT: new URL(url).port });

	second.expected = true;
	assert.notEqual((await second.closed).code, 0);
	assert.match(second.log, /taken.*make demo PORT=\d+/);
	await first.stop('SIGINT');
	await leavesNothing();
});
