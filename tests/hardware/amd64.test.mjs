// The node agent on an amd64 machine, with the libgpiod that it is built with here, and its GPIO lines once more with libgpiod 2.
import { basename, dirname, join } from 'node:path';
import { gpio } from './gpio.mjs';
import { agent, everything, machine } from './suites.mjs';

const usual = agent('amd64');
const newer = agent('libgpiod2');
const library = newer ? join(dirname(dirname(newer)), 'libgpiod2/usr/lib/x86_64-linux-gnu') : '';
const guest = await machine({ architecture: 'amd64', programs: newer ? [usual, newer] : [usual], libraries: library });

everything(guest);
if (newer) gpio(guest, { program: basename(newer) });
