// A client of the event stream that remembers what it was told.
import { waitFor } from './wait.mjs';

export class Live {
	constructor(url, headers = {}) {
		this.events = []; // { id, event, data }
		this.comments = 0;
		this.stopping = new AbortController();
		this.reading = this.#read(url, headers).catch((error) => {
			if (!this.stopping.signal.aborted) this.error = error;
		});
	}

	async #read(url, headers) {
		const reply = await fetch(url, {
			headers: { accept: 'text/event-stream', ...headers },
			signal: this.stopping.signal,
		});
		const decoder = new TextDecoder();
		let rest = '';

		this.status = reply.status;
		this.type = reply.headers.get('content-type');
		for await (const bytes of reply.body) {
			rest += decoder.decode(bytes, { stream: true });
			const blocks = rest.split('\n\n');
			rest = blocks.pop();
			blocks.forEach((block) => this.#take(block));
		}
		this.over = true;
	}

	#take(block) {
		const event = {};

		for (const line of block.split('\n')) {
			const [, key, value] = /^(\w*):? ?(.*)$/.exec(line) ?? [];

			if (line.startsWith(':')) this.comments++;
			else if (key) event[key] = value;
		}
		if (event.data !== undefined) this.events.push({ ...event, data: JSON.parse(event.data || 'null') });
	}

	async opened() {
		await waitFor(() => this.status, 'the event stream opens');
		return this;
	}

	heard(kind, predicate, what) {
		return waitFor(() => this.events.find((event) => event.event === kind && predicate(event.data)), what);
	}

	async stop() {
		this.stopping.abort();
		await this.reading;
	}
}
