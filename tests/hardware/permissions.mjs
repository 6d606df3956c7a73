// Without root: what a user is told who may not, and that our rules for udev let members of the groups in. Needs udev in the machine.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/house.mjs';
import { BME280 } from './i2c.mjs';

export function permissions(guest) {
	guest.test('a user is told which group to join, and a member may all that the agent needs', async () => {
		await guest.write('/etc/passwd', 'root:x:0:0::/:/bin/sh\nanne:x:1000:1000::/:/bin/sh\nfoyer-node:x:900:900::/:/bin/sh\n');
		await guest.write('/etc/group', 'root:x:0:\nanne:x:1000:\nfoyer-node:x:900:\ngpio:x:901:foyer-node\ni2c:x:902:foyer-node\n');
		await guest.registers(0x76, BME280);
		await guest.registers(0x40, { 0x00: 0x11, 0xfe: 0x1e });
		const pwm = await guest.bind('pca9685', 0x40);
		const file = await guest.configure('plain', {
			door: { driver: 'contact', line: 'GPIO4', bias: 'as-is' },
			air: { driver: 'bme280', bus: guest.stub },
			light: { driver: 'led', led: 'foyer:green:status' },
			lamp: { driver: 'dimmer', chip: pwm.split('/').at(-1), channel: 5, frequency: 200 },
		});
		const as = (user, words) => guest.run(`chmod 644 ${file}; su -s /bin/sh -c "node-agent -c ${file} ${words}" ${user}`);
		const refused = async (user, words, message) => {
			const { code, out } = await as(user, words);

			assert.equal(code, 1, out);
			assert.match(out, message);
		};
		const works = async (user, words, message) => {
			const { code, out } = await as(user, words);

			assert.equal(code, 0, out);
			assert.match(out, message);
		};

		try {
			await guest.sh('chown root:root /dev/gpiochip* /dev/i2c-*; chmod 600 /dev/gpiochip* /dev/i2c-*');
			await refused('anne', '--read door', /\/dev\/gpiochip\d+: join group gpio \(sudo usermod -aG gpio anne\); its udev rule is missing/);
			await refused('anne', '--read air', /\/dev\/i2c-\d+: join group i2c \(sudo usermod -aG i2c anne\); its udev rule is missing/);
			await refused('foyer-node', '--set light=1', /join group gpio .*foyer-node\); its udev rule is missing/);

			await guest.sh('mkdir -p /etc/udev/rules.d');
			await guest.write('/etc/udev/rules.d/60-foyer.rules', readFileSync(join(root, 'systemd/foyer.rules'), 'utf8'));
			await guest.sh('systemd-udevd --daemon && udevadm trigger --action=add && udevadm settle');
			await refused('anne', '--read door', /\/dev\/gpiochip\d+: join group gpio \(sudo usermod -aG gpio anne\)$/m);
			await refused('anne', '--read air', /\/dev\/i2c-\d+: join group i2c \(sudo usermod -aG i2c anne\)$/m);
			await works('foyer-node', '--read door', /^door\/contact [01]$/m);
			await works('foyer-node', '--read air', /^air\/temperature 25\.08 °C$/m);
			await works('foyer-node', '--set light=1', /^light\/switch 1$/m);
			await works('foyer-node', '--set lamp=50', /^lamp\/level 50 %$/m);
			assert.equal(await guest.sh('cat /sys/class/leds/foyer:green:status/brightness'), '255');
		} finally {
			await guest.run('udevadm control --exit; echo 0 >/sys/class/leds/foyer:green:status/brightness');
			await guest.unbind(0x40);
		}
	});
}
