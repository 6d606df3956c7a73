// The node agent on an amd64 machine, with the libgpiod that it is built with here.
import { permissions } from './permissions.mjs';
import { agent, everything, machine } from './suites.mjs';

const guest = await machine({ architecture: 'amd64', programs: [agent('amd64'), '/bin/udevadm', '/lib/systemd/systemd-udevd'] });

everything(guest);
permissions(guest);
