// make check-chaos: CHAOS_SECONDS (120), CHAOS_RATE (200 readings a second, of all nodes together), CHAOS_SEED (told, so that a run can be
// repeated), CHAOS_WITHOUT (kinds of fault to leave out, separated by commas), CHAOS_JSON (BUILD/chaos.json).
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from '../lib/house.mjs';
import { chaos, clean, sum } from './chaos.mjs';
import { kindsOfFault } from './plan.mjs';

function number(name, usual, least, most) {
	const value = Number(process.env[name] || usual);

	if (Number.isInteger(value) && value >= least && value <= most) return value;
	console.error(`${name}=${process.env[name]}: a whole number from ${least} to ${most}`);
	process.exit(2);
}

const seed = number('CHAOS_SEED', Math.floor(Math.random() * 1e9), 0, 4294967295);
const seconds = number('CHAOS_SECONDS', 120, 5, 86400);
const rate = number('CHAOS_RATE', 200, 3, 3000);
const without = (process.env.CHAOS_WITHOUT ?? '').split(',').filter(Boolean);
const unknown = without.find((kind) => !kindsOfFault.includes(kind));
const file = process.env.CHAOS_JSON || join(build, 'chaos.json');

if (unknown) {
	console.error(`CHAOS_WITHOUT: there is no "${unknown}"; there are: ${kindsOfFault.join(', ')}`);
	process.exit(2);
}
console.log(`Chaos for ${seconds} s at ${rate} readings a second. The same again: CHAOS_SEED=${seed} make check-chaos`);
const result = await chaos({ seconds, seed, rate, without, say: (line) => console.log(line) });
const columns = [
	['node', 'node'],
	['made', 'made'],
	['stored', 'stored'],
	['in memory at kill -9', 'inMemory'],
	['for at most ms', 'memoryMs'],
	['lost', 'lost'],
	['doubled', 'doubled'],
	['at a wrong time', 'wrongTime'],
	['longest pause ms', 'pauseMs'],
];
const total = Object.fromEntries(columns.map(([, key]) => [key, key === 'node' ? 'all' : sum(result, key)]));

total.memoryMs = Math.max(...result.nodes.map((line) => line.memoryMs));
total.pauseMs = Math.max(...result.nodes.map((line) => line.pauseMs));
console.log(`\n${columns.map(([title]) => title.padStart(8)).join('  ')}`);
for (const line of [...result.nodes, total])
	console.log(columns.map(([title, key]) => String(line[key]).padStart(Math.max(8, title.length))).join('  '));
console.log(`\n${Object.entries(result.faults).map(([kind, times]) => `${kind} ${times}`).join(', ')}`);
for (const wrong of result.wrong.slice(0, 20)) console.log(JSON.stringify(wrong));
for (const row of result.rejected) console.log(`refused: ${row.topic}: ${row.reason}`);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify({ ...result, total }, null, '\t')}\n`);
console.log(clean(result) ? `Nothing lost, nothing doubled. ${file}` : `NOT CLEAN. ${file}`);
process.exitCode = clean(result) ? 0 : 1;
