// How webd behaves towards strangers: methods, parameters, sizes, caching, compression, paths, headers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { House, root, slurp, test, waitFor } from '../lib/house.mjs';
import { ask, say } from '../lib/raw_http.mjs';

const house = new House();
const start = Date.UTC(2026, 0, 15);

await house.startBroker();
await house.startCollector();
await house.startWebd();
after(() => house.close());
await house.pubLines(
	'salon/bme280/temperature',
	Array.from({ length: 300 }, (_, i) => `{"value":${20 + (i % 50) / 10},"time":${start + i * 60000}}`),
);
await house.pub('salon/door/contact', 'open');
await house.stored('salon', 'bme280', 'temperature', 300);
await waitFor(async () => (await house.get('/series/salon/bme280/temperature')).status === 200, 'webd knows the series');

const get = (path, options) => ask(house.url, path, options);

for (const path of [
	'/nothing',
	'/node',
	'/node/',
	'/node/nobody',
	'/node/a/b',
	'/series/salon/bme280',
	'/series/salon/bme280/humidity',
	'/api/v1',
	'/api/v1/nothing',
	'/static/',
	'/static/nothing.css',
	'/static',
	'/javascript/other.js',
	'/index.html',
	'//',
	'/api/v1/history.xml',
])
	test(`404 for ${path}`, async () => {
		const reply = await get(path);

		assert.equal(reply.status, 404);
		if (path.startsWith('/api/')) assert.ok(JSON.parse(reply.body).error);
		else assert.match(reply.headers['content-type'], /^text\/html/);
	});

for (const [method, path, allow] of [
	['POST', '/', ['GET', 'HEAD']],
	['DELETE', '/node/salon', ['GET', 'HEAD']],
	['PUT', '/api/v1/nodes', ['GET', 'HEAD']],
	['GET', '/api/v1/command', ['POST']],
	['GET', '/command', ['POST']],
	['POST', '/static/style.css', ['GET', 'HEAD']],
	['PATCH', '/metrics', ['GET', 'HEAD']],
	['POST', '/api/v1/live', ['GET', 'HEAD']],
])
	test(`405 with Allow for ${method} ${path}`, async () => {
		const reply = await get(path, { method });

		assert.equal(reply.status, 405);
		for (const word of allow)
			assert.ok(reply.headers.allow.split(/, */).includes(word), `Allow: ${reply.headers.allow}`);
	});

const SERIES = 'series=salon/bme280/temperature';
for (const [query, key] of [
	['', 'series'],
	['series=', 'series'],
	['series=salon', 'series'],
	['series=Salon/x/y', 'series'],
	['series=a/b/c/d', 'series'],
	[`${SERIES}&last=0`, 'last'],
	[`${SERIES}&last=-1`, 'last'],
	[`${SERIES}&last=ten`, 'last'],
	[`${SERIES}&last=999999999999999999999`, 'last'],
	[`${SERIES}&last=1e3`, 'last'],
	[`${SERIES}&from=yesterday`, 'from'],
	[`${SERIES}&from=${start}&to=soon`, 'to'],
	[`${SERIES}&from=${start}&to=${start + 1000}&points=abc`, 'points'],
	[`${SERIES}&from=${start + 1000}&to=${start}`, 'from'],
])
	test(`400 with which and why for history?${query}`, async () => {
		const reply = await get(`/api/v1/history?${query}`);
		const { error } = JSON.parse(reply.body);

		assert.equal(reply.status, 400, error);
		assert.match(error, new RegExp(key));
		assert.ok(error.length > key.length + 8, error);
	});

test('an unknown series of a history is 404', async () => {
	assert.equal((await get('/api/v1/history?series=salon/bme280/pressure')).status, 404);
	assert.equal((await get('/api/v1/history.csv?series=ghost/x/temperature')).status, 404);
});

test('histories: last, span with few points, CSV', async () => {
	const last = (await house.json(`/api/v1/history?${SERIES}&last=100`)).series[0];
	const span = (await house.json(`/api/v1/history?${SERIES}&from=${start}&to=${start + 300 * 60000}&points=50`)).series[0];
	const csv = await house.get(`/api/v1/history.csv?${SERIES}&from=${start}&to=${start + 300 * 60000}`);

	assert.equal(last.points.length, 100);
	assert.deepEqual(last.points.at(-1), [start + 299 * 60000, 20 + (299 % 50) / 10]);
	assert.ok(span.resolution > 0 && span.points.length <= 50 && span.points.length > 10);
	assert.ok(span.points.every(([, mean, min, max]) => mean === null || (min <= mean && mean <= max)));
	assert.match(csv.headers.get('content-type'), /^text\/csv/);
	assert.ok(csv.text.trim().split('\n').length >= 300);
});

test('HEAD has the headers of GET and no body', async () => {
	for (const path of ['/', '/static/style.css', '/api/v1/latest', '/nothing']) {
		const full = await get(path);
		const head = await get(path, { method: 'HEAD' });

		assert.equal(head.status, full.status);
		assert.equal(head.body.length, 0);
		assert.equal(head.headers['content-type'], full.headers['content-type']);
		assert.equal(head.headers.etag, full.headers.etag);
	}
});

test('a body over 64 KiB is 413, whether it is announced or just comes', async () => {
	const headers = { 'content-type': 'application/json' };
	const body = JSON.stringify({ value: 'x'.repeat(65 * 1024) });

	assert.equal((await get('/api/v1/command', { method: 'POST', headers, body })).status, 413);
	assert.equal(
		(
			await get('/command', {
				method: 'POST',
				headers: { 'content-type': 'application/x-www-form-urlencoded' },
				body: `value=${'x'.repeat(70000)}`,
			})
		).status,
		413,
	);
	const chunked = `POST /api/v1/command HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(
		6,
	)}0\r\n\r\n`;
	assert.match(await say(house.url, chunked), /^HTTP\/1\.1 413 /);
	assert.match(
		await say(
			house.url,
			'POST /api/v1/command HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\nx',
		),
		/^HTTP\/1\.1 413 /,
	);
});

test('static files have an ETag, answer 304, and may be kept', async () => {
	const first = await get('/static/style.css');

	assert.equal(first.status, 200);
	assert.match(first.headers.etag, /^"[^"]+"$/);
	assert.ok(first.headers['cache-control']);
	const again = await get('/static/style.css', { headers: { 'if-none-match': first.headers.etag } });
	assert.equal(again.status, 304);
	assert.equal(again.body.length, 0);
	assert.equal((await get('/static/style.css', { headers: { 'if-none-match': '"other"' } })).status, 200);
	assert.equal(
		(await get('/static/style.css', { headers: { 'if-none-match': `"other", W/${first.headers.etag}` } })).status,
		304,
	);
	const href = /href="(\/static\/style\.css\?v=[^"]+)"/.exec((await house.get('/')).text)[1];
	assert.match((await get(href)).headers['cache-control'], /max-age=\d{7,}/);
	for (const path of ['/', '/api/v1/latest', '/node/salon'])
		assert.match((await get(path)).headers['cache-control'], /no-(store|cache)/, path);
});

test('gzip where it pays, and only for who takes it', async () => {
	const css = await get('/static/style.css', { headers: { 'accept-encoding': 'gzip, br' } });
	const page = await get('/', { headers: { 'accept-encoding': 'gzip' } });
	const small = await get('/healthz', { headers: { 'accept-encoding': 'gzip' } });
	const plain = await get('/static/style.css');

	assert.equal(css.headers['content-encoding'], 'gzip');
	assert.equal(gunzipSync(css.body).toString(), slurp(join(root, 'web/static/style.css')));
	assert.match(css.headers.vary, /accept-encoding/i);
	assert.ok(css.body.length < plain.body.length / 2);
	assert.equal(page.headers['content-encoding'], 'gzip');
	assert.match(gunzipSync(page.body).toString(), /<\/html>/);
	assert.equal(small.headers['content-encoding'], undefined);
	assert.equal(plain.headers['content-encoding'], undefined);
	assert.equal(
		(await get('/static/style.css', { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'],
		undefined,
	);
});

test('no path leads out of web/static', async () => {
	const outside = [
		'../templates/top.mustache',
		'..%2ftemplates/top.mustache',
		'%2e%2e/templates/top.mustache',
		'%2e%2e%2ftemplates%2ftop.mustache',
		'..%5ctemplates%5ctop.mustache',
		'%252e%252e/templates/top.mustache',
		'./../templates/top.mustache',
		'x/../../templates/top.mustache',
		'....//templates/top.mustache',
		'..;/templates/top.mustache',
		'/etc/passwd',
		'../../../../../../../../etc/passwd',
		'..%c0%af../etc/passwd',
		'.',
		'..',
		'%00',
		'style.css%00.png',
		'.htaccess',
	];

	for (const path of outside) {
		const reply = await get(`/static/${path}`);

		assert.ok([400, 404].includes(reply.status), `${path}: ${reply.status}`);
		assert.doesNotMatch(reply.body.toString(), /root:|\{\{/, path);
	}
	assert.ok([400, 404].includes((await get('/static/../../../../etc/passwd')).status));
});

test('every reply has the headers of a careful site', async () => {
	for (const path of ['/', '/nothing', '/static/style.css', '/api/v1/latest', '/api/v1/history', '/metrics']) {
		const { headers } = await get(path);
		const policy = headers['content-security-policy'];

		assert.equal(headers['x-content-type-options'], 'nosniff', path);
		assert.ok(headers['referrer-policy'], path);
		assert.match(policy, /frame-ancestors 'none'/, path);
		assert.match(policy, /(default|script)-src 'self'|default-src 'none'/, path);
		assert.doesNotMatch(/script-src[^;]*/.exec(policy)?.[0] ?? policy, /unsafe-inline|unsafe-eval/, path);
	}
});

test('garbage on the wire is answered or dropped, and harms nothing', async () => {
	for (const bytes of [
		'\r\n\r\n',
		'GET\r\n\r\n',
		`GET /${'a'.repeat(100000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
		`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(5000)}\r\n`,
		'\0\x01\x02\x03'.repeat(100),
		'GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n',
		'GET /node/%zz HTTP/1.1\r\nHost: x\r\n\r\n',
		'POST /api/v1/command HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
		'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
		'GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n',
	])
		await say(house.url, bytes, 300).catch(() => '');
	assert.equal((await get('/healthz')).status, 200);
});

test('names in a URL never become markup', async () => {
	const reply = await get('/node/%3Cscript%3Ealert(1)%3C%2Fscript%3E');

	assert.equal(reply.status, 404);
	assert.doesNotMatch(reply.body.toString(), /<script>alert/);
});

test('what a page without JavaScript needs is in the HTML', async () => {
	const page = (await house.get('/node/salon', { headers: { 'accept-language': 'en' } })).text;

	assert.match(page, /bme280\/temperature/);
	assert.match(page, /24\.9/);
	assert.match(page, /<time datetime="2026-01-15T04:59/);
	assert.match(page, /Open/);
});

test('the language follows the browser', async () => {
	assert.match((await house.get('/', { headers: { 'accept-language': 'fr-CA,fr;q=0.9' } })).text, /<html lang="fr"/);
	assert.match((await house.get('/', { headers: { 'accept-language': 'en-GB' } })).text, /<html lang="en"/);
});

test('/metrics is Prometheus text, /healthz says ok', async () => {
	const metrics = await get('/metrics');
	const health = await get('/healthz');

	assert.match(metrics.headers['content-type'], /^text\/plain/);
	for (const line of metrics.body.toString().trim().split('\n'))
		assert.match(
			line,
			/^(# (HELP|TYPE) [a-z_:]+ .*|[a-z_:][a-z0-9_:]*(\{([a-z_]+="[^"\n]*",?)*\})? -?[0-9.e+-]+( \d+)?)$/,
		);
	assert.match(metrics.body.toString(), /temperature/);
	assert.equal(health.status, 200);
});

test('thirty requests at once on one connection each, and kept alive', async () => {
	const replies = await Promise.all(
		Array.from({ length: 30 }, (_, i) => house.get(i % 2 ? '/' : `/api/v1/history?${SERIES}&last=100`)),
	);

	assert.ok(replies.every((reply) => reply.status === 200));
});
