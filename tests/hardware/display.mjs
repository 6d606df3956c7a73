// A character display: what the agent sends over the bus is shown as an HD44780 would show it.
import assert from 'node:assert/strict';
import { waitFor } from '../lib/house.mjs';

const RS = 0x01;
const E = 0x04;
const LIGHT = 0x08;

// The controller behind a PCF8574, from the bytes at its port. Hitachi's data sheet (ADE-207-272): table 6, figure 24.
class Display {
	constructor(columns, rows) {
		Object.assign(this, { columns, rows, memory: Array(0x80).fill('?'), glyphs: Array(64).fill(0), at: 0, fourBits: false });
	}

	take(port) {
		if (this.port & E && !(port & E)) this.#nibble(this.port >> 4, this.port & RS);
		this.port = port;
		this.light = (port & LIGHT) !== 0;
	}

	#nibble(four, rs) {
		if (!this.fourBits) {
			this.fourBits = four === 2; // function set, of which the upper half alone is wired
		} else if (this.high === undefined) {
			this.high = four;
		} else {
			const byte = (this.high << 4) | four;

			this.high = undefined;
			if (rs) this.#data(byte);
			else this.#command(byte);
		}
	}

	#data(byte) {
		if (this.inGlyphs) this.glyphs[this.at++ & 63] = byte;
		else this.memory[this.at++ & 0x7f] = byte < 8 ? byte : String.fromCharCode(byte);
	}

	#command(byte) {
		if (byte & 0x80) Object.assign(this, { at: byte & 0x7f, inGlyphs: false });
		else if (byte & 0x40) Object.assign(this, { at: byte & 0x3f, inGlyphs: true });
		else if (byte & 0x20) this.twoLines = (byte & 8) !== 0;
		else if (byte & 0x08) this.on = (byte & 4) !== 0;
		else if (byte === 1) Object.assign(this, { memory: Array(0x80).fill(' '), at: 0, inGlyphs: false });
	}

	// What a glyph of its own memory looks like stands as the character "¿".
	get text() {
		return Array.from({ length: this.rows }, (_, row) => {
			const start = (row % 2 ? 0x40 : 0) + (row >= 2 ? this.columns : 0);

			return this.memory
				.slice(start, start + this.columns)
				.map((cell) => (typeof cell === 'number' ? '¿' : cell))
				.join('');
		});
	}
}

export function display(guest) {
	for (const [size, columns, rows, address] of [
		['16x2', 16, 2, 0x27],
		['20x4', 20, 4, 0x3f],
	]) {
		guest.test(`a display of ${size} shows what it is told, and again when it comes back`, async () => {
			const screen = new Display(columns, rows);
			let taken = 0;
			const look = async () => {
				const words = (await guest.get('sent')).split('\n').filter((line) => line.startsWith(address.toString(16)));
				const bytes = Buffer.from(words.map((line) => line.split(' ')[1]).join(''), 'hex');

				for (; taken < bytes.length; taken++) screen.take(bytes[taken]);
				return screen;
			};
			const shows = async (...lines) => {
				const wanted = lines.map((line) => line.padEnd(columns));

				await waitFor(async () => (await look()).text.join('\n') === wanted.join('\n'), `it shows ${JSON.stringify(wanted)}`).catch(
					(error) => {
						throw new Error(`${error.message}\nit shows ${JSON.stringify(screen.text)}`);
					},
				);
			};

			await guest.answer(address, '', '00');
			await guest.set('sent', 0);
			const node = await guest.startNode('hall', {
				panel: { driver: 'lcd', bus: guest.raw, address: `0x${address.toString(16)}`, size, interval: '1s' },
			});

			await shows(...Array(rows).fill(''));
			await waitFor(async () => (await look()).on, 'it is switched on');
			assert.ok(screen.twoLines && screen.light);
			assert.equal((await node.order('panel/text', 'Living room|21.5 °C')).value, 'Living room|21.5 °C');
			await shows('Living room', '21.5 \xdfC', ...Array(rows - 2).fill('')); // A00 has the degree at 0xdf
			assert.equal((await node.order('panel/switch', 0)).value, 0);
			assert.equal((await look()).light, false);
			await node.order('panel/text', 'Gr\u00fc\u00dfe aus Ma\u00eetresse'.slice(0, columns));
			await waitFor(async () => (await look()).text[0].startsWith('Gr\xf5\xe2e aus Ma'), 'it shows the accents that its font has');
			assert.equal((await look()).light, false);
			if (rows === 4) {
				await node.order('panel/text', 'one|two|three|four');
				await shows('one', 'two', 'three', 'four');
			}
			await node.order('panel/text', 'still there');
			await shows('still there', ...Array(rows - 1).fill(''));
			// Its plug is pulled and put back: it is blank then, and gets back what it had.
			const blank = async () => {
				await look();
				screen.memory.fill('?');
				screen.fourBits = false;
				screen.high = undefined;
			};
			await guest.set('nak', 'Y');
			await node.faulty('panel', /no answer on I2C/);
			await blank();
			await guest.set('nak', 'N');
			await node.well('panel');
			await shows('still there', ...Array(rows - 1).fill(''));
			// The same so quickly that no transfer failed: its port has all lines high, as from power-on.
			await blank();
			await guest.answer(address, '', 'ff');
			await shows('still there', ...Array(rows - 1).fill(''));
			assert.equal(await node.stop(), 0);
			await guest.set('forget', 1);
		});
	}
}
