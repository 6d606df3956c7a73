// Debian's Chromium, driven by playwright-core from tests/e2e/node_modules.
import { createRequire } from 'node:module';
import { isRoot, root } from './house.mjs';

const { chromium } = createRequire(`${root}/tests/e2e/package.json`)('playwright-core');

export function openBrowser() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--disable-dev-shm-usage', '--disable-gpu', ...(isRoot ? ['--no-sandbox'] : [])],
	});
}

// A page that remembers what went wrong in it and what it loaded from elsewhere.
export async function openPage(browser, options = {}) {
	const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
	const page = await context.newPage();

	page.complaints = [];
	page.hosts = new Set();
	page.on('pageerror', (error) => page.complaints.push(error.message));
	// A refusal is an answer, not a fault of the page: the browser remarks on it all the same.
	page.on(
		'console',
		(message) =>
			message.type() === 'error' && !/status of 400/.test(message.text()) && page.complaints.push(message.text()),
	);
	page.on('request', (request) => page.hosts.add(new URL(request.url()).host));
	return page;
}
