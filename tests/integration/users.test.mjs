// Who may come in, what they may do, and that it is written down: webd with people who log in, behind a proxy that tells their addresses.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { Camera, Viewer } from '../lib/camera.mjs';
import { House, program, root, run, test, waitFor } from '../lib/house.mjs';
import { Live } from '../lib/live.mjs';
import { ask } from '../lib/raw_http.mjs';
import { PASSWORD, Visitor, addUser, firstAdministrator, setUpPath } from '../lib/visitor.mjs';

const house = new House();
const camera = await new Camera().start();
const set = ['http.trusted_proxy=127.0.0.1', `camera perron.url=${camera.url}`];
const secrets = [PASSWORD]; // nothing of this may ever be written anywhere
const logs = [];

async function startWebd() {
	await house.startWebd({ auth: true, set });
	logs.push(house.webd);
}

async function restart() {
	await house.webd.stop();
	await startWebd();
}

await house.startBroker();
await house.startCollector();
await startWebd();
await house.startNode('salon', { lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' } });
await house.pub('salon/air/temperature', '21.5');
await house.stored('salon', 'air', 'temperature', 1);
after(async () => {
	await house.close();
	await camera.stop();
});

const changes = async (who) => (await who.json('/api/v1/events?kind=changes&limit=1000')).events;
const told = (who, what, more = {}) =>
	waitFor(
		async () =>
			(await changes(who)).find(
				(event) => event.what === what && Object.entries(more).every(([key, value]) => event[key] === value),
			),
		`"${what}" ${JSON.stringify(more)} in the log of the house`,
	);

let anna; // the first administrator

test('while there is no user, everything but the way in is closed', async () => {
	const visitor = new Visitor(house);

	assert.equal((await visitor.get('/')).to, '/login');
	assert.match((await visitor.get('/login')).text, /journalctl -u foyer-webd/);
	assert.equal((await visitor.get('/api/v1/latest')).status, 401);
	assert.equal((await visitor.get('/healthz')).status, 200);
	assert.equal((await visitor.get('/setup/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).status, 404);
	assert.equal((await visitor.get('/setup/x')).status, 404);
	assert.equal((await visitor.logIn('admin', 'admin')).status, 401);
});

test('the set-up link is new at each start, refuses what is no password, and works once', async () => {
	const visitor = new Visitor(house);
	const first = await setUpPath(house);

	secrets.push(first.split('/').pop());
	await restart();
	const path = await setUpPath(house);

	assert.notEqual(path, first);
	secrets.push(path.split('/').pop());
	assert.equal((await visitor.get(first)).status, 404);
	assert.equal((await visitor.get(path)).status, 200);
	for (const [fields, why] of [
		[{ user: 'anna', password: 'short', again: 'short' }, /at least 8/],
		[{ user: 'anna', password: 'x'.repeat(129), again: 'x'.repeat(129) }, /at most 128/],
		[{ user: 'anna', password: PASSWORD, again: `${PASSWORD}!` }, /differ/],
		[{ user: '', password: PASSWORD, again: PASSWORD }, /1 to 32/],
		[{ user: 'x'.repeat(33), password: PASSWORD, again: PASSWORD }, /1 to 32/],
		[{ user: ' anna', password: PASSWORD, again: PASSWORD }, /1 to 32/],
		[{ user: 'an\tna', password: PASSWORD, again: PASSWORD }, /1 to 32/],
		[{}, /1 to 32/],
	]) {
		const reply = await visitor.post(path, fields);

		assert.equal(reply.status, 400, JSON.stringify(fields));
		assert.match(reply.text, why);
	}
	anna = await firstAdministrator(house);
	secrets.push(anna.session);
	assert.equal((await anna.get('/')).status, 200);
	assert.equal((await visitor.get(path)).status, 404, 'only once');
	assert.equal((await visitor.post(path, { user: 'eve', password: PASSWORD, again: PASSWORD })).status, 404);
	await restart();
	assert.doesNotMatch(house.webd.log, /setup\//);
	assert.doesNotMatch((await visitor.get('/login')).text, /journalctl/);
});

test('a cookie is for webd alone, and for HTTPS where there is HTTPS', async () => {
	const plain = new Visitor(house);
	const secure = new Visitor(house, { address: '203.0.113.1', https: true });
	const reply = await plain.logIn('anna', PASSWORD, { back: '/events?kind=nodes' });

	assert.equal(reply.status, 303);
	assert.equal(reply.to, '/events?kind=nodes');
	assert.match(plain.given[0], /^foyer_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=(Lax|Strict)$/);
	await secure.logIn('ANNA', PASSWORD, { keep: 'on' });
	assert.match(secure.given[0], /; HttpOnly; SameSite=(Lax|Strict); Max-Age=\d{7}; Secure$/);
	assert.notEqual(plain.session, secure.session);
	secrets.push(plain.session, secure.session);
	for (const back of ['//evil.example/', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)'])
		assert.match((await new Visitor(house).logIn('anna', PASSWORD, { back })).to, /^\/(\?|$|[a-z])/, back);
	assert.equal((await plain.get('/login')).to, '/', 'who is in needs no log-in page');
});

test('wrong passwords: tries left are told, the sixth waits, and nobody else does', async () => {
	const thief = new Visitor(house, { address: '203.0.113.66' });
	const neighbour = new Visitor(house, { address: '203.0.113.67' });

	for (let left = 4; left >= 0; left--) {
		const reply = await thief.logIn(left % 2 ? 'anna' : 'nobody', 'wrong password');

		assert.equal(reply.status, 401);
		assert.match(reply.text, /Unknown name or password/, 'the same for a name that is there and for one that is not');
		assert.match(reply.text, left ? new RegExp(`Tries left before a pause: ${left}\\.`) : /in a minute/);
		assert.equal(thief.session, undefined);
	}
	const refused = await thief.logIn('anna');
	assert.equal(refused.status, 429, 'the right password too');
	assert.ok(Number(refused.headers.get('retry-after')) > 0 && Number(refused.headers.get('retry-after')) <= 60);
	assert.match(refused.text, /Too many tries/);
	assert.equal((await neighbour.logIn('anna')).status, 303);
	secrets.push(neighbour.session);
	await told(anna, 'login_failed', { by: 'anna', address: '203.0.113.66' });
	assert.ok(!(await changes(anna)).some((event) => event.what === 'login_failed' && event.by === 'nobody'), 'a mistyped name may be a password');
	await told(anna, 'login', { by: 'anna', address: '203.0.113.67' });
});

// ---- roles ----

const SAMPLES = { node: 'salon', device: 'air', quantity: 'temperature', name: 'perron', code: 'x', '*': 'style.css' };
const table = [...readFileSync(join(root, 'webd/routes.c'), 'utf8').matchAll(/\{ "([A-Z]+)", "([^"]+)", \w+, SITE_(\w+) \}/g)].map(
	([, method, pattern, need]) => ({ method, pattern, need: need.toLowerCase() }),
);
const ROLES = ['nobody', 'view', 'operate', 'administer'];

// What a route does for somebody, without waiting for the end of a stream.
async function knock(visitor, { method, pattern }) {
	const what = pattern.includes('/house/') ? 'remove' : 'session';
	const path = pattern.replace(/:(\w+)|\*/g, (all, name) => (name === 'what' ? what : (SAMPLES[name ?? all] ?? 'x')));
	const cancel = new AbortController();
	const reply = await visitor.fetch(path, {
		method,
		signal: cancel.signal,
		...(method === 'POST' ? { body: new URLSearchParams() } : {}),
	});
	const answer = { status: reply.status, to: reply.headers.get('location') };

	cancel.abort();
	return answer;
}

test('each role reaches as far as it should, at every address', { deadline: 120000 }, async () => {
	assert.ok(table.length >= 34, `${table.length} routes`);
	for (const need of ROLES) assert.ok(table.some((row) => row.need === need));
	const visitors = {
		nobody: new Visitor(house),
		view: await addUser(anna, 'victor', 'view'),
		operate: await addUser(anna, 'olga', 'operate'),
		administer: await addUser(anna, 'adam', 'administer'),
	};
	for (const role of ROLES)
		for (const route of table) {
			if (route.pattern === '/logout') continue; // would end it; below
			const at = `${role} at ${route.method} ${route.pattern}`;
			const { status, to } = await knock(visitors[role], route);

			if (ROLES.indexOf(role) >= ROLES.indexOf(route.need)) {
				assert.ok(status !== 401 && status !== 403 && status !== 421 && status < 500, `${at}: ${status}`);
				assert.doesNotMatch(to ?? '', /^\/login/, at);
			} else if (role === 'nobody') {
				if (route.pattern.startsWith('/api/')) assert.equal(status, 401, at);
				else assert.ok(status === 303 && to.startsWith('/login'), `${at}: ${status} ${to}`);
			} else {
				assert.equal(status, 403, at);
			}
		}
	for (const role of ['view', 'operate', 'administer']) {
		assert.equal((await visitors[role].post('/logout')).to, '/login');
		assert.equal((await visitors[role].get('/')).to, '/login');
	}
});

test('a look is no order: who may only view moves nothing', async () => {
	const victor = new Visitor(house);
	const order = { node: 'salon', device: 'lamp', quantity: 'switch', value: '1' };
	const count = async () => (await house.rows("SELECT * FROM command WHERE device = 'lamp'")).length;

	await victor.logIn('victor');
	const reply = await victor.post('/command', order);
	assert.equal(reply.status, 403);
	const api = await victor.get('/api/v1/command', {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ ...order, value: 1 }),
	});
	assert.equal(api.status, 403);
	assert.match(JSON.parse(api.text).error, /victor/);
	await house.settled();
	assert.equal(await count(), 0);
	assert.deepEqual((await victor.json('/api/v1/events?kind=changes')).events, [], 'who logs in when is for administrators');
	assert.doesNotMatch((await victor.get('/settings')).text, /settings\/house/);
});

test('a command is in the log with who gave it', async () => {
	const olga = new Visitor(house);

	await olga.logIn('olga');
	await waitFor(async () => {
		const { status } = await olga.post('/command', { node: 'salon', device: 'lamp', quantity: 'switch', value: '1', back: '/' });

		return status === 303 && (await house.rows("SELECT * FROM command WHERE device = 'lamp' AND ok = 1")).length > 0;
	}, 'the lamp obeys');
	const { events } = await olga.json('/api/v1/events?kind=commands');
	assert.equal(events[0].by, 'olga');
	assert.match((await olga.get('/events')).text, /olga/);
});

test('a form of another site is refused, whoever is logged in', async () => {
	const order = { node: 'salon', device: 'lamp', quantity: 'switch', value: '0', back: '/' };

	for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'null' }]) {
		assert.equal((await anna.post('/command', order, headers)).status, 403, JSON.stringify(headers));
		assert.equal((await anna.post('/settings/house/user', { user: 'eve', password: PASSWORD, role: 'administer' }, headers)).status, 403);
		assert.equal((await anna.post('/logout', {}, headers)).status, 403);
	}
	assert.equal((await anna.get('/')).status, 200);
});

test('no page of another site may frame or read this one', async () => {
	const { headers } = await anna.get('/settings');

	assert.match(headers.get('content-security-policy'), /frame-ancestors 'none'/);
	assert.match(headers.get('cache-control'), /no-store/);
	assert.equal(headers.get('access-control-allow-origin'), null);
});

// ---- sessions ----

async function sessionsOf(visitor) {
	const page = (await visitor.get('/settings')).text;

	return [...page.matchAll(/action="\/settings\/session"><input type="hidden" name="id" value="(\d+)"/g)].map(([, id]) => id);
}

test('sessions outlive a restart, can be ended from another device, and take their streams along', { deadline: 90000 }, async () => {
	const [phone, tablet, olga] = [new Visitor(house), new Visitor(house), new Visitor(house)];

	for (const visitor of [phone, tablet]) await visitor.logIn('victor', PASSWORD, { keep: 'on' });
	await olga.logIn('olga');
	await restart();
	assert.equal((await phone.get('/')).status, 200);
	const streams = await Promise.all(
		[phone, tablet].map((visitor) => new Live(`${house.url}/api/v1/live`, visitor.headers()).opened()),
	);
	const pictures = new Viewer(await phone.fetch('/camera/perron/stream'));
	await pictures.seen(2);
	assert.deepEqual(streams.map((stream) => stream.status), [200, 200]);
	const ids = await sessionsOf(tablet);
	assert.ok(ids.length >= 1);
	assert.equal((await olga.post('/settings/session', { id: ids[0] })).status, 400, "another's is not there for one");
	assert.equal((await phone.get('/')).status, 200);
	assert.match((await tablet.post('/settings/sessions')).to, /done=done_sessions/);
	assert.equal((await phone.get('/')).to, '/login');
	await waitFor(() => streams[0].over || streams[0].error, 'its event stream ends');
	await waitFor(() => pictures.over, "its camera's stream ends");
	assert.ok(!streams[1].over, 'the one that stays goes on');
	assert.equal((await tablet.get('/')).status, 200);
	assert.equal((await tablet.post('/settings/session', { id: '999999' })).status, 400);
	await tablet.post('/logout');
	await waitFor(() => streams[1].over || streams[1].error, 'logging out ends it too');
	assert.equal((await tablet.get('/')).to, '/login');
	await pictures.stop();
});

test('a new password ends all other sessions; the old one is asked for, and no longer opens', async () => {
	const [here, elsewhere, late] = [new Visitor(house, { address: '203.0.113.5' }), new Visitor(house), new Visitor(house)];
	const fresh = 'a longer and better one';

	secrets.push(fresh);
	await here.logIn('victor');
	await elsewhere.logIn('victor');
	for (const [fields, why] of [
		[{ old: 'wrong password', password: fresh, again: fresh }, /current password is wrong/],
		[{ old: PASSWORD, password: fresh, again: 'another one!' }, /differ/],
		[{ old: PASSWORD, password: 'short', again: 'short' }, /at least 8/],
		[{ password: fresh, again: fresh }, /current password is wrong/],
	])
		assert.match((await here.post('/settings/password', fields)).text, why);
	assert.equal((await elsewhere.get('/')).status, 200);
	assert.match((await here.post('/settings/password', { old: PASSWORD, password: fresh, again: fresh })).to, /done=done_password/);
	assert.equal((await elsewhere.get('/')).to, '/login');
	assert.equal((await here.get('/')).status, 200, 'who changed it stays');
	assert.equal((await late.logIn('victor')).status, 401);
	assert.equal((await late.logIn('victor', fresh)).status, 303);
	await told(anna, 'password_changed', { by: 'victor', text: 'victor' });
});

test('guessing the old password of an open session is slowed too', async () => {
	const here = new Visitor(house, { address: '203.0.113.99' });
	const fields = { old: 'wrong password', password: 'something new', again: 'something new' };

	await here.logIn('olga');
	for (let i = 0; i < 5; i++) assert.match((await here.post('/settings/password', fields)).text, /current password is wrong/);
	assert.match((await here.post('/settings/password', fields)).text, /Too many tries/);
});

// ---- tokens ----

async function addToken(name, role) {
	const reply = await anna.post('/settings/house/token', { name, role });
	const text = /<pre id="token"[^>]*>([\w-]{43})<\/pre>/.exec(reply.text)?.[1];

	if (text) secrets.push(text);
	return { ...reply, token: text };
}

const byToken = (token, path, options = {}) =>
	house.get(path, { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } });

async function idOfToken(name) {
	const page = (await anna.get('/settings')).text;

	return new RegExp(`<b>${name}</b>[\\s\\S]*?action="/settings/house/forget"><input type="hidden" name="id" value="(\\d+)"`).exec(page)[1];
}

test('a token has a role and a name, is shown once, and is out of force when it is removed', async () => {
	const reader = await addToken('reader', 'view');
	const worker = await addToken('worker', 'operate');
	const order = {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ node: 'salon', device: 'lamp', quantity: 'switch', value: 0 }),
	};

	assert.equal(reader.status, 200);
	assert.ok(reader.token && worker.token && reader.token !== worker.token);
	assert.doesNotMatch((await anna.get('/settings')).text, new RegExp(reader.token), 'once');
	assert.match((await addToken('reader', 'view')).text, /taken/);
	assert.match((await addToken('', 'view')).text, /1 to 32/);
	assert.match((await addToken('x', 'king')).text, /no such rights/);
	assert.equal((await byToken(reader.token, '/api/v1/latest')).status, 200);
	assert.equal((await byToken(reader.token, '/metrics')).status, 200);
	assert.equal((await byToken(reader.token, '/api/v1/command', order)).status, 403);
	assert.equal((await byToken(worker.token, '/api/v1/command', order)).status, 200);
	assert.equal((await byToken(worker.token, '/settings/house/user', { method: 'POST' })).status, 403);
	assert.equal((await byToken(worker.token, '/settings/password', { method: 'POST' })).status, 403, 'a token has no password');
	await waitFor(
		async () => (await anna.json('/api/v1/events?kind=commands')).events[0]?.by === 'worker',
		'the command bears the name of the script',
	);
	assert.match((await anna.get('/settings')).text, /<b>worker<\/b>/);
	assert.match((await anna.post('/settings/house/forget', { id: await idOfToken('worker') })).to, /done_token_gone/);
	assert.equal((await byToken(worker.token, '/api/v1/latest')).status, 401);
	assert.equal((await byToken(reader.token, '/api/v1/latest')).status, 200);
	await restart();
	assert.equal((await byToken(reader.token, '/api/v1/latest')).status, 200);
	await told(anna, 'token_added', { by: 'anna', text: 'reader' });
	await told(anna, 'token_removed', { by: 'anna', text: 'worker' });
});

// ---- users ----

const idOf = async (name) =>
	new RegExp(`<b>${name}</b>[\\s\\S]*?action="/settings/house/role"><input type="hidden" name="id" value="(\\d+)"`).exec(
		(await anna.get('/settings')).text,
	)[1];

test('rights, passwords and removals of others are in force at once, and in the log', async () => {
	const zoe = await addUser(anna, 'zoé <b>', 'view');
	const id = await idOf('zoé &lt;b&gt;');

	assert.doesNotMatch((await anna.get('/settings')).text, /zoé <b>/, 'a name is no markup');
	assert.equal((await zoe.get('/settings/house/user')).status, 405);
	assert.match((await anna.post('/settings/house/role', { id, role: 'administer' })).to, /done_role/);
	assert.match((await zoe.get('/settings')).text, /settings\/house\/user/);
	assert.match((await anna.post('/settings/house/role', { id, role: 'king' })).text, /no such rights/);
	assert.match((await anna.post('/settings/house/role', { id, role: 'view' })).to, /done_role/);
	assert.match((await anna.post('/settings/house/password', { id, password: 'given by anna' })).to, /done_password/);
	secrets.push('given by anna');
	assert.equal((await zoe.get('/')).to, '/login', 'her sessions have ended');
	assert.equal((await zoe.logIn('zoé <b>', 'given by anna')).status, 303);
	assert.match((await anna.post('/settings/house/user', { user: 'ZOÉ <b>'.toLowerCase(), password: PASSWORD, role: 'view' })).text, /taken/);
	assert.match((await anna.post('/settings/house/remove', { id })).to, /done_gone/);
	assert.equal((await zoe.get('/')).to, '/login');
	assert.equal((await zoe.logIn('zoé <b>', 'given by anna')).status, 401);
	assert.match((await anna.post('/settings/house/remove', { id })).text, /gone already/);
	for (const [what, text] of [
		['user_added', 'zoé <b>'],
		['role_changed', 'zoé <b>: administer'],
		['password_changed', 'zoé <b>'],
		['user_removed', 'zoé <b>'],
	])
		await told(anna, what, { by: 'anna', text });
	assert.doesNotMatch((await anna.get('/events?kind=changes')).text, /zoé <b>/);
});

test('the last administrator stays one', async () => {
	const [id, other] = [await idOf('anna'), await idOf('adam')];

	assert.match((await anna.post('/settings/house/remove', { id: other })).to, /done_gone/);
	for (const role of ['view', 'operate'])
		assert.match((await anna.post('/settings/house/role', { id, role })).text, /last administrator/);
	assert.match((await anna.post('/settings/house/remove', { id })).text, /last administrator/);
	assert.match((await anna.post('/settings/house/role', { id, role: 'administer' })).to, /done_role/);
	assert.equal((await anna.get('/')).status, 200);
});

test('rooms get names and order from who administers, kept over a restart', async () => {
	const reply = await anna.post('/settings/house/room', { node: 'salon', label: 'Séjour <i>', order: '3', 'hide:air': 'on' });

	assert.match(reply.to, /done=done_house#rooms/);
	await restart();
	const page = await waitFor(async () => {
		const { text } = await anna.get('/');

		return text.includes('Séjour &lt;i&gt;') && text;
	}, 'the name on the overview');
	assert.ok(!page.includes('<i>') && !page.includes('data-series="salon/air/'), 'no markup, and the hidden one is hidden');
	assert.match((await anna.get('/node/salon')).text, /Séjour/);
	assert.match((await anna.post('/settings/house/room', { node: 'nobody', label: 'x', order: '' })).text, /gone already/);
	assert.match((await anna.post('/settings/house/room', { node: 'salon', label: 'x'.repeat(65), order: '' })).text, /64 bytes/);
	assert.match((await anna.post('/settings/house/room', { node: 'salon', label: '', order: 'first' })).text, /number from 1/);
	await told(anna, 'setting_changed', { by: 'anna', text: 'salon' });
});

// ---- how it may be run ----

test('without log-in it listens on loopback alone, and answers only to its own name', async () => {
	const conf = join(house.folder, 'webd.conf');
	const check = async (...words) => run(program('webd'), ['-c', conf, '--check', ...words.flatMap((word) => ['--set', word])]);

	writeFileSync(conf, '[http]\nlisten = 192.0.2.1\nauth = off\n');
	const refused = await check();
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /webd\.conf:3: .*auth.*off is allowed only where nobody else gets in.*192\.0\.2\.1/);
	for (const listen of ['::', '0.0.0.0', '192.168.1.2', '::ffff:127.0.0.1'])
		assert.equal((await check(`http.listen=${listen}`)).code, 2, listen);
	for (const listen of ['127.0.0.1', '::1', '127.0.0.5']) assert.equal((await check(`http.listen=${listen}`)).code, 0, listen);
	const proxied = await check('http.listen=127.0.0.1', 'http.trusted_proxy=127.0.0.1');
	assert.equal(proxied.code, 2);
	assert.match(proxied.stderr, /proxy/);

	const open = new House();
	await open.startBroker();
	await open.startWebd();
	for (const host of ['evil.example', `192.168.1.2:${open.webPort}`, 'localhost.evil.example'])
		assert.equal((await ask(open.url, '/', { headers: { host } })).status, 421, host);
	assert.equal((await ask(open.url, '/', { headers: { host: `localhost:${open.webPort}` } })).status, 200);
	assert.doesNotMatch(open.webd.log, /setup\//);
	await open.close();
});

test('no password, cookie, token or link is in a log or a file', async () => {
	await house.webd.stop();
	const files = [join(house.folder, 'webd.db'), join(house.folder, 'foyer.db')].map((path) => readFileSync(path, 'latin1'));
	const links = new Set(secrets.filter((word) => logs.some((part) => part.log.includes(`/setup/${word}`))));

	assert.equal(links.size, 2, 'the log tells the set-up links: that is their only way to a person');
	assert.ok(secrets.length > 10 && secrets.every((word) => word?.length >= 8));
	for (const word of secrets) {
		for (const text of files) assert.ok(!text.includes(word));
		if (!links.has(word)) for (const part of [...logs, house.collector, house.broker]) assert.ok(!part.log.includes(word));
	}
	assert.match(files[0], /\$y\$/, 'passwords are kept as yescrypt');
	await startWebd();
});
