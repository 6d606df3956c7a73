// web/openapi.json is what webd does: every address below /api is described, every answer is as described, and the document is sound.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { House, root, test, waitFor } from '../lib/house.mjs';
import { Visitor, addUser, firstAdministrator } from '../lib/visitor.mjs';

const Ajv = createRequire(`${root}/tests/e2e/package.json`)('ajv/dist/2020').default;
const doc = JSON.parse(readFileSync(join(root, 'web/openapi.json'), 'utf8'));
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const operations = Object.entries(doc.paths).flatMap(([path, item]) =>
	Object.entries(item)
		.filter(([method]) => METHODS.includes(method))
		.map(([method, operation]) => ({ path, method, operation })),
);

// ---- the document ----

function follow(ref) {
	assert.match(ref, /^#\//, `${ref} is in the document itself`);
	return ref
		.slice(2)
		.split('/')
		.reduce((at, word) => at?.[word.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
}

function* everything(at, path = '#') {
	yield [path, at];
	if (at && typeof at === 'object') for (const [key, value] of Object.entries(at)) yield* everything(value, `${path}/${key}`);
}

test('the document is OpenAPI 3.1 in its structure', () => {
	const ids = operations.map(({ operation }) => operation.operationId);

	assert.match(doc.openapi, /^3\.1\.\d+$/);
	assert.ok(doc.info.title && doc.info.version);
	if (doc.info.license) assert.ok(doc.info.license.name && !(doc.info.license.identifier && doc.info.license.url));
	assert.deepEqual(
		Object.keys(doc).filter((key) => !['openapi', 'info', 'jsonSchemaDialect', 'servers', 'paths', 'webhooks', 'components', 'security', 'tags', 'externalDocs'].includes(key)),
		[],
	);
	assert.equal(new Set(ids).size, ids.length, 'each operation has a name of its own');
	for (const { url } of doc.servers ?? []) assert.equal(typeof url, 'string');
	for (const need of [doc.security ?? [], ...operations.map(({ operation }) => operation.security ?? [])].flat())
		for (const name of Object.keys(need)) assert.ok(doc.components.securitySchemes[name], name);
	for (const scheme of Object.values(doc.components.securitySchemes)) {
		if (scheme.type === 'http') assert.ok(scheme.scheme);
		else if (scheme.type === 'apiKey') assert.ok(scheme.name && ['query', 'header', 'cookie'].includes(scheme.in));
		else assert.fail(scheme.type);
	}
	for (const [path, value] of everything(doc)) if (value?.$ref) assert.ok(follow(value.$ref), `${path}: ${value.$ref}`);
	for (const { path, method, operation } of operations) {
		const at = `${method} ${path}`;
		const placed = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

		assert.match(path, /^\//, at);
		assert.ok(operation.operationId && operation.summary, at);
		assert.ok(Object.keys(operation.responses).length > 0, at);
		for (const parameter of operation.parameters ?? []) {
			assert.ok(parameter.name && ['query', 'header', 'path', 'cookie'].includes(parameter.in) && parameter.schema, at);
			if (parameter.in === 'path') assert.ok(parameter.required === true && placed.includes(parameter.name), at);
		}
		for (const [status, response] of Object.entries(operation.responses)) {
			assert.match(status, /^([1-5]\d\d|[1-5]XX|default)$/, at);
			assert.ok(response.description, `${at}: ${status}`);
			for (const [type, media] of Object.entries(response.content ?? {})) assert.ok(type.includes('/') && media.schema, at);
		}
		if (operation.requestBody) assert.ok(Object.keys(operation.requestBody.content).length > 0, at);
	}
});

test('every address below /api is described, and nothing that is not there', () => {
	const routes = [...readFileSync(join(root, 'webd/routes.c'), 'utf8').matchAll(/\{ "([A-Z]+)", "([^"]+)", \w+, SITE_\w+ \}/g)].map(
		([, method, path]) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`,
	);
	const described = operations.map(({ method, path }) => `${method} ${path}`);

	assert.ok(routes.length > 30);
	assert.deepEqual(
		routes.filter((route) => / \/api\//.test(route) && !route.endsWith('/openapi.json') && !described.includes(route)),
		[],
	);
	assert.deepEqual(described.filter((row) => !routes.includes(row)), []);
});

// ---- the answers ----

const ajv = new Ajv({ strict: true, strictTypes: false, strictTuples: false, allErrors: true });
for (const word of ['components', 'discriminator', 'xml', 'externalDocs', 'example']) ajv.addKeyword(word);
ajv.addSchema({ $id: 'doc', components: doc.components }, 'doc');
// References of the document are to itself: the same words under a name that ajv knows.
const compiled = new Map();
function validator(schema) {
	const text = JSON.stringify(schema);

	if (!compiled.has(text)) compiled.set(text, ajv.compile(JSON.parse(text.replaceAll('"#/', '"doc#/'))));
	return compiled.get(text);
}
const seen = new Set();

// Asks, and holds the answer against what is written. Gives its body (parsed when it is JSON).
async function ask(visitor, method, path, { query = '', status, ...options } = {}) {
	const stop = new AbortController();
	const reply = await visitor.fetch(path + query, { method: method.toUpperCase(), signal: stop.signal, ...options });
	const at = `${method} ${path}${query}: ${reply.status}`;
	const response = doc.paths[path][method].responses[reply.status];
	const type = (reply.headers.get('content-type') ?? '').split(';')[0];
	let body = null;

	if (type !== 'text/event-stream') body = await reply.text();
	stop.abort();
	if (status) assert.equal(reply.status, status, `${at} ${body}`);
	assert.ok(response, `${at} is not described: ${body}`);
	seen.add(`${method} ${path} ${reply.status}`);
	for (const [name, header] of Object.entries(response.headers ?? {})) {
		const value = reply.headers.get(name);

		if (header.required || name === 'Retry-After' || name === 'ETag') assert.ok(value !== null, `${at} has ${name}`);
		if (value !== null && header.schema.type === 'integer') assert.match(value, /^\d+$/, at);
	}
	if (!response.content) {
		assert.ok(!body, `${at} has no body`);
		return reply;
	}
	assert.ok(response.content[type], `${at}: ${type} is not described`);
	if (type !== 'application/json') return { body, headers: reply.headers };
	const json = JSON.parse(body);
	const check = validator(response.content[type].schema);
	assert.ok(check(json), `${at}: ${JSON.stringify(check.errors?.slice(0, 3))} in ${body.slice(0, 500)}`);
	return { body: json, headers: reply.headers };
}

const house = new House();
await house.startBroker();
await house.startCollector();
await house.startWebd({ auth: true, set: ['http.trusted_proxy=127.0.0.1', 'http.rate=1'] });
await house.startNode(
	'salon',
	{
		lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' },
		servo: { driver: 'sim', quantities: 'position', 'position.output': 'range', 'position.max': 180, interval: '1h' },
		sign: { driver: 'sim', quantities: 'text', 'text.output': 'text', interval: '1h' },
		siren: { driver: 'sim', quantities: 'switch', 'switch.output': 'button', 'switch.confirm': 'yes', interval: '1h' },
		rude: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', answer: 'refuse', reason: 'fuse blown', interval: '1h' },
		mute: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', answer: 'silent', interval: '1h' },
	},
	{ node: { label: 'Salon', icon: 'sofa' } },
);
const begin = Date.now() - 3 * 3600000;
await house.pubLines(
	'cave/air/temperature',
	Array.from({ length: 500 }, (_, i) => `{"value":${15 + (i % 30) / 10},"time":${begin + i * 10000 + (i > 250 ? 3600000 : 0)}}`),
);
await house.pubLines('cave/door/contact', ['0', '1', '0'].map((value, i) => `{"value":${value},"time":${begin + i * 60000}}`));
await house.pub('cave/reader/badge', '"anna", <b>');
await house.pub('cave/$status', 'online', { retain: true });
await house.stored('cave', 'air', 'temperature', 500);
await house.stored('cave', 'door', 'contact', 3);
const anna = await firstAdministrator(house);
const victor = await addUser(anna, 'victor', 'view');
after(() => house.close());

const order = (value, device = 'lamp', quantity = 'switch', node = 'salon') => ({
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({ node, device, quantity, value }),
});

test('nodes, latest and history answer as described', async () => {
	await waitFor(async () => (await anna.json('/api/v1/nodes')).nodes.find(({ name }) => name === 'salon')?.devices.length === 6, 'the node');
	const nodes = await ask(anna, 'get', '/api/v1/nodes', { status: 200 });
	const latest = await ask(anna, 'get', '/api/v1/latest', { status: 200 });

	assert.deepEqual(nodes.body.nodes.map(({ name }) => name), ['cave', 'salon']);
	assert.ok(latest.body.series.length >= 3);
	const two = await ask(anna, 'get', '/api/v1/latest', { query: '?series=cave/air/temperature,cave/reader/badge', status: 200 });
	assert.deepEqual(two.body.series.map(({ value }) => value), [15 + (499 % 30) / 10, '"anna", <b>']);
	await ask(anna, 'get', '/api/v1/latest', { query: '?series=nonsense', status: 400 });
	await ask(anna, 'get', '/api/v1/latest', { query: '?series=cave/air/pressure', status: 404 });
	for (const query of [
		'?series=cave/air/temperature',
		'?series=cave/air/temperature,cave/door/contact,cave/reader/badge&last=10',
		`?series=cave/air/temperature,cave/door/contact&from=${begin}&points=20`,
		`?series=cave/air/temperature&from=${new Date(begin).toISOString()}&to=${new Date().toISOString()}`,
	])
		await ask(anna, 'get', '/api/v1/history', { query, status: 200 });
	await ask(anna, 'get', '/api/v1/history', { query: '?series=x', status: 400 });
	await ask(anna, 'get', '/api/v1/history', { query: '?series=cave/air/pressure', status: 404 });
	await ask(anna, 'get', '/api/v1/history.csv', { query: '?series=cave/air/temperature', status: 200 });
	await ask(anna, 'get', '/api/v1/history.csv', { query: '?series=', status: 400 });
	await ask(anna, 'get', '/api/v1/history.csv', { query: '?series=cave/air/pressure', status: 404 });
});

test('what a client has already is not sent again', async () => {
	for (const [path, query] of [['/api/v1/nodes', ''], ['/api/v1/latest', ''], ['/api/v1/history', '?series=cave/air/temperature&last=10']]) {
		const { headers } = await ask(anna, 'get', path, { query, status: 200 });

		await ask(anna, 'get', path, { query, status: 304, headers: { 'if-none-match': headers.get('etag') } });
	}
});

test('commands answer as described', { deadline: 60000 }, async () => {
	assert.equal((await ask(anna, 'post', '/api/v1/command', { ...order(1), status: 200 })).body.value, 1);
	assert.equal((await ask(anna, 'post', '/api/v1/command', { ...order('Bonsoir', 'sign', 'text'), status: 200 })).body.value, 'Bonsoir');
	await ask(anna, 'post', '/api/v1/command', { ...order(181, 'servo', 'position'), status: 400 });
	await ask(anna, 'post', '/api/v1/command', { ...order(1, 'rude'), status: 400 });
	await ask(anna, 'post', '/api/v1/command', { ...order(1, 'ghost'), status: 404 });
	await ask(anna, 'post', '/api/v1/command', { body: 'value=1', headers: { 'content-type': 'text/plain' }, status: 415 });
	await ask(anna, 'post', '/api/v1/command', { ...order(1, 'mute'), status: 504 });
	await ask(victor, 'post', '/api/v1/command', { ...order(1), status: 403 });
});

test('events, metrics, health and the stream answer as described', async () => {
	for (const query of ['', '?kind=commands', '?kind=changes&limit=5', '?node=cave', '?limit=1'])
		await ask(anna, 'get', '/api/v1/events', { query, status: 200 });
	await ask(anna, 'get', '/api/v1/events', { query: '?kind=gossip', status: 400 });
	await ask(anna, 'get', '/api/v1/events.csv', { status: 200 });
	await ask(anna, 'get', '/api/v1/events.csv', { query: '?limit=many', status: 400 });
	await ask(anna, 'get', '/api/v1/live', { status: 200 });
	await ask(anna, 'get', '/metrics', { status: 200 });
	await waitFor(async () => (await anna.get('/healthz')).status === 200, 'all is well');
	await ask(new Visitor(house), 'get', '/healthz', { status: 200 });
});

test('webd serves the document itself, to whoever wants to know', async () => {
	const reply = await new Visitor(house).fetch('/api/v1/openapi.json');

	assert.equal(reply.status, 200);
	assert.match(reply.headers.get('content-type'), /^application\/json/);
	assert.deepEqual(await reply.json(), doc);
});

test('nobody, and who asks too much, are told as described', async () => {
	const stranger = new Visitor(house, { address: '203.0.113.20' });

	for (const { method, path, operation } of operations)
		if (operation.responses[401])
			await ask(stranger, method, path, { status: 401, headers: { accept: 'application/json', 'content-type': 'application/json' } });
	for (const { method, path, operation } of operations)
		if (operation.responses[429])
			// One more comes free each second: asked until it is not.
			await waitFor(async () => {
				await ask(stranger, method, path, { headers: { accept: 'application/json' } });
				return seen.has(`${method} ${path} 429`);
			}, `429 at ${path}`);
});

test('a node that is offline, a broker and a store that are away are told as described', { deadline: 90000 }, async () => {
	await house.nodes.salon.kill();
	await waitFor(
		async () => (await anna.json('/api/v1/nodes')).nodes.find(({ name }) => name === 'salon').status === 'offline',
		'webd knows that it is offline',
	);
	await ask(anna, 'post', '/api/v1/command', { ...order(1), status: 409 });
	await house.broker.stop();
	await waitFor(async () => (await anna.get('/healthz')).status === 503, 'webd knows that the broker is away');
	await ask(anna, 'get', '/healthz', { status: 503 });
	await ask(anna, 'post', '/api/v1/command', { ...order(1), status: 503 });
	await house.webd.stop();
	await house.startWebd({ auth: true, ready: false, set: [`store.url=sqlite://${house.folder}/nowhere/foyer.db`, `site.file=${house.folder}/webd.db`] });
	await ask(anna, 'get', '/api/v1/history', { query: '?series=cave/air/temperature', status: 503 });
	await ask(anna, 'get', '/api/v1/history.csv', { query: '?series=cave/air/temperature', status: 503 });
	await ask(anna, 'get', '/api/v1/events', { status: 503 });
	await ask(anna, 'get', '/api/v1/events.csv', { status: 503 });
});

// Of a look nobody has a role too low for it: 403 is there for what comes.
test('nothing is described that was not seen', () => {
	const described = operations.flatMap(({ method, path, operation }) =>
		Object.keys(operation.responses)
			.filter((status) => !(status === '403' && method === 'get'))
			.map((status) => `${method} ${path} ${status}`),
	);

	assert.deepEqual(described.filter((row) => !seen.has(row)), []);
});
