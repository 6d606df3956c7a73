// A house whose every part is killed, cut off, starved of disk and lied to by its clock, at random moments; then the books are balanced: every
// reading that a sensor made is in the store once, at its own time.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { House, isRoot, run, sleep, waitFor } from '../lib/house.mjs';
import { compare, readLog } from './ledger.mjs';
import { makePlan } from './plan.mjs';
import { Relay } from './relay.mjs';

const NODES = ['attic', 'cellar', 'garden'];
const DISK_BYTES = 48 << 20;

// ---- a small disk for the store, that can be filled ------------------------------------------------------------------------------------

class SmallDisk {
	constructor() {
		this.folder = mkdtempSync(join(process.env.FOYER_TEST_DIR ?? tmpdir(), 'foyer-disk-'));
		this.ballast = join(this.folder, 'ballast');
		this.mounted =
			isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'foyer-chaos', this.folder]).status === 0;
		this.gone = () => this.remove();
		process.on('exit', this.gone);
	}

	fill() {
		const free = statfsSync(this.folder);

		for (let bytes = free.bavail * free.bsize; bytes >= 4096; bytes >>= 1)
			try {
				writeFileSync(this.ballast, Buffer.alloc(bytes), { flag: 'a' });
			} catch (error) {
				if (error.code !== 'ENOSPC') throw error;
			}
	}

	empty() {
		rmSync(this.ballast, { force: true });
	}

	remove() {
		process.off('exit', this.gone);
		if (this.mounted) spawnSync('umount', ['-l', this.folder]);
		else readdirSync(this.folder).forEach((name) => rmSync(join(this.folder, name)));
		rmdirSync(this.folder);
	}
}

// ---- clocks ----------------------------------------------------------------------------------------------------------------------------

// What a node takes for the clocks of its machine (common/clock.h).
class NodeClock {
	constructor(file) {
		this.file = file;
		this.boot = 0;
		this.right();
	}

	set(offset_ms, synced) {
		const fresh = `${this.file}.new`;

		writeFileSync(fresh, `offset=${offset_ms}\nsynced=${synced ? 'yes' : 'no'}\nboot=boot-${this.boot}\n`);
		renameSync(fresh, this.file);
	}

	right() {
		this.set(0, true);
	}
}

// The machine's own two clocks, now: what lies between them.
function sampleClocks() {
	const boot = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;

	return { boot, wall: Date.now() - 5 }; // it is cut to 10 ms
}

// ---- the house -------------------------------------------------------------------------------------------------------------------------

// Two devices that read at different paces, of quantities wide enough that no two values are alike.
function devices(rate, number) {
	const wide = (quantity) => ({ [`${quantity}.base`]: 500000000, [`${quantity}.noise`]: 490000000 });

	return {
		fast: {
			driver: 'sim',
			quantities: 'counter',
			interval: `${Math.max(10, Math.round(1000 / (rate * 0.6)))}ms`,
			seed: number * 2 + 1,
			...wide('counter'),
		},
		slow: {
			driver: 'sim',
			quantities: 'energy volume counter',
			interval: `${Math.max(10, Math.round(3000 / (rate * 0.4)))}ms`,
			seed: number * 2 + 2,
			...wide('energy'),
			...wide('volume'),
			...wide('counter'),
		},
	};
}

class Chaos {
	constructor({ say, without = [], ...options }) {
		this.options = options;
		this.without = without;
		this.say = say;
		this.house = new House({
			broker: ['persistence true', 'autosave_interval 1', 'max_inflight_messages 0'],
		});
		this.disk = new SmallDisk();
		this.lives = []; // { node, part, killedAt, spilled }
		this.busy = new Map(); // what is being done to a part: one thing after the other
		this.done = new Map(); // how often each fault was made
		this.relays = {};
		this.clocks = Object.fromEntries(NODES.map((node) => [node, new NodeClock(join(this.house.folder, `clock-${node}`))]));
		this.samples = [sampleClocks()];
		this.sampler = setInterval(() => this.samples.push(sampleClocks()), 1000);
		this.intervals = ['200ms', '1s', '10s'];
	}

	async open() {
		const { house } = this;

		house.brokerLines.push(`persistence_location ${house.folder}/`);
		house.store = join(this.disk.folder, 'foyer.db');
		await house.startBroker();
		for (const name of ['collector', ...NODES]) this.relays[name] = await new Relay(house.port).open();
		await this.startCollector(0.5, true);
		for (const [number, node] of NODES.entries()) {
			await house.startNode(node, devices(this.options.rate / NODES.length, number), {
				node: { resend_after: '2s', health_interval: '1s', spill_after: '2s', clock_wait: '30d' },
				...this.nodeOptions(node),
			});
			this.begin(node);
		}
	}

	nodeOptions(node) {
		return {
			ready: false,
			set: [`mqtt.port=${this.relays[node].port}`, 'log.level=debug'],
			env: { FOYER_CLOCK_FILE: this.clocks[node].file },
		};
	}

	begin(node) {
		this.lives.push({ node, part: this.house.nodes[node] });
	}

	latest(node) {
		return this.lives.findLast((life) => life.node === node);
	}

	async startNode(node, set = []) {
		const options = this.nodeOptions(node);

		await this.house.startNodeFile(node, join(this.house.folder, `${node}.conf`), {
			...options,
			set: [...options.set, ...set],
		});
		this.begin(node);
	}

	startCollector(roll, ready = false) {
		return this.house.startCollector({
			ready,
			set: [
				`mqtt.port=${this.relays.collector.port}`,
				`store.commit_interval=${this.intervals[Math.floor(roll * this.intervals.length)]}`,
			],
		});
	}

	// ---- faults ----

	// kill -9, and a look at what the file of its outbox holds: that must not be lost.
	async killLife(node) {
		const life = this.latest(node);

		await life.part.kill();
		life.killedAt = sampleClocks().boot;
		life.spilled = await this.spilled(node);
	}

	// The series and values in a node's outbox file. A copy is looked at, so that the file's own recovery is the node's business.
	async spilled(node) {
		const folder = mkdtempSync(join(this.house.folder, 'spilled-'));

		for (const name of ['outbox.db', 'outbox.db-wal', 'outbox.db-journal'])
			if (existsSync(join(this.house.folder, `state-${node}`, name)))
				copyFileSync(join(this.house.folder, `state-${node}`, name), join(folder, name));
		const rows = await this.spilledRows(node, join(folder, 'outbox.db'));

		rmSync(folder, { recursive: true });
		return new Set(rows.map(({ series, value }) => `${series} ${value}`));
	}

	async spilledRows(node, file) {
		if (!existsSync(file)) return [];
		const found = await run('sqlite3', [
			'-json',
			file,
			`SELECT '${node}/' || s.device || '/' || s.quantity AS series, r.value FROM reading AS r JOIN series AS s ON s.id = r.series`,
		]);

		if (found.code !== 0 && !/no such table/.test(found.stderr)) throw new Error(`${node}: outbox.db: ${found.stderr}`);
		return found.stdout.trim() ? JSON.parse(found.stdout) : [];
	}

	async killNode({ node, for_ms }) {
		await this.killLife(node);
		await sleep(for_ms);
		await this.startNode(node);
	}

	async restartNode({ node, for_ms }) {
		await this.leave(this.latest(node).part);
		await sleep(for_ms);
		await this.startNode(node);
	}

	async nudgeClock({ node, for_ms, roll }) {
		this.clocks[node].set(Math.round((roll - 0.5) * 1800), true);
		await sleep(for_ms);
		this.clocks[node].right();
	}

	// From an hour to ten days, either way.
	async stepClock({ node, for_ms, roll }) {
		this.clocks[node].set((roll < 0.5 ? -1 : 1) * Math.round(3600000 * 240 ** roll), false);
		await sleep(for_ms);
		this.clocks[node].right();
	}

	async bootWithoutClock({ node, for_ms, roll }) {
		await this.killLife(node);
		this.clocks[node].boot++;
		this.clocks[node].set(-Math.round(86400000 * (30 + 300 * roll)), false);
		await this.startNode(node);
		await sleep(for_ms);
		this.clocks[node].right();
	}

	async killCollector({ for_ms, roll }) {
		await this.house.collector.kill();
		await sleep(for_ms);
		await this.startCollector(roll);
	}

	async killBroker({ for_ms }) {
		await this.house.broker.kill();
		await sleep(for_ms);
		await this.house.startBroker();
	}

	async breakLine(name, how, for_ms) {
		this.relays[name][how]();
		await sleep(for_ms);
		this.relays[name].mend();
	}

	async fillDisk({ for_ms }) {
		this.disk.fill();
		await sleep(for_ms);
		this.disk.empty();
	}

	make(step) {
		const faults = {
			'kill collector': ['collector', () => this.killCollector(step)],
			'kill broker': ['broker', () => this.killBroker(step)],
			'kill node': [step.node, () => this.killNode(step)],
			'restart node': [step.node, () => this.restartNode(step)],
			'cut node': [`line of ${step.node}`, () => this.breakLine(step.node, 'cut', step.for_ms)],
			'cut collector': ['line of collector', () => this.breakLine('collector', 'cut', step.for_ms)],
			'stall node': [`line of ${step.node}`, () => this.breakLine(step.node, 'stall', step.for_ms)],
			'stall collector': ['line of collector', () => this.breakLine('collector', 'stall', step.for_ms)],
			'nudge clock': [step.node, () => this.nudgeClock(step)],
			'step clock': [step.node, () => this.stepClock(step)],
			'boot without clock': [step.node, () => this.bootWithoutClock(step)],
			'fill disk': ['disk', () => this.fillDisk(step)],
		};
		const [part, fault] = faults[step.kind];
		const before = this.busy.get(part) ?? Promise.resolve();
		const after = before.then(fault);

		after.catch(() => {}); // told at the end, by all()
		this.busy.set(part, after);
		this.done.set(step.kind, (this.done.get(step.kind) ?? 0) + 1);
	}

	async rage() {
		const without = [...(this.disk.mounted ? [] : ['fill disk']), ...this.without];
		const plan = makePlan({ ...this.options, nodes: NODES, without });
		const begin = performance.now();

		if (!this.disk.mounted) this.say('no small disk to fill (that needs root and the right to mount): left out');
		for (const step of plan) {
			await sleep(Math.max(0, begin + step.at_ms - performance.now()));
			this.say(
				`${(step.at_ms / 1000).toFixed(1).padStart(6)} s  ${step.kind}${/node|clock/.test(step.kind) ? ` ${step.node}` : ''} for ${(step.for_ms / 1000).toFixed(1)} s`,
			);
			this.make(step);
		}
		await sleep(Math.max(0, begin + this.options.seconds * 1000 - performance.now()));
		await Promise.all(this.busy.values());
	}

	// ---- the end ----

	// A part leaves when it is asked to. How soon is for other tests to say: here the machine may be busy with much else.
	async leave(part) {
		await part.logged(/made |mqtt: /, `${part.name} is on its way`, 60000); // before that, nobody would hear the signal
		const end = await part.stop('SIGTERM', 30000);

		if (end.code !== 0) throw new Error(`${part.name} left with ${JSON.stringify(end)}`);
	}

	// The sensors rest (their nodes leave cleanly, and come back with the longest interval), and all that waits goes on its way.
	async drain() {
		for (const node of NODES) await this.leave(this.latest(node).part);
		await Promise.all(
			NODES.map((node) => this.startNode(node, ['device fast.interval=1d', 'device slow.interval=1d'])),
		);
		const health = await this.house.listen('foyer/+/$health');
		const from = health.messages.length;
		const emptied = (node) =>
			health.messages
				.slice(from)
				.findLast(({ topic, retain }) => topic === `foyer/${node}/$health` && !retain)
				?.text.includes('"outbox":0');

		await waitFor(() => NODES.every(emptied), 'the outboxes of all nodes are empty', 90000);
		await health.stop();
		// What a broker still held twice is in by then too.
		await this.house.pub('mark/chaos/counter', '1');
		await this.house.stored('mark', 'chaos', 'counter', 1, 60000);
		for (const node of NODES) await this.leave(this.latest(node).part);
		await this.leave(this.house.collector);
	}

	async rows() {
		const rows = [];

		for (const quantity of ['counter', 'energy', 'volume'])
			rows.push(
				...(await this.house.rows(`SELECT s.node || '/' || s.device || '/' || s.quantity AS series, q.time, q.value
					FROM "${quantity}" AS q JOIN series AS s ON s.id = q.series WHERE s.node <> 'mark'`)),
			);
		return rows;
	}

	async balance() {
		const lives = this.lives.map(({ part, ...life }) => ({ ...life, readings: readLog(part.log) }));
		const result = compare(lives, await this.rows(), this.samples);

		return {
			...this.options,
			faults: Object.fromEntries([...this.done].sort()),
			skipped: this.disk.mounted ? [] : ['fill disk'],
			rejected: await this.house.rows('SELECT topic, reason FROM rejected LIMIT 20'),
			...result,
		};
	}

	async close() {
		clearInterval(this.sampler);
		await this.house.close();
		await Promise.all(Object.values(this.relays).map((relay) => relay.close()));
		this.disk.remove();
	}
}

// Runs it. seconds, seed, rate (readings a second, of all nodes together); these may be left out: pauseMs: mean time between faults, longestMs: how long one lasts;
// without: kinds of fault that are left out; say: hears what goes on. Returns { nodes: [a line each], wrong: [examples], faults, ... }.
export async function chaos({ say = () => {}, rate = 200, ...options }) {
	const chaos = new Chaos({ say, rate, ...options });

	try {
		await chaos.open();
		await chaos.rage();
		await chaos.drain();
		chaos.house.checkHealth();
		return await chaos.balance();
	} catch (error) {
		chaos.house.failed = true;
		say(chaos.house.logs());
		throw error;
	} finally {
		await chaos.close();
	}
}

export const sum = (result, key) => result.nodes.reduce((total, line) => total + line[key], 0);
export const clean = (result) =>
	result.rejected.length === 0 && ['lost', 'doubled', 'wrongTime'].every((key) => sum(result, key) === 0);
