// make bench: what Foyer's way from the broker to a chart costs, side by side with the limit and with a first design, in one run. README.md says what
// each figure means. BENCH_SECONDS, BENCH_ROWS, BENCH_HOURS, BENCH_REPEATS make it longer or shorter, BENCH_ONLY=ingest,wear,spans leaves parts out.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { House, build, root, run, waitFor } from '../lib/house.mjs';
import { Part } from '../lib/part.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const tool = (name) => join(resolve(root, process.env.OBJ || join(build, 'obj')), 'bench', name);
const MARKERS = 150; // flood.c's own messages
const PYTHON = '/usr/bin/python3'; // Debian's, as its paho-mqtt is

function number(name, usual, least, most) {
	const value = Number(process.env[name] || usual);

	if (Number.isInteger(value) && value >= least && value <= most) return value;
	console.error(`${name}=${process.env[name]}: a whole number from ${least} to ${most}`);
	process.exit(2);
}

const settings = {
	seconds: number('BENCH_SECONDS', 4, 1, 3600), // about so long is each flood at full speed
	repeats: number('BENCH_REPEATS', 3, 1, 99),
	rows: number('BENCH_ROWS', 4000000, 1500000, 1e9),
	hours: number('BENCH_HOURS', 4, 1, 1000), // of virtual time
};
const only = (process.env.BENCH_ONLY ?? 'ingest,wear,spans').split(',');
const figures = [];

// ---- figures ----------------------------------------------------------------------------------------------------------------------------

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const short = (value) =>
	value >= 1000 ? Math.round(value).toLocaleString('en') : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

// least or most: what is to be reached. values: of all repetitions.
function figure(name, unit, values, { least, most } = {}) {
	const value = median(values);
	const ok = least === undefined && most === undefined ? null : !(value < least || value > most);
	const target = least !== undefined ? `>= ${least}` : most !== undefined ? `<= ${most}` : '';
	const range = values.length > 1 ? `${short(Math.min(...values))} .. ${short(Math.max(...values))}` : '';

	figures.push({ name, unit, value, values, least, most, ok });
	console.log(
		`${name.padEnd(58)} ${short(value).padStart(9)} ${unit.padEnd(10)} ${target.padEnd(9)} ${{ true: 'ok', false: 'SHORT', null: '' }[ok].padEnd(6)} ${range}`,
	);
}

function chapter(title) {
	console.log(`\n${title}`);
}

// ---- a process, from outside --------------------------------------------------------------------------------------------------------------

const cpuSeconds = (pid) =>
	readdirSync(`/proc/${pid}/task`)
		.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
		.reduce((sum, ns) => sum + ns / 1e9, 0);
const peakMiB = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

// ---- ingest -------------------------------------------------------------------------------------------------------------------------------

// Each starts a consumer and gives { pid, stored }: stored() waits until it has all, and gives the moment.
function outside(house, name, program, args) {
	const part = new Part(name, program, args);

	house.parts.push(part);
	return {
		part,
		pid: part.pid,
		ready: () => waitFor(() => part.out.includes('subscribed'), `${name} subscribes: ${part.log}`),
		stored: async () => {
			await waitFor(() => part.out.includes('}'), `${name} has all`, 600000);
			return JSON.parse(part.out.slice(part.out.indexOf('{'))).stored;
		},
	};
}

const consumers = {
	null: (house, { qos, count }) => outside(house, 'nullsub', tool('nullsub'), [house.port, qos, count + MARKERS].map(String)),
	collector: async (house) => {
		const part = await house.startCollector({ set: ['store.commit_interval=10s'] });

		return { part, pid: part.pid, ready: () => {}, stored: (flood) => flood.stored, receipt: true };
	},
	'first design, commit per second': (house, { qos, count }) =>
		outside(house, 'first design', PYTHON, [
			join(here, 'first_design.py'),
			...[house.port, qos, count + MARKERS].map(String),
			join(house.folder, 'first.db'),
			'second',
		]),
	'first design, commit per message': (house, { qos, count }) =>
		outside(house, 'first design', PYTHON, [
			join(here, 'first_design.py'),
			...[house.port, qos, count + MARKERS].map(String),
			join(house.folder, 'first.db'),
			'message',
		]),
};

async function checkStored(house, count) {
	let rows = 0;

	for (const quantity of ['temperature', 'humidity', 'pressure', 'illuminance', 'voltage'])
		rows += (await house.sql(`SELECT count(*) AS n FROM ${quantity}`))[0].n;
	if (rows !== count) throw new Error(`${rows} rows of ${count} readings`);
}

// One flood through a broker of its own. Returns { rate, cpu: seconds per million, peak: MiB }.
async function ingest(name, { qos, payload, count }) {
	const house = new House();

	try {
		await house.startBroker();
		const consumer = await consumers[name](house, { qos, count });
		await consumer.ready();
		const cpu = cpuSeconds(consumer.pid);
		const words = [house.port, qos, payload, count].map(String);
		const end = await run(tool('flood'), consumer.receipt ? [...words, '--receipt'] : words, { timeout: 600000 });

		if (end.code !== 0) throw new Error(`flood: ${end.stderr}`);
		const flood = JSON.parse(end.stdout);
		const stored = await consumer.stored(flood);
		// What is left of a flood waits for commit_interval, as it should: the rate is that until the last commit before.
		const [hundredths, moment] = flood.receipts.at(-1) ?? [0];
		const rate = Math.max(
			(count + MARKERS) / ((stored - flood.begin) / 1e9),
			hundredths >= 50 ? (count * hundredths) / 100 / ((moment - flood.begin) / 1e9) : 0,
		);
		const result = {
			rate,
			cpu: ((cpuSeconds(consumer.pid) - cpu) / (count + MARKERS)) * 1e6,
			peak: peakMiB(consumer.pid),
		};

		if (name === 'collector') await checkStored(house, count);
		return result;
	} catch (error) {
		house.failed = true;
		console.error(house.logs());
		throw error;
	} finally {
		await house.close();
	}
}

async function benchIngest() {
	const loads = [
		{ qos: 1, payload: 'bare', least: 0.95, cpu: 6.5 },
		{ qos: 1, payload: 'json', least: 0.95, cpu: 7.5 },
		{ qos: 0, payload: 'bare', least: 0.9 },
		{ qos: 0, payload: 'json', least: 0.9 },
	];
	const all = new Map();
	const keep = (name, load, result) => {
		const key = `${name}, QoS ${load.qos} ${load.payload}`;

		if (!all.has(key)) all.set(key, []);
		all.get(key).push(result);
	};
	const peers = [
		['first design, commit per second', 0.3],
		['first design, commit per message', 0.01],
	];
	const rates = new Map(); // of the null subscriber on this machine, now: so that each flood takes about so long

	for (const load of loads) rates.set(load, (await ingest('null', { ...load, count: 20000 })).rate);
	const countFor = (load, share) => Math.max(1000, Math.round(rates.get(load) * settings.seconds * share));

	for (let repeat = 0; repeat < settings.repeats; repeat++)
		for (const load of loads) {
			// Who comes first changes from turn to turn.
			for (const name of repeat % 2 ? ['collector', 'null'] : ['null', 'collector'])
				keep(name, load, await ingest(name, { ...load, count: countFor(load, 1) }));
			if (load.qos === 1)
				for (const [name, share] of peers) keep(name, load, await ingest(name, { ...load, count: countFor(load, share) }));
		}

	chapter('Ingest: 4 publishers at full speed, 100 series, one broker');
	for (const load of loads) {
		const suffix = `QoS ${load.qos} ${load.payload}`;
		const of = (name, key) => all.get(`${name}, ${suffix}`)?.map((result) => result[key]);
		const limit = median(of('null', 'rate'));

		figure(`null subscriber, ${suffix}`, 'msg/s', of('null', 'rate'));
		figure(`collector, ${suffix}`, 'msg/s', of('collector', 'rate'));
		figure(
			`collector / null subscriber, ${suffix}`,
			'',
			of('collector', 'rate').map((rate) => rate / limit),
			{ least: load.least },
		);
		figure(`null subscriber's CPU, ${suffix}`, 's/million', of('null', 'cpu'));
		figure(`collector's CPU, ${suffix}`, 's/million', of('collector', 'cpu'), { most: load.cpu });
		figure(`collector's peak memory, ${suffix}`, 'MiB', of('collector', 'peak'), { most: 12 });
		for (const [name] of peers) {
			if (!of(name, 'rate')) continue;
			figure(`${name}, ${suffix}`, 'msg/s', of(name, 'rate'));
			figure(
				`collector / ${name}, ${suffix}`,
				'',
				of('collector', 'rate').map((rate) => rate / median(of(name, 'rate'))),
			);
			figure(`its CPU`, 's/million', of(name, 'cpu'));
			figure(`its peak memory`, 'MiB', of(name, 'peak'));
		}
	}
}

// ---- what is written ------------------------------------------------------------------------------------------------------------------------

async function toolSays(name, args) {
	const end = await run(tool(name), args.map(String), { timeout: 7200000 });

	if (end.code !== 0) throw new Error(`${name}: ${end.stderr}`);
	return end.stdout.trim().split('\n').map((line) => JSON.parse(line));
}

async function benchWear(folder) {
	chapter(`Bytes: 50 series, 5 quantities, ${settings.hours} h of virtual time, commit_interval 10 s`);
	for (const perSecond of [5, 50])
		for (const payload of ['json', 'bare']) {
			const place = mkdtempSync(join(folder, 'wear-'));
			const [said] = await toolSays('wear', [place, perSecond, settings.hours, 10000, payload]);
			const name = `${perSecond} readings/s, ${payload}`;

			figure(`bytes to write() per reading, ${name}`, 'bytes', [said.written / said.readings], perSecond === 5 ? { most: 400 } : {});
			figure(`bytes of file per reading, ${name}`, 'bytes', [said.file / said.stored], { most: 26 });
			figure(`commits per hour, ${name}`, '', [said.commits / settings.hours]);
			rmSync(place, { recursive: true });
		}
}

// ---- charts -----------------------------------------------------------------------------------------------------------------------------------

async function benchSpans(folder) {
	const file = join(folder, 'spans.db');
	const [made] = await toolSays('spans', ['fill', file, settings.rows]);
	const targets = { 'last 100': 1, 'last 100 of a dead series': 1, '1 y': 4, '1 y, nine years ago': 4 };

	chapter(`Charts: 100 series, ${made.rows.toLocaleString('en')} raw rows in ten years (${(made.file / 1e6).toFixed(0)} MB), at most 1000 points`);
	const answers = await toolSays('spans', ['ask', file, 101]);
	for (const { name, warm } of answers) figure(`${name}, warm`, 'ms', [warm], { most: targets[name] });
	for (const { name, cold } of answers) figure(`${name}, cold (worst of 3)`, 'ms', [cold]);
	rmSync(file);
}

// ---- all ----------------------------------------------------------------------------------------------------------------------------------------

// Big files: not in a memory file system, where nothing is ever cold.
const folder = mkdtempSync(join(process.env.BENCH_DIR || tmpdir(), 'foyer-bench-'));

process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
console.log(`${cpus().length} x ${cpus()[0].model}; ${JSON.stringify(settings)}`);
console.log(`median of the repetitions; "SHORT" is a figure that misses what was to be reached`);
if (only.includes('ingest')) await benchIngest();
if (only.includes('wear')) await benchWear(folder);
if (only.includes('spans')) await benchSpans(folder);

const missed = figures.filter(({ ok }) => ok === false).length;
const file = process.env.BENCH_JSON || join(build, 'bench.json');

mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify({ time: new Date().toISOString(), cpu: cpus()[0].model, cpus: cpus().length, settings, figures }, null, '\t')}\n`);
console.log(`\n${figures.filter(({ ok }) => ok).length} figures reach what was to be reached, ${missed} do not. ${file}`);
