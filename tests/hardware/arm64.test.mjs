// The node agent as it is built for a Raspberry Pi, on an arm64 machine.
import { agent, everything, machine } from './suites.mjs';

everything(await machine({ architecture: 'arm64', programs: [agent('arm64')] }));
