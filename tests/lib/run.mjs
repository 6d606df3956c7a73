// Runs the tests: `tests/run [unit|integration|e2e|FILE]...`, all of them without words. One short line a test, the whole output of what
// failed, and at the end "N passed, N failed". BUILD: folder of the programs, OBJ: of the unit tests, JOBS: how many files at once.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(here);
const build = resolve(root, process.env.BUILD || 'build');
const objects = resolve(root, process.env.OBJ || join(build, 'obj-san'));
const jobs = Number(process.env.JOBS) || (availableParallelism?.() ?? cpus().length) + 1;
const FILE_DEADLINE_MS = 300000 + 1000 * Number(process.env.HARDWARE_SOAK ?? 0); // see tests/hardware/soak.mjs

const folder = mkdtempSync(join(tmpdir(), 'foyer-test-'));
const environment = { ...process.env, BUILD: build, FOYER_TEST_DIR: folder, NODE_OPTIONS: '' };
const children = new Set();
let passed = 0;
let failed = 0;
let interrupted = false;

// ---- what there is to run ----

function unitTest(source) {
	return { name: `unit/${basename(source, '.c')}`, command: [join(objects, 'tests', basename(source, '.c'))] };
}

function unitTests() {
	return readdirSync(join(here, 'unit'))
		.filter((name) => /^test_.*\.c$/.test(name))
		.map(unitTest);
}

function nodeTest(path) {
	const name = path.startsWith(here) ? path.slice(here.length + 1) : path;

	return { name: name.replace('.test.mjs', ''), command: [process.execPath, '--test-reporter=tap', path] };
}

function nodeTests(kind) {
	const names = readdirSync(join(here, kind))
		.filter((name) => name.endsWith('.test.mjs'))
		.sort();

	return names.map((name) => nodeTest(join(here, kind, name)));
}

function chosen(word) {
	if (word === 'unit') return unitTests();
	if (word === 'integration' || word === 'e2e') return nodeTests(word);
	if (word.endsWith('.mjs') && existsSync(word)) return [nodeTest(resolve(word))];
	if (/^test_.*\.c$/.test(basename(word)) && existsSync(word)) return [unitTest(word)];
	console.error(`tests/run: "${word}" is neither unit, integration, e2e nor a test file`);
	process.exit(2);
}

// Playwright's client, axe-core and ajv, from the lock file alone. The browser is Debian's.
function installBrowserClient() {
	const lock = join(here, 'e2e/package-lock.json');
	const done = join(here, 'e2e/node_modules/.package-lock.json');

	if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return;
	const result = spawnSync('npm', ['ci', '--prefix', join(here, 'e2e'), '--no-audit', '--no-fund', '--loglevel=error'], {
		stdio: 'inherit',
	});
	if (result.status !== 0) throw new Error('npm ci failed: the tests need what tests/e2e/package.json names');
}

// ---- one program ----

// Results of TAP (node), or of cmocka's "[  PASSED  ] N test(s)" lines. Only what is not indented counts.
const TAP = /^(ok|not ok) \d+ - (.*?)(?: # (SKIP|TODO)(.*))?$/;
const CMOCKA = /^\[\s+(OK|FAILED|SKIPPED)\s+\] (\w+)/;

function results(output) {
	const found = new Map();

	for (const line of output.split('\n')) {
		const tap = TAP.exec(line);
		const cmocka = CMOCKA.exec(line);

		if (tap)
			found.set(`${found.size} ${tap[2]}`, {
				name: tap[2].replace(/\\(.)/g, '$1'),
				ok: tap[1] === 'ok',
				skipped: tap[3] === 'SKIP' && (tap[4].trim() || 'skipped'),
			});
		else if (cmocka)
			found.set(cmocka[2], {
				name: cmocka[2],
				ok: cmocka[1] !== 'FAILED',
				skipped: cmocka[1] === 'SKIPPED' && 'skipped',
			});
	}
	return [...found.values()];
}

function runOne(job) {
	return new Promise((done) => {
		const child = spawn(job.command[0], job.command.slice(1), {
			cwd: root,
			env: environment,
			detached: true,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const begin = performance.now();
		const timer = setTimeout(() => child.kill('SIGTERM'), FILE_DEADLINE_MS);
		const output = [];

		children.add(child);
		child.stdout.on('data', (bytes) => output.push(bytes));
		child.stderr.on('data', (bytes) => output.push(bytes));
		child.on('error', (error) => output.push(Buffer.from(error.message)));
		child.on('close', (code, signal) => {
			clearTimeout(timer);
			children.delete(child);
			report(job, code ?? signal ?? 1, Buffer.concat(output).toString(), (performance.now() - begin) / 1000);
			done();
		});
	});
}

function report(job, code, output, seconds) {
	const found = results(output);
	const bad = found.filter((result) => !result.ok && !result.skipped);

	for (const result of found) {
		const word = result.skipped ? 'skip' : result.ok ? 'ok' : 'FAIL';

		console.log(`${word.padEnd(4)} ${job.name}: ${result.name}${result.skipped ? ` (${result.skipped})` : ''}`);
		if (!result.skipped) result.ok ? passed++ : failed++;
	}
	if ((code !== 0 || found.length === 0) && bad.length === 0) {
		failed++;
		console.log(`FAIL ${job.name}: ended with ${code} after ${found.length} tests`);
	}
	if (code !== 0 || bad.length > 0) console.log(`---- output of ${job.name}\n${output.trimEnd()}\n----`);
	console.log(`     ${job.name}: ${seconds.toFixed(1)} s`);
}

// ---- what is left afterwards ----

// Processes that carry this run's folder in their environment: nothing of the tests may still be there.
function leftovers() {
	const marker = `FOYER_TEST_DIR=${folder}`;

	return readdirSync('/proc')
		.filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
		.flatMap((pid) => {
			try {
				const found = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(marker);
				return found ? [{ pid: Number(pid), program: basename(readlinkSync(`/proc/${pid}/exe`)) }] : [];
			} catch {
				return []; // gone, or not ours
			}
		});
}

async function clean() {
	let left = leftovers();

	for (let i = 0; i < 50 && left.length > 0; i++) {
		// a browser's helpers leave a moment after it
		await new Promise((resolve) => setTimeout(resolve, 100));
		left = leftovers();
	}
	for (const { pid, program } of left) {
		console.log(`FAIL a process was left behind: ${program} (${pid})`);
		process.kill(pid, 'SIGKILL');
		failed++;
	}
	if (interrupted || readdirSync(folder).length === 0) rmSync(folder, { recursive: true, force: true });
	else console.log(`The folders of what failed stay in ${folder}`);
}

async function finish() {
	await clean();
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed > 0 || passed === 0 || interrupted ? 1 : 0);
}

for (const signal of ['SIGINT', 'SIGTERM'])
	process.on(signal, () => {
		interrupted = true;
		queue.length = 0;
		children.forEach((child) => child.kill('SIGTERM'));
	});

const words = process.argv.slice(2);
const queue = (words.length > 0 ? words : ['unit', 'integration', 'e2e']).flatMap(chosen);

if (queue.some((job) => job.command[0] === process.execPath)) installBrowserClient();
// The long ones first, so that none is alone at the end.
const LONG = ['e2e/look', 'integration/demo', 'integration/chaos', 'integration/lossless', 'integration/eight_steps', 'integration/trouble'];
queue.sort((a, b) => LONG.includes(b.name) - LONG.includes(a.name));
await Promise.all(
	Array.from({ length: jobs }, async () => {
		while (queue.length > 0) await runOne(queue.shift());
	}),
);
await finish();
