// The line between a daemon and the broker, so that it can be cut: a TCP relay on a free loopback port.
import { connect, createServer } from 'node:net';

const HOST = '127.0.0.1';

export class Relay {
	// target: the broker's port.
	constructor(target) {
		this.target = target;
		this.pairs = new Set();
		this.refusing = false;
		this.stalled = false;
	}

	open() {
		return new Promise((resolve, reject) => {
			this.server = createServer((near) => this.#join(near));
			this.server.once('error', reject);
			this.server.listen(0, HOST, () => {
				this.port = this.server.address().port;
				resolve(this);
			});
		});
	}

	#join(near) {
		if (this.refusing) {
			near.resetAndDestroy?.() ?? near.destroy();
			return;
		}
		const far = connect(this.target, HOST);
		const pair = { near, far };
		const end = () => {
			near.destroy();
			far.destroy();
			this.pairs.delete(pair);
		};

		this.pairs.add(pair);
		for (const [from, to] of [
			[near, far],
			[far, near],
		]) {
			from.setNoDelay(true);
			from.on('error', end);
			from.on('close', end);
			from.pipe(to);
		}
		if (this.stalled) this.#hold(pair);
	}

	#hold({ near, far }) {
		near.unpipe(far);
		far.unpipe(near);
		near.pause();
		far.pause();
	}

	// Both ends see the connection break; new ones are refused until mend().
	cut() {
		this.refusing = true;
		for (const { near, far } of [...this.pairs]) {
			near.resetAndDestroy?.() ?? near.destroy();
			far.resetAndDestroy?.() ?? far.destroy();
		}
	}

	// Nothing passes any more and nobody is told, as when a cable is pulled; what was sent meanwhile arrives after mend().
	stall() {
		this.stalled = true;
		this.pairs.forEach((pair) => this.#hold(pair));
	}

	mend() {
		this.refusing = false;
		if (!this.stalled) return;
		this.stalled = false;
		for (const { near, far } of this.pairs) {
			near.pipe(far);
			far.pipe(near);
		}
	}

	close() {
		this.cut();
		return new Promise((resolve) => this.server.close(resolve));
	}
}
