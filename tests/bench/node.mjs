// How exact a node is and what it costs, with plain builds (no sanitizers): jitter of a 1 s interval, time from a command at the broker to its
// result while a program blocks the worker and ten sensors are read, CPU, wake-ups and memory with 20 sensors at 10 s. `tests/bench/node [SECONDS]`
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { House, run, sleep } from '../lib/house.mjs';

const seconds = Number(process.argv[2] ?? 30);
const house = new House();
const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
const row = (what, value, limit) => console.log(`${what.padEnd(58)} ${String(value).padStart(10)}   ${limit}`);

await house.startBroker();
writeFileSync(`${house.folder}/temp`, '21000\n');
const thermal = (interval) => ({ driver: 'thermal', path: `${house.folder}/temp`, interval });
const many = (count, make) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, make(i)]));

// ---- exact ----
await house.startNode('exact', {
	clock: thermal('1s'),
	...many(10, () => thermal('500ms')),
	slow: { driver: 'exec', command: 'sleep 0.75', quantities: 'temperature', interval: '1s' },
	lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', interval: '1h' },
});
// RT=1: apart from what else the machine does, as real-time processes (root).
if (process.env.RT) for (const part of [house.broker, house.nodes.exact]) await run('chrt', ['-a', '-f', '-p', '5', String(part.pid)]);
const heard = new Map();
const latencies = [];
const bus = await house.listen('foyer/exact/clock/temperature', 'foyer/exact/lamp/switch/+');
const push = bus.messages.push.bind(bus.messages);
bus.messages.push = (message) => {
	const now = performance.now();
	const id = message.topic.includes('/lamp/') && JSON.parse(message.text).id;

	if (message.topic.endsWith('/set')) heard.set(id, now);
	else if (message.topic.endsWith('/result') && heard.has(id)) latencies.push(now - heard.get(id));
	return push(message);
};
for (let i = 0; i < seconds * 10; i++) {
	if (i % 10 === 0) await house.pub('exact/lamp/switch/set', JSON.stringify({ value: i % 20 ? 0 : 1, id: `c${i}` }));
	await sleep(100);
}
const times = bus.messages.filter((message) => message.topic.endsWith('temperature')).map((message) => JSON.parse(message.text).time);
const exact = times.slice(2); // the first is told at once, from the second on they are on the grid
const steps = exact.slice(1).map((time, i) => Math.abs(time - exact[i] - 1000));
row(`jitter of a 1 s interval, p99 of ${steps.length} (ms)`, at(steps, 0.99), '<= 2');
row('the same, median and 90 % (ms)', `${at(steps, 0.5)} ${at(steps, 0.9)}`, '');
row('drift over the whole time (ms)', exact.at(-1) - exact[0] - 1000 * (exact.length - 1), '0');
row(`command to result while a program blocks, p99 of ${latencies.length} (ms)`, at(latencies, 0.99).toFixed(1), '<= 5');
row('the same, median (ms)', at(latencies, 0.5).toFixed(1), '');
await house.nodes.exact.stop();

// ---- frugal ----
await house.startNode('frugal', many(20, (i) => (i % 2 ? thermal('10s') : { driver: 'sim', quantities: 'temperature humidity', interval: '10s' })));
const { pid } = house.nodes.frugal;
const tasks = () => readdirSync(`/proc/${pid}/task`);
const switches = () =>
	tasks().reduce(
		(sum, task) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))[1]),
		0,
	);
const cpuNs = () => tasks().reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0);
await sleep(12000); // settled: memory that only starting needed is given back after 10 s
const [cpu, woken, begin] = [cpuNs(), switches(), performance.now()];
await sleep(seconds * 1000);
const span = (performance.now() - begin) / 1000;
row('CPU of 20 sensors at 10 s (% of a core)', ((cpuNs() - cpu) / 1e7 / span).toFixed(3), '<= 0.2');
row('wake-ups a second', ((switches() - woken) / span).toFixed(1), '<= 5');
row('resident memory (MB)', (Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024).toFixed(1), '<= 5');
await house.close();
