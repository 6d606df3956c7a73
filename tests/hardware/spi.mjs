// The door to SPI at the kernel's spidev: 32 registers, the first byte out is register 7; see kernel/foyer_chips.c.
import assert from 'node:assert/strict';

export function spi(guest) {
	guest.test('a transfer on SPI goes both ways', async () => {
		const transfer = (bytes) => guest.sh(`tool spi /dev/spidev0.0 ${bytes}`);

		assert.equal(await transfer('0500'), '0e02');
		await transfer('254c'); // register 5 is written
		assert.equal(await transfer('0500'), '0e4c');
		await transfer('2502');
		const { code, out } = await guest.run('tool spi /dev/null 00');
		assert.equal(code, 1);
		assert.match(out, /Inappropriate ioctl/);
	});
}
