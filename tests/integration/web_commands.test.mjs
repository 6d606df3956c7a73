// Orders by HTTP and what the event stream tells: from a request to a relay and back.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { House, test, waitFor } from '../lib/house.mjs';
import { Live } from '../lib/live.mjs';

const house = new House();

await house.startBroker();
await house.startCollector();
await house.startWebd();
await house.startNode('salon', {
	lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' },
	servo: { driver: 'sim', quantities: 'position', 'position.output': 'range', 'position.max': 180, interval: '1h' },
	siren: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', 'switch.confirm': 'yes', interval: '1h' },
	sign: { driver: 'sim', quantities: 'text', 'text.output': 'text', interval: '1h' },
	rude: {
		driver: 'sim',
		quantities: 'switch',
		'switch.output': 'switch',
		answer: 'refuse',
		reason: 'fuse blown',
		interval: '1h',
	},
	mute: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', answer: 'silent', interval: '1h' },
	air: { driver: 'sim', quantities: 'temperature', interval: '1h' },
});
after(() => house.close());
await waitFor(async () => {
	const [node] = (await house.json('/api/v1/nodes')).nodes;

	return node?.devices.length === 7 && node.status === 'online';
}, 'webd knows the node');

const command = async (...words) => {
	const reply = await house.command(...words);

	return { status: reply.status, ...JSON.parse(reply.text) };
};
const live = async (headers) => new Live(`${house.url}/api/v1/live`, headers).opened();

test("200 with the node's own result", async () => {
	const reply = await command('salon', 'lamp', 'switch', 1);

	assert.deepEqual([reply.status, reply.ok, reply.value], [200, true, 1]);
	assert.ok(reply.id && Number.isInteger(reply.time) && reply.latency_ms >= 0);
	assert.equal((await command('salon', 'lamp', 'switch', 'off')).value, 0);
	assert.equal((await command('salon', 'lamp', 'switch', true)).value, 1);
	assert.equal((await command('salon', 'sign', 'text', '<b>Bonsoir</b>')).value, '<b>Bonsoir</b>');
	await waitFor(
		async () => (await house.rows(`SELECT ok FROM command WHERE command_id = '${reply.id}' AND ok = 1`))[0],
		'the command log, and in it, with a later commit perhaps, the result',
	);
});

for (const [name, words, status, reason] of [
	['a value over the maximum', ['salon', 'servo', 'position', 181], 400, /over 180/],
	['a value of the wrong kind', ['salon', 'lamp', 'switch', 'bright'], 400, /bright|0/],
	['null', ['salon', 'lamp', 'switch', null], 400, /value/],
	['no value', ['salon', 'lamp', 'switch', undefined], 400, /value/],
	['a bad name', ['Salon!', 'lamp', 'switch', 1], 404, /names are/],
	['a name that is a number', [5, 'lamp', 'switch', 1], 400, /node/],
	['a sensor', ['salon', 'air', 'temperature', 1], 404, /output/],
	['a device that is not there', ['salon', 'ghost', 'switch', 1], 404, /output/],
	['a node that is not there', ['ghost', 'lamp', 'switch', 1], 404, /output/],
])
	test(`${status} with the reason for an order with ${name}`, async () => {
		const reply = await command(...words);

		assert.equal(reply.status, status, JSON.stringify(reply));
		assert.match(reply.error, reason);
	});

for (const [name, body] of [
	['no JSON', 'value=1'],
	['an empty body', ''],
	['an array', '[]'],
	['a deep one', '['.repeat(5000)],
	['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
])
	test(`400 for ${name} instead of an order`, async () => {
		const reply = await house.get('/api/v1/command', {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body,
		});

		assert.equal(reply.status, 400, reply.text);
		assert.ok(JSON.parse(reply.text).error);
	});

test('what the device refuses is told in its own words', async () => {
	const reply = await command('salon', 'rude', 'switch', 1);

	assert.ok(reply.status >= 400 && reply.status < 500, `${reply.status}`);
	assert.match(reply.error, /fuse blown/);
});

test('504 when the output gives no answer', async () => {
	const reply = await command('salon', 'mute', 'switch', 1);

	assert.equal(reply.status, 504);
	assert.ok(reply.error);
});

test('a form gets its answer by redirect, and never leads elsewhere', async () => {
	const send = (fields, headers = {}) =>
		house.get('/command', { method: 'POST', headers, body: new URLSearchParams(fields) });
	const order = { node: 'salon', device: 'lamp', quantity: 'switch', value: '0' };
	const reply = await send({ ...order, back: '/node/salon' });

	assert.equal(reply.status, 303);
	assert.match(reply.headers.get('location'), /^\/node\/salon\?outcome=/);
	assert.equal((await house.get(reply.headers.get('location'))).status, 200);
	for (const back of [
		'//evil.example/',
		'https://evil.example/',
		'/\\evil.example',
		'javascript:alert(1)',
		'/a\r\nSet-Cookie: x=1',
	])
		assert.match((await send({ ...order, back })).headers.get('location'), /^\/(\?|$|[a-z])/, back);
	assert.equal(
		(await send({ ...order, back: '/' }, { origin: 'https://evil.example' })).status,
		403,
		'a form of another site',
	);
	const refused = await send({ ...order, device: 'servo', quantity: 'position', value: '500', back: '/node/salon' });
	assert.match((await house.get(refused.headers.get('location'), { headers: { 'accept-language': 'en' } })).text, /over 180/);
});

test('the event stream tells readings, node status and results as they come', async () => {
	const stream = await live();

	assert.match(stream.type, /^text\/event-stream/);
	await house.pub('cave/air/temperature', '11.5');
	const reading = await stream.heard('reading', (data) => data.series === 'cave/air/temperature', 'the reading');
	assert.equal(reading.data.value, 11.5);
	assert.ok(Math.abs(reading.data.time - Date.now()) < 5000);
	await house.pub('grange/$status', 'online', { retain: true });
	await stream.heard('node', (data) => data.node === 'grange' && data.status === 'online', 'the node');
	const { id } = await command('salon', 'lamp', 'switch', 1);
	const result = await stream.heard('result', (data) => data.id === id, 'the result');
	assert.deepEqual([result.data.series, result.data.ok, result.data.value], ['salon/lamp/switch', true, 1]);
	assert.ok(result.data.latency_ms >= 0);
	await command('salon', 'rude', 'switch', 1);
	await stream.heard('result', (data) => data.ok === false && /fuse blown/.test(data.error), 'the refusal');
	assert.ok(
		stream.events.every((event) => event.id),
		'each has an id',
	);
	await stream.stop();
});

test('Last-Event-ID resumes without a gap and without repeating', async () => {
	const first = await live();

	await house.pubLines('cave/air/humidity', ['41', '42']);
	const at = await first.heard('reading', (data) => data.value === 42, 'the second');
	await first.stop();
	await house.pubLines('cave/air/humidity', ['43', '44', '45']); // within a millisecond or two, and nobody listens
	const whole = await live();
	await house.pub('cave/air/humidity', '46');
	await whole.heard('reading', (data) => data.value === 46, 'the last');
	const second = await live({ 'last-event-id': at.id });
	await second.heard('reading', (data) => data.series === 'cave/air/humidity' && data.value === 46, 'the last');
	const values = second.events.filter((event) => event.data?.series === 'cave/air/humidity').map((event) => event.data.value);
	assert.deepEqual(values, [43, 44, 45, 46]);
	assert.ok(!second.events.some((event) => event.event === 'reset'));
	const lost = await live({ 'last-event-id': '1-of-another-life' });
	await waitFor(() => lost.events.some((event) => event.event === 'reset'), 'an unknown id is told to read anew');
	for (const stream of [whole, second, lost]) await stream.stop();
});

test('what happens while a page is on its way is told by the stream that it opens', async () => {
	const page = (await house.get('/')).text;
	const [, at] = /data-live="([^"]+)"/.exec(page);

	await house.pubLines('cave/air/pressure', ['1001', '1002']);
	await waitFor(async () => {
		const { series } = await house.json('/api/v1/latest');
		return series.some(({ device, quantity, value }) => device === 'air' && quantity === 'pressure' && value === 1002);
	}, 'webd has heard it');
	const stream = new Live(`${house.url}/api/v1/live?after=${at}`);
	await stream.opened();
	await stream.heard('reading', (data) => data.series === 'cave/air/pressure' && data.value === 1002, 'the second');
	const values = stream.events.filter((event) => event.data?.series === 'cave/air/pressure').map((event) => event.data.value);
	assert.deepEqual(values, [1001, 1002]);
	await stream.stop();
});

test('a comment comes every 15 s, so that nobody takes silence for death', { deadline: 40000 }, async () => {
	const stream = await live();

	await waitFor(() => stream.comments > 0, 'a comment', 20000);
	await stream.stop();
});

test('a client that leaves is forgotten', async () => {
	const listeners = async () => Number(/listeners\S* (\d+)/.exec((await house.get('/metrics')).text)?.[1]);
	const before = await listeners();
	const streams = await Promise.all(Array.from({ length: 5 }, () => live()));

	await waitFor(async () => (await listeners()) === before + 5, 'five more');
	await Promise.all(streams.map((stream) => stream.stop()));
	await waitFor(async () => (await listeners()) === before, 'as many as before');
});

const HOSTILE = '"><img src=x onerror=window.pwned=1><script>window.pwned=1</script>{{{x}}}\'';

test('hostile labels never become markup', { deadline: 60000 }, async () => {
	const info = {
		label: HOSTILE,
		icon: HOSTILE,
		version: HOSTILE,
		devices: {
			lamp: {
				label: HOSTILE,
				icon: HOSTILE,
				driver: HOSTILE,
				quantities: {
					switch: { label: HOSTILE, icon: HOSTILE, unit: HOSTILE, output: 'switch' },
					level: { label: HOSTILE, output: 'range', min: 0, max: HOSTILE, step: -1 },
					'<b>': { output: 'switch' },
					text: { output: 'text' },
				},
			},
			'"><script>': { quantities: { temperature: {} } },
		},
	};

	await house.pub('mechant/$info', JSON.stringify(info), { retain: true });
	await house.pub(
		'mechant/$health',
		JSON.stringify({ uptime: 5, devices: { lamp: { ok: false, error: HOSTILE, since: 1 } } }),
		{ retain: true, qos: 0 },
	);
	await house.pub('mechant/$status', 'online', { retain: true });
	await house.pub('mechant/lamp/text', JSON.stringify({ value: HOSTILE }));
	await house.pub('mechant/lamp/switch', '1');
	await house.stored('mechant', 'lamp', 'text', 1);
	await waitFor(async () => (await house.get('/node/mechant')).status === 200, "the node's page");
	const browser = await openBrowser();
	const page = await openPage(browser);

	for (const path of ['/', '/node/mechant', '/series/mechant/lamp/text', '/series/mechant/lamp/switch']) {
		const { text, status } = await house.get(path);

		assert.equal(status, 200, path);
		assert.doesNotMatch(text, /<img src=x|<script>window/, path);
		await page.goto(house.url + path);
		await page.waitForFunction(() => document.readyState === 'complete');
	}
	await page.goto(`${house.url}/node/mechant`);
	await house.pub('mechant/lamp/text', JSON.stringify({ value: `${HOSTILE} again` })); // live, by script
	await house.pub('mechant/lamp/switch/result', JSON.stringify({ id: 'x', ok: false, error: HOSTILE }));
	await page.waitForFunction(
		() =>
			document.body.textContent.includes('again') ||
			[...document.querySelectorAll('input')].some((input) => input.value.includes('again')),
	);
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	assert.equal(await page.locator('img[src=x]').count(), 0);
	await browser.close();
});

test('409 when the node is offline, and its page says so', async () => {
	await house.nodes.salon.kill();
	await waitFor(
		async () => (await house.json('/api/v1/nodes')).nodes.find((node) => node.name === 'salon').status === 'offline',
		'webd knows',
	);
	const reply = await command('salon', 'lamp', 'switch', 1);

	assert.equal(reply.status, 409);
	assert.ok(reply.error);
	assert.match((await house.get('/node/salon', { headers: { 'accept-language': 'en' } })).text, /[Oo]ffline/);
	await house.startNodeFile('salon', `${house.folder}/salon.conf`);
	await waitFor(async () => (await command('salon', 'lamp', 'switch', 1)).status === 200, 'it obeys again');
});

test('503 without a broker, the stream says so, and the pages go on from the store', async () => {
	const stream = await live();

	await house.broker.stop();
	await stream.heard('broker', (data) => data.up === false, 'the broker is gone');
	assert.equal((await command('salon', 'lamp', 'switch', 1)).status, 503);
	assert.equal((await house.get('/')).status, 200);
	assert.match((await house.get('/series/cave/air/humidity')).text, /46/);
	assert.equal((await house.json('/api/v1/history?series=cave/air/humidity')).series[0].points.length >= 6, true);
	await house.startBroker();
	await stream.heard('broker', (data) => data.up === true, 'the broker is back');
	await waitFor(async () => (await command('salon', 'lamp', 'switch', 0)).status === 200, 'orders are obeyed again', 45000);
	await stream.stop();
});
