// A camera on a free loopback port, with the manners of Debian's motion: HTTP/1.0, a length padded with blanks, no end. And the other end: a viewer that
// takes an MJPEG stream apart.
import { createServer } from 'node:net';
import { freePort } from './house.mjs';
import { waitFor } from './wait.mjs';

export const BOUNDARY = 'BoundaryString';

// Bytes that look like a JPEG from outside (size: a multiple of 4), each different: nobody on the way may look inside.
export function picture(number, size = 5000) {
	const words = new Uint32Array(size / 4);
	let word = (number * 2654435761) >>> 0 || 1;

	for (let i = 0; i < words.length; i++) {
		word ^= word << 13; // Marsaglia's xorshift
		word ^= word >>> 17;
		word ^= word << 5;
		words[i] = word;
	}
	const bytes = Buffer.from(words.buffer);
	bytes.writeUInt32BE(number, 8);
	bytes.set([0xff, 0xd8, 0xff, 0xe0]);
	bytes.set([0xff, 0xd9], size - 2);
	return bytes;
}
export const numberOf = (bytes) => bytes.readUInt32BE(8);

export class Camera {
	// pictures: real ones, shown in turn, instead of bytes that only look so.
	constructor({ size = 5000, interval = 40, pictures } = {}) {
		this.pictures = pictures;
		this.size = size;
		this.interval = interval;
		this.viewers = new Set();
		this.asked = []; // the head of each request
		this.sent = 0; // number of the newest picture
		this.connections = 0;
	}

	async start() {
		this.port ??= await freePort();
		this.server = createServer((socket) => this.#serve(socket));
		await new Promise((resolve, reject) => {
			this.server.once('error', reject);
			this.server.listen(this.port, '127.0.0.1', resolve);
		});
		this.timer = setInterval(() => this.shoot(), this.interval);
		return this;
	}

	get url() {
		return `http://user:pass@127.0.0.1:${this.port}/stream`;
	}

	#serve(socket) {
		let head = '';

		this.connections++;
		socket.on('error', () => {});
		socket.on('close', () => this.viewers.delete(socket));
		socket.on('data', (bytes) => {
			if (head.includes('\r\n\r\n')) return;
			head += bytes;
			if (!head.includes('\r\n\r\n')) return;
			this.asked.push(head);
			socket.write(
				'HTTP/1.0 200 OK\r\nServer: Motion/4.5.1\r\nConnection: close\r\nMax-Age: 0\r\nExpires: 0\r\n' +
					'Cache-Control: no-cache, private\r\nPragma: no-cache\r\n' +
					`Content-Type: multipart/x-mixed-replace; boundary=${BOUNDARY}\r\n\r\n`,
			);
			this.viewers.add(socket);
		});
	}

	shoot() {
		const number = ++this.sent;
		const bytes = this.pictures ? this.pictures[number % this.pictures.length] : picture(number, this.size);
		const head = `--${BOUNDARY}\r\nContent-type: image/jpeg\r\nContent-Length: ${String(bytes.length).padStart(9)}\r\n\r\n`;

		for (const socket of this.viewers)
			if (socket.writableLength < 4 * this.size) socket.write(Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n')]));
	}

	async stop() {
		clearInterval(this.timer);
		for (const socket of this.viewers) socket.destroy();
		if (this.server?.listening) await new Promise((resolve) => this.server.close(resolve));
	}
}

// Reads a stream of webd's (a fetch reply). pictures: all that came (of them only the newest hundred are kept).
export class Viewer {
	constructor(reply, { keep = 100 } = {}) {
		this.status = reply.status;
		this.type = reply.headers.get('content-type');
		this.pictures = [];
		this.count = 0;
		this.over = false;
		this.keep = keep;
		this.reader = reply.body.getReader();
		this.rest = Buffer.alloc(0);
		this.reading = this.#read();
	}

	async #read() {
		try {
			for (;;) {
				const { done, value } = await this.reader.read();

				if (done) break;
				this.rest = Buffer.concat([this.rest, value]);
				while (this.#take());
			}
		} catch {
			/* cut off: that is an end too */
		}
		this.over = true;
	}

	#take() {
		const at = this.rest.indexOf('\r\n\r\n');

		if (at < 0) return false;
		const head = this.rest.subarray(0, at).toString('latin1');
		const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);

		if (!/--[\w-]+\r\ncontent-type: image\/jpeg/i.test(head) || !length) throw new Error(`no part's head: ${JSON.stringify(head)}`);
		if (this.rest.length < at + 4 + length) return false;
		this.pictures.push(Buffer.from(this.rest.subarray(at + 4, at + 4 + length)));
		if (this.pictures.length > this.keep) this.pictures.shift();
		this.count++;
		this.rest = this.rest.subarray(at + 4 + length);
		return true;
	}

	seen(count, ms) {
		return waitFor(() => this.count >= count, `${count} pictures (${this.count} came)`, ms);
	}

	async stop() {
		await this.reader.cancel().catch(() => {});
		await this.reading;
	}
}
