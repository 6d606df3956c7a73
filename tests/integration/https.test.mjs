// The house with certificates of its own: pages by HTTPS, a certificate renewed while running, and all of MQTT by TLS.
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { after } from 'node:test';
import { connect } from 'node:tls';
import { Authority, replace } from '../lib/certificates.mjs';
import { House, freePort, program, run, slurp, test, waitFor } from '../lib/house.mjs';
import { say } from '../lib/raw_http.mjs';
import { PASSWORD, setUpPath } from '../lib/visitor.mjs';

const house = new House();
const authority = await new Authority(house.folder).make();
const stranger = await new Authority(house.folder, 'stranger').make();
const [first, second, broker] = [await authority.issue('first'), await authority.issue('second'), await authority.issue('broker')];
const cert = join(house.folder, 'webd.pem');
const key = join(house.folder, 'webd.key');
const ca = slurp(authority.file);
const overTls = [`mqtt.ca_file=${authority.file}`];
const secure = [`http.cert_file=${cert}`, `http.key_file=${key}`];

copyFileSync(first.cert, cert);
copyFileSync(first.key, key);
house.brokerLines = [`cafile ${authority.file}`, `certfile ${broker.cert}`, `keyfile ${broker.key}`];
house.clientArgs = ['--cafile', authority.file];
await house.startBroker();
await house.startCollector({ set: overTls });
await house.startNode('salon', { lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' } }, { set: overTls });
await house.startWebd({ auth: true, set: [...secure, ...overTls] });
after(() => house.close());

// Each on a connection of its own; the certificate is checked against our authority.
function ask(path, { method = 'GET', headers = {}, body } = {}) {
	return new Promise((resolve, reject) => {
		const sent = request(
			`${house.url}${path}`,
			{ method, headers, ca, agent: false, servername: 'localhost' },
			(reply) => {
				const peer = reply.socket.getPeerCertificate();
				let text = '';

				reply.setEncoding('utf8');
				reply.on('data', (part) => (text += part));
				reply.on('end', () => resolve({ status: reply.statusCode, headers: reply.headers, text, name: peer.subject?.CN }));
				reply.on('error', reject);
			},
		);

		sent.on('error', reject);
		sent.end(body);
	});
}

const nameNow = async () => (await ask('/healthz')).name;

let cookie;

test('pages come by HTTPS, with a certificate that checks, and so does the set-up link', async () => {
	const path = await setUpPath(house);
	const body = new URLSearchParams({ user: 'anna', password: PASSWORD, again: PASSWORD }).toString();

	assert.match(house.webd.log, new RegExp(`https://127\\.0\\.0\\.1:${house.webPort}${path}`));
	assert.equal((await ask('/login')).status, 200);
	const reply = await ask(path, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
	assert.equal(reply.status, 303);
	assert.match(reply.headers['set-cookie'][0], /; Secure/);
	cookie = reply.headers['set-cookie'][0].split(';')[0];
	assert.equal((await ask('/', { headers: { cookie } })).status, 200);
	assert.equal(await nameNow(), 'first');
});

test('plain HTTP on that port gives nothing away', async () => {
	const text = await say(house.url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 500).catch(() => '');

	assert.doesNotMatch(text, /HTTP\/1\.1 200|<html/);
	assert.equal(await nameNow(), 'first');
});

// Resolves to the version that was agreed on, or rejects.
const handshake = (options) =>
	new Promise((resolve, reject) => {
		const socket = connect({ port: house.webPort, host: '127.0.0.1', ca, servername: 'localhost', ...options }, () => {
			resolve(socket.getProtocol());
			socket.destroy();
		});

		socket.on('error', reject);
	});

test('TLS 1.2 and 1.3 with forward secrecy, nothing older', async () => {
	assert.equal(await handshake({ maxVersion: 'TLSv1.3' }), 'TLSv1.3');
	assert.equal(await handshake({ maxVersion: 'TLSv1.2' }), 'TLSv1.2');
	await assert.rejects(handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
	await assert.rejects(handshake({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA@SECLEVEL=0' }), 'RSA key exchange');
});

test('orders go by HTTPS and by MQTT over TLS', { deadline: 60000 }, async () => {
	const order = { node: 'salon', device: 'lamp', quantity: 'switch', value: 1 };

	await waitFor(async () => {
		const reply = await ask('/api/v1/command', {
			method: 'POST',
			headers: { cookie, 'content-type': 'application/json' },
			body: JSON.stringify(order),
		});

		return reply.status === 200 && JSON.parse(reply.text).value === 1;
	}, 'the lamp obeys');
	await house.pub('salon/air/temperature', '21');
	await house.stored('salon', 'air', 'temperature', 1);
});

test('an event stream goes on while the certificate is renewed; new connections get the new one', async () => {
	const events = [];
	const stream = request(`${house.url}/api/v1/live`, { headers: { cookie }, ca, agent: false, servername: 'localhost' }, (reply) =>
		reply.on('data', (bytes) => events.push(bytes.toString())),
	);
	const heard = (text) => waitFor(() => events.join('').includes(text), `the stream tells ${text}`);

	stream.on('error', () => {});
	stream.end();
	await house.pub('salon/air/temperature', '22.25');
	await heard('22.25');
	replace(key, second.key); // one after the other, as certbot does: between them they do not fit
	replace(cert, second.cert);
	await waitFor(async () => (await nameNow()) === 'second', 'the new certificate');
	await house.pub('salon/air/temperature', '23.25');
	await heard('23.25');
	stream.destroy();
	assert.match(house.webd.log, /is read anew/);
});

test('a broken renewal is told, and what was there stays in use', async () => {
	writeFileSync(cert, 'This is no certificate.\n');
	await house.webd.logged(/stays in use/);
	assert.equal(await nameNow(), 'second');
	replace(cert, first.cert); // the other one's key
	await house.webd.logged(/webd\.key is not the key of \S*webd\.pem/);
	assert.equal(await nameNow(), 'second');
	replace(key, first.key);
	await waitFor(async () => (await nameNow()) === 'first', 'the right pair');
});

test('a renewal again and again does not wear out', { deadline: 90000 }, async () => {
	for (let i = 0; i < 6; i++) {
		const pair = i % 2 ? first : second;

		replace(key, pair.key);
		replace(cert, pair.cert);
		await waitFor(async () => (await nameNow()) === (i % 2 ? 'first' : 'second'), `renewal ${i}`);
	}
});

test('wrong files are told at the start, with what is wrong', async () => {
	const start = async (...words) =>
		run(program('webd'), [...house.mqtt(), '--set', 'http.listen=127.0.0.1', '--set', `http.port=${await freePort()}`, '--set',
			`store.url=sqlite://${house.folder}/none.db`, ...words.flatMap((word) => ['--set', word])]); // prettier-ignore
	const mixed = await start(`http.cert_file=${first.cert}`, `http.key_file=${second.key}`);
	const one = await start(`http.cert_file=${first.cert}`);
	const none = await start(`http.cert_file=${first.cert}`, `http.key_file=${house.folder}/nowhere.key`);
	const swapped = await start(`http.cert_file=${first.key}`, `http.key_file=${first.cert}`);

	assert.equal(mixed.code, 1);
	assert.match(mixed.stderr, /second\.key is not the key of \S*first\.pem/);
	assert.equal(one.code, 2);
	assert.match(one.stderr, /cert_file.*HTTPS wants both/);
	assert.ok(none.code === 1 || none.code === 2);
	assert.match(none.stderr, /nowhere\.key/);
	assert.equal(swapped.code, 1);
	assert.match(swapped.stderr, /first\.key/);
	for (const { stderr } of [mixed, swapped]) assert.doesNotMatch(stderr, /BEGIN|PRIVATE/);
});

test('a broker that nobody vouches for is not talked to', async () => {
	const part = await house.startNode('cave', {}, { set: [`mqtt.ca_file=${stranger.file}`], ready: false });

	await part.logged(/certificate|TLS|tls/i);
	assert.doesNotMatch(part.log, /mqtt: connected/);
});
