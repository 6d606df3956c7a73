// The command line and the configuration, the same in every daemon.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { House, program, root, run, test, waitFor } from '../lib/house.mjs';

const folder = mkdtempSync(join(process.env.FOYER_TEST_DIR ?? tmpdir(), 'foyer-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const DAEMONS = ['node-agent', 'collector', 'webd'];
const minimal = { 'node-agent': '[node]\nname = salon\n', collector: '', webd: '' };

function file(name, text) {
	const path = join(folder, name);

	writeFileSync(path, text);
	return path;
}

for (const daemon of DAEMONS) {
	const start = (...args) => run(program(daemon), args);

	test(`${daemon}: --version and --help exit with 0`, async () => {
		const version = await start('--version');
		const help = await start('--help');

		assert.equal(version.code, 0);
		assert.match(version.stdout, new RegExp(`^foyer-${daemon} \\d+\\.\\d+\\.\\d+\\n$`));
		assert.equal(help.code, 0);
		for (const word of ['--set', '--check', '[mqtt]', 'port']) assert.ok(help.stdout.includes(word), word);
	});

	test(`${daemon}: wrong usage exits with 2 and says what`, async () => {
		for (const args of [
			['--nonsense'],
			['word'],
			['-c'],
			['--set', 'rubbish'],
			['--set', '=x', '--check'],
			['-c', join(folder, 'missing.conf')],
		]) {
			const result = await start(...args);

			assert.equal(result.code, 2, `${args}: ${result.stderr}`);
			assert.ok(result.stderr.length > 10, `${args}`);
		}
	});

	test(`${daemon}: --check of a good file says nothing and exits with 0`, async () => {
		const path = file(
			`${daemon}.good`,
			`# a comment\n${minimal[daemon]}[mqtt]\nhost = 127.0.0.1 ; a remark\nport = 1884\nkeepalive = 30s\n`,
		);
		const result = await start('-c', path, '--check');

		assert.equal(result.code, 0, result.stderr);
		assert.equal(result.stdout + result.stderr, '');
	});

	test(`${daemon}: every mistake is told as FILE:LINE with what is allowed`, async () => {
		const path = file(
			`${daemon}.bad`,
			`${minimal[daemon] || '[log]\nlevel = info\n'}\n[mqtt]\nport = 70000\nprot = 1883\nkeepalive = fast\n\n[nonsense]\nkey = 1\n`,
		);
		const { code, stderr } = await start('-c', path, '--check');

		assert.equal(code, 2);
		assert.match(stderr, new RegExp(`${path}:5: .*70000.*1.*65535`));
		assert.match(stderr, new RegExp(`${path}:6: .*prot`));
		assert.match(stderr, new RegExp(`${path}:7: .*fast.*(10s|500ms|5m)`));
		assert.match(stderr, new RegExp(`${path}:9: .*nonsense`));
		assert.equal((await start('-c', path)).code, 2, 'and it does not start with them');
	});

	test(`${daemon}: --set overrides a key, and a mistake in it is told too`, async () => {
		const path = file(`${daemon}.set`, `${minimal[daemon]}[mqtt]\nport = 70000\n`);

		assert.equal((await start('-c', path, '--set', 'mqtt.port=1884', '--check')).code, 0);
		const { code, stderr } = await start('-c', path, '--set', 'mqtt.port=0', '--check');
		assert.equal(code, 2);
		assert.match(stderr, /--set|mqtt\.port|port/);
		assert.match(
			(await start('-c', path, '--set', 'mqtt.port=1884', '--set', 'mqtt.prot=1', '--check')).stderr,
			/prot/,
		);
	});

	test(`${daemon}: a file of garbage is refused, not obeyed`, async () => {
		for (const [index, text] of [
			'\0\x01\x02',
			'[',
			'x = 1',
			'[mqtt\nport = 1',
			'= 5\n',
			`[mqtt]\nhost = ${'x'.repeat(10000)}\n`,
			'[mqtt]\nport = 1\nport = 2\n',
			'[mqtt]\n[mqtt]\n',
		].entries()) {
			const { code } = await start('-c', file(`${daemon}.garbage${index}`, text), '--check');

			assert.equal(code, 2, JSON.stringify(text.slice(0, 40)));
		}
	});
}

test("node-agent: mistakes in devices name the device's line", async () => {
	const path = file(
		'devices',
		'[node]\nname = Salon!\n\n[device air]\ndriver = simm\n\n[device lamp]\ndriver = sim\nquantities = switch\nswitch.output = swich\nswitch.colour = red\n\n[device b]\ninterval = 1s\n',
	);
	const { code, stderr } = await run(program('node-agent'), ['-c', path, '--check']);

	assert.equal(code, 2);
	assert.match(stderr, /devices:2: .*Salon!/);
	assert.match(stderr, /devices:5: .*simm.*sim/);
	assert.match(stderr, /devices:10: .*swich.*switch/);
	assert.match(stderr, /devices:11: .*switch\.colour/);
	assert.match(stderr, /devices:1[34]: .*driver/);
});

test('node-agent: two devices for one chip, line or channel are told at the second', async () => {
	const path = file(
		'twice',
		`[node]
name = salon
[device air]
driver = bme280
[device attic]
driver = bmp280
address = 0x76
[device cellar]
driver = bmp280
bus = /dev/i2c-3
[device cellar_too]
driver = bmp280
bus = /dev/i2c-3
[device door]
driver = contact
line = GPIO17
[device lamp]
driver = relay
line = GPIO17
chip = pinctrl-bcm2711
[device bell]
driver = button
line = 17
chip = gpiochip1
[device arm]
driver = servo_pca9685
channel = 1
[device hand]
driver = servo_pca9685
channel = 2
[device fade]
driver = dimmer_pca9685
frequency = 50
channel = 0x1
[device attic_air]
driver = htu21
[device act]
driver = led
led = ACT
[device act_too]
driver = led
led = ACT
[device glow]
driver = dimmer
[device gate]
driver = servo
channel = 0
[device tank]
driver = hcsr04
trigger = GPIO23
echo = GPIO17
`,
	);
	const { code, stderr } = await run(program('node-agent'), ['-c', path, '--check']);

	assert.equal(code, 2);
	assert.deepEqual(
		stderr
			.trim()
			.split('\n')
			.map((line) => line.replace(`${path}:`, '')),
		[
			'7: address: 0x76 on /dev/i2c-1 is that of [device air] already',
			'11: warning: 0x76 on /dev/i2c-3 is that of [device cellar], too', // it works, and alone it is no mistake
			'19: line: GPIO17 is that of [device door] already',
			'34: channel: channel 1 of this chip is that of [device arm] already',
			'35: 0x40 on /dev/i2c-1 is that of [device arm] already',
			'42: led: ACT is that of [device act] already',
			'47: channel: channel 0 of this chip is that of [device glow] already',
			'51: echo: GPIO17 is that of [device door] already',
		],
	);
	const same = file('same', '[node]\nname = n\n[device a]\ndriver = bme280\n[device b]\ndriver = bme280\naddress = 0x76\n');
	const warned = await run(program('node-agent'), ['-c', same, '--check']);

	assert.equal(warned.code, 0);
	assert.equal(warned.stderr, `${same}:7: warning: address: 0x76 on /dev/i2c-1 is that of [device a], too\n`);
});

test('completion knows the options, the devices of the configuration, and the drivers of the program', async () => {
	const path = file('completed.conf', '[node]\nname = n\n[device lamp]\ndriver = relay\n[device air]\ndriver = bme280\n');
	const complete = async (...words) => {
		const script = 'source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _foyer "$2"; printf "%s\\n" "${COMPREPLY[@]}"';
		const all = ['-c', script, 'bash', join(root, 'config/completion/foyer.bash'), program('node-agent'), ...words];

		return (await run('bash', all)).stdout.trim().split('\n');
	};

	assert.deepEqual(await complete('--pr'), ['--probe']);
	assert.deepEqual((await complete('-c', path, '--read', '')).sort(), ['air', 'lamp']);
	assert.deepEqual(await complete('-c', path, '--set', 'la'), ['lamp=']);
	assert.deepEqual(await complete('-c', path, '--set', 'lamp', '=', 'of'), ['off']);
	assert.deepEqual(await complete('-c', path, '--set', 'lamp', '='), ['on', 'off']);
	assert.deepEqual(await complete('-c', path, '--set', '"device lamp.driver=bmp'), ['device lamp.driver=bmp280']);
	assert.deepEqual(await complete('--set', 'log.level', '=', 'd'), ['debug']);
	assert.ok((await complete('--set', '"device x.driver=')).length > 20);
});

test('node-agent without a name is told so', async () => {
	const { code, stderr } = await run(program('node-agent'), ['-c', file('nameless', '[mqtt]\nport = 1884\n'), '--check']);

	assert.equal(code, 2);
	assert.match(stderr, /name/);
});

test('the example configurations pass --check', async () => {
	const examples = readdirSync(join(root, 'config')).filter((name) => name.endsWith('.conf'));

	assert.ok(examples.length > 0);
	for (const name of examples) {
		const result = await run(program(name.replace('.conf', '')), ['-c', join(root, 'config', name), '--check']);

		assert.equal(result.code, 0, `${name}: ${result.stderr}`);
	}
	for (const name of readdirSync(join(root, 'config/demo')).filter((each) => each.endsWith('.conf')))
		assert.equal((await run(program('node-agent'), ['-c', join(root, 'config/demo', name), '--check'])).code, 0, name);
});

test('SIGTERM and SIGINT: each daemon leaves within 2 s with 0, nodes say offline', { deadline: 60000 }, async () => {
	const house = new House();

	await house.startBroker();
	for (const signal of ['SIGTERM', 'SIGINT']) {
		await house.startCollector();
		await house.startWebd();
		await house.startNode('salon', { air: { driver: 'sim', quantities: 'temperature', interval: '100ms' } });
		await house.stored('salon', 'air', 'temperature', 5);
		for (const part of [house.nodes.salon, house.webd, house.collector]) {
			const { code, ms } = await part.stop(signal);

			assert.equal(code, 0, `${part.name}: ${part.log}`);
			assert.ok(ms < 2000, `${part.name} took ${ms} ms`);
		}
	}
	const nobody = await house.listen('foyer/salon/$status', 'foyer/$collector/$status');
	await waitFor(() => nobody.messages.length === 2, 'both words');
	assert.deepEqual(
		nobody.messages.map((message) => message.text),
		['offline', 'offline'],
	);
	await house.close();
});

test('SIGHUP reads the configuration again; with mistakes the old one stays', { deadline: 60000 }, async () => {
	const house = new House();
	const text = (interval) =>
		`[node]\nname = salon\n[device air]\ndriver = sim\nquantities = temperature\ninterval = ${interval}\n`;
	const path = join(house.folder, 'reload.conf');

	await house.startBroker();
	writeFileSync(path, text('1h'));
	const conf = join(house.folder, 'collector.conf');
	writeFileSync(conf, '[log]\nlevel = info\n');
	await house.startCollector({ conf });
	await house.startWebd();
	const node = await house.startNodeFile('salon', path);
	const bus = await house.listen('foyer/salon/$info');

	writeFileSync(path, text('eternal'));
	node.signal('SIGHUP');
	await node.logged(/reload\.conf:6: [\s\S]*the old one stays/);
	writeFileSync(path, text('100ms'));
	node.signal('SIGHUP');
	await node.logged(/configuration read again/);
	await bus.heard(
		(message) => JSON.parse(message.text).devices.air.quantities.temperature.interval === 0.1,
		'$info with the new interval',
	);
	await house.stored('salon', 'air', 'temperature', 10);
	writeFileSync(conf, '[log]\nlevel = loud\n');
	house.collector.signal('SIGHUP');
	await house.collector.logged(/collector\.conf:2: [\s\S]*the old one stays/);
	writeFileSync(conf, '[log]\nlevel = debug\n');
	house.collector.signal('SIGHUP');
	await house.collector.logged(/configuration read again/);
	house.webd.signal('SIGHUP');
	await house.webd.logged(/configuration read again/);
	await house.close();
});

test('a taken port is told in a sentence, and webd exits with 1', async () => {
	const house = new House();

	await house.startBroker();
	await house.startWebd();
	const { code, stderr } = await run(program('webd'), [
		...house.mqtt(),
		'--set',
		`store.url=sqlite://${house.store}`,
		'--set',
		'http.listen=127.0.0.1',
		'--set',
		`http.port=${house.webPort}`,
	]);

	assert.equal(code, 1);
	assert.match(stderr, new RegExp(`port ${house.webPort}.*taken`));
	await house.close();
});
