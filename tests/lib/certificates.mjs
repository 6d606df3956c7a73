// Certificates as a household makes them with openssl: an authority of its own, and what it vouches for.
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './house.mjs';

export class Authority {
	constructor(folder, name = 'ca') {
		this.folder = folder;
		this.name = name;
		this.file = join(folder, `${name}.pem`);
		this.key = join(folder, `${name}.key`);
	}

	async #openssl(...words) {
		const result = await run('openssl', words);

		if (result.code !== 0) throw new Error(`openssl ${words[0]}: ${result.stderr}`);
	}

	async make() {
		await this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
			`/CN=Our own authority ${this.name}`, '-keyout', this.key, '-out', this.file,
			'-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'); // prettier-ignore
		return this;
	}

	// A certificate for localhost and 127.0.0.1. Returns { cert, key }: paths.
	async issue(name) {
		const [cert, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) => join(this.folder, `${name}.${end}`));

		writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
		await this.#openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
			'-keyout', key, '-out', request); // prettier-ignore
		await this.#openssl('x509', '-req', '-in', request, '-CA', this.file, '-CAkey', this.key, '-CAcreateserial', '-days', '2',
			'-extfile', extensions, '-out', cert); // prettier-ignore
		return { cert, key };
	}
}

// As a renewal does it: the new file takes the old one's place at once.
export function replace(path, by) {
	copyFileSync(by, `${path}.new`);
	renameSync(`${path}.new`, path);
}
