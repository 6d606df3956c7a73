// Double entry: what the sensors of the nodes made, told by the nodes' own logs at the moment of making, against what is in the store.

// node-agent at log level debug: "made SERIES VALUE at WALL_MS (boot BOOT_MS)", before anything else happens to the reading.
const MADE = /made (\S+) (\S+) at (-?\d+) \(boot (\d+)\)/;
const WRONG_MS = 60000; // a clock that is further off was wrong; a node may rest for long between stamping and telling, when its disk does
const MEMORY_MS = 15000; // the collector's commit_interval here, and what a loaded machine adds
const SAME_MS = 100; // how exact the true time is, told from clocks of 10 ms

// The readings that the log of a node tells of.
export function readLog(log) {
	const readings = [];

	for (const line of log.split('\n')) {
		const found = MADE.exec(line);

		if (found) readings.push({ series: found[1], value: Number(found[2]), time: Number(found[3]), boot: Number(found[4]) });
	}
	return readings;
}

// The boot clock never steps, so it tells the true time of what was made while a node's wall clock was wrong. samples: { boot, wall } of this
// machine's own clocks, in order, taken often enough that it does not matter how they drift apart.
class Clocks {
	constructor(samples) {
		this.samples = samples;
	}

	trueTime(boot) {
		let low = 0;

		for (let high = this.samples.length; high - low > 1;) {
			const half = (low + high) >> 1;

			if (this.samples[half].boot <= boot) low = half;
			else high = half;
		}
		return Math.round(boot + this.samples[low].wall - this.samples[low].boot);
	}
}

function longestPause(life) {
	const last = new Map();
	let longest = 0;

	for (const { series, boot } of life.readings) {
		if (last.has(series)) longest = Math.max(longest, boot - last.get(series));
		last.set(series, boot);
	}
	return longest;
}

const keyOf = ({ series, value }) => `${series} ${value}`;

function grouped(list) {
	const groups = new Map();

	for (const item of list) {
		const key = keyOf(item);

		if (groups.has(key)) groups.get(key).push(item);
		else groups.set(key, [item]);
	}
	return groups;
}

// Takes from rows the one that a reading has become; false when it is not there.
function takeRow(rows, reading, clocks) {
	// Held readings are stamped on the boot clock; all others tell their time, and then it counts to the millisecond.
	const truth = clocks.trueTime(Math.abs(reading.boot - reading.time) < WRONG_MS ? reading.time : reading.boot);
	const right = Math.abs(truth - reading.time) < WRONG_MS;
	const index = rows.findIndex(({ time }) => (right ? time === reading.time : Math.abs(time - truth) <= SAME_MS));

	if (index >= 0) rows.splice(index, 1);
	return index >= 0;
}

// A reading that was not yet receipted nor in a file of the node when that was killed: the exception. It has to be young, since a node lets none wait for
// longer in memory alone.
function wasInMemory(life, reading) {
	return life.killedAt !== undefined && !life.spilled.has(keyOf(reading)) && life.killedAt - reading.boot <= MEMORY_MS;
}

// Every reading of every life { node, readings, killedAt, spilled } against the rows { series, value, time } of the store. Values are told apart well enough that series and value
// name a reading. samples: see Clocks. Returns a line for each node, and examples of what is wrong.
export function compare(lives, rows, samples) {
	const clocks = new Clocks(samples);
	const stored = grouped(rows);
	const nodes = new Map();
	const wrong = [];
	const complain = (kind, line, what) => {
		line[kind]++;
		if (wrong.length < 200) wrong.push({ kind, ...what });
	};
	const lineOf = (name) => {
		if (!nodes.has(name))
			nodes.set(name, { node: name, made: 0, stored: 0, inMemory: 0, memoryMs: 0, lost: 0, doubled: 0, wrongTime: 0, pauseMs: 0 });
		return nodes.get(name);
	};

	for (const life of lives) {
		const line = lineOf(life.node);

		line.pauseMs = Math.max(line.pauseMs, longestPause(life));
		line.made += life.readings.length;
		for (const reading of life.readings) {
			const candidates = stored.get(keyOf(reading)) ?? [];

			if (takeRow(candidates, reading, clocks)) {
				line.stored++;
				reading.found = true;
			}
		}
	}
	for (const life of lives)
		for (const reading of life.readings.filter(({ found }) => !found)) {
			const line = lineOf(life.node);
			const elsewhere = stored.get(keyOf(reading)) ?? [];

			if (elsewhere.length > 0)
				complain('wrongTime', line, {
					...reading,
					truth: clocks.trueTime(reading.boot),
					storedAt: elsewhere.shift().time,
				});
			else if (wasInMemory(life, reading)) {
				line.inMemory++;
				line.memoryMs = Math.max(line.memoryMs, life.killedAt - reading.boot);
			}
			else complain('lost', line, { ...reading, truth: clocks.trueTime(reading.boot), killedAt: life.killedAt });
		}
	// What is left was made once at most, and is there once too often.
	for (const row of [...stored.values()].flat()) complain('doubled', lineOf(row.series.split('/')[0]), row);
	return { nodes: [...nodes.values()].sort((a, b) => a.node.localeCompare(b.node)), wrong };
}
