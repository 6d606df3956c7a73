// What every machine is put through, in one boot.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, House } from '../lib/house.mjs';
import { Guest } from './guest.mjs';
import { alone } from './alone.mjs';
import { badge } from './badge.mjs';
import { display } from './display.mjs';
import { faults } from './faults.mjs';
import { gpio } from './gpio.mjs';
import { i2c } from './i2c.mjs';
import { lines } from './lines.mjs';
import { probe } from './probe.mjs';
import { soak } from './soak.mjs';
import { spi } from './spi.mjs';
import { sysfs } from './sysfs.mjs';

const here = dirname(fileURLToPath(import.meta.url));

// The path of an agent that was built by `agent KIND`, or '' when there is none.
export function agent(kind) {
	const result = spawnSync(join(here, 'agent'), [kind], { env: { ...process.env, BUILD: build }, encoding: 'utf8' });

	if (result.status !== 0) throw new Error(`no agent for ${kind}: ${result.stderr}`);
	return result.stdout.trim();
}

export async function machine(options) {
	const house = new House();

	after(() => house.close());
	await house.startBroker();
	return Guest.boot(house, options);
}

export function everything(guest) {
	gpio(guest);
	lines(guest);
	i2c(guest);
	display(guest);
	badge(guest);
	spi(guest);
	sysfs(guest);
	faults(guest);
	soak(guest);
	alone(guest);
	probe(guest);
}
