// What an idle house costs: resident memory and wake-ups of each daemon, with plain builds (no sanitizers). `tests/bench/idle [SECONDS]`
import { readFileSync } from 'node:fs';
import { House, sleep } from '../lib/house.mjs';

const seconds = Number(process.argv[2] ?? 10);
const LIMITS_MB = { 'node pi': 8, collector: 8, webd: 10 };
const house = new House();

await house.startBroker();
await house.startCollector({ set: ['store.commit_interval=10s'] });
await house.startWebd();
await house.startNode(
	'pi',
	Object.fromEntries(
		Array.from({ length: 10 }, (_, i) => [
			`air${i}`,
			{ driver: 'sim', quantities: 'temperature humidity', interval: '10s' },
		]),
	),
);
await house.stored('pi', 'air9', 'humidity', 1);
await house.get('/');
await sleep(1000);

const status = (pid, key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const cpuMs = (pid) =>
	readFileSync(`/proc/${pid}/stat`, 'utf8')
		.split(') ')[1]
		.split(' ')
		.slice(11, 13)
		.reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
const parts = [house.nodes.pi, house.collector, house.webd];
const before = parts.map(({ pid }) => [status(pid, 'voluntary_ctxt_switches'), cpuMs(pid)]);

await sleep(seconds * 1000);
console.log('daemon        RSS MB  limit  wake-ups/s  CPU ms/s');
for (const [index, { pid, name }] of parts.entries()) {
	const wakeups = (status(pid, 'voluntary_ctxt_switches') - before[index][0]) / seconds;
	const cpu = (cpuMs(pid) - before[index][1]) / seconds;

	console.log(
		`${name.padEnd(12)} ${(status(pid, 'VmRSS') / 1024).toFixed(1).padStart(7)} ${String(LIMITS_MB[name]).padStart(6)} ${wakeups.toFixed(1).padStart(11)} ${cpu.toFixed(1).padStart(9)}`,
	);
}
await house.close();
