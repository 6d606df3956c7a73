// The node agent on an amd64 machine, with the libgpiod that it was built with here, and its GPIO once more with libgpiod 2.
import { basename, dirname } from 'node:path';
import { agent, everything, machine } from './suites.mjs';

const guest = await machine({ architecture: 'amd64', programs: [agent('amd64')] });

everything(guest);
