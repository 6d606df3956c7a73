// A browser's manners without a browser: it keeps its cookie, says where it is from, and is led nowhere by itself.
import { waitFor } from './wait.mjs';

export const PASSWORD = 'correct horse battery';

export class Visitor {
	// address: whose requests these are, as a trusted proxy tells it; https: what it says of the way here.
	constructor(house, { address, https, language = 'en' } = {}) {
		this.house = house;
		this.cookies = new Map();
		this.given = []; // each Set-Cookie as it came
		this.fixed = {
			'accept-language': language,
			...(address ? { 'x-forwarded-for': address } : {}),
			...(https ? { 'x-forwarded-proto': 'https' } : {}),
		};
	}

	headers(more = {}) {
		const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

		return { ...this.fixed, ...(cookie ? { cookie } : {}), ...more };
	}

	// The reply as fetch gives it, so that a stream can be read too.
	async fetch(path, { headers, ...options } = {}) {
		const reply = await fetch(this.house.url + path, {
			redirect: 'manual',
			...options,
			headers: this.headers(headers),
		});

		for (const line of reply.headers.getSetCookie()) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);

			this.given.push(line);
			if (value && !/max-age=0\b/i.test(line)) this.cookies.set(name, value);
			else this.cookies.delete(name);
		}
		return reply;
	}

	async get(path, options) {
		const reply = await this.fetch(path, options);

		return { status: reply.status, headers: reply.headers, to: reply.headers.get('location'), text: await reply.text() };
	}

	post(path, fields = {}, headers = {}) {
		return this.get(path, { method: 'POST', body: new URLSearchParams(fields), headers });
	}

	async json(path, options) {
		const reply = await this.get(path, options);

		if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
		return JSON.parse(reply.text);
	}

	logIn(user, password = PASSWORD, more = {}) {
		return this.post('/login', { user, password, ...more });
	}

	// What only the cookie's owner knows.
	get session() {
		return this.cookies.get('foyer_session');
	}
}

// The path of the set-up link that webd wrote to its log.
export async function setUpPath(house) {
	return waitFor(() => /becomes the administrator: https?:\/\/[^/]+(\/setup\/[\w-]{43})\n/.exec(house.webd.log)?.[1], 'a set-up link');
}

// The first administrator, logged in.
export async function firstAdministrator(house, name = 'anna', options) {
	const visitor = new Visitor(house, options);
	const reply = await visitor.post(await setUpPath(house), { user: name, password: PASSWORD, again: PASSWORD });

	if (reply.status !== 303) throw new Error(`set-up: ${reply.status} ${reply.text}`);
	return visitor;
}

// A further user, made by an administrator and logged in.
export async function addUser(administrator, name, role, options) {
	const reply = await administrator.post('/settings/house/user', { user: name, password: PASSWORD, role });
	const visitor = new Visitor(administrator.house, options);

	if (reply.status !== 303) throw new Error(`${name}: ${reply.status} ${reply.text}`);
	const entered = await visitor.logIn(name);
	if (entered.status !== 303) throw new Error(`${name} logs in: ${entered.status} ${entered.text}`);
	return visitor;
}
