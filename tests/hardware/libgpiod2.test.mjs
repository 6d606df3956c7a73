// The GPIO lines once more, with libgpiod 2 where this machine's own is 1.6.
import { basename, dirname, join } from 'node:path';
import { gpio } from './gpio.mjs';
import { agent, machine } from './suites.mjs';

const program = agent('libgpiod2');
const libraries = join(dirname(dirname(program)), 'libgpiod2/usr/lib/x86_64-linux-gnu');

gpio(await machine({ architecture: 'amd64', programs: [program], libraries }), { program: basename(program) });
