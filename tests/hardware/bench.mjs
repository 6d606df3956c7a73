// Figures of the node agent at real lines and chips: `tests/hardware/bench [COUNT [SECONDS]]`. Broker, agent and the one who measures run in the same
// test machine, on one clock. QEMU interprets every instruction on a shared processor: a Pi is many times as fast, so what is within a limit here is
// within it there, and what is not says nothing.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, House, sleep } from '../lib/house.mjs';
import { Guest } from './guest.mjs';
import { BME280, checked } from './i2c.mjs';

const count = Number(process.argv[2] ?? 200);
const seconds = Number(process.argv[3] ?? 60);
const row = (what, value, limit) => console.log(`${what.padEnd(74)} ${String(value).padStart(28)}   ${limit}`);
const client = join(build, 'vm/bench');
const compiled = spawnSync('gcc', ['-O2', '-D_GNU_SOURCE', '-o', client, join(import.meta.dirname ?? 'tests/hardware', 'bench.c'), '-lmosquitto'], {
	stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(1);
const mosquitto = spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v mosquitto'], { encoding: 'utf8' }).stdout.trim();

const house = new House();
await house.startBroker();
const guest = await Guest.boot(house, { programs: [join(build, 'node-agent'), client, mosquitto] });
const local = { mqtt: { host: '127.0.0.1', port: 1883 } };

await guest.write('/tmp/broker.conf', 'listener 1883 127.0.0.1\nallow_anonymous true\nuser root\nset_tcp_nodelay true\n');
await guest.sh('mosquitto -c /tmp/broker.conf >/tmp/broker.log 2>&1 </dev/null & sleep 1');
await guest.registers(0x76, BME280);
await guest.answer(0x44, '2400', checked(0x6666) + checked(0x8000));

const many = (n, make) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`s${i}`, make(i)]));
const sensor = (interval) => (i) =>
	i % 2 ? { driver: 'bme280', bus: guest.stub, interval } : { driver: 'sht3x', bus: guest.raw, interval };
const times = (line) => {
	const [p50, p99, max] = line.split(' ').map((us) => (Number(us) / 1000).toFixed(1));

	return `${p50} / ${p99} / ${max} ms`;
};
const measure = async (...words) => times(await guest.sh(`bench ${words.join(' ')} ${count}`, { timeout: 600000 }));
const cpu = async (pid) => {
	const fields = (await guest.sh(`cat /proc/${pid}/stat`)).split(') ')[1].split(' ');

	return (Number(fields[11]) + Number(fields[12])) / 100;
};
const switches = async (pid) =>
	(await guest.sh(`cat /proc/${pid}/task/*/status | grep ^voluntary`))
		.match(/\d+$/gm)
		.map(Number)
		.reduce((a, b) => a + b, 0);

// ---- latencies ----
const busy = await guest.startNode(
	'busy',
	{
		door: { driver: 'contact', line: 'GPIO4', bias: 'as-is', debounce: '1ms' },
		lamp: { driver: 'relay', line: 'GPIO17' },
		wire: { driver: 'ds18b20', interval: '1s' },
		...many(10, sensor('1s')),
	},
	{ ready: false, sections: local },
);
await sleep(3000);
row('edge to message at a local broker, p50 / p99 / max', await measure('edge', '/sim/foyer-sim/sim_gpio4', 'foyer/busy/door/contact'), '<= 5 ms');
row(
	'command to line, a DS18B20 converting and ten sensors read each second',
	await measure('command', '/sim/foyer-sim/sim_gpio17', 'foyer/busy/lamp/switch/set'),
	'<= 5 ms',
);
await busy.stop();

// ---- what it costs ----
const idle = await guest.startNode('idle', many(20, sensor('10s')), { ready: false, sections: local });
await sleep(15000);
const before = [await cpu(idle.pid), await switches(idle.pid)];
await sleep(seconds * 1000);
const after = [await cpu(idle.pid), await switches(idle.pid)];
row('processor, 20 sensors at 10 s, interpreted', `${(((after[0] - before[0]) / seconds) * 100).toFixed(2)} %`, '<= 0.2 %');
row('wake-ups of its threads, a second', ((after[1] - before[1]) / seconds).toFixed(1), '<= 5');
row('memory (RSS), 20 devices', `${(Number((await guest.sh(`grep VmRSS /proc/${idle.pid}/status`)).match(/\d+/)[0]) / 1024).toFixed(1)} MB`, '<= 5 MB');
await idle.stop();
await house.close();
