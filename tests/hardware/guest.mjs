// A machine under QEMU: Debian's kernel, simulated chips, the real node agent. Its programs reach this machine's loopback as 10.0.2.2, so they publish to
// the house's broker; commands go in by TCP. QEMU interprets every instruction (never KVM), so it runs anywhere, and nothing in it is fast.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, freePort, ini, prefixed, test, waitFor } from '../lib/house.mjs';
import { Part } from '../lib/part.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const COMMON = '-no-reboot -nodefaults -no-user-config -display none -m 256 -accel tcg';
const APPEND = 'quiet panic=-1 mitigations=off random.trust_cpu=on';
const MACHINES = {
	amd64: {
		qemu: 'qemu-system-x86_64',
		args: `-M pc -cpu max ${COMMON}`,
		card: 'virtio-net-pci',
		append: `console=ttyS0 tsc=reliable ${APPEND}`,
	},
	arm64: {
		qemu: 'qemu-system-aarch64',
		args: `-M virt -cpu cortex-a53 ${COMMON}`,
		card: 'virtio-net-device',
		append: `console=ttyAMA0 ${APPEND}`,
	},
	armhf: {
		qemu: 'qemu-system-arm',
		args: `-M virt,highmem=off -cpu cortex-a15 ${COMMON}`, // Debian's armmp kernel has no LPAE
		card: 'virtio-net-device',
		append: `console=ttyAMA0 ${APPEND}`,
	},
};

function assemble(architecture, image, programs, libraries) {
	const result = spawnSync(join(here, 'image'), [architecture, image, ...programs], {
		env: { ...process.env, BUILD: build, EXTRA_LIBRARIES: libraries },
		encoding: 'utf8',
	});

	if (result.status !== 0) throw new Error(`the image could not be made: ${result.stderr || result.error}`);
}

export class Guest {
	// programs: what is in /guest. libraries: a folder whose libraries go before the system's.
	static async boot(house, { architecture = 'amd64', programs, libraries = '' }) {
		const guest = new Guest(house, architecture);
		const image = join(house.folder, 'initramfs.cpio');

		assemble(architecture, image, programs, libraries);
		await guest.#start(image);
		return guest;
	}

	constructor(house, architecture) {
		this.house = house;
		this.architecture = architecture;
		this.nodes = [];
	}

	async #start(image) {
		const machine = MACHINES[this.architecture];

		this.port = await freePort();
		// A USB serial adapter (FTDI) is plugged in while somebody is connected to this socket, the other end of its line.
		this.serialPath = join(this.house.folder, 'serial');
		this.machine = new Part(
			`vm ${this.architecture}`,
			machine.qemu,
			[
				...machine.args.split(' '),
				'-serial', 'stdio',
				'-netdev', `user,id=net,hostfwd=tcp:127.0.0.1:${this.port}-10.0.2.15:2000`,
				'-device', `${machine.card},netdev=net`,
				'-chardev', `socket,id=serial,path=${this.serialPath},server=on,wait=off`,
				'-device', 'qemu-xhci',
				'-device', 'usb-serial,chardev=serial',
				'-kernel', join(build, 'vm', this.architecture, 'vmlinuz'),
				'-initrd', image,
				'-append', machine.append,
			],
			{
				onLine: (line) => {
					this.machine.log += `${line.trimEnd()}\n`; // the console
				},
			},
		);
		this.house.parts.push(this.machine); // a kernel that panics is told, with the end of its console
		await this.machine.logged(/FOYER-VM ready/, 'the machine has booted', 120000);
		assert.doesNotMatch(this.machine.log, /cannot load/, this.machine.log);
		for (const pair of (await this.sh('cat /etc/hardware')).split(' ')) {
			const [name, value] = pair.split('=');

			this[name] = value; // stub, raw: the I2C buses
		}
	}

	// ---- commands ----

	// Runs a shell command; { code, out }.
	async run(command, { timeout = 60000 } = {}) {
		const chunks = [];

		await new Promise((done, fail) => {
			const socket = connect(this.port, '127.0.0.1');

			socket.setTimeout(timeout, () => socket.destroy(new Error(`no end of: ${command}`)));
			socket.on('data', (bytes) => chunks.push(bytes));
			socket.on('error', fail);
			socket.on('close', done);
			socket.end(command);
		});
		const text = Buffer.concat(chunks).toString();
		const cut = text.lastIndexOf('\n');

		if (cut < 0) throw new Error(`the machine does not answer: ${command}`);
		return { code: Number(text.slice(cut + 1)), out: text.slice(0, cut) };
	}

	// The same for one that must succeed; its output without the last line feed.
	async sh(command, options) {
		const { code, out } = await this.run(command, options);

		assert.equal(code, 0, `${command}\n${out}`);
		return out.replace(/\n$/, '');
	}

	write(path, text) {
		return this.sh(`printf %s ${quote(text)} > ${path}`);
	}

	// ---- simulated chips ----

	// Pulls an input: value 0 or 1.
	pull(line, value, chip = 'foyer-sim') {
		return this.write(`/sim/${chip}/sim_gpio${line}/pull`, value ? 'pull-up' : 'pull-down');
	}

	// What a line is: of an output, what the agent drives.
	async level(line, chip = 'foyer-sim') {
		return Number(await this.sh(`cat /sim/${chip}/sim_gpio${line}/value`));
	}

	async becomes(line, value, chip = 'foyer-sim') {
		await waitFor(async () => (await this.level(line, chip)) === value, `line ${line} of ${chip} is ${value}`);
	}

	// Pulls a whole chip out, and puts it in again.
	plug(chip, there) {
		const folder = `/sys/kernel/config/gpio-sim/${chip}`;

		return this.sh(
			`cd ${folder} && echo ${there ? 1 : 0} >live &&
			ln -sfn /sys/devices/platform/$(cat dev_name)/$(cat bank0/chip_name) /sim/${chip}`,
		);
	}

	// So many pulses, half of a period each up and down.
	pulses(line, count, halfMicroseconds, chip = 'foyer-sim') {
		return this.sh(`tool pulse /sim/${chip}/sim_gpio${line}/pull ${count} ${halfMicroseconds}`);
	}

	// Registers of a chip on the kernel's i2c-stub: { 0xd0: 0x60, 0x88: [0x70, 0x6b] }, an array goes to consecutive ones.
	// words: each value is a 16-bit register, most significant byte first, as the chip sends it.
	async registers(address, values, { words = false } = {}) {
		const bus = busNumber(this.stub);
		const writes = Object.entries(values).flatMap(([register, bytes]) =>
			[bytes].flat().map((byte, i) => [Number(register) + i, words ? ((byte & 0xff) << 8) | (byte >> 8) : byte]),
		);

		await this.sh(writes.map(([register, byte]) => `i2cset -f -y ${bus} ${hex(address)} ${hex(register)} ${hex(byte)} ${words ? 'w' : 'b'}`).join(' && '));
	}

	async register(address, register, { words = false } = {}) {
		const value = Number(await this.sh(`i2cget -f -y ${busNumber(this.stub)} ${hex(address)} ${hex(register)} ${words ? 'w' : 'b'}`));

		return words ? ((value & 0xff) << 8) | (value >> 8) : value;
	}

	// A parameter of foyer_chips, see kernel/foyer_chips.c.
	set(parameter, value) {
		return this.write(`/sys/module/foyer_chips/parameters/${parameter}`, String(value));
	}

	get(parameter) {
		return this.sh(`cat /sys/module/foyer_chips/parameters/${parameter}`);
	}

	// On the raw bus: after a write that begins with command, reads give these replies (hexadecimal).
	answer(address, command, ...replies) {
		return this.set('answer', `${address.toString(16)} ${command}=${replies.join('|')}`);
	}

	// The kernel's own driver on a chip of the stub: the folder of its device.
	async bind(driver, address) {
		const bus = busNumber(this.stub);

		await this.write(`/sys/bus/i2c/devices/i2c-${bus}/new_device`, `${driver} 0x${address.toString(16)}`);
		return `/sys/bus/i2c/devices/${bus}-${address.toString(16).padStart(4, '0')}`;
	}

	unbind(address) {
		return this.write(`/sys/bus/i2c/devices/i2c-${busNumber(this.stub)}/delete_device`, `0x${address.toString(16)}`);
	}

	// ---- the node agent ----

	// A test whose agents are gone afterwards, however it ends.
	test(name, options, fn = options) {
		test(name, { deadline: 180000, ...(fn === options ? {} : options) }, async () => {
			try {
				await fn();
			} finally {
				for (const node of this.nodes.filter((one) => !one.stopped)) await node.kill();
				this.nodes = [];
			}
		});
	}

	async configure(name, devices, { node = {}, sections = {} } = {}) {
		const text = ini({
			mqtt: { host: '10.0.2.2', port: this.house.port, base: this.house.base },
			node: { name, ...node },
			...prefixed('device', devices),
			...sections,
		});

		await this.write(`/tmp/${name}.conf`, text);
		return `/tmp/${name}.conf`;
	}

	// Writes a configuration and starts an agent on it, which is online afterwards. program: a name in /guest.
	async startNode(name, devices, { program = 'node-agent', ready = true, ...options } = {}) {
		const file = await this.configure(name, devices, options);
		const node = new GuestNode(this, name);

		node.bus = await this.house.listen(`${this.house.base}/${name}/#`);
		await this.sh(
			`rm -f /tmp/${name}.exit /tmp/${name}.pid
			(sh -c 'echo $$ >/tmp/${name}.pid; exec ${program} -c ${file}'; echo $? >/tmp/${name}.exit) >/dev/null 2>>/tmp/${name}.log &`,
		);
		node.pid = await waitFor(async () => Number((await this.run(`cat /tmp/${name}.pid`)).out), `${name} runs`);
		this.nodes.push(node);
		if (ready) await node.says('$status', (text) => text === 'online');
		return node;
	}
}

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const hex = (number) => `0x${number.toString(16)}`;
const busNumber = (path) => path.replace('/dev/i2c-', '');

// An agent in the machine, heard at the broker.
class GuestNode {
	constructor(guest, name) {
		this.guest = guest;
		this.name = name;
		this.orders = 0;
	}

	// What it has said itself, not what the broker kept of an agent of that name before.
	get live() {
		return this.bus.messages.filter((message) => !message.retain);
	}

	topic(series) {
		return `${this.guest.house.base}/${this.name}/${series}`;
	}

	// What was heard of a series, oldest first: { value, time, ... } of each, batches taken apart.
	readings(series) {
		return this.live
			.filter((message) => message.topic === this.topic(series) && message.payload.length > 0)
			.flatMap((message) => JSON.parse(message.text));
	}

	values(series) {
		return this.readings(series).map((reading) => reading.value);
	}

	// Waits for a message: the predicate sees its text.
	says(topic, predicate, what = `${this.name}/${topic}`, ms = 30000) {
		return this.#wait(() => this.live.findLast((m) => m.topic === this.topic(topic) && predicate(m.text)), what, ms);
	}

	// Waits for a reading beyond those heard before (see mark) whose value the predicate takes; gives it.
	reading(series, predicate = () => true, { from = 0, ms = 30000 } = {}) {
		return this.#wait(
			() => this.readings(series).slice(from).find((reading) => predicate(reading.value, reading)),
			`a reading of ${this.name}/${series} that ${predicate}`,
			ms,
		);
	}

	mark(series) {
		return this.readings(series).length;
	}

	near(series, value, tolerance, options) {
		return this.reading(series, (got) => Math.abs(got - value) <= tolerance, options).catch((error) => {
			throw new Error(`${series}: ${value} ± ${tolerance} expected, heard: ${this.values(series).slice(-5)}\n${error.message}`);
		});
	}

	// The device's fault as $health tells it, or '' when it is well.
	fault(device) {
		const health = this.live.findLast((message) => message.topic === this.topic('$health'));

		return health ? (JSON.parse(health.text).devices?.[device]?.error ?? '') : '';
	}

	faulty(device, pattern, ms = 30000) {
		return this.#wait(() => pattern.test(this.fault(device)), `${device} is told to be at fault: ${pattern}`, ms);
	}

	well(device, ms = 60000) {
		return this.#wait(() => this.fault(device) === '' && this.heard('$health'), `${device} is well again`, ms);
	}

	heard(topic) {
		return this.live.some((message) => message.topic === this.topic(topic));
	}

	// Gives a command and waits for its result.
	async order(output, value) {
		const id = `order-${++this.orders}`;

		await this.guest.house.pub(`${this.name}/${output}/set`, JSON.stringify({ value, id, by: 'test' }));
		const heard = await this.#wait(
			() => this.live.find((m) => m.topic === this.topic(`${output}/result`) && JSON.parse(m.text).id === id),
			`result of ${output} = ${value}`,
			30000,
		);
		return JSON.parse(heard.text);
	}

	async #wait(condition, what, ms) {
		try {
			return await waitFor(condition, what, ms);
		} catch (error) {
			throw new Error(`${error.message}\n---- log of ${this.name}\n${await this.log()}`);
		}
	}

	log() {
		return this.guest.sh(`tail -n 60 /tmp/${this.name}.log`);
	}

	async kill() {
		await this.guest.run(`kill -KILL ${this.pid}`);
		await this.bus.stop();
	}

	// Asks it to leave; its exit status.
	async stop(signal = 'TERM') {
		this.stopped = true;
		await this.guest.sh(`kill -${signal} ${this.pid}`);
		await waitFor(async () => (await this.guest.run(`test -e /tmp/${this.name}.exit`)).code === 0, `${this.name} has left`);
		await this.bus.stop();
		return Number(await this.guest.sh(`cat /tmp/${this.name}.exit`));
	}
}
