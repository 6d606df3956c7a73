// The node agent on an amd64 machine, with the libgpiod that it is built with here.
import { agent, everything, machine } from './suites.mjs';

everything(await machine({ architecture: 'amd64', programs: [agent('amd64')] }));
