// tests/bench/web: requests a second beside Flask in the same run, bytes of the overview, first paint and layout shift with a slow processor, a year's
// chart, 200 open event streams, a click until the node's word. BENCH_SECONDS: of each load.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { House, build, run, sleep, waitFor } from '../lib/house.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const seconds = Number(process.env.BENCH_SECONDS || 4);
const NODES = 6, DEVICES = 5, QUANTITIES = ['temperature', 'humidity']; // 60 series
const YEAR_MS = 365 * 86400000;
const figures = [];

function figure(name, value, unit, target, ok) {
	figures.push({ name, value, unit, target, ok });
	console.log(`${ok === null ? '    ' : ok ? 'ok  ' : 'short'} ${name}: ${typeof value === 'number' ? +value.toPrecision(4) : value} ${unit}${target ? `   (to reach: ${target})` : ''}`);
}

// ---- the two sides ------------------------------------------------------------------------------------------------------------------------

const house = new House();
const names = Array.from({ length: NODES }, (_, i) => `room${i}`);
await house.startBroker();
await house.startCollector({ set: ['store.commit_interval=1s'] });
await house.startWebd();

const now = Date.now();
const values = [];
for (const node of names)
	for (let d = 0; d < DEVICES; d++)
		for (const quantity of QUANTITIES)
			for (let i = 0; i < 200; i++)
				values.push([node, `air${d}`, quantity, now - (200 - i) * 10000, 20 + Math.round(Math.sin(i / 9 + d) * 30) / 10]);
for (const node of names)
	for (let d = 0; d < DEVICES; d++)
		for (const quantity of QUANTITIES) {
			const batch = values.filter((v) => v[0] === node && v[1] === `air${d}` && v[2] === quantity).map(([, , , time, value]) => ({ time, value }));
			await house.pub(`${node}/air${d}/${quantity}`, JSON.stringify(batch));
		}
await house.stored('room5', 'air4', 'humidity', 200);
// A year of two series for the chart: a reading each ten minutes.
for (const quantity of QUANTITIES)
	for (let from = now - YEAR_MS; from < now - 3600000; from += 600000 * 500) {
		const batch = [];
		for (let time = from; time < Math.min(from + 600000 * 500, now - 3600000); time += 600000)
			batch.push({ time, value: Math.round((50 + 20 * Math.sin(time / 7e6)) * 10) / 10 });
		if (batch.length) await house.pub(`year/air/${quantity}`, JSON.stringify(batch));
	}
await house.stored('year', 'air', 'humidity', 50000, 120000).catch(() => {});

const first = join(house.folder, 'first.db');
const sql = [
	'CREATE TABLE series(id INTEGER PRIMARY KEY, node, device, quantity, unit); CREATE TABLE reading(series INTEGER, time INTEGER, value REAL);',
	'CREATE INDEX by_time ON reading(series, time); BEGIN;',
];
const ids = new Map();
for (const [node, device, quantity, time, value] of values) {
	const key = `${node}/${device}/${quantity}`;
	if (!ids.has(key)) {
		ids.set(key, ids.size + 1);
		sql.push(`INSERT INTO series VALUES(${ids.size}, '${node}', '${device}', '${quantity}', 'x');`);
	}
	sql.push(`INSERT INTO reading VALUES(${ids.get(key)}, ${time}, ${value});`);
}
sql.push('COMMIT;');
execFileSync('sqlite3', [first], { input: sql.join('\n') });
const flaskPort = 20000 + Math.floor(Math.random() * 10000);
const flask = spawn('gunicorn', ['-w', '2', '-b', `127.0.0.1:${flaskPort}`, '--log-level', 'error', '--pythonpath', here, 'first_page:app'], {
	env: { ...process.env, FIRST_DB: first, PYTHONDONTWRITEBYTECODE: '1' },
	stdio: 'ignore',
});
await waitFor(() => fetch(`http://127.0.0.1:${flaskPort}/`).then((r) => r.ok).catch(() => false), 'Flask answers', 30000);

// ---- load ---------------------------------------------------------------------------------------------------------------------------------

async function wrk(url) {
	const { stdout } = await run('wrk', ['-t1', '-c32', `-d${seconds}`, '--latency', url]);
	const ms = (text) => Number.parseFloat(text) * (text.endsWith('us') ? 0.001 : text.endsWith('ms') ? 1 : 1000);

	return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), p99: ms(/99%\s+(\S+)/.exec(stdout)[1]) };
}
const best = { ours: {}, theirs: {} };
for (let repeat = 0; repeat < 3; repeat++) // side by side, so that other work on the machine meets both
	for (const [name, ours, theirs] of [
		['/', `${house.url}/`, `http://127.0.0.1:${flaskPort}/`],
		['history', `${house.url}/api/v1/history?series=room1/air1/temperature&last=100`, `http://127.0.0.1:${flaskPort}/history?series=room1/air1/temperature&last=100`],
	]) {
		for (const [side, url] of [['ours', ours], ['theirs', theirs]]) (best[side][name] ??= []).push(await wrk(url));
	}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const rate = (side, name) => median(best[side][name].map((x) => x.rate));
flask.kill();
for (const [name, times] of [['/', 20], ['history', 10]]) {
	const ratio = rate('ours', name) / rate('theirs', name);
	figure(`${name === '/' ? 'page / of 60 series' : 'history?last=100'}: webd ${Math.round(rate('ours', name))}/s, Flask with 2 workers ${Math.round(rate('theirs', name))}/s, ratio`, ratio, 'times', `>= ${times}`, ratio >= times);
}
const p99 = median(best.ours.history.map((x) => x.p99));
figure('history?last=100, p99 of 32 connections', p99, 'ms', '<= 2', p99 <= 2);

// ---- bytes --------------------------------------------------------------------------------------------------------------------------------

const fetchRaw = (path) => new Promise((resolve, reject) => {
	request(`${house.url}${path}`, { headers: { 'accept-encoding': 'gzip' } }, (reply) => {
		const parts = [];
		reply.on('data', (part) => parts.push(part)).on('end', () => resolve({ body: Buffer.concat(parts), gzip: reply.headers['content-encoding'] === 'gzip' }));
	}).on('error', reject).end();
});
const page = await fetchRaw('/');
const html = (page.gzip ? gunzipSync(page.body) : page.body).toString();
const assets = [...html.matchAll(/(?:href|src)="(\/(?:static|javascript)\/[^"]+)"/g)].map((m) => m[1]);
let bytes = page.body.length;
for (const asset of new Set(assets)) bytes += (await fetchRaw(asset)).body.length;
figure(`own bytes of / with ${new Set(assets).size} assets, gzip`, bytes / 1024, 'KB', '<= 60', bytes / 1024 <= 60 && !/chart\.min/.test(html));

// ---- in a browser with a slow processor ------------------------------------------------------------------------------------------------------

const browser = await openBrowser();
async function slow(path) {
	const tab = await openPage(browser);
	const session = await tab.context().newCDPSession(tab);
	await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
	await tab.addInitScript(() => {
		window.shift = 0;
		new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value; }).observe({ type: 'layout-shift', buffered: true });
	});
	await tab.goto(house.url + path, { waitUntil: 'load' });
	return tab;
}
const paints = [], ready = [], shifts = [];
for (let i = 0; i < 3; i++) {
	const tab = await slow('/');
	await tab.waitForTimeout(1000);
	const seen = await tab.evaluate(() => ({
		paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
		ready: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
		shift: window.shift,
	}));
	paints.push(seen.paint); ready.push(seen.ready); shifts.push(seen.shift);
	await tab.context().close();
}
figure('first contentful paint of /, processor slowed 4 times', median(paints), 'ms', '<= 500', median(paints) <= 500);
figure('scripts ready, same', median(ready), 'ms', '<= 500', median(ready) <= 500);
figure('layout shift', Math.max(...shifts), '', '0', Math.max(...shifts) < 0.001);
const chart = await slow('/series/year/air/temperature');
await chart.waitForFunction(() => window.foyerChart?.data.datasets.length > 0);
const drawn = await chart.evaluate(async () => {
	const start = performance.now(), before = window.foyerChart.asked;
	document.querySelector('[data-range="1y"]').click();
	while (window.foyerChart.asked === before) await new Promise((r) => requestAnimationFrame(r));
	await new Promise((r) => requestAnimationFrame(r));
	return performance.now() - start;
});
figure('a year of two series: click to drawn, slowed 4 times', drawn, 'ms', '<= 1000', drawn <= 1000);
await browser.close();

// ---- event streams ------------------------------------------------------------------------------------------------------------------------------

const streams = Array.from({ length: 200 }, () => {
	const ask = request(`${house.url}/api/v1/live`);
	ask.on('response', (reply) => reply.resume()).on('error', () => {}).end();
	return ask;
});
await waitFor(async () => /foyer_live_listeners 200/.test((await house.get('/metrics')).text), '200 listeners');
const ticks = () => readFileSync(`/proc/${house.webd.pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, t) => sum + Number(t), 0);
const publisher = spawn('mosquitto_pub', ['-p', String(house.port), '-t', 'foyer/busy/air/temperature', '-l'], { stdio: ['pipe', 'ignore', 'ignore'] });
const began = Date.now(), before = ticks();
while (Date.now() - began < seconds * 1000) {
	publisher.stdin.write(`${(20 + Math.random()).toFixed(2)}\n`);
	await sleep(20);
}
const share = (ticks() - before) / ((Date.now() - began) / 10);
const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${house.webd.pid}/status`, 'utf8'))[1]) / 1024;
publisher.stdin.end();
for (const stream of streams) stream.destroy();
figure('200 streams, 50 readings a second: of one core', share * 100, '%', '< 10', share < 0.1);
figure('memory of webd then', rss, 'MB', '<= 20', rss <= 20);

// ---- a click until the node's word -----------------------------------------------------------------------------------------------------------------

await house.startNode('salon', { lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' } });
await waitFor(async () => (await house.command('salon', 'lamp', 'switch', 1)).status === 200, 'the lamp obeys');
const times = [];
for (let i = 0; i < 200; i++) {
	const start = performance.now();
	await house.command('salon', 'lamp', 'switch', i % 2);
	times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
figure('click to confirmed state through broker and node, p99 of 200', times[198], 'ms', '<= 50', times[198] <= 50);

mkdirSync(build, { recursive: true });
writeFileSync(join(build, 'bench-web.json'), `${JSON.stringify({ time: new Date().toISOString(), figures }, null, '\t')}\n`);
await house.close();
