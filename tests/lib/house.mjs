// A whole house in a temporary folder: its own broker on a free loopback port, the collector, webd and nodes, each started when a test asks
// for it. BUILD names the folder of the programs.
import { createServer } from 'node:net';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Part, run } from './part.mjs';
import { forgetHouse, watchHouse } from './test.mjs';
import { waitFor } from './wait.mjs';

export { run } from './part.mjs';
export { test } from './test.mjs';
export { sleep, staysFalse, waitFor } from './wait.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const build = resolve(root, process.env.BUILD || 'build');
export const program = (name) => join(build, name);
export const isRoot = process.getuid() === 0;

const HOST = '127.0.0.1';
const open = new Set();

// Whoever keeps a failed house's folder says so. A crash keeps it too.
process.on('exit', (code) => open.forEach((house) => house.removeFolder(code !== 0)));

// A port that is free now, below the kernel's own range so that no outgoing connection takes it meanwhile.
export async function freePort() {
	for (;;) {
		const port = 15000 + Math.floor(Math.random() * 15000);
		const free = await new Promise((answer) => {
			const server = createServer();

			server.once('error', () => answer(false));
			server.listen(port, HOST, () => server.close(() => answer(true)));
		});

		if (free) return port;
	}
}

// Messages that mosquitto_sub hears: { topic, payload (Buffer), text, retain, qos }.
class Listener {
	constructor(part) {
		this.part = part;
		this.messages = [];
	}

	take(line) {
		const fields = line.split('\t');

		if (fields[0] !== 'message') return;
		const payload = Buffer.from(fields[4] ?? '', 'hex');
		this.messages.push({
			topic: fields[1],
			retain: fields[2] === '1',
			qos: Number(fields[3]),
			payload,
			text: payload.toString(),
		});
	}

	// The first message that the predicate takes; what it is looked for is in `what`.
	heard(predicate, what, ms) {
		return waitFor(() => this.messages.find(predicate), what, ms);
	}

	stop() {
		return this.part.stop();
	}
}

export class House {
	// broker: lines added to its configuration, or { file } for a whole one.
	constructor({ broker = [], base = 'foyer' } = {}) {
		this.folder = mkdtempSync(join(process.env.FOYER_TEST_DIR ?? tmpdir(), 'foyer-house-'));
		this.base = base;
		this.brokerLines = broker;
		this.store = join(this.folder, 'foyer.db');
		this.parts = [];
		this.nodes = {};
		this.failed = false;
		this.clientArgs = []; // for mosquitto_pub and mosquitto_sub: user, password, certificate
		open.add(this);
		watchHouse(this);
	}

	// ---- parts ----

	async startBroker() {
		this.port ??= await freePort();
		const file = join(this.folder, 'mosquitto.conf');
		const lines = [
			`listener ${this.port} ${HOST}`,
			'allow_anonymous true',
			'max_queued_messages 0',
			'connection_messages false',
			...(isRoot ? ['user root'] : []),
			...this.brokerLines,
		];

		if (!this.brokerFile) writeFileSync(file, `${lines.join('\n')}\n`);
		this.broker = this.#part('mosquitto', 'mosquitto', ['-c', this.brokerFile ?? file]);
		await this.broker.logged(/mosquitto version \S+ running/);
	}

	mqtt() {
		return [`mqtt.host=${HOST}`, `mqtt.port=${this.port}`, `mqtt.base=${this.base}`].flatMap((word) => ['--set', word]);
	}

	// set: further SECTION.KEY=VALUE. ready: false does not wait until it hears the broker.
	async startCollector({ set = [], ready = true, program: path = program('collector'), conf } = {}) {
		this.collector = this.#part('collector', path, [
			...(conf ? ['-c', conf] : []),
			...this.mqtt(),
			'--set',
			`store.url=sqlite://${this.store}`,
			'--set',
			'store.commit_interval=200ms',
			...set.flatMap((word) => ['--set', word]),
		]);
		if (ready) await this.collector.logged(/mqtt: connected/);
		if (ready) await this.#retained(`${this.base}/$collector/$status`, 'online', this.collector);
		return this.collector;
	}

	// Writes a node's configuration and starts it. devices: { lamp: { driver: 'sim', quantities: 'switch', ... } }
	async startNode(name, devices, { node = {}, ready = true, set = [], env } = {}) {
		const file = join(this.folder, `${name}.conf`);
		const state = join(this.folder, `state-${name}`);

		mkdirSync(state, { recursive: true });
		writeFileSync(file, ini({ node: { name, state_dir: state, ...node }, ...prefixed('device', devices) }));
		return this.startNodeFile(name, file, { ready, set, env });
	}

	// The machine may have started a moment ago, without a clock to believe: only a clock that is played waits (FOYER_CLOCK_FILE).
	async startNodeFile(name, file, { ready = true, set = [], env } = {}) {
		const clock = env?.FOYER_CLOCK_FILE ? [] : ['node.clock_wait=0'];
		const args = ['-c', file, ...this.mqtt(), ...[...clock, ...set].flatMap((word) => ['--set', word])];
		const part = this.#part(`node ${name}`, program('node-agent'), args, env);

		this.nodes[name] = part;
		if (ready) {
			await part.logged(/mqtt: connected/);
			await this.#retained(`${this.base}/${name}/$status`, 'online', part);
		}
		return part;
	}

	/** auth: people log in, as in a house; without it (on this loopback address) a test need not. */
	async startWebd({ set = [], ready = true, auth = false } = {}) {
		this.webPort ??= await freePort();
		const secure = set.some((word) => word.startsWith('http.cert_file='));

		this.url = `${secure ? 'https' : 'http'}://${HOST}:${this.webPort}`;
		this.webd = this.#part('webd', program('webd'), [
			...this.mqtt(),
			'--set',
			`store.url=sqlite://${this.store}`,
			'--set',
			`http.listen=${HOST}`,
			'--set',
			`http.port=${this.webPort}`,
			'--set',
			`http.auth=${auth ? 'on' : 'off'}`,
			'--set',
			`http.web=${join(build, 'web')}`,
			...set.flatMap((word) => ['--set', word]),
		]);
		// Of a certificate that nobody knows fetch() hears nothing: the log tells when it listens.
		if (secure) await this.webd.logged(/https:\/\//);
		await waitFor(async () => {
			if (this.webd.ended) throw new Error(`webd has left: ${this.webd.log}`);
			if (secure) return true;
			return fetch(`${this.url}/healthz`)
				.then((reply) => reply.text())
				.catch(() => null);
		}, 'webd answers');
		if (ready) await this.webd.logged(/mqtt: connected/);
		return this.webd;
	}

	#part(name, path, args, env) {
		const part = new Part(name, path, args, { env, logFile: join(this.folder, `${name.replace(' ', '-')}.log`) });

		this.parts.push(part);
		return part;
	}

	// A daemon says online only after it has subscribed, on the same connection.
	async #retained(topic, text, part) {
		const found = await run('mosquitto_sub', [...this.#client(), '-t', topic, '-W', '15', '-F', '%p', '-N', '-C', '1']);
		if (found.stdout === text) return;
		const listener = await this.listen(topic);

		await listener.heard((message) => message.text === text, `${part.name} says ${text}`);
		await listener.stop();
	}

	// ---- the bus ----

	#client() {
		return ['-h', HOST, '-p', String(this.port), ...this.clientArgs];
	}

	// topic below the base unless it begins with '/' (then as it stands after it). payload: text or Buffer.
	async pub(topic, payload, { qos = 1, retain = false, properties = [], args = [] } = {}) {
		const full = topic.startsWith('/') ? topic.slice(1) : `${this.base}/${topic}`;
		const words = [
			...this.#client(),
			'-V',
			'mqttv5',
			'-t',
			full,
			'-q',
			String(qos),
			...(retain ? ['-r'] : []),
			...args,
		];

		for (const [name, value] of properties) words.push('-D', 'publish', name, String(value));
		const result = await run('mosquitto_pub', [...words, ...(payload.length > 0 ? ['-s'] : ['-n'])], {
			input: payload,
		});
		if (result.code !== 0) throw new Error(`mosquitto_pub: ${result.stderr}`);
		return result;
	}

	// One message a line, by one mosquitto_pub.
	async pubLines(topic, lines, { qos = 1 } = {}) {
		const result = await run(
			'mosquitto_pub',
			[...this.#client(), '-V', 'mqttv5', '-t', `${this.base}/${topic}`, '-q', String(qos), '-l'],
			{ input: lines.join('\n') + '\n', timeout: 60000 },
		);

		if (result.code !== 0) throw new Error(`mosquitto_pub -l: ${result.stderr}`);
	}

	async listen(...filters) {
		const args = [
			...this.#client(),
			'-V',
			'mqttv5',
			'-q',
			'1',
			'-d',
			'-F',
			'message\t%t\t%r\t%q\t%x',
			...filters.flatMap((filter) => ['-t', filter]),
		];
		let subscribed = false;
		const listener = new Listener(null);

		listener.part = new Part('mosquitto_sub', 'stdbuf', ['-oL', 'mosquitto_sub', ...args], {
			onLine: (line) => {
				subscribed ||= line.startsWith('Subscribed');
				listener.take(line);
			},
		});
		await waitFor(() => subscribed, `mosquitto_sub ${filters}`);
		this.parts.push(listener.part);
		return listener;
	}

	// A request with MQTT 5 response topic; the answer's payload, or null when none came in time.
	async request(topic, payload, { seconds = 5 } = {}) {
		const result = await run('mosquitto_rr', [
			...this.#client(),
			'-V',
			'mqttv5',
			'-q',
			'1',
			'-t',
			`${this.base}/${topic}`,
			'-e',
			`${this.base}-answers/${process.pid}`,
			'-W',
			String(seconds),
			'-N',
			'-m',
			payload,
		]);

		return result.code === 0 ? result.stdout : null;
	}

	// ---- the store ----

	async sql(query, file = this.store) {
		const result = await run('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 5000', file, query]);

		if (result.code !== 0) throw new Error(`sqlite3: ${result.stderr}`);
		return result.stdout.trim() ? JSON.parse(result.stdout) : [];
	}

	// The same, but a table that is not there yet has no rows.
	async rows(query) {
		return this.sql(query).catch((error) => {
			if (/no such table|unable to open/.test(error.message)) return [];
			throw error;
		});
	}

	// Rows of a quantity's table with the names spelled out, in order of time.
	readings(node, device, quantity) {
		return this.rows(`SELECT q.time, q.value FROM "${quantity}" AS q JOIN series AS s ON s.id = q.series
			WHERE s.node = '${node}' AND s.device = '${device}' ORDER BY q.time`);
	}

	// Waits until so many rows are there; gives them.
	stored(node, device, quantity, count, ms) {
		return waitFor(
			async () => {
				const rows = await this.readings(node, device, quantity);

				return rows.length >= count ? rows : false;
			},
			`${count} readings of ${node}/${device}/${quantity} in the store`,
			ms,
		);
	}

	// Everything published before is in the store (or refused) when a reading of our own, published after it, is there.
	async settled() {
		this.marks = (this.marks ?? 0) + 1;
		const mark = this.marks;

		await this.pub('mark/test/counter', String(mark));
		await waitFor(
			async () => (await this.readings('mark', 'test', 'counter')).some((row) => row.value === mark),
			'the store has all until now',
		);
	}

	// ---- the web ----

	async get(path, options = {}) {
		const reply = await fetch(this.url + path, { redirect: 'manual', ...options });

		return { status: reply.status, headers: reply.headers, text: await reply.text() };
	}

	async json(path) {
		const reply = await this.get(path);

		if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
		return JSON.parse(reply.text);
	}

	command(node, device, quantity, value) {
		return this.get('/api/v1/command', {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ node, device, quantity, value }),
		});
	}

	// ---- the end ----

	checkHealth() {
		const complaint = this.parts.map((part) => part.complaint()).find(Boolean);

		if (complaint) throw new Error(complaint);
	}

	logs() {
		const shown = this.parts
			.filter((part) => part.name !== 'mosquitto_sub' && part.log)
			.map((part) => `---- ${part.name}\n${part.log.split('\n').slice(-60).join('\n')}`);

		return `${this.folder}\n${shown.join('\n')}`;
	}

	// Stops all parts, the broker last; each daemon must leave by itself with 0 within 2 s (sanitizers look for leaks meanwhile).
	async close() {
		if (this.failed) {
			await Promise.all(this.parts.filter((part) => part.alive).map((part) => part.kill()));
			return;
		}
		const daemons = [...Object.values(this.nodes), this.webd, this.collector].filter((part) => part?.alive);
		const ends = await Promise.all(daemons.map(async (part) => ({ name: part.name, ...(await part.stop()) })));

		for (const part of this.parts) if (part.alive) await part.stop();
		this.checkHealth();
		for (const end of ends)
			if (end.code !== 0 || end.ms > 2500) throw new Error(`${end.name} left with ${JSON.stringify(end)}`);
		forgetHouse(this);
		open.delete(this);
		this.removeFolder(false);
	}

	removeFolder(crashed) {
		if (this.failed || crashed) console.error(`kept: ${this.folder}`);
		else rmSync(this.folder, { recursive: true, force: true });
	}
}

// ---- small tools ----

export function prefixed(type, sections) {
	return Object.fromEntries(Object.entries(sections).map(([name, keys]) => [`${type} ${name}`, keys]));
}

export function ini(sections) {
	return Object.entries(sections)
		.map(
			([name, keys]) =>
				`[${name}]\n${Object.entries(keys)
					.map(([key, value]) => `${key} = ${value}\n`)
					.join('')}`,
		)
		.join('\n');
}

// A file's text, for comparisons.
export const slurp = (path) => readFileSync(path, 'utf8');
