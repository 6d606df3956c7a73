// A running program of the house under test: its log, its end, and what a sanitizer had to say.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { waitFor } from './wait.mjs';

const running = new Set();
const SANITIZER = /AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:/;

// Nothing may outlive the tests, however they end.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

export const environment = {
	...process.env,
	ASAN_OPTIONS: 'exitcode=99:detect_leaks=1',
	UBSAN_OPTIONS: 'print_stacktrace=1',
	LC_ALL: 'C.UTF-8',
	TZ: 'UTC',
};

// Runs a program to its end. input: what it reads; returns { code, signal, stdout, stderr, ms }.
export function run(program, args = [], { input = '', env = {}, cwd, encoding = 'utf8', timeout = 30000 } = {}) {
	return new Promise((resolve, reject) => {
		const begin = performance.now();
		const child = spawn(program, args, { env: { ...environment, ...env }, cwd });
		const out = [];
		const err = [];
		const timer = setTimeout(() => child.kill('SIGKILL'), timeout);

		running.add(child);
		child.stdout.on('data', (bytes) => out.push(bytes));
		child.stderr.on('data', (bytes) => err.push(bytes));
		child.stdin.on('error', () => {}); // it may leave before it has read all
		child.stdin.end(input);
		child.on('error', reject);
		child.on('close', (code, signal) => {
			const text = (chunks) => (encoding ? Buffer.concat(chunks).toString(encoding) : Buffer.concat(chunks));

			running.delete(child);
			clearTimeout(timer);
			resolve({ code, signal, stdout: text(out), stderr: text(err), ms: performance.now() - begin });
		});
	});
}

export class Part {
	// onLine: sees each line of standard output.
	constructor(name, program, args, { env = {}, logFile, onLine, cwd } = {}) {
		this.name = name;
		this.log = '';
		this.out = '';
		this.ended = null; // { code, signal } when it has left
		this.expected = false; // we asked it to leave
		// Should this process be killed, the kernel takes the part along.
		this.child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
			env: { ...environment, ...env },
			cwd,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		this.pid = this.child.pid;
		running.add(this.child);
		this.#follow(this.child.stderr, (text) => {
			this.log += text;
			if (logFile) appendFileSync(logFile, text);
		});
		let rest = '';
		this.#follow(this.child.stdout, (text) => {
			if (!onLine) {
				this.out += text;
				return;
			}
			rest += text;
			const lines = rest.split('\n');
			rest = lines.pop();
			lines.forEach(onLine);
		});
		this.closed = new Promise((resolve) => {
			this.child.on('error', (error) => {
				this.log += `${error.message}\n`;
				this.ended = { code: 127, signal: null };
				running.delete(this.child);
				resolve(this.ended);
			});
			this.child.on('close', (code, signal) => {
				this.ended = { code, signal };
				running.delete(this.child);
				resolve(this.ended);
			});
		});
	}

	#follow(stream, take) {
		const decoder = new StringDecoder('utf8');

		stream.on('data', (bytes) => take(decoder.write(bytes)));
	}

	get alive() {
		return this.ended === null;
	}

	// Waits for a line of the log; ends at once when the program leaves.
	logged(pattern, what = `${this.name}: log line ${pattern}`, ms) {
		return waitFor(
			() => {
				if (pattern.test(this.log)) return true;
				if (this.ended)
					throw new Error(`${this.name} has left (${JSON.stringify(this.ended)}): ${this.log}`);
				return false;
			},
			what,
			ms,
		);
	}

	count(pattern) {
		return (this.log.match(new RegExp(pattern, 'g')) ?? []).length;
	}

	signal(name) {
		this.child.kill(name);
	}

	async kill() {
		this.expected = true;
		this.child.kill('SIGKILL');
		await this.closed;
	}

	// Asks it to leave. Returns { code, signal, ms }.
	async stop(signal = 'SIGTERM', patience = 10000) {
		const begin = performance.now();
		const timer = setTimeout(() => this.child.kill('SIGKILL'), patience);

		this.expected = true;
		this.child.kill(signal);
		await this.closed;
		clearTimeout(timer);
		return { ...this.ended, ms: performance.now() - begin };
	}

	// What is wrong with it, or null.
	complaint() {
		if (SANITIZER.test(this.log)) return `${this.name}: a sanitizer speaks`;
		if (this.ended && !this.expected) return `${this.name} has left by itself: ${JSON.stringify(this.ended)}`;
		return null;
	}
}
