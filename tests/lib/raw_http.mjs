// HTTP by hand, for what fetch() would tidy up: raw paths, odd methods, bodies that are announced and not sent.
import { request } from 'node:http';
import { connect } from 'node:net';

// The path goes out as it stands. Returns { status, headers, body (Buffer) }.
export function ask(base, path, { method = 'GET', headers = {}, body } = {}) {
	const { hostname, port } = new URL(base);

	return new Promise((resolve, reject) => {
		const sent = request({ hostname, port, path, method, headers, agent: false }, (reply) => {
			const chunks = [];

			reply.on('data', (bytes) => chunks.push(bytes));
			reply.on('end', () =>
				resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) }),
			);
		});

		sent.on('error', reject);
		sent.end(body);
	});
}

// Sends bytes as they are, gives what comes back until the server hangs up or says nothing for a while.
export function say(base, bytes, silence = 1000) {
	const { hostname, port } = new URL(base);

	return new Promise((resolve, reject) => {
		const socket = connect(Number(port), hostname, () => socket.write(bytes));
		let text = '';
		const done = () => {
			socket.destroy();
			resolve(text);
		};

		socket.setTimeout(silence, done);
		socket.on('data', (chunk) => (text += chunk.toString('latin1')));
		socket.on('end', done);
		socket.on('error', (error) => (text ? done() : reject(error)));
	});
}
