// foyerctl on real stores: backups while the collector writes, one put back, readings out and in again, and whatever goes wrong meanwhile.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { House, isRoot, program, run, test, waitFor } from '../lib/house.mjs';
import { environment } from '../lib/part.mjs';

const folder = mkdtempSync(join(process.env.FOYER_TEST_DIR ?? tmpdir(), 'foyer-ctl-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ctl = (args, options) => run(program('foyerctl'), args, { timeout: 60000, ...options });
let stores = 0;

// A folder of its own, with the path of a store that is not there yet.
function place() {
	const path = join(folder, `place${++stores}`);

	mkdirSync(path);
	return { path, store: join(path, 'foyer.db'), file: (name) => join(path, name) };
}

async function ok(args, options) {
	const result = await ctl(args, options);

	assert.equal(result.code, 0, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
	return result;
}

async function fails(code, args, pattern, options) {
	const result = await ctl(args, options);

	assert.equal(result.code, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
	assert.match(result.stderr, pattern);
	return result;
}

const T = Date.UTC(2026, 0, 1, 10);
const lines = (...rows) => text(rows);
const text = (rows) => `${rows.join('\n')}\n`;
const many = (count, from = T) =>
	text(['time,series,value', ...Array.from({ length: count }, (_, i) => `${from + i * 1000},salon/air/temperature,${20 + (i % 50) / 10}`)]);

// A store with so many readings.
async function filled(count = 1000) {
	const at = place();

	await ok(['import', '--store', at.store, '-'], { input: many(count) });
	return at;
}

const rowsOf = async (store) => (await ok(['export', '--store', store, '-'])).stdout;

// ---- the command line ----

test('without words: what there is; --help, --version and help COMMAND', async () => {
	const none = await ctl([]);
	const version = await ok(['--version']);

	assert.equal(none.code, 2);
	for (const word of ['backup', 'restore', 'check', 'export', 'import', 'stats']) {
		assert.match(none.stderr, new RegExp(`^ {2}${word} `, 'm'));
		assert.match((await ok(['help', word])).stdout, new RegExp(`foyerctl ${word}`));
		assert.equal((await ok([word, '--help'])).stdout, (await ok(['help', word])).stdout);
	}
	assert.match(version.stdout, /^foyerctl \d+\.\d+\.\d+\n$/);
	assert.equal((await ok(['--help'])).stdout, none.stderr);
});

test('wrong usage exits with 2 and says what is allowed', async () => {
	for (const [args, pattern] of [
		[['burn'], /"burn" is no command; there are:[\s\S]*backup/],
		[['--nonsense'], /nonsense[\s\S]*foyerctl help/],
		[['restore', '--store', 'x.db'], /usage: foyerctl restore FILE/],
		[['export', '--store', 'x.db', 'a.csv', 'b.csv'], /usage: foyerctl export/],
		[['stats', '--keep', '3'], /stats takes no --keep/],
		[['backup', '--keep', '0'], /1 to 1000/],
		[['backup', '--keep', 'all'], /1 to 1000/],
		[['backup', '--store', 'x.db', '-o', join(folder, 'a.db'), '--keep', '3'], /goes with a folder/],
		[['export', '--store', 'x.db', 'readings.txt'], /\.csv or \.jsonl/],
		[['export', '--format', 'xml', '-'], /csv and jsonl/],
		[['export', '--from', 'yesterday', '-'], /2026-11-24/],
		[['export', '--from', '2026-02-31', '-'], /2026-11-24/],
		[['export', '--from', '2026-01-02', '--to', '2026-01-01', '-'], /nothing lies between/],
		[['stats', '--store', 'mysql://x'], /sqlite:\/\/\//],
		[['stats', '-c', join(folder, 'missing.conf')], /missing\.conf/],
		[['help', 'burn'], /"burn" is no command/],
	])
		await fails(2, args, pattern);
});

test("the store's place comes from the collector's configuration", async () => {
	const at = await filled(3);

	writeFileSync(at.file('collector.conf'), `[store]\nurl = sqlite://${at.store}\nraw_days = 30\n`);
	writeFileSync(at.file('bad.conf'), '[store]\nurll = x\n');
	assert.equal(JSON.parse((await ok(['stats', '--json', '-c', at.file('collector.conf')])).stdout).readings, 3);
	await fails(2, ['stats', '-c', at.file('bad.conf')], /bad\.conf:2: .*urll/);
});

test('a store that is missing, none, or damaged is told with what to do', async () => {
	const at = place();

	for (const command of [['stats'], ['check'], ['export', '-'], ['backup', '-o', at.file('copy.db')]])
		await fails(1, [...command, '--store', at.store], /foyer\.db.*(not there|no such file)/);
	writeFileSync(at.store, 'this is a letter, not a database\n'.repeat(100));
	for (const command of [['stats'], ['check'], ['export', '-'], ['import', '-'], ['backup', '-o', at.file('copy.db')]])
		await fails(1, [...command, '--store', at.store], /damaged|not a store/);
	assert.deepEqual(readdirSync(at.path).filter((name) => !/foyer\.db/.test(name)), []);
});

// ---- export and import ----

const HOSTILE = [
	['thing', '0.1'],
	['thing', '-0'],
	['thing', '1e-300'],
	['thing', '5e-324'],
	['thing', '1.7976931348623157e+308'],
	['thing', '0.30000000000000004'],
	['thing', '9007199254740993'],
	['thing', '-123456789.123456789'],
	['temperature', '-40.5'],
	['contact', 'open'],
	['switch', '0'],
	['text', '"it\'s ""quoted"", with commas; and \\ backslashes"'],
	['text', '"🏠 家 é"'],
	['text', '""'],
	['text', '"=SUM(A1)"'],
	['badge', '12'],
];

test('whatever is exported and imported again is the same', async () => {
	const [first, second, third] = [place(), place(), place()];
	const input = lines(
		'time,node,device,quantity,value',
		...HOSTILE.map(([quantity, value], i) => `${T + i},salon,dev,${quantity},${value}`),
	);

	await ok(['import', '--store', first.store, '-'], { input });
	const csv = await rowsOf(first.store);
	assert.equal(csv.split('\n').length, HOSTILE.length + 2);
	assert.ok(csv.includes('2026-01-01T10:00:00.000Z,salon,dev,thing,0.1,\n'));
	assert.ok(csv.includes(',text,"it\'s ""quoted"", with commas; and \\ backslashes",\n'));
	await ok(['export', '--store', first.store, second.file('all.jsonl')]);
	await ok(['import', '--store', second.store, second.file('all.jsonl')]);
	await ok(['export', '--store', first.store, third.file('all.csv')]);
	await ok(['import', '--store', third.store, third.file('all.csv')]);
	assert.equal(await rowsOf(second.store), csv);
	assert.equal(await rowsOf(third.store), csv);
	const values = async (at) =>
		(await run('sqlite3', [at.store, 'SELECT quote(value), typeof(value) FROM thing ORDER BY time'])).stdout;
	assert.ok((await values(first)).includes('|'));
	assert.equal(await values(second), await values(first));
	assert.equal(await values(third), await values(first));
	const again = await ok(['import', '--store', third.store, third.file('all.csv'), second.file('all.jsonl')]);
	assert.match(again.stderr, /0 readings imported\n.*32 were there already/);
});

test('filters choose what goes out', async () => {
	const at = place();

	await ok(['import', '--store', at.store, '-'], {
		input: lines(
			'time,series,value',
			`${T},salon/air/temperature,20`,
			`${T + 1},salon/air/humidity,50`,
			`${T + 2},cuisine/air/temperature,21`,
			`${T + 3},garage/door/contact,1`,
		),
	});
	const count = async (...args) => (await ok(['export', '--store', at.store, ...args, '-'])).stdout.split('\n').length - 2;
	assert.equal(await count(), 4);
	assert.equal(await count('--node', 'salon'), 2);
	assert.equal(await count('--node', 'salon', '--node', 'gar*'), 3);
	assert.equal(await count('--quantity', 'temperature'), 2);
	assert.equal(await count('--series', '*/air/*'), 3);
	assert.equal(await count('--series', 'salon/air/humidity'), 1);
	assert.equal(await count('--from', String(T + 1), '--to', String(T + 3)), 2);
	assert.equal(await count('--from', '2026-01-01T10:00:00.003Z'), 1);
	assert.equal(await count('--to', '2026-01-01'), 0, 'midnight in UTC, as TZ says');
	assert.equal(await count('--from', '30000d'), 4);
	await fails(1, ['export', '--store', at.store, '--node', 'attic', '-'], /no series is meant/);
});

test('bad lines are told as FILE:LINE with what is allowed; --keep-going goes on', async () => {
	const at = place();
	const path = at.file('mixed.csv');

	writeFileSync(
		path,
		lines(
			'time,series,value,unit',
			`${T},a/b/temperature,20,°C`,
			`${T + 1},a/b/temperature,warm,°C`,
			`${T + 2},a/b/temperature,20,lx`,
			`${T + 3},a/b/temperature,68,°F`,
		),
	);
	const strict = await fails(1, ['import', '--store', at.store, path], /mixed\.csv:3: "warm" is not a finite number/);
	assert.match(strict.stderr, /1 readings imported[\s\S]*1 bad line[\s\S]*known when it is imported again/);
	const dry = await fails(1, ['import', '--store', at.store, '--dry-run', '--keep-going', path], /mixed\.csv:4: unit "lx".*allowed: °C/);
	assert.match(dry.stderr, /2 readings could be imported/);
	assert.equal((await rowsOf(at.store)).split('\n').length, 3);
	await fails(1, ['import', '--store', at.store, '--keep-going', path], /1 readings imported[\s\S]*1 were there already[\s\S]*2 bad lines/);
	assert.match(await rowsOf(at.store), /10:00:00\.003Z,a,b,temperature,20,°C/);
	await fails(1, ['import', '--store', at.store, '--keep-going', '-'], /standard input:1: the first line names/, { input: 'x,y\n1,2\n' });
});

test('another value at an instant is refused and counted, the first stays', async () => {
	const at = await filled(3);
	const { stderr } = await fails(1, ['import', '--store', at.store, '-'], /standard input:2: salon\/air\/temperature has another value/, {
		input: lines('time,series,value', `${T},salon/air/temperature,99`, `${T + 500},salon/air/temperature,21`),
	});

	assert.match(stderr, /1 readings imported\n[\s\S]*1 refused/);
	assert.equal(JSON.parse((await ok(['stats', '--store', at.store, '--json'])).stdout).rejected, 1);
	assert.ok(!(await rowsOf(at.store)).includes('99'));
});

test('late readings mend the means: check finds nothing afterwards', async () => {
	const at = await filled(20000);

	await ok(['import', '--store', at.store, '-'], { input: many(5000, T + 137) });
	await ok(['import', '--store', at.store, '-'], { input: many(100, T - 86400000) });
	const { stdout } = await ok(['check', '--full', '--store', at.store]);
	assert.match(stdout, /ok {3}the file is whole[\s\S]*means of all time are what/);
	assert.ok(!stdout.includes('wait for'), stdout);
});

test('check finds means that differ, and --mend makes them again', async () => {
	const at = await filled(5000);

	await run('sqlite3', [at.store, 'UPDATE temperature_5min SET max = 99 WHERE time = (SELECT min(time) FROM temperature_5min)']);
	const bad = await ctl(['check', '--full', '--store', at.store]);
	assert.equal(bad.code, 1);
	assert.match(bad.stdout, /FAIL temperature: the means of 5 minutes[\s\S]*check --full --mend/);
	assert.match((await ok(['check', '--full', '--mend', '--store', at.store])).stdout, /made again/);
	await ok(['check', '--full', '--store', at.store]);
});

test('check finds a damaged page', async () => {
	const at = await filled(50000);
	const fd = openSync(at.store, 'r+');

	writeSync(fd, Buffer.alloc(4096, 0x55), 0, 4096, 200 * 1024);
	closeSync(fd);
	const { code, stdout, stderr } = await ctl(['check', '--store', at.store]);
	assert.equal(code, 1);
	assert.match(stdout + stderr, /damaged[\s\S]*restore/);
});

// ---- with the collector ----

// Each test has a house of its own, that ends with it.
async function withHouse(fn) {
	const house = new House();

	try {
		await fn(house);
	} catch (error) {
		house.failed = true;
		throw error;
	} finally {
		await house.close();
	}
}

test('backups while the collector writes are whole; import and restore wait for it', { deadline: 120000 }, () => withHouse(async (house) => {
	const backups = join(house.folder, 'backups');

	mkdirSync(backups);
	await house.startBroker();
	await house.startCollector();
	await house.pubLines(
		'salon/x/counter',
		Array.from({ length: 5000 }, (_, i) => JSON.stringify({ value: i, time: Date.now() - 600000 + i, seq: i + 1 })),
	);
	await house.stored('salon', 'x', 'counter', 5000, 60000);
	const writing = house.pubLines(
		'salon/x/power',
		Array.from({ length: 3000 }, (_, i) => String(i)),
	);
	await house.stored('salon', 'x', 'power', 1);
	for (let i = 0; i < 4; i++) {
		const { stdout } = await ok(['backup', '--store', house.store, '-o', backups, '--keep', '3']);

		assert.match(stdout, /foyer-\d{8}T\d{6}Z\.db: [\d ]+ readings, .* verified/);
	}
	const names = readdirSync(backups).sort();
	assert.equal(names.length, 3, names.join());
	const newest = join(backups, names[2]);
	await ok(['check', '--full', '--store', newest]);
	assert.equal((await house.sql('SELECT count(*) AS n FROM counter', newest))[0].n, 5000);
	// Of what was written meanwhile it has all until a moment, and nothing after it.
	const powers = await house.sql('SELECT value FROM power ORDER BY time', newest);
	assert.deepEqual(
		powers.map((row) => row.value),
		powers.map((_, i) => i),
	);
	await writing;
	await fails(1, ['import', '--store', house.store, '-'], /another (collector|program) writes[\s\S]*systemctl stop foyer-collector/, {
		input: many(1),
	});
	await fails(1, ['restore', '--store', house.store, newest], /another program writes[\s\S]*systemctl stop foyer-collector/);
	await ok(['export', '--store', house.store, join(house.folder, 'all.csv')]);
	await ok(['check', '--full', '--store', house.store]);
	await ok(['stats', '--store', house.store]);

	// Back to the backup, with what came since from the old file: then nothing is missing.
	await house.stored('salon', 'x', 'power', 3000, 60000);
	await house.pub('salon/x/power', '3000'); // since the newest backup, for sure
	await house.stored('salon', 'x', 'power', 3001, 60000);
	await house.collector.stop();
	const all = await rowsOf(house.store);
	const { stdout } = await ok(['restore', '--store', house.store, newest]);
	const kept = /is kept: (.*)/.exec(stdout)[1];
	assert.notEqual(await rowsOf(house.store), all);
	await ok(['export', '--store', kept, join(house.folder, 'kept.csv')]);
	await ok(['import', '--store', house.store, join(house.folder, 'kept.csv')]);
	assert.equal(await rowsOf(house.store), all);
	await house.startCollector();
	await house.pub('salon/x/counter', '5000');
	await house.stored('salon', 'x', 'counter', 5001, 60000);
	await ok(['check', '--full', '--store', house.store]);
}));

test('a backup without -o goes beside the store, and what a killed one left is taken away', async () => {
	const at = await filled(10);
	const backups = at.file('backup');

	mkdirSync(backups);
	writeFileSync(join(backups, 'foyer-20200101T000000Z.db.part'), 'half');
	writeFileSync(join(backups, 'foyer-holiday.db'), 'of a person');
	writeFileSync(join(backups, 'foyer-20200101T000000Z.db'), 'old');
	await ok(['backup', '--store', at.store, '--keep', '1']);
	const names = readdirSync(backups).sort();
	assert.equal(names.length, 2, names.join());
	assert.match(names[0], /^foyer-202[6-9]|^foyer-20[3-9]/);
	assert.equal(names[1], 'foyer-holiday.db');
});

// Starts foyerctl, and kills it when it has begun.
async function interrupted(args, begun, signal) {
	const child = spawn(program('foyerctl'), args, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
	let stderr = '';
	const ended = new Promise((resolve) => child.on('close', (code, name) => resolve({ code, name, stderr })));

	child.stderr.on('data', (bytes) => (stderr += bytes));
	child.stdin.on('error', () => {});
	await begun(child);
	child.kill(signal);
	child.stdin.end();
	return ended;
}

test('Ctrl-C leaves no half file', { deadline: 120000 }, async () => {
	const at = await filled(40000);

	for (const [args, part] of [
		[['export', at.file('out.csv')], at.file('out.csv.part')],
		[['backup', '-o', at.file('copy.db')], at.file('copy.db.part')],
	]) {
		const end = await interrupted(
			[...args, '--store', at.store],
			(child) => waitFor(() => existsSync(part) || child.exitCode !== null, part),
			'SIGINT',
		);

		if (end.code !== 0) assert.match(end.stderr, /interrupted/); // or it was quicker than we
		assert.ok(!existsSync(part), 'the half file is gone');
		assert.equal(existsSync(args.at(-1)), end.code === 0);
	}
	// Of an import what was read is stored; it waits for more from a pipe.
	const other = place();
	const end = await interrupted(
		['import', '--store', other.store, '--format', 'jsonl', '-'],
		(child) =>
			new Promise((resolve) => {
				const rows = Array.from({ length: 20000 }, (_, i) => `{"series":"a/b/thing","time":${T + i},"value":${i}}\n`);

				child.stdin.write(rows.join(''), resolve); // most of it was read by then: a pipe holds 64 KiB
			}),
		'SIGINT',
	);
	const count = Number(/([\d ]+) readings imported[\s\S]*interrupted/.exec(end.stderr)?.[1].replace(/ /g, ''));
	assert.equal(end.code, 1, end.stderr);
	assert.ok(count > 0, end.stderr);
	assert.equal((await rowsOf(other.store)).split('\n').length, count + 2);
});

test('killed in the middle: the store is whole, and the import can be repeated', { deadline: 120000 }, async () => {
	const at = place();
	const path = at.file('many.csv');

	writeFileSync(path, many(80000));
	const end = await interrupted(
		['import', '--store', at.store, path],
		(child) => waitFor(() => child.exitCode !== null || (existsSync(`${at.store}-wal`) && statSync(`${at.store}-wal`).size > 500000), 'it writes'),
		'SIGKILL',
	);
	assert.ok(end.name === 'SIGKILL' || end.code === 0);
	await ok(['check', '--store', at.store]);
	await ok(['import', '--store', at.store, path]);
	await ok(['check', '--full', '--store', at.store]);
	assert.equal(JSON.parse((await ok(['stats', '--store', at.store, '--json'])).stdout).readings, 80000);
});

// ---- a disk that is full, a folder that is closed ----

async function mountSmall(path, size) {
	mkdirSync(path, { recursive: true });
	return (await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'foyer-test', path])).code === 0;
}

async function canMount() {
	const path = mkdtempSync(join(tmpdir(), 'foyer-mount-'));
	const possible = isRoot && (await mountSmall(path, '1m')) && (await run('umount', [path])).code === 0;

	rmdirSync(path);
	return possible;
}

const noMount = (await canMount()) ? false : 'a file system of our own needs root';

test('a full disk: said, and nothing half is left', { skip: noMount, deadline: 120000 }, async () => {
	const at = await filled(40000);
	const disk = at.file('disk');

	assert.ok(await mountSmall(disk, '400k'));
	try {
		await fails(1, ['backup', '--store', at.store, '-o', disk], /no space left/);
		await fails(1, ['export', '--store', at.store, join(disk, 'all.csv')], /all\.csv: No space left/);
		assert.deepEqual(readdirSync(disk), []);
		writeFileSync(at.file('many.csv'), many(60000));
		const { stderr } = await fails(1, ['import', '--store', join(disk, 'foyer.db'), at.file('many.csv')], /no space left/);
		assert.match(stderr, /the import can be repeated/);
		await ok(['backup', '--store', at.store, '-o', at.file('copy.db')]);
		rmSync(join(disk, 'foyer.db-wal'), { force: true });
		readdirSync(disk).forEach((name) => rmSync(join(disk, name)));
		await fails(1, ['restore', '--store', join(disk, 'foyer.db'), at.file('copy.db')], /no space left/);
		assert.deepEqual(readdirSync(disk), ['foyer.db.lock']);
	} finally {
		await run('umount', ['-l', disk]);
	}
	const gone = await ctl(['export', '--store', at.store, '/dev/full', '--format', 'csv']);
	assert.equal(gone.code, 1);
	assert.match(gone.stderr, /No space left/);
});

test('a folder that may not be written', { skip: isRoot && 'root may write everywhere' }, async () => {
	const at = await filled(10);

	mkdirSync(at.file('closed'), { mode: 0o500 });
	await fails(1, ['backup', '--store', at.store, '-o', at.file('closed')], /Permission denied/);
	await fails(1, ['export', '--store', at.store, at.file('closed/all.csv')], /Permission denied/);
	chmodSync(at.file('closed'), 0o700);
});

test('restore refuses what is no backup, and changes nothing', async () => {
	const at = await filled(10);
	const before = await rowsOf(at.store);

	writeFileSync(at.file('letter.db'), 'this is a letter, not a database\n'.repeat(100));
	await fails(1, ['restore', '--store', at.store, at.file('letter.db')], /letter\.db.*; nothing was changed/);
	await fails(1, ['restore', '--store', at.store, at.file('absent.db')], /absent\.db: No such file/);
	await fails(1, ['restore', '--store', at.store, at.store], /the store itself/);
	assert.equal(await rowsOf(at.store), before);
});

test('stats for people and for programs', async () => {
	const at = await filled(1000);
	const json = JSON.parse((await ok(['stats', '--store', at.store, '--json'])).stdout);
	const { stdout } = await ok(['stats', '--store', at.store]);

	assert.equal(json.readings, 1000);
	assert.equal(json.oldest, T);
	assert.equal(json.newest, T + 999000);
	assert.equal(json.bytes_written_a_day, null);
	assert.ok(json.file_bytes > 10000);
	assert.deepEqual(json.series[0], {
		series: 'salon/air/temperature',
		readings: 1000,
		readings_last_day: 0,
		oldest: T,
		newest: T + 999000,
	});
	assert.match(stdout, /Readings +1 000\n/);
	assert.match(stdout, /salon\/air\/temperature +1 000 +0 +2026-01-01 10:00:00 +2026-01-01 10:16:39/);
});

test('the readings of a store that the web shows as CSV can be imported', () => withHouse(async (house) => {
	await house.startBroker();
	await house.startCollector();
	await house.pubLines('salon/air/temperature', Array.from({ length: 20 }, (_, i) => JSON.stringify({ value: 20.1 + i, time: Date.now() - 60000 + i })));
	await house.stored('salon', 'air', 'temperature', 20);
	await house.startWebd();
	await waitFor(async () => (await house.get('/healthz')).status === 200, 'webd has the store', 40000);
	const csv = await house.get('/api/v1/history.csv?series=salon/air/temperature&last=100');
	const at = place();
	await ok(['import', '--store', at.store, '-'], { input: csv.text });
	assert.equal(await rowsOf(at.store), await rowsOf(house.store));
}));
