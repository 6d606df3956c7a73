// The node agent as it is built for a Raspberry Pi with a system of 32 bits, on an armhf machine.
import { agent, everything, machine } from './suites.mjs';

everything(await machine({ architecture: 'armhf', programs: [agent('armhf')] }));
