// A PN532 badge reader: on I2C, and behind a USB serial adapter that is plugged in and pulled out while the agent runs.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { waitFor } from '../lib/house.mjs';
import { hex } from './i2c.mjs';

// NXP UM0701-02: frames in 6.2.1, commands in 7.
const ACK = [0x00, 0x00, 0xff, 0x00, 0xff, 0x00];
const SAM_CONFIGURATION = 0x14;
const GET_FIRMWARE = 0x02;
const RF_CONFIGURATION = 0x32;
const LIST_PASSIVE_TARGET = 0x4a;

const sum = (bytes) => -bytes.reduce((a, b) => a + b, 0) & 255;
const frame = (bytes) => [0x00, 0x00, 0xff, bytes.length, -bytes.length & 255, ...bytes, sum(bytes), 0x00];

// What a PN532 says to a command while a badge of that number lies there, or none ([]).
function reply(command, uid) {
	const badge = uid.length > 0 ? [1, 1, 0x00, 0x04, 0x08, uid.length, ...uid] : [0];
	const data = { [SAM_CONFIGURATION]: [], [GET_FIRMWARE]: [0x32, 1, 6, 7], [RF_CONFIGURATION]: [], [LIST_PASSIVE_TARGET]: badge }[command];

	return data ? frame([0xd5, command + 1, ...data]) : frame([0x7f]);
}

// Has a PN532 on the raw bus answer the agent's commands, with that badge or none.
const LIST = [0xd4, LIST_PASSIVE_TARGET, 1, 0];
const SET_UP = [
	[0xd4, SAM_CONFIGURATION, 1, 20, 1],
	[0xd4, GET_FIRMWARE],
	[0xd4, RF_CONFIGURATION, 5, 0xff, 1, 1],
];
export async function placeReader(guest, uid) {
	const ready = (bytes) => hex([0x01, ...bytes]); // 6.2.4

	for (const command of [...SET_UP, LIST]) await guest.answer(0x24, hex(frame(command)), ready(ACK), ready(reply(command[1], uid)));
}

// The reader at the other end of the machine's USB serial adapter, which is plugged in as long as this is connected.
class SerialReader {
	static async plugIn(guest) {
		const reader = new SerialReader();

		reader.socket = connect(guest.serialPath);
		reader.socket.on('data', (bytes) => reader.#take([...bytes]));
		reader.socket.on('error', () => {}); // the machine ended first
		await new Promise((done) => reader.socket.once('connect', done));
		return reader;
	}

	constructor() {
		this.uid = [];
		this.input = [];
		this.commands = [];
	}

	// 7.2.11: it may be woken by 0x55, and frames are found by their start code.
	#take(bytes) {
		this.input.push(...bytes);
		for (;;) {
			const start = this.input.findIndex((_, i) => this.input[i] === 0 && this.input[i + 1] === 0xff && this.input[i + 2] > 1);
			const length = start < 0 ? 0 : this.input[start + 2];

			if (start < 0 || this.input.length < start + 4 + length + 1) return;
			const data = this.input.slice(start + 4, start + 4 + length + 1);
			this.input.splice(0, start + 4 + length + 1);
			assert.equal(data.reduce((a, b) => a + b, 0) & 255, 0, 'check sum of a command');
			this.commands.push(data[1]);
			this.socket.write(Buffer.from([...ACK, ...reply(data[1], this.uid)]));
		}
	}

	async pullOut() {
		this.socket.destroy();
		await new Promise((done) => (this.socket.closed ? done() : this.socket.once('close', done)));
	}
}

export function badge(guest) {
	guest.test('a badge at a PN532 on I2C', async () => {
		const [first, second] = [[0x04, 0xa2, 0x24, 0x1a, 0x2b, 0x3c, 0x80], [0x8a, 0x15, 0xf3, 0x07]];

		await placeReader(guest, []);
		const node = await guest.startNode('door', { reader: { driver: 'pn532', bus: guest.raw } });

		for (const uid of [first, second, first]) {
			const from = node.mark('reader/badge');

			await placeReader(guest, uid);
			assert.equal((await node.reading('reader/badge', () => true, { from })).value, hex(uid));
			await placeReader(guest, []);
			await guest.set('sent', 0);
			await waitFor(async () => (await guest.get('sent')).length > 3 + 4 * hex(frame(LIST)).length, 'it was looked for again');
		}
		assert.deepEqual(node.values('reader/badge'), [first, second, first].map((uid) => hex(uid)));
		assert.equal(node.fault('reader'), '');
		assert.equal(await node.stop(), 0);
		await guest.set('forget', 1);
	});

	guest.test('a badge reader on USB is missed, found when it is plugged in, and found again', async () => {
		const port = '/dev/ttyUSB0';
		const node = await guest.startNode('gate', {
			reader: { driver: 'pn532_serial', port },
			cpu: { driver: 'thermal', interval: '300ms' },
		});

		await node.faulty('reader', /no \/dev\/ttyUSB0: .*\/dev\/serial\/by-id/);
		for (const uid of [
			[0x04, 0xa2, 0x24, 0x1a, 0x2b, 0x3c, 0x80],
			[0x8a, 0x15, 0xf3, 0x07],
		]) {
			const from = node.mark('reader/badge');
			const reader = await SerialReader.plugIn(guest);

			try {
				await node.well('reader', 90000);
				reader.uid = uid;
				assert.equal((await node.reading('reader/badge', () => true, { from })).value, hex(uid));
				assert.deepEqual(reader.commands.slice(0, 4), [SAM_CONFIGURATION, GET_FIRMWARE, RF_CONFIGURATION, LIST_PASSIVE_TARGET]);
			} finally {
				await reader.pullOut();
			}
			await node.faulty('reader', /ttyUSB0/);
			await waitFor(async () => (await guest.run(`test -e ${port}`)).code !== 0, 'the port is gone');
			const other = node.mark('cpu/temperature');
			await node.reading('cpu/temperature', () => true, { from: other });
		}
		assert.equal(await node.stop(), 0);
	});
}
