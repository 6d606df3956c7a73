// The broker files of config/mosquitto, exactly as they are but for the folder and the port: passwords, who may say what, queues.
import assert from 'node:assert/strict';
import { mkdtempSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { House, freePort, isRoot, root, run, slurp, staysFalse, test, waitFor } from '../lib/house.mjs';

const USERS = ['collector', 'webd', 'salon', 'cuisine'];
const house = new House();
const folder = house.folder;
const password = (user) => `secret of ${user}`;
const credentials = (user) => ['-u', user, '-P', password(user)];

after(() => house.close());

// Installs the files as the README says, into a folder of ours instead of /etc/mosquitto. Debian's own mosquitto.conf brings the rest.
async function installBroker() {
	const passwords = join(folder, 'foyer.passwords');
	const text = slurp(join(root, 'config/mosquitto/foyer.conf'));

	house.port = await freePort();
	for (const [index, user] of USERS.entries()) {
		const made = await run('mosquitto_passwd', ['-b', ...(index === 0 ? ['-c'] : []), passwords, user, password(user)]);

		assert.equal(made.code, 0, made.stderr);
		writeFileSync(join(folder, `${user}.password`), `${password(user)}\n`, { mode: 0o600 });
	}
	chmodSync(passwords, 0o600);
	writeFileSync(join(folder, 'foyer.acl'), slurp(join(root, 'config/mosquitto/foyer.acl')), { mode: 0o600 });
	mkdirSync(join(folder, 'broker'));
	house.brokerFile = join(folder, 'foyer.conf');
	writeFileSync(
		house.brokerFile,
		[
			text
				.replaceAll('/etc/mosquitto/', `${folder}/`)
				.replace(/^listener 1883$/m, `listener ${house.port} 127.0.0.1`),
			`persistence_location ${folder}/broker/`,
			...(isRoot ? ['user root'] : []),
		].join('\n') + '\n',
	);
	assert.notEqual(slurp(house.brokerFile).includes('listener 1883\n'), true);
}

const as = (user) => [`mqtt.username=${user}`, `mqtt.password_file=${join(folder, `${user}.password`)}`];

await installBroker();
await house.startBroker();
house.clientArgs = credentials('collector');
await house.startCollector({ set: as('collector') });
await house.startWebd({ set: as('webd') });
const devices = {
	air: { driver: 'sim', quantities: 'temperature', interval: '100ms' },
	lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' },
};
for (const node of ['salon', 'cuisine']) await house.startNode(node, devices, { set: as(node) });

test('the whole way works with passwords and access list', { deadline: 60000 }, async () => {
	await house.stored('salon', 'air', 'temperature', 5);
	await house.stored('cuisine', 'air', 'temperature', 5);
	await waitFor(async () => (await house.json('/api/v1/nodes')).nodes.length === 2, 'webd knows both');
	const reply = await house.command('salon', 'lamp', 'switch', 1);
	assert.equal(reply.status, 200, reply.text);
	await waitFor(async () => (await house.rows('SELECT ok FROM command'))[0]?.ok === 1, 'the command log');
	for (const part of [house.collector, house.webd, house.nodes.salon])
		assert.doesNotMatch(part.log, /refuses/, 'no daemon is refused anything that it needs');
});

test('nodes get their receipts, and only their own', async () => {
	house.clientArgs = credentials('salon');
	const salon = await house.listen('foyer/#');

	await salon.heard((message) => message.topic === 'foyer/salon/$stored', 'a receipt');
	await house.stored('cuisine', 'air', 'temperature', (await house.readings('cuisine', 'air', 'temperature')).length + 5);
	const foreign = salon.messages.filter((message) => !/^foyer\/(\$collector\/\$status|salon\/(\$stored|[^/]+\/[^/]+\/set))$/.test(message.topic));
	assert.deepEqual(
		foreign.map((message) => message.topic),
		[],
	);
	await salon.stop();
});

test("node A can write neither what is B's nor an order nor a receipt", async () => {
	house.clientArgs = credentials('collector');
	const everything = await house.listen('foyer/#');

	house.clientArgs = credentials('salon');
	for (const topic of [
		'cuisine/air/temperature',
		'cuisine/$status',
		'cuisine/$info',
		'cuisine/lamp/switch/set',
		'cuisine/lamp/switch/result',
		'cuisine/$stored',
		'$collector/$status',
		'$collector/$health',
	])
		await house.pub(topic, 'forged').catch(() => {}); // told by its reason code, or not at all
	await house.pub('salon/air/humidity', '44');
	await everything.heard((message) => message.topic === 'foyer/salon/air/humidity', 'what it may say');
	assert.deepEqual(
		everything.messages.filter((message) => message.text === 'forged').map((message) => message.topic),
		[],
	);
	await everything.stop();
	house.clientArgs = credentials('collector');
});

test('nobody comes in without a password, or with a wrong one', async () => {
	for (const args of [[], ['-u', 'salon'], ['-u', 'salon', '-P', 'wrong'], ['-u', 'nobody', '-P', 'x']]) {
		const result = await run('mosquitto_pub', [
			'-h',
			'127.0.0.1',
			'-p',
			String(house.port),
			...args,
			'-t',
			'foyer/salon/air/temperature',
			'-m',
			'1',
		]);

		assert.notEqual(result.code, 0, args.join(' '));
		assert.match(result.stderr, /not authori[sz]ed/i);
	}
	const stranger = await house.startNodeFile('stranger', join(folder, 'salon.conf'), {
		ready: false,
		set: ['mqtt.client_id=stranger', `node.state_dir=${mkdtempSync(join(folder, 'stranger-'))}`],
	});
	await stranger.logged(/no broker at .*(authori[sz]ed|credentials)/i);
	assert.doesNotMatch(stranger.log, /connected to/);
	await stranger.stop();
});

test('a password is never in the log', () => {
	for (const part of house.parts) assert.doesNotMatch(part.log, /secret of/);
});

test('what waits for the collector survives a restart of the broker', { deadline: 60000 }, async () => {
	await house.collector.stop();
	house.clientArgs = credentials('cuisine');
	await house.pubLines(
		'cuisine/x/counter',
		Array.from({ length: 500 }, (_, i) => String(i)),
	);
	assert.equal((await house.broker.stop()).code, 0); // as systemd does at a reboot
	await house.startBroker();
	house.clientArgs = credentials('collector');
	await house.startCollector({ set: as('collector') });
	const rows = await house.stored('cuisine', 'x', 'counter', 500);
	assert.deepEqual(
		rows.map((row) => row.value),
		Array.from({ length: 500 }, (_, i) => i),
	);
	await staysFalse(async () => (await house.readings('cuisine', 'x', 'counter')).length > 500, 'a reading twice', 300);
});
