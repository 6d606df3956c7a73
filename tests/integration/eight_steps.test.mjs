// The household's own specification, step by step, on real parts: Mosquitto, SQLite, Chromium.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { House, program, root, run, slurp, test, waitFor } from '../lib/house.mjs';

const house = new House();

await house.startBroker();
await house.startCollector();
await house.startWebd();
await house.startNode(
	'atelier',
	{
		air: { driver: 'sim', quantities: 'temperature humidity', interval: '100ms' },
		lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', 'switch.label': 'Lampe', interval: '1h' },
	},
	{ node: { label: 'Atelier' } },
);
const browser = await openBrowser();
after(async () => {
	await browser.close();
	await house.close();
});

test('step 1: notation round-trips', async () => {
	const bus = await house.listen('foyer/#');

	// From a node's mouth: topic, quality of service and payload are as the notation says.
	const live = await bus.heard(
		(message) => message.topic === 'foyer/atelier/air/temperature' && !message.retain,
		'a reading',
	);
	const reading = JSON.parse(live.text);
	assert.equal(live.qos, 1);
	assert.deepEqual(Object.keys(reading).sort(), ['seq', 'time', 'unit', 'value']);
	assert.equal(reading.unit, '°C');
	assert.ok(Number.isInteger(reading.time) && Math.abs(reading.time - Date.now()) < 5000);
	assert.ok(Number.isInteger(reading.seq) && reading.seq > 0);
	assert.equal((await bus.heard((message) => message.topic === 'foyer/atelier/$status', '$status')).text, 'online');
	assert.equal(
		JSON.parse((await bus.heard((message) => message.topic === 'foyer/atelier/$info', '$info')).text).label,
		'Atelier',
	);

	// Said again by somebody else, word for word, it means the same: the store knows it already.
	const rows = () =>
		house.rows(
			`SELECT q.value FROM temperature AS q JOIN series AS s ON s.id = q.series WHERE s.node = 'atelier' AND q.time = ${reading.time}`,
		);
	await waitFor(async () => (await rows()).length === 1, 'the reading is stored');
	await house.pub('atelier/air/temperature', live.text);
	await house.settled();
	assert.deepEqual(await rows(), [{ value: reading.value }]);
	assert.deepEqual(await house.rows('SELECT * FROM rejected'), []);

	// A command there, its result back, the receipt to the node.
	await house.pub('atelier/lamp/switch/set', '{"value":1,"id":"7f3a","by":"test"}');
	const result = JSON.parse((await bus.heard((message) => message.topic.endsWith('/switch/result'), 'the result')).text);
	assert.deepEqual([result.id, result.ok, result.value], ['7f3a', true, 1]);
	const receipted = (message) =>
		message.topic === 'foyer/atelier/$stored' &&
		JSON.parse(message.text).seq.some(([first, last]) => first <= reading.seq && reading.seq <= last);
	await bus.heard(receipted, 'a receipt for the reading');
	await bus.stop();
});

test('step 2: a simulated message by mosquitto_pub reaches the broker', async () => {
	const listener = await house.listen('foyer/salon/bme280/temperature');

	await house.pub('salon/bme280/temperature', '24');
	assert.equal((await listener.heard(() => true, 'the message')).text, '24');
	await listener.stop();
});

test('step 3: a simulated message by mosquitto_pub reaches the SQLite file', async () => {
	await house.pub('salon/dht22/temperature', '23.5');
	const [row] = await house.stored('salon', 'dht22', 'temperature', 1);

	assert.equal(row.value, 23.5);
	assert.ok(Math.abs(row.time - Date.now()) < 10000);
});

test('step 4: static page', async () => {
	const reply = await house.get('/static/favicon.svg');

	assert.equal(reply.status, 200);
	assert.match(reply.headers.get('content-type'), /^image\/svg\+xml/);
	assert.equal(reply.text, slurp(join(root, 'web/static/favicon.svg')));
});

// Renders a template by webd's own command.
async function render(text, data, partials = {}) {
	const folder = join(house.folder, 'templates');

	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, 'page.mustache'), text);
	for (const [name, partial] of Object.entries(partials)) writeFileSync(join(folder, `${name}.mustache`), partial);
	writeFileSync(join(folder, 'data.json'), JSON.stringify(data));
	return run(program('webd'), ['--render', join(folder, 'page.mustache'), '--data', join(folder, 'data.json')]);
}

test('step 4: static template', async () => {
	const text = '<!doctype html>\n<p>Bonjour {not a tag}, é &amp; so on.</p>\n';
	const result = await render(text, {});

	assert.equal(result.code, 0, result.stderr);
	assert.equal(result.stdout, text);
});

test('step 4: template with a variable', async () => {
	const result = await render(
		'<p>{{greeting}} {{{raw}}}</p>{{#list}}[{{.}}]{{/list}}{{^none}}!{{/none}}{{> foot}}',
		{ greeting: 'a < b & "c"', raw: '<b>', list: [1, 2] },
		{ foot: '<i>{{greeting}}</i>' },
	);

	assert.equal(result.code, 0, result.stderr);
	assert.equal(result.stdout, '<p>a &lt; b &amp; &quot;c&quot; <b></p>[1][2]!<i>a &lt; b &amp; &quot;c&quot;</i>');
});

test('step 4: a wrong template is told with file and line, and fails', async () => {
	const result = await render('one\n{{#open}}\n', {});

	assert.equal(result.code, 1);
	assert.match(result.stderr, /page\.mustache:\d+: .*open/);
});

test('step 4: value from the database without template', async () => {
	await house.pub('salon/bme280/humidity', '{"value":51.5}');
	const [row] = await house.stored('salon', 'bme280', 'humidity', 1);
	const { series } = await waitFor(async () => {
		const reply = await house.json('/api/v1/history?series=salon/bme280/humidity&last=10').catch(() => null);
		return reply?.series[0]?.points.length === 1 && reply;
	}, 'webd reads it');

	assert.deepEqual(series[0].points, [[row.time, 51.5]]);
	assert.deepEqual(
		[series[0].node, series[0].device, series[0].quantity, series[0].unit, series[0].resolution],
		['salon', 'bme280', 'humidity', '%', 0],
	);
});

test('step 4: value from the database with template', async () => {
	await house.webd.stop(); // what it shows after this comes from the file
	await house.startWebd();
	const page = await house.get('/', { headers: { 'accept-language': 'en' } });

	assert.equal(page.status, 200);
	assert.match(page.text, /data-series="salon\/dht22\/temperature"[\s\S]*?23\.5/);
	assert.match((await house.get('/node/salon')).text, /salon\/bme280\/humidity/);
	assert.match((await house.get('/series/salon/dht22/temperature', { headers: { 'accept-language': 'fr' } })).text, /23,5/);
});

test('step 5: node-agent publishes regularly and it is stored', async () => {
	const rows = await house.stored('atelier', 'air', 'temperature', 20);
	const steps = rows
		.slice(1)
		.map((row, i) => row.time - rows[i].time)
		.sort((a, b) => a - b);

	assert.ok(Math.abs(steps[steps.length >> 1] - 100) <= 20, `every 100 ms, not ${steps[steps.length >> 1]}`);
	assert.ok(rows.every((row) => row.value > 10 && row.value < 35));
	assert.ok((await house.stored('atelier', 'air', 'humidity', 20)).every((row) => row.value > 20 && row.value < 80));
});

test('step 6: the last 100 temperatures and humidities in one chart, each with its own axis', async () => {
	const start = Date.now() - 3600000;
	const readings = (value) =>
		Array.from({ length: 150 }, (_, i) => JSON.stringify({ value: value(i), time: start + i * 20000 }));
	await house.pubLines(
		'cave/bme280/temperature',
		readings((i) => 12 + (i % 40) / 10),
	);
	await house.pubLines(
		'cave/bme280/humidity',
		readings((i) => 60 + (i % 25)),
	);
	const expected = {};

	for (const quantity of ['temperature', 'humidity'])
		expected[quantity] = (await house.stored('cave', 'bme280', quantity, 150))
			.slice(-100)
			.map((row) => ({ x: row.time, y: row.value }));
	const page = await openPage(browser);
	await page.goto(`${house.url}/series/cave/bme280/temperature`);
	await page.waitForFunction(() => window.foyerChart?.data.datasets.length === 2);
	const drawn = await page.evaluate(() =>
		window.foyerChart.data.datasets.map((set) => ({
			key: set.key,
			axis: set.yAxisID,
			data: set.data.map(({ x, y }) => ({ x, y })),
			range: [window.foyerChart.scales[set.yAxisID].min, window.foyerChart.scales[set.yAxisID].max],
		})),
	);

	for (const quantity of ['temperature', 'humidity'])
		assert.deepEqual(drawn.find((set) => set.key === `cave/bme280/${quantity}`)?.data, expected[quantity]);
	assert.notEqual(drawn[0].axis, drawn[1].axis);
	for (const set of drawn)
		assert.ok(
			set.data.every(({ y }) => y >= set.range[0] && y <= set.range[1]),
			'each fits its axis',
		);
	// Something is drawn: the canvas is not of one colour.
	assert.ok(
		await page.evaluate(() => {
			const canvas = document.getElementById('chart');
			return new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size > 10;
		}),
	);
	assert.deepEqual(page.complaints, []);
	assert.deepEqual([...page.hosts], [new URL(house.url).host], 'nothing comes from another host');

	// A new reading joins the chart as it comes.
	await house.pub('cave/bme280/temperature', '19.25');
	await page.waitForFunction(() =>
		window.foyerChart.data.datasets.some((set) => set.data.at(-1)?.y === 19.25 && set.data.length <= 101),
	);
	await page.context().close();
});

test('step 7: an order from the web page reaches the node and its answer the page', async () => {
	const bus = await house.listen('foyer/atelier/lamp/#');
	const page = await openPage(browser);
	const control = page.locator('form[data-series="atelier/lamp/switch"]');
	const lamp = control.getByRole('switch');

	await page.goto(`${house.url}/node/atelier`);
	const before = await lamp.getAttribute('aria-checked');
	const wanted = before === 'true' ? 0 : 1;
	const heard = bus.messages.length;
	await lamp.click();
	const since = (topic) =>
		waitFor(() => bus.messages.slice(heard).find((message) => message.topic === `foyer/atelier/lamp/${topic}`), topic);
	assert.equal(JSON.parse((await since('switch/set')).text).value, wanted);
	const result = JSON.parse((await since('switch/result')).text);
	assert.deepEqual([result.ok, result.value], [true, wanted]);
	await page.waitForFunction(
		([was]) =>
			document
				.querySelector('form[data-series="atelier/lamp/switch"] [role=switch]')
				.getAttribute('aria-checked') !== was,
		[before],
	);
	await page.waitForFunction(
		() => document.querySelector('form[data-series="atelier/lamp/switch"]').dataset.state !== 'pending',
	);
	assert.deepEqual(page.complaints, []);
	await page.reload();
	assert.equal(await lamp.getAttribute('aria-checked'), String(wanted === 1), 'so says the server too');
	await page.context().close();
	await bus.stop();
});

test('step 7: the same with JavaScript switched off', async () => {
	const page = await openPage(browser, { javaScriptEnabled: false });
	const control = page.locator('form[data-series="atelier/lamp/switch"]');

	await page.goto(`${house.url}/node/atelier`);
	const before = await control.getByRole('switch').getAttribute('aria-checked');
	const wanted = before === 'true' ? 0 : 1;
	await control.getByRole('switch').click();
	await page.waitForURL(/\/node\/atelier\?outcome=/);
	assert.notEqual(await control.getByRole('switch').getAttribute('aria-checked'), before);
	await waitFor(async () => {
		const [newest] = await house.rows("SELECT value, ok FROM command WHERE device = 'lamp' ORDER BY id DESC LIMIT 1");

		return newest.value === wanted && newest.ok === 1;
	}, 'the command and its result are in the log');
	await page.context().close();
});

test('step 8: the CSS is served and applied', async () => {
	const page = await openPage(browser);

	await page.goto(house.url);
	const [href, loaded] = await page.evaluate(() => [
		document.querySelector('link[rel=stylesheet]').href,
		document.styleSheets[0].cssRules.length,
	]);
	const reply = await fetch(href);
	assert.equal(reply.status, 200);
	assert.match(reply.headers.get('content-type'), /^text\/css/);
	assert.equal(await reply.text(), slurp(join(root, 'web/static/style.css')));
	assert.ok(loaded > 20);
	// A rule of ours decides how it looks: the panel has the surface's colour and round corners, no browser gives those by itself.
	const looks = await page.evaluate(() => {
		const panel = getComputedStyle(document.querySelector('.panel'));
		return {
			radius: parseFloat(panel.borderTopLeftRadius),
			background: panel.backgroundColor,
			body: getComputedStyle(document.body).fontFamily,
		};
	});
	assert.ok(looks.radius > 0);
	assert.notEqual(looks.background, 'rgba(0, 0, 0, 0)');
	assert.doesNotMatch(looks.body, /^"?Times/);
	await page.context().close();
});
