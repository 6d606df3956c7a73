// Every page as it looks: both languages, both themes, four widths; nothing scrolls sideways, nothing complains, nothing that axe finds. Pictures of all
// go to screens/ in the build folder, for people to look at.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { Camera } from '../lib/camera.mjs';
import { SERIES, furnish } from '../lib/household.mjs';
import { House, build, root, run, test, waitFor } from '../lib/house.mjs';
import { firstAdministrator, setUpPath } from '../lib/visitor.mjs';

const axe = createRequire(`${root}/tests/e2e/package.json`)('axe-core');
const screens = join(build, 'screens');
const WIDTHS = [320, 390, 820, 1440];
const THEMES = ['light', 'dark'];
const LANGUAGES = { fr: 'fr-FR', en: 'en-GB' };

mkdirSync(screens, { recursive: true });
const house = new House();
const empty = new House();
const film = await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=1:duration=1', '-frames:v', '1', '-y', join(house.folder, 'a.jpg')]);
assert.equal(film.code, 0, film.stderr);
const camera = await new Camera({ interval: 500, pictures: [readFileSync(join(house.folder, 'a.jpg'))] }).start();

await Promise.all([house.startBroker(), empty.startBroker()]);
await house.startCollector();
await house.startWebd({
	auth: true,
	set: [`camera perron.url=${camera.url}`, 'camera perron.label=Perron', 'camera jardin.url=http://127.0.0.1:1/', 'camera jardin.label=Jardin'],
});
await empty.startWebd({ auth: true });
await furnish(house);
const anna = await firstAdministrator(house);
await anna.post('/settings/house/token', { name: 'sauvegarde', role: 'view' });
await anna.post('/settings/house/user', { user: 'bob', password: 'un mot de passe', role: 'operate' });
await waitFor(async () => /salon\/sirene/.test((await anna.get('/')).text), 'webd knows the house');
const setup = await setUpPath(empty);
const browser = await openBrowser();
after(async () => {
	await browser.close();
	await house.close();
	await empty.close();
	await camera.stop();
});

const PAGES = {
	overview: '/',
	node: '/node/salon',
	'node-offline': '/node/garage',
	device: '/device/salon/bme280',
	'device-output': '/device/salon/store',
	'series-number': `/series/${SERIES.number}`,
	'series-binary': `/series/${SERIES.binary}`,
	'series-text': `/series/${SERIES.text}`,
	events: '/events',
	cameras: '/cameras',
	system: '/system',
	settings: '/settings',
	'error-404': '/nothing/here',
	login: { path: '/login', outside: true },
	setup: { path: setup, house: empty, outside: true },
	'empty-house': { path: '/', house: empty, enter: true },
};

async function opened(language, { path, of, visitor }) {
	const page = await openPage(browser, { locale: LANGUAGES[language], viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });

	if (visitor)
		await page.context().addCookies([{ name: 'foyer_session', value: visitor.session, url: of.url, httpOnly: true, sameSite: 'Lax' }]);
	const reply = await page.goto(of.url + path, { waitUntil: 'load' });
	// The pages are there as soon as they are read; charts are drawn a moment later.
	await page.waitForFunction(() => !document.querySelector('canvas') || window.foyerChart);
	return { page, status: reply.status() };
}

async function findings(page) {
	await page.evaluate(axe.source);
	const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));

	return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} | ${failureSummary.replace(/\s+/g, ' ')}`).join('\n    ')}`);
}

const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

// What sticks out, for the message.
const wide = (page) =>
	page.evaluate(() =>
		document.documentElement.scrollWidth <= innerWidth
			? []
			: [...document.querySelectorAll('body *')]
					.filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
					.slice(0, 5)
					.map((element) => element.outerHTML.slice(0, 120)),
	);

let administrator; // of the empty house

for (const [name, given] of Object.entries(PAGES)) {
	const { path, house: of = house, outside, enter } = typeof given === 'string' ? { path: given } : given;

	test(`${name}: both languages, both themes, four widths`, { deadline: 120000 }, async () => {
		const wrong = [];
		// What the browser remarks on is what the page is about: nothing there, or a camera that is away.
		const expected = name === 'error-404' ? /status of 404/ : /status of 504/;

		if (enter) administrator ??= await firstAdministrator(empty);
		const look = async (language) => {
			const { page, status } = await opened(language, { path, of, visitor: outside ? null : enter ? administrator : anna });

			assert.equal(status, name === 'error-404' ? 404 : 200);
			assert.equal(await page.getAttribute('html', 'lang'), language);
			for (const theme of THEMES) {
				await page.emulateMedia({ colorScheme: theme });
				for (const width of WIDTHS) {
					const at = `${name}-${language}-${theme}-${width}`;

					await page.setViewportSize({ width, height: 900 });
					await settled(page);
					const out = await wide(page);

					if (out.length > 0) wrong.push(`${at} scrolls sideways: ${out.join(' ')}`);
					if (language === 'fr' ? theme === 'light' || width !== 820 : theme === 'light' && width === 390)
						await page.screenshot({ path: join(screens, `${at}.png`), fullPage: true });
					// In the dark colours differ, on a wide screen the order; in another language the words alone.
					if (width === 390 ? language === 'fr' || theme === 'light' : width === 1440 && language === 'fr' && theme === 'light')
						wrong.push(...(await findings(page)).map((text) => `${at}: ${text}`));
				}
			}
			const text = await page.evaluate(() => document.body.innerText);
			const keys = text.match(/\b(log|sys|fact|todo|fault|done|ui|head|sum|role|cam|stat|range)_[a-z_0-9]+\b|\{\w+\}/g) ?? [];

			wrong.push(...keys.map((key) => `${name}-${language}: a key is shown: ${key}`));
			wrong.push(...page.complaints.filter((line) => !expected.test(line)).map((line) => `${name}-${language}: ${line}`));
			assert.deepEqual([...page.hosts], [new URL(of.url).host]);
			await page.context().close();
		};
		await Promise.all(Object.keys(LANGUAGES).map(look));
		assert.deepEqual([...new Set(wrong)], []);
	});
}

test('looking harms nothing: the store is not opened anew for it', () => {
	assert.doesNotMatch(house.webd.log, /opened anew/);
});
